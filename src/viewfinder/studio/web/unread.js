/** What is said where labels could not be read: of the folder, of this picture, or of others. */

import { newId, post } from "./api.js";
import { unanswered } from "./away.js";
import { button, element } from "./dialogs.js";

/** @typedef {import("./api.js").Unread} Unread */

/** The pictures of a file: those that wait for it, and those that have other labels. @param {Unread} each */
const of = (each) => [...each.pictures, ...each.held];

/** Why nothing can be edited in the picture, in a sentence; "" where it can. @param {import("./main.js").Page} page */
export function unreadBecause(page) {
  const { picture } = page.studio;
  if (!picture || picture.ready) return "";
  if (page.progress.stage === "failed") return "Nothing can be drawn until the labels of this folder can be read.";
  if (picture.trouble) return "Its labels could not be read, so nothing is drawn or said of it until they are, or it is labelled anew.";
  return "Its labels are still being read: try again in a moment.";
}

/** Whether a picture that could not be read is labelled anew, and is not said to be done yet. @param {import("./api.js").Picture} picture */
export function isAnew(picture) {
  return picture.ready && picture.state !== "done" && picture.trouble.startsWith("labelled anew");
}

/** @param {import("./main.js").Page} page */
export function drawUnread(page) {
  const picture = page.studio.picture;
  const failed = page.progress.stage === "failed" && picture !== null;
  const own = !failed && picture && !picture.ready && picture.trouble ? picture : null;
  const here = (/** @type {Unread} */ each) => Number(picture !== null && each.held.includes(picture.id));
  const others = page.unread.filter((each) => !own || !each.pictures.includes(own.id)).sort((a, b) => here(b) - here(a));
  fill("unread", failed ? page.progress.trouble : own ? `${own.id} ${own.trouble}` : "", () => (own ? ofPicture(page, own) : ofFolder(page)));
  document.getElementById("unread")?.classList.toggle("whole", failed);
  fill("unread-files", failed ? "" : others.map((each) => `${here(each)} ${each.why}`).join("\n"), () => [
    element("strong", {}, others.length === 1 ? "Labels not read:" : `Labels not read, of ${others.length} files:`),
    element("span", { class: "why" }, others[0].why),
    others.length === 1 && of(others[0]).length && !here(others[0]) ? button("Show it", () => page.travel.open(of(others[0])[0])) : button(here(others[0]) ? "What to do…" : "Which…", () => which(page)),
  ]);
}

/** Fill a place anew if it is about something else than before: its buttons stay while they are pressed. @param {string} id @param {string} about @param {() => Node[]} made */
function fill(id, about, made) {
  const place = /** @type {HTMLElement} */ (document.getElementById(id));
  place.hidden = !about;
  if (place.dataset.about === about) return;
  place.dataset.about = about;
  place.replaceChildren(...(about ? made() : []));
}

/** Of a folder of which no label can be read. @param {import("./main.js").Page} page */
export function ofFolder(page) {
  return [element("h2", {}, "The labels here cannot be read yet"), element("p", {}, page.progress.trouble),
    element("p", { class: "soft" }, "Until then nothing can be drawn, and your files stay as they are. Once the file is right, it is read within seconds and this page goes on by itself."),
    element("div", { class: "row" }, button("Look again", () => page.after(() => page.look()), { class: "first" }))];
}

/** @param {import("./main.js").Page} page @param {import("./api.js").Picture} picture */
function ofPicture(page, picture) {
  return [element("h2", {}, "The labels of this picture could not be read"), element("p", {}, picture.trouble),
    element("p", { class: "soft" }, "Mend the file, and it is read within seconds. Until then the picture is in no training and no export."),
    element("div", { class: "row" }, button("Look again", () => page.after(() => page.look()), { class: "first" }),
      button("Label it anew…", () => anew(page, picture)), button("Next picture", () => page.run("next")))];
}

/** @param {import("./main.js").Page} page @param {import("./api.js").Picture} picture */
async function anew(page, picture) {
  const boxes = page.studio.boxes.size;
  const kept = boxes ? `What could be read (${boxes === 1 ? "1 box" : `${boxes} boxes`}) stays, for you to complete. ` : "";
  const text = `Label this picture anew? ${kept}Its file of labels stays as it is and is not read any more, mended or not, unless you undo this. The picture counts in trainings and exports once you say that it is done.`;
  if (!(await page.dialogs.confirm(text, "Label it anew", "Wait for the file"))) return;
  try {
    await post("/api/anew", { id: newId(), picture: picture.id, session: page.session });
    await page.anew();
  } catch (error) {
    page.dialogs.say(unanswered(error));
  }
}

/** All files that could not be read. @param {import("./main.js").Page} page */
function which(page) {
  const { dialogs, travel, unread } = page;
  const lines = unread.map((each) => element("li", {}, each.why, " ", ...of(each).slice(0, 1).map((id) =>
    button("Show it", () => {
      dialogs.dialog.close("");
      travel.open(id);
    }))));
  dialogs.show("Labels that are not read", [
    element("p", {}, "Where a file cannot be read, mend it, and it is read within seconds: until then its picture is in no training and no export, and nothing is drawn in it unless you label it anew."),
    element("ul", { class: "unread" }, ...lines), element("div", { class: "row" },
      button("Look again", () => {
        dialogs.dialog.close("");
        page.after(() => page.look());
      }, { class: "first" }), button("Close", () => dialogs.dialog.close("")))], { wide: true });
}
