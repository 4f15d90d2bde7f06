/** The table of keys, in which a person can change them. */

import { button, element } from "./dialogs.js";
import { COMMANDS, clash, shownKey, written } from "./keys.js";

const MOUSE = [
  ["drag", "draw a box, inside another too; by a handle of a chosen box, pull it; of one that was clicked, by a side too, and within it move it"],
  ["click", "choose the smallest box there; Alt+click gives it the class of now"],
  ["Shift+drag", "choose all boxes in a rectangle; Shift+click one more"],
  ["with Points", "drag a point of the chosen outline, or a side, which makes one there; with Alt or the right button a point is taken away. By keys alone: arrows lead a cursor, w takes a point and puts it down, x takes it away"],
  ["with Outline, Brush, Eraser or Corners", "click or drag; with Alt or the right button it takes away; Enter keeps, Esc leaves. By keys alone: arrows lead a cursor, w clicks there, x takes away"],
  ["wheel, two fingers", "nearer and further; Shift+wheel, Space+drag, the middle button or one finger: along"],
];

/** @param {import("./main.js").Page} page */
export async function showKeys(page) {
  const groups = [...new Set(COMMANDS.map((each) => each.group))];
  const table = element("div", { class: "keys" });
  for (const group of groups) {
    const lines = page.commands().filter((each) => each.group === group).map((each) => line(page, each));
    table.append(element("section", {}, element("h3", {}, group), ...lines));
  }
  const classes = element("section", {}, element("h3", {}, "Classes"));
  classes.append(element("p", {}, "Digits stand for the first ten classes; a class may have any other free key, by ⋯ beside it."));
  const mouse = element("section", {}, element("h3", {}, "Mouse, pen and fingers"));
  for (const [what, does] of MOUSE) mouse.append(element("p", {}, element("b", {}, what), `: ${does}`));
  table.append(classes, mouse);
  const row = element("div", { class: "row" }, button("Close", () => page.dialogs.dialog.close("")),
    button("All keys as they were", () => page.dialogs.dialog.close("reset")));
  const chosen = await page.dialogs.show("Keys: choose one to change it", [table, row], { wide: true });
  if (chosen === "reset") page.changeKeys({});
  else if (chosen) await change(page, chosen);
}

/** @param {import("./main.js").Page} page @param {import("./keys.js").Command} each */
function line(page, each) {
  const keys = each.keys.map((key) => element("kbd", {}, shownKey(key)));
  const change = button("", () => page.dialogs.dialog.close(each.id), { "aria-label": `Change the key of: ${each.says}` });
  change.append(...(keys.length ? keys : ["none"]));
  return element("div", { class: "line" }, element("span", { class: "says" }, each.says), change);
}

/** @param {import("./main.js").Page} page @param {string} id */
async function change(page, id) {
  const command = page.commands().find((each) => each.id === id);
  if (!command) return;
  const said = element("p", { role: "status" }, "Press a key, or Esc to leave it as it is.");
  /** @param {KeyboardEvent} event */
  const pressed = (event) => {
    const key = written(event);
    if (!key || key === "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    const why = clash(key, page.commands(), page.labels.listed(), id);
    if (why) said.textContent = `${why}: press another.`;
    else page.dialogs.dialog.close(key);
  };
  addEventListener("keydown", pressed, { capture: true });
  const key = await page.dialogs.show(command.says, [said]);
  removeEventListener("keydown", pressed, { capture: true });
  if (key) page.changeKeys({ ...page.settings.keys, [id]: [key] });
  await showKeys(page);
}
