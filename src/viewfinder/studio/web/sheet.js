/** Many pictures at a glance: their proposals are taken at once, but for those that are clicked away. */

import { button, element } from "./dialogs.js";
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
  const all = contents.filter((each) => each.picture.ready && acceptable(studio, each).length);
  const images = await Promise.all(all.map((each) => studio.cache.get(each.picture.id)));
  const offered = all.filter((_, at) => images[at]);
  if (offered.length < all.length) dialogs.say(`${all.length - offered.length} of ${all.length} pictures cannot be shown and are left out.`);
  if (!offered.length) return dialogs.say("No picture to do has proposals at or above the sliders.", 5);
  /** @type {Set<number>} */
  const left = new Set();
  const cards = await Promise.all(offered.map((each, at) => card(page, each, at, left)));
  const count = element("b");
  const say = () => { count.textContent = `${offered.length - left.size} of ${offered.length} are right`; };
  for (const each of cards) each.addEventListener("click", say);
  say();
  const grid = element("div", { class: "sheet", role: "group", "aria-label": "Pictures with their proposals" }, ...cards);
  const take = button("Accept these: done", () => dialogs.dialog.close("take"), { class: "first" });
  const row = element("div", { class: "row" }, take, button("Close", () => dialogs.dialog.close("")), count);
  const intro = element("p", {}, "Choose each picture that is not right (or press its letter); Enter takes all the others.");
  const shown = dialogs.show("Are these right?", [intro, row, grid], { wide: true });
  take.focus();
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
  else await travel.go(false, { state: "todo" });
  labels.onchange();
}

/**
 * @param {import("./main.js").Page} page @param {Content} content @param {number} at
 * @param {Set<number>} left  the pictures that are not right
 */
async function card(page, content, at, left) {
  const { studio } = page;
  const { id, path, width, height } = content.picture;
  const canvas = element("canvas", { "aria-hidden": "true" });
  const scale = Math.min(WIDE / width, WIDE / height, 2);
  [canvas.width, canvas.height] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = await studio.cache.get(id);
  if (image) context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const found = acceptable(studio, content);
  for (const { corners: [x1, y1, x2, y2], name } of found) {
    for (const [style, line] of /** @type {[string, number][]} */ ([["#000", 4], [studio.colourOfName(name), 2]])) {
      context.strokeStyle = style;
      context.lineWidth = line;
      context.strokeRect(x1 * scale, y1 * scale, (x2 - x1) * scale, (y2 - y1) * scale);
    }
  }
  const names = [...new Set(found.map((each) => each.name))].map((name) => {
    const count = found.filter((each) => each.name === name).length;
    return count > 1 ? `${count} ${name}` : name;
  }).join(", ");
  const key = String.fromCharCode(65 + at);
  const made = button("", () => {
    if (!left.delete(id)) left.add(id);
    made.setAttribute("aria-pressed", String(!left.has(id)));
  }, { class: "card", "aria-pressed": "true", "aria-label": `${path}: ${names}`, title: path });
  const about = element("span", {}, element("kbd", {}, key), ` ${names}`);
  made.append(canvas, about);
  return made;
}
