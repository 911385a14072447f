/**
 * A server-sent stream that says in the page's bar whether it is connected.
 *
 * A browser allows six connections to a server over all its tabs. A tab that nobody looks at gives its own back after a
 * while, and goes on from its cursor when somebody comes back: a hundred open runs must not block each other.
 */

const HIDDEN_MS = 30_000;

/**
 * @param {string} path
 * @param {Record<string, (data: any) => void>} handlers by the event's name; `open` is called at each connection, and
 *   `missed` where the page was away without a cursor to go on from
 */
export function follow(path, handlers) {
  const { open, missed, ...events } = handlers;
  let cursor = "";
  let timer = 0;
  let isOver = false;
  /** @type {EventSource | null} */ let source = null;

  function connect() {
    source = new EventSource(cursor ? `${path}?cursor=${encodeURIComponent(cursor)}` : path);
    source.addEventListener("open", () => {
      show("live", "live");
      open?.(null);
    });
    source.addEventListener("error", () => {
      if (source?.readyState === EventSource.CLOSED) show("away", "not live: reload the page");
      else show("away", "reconnecting …"); // the browser does, with its cursor
    });
    for (const [name, handle] of Object.entries(events)) {
      source.addEventListener(name, (event) => {
        cursor = event.lastEventId || cursor;
        handle(JSON.parse(event.data));
      });
    }
    source.addEventListener("end", () => {
      isOver = true;
      leave("");
    });
  }

  /** @param {string} words */
  function leave(words) {
    source?.close();
    source = null;
    show("over", words);
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => leave("paused"), HIDDEN_MS);
    else if (!source && !isOver) {
      if (!cursor) missed?.(null);
      connect();
    }
  });
  window.addEventListener("pagehide", () => source?.close());
  // Brought back by the back button, as it was when it was left.
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
  connect();
}

/**
 * Call once for many calls that come close together: at the end of the pause, and no later.
 * @param {number} pause_ms
 * @param {() => void} work
 */
export function gathered(pause_ms, work) {
  let timer = 0;
  return () => {
    timer ||= setTimeout(() => {
      timer = 0;
      work();
    }, pause_ms);
  };
}

/**
 * @param {"live" | "away" | "over"} state
 * @param {string} words
 */
function show(state, words) {
  const place = document.getElementById("connection");
  place.dataset.state = state;
  place.textContent = words;
}
