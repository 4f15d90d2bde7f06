/** Many pictures at a glance: their proposals are taken at once, but for those that are clicked away. */

import { button, element } from "./dialogs.js";
import { isolated } from "./names.js";
import { acceptMany, acceptable } from "./proposals.js";

/** @typedef {import("./labels.js").Content} Content */

const MOST = 12;
const WIDE = 300;

/**
 * Show the next pictures to do that have proposals above the sliders. The ones that are left as they
 * are become done, all in one edit; the others stay to do.
 * @param {import("./main.js").Page} page
 */
export async function showSheet(page) {
  const { studio, labels, dialogs, travel } = page;
  const contents = await travel.upcoming(MOST, { ...page.strip.filter, state: "todo", proposed: true });
  const offered = contents.filter((each) => each.picture.ready && acceptable(studio, each).length);
  if (!offered.length) return dialogs.say("No picture to do has proposals at or above the sliders.", 5);
  /** @type {Set<number>} */
  const left = new Set();
  const cards = offered.map((each, at) => card(page, each, at, left));
  const count = element("b");
  const say = () => { count.textContent = `${offered.length - left.size} of ${offered.length} are right`; };
  for (const each of cards) each.addEventListener("click", say);
  say();
  // They come as they are decoded; what nobody has seen is not taken.
  const painted = Promise.all(offered.map((each, at) => paint(page, each, cards[at], left).then(say)));
  const grid = element("div", { class: "sheet", role: "group", "aria-label": "Pictures with their proposals" }, ...cards);
  const take = button("Accept these: done", () => painted.then(() => dialogs.open && grid.isConnected && dialogs.dialog.close("take")), { class: "first" });
  const row = element("div", { class: "row" }, take, button("Close", () => dialogs.dialog.close("")), count);
  const intro = element("p", {}, "Choose each picture that is not right (or press its letter); Enter takes all the others.");
  const shown = dialogs.show("Are these right?", [intro, row, grid], { wide: true });
  take.focus();
  const last = offered[offered.length - 1].picture.id;
  painted.then(() => travel.fetch(last, MOST, { ...page.strip.filter, state: "todo", proposed: true }));
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    const at = event.key.length === 1 ? event.key.toLowerCase().charCodeAt(0) - 97 : -1;
    if (event.ctrlKey || event.altKey || event.metaKey || !cards[at]) return;
    event.preventDefault();
    cards[at].click();
  };
  dialogs.dialog.addEventListener("keydown", pressed);
  const chosen = await shown;
  dialogs.dialog.removeEventListener("keydown", pressed);
  const right = offered.filter((each) => !left.has(each.picture.id));
  if (chosen !== "take") return;
  if (right.length) {
    acceptMany(studio, right);
    if (studio.decided(right)) page.keep();
    dialogs.say(`${right.length} pictures are done; one undo takes all of them back.`, 4);
  }
  const wrong = offered.find((each) => left.has(each.picture.id));
  if (wrong) await travel.open(wrong.picture.id);
  else await travel.go(false, { state: "todo" }, last);
  labels.onchange();
}

/**
 * @param {import("./main.js").Page} page @param {Content} content @param {number} at
 * @param {Set<number>} left  the pictures that are not right
 */
function card({ studio }, content, at, left) {
  const { id, path, width, height } = content.picture;
  const canvas = element("canvas", { "aria-hidden": "true" });
  const scale = scaleOf(content);
  [canvas.width, canvas.height] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const found = acceptable(studio, content);
  const names = [...new Set(found.map((each) => each.name))].map((name) => {
    const count = found.filter((each) => each.name === name).length;
    return count > 1 ? `${count} ${isolated(name)}` : isolated(name);
  }).join(", ");
  const key = String.fromCharCode(65 + at);
  const made = button("", () => {
    if (!left.delete(id)) left.add(id);
    made.setAttribute("aria-pressed", String(!left.has(id)));
  }, { class: "card", "aria-pressed": "true", "aria-label": `${path}: ${names}`, title: path });
  made.append(canvas, element("span", {}, element("kbd", {}, key), ` ${names}`));
  return made;
}

/** @param {Content} content */
const scaleOf = ({ picture: { width, height } }) => Math.min(WIDE / width, WIDE / height, 2);

/** Show a picture and what would be taken of it; one that cannot be shown is not right. @param {import("./main.js").Page} page @param {Content} content @param {HTMLButtonElement} made  its card @param {Set<number>} left */
async function paint({ studio }, content, made, left) {
  const { id } = content.picture;
  const canvas = /** @type {HTMLCanvasElement} */ (made.querySelector("canvas"));
  const image = await studio.cache.get(id);
  if (!image) {
    left.add(id);
    made.disabled = true;
    made.setAttribute("aria-pressed", "false");
    canvas.replaceWith(element("em", { class: "none" }, "cannot be shown"));
    return;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const scale = scaleOf(content);
  for (const { corners: [x1, y1, x2, y2], name } of acceptable(studio, content)) {
    for (const [style, line] of /** @type {[string, number][]} */ ([["#000", 4], [studio.colourOfName(name), 2]])) {
      context.strokeStyle = style;
      context.lineWidth = line;
      context.strokeRect(x1 * scale, y1 * scale, (x2 - x1) * scale, (y2 - y1) * scale);
    }
  }
}
