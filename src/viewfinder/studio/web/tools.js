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
  const { pointer } = page;
  const finger = button("Finger draws", () => pointer.let(!pointer.fingerDraws), { id: "tool-finger", title: "A finger draws, and two move the picture and zoom; else one moves it, and a pen or a mouse draws" });
  finger.hidden = !matchMedia("(any-pointer: coarse)").matches;
  pointer.onfinger = () => finger.setAttribute("aria-pressed", String(pointer.fingerDraws));
  pointer.onfinger();
  document.getElementById("tools")?.replaceChildren(finger, ...made);
  const row = document.getElementById("tools");
  if (row) row.onscroll = () => row.classList.toggle("ended", row.scrollLeft + row.clientWidth >= row.scrollWidth - 2);
  page.shaping.show();
}
