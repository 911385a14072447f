/** The launch form: what a preset is, keys completed while they are typed, and a table of all of them to pick from. */

import { call } from "./api.js";

const MOST = 12;

const words = /** @type {HTMLTextAreaElement} */ (document.getElementById("words"));
const offered = document.getElementById("completions");
const preset = /** @type {HTMLSelectElement} */ (document.getElementById("preset"));
const over = /** @type {HTMLSelectElement} */ (document.getElementById("over"));
const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("table.keys tbody tr")]);
let chosen = 0;

for (const field of [preset, over]) field.addEventListener("change", explain);
explain();

/** What the preset is, and what each setting is in it. */
async function explain() {
  document.getElementById("preset-text").textContent = preset.selectedOptions[0]?.dataset.text ?? "";
  const name = over.value ? `${preset.value}+${over.value}` : preset.value;
  const { config } = await call("GET", `/api/v1/presets/${encodeURIComponent(name)}`);
  document.getElementById("default-head").textContent = `in ${name}`;
  for (const row of rows) {
    const value = row.dataset.key.split(".").reduce((section, part) => section?.[part], config);
    row.dataset.default = typed(value);
    row.children[1].textContent = row.dataset.default;
  }
}

/** A value as one would type it. @param {unknown} value */
function typed(value) {
  return Array.isArray(value) ? `[${value.map(typed).join(", ")}]` : String(value);
}

/** The line that is being typed, if the cursor is in its key. */
function line() {
  const end = words.selectionStart;
  const start = words.value.lastIndexOf("\n", end - 1) + 1;
  const key = words.value.slice(start, end);
  return key.includes("=") ? null : { start, end, key: key.trim() };
}

/** Keys that hold all that was typed, those that begin with it (or whose last part does) first. @param {string} part */
function fitting(part) {
  const rank = (/** @type {string} */ key) => (key.startsWith(part) ? 0 : key.includes(`.${part}`) ? 1 : 2);
  const fits = rows.filter((row) => row.dataset.key.includes(part));
  return fits.sort((a, b) => rank(a.dataset.key) - rank(b.dataset.key)).slice(0, MOST);
}

function offer() {
  const at = line();
  const fits = at && at.key.length > 0 ? fitting(at.key) : [];
  chosen = 0;
  offered.replaceChildren(...fits.map((row) => {
    const item = document.createElement("li");
    item.role = "option";
    item.dataset.key = row.dataset.key;
    const value = document.createElement("span");
    value.className = "soft";
    value.textContent = row.dataset.default;
    item.append(row.dataset.key, value);
    return item;
  }));
  offered.hidden = fits.length === 0;
  choose(0);
}

/** @param {number} by */
function choose(by) {
  const items = [...offered.children];
  if (items.length === 0) return;
  chosen = (chosen + by + items.length) % items.length;
  items.forEach((item, i) => item.setAttribute("aria-selected", String(i === chosen)));
  items[chosen].scrollIntoView({ block: "nearest" });
}

/** @param {string} key */
function complete(key) {
  const at = line();
  if (!at) return;
  words.setRangeText(`${key}=`, at.start, at.end, "end");
  offered.hidden = true;
  words.focus();
}

/** A line of its own for a key from the table, with its default to change. @param {HTMLElement} row */
function override(row) {
  const before = words.value.trimEnd();
  const added = `${row.dataset.key}=${row.dataset.default}`;
  words.value = before ? `${before}\n${added}` : added;
  words.focus();
  words.setSelectionRange(words.value.length - row.dataset.default.length, words.value.length);
  words.dispatchEvent(new Event("change", { bubbles: true }));
}

const KEYS = {
  ArrowDown: () => choose(1),
  ArrowUp: () => choose(-1),
  Enter: () => complete(/** @type {HTMLElement} */ (offered.children[chosen]).dataset.key),
  Tab: () => complete(/** @type {HTMLElement} */ (offered.children[chosen]).dataset.key),
  Escape: () => {
    offered.hidden = true;
  },
};

words.addEventListener("input", offer);
words.addEventListener("blur", () => setTimeout(() => (offered.hidden = true), 150)); // after a click on an offer
words.addEventListener("keydown", (event) => {
  if (offered.hidden || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});
offered.addEventListener("mousedown", (event) => {
  const item = /** @type {HTMLElement} */ (event.target).closest("li");
  event.preventDefault();
  if (item) complete(item.dataset.key);
});
document.querySelector("table.keys").addEventListener("click", (event) => {
  const row = /** @type {HTMLElement} */ (event.target).closest("tbody tr");
  if (row) override(row);
});
document.getElementById("key-search").addEventListener("input", (event) => {
  const part = /** @type {HTMLInputElement} */ (event.target).value.toLowerCase();
  for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(part);
});

// Validating takes seconds. What has changed meanwhile was checked anew, and is not overwritten with what was before.
let changes = 0;
let validated = 0;
for (const kind of ["input", "change"]) document.getElementById("launch").addEventListener(kind, () => (changes += 1));
document.getElementById("validate").addEventListener("htmx:beforeRequest", () => (validated = changes));
document.getElementById("check").addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.requestConfig.elt.id === "validate" && validated !== changes) event.detail.shouldSwap = false;
});

// Once is enough, until somebody comes back to the form.
const submit = /** @type {HTMLButtonElement} */ (document.getElementById("submit"));
document.getElementById("launch").addEventListener("submit", () => (submit.disabled = true));
window.addEventListener("pageshow", () => (submit.disabled = false));
