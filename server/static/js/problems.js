/** A field says that it is wrong for as long as there are words under it: they are swapped, the field itself is not. */

document.addEventListener("htmx:afterSettle", () => {
  for (const field of document.querySelectorAll('[aria-describedby$="-problem"]')) {
    const words = document.getElementById(field.getAttribute("aria-describedby"));
    if (words?.textContent) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
});
