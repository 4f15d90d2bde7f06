/** The labels as files of another layout, whole or not at all. */

import { post } from "./api.js";
import { unanswered } from "./away.js";
import { button, element } from "./dialogs.js";

const BOXES = [["coco", "COCO, one JSON file"], ["yolo", "YOLO, a text file a picture"], ["voc", "Pascal VOC, an XML file a picture"]];
const CLASSES = [["folders", "Class folders"]];
const MASKS = [["masks", "Masks, as train saliency reads them"]];
const LINES = ["jsonl", "JSON lines: everything, with proposals and history"];
// Of a hundred thousand pictures.
const PATIENCE = 30 * 60_000;

/** @param {import("./main.js").Page} page */
export async function showExport(page) {
  const { dialogs, studio, start } = page;
  const layouts = [...(studio.kind === "classes" ? CLASSES : studio.kind === "masks" ? MASKS : BOXES), LINES];
  const choice = element("select", { "aria-label": "Layout" }, ...layouts.map(([value, says]) => element("option", { value }, says)));
  const out = element("input", { type: "text", "aria-label": "Folder or file to write", placeholder: "beside the folder", autocomplete: "off" });
  const form = element("form", { class: "column" }, element("label", { class: "field" }, "Layout", choice));
  if (start.local) form.append(element("label", { class: "field" }, "Where to; it must not exist yet", out));
  form.append(element("div", { class: "row" }, element("button", { type: "submit", class: "first" }, "Export"), button("Close", () => dialogs.dialog.close(""))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialogs.dialog.close("go");
  });
  const intro = element("p", {}, "The labels of this moment, written as a new folder beside this one, read back and compared before it gets its name.");
  if ((await dialogs.show("Export", [intro, form])) !== "go") return;
  await write(page, choice.value, out.value.trim());
}

/** @param {import("./main.js").Page} page @param {string} to @param {string} out */
async function write({ dialogs, labels }, to, out) {
  await labels.outbox.settled();
  const said = element("p", { role: "status" }, "Being written and compared …");
  const close = element("div", { class: "row" }, button("Close", () => dialogs.dialog.close("")));
  dialogs.show("Export", [said, close]);
  try {
    const done = await post("/api/export", { to, out }, PATIENCE);
    const lost = Object.entries(done.lost).map(([what, count]) => `${count} ${what}`);
    const what = done.pictures === undefined ? "Everything was" : `${counted(done.pictures, "picture", "pictures")}${done.boxes ? ` and ${counted(done.boxes, "box", "boxes")}` : ""}`;
    said.replaceChildren(`${what} written to `, element("code", {}, done.out), ".");
    if (lost.length) said.after(element("p", {}, `Left behind or changed by this layout: ${lost.join("; ")}.`));
    for (const note of done.notes.slice(0, 5)) close.before(element("p", {}, note));
    if (!said.isConnected) dialogs.say(`${what} written to ${done.out}`, 20);
  } catch (error) {
    said.textContent = `Nothing was exported. ${unanswered(error)}`;
    if (!said.isConnected) dialogs.say(said.textContent, 20);
  }
}

/** @param {number} count @param {string} one @param {string} many */
const counted = (count, one, many) => `${count} ${count === 1 ? one : many}`;
