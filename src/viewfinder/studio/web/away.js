/** Whether edits are saved; and what is said while the server does not answer, or does not let this page in: what to do, and that nothing is lost. */

import { Refused, barred } from "./api.js";
import { element } from "./dialogs.js";

/** @param {import("./outbox.js").Outbox} outbox */
export function drawSending({ state, waiting, reason }) {
  const place = /** @type {HTMLElement} */ (document.getElementById("sending"));
  place.dataset.state = state;
  place.textContent = state === "saved" ? "saved" : state === "pending" ? `${waiting} pending` : `offline, ${waiting} kept here`;
  place.title = reason || (state === "offline" ? "The server does not answer. Edits are kept in this browser and go when it is back." : "");
}

/** @param {import("./main.js").Page} page @param {unknown} error  of the last question; null where it was answered */
export function drawAway({ outbox }, error) {
  const place = /** @type {HTMLElement} */ (document.getElementById("away"));
  place.hidden = error === null;
  if (error === null) return;
  const kept = outbox.waiting === 0 ? "Nothing is unsaved."
    : `${outbox.waiting === 1 ? "1 edit is" : `${outbox.waiting} edits are`} kept in this browser until then.`;
  const command = element("code", {}, "viewfinder label");
  place.replaceChildren(...(barred(error)
    ? [element("strong", {}, "The studio was started anew."), " Open the address that ", command, " printed, in this browser: this page then goes on too. ", kept]
    : error instanceof Refused && error.status === 503
    ? [element("strong", {}, "The labels cannot be reached."), ` ${error.message}. `, kept]
    : [element("strong", {}, "The server does not answer."), " If it was ended, start ", command, " again, and open the address that it prints in this browser. ", kept]));
}
