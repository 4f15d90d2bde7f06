/** Whether edits are saved; and what is said while the server or the database does not answer, or the server does not let this page in: what to do, and that nothing is lost. */

import { Refused, barred, passing } from "./api.js";
import { element } from "./dialogs.js";

// Milliseconds between two tries of what did not answer.
const EVERY = 1000;

/** Whether the server answers, and what keeps the labels does not. @param {unknown} error @returns {error is Refused} */
const unreached = (error) => error instanceof Refused && error.status === 503;
/** Whether that is a server of its own, which may be back at any moment. @param {Refused} error */
const silent = (error) => /does not answer|being stopped or started/.test(error.message);

/** Why there was no answer, in a sentence. @param {unknown} error @param {string} [then]  what is not possible until there is one */
export function unanswered(error, then = "") {
  const who = !(error instanceof Refused) ? "server" : unreached(error) && silent(error) ? "database" : "";
  return who ? `The ${who} does not answer${then ? `: ${then}` : ""}.` : /** @type {Refused} */ (error).message;
}

/** @param {import("./outbox.js").Outbox} outbox */
export function drawSending({ state, waiting, reason }) {
  shown(state, state === "saved" ? "saved" : state === "pending" ? `${waiting} pending` : `offline, ${waiting} kept here`,
    reason || (state === "offline" ? "The server does not answer. Edits are kept in this browser and go when it is back." : ""));
}

/** @param {string} state @param {string} text @param {string} title */
function shown(state, text, title) {
  const place = /** @type {HTMLElement} */ (document.getElementById("sending"));
  place.dataset.state = state;
  place.textContent = text;
  place.title = title;
}

/** @param {number} waiting */
const keptHere = (waiting) => (waiting === 0 ? "Nothing is unsaved."
  : `${waiting === 1 ? "1 edit is" : `${waiting} edits are`} kept in this browser until then.`);

/** What does not answer, and what to do. @param {unknown} error @returns {(Node | string)[]} */
function said(error) {
  const command = element("code", {}, "viewfinder label");
  if (barred(error)) return [element("strong", {}, "The studio was started anew."), " Open the address that ", command, " printed, in this browser: this page then goes on too. "];
  if (!unreached(error)) return [element("strong", {}, "The server does not answer."), " If it was ended, start ", command, " again, and open the address that it prints in this browser. "];
  const what = silent(error) ? "The database does not answer." : "The labels cannot be reached.";
  return [element("strong", {}, what), " Once the labels can be read again, this page goes on by itself. ", element("span", { class: "soft" }, `The server says: ${error.message}. `)];
}

/** @param {import("./main.js").Page} page @param {unknown} error  of the last question; null where it was answered */
export function drawAway({ outbox }, error) {
  const place = /** @type {HTMLElement} */ (document.getElementById("away"));
  place.hidden = error === null;
  if (error !== null) place.replaceChildren(...said(error), keptHere(outbox.waiting));
}

/**
 * Do what the page begins with, again and again while there is no answer, which is said.
 * @template T
 * @param {() => Promise<T>} work @param {() => number | Promise<number>} waiting  how many edits this browser keeps
 * @returns {Promise<T>}
 */
export async function patiently(work, waiting) {
  const place = /** @type {HTMLElement} */ (document.getElementById("away"));
  for (;;) {
    try {
      const done = await work();
      place.hidden = true;
      return done;
    } catch (error) {
      if (!passing(error) || barred(error)) throw error;
      const count = await waiting();
      place.replaceChildren(...said(error), keptHere(count));
      place.hidden = false;
      shown("offline", count ? `offline, ${count} kept here` : "offline", unanswered(error));
      await new Promise((go) => setTimeout(go, EVERY));
    }
  }
}
