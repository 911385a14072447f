/** The log's tail: first what is there, then what comes, each byte once. */

import { text } from "./api.js";

const TAIL_LINES = 200;
const MOST_CHARACTERS = 400_000;
const NEAR_END_PX = 24;

export class Log {
  /** @param {string} run */
  constructor(run) {
    this.path = `/api/v1/runs/${run}/log`;
    this.shown = 0; // how long the log was when its tail was read
    /** @type {{start: number, text: string}[] | null} what came before the tail did */
    this.early = [];
    this.watch();
  }

  get place() {
    return document.getElementById("log");
  }

  get box() {
    return /** @type {HTMLInputElement} */ (document.getElementById("follow-log"));
  }

  watch() {
    this.place.addEventListener("scroll", () => {
      const { scrollTop, scrollHeight, clientHeight } = this.place;
      this.box.checked = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    });
    this.box.addEventListener("change", () => this.follow());
  }

  /** After the stream is open, so that nothing falls between the two. */
  async begin() {
    this.early ??= [];
    const tail = await text(`${this.path}?tail=${TAIL_LINES}`);
    this.shown = Number(tail.headers.get("X-Log-Size") ?? 0);
    if (tail.text) this.place.textContent = readable(tail.text);
    const early = this.early ?? [];
    this.early = null;
    for (const piece of early) this.add(piece);
    this.follow();
  }

  /** @param {{start: number, text: string}} piece */
  add(piece) {
    if (this.early) {
      this.early.push(piece);
      return;
    }
    this.place.closest("section").hidden = false; // a foreign trainer may send one after all
    if (piece.start === 0) this.place.textContent = ""; // from its beginning, or begun anew
    const known = piece.start === 0 ? 0 : Math.max(0, this.shown - piece.start);
    const fresh = known ? new TextDecoder().decode(new TextEncoder().encode(piece.text).subarray(known)) : piece.text;
    this.place.append(readable(fresh));
    this.place.normalize();
    this.trim();
    if (this.box.checked) this.follow();
  }

  trim() {
    const all = this.place.textContent;
    if (all.length <= MOST_CHARACTERS) return;
    this.place.textContent = all.slice(all.indexOf("\n", all.length - MOST_CHARACTERS / 2) + 1);
  }

  follow() {
    if (this.box.checked) this.place.scrollTop = this.place.scrollHeight;
  }
}

/** Without the colours of a terminal, and of a line that was written over and over, its last state. */
export function readable(/** @type {string} */ raw) {
  return raw
    .replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "")
    .replace(/\r\n/g, "\n")
    .replace(/^.*\r(?!$)/gm, "");
}
