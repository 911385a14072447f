/** What every page can do: copy, tell the time, send an action to the API, save a form, and say what went wrong. */

import { call } from "./api.js";
import { ask, say } from "./messages.js";
import { refreshTimes } from "./times.js";

const TIMES_EVERY_MS = 10_000;

document.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("button[data-copy], button[data-send]");
  if (button?.hasAttribute("data-copy")) copy(button);
  else if (button) send(button);
});
document.addEventListener("click", (event) => closeMenus(/** @type {Node} */ (event.target)));
document.addEventListener("keydown", (event) => event.key === "Escape" && closeMenus(null));
document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.dataset.patch) return;
  event.preventDefault();
  save(form);
});
document.addEventListener("submit", (event) => onlyOnce(event, /** @type {HTMLFormElement} */ (event.target)));
window.addEventListener("pageshow", () => [...document.forms].forEach((form) => delete form.dataset.sent));
document.addEventListener("htmx:configRequest", (event) => onlyWhatIsSaid(event.detail.formData, event.detail.elt));
document.addEventListener("htmx:afterSwap", (event) => refreshTimes(event.detail.elt.parentNode ?? document));
document.addEventListener("htmx:responseError", () => say("The server refused that. Reload the page.", true));
document.addEventListener("htmx:sendError", () => say("The server does not answer.", true));
refreshTimes();
setInterval(refreshTimes, TIMES_EVERY_MS);

/** @param {Element} button */
async function copy(button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "copied";
    button.classList.add("copied");
  } catch {
    say(`The browser does not let a page copy here. It is: ${button.dataset.copy}`, true);
  }
  setTimeout(() => {
    button.textContent = before;
    button.classList.remove("copied");
  }, 1200);
}

/**
 * A button that calls the API: data-send="POST /api/v1/jobs/abc/cancel", data-body (JSON), data-ask (a question first),
 * data-then (where to go after it, or "reload").
 * @param {Element} button
 */
async function send(button) {
  const [method, path] = button.dataset.send.split(" ");
  if (button.dataset.ask && !(await ask(button.dataset.ask, button.textContent.trim()))) return;
  button.disabled = true;
  try {
    await call(method, path, button.dataset.body ? JSON.parse(button.dataset.body) : undefined);
    if (button.dataset.then === "reload") location.reload();
    else if (button.dataset.then) location.assign(button.dataset.then);
    else document.dispatchEvent(new CustomEvent("sent", { detail: { method, path } }));
  } catch (error) {
    say(error.message, true);
  } finally {
    button.disabled = false;
  }
}

/** Those that `kept` is not in. @param {Node | null} kept */
function closeMenus(kept) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!kept || !menu.contains(kept)) menu.removeAttribute("open");
  }
}

/**
 * A second click, before the answer to the first, must not launch everything twice.
 * @param {Event} event
 * @param {HTMLFormElement} form
 */
function onlyOnce(event, form) {
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
}

/** @param {HTMLFormElement} form */
async function save(form) {
  const changes = Object.fromEntries(new FormData(form));
  if ("tags" in changes) changes.tags = changes.tags.split(",").map((tag) => tag.trim()).filter(Boolean);
  if (changes.primary_metric === "") changes.primary_metric = null;
  try {
    await call("PATCH", form.dataset.patch, changes);
    form.querySelector("[data-saved]").textContent = "saved";
    document.dispatchEvent(new CustomEvent("sent", { detail: { method: "PATCH", path: form.dataset.patch } }));
  } catch (error) {
    form.querySelector("[data-saved]").textContent = "";
    say(error.message, true);
  }
}

/**
 * Of a form that filters: an empty field says nothing, nor one that is as it begins. The address stays short.
 * @param {FormData} data
 * @param {HTMLElement} form
 */
function onlyWhatIsSaid(data, form) {
  if (!(form instanceof HTMLFormElement) || form.method !== "get") return;
  for (const [name, value] of [...data.entries()]) {
    if (value === "" || value === form.elements.namedItem(name)?.dataset?.default) data.delete(name);
  }
}
