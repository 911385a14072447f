/** The list of runs: rows that follow the server, a selection to cancel, and keys to move. */

import { call } from "./api.js";
import { follow, gathered } from "./live.js";
import { ask, say } from "./messages.js";
import { refreshTimes } from "./times.js";

const GATHER_MS = 1000;
const AT_ONCE = 100; // rows asked for in one request
const PROGRESS_MS = 4000; // the stream of all runs tells of states; how far each is, is asked for

/** @type {Set<string>} */ const changed = new Set();
/** @type {Set<string>} */ const fresh = new Set();
let current = -1;

const list = () => document.getElementById("runs");
const rows = () => [...list().querySelectorAll("tr[data-run]")];
const stateOf = (/** @type {Element} */ row) => row.querySelector(".state").dataset.state;
const boxes = () => /** @type {HTMLInputElement[]} */ ([...list().querySelectorAll("input[name=ids]")]);

const refresh = gathered(GATHER_MS, async () => {
  const ids = [...changed].slice(0, AT_ONCE);
  for (const id of ids) changed.delete(id);
  if (changed.size) refresh();
  if (ids.length) await swapRows(ids);
});

follow("/api/v1/live", {
  missed() {
    for (const row of rows()) changed.add(row.dataset.run);
    refresh();
  },
  run(run) {
    if (document.getElementById(`run-${run.id}`)) changed.add(run.id);
    else if (run.version <= 2) fresh.add(run.id);
    refresh();
    offer();
  },
});

setInterval(() => {
  if (document.hidden) return;
  for (const row of rows()) if (["running", "stopping"].includes(stateOf(row))) changed.add(row.dataset.run);
  if (changed.size) refresh();
}, PROGRESS_MS);

/**
 * Ask for the rows that changed, as the server renders them, and put each in its place.
 * @param {string[]} ids
 */
async function swapRows(ids) {
  const address = new URL(list().dataset.url, location.href);
  address.pathname = "/runs/rows";
  address.searchParams.set("ids", ids.join(","));
  const answer = await fetch(address, { headers: { "HX-Request": "true", Accept: "text/html" } });
  if (!answer.ok) return;
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  for (const row of holder.content.querySelectorAll("tr[data-run]")) {
    const old = document.getElementById(row.id);
    if (old) put(old, /** @type {HTMLElement} */ (row));
  }
}

/**
 * @param {HTMLElement} old
 * @param {HTMLElement} row
 */
function put(old, row) {
  if (stateOf(old) !== stateOf(row)) row.classList.add("changed");
  row.querySelector("input[name=ids]").checked = old.querySelector("input[name=ids]").checked;
  row.classList.toggle("current", old.classList.contains("current"));
  const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  old.replaceWith(row);
  if (focused) row.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  htmx.process(row);
  refreshTimes(row);
}

/** New runs are told of, not pushed in: what is being read must not move. */
function offer() {
  const button = document.getElementById("fresh");
  button.hidden = fresh.size === 0;
  button.textContent = fresh.size === 1 ? "1 new run: show" : `${fresh.size} new runs: show`;
}

function showSelection() {
  const chosen = boxes().filter((box) => box.checked).length;
  document.getElementById("selection").hidden = chosen === 0;
  document.getElementById("count").hidden = chosen > 0;
  document.getElementById("selected").textContent = String(chosen);
}

async function cancelSelected() {
  const ids = chosenIds();
  const these = ids.length === 1 ? "this run" : `these ${ids.length} runs`;
  if (!(await ask(`Cancel ${these}? Running ones save a checkpoint first.`, "Cancel them"))) return;
  try {
    const done = await call("POST", "/api/v1/jobs/cancel", { ids });
    say(`${done.cancelled} cancelled, ${done.stopping} stopping.`);
    clear();
  } catch (error) {
    say(error.message, true);
  }
}

const chosenIds = () => boxes().filter((box) => box.checked).map((box) => box.value);

function clear() {
  for (const box of boxes()) box.checked = false;
  showSelection();
}

function reload() {
  fresh.clear();
  htmx.ajax("GET", list().dataset.url, { source: "#runs", target: "#runs", swap: "outerHTML" });
}

/** @param {number} by */
function move(by) {
  const all = rows();
  if (all.length === 0) return;
  all[current]?.classList.remove("current");
  current = Math.min(all.length - 1, Math.max(0, current + by));
  all[current].classList.add("current");
  all[current].querySelector(".name a").focus({ preventScroll: true });
  all[current].scrollIntoView({ block: "nearest" });
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  x: () => rows()[current]?.querySelector("input[name=ids]").click(),
  "/": () => document.querySelector("input[name=q]").focus(),
};

document.addEventListener("keydown", (event) => {
  const typing = /** @type {Element} */ (event.target).matches("input:not([type=checkbox]), textarea, select");
  if (event.key === "Escape" && typing) /** @type {HTMLElement} */ (event.target).blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});
document.addEventListener("change", (event) => {
  const box = /** @type {HTMLInputElement} */ (event.target);
  if (box.id === "select-all") for (const each of boxes()) each.checked = box.checked;
  if (box.id === "select-all" || box.name === "ids") showSelection();
});
document.addEventListener("click", (event) => {
  const id = /** @type {Element} */ (event.target).closest("button")?.id;
  if (id === "cancel-selected") cancelSelected();
  if (id === "clear-selected") clear();
  if (id === "compare-selected") location.assign(`/compare?runs=${chosenIds().join(",")}`);
  if (id === "fresh") reload();
});
document.addEventListener("htmx:afterSwap", () => {
  current = -1;
  offer();
  showSelection();
});
