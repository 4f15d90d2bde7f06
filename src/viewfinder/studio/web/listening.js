/** What a person presses and clicks on the page as a whole. */

import { choose } from "./editing.js";
import { written } from "./keys.js";
import { theme } from "./theme.js";

/** @typedef {import("./main.js").Page} Page */

/** @param {Page} page */
export function listen(page) {
  addEventListener("keydown", (event) => press(page, event));
  addEventListener("keyup", (event) => {
    if (event.key === " ") page.pointer.space = false;
    else if (!["Shift", "Control", "Alt", "Meta"].includes(event.key)) page.pointer.deciding = null;
  });
  addEventListener("blur", () => {
    page.pointer.space = false;
    page.pointer.deciding = null;
  });
  addEventListener("beforeunload", (event) => {
    if (page.outbox.waiting) event.preventDefault();
  });
  // Who clicked a button or a switch goes on with keys of the picture: Enter is then no second click.
  addEventListener("click", (event) => {
    const pressed = /** @type {HTMLElement} */ (event.target).closest("button, label.check");
    if (event.detail && pressed && !page.dialogs.open) page.stage.element.focus({ preventScroll: true });
  });
  for (const place of document.querySelectorAll("aside, #chips")) page.press.watch(/** @type {HTMLElement} */ (place));
  document.getElementById("help")?.addEventListener("click", () => page.run("help"));
  document.getElementById("theme")?.addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
}

/** @param {Page} page @param {KeyboardEvent} event */
function press(page, event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (page.dialogs.open || target.matches("input:not([type=range], [type=color]), select, textarea") || event.isComposing) return;
  // A button that has the focus is pressed by these, as everywhere.
  const pressing = target.matches("button, input, summary") && [" ", "Enter"].includes(event.key);
  if (pressing || (target.matches("[type=range]") && event.key.startsWith("Arrow"))) return;
  if (event.key === " ") {
    page.pointer.space = true;
    event.preventDefault();
    return;
  }
  const key = written(event);
  const command = page.commands().find((each) => each.keys.includes(key));
  const label = command ? undefined : page.classes.keys().get(key);
  if (!command && !label) return;
  event.preventDefault();
  if (command?.id === "accept" || command?.id === "reject") {
    if (event.repeat) return; // held for a stroke
    page.pointer.deciding = { what: command.id, among: page.studio.ghosts() };
  }
  if (command) page.run(command.id);
  else if (label) page.after(() => page.shaping.labelled(label) || choose(page.studio, label));
}
