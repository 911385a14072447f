/** What a page tells and asks a person. */

const STAY_MS = 8000;

/**
 * @param {string} text
 * @param {boolean} [bad]
 */
export function say(text, bad = false) {
  const message = document.createElement("p");
  message.textContent = text;
  if (bad) message.className = "bad";
  document.getElementById("messages").append(message);
  setTimeout(() => message.remove(), STAY_MS);
}

/**
 * Ask before something that cannot be taken back.
 * @param {string} text
 * @param {string} yes what the button says
 * @returns {Promise<boolean>}
 */
export function ask(text, yes) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("ask"));
  document.getElementById("ask-text").textContent = text;
  document.getElementById("ask-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true });
  });
}
