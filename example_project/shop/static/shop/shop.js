import { flags } from "../flaggate/flags.js";

/** Show what its flag allows: the answers are in the page, and followed while it is open. */
function show() {
  for (const element of document.querySelectorAll("[data-flag]")) {
    element.hidden = !flags.isActive(element.dataset.flag);
  }
}

flags.addEventListener("change", show);
flags.watch(2); // seconds; for a demo, where somebody waits
show();
