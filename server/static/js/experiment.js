/** The log of an experiment: annotations are added, and what was saved is shown where else it stands. */

import { call } from "./api.js";
import { say } from "./messages.js";

document.addEventListener("submit", async (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!("annotate" in form.dataset)) return;
  event.preventDefault();
  const { run, text } = Object.fromEntries(new FormData(form));
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    await call("POST", `/api/v1/runs/${run}/annotations`, { text });
    location.reload();
  } catch (error) {
    say(error.message, true);
    button.disabled = false;
  }
});

// Typing is not saving: the word goes as soon as it is no longer true.
document.addEventListener("input", (event) => {
  const saved = /** @type {Element} */ (event.target).closest("form.written")?.querySelector("[data-saved]");
  if (saved) saved.textContent = "";
});
