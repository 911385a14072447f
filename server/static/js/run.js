/** A run's page: charts, log, and the parts that the server renders anew when something changes. */

import { call } from "./api.js";
import { Board } from "./board.js";
import { follow, gathered } from "./live.js";
import { Log } from "./log.js";
import { say } from "./messages.js";

const PARTS_MS = 500;
const NOT_CHARTS = new Set(["env_steps", "train_steps", "wall_time_s", "run_id", "trace_id", "schema_version"]);

const page = document.getElementById("run");
const run = page.dataset.run;
const board = new Board(run);
const log = new Log(run);

board.adopt();
document.getElementById("zoom-out").hidden = board.range() === null;
const axis = /** @type {HTMLSelectElement} */ (document.getElementById("axis"));
axis.value = board.axis();

/** @type {Map<string, Promise<void>>} */ const underWay = new Map();

/**
 * Requests of one part wait for each other, those of different parts do not: of what waits behind one source, htmx keeps
 * only the newest, and says of the others that they are done.
 * @param {string} name a part of this page, which the server renders by itself
 */
function refresh(name) {
  const path = name === "run-header" ? `/runs/${run}` : `/runs/${run}/parts/${name}`;
  const place = { source: `#${name}`, target: `#${name}`, swap: "outerHTML" };
  const done = (underWay.get(name) ?? Promise.resolve()).catch(() => {}).then(() => htmx.ajax("GET", path, place));
  underWay.set(name, done);
  return done;
}

const refreshHeader = gathered(PARTS_MS, () => refresh("run-header"));
const refreshEvents = gathered(PARTS_MS, () => refresh("events"));
const refreshBoard = gathered(PARTS_MS, async () => {
  const open = [...document.querySelectorAll("details.group[open]")].map((group) => group.dataset.group);
  await refresh("board");
  for (const group of document.querySelectorAll("details.group")) group.open = open.includes(group.dataset.group);
  board.adopt();
  log.follow(); // the panel was kept, but not how far it was scrolled
});

let opened = false;
/** @type {string} */ let state = document.getElementById("run-header").dataset.state;

if (page.dataset.final === "yes") {
  start();
} else {
  follow(`/api/v1/runs/${run}/live`, {
    open: () => (opened ? undefined : start()),
    missed() {
      refreshHeader();
      refreshEvents();
      opened = false;
    },
    run(row) {
      refreshHeader();
      if (row.state !== state && document.getElementById("attempts")) refresh("attempts");
      if (row.state !== state) refresh("artifacts");
      state = row.state;
      document.title = document.title.replace(/\S+ ·/, `${row.state} ·`);
    },
    metrics(batch) {
      if (batch.refresh) board.reload();
      else take(batch.records);
    },
    rewind: () => board.reload(),
    event: refreshEvents,
    log: (piece) => log.add(piece),
  });
}

function start() {
  opened = true;
  log.begin().catch((error) => say(error.message, true));
  board.reload();
}

/** @param {any[]} records */
function take(records) {
  const keys = new Set(records.flatMap((record) => Object.keys(record)).filter((key) => !NOT_CHARTS.has(key)));
  if (!board.knows([...keys])) refreshBoard();
  board.append(records);
}

const slider = /** @type {HTMLInputElement} */ (document.getElementById("smooth"));
slider.addEventListener("input", () => board.smooth(Number(slider.value)));
axis.addEventListener("change", () => board.show(axis.value, null));
document.getElementById("zoom-out").addEventListener("click", () => board.show(board.axis(), null));
document.addEventListener("sent", (event) => {
  refreshHeader();
  if (event.detail.method === "PATCH" && page.dataset.final === "yes") refresh("events");
});

// The settings: typing narrows them, the box leaves only those that the preset does not have.
document.addEventListener("input", (event) => {
  if (!/** @type {Element} */ (event.target).matches("#config-search, #config-changed")) return;
  const words = /** @type {HTMLInputElement} */ (document.getElementById("config-search")).value.toLowerCase();
  const only = /** @type {HTMLInputElement} */ (document.getElementById("config-changed")).checked;
  for (const row of document.querySelectorAll("table.settings tbody tr")) {
    const fits = row.textContent.toLowerCase().includes(words) && (!only || row.hasAttribute("data-changed"));
    /** @type {HTMLElement} */ (row).hidden = !fits;
  }
});

// A form that becomes one call: its lines as a list.
document.addEventListener("submit", async (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.dataset.post) return;
  event.preventDefault();
  const changes = String(new FormData(form).get("changes")).split(/\s+/).filter(Boolean);
  try {
    await call("POST", form.dataset.post, { changes });
    location.reload();
  } catch (error) {
    say(error.message, true);
  }
});
