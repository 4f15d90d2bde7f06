/** The buttons above the picture and in the head of the page: what keys do, for a mouse or a finger. */

import { button } from "./dialogs.js";
import { shownKey } from "./keys.js";

const TOOLS = [
  ["previous", "◀"], ["next", "▶"], ["done", "Done ✓"], ["skip", "Skip"], ["undo", "Undo"], ["redo", "Redo"],
  ["delete", "Delete"], ["duplicate", "Duplicate"], ["repeat", "Repeat"], ["find-class", "Class…"],
  ["outline", "Outline"], ["brush", "Brush"], ["erase", "Eraser"], ["polygon", "Corners"], ["points", "Points"],
  ["fit", "Whole"], ["nearer", "+"], ["further", "−"], ["zoom-box", "To box"],
];
// In the page's head already.
const HEAD = ["add", "history", "export"];

/** @param {import("./main.js").Page} page */
export function drawTools(page) {
  const commands = new Map(page.commands().map((each) => [each.id, each]));
  const about = (/** @type {string} */ id) => {
    const found = commands.get(id);
    return { says: found?.says ?? id, title: `${found?.says} (${found?.keys.map(shownKey).join(", ")})` };
  };
  const made = TOOLS.map(([id, text]) => {
    const { says, title } = about(id);
    return button(text, () => page.run(id), { title, "aria-label": says, id: `tool-${id}` });
  });
  for (const id of HEAD) {
    const one = /** @type {HTMLElement} */ (document.getElementById(`tool-${id}`));
    one.title = about(id).title;
    one.setAttribute("aria-label", about(id).says);
    one.onclick = () => page.run(id);
  }
  const finger = button("Finger draws", () => {
    page.pointer.fingerDraws = !page.pointer.fingerDraws;
    finger.setAttribute("aria-pressed", String(page.pointer.fingerDraws));
  }, { "aria-pressed": String(page.pointer.fingerDraws), title: "A finger draws; else it moves the picture" });
  finger.hidden = !matchMedia("(any-pointer: coarse)").matches;
  document.getElementById("tools")?.replaceChildren(...made, finger);
  page.shaping.show();
}
