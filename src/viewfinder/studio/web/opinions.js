/** Two persons' labels of one picture, side by side: what differs is decided by a key each. */

import { newId } from "./api.js";
import { button, element } from "./dialogs.js";
import { put } from "./editing.js";
import { isolated } from "./names.js";

/**
 * @typedef {{kind: "first" | "second" | "class" | "place" | "label", first: string | null, second: string | null}} Difference
 * @typedef {{picture: number, second: number, path: string, people: [string, string], agreed: number, differences: Difference[]}} Pair
 * @typedef {import("./labels.js").Content} Content
 * @typedef {import("./api.js").Box} Box
 */

const [WIDE, HIGH] = [440, 380];
// Of a screen of very many pixels, as in style.css.
const LARGE = matchMedia("(min-width: 2400px)");
const larger = () => (LARGE.matches ? 1.6 : 1);
// What is seen around a box, as a share of its longer side, and at least so many pixels.
const [AROUND, LEAST] = [0.8, 60];
const SAYS = {
  first: "Only the first has this box", second: "Only the second has this box", class: "They name it differently",
  place: "They place it differently", label: "They give the picture different classes",
};

/** Show one difference after another, and keep what is decided. @param {import("./main.js").Page} page @param {Pair[]} pairs */
export async function showOpinions(page, pairs) {
  const asked = new Opinions(page, pairs);
  const { dialog } = page.dialogs;
  const key = (/** @type {KeyboardEvent} */ event) => asked.press(event);
  const shown = page.dialogs.show("Two opinions", [asked.content], { wide: true });
  dialog.addEventListener("keydown", key);
  await asked.draw();
  await shown;
  dialog.removeEventListener("keydown", key);
  await page.labels.outbox.settled();
  await page.anew();
}

class Opinions {
  #at = 0;
  #said = element("p", { role: "status" });
  #sides = [side(), side()];

  /** @param {import("./main.js").Page} page @param {Pair[]} pairs */
  constructor(page, pairs) {
    this.page = page;
    this.queue = pairs.flatMap((pair) => pair.differences.map((difference) => ({ pair, difference })));
    this.acts = [0, 1].map((winner) => button(`${winner + 1}`, () => this.#decide(winner), { class: "first" }));
    this.content = element("div", { class: "opinions" }, this.#said,
      element("div", { class: "row" }, ...this.acts, button("Later (s)", () => this.#later()), button("Close", () => page.dialogs.dialog.close(""))),
      element("div", { class: "sides" }, ...this.#sides.map((each) => element("figure", {}, each.canvas, each.name))));
  }

  /** Show the difference that is next. */
  async draw() {
    const { page, queue } = this;
    const one = queue[this.#at];
    if (!one) {
      page.dialogs.dialog.close("");
      return page.dialogs.say("Nothing differs any more.", 5);
    }
    const { pair, difference } = one;
    const contents = await both(page, pair);
    const image = await page.studio.cache.get(pair.picture);
    this.#said.textContent = `${this.#at + 1} of ${queue.length} · ${isolated(pair.path)} · ${SAYS[difference.kind]}; ${pair.agreed} alike`;
    this.#sides.forEach((each, place) => {
      const who = pair.people[place] || "the files";
      each.name.textContent = `${isolated(who)}: ${named(page, contents[place], [difference.first, difference.second][place], difference.kind)}`;
      this.acts[place].textContent = `${isolated(who)} is right (${place + 1})`;
      paint(page, each.canvas, image, contents, place, difference);
    });
  }

  /** @param {number} winner */
  async #decide(winner) {
    const one = this.queue[this.#at];
    if (!one) return;
    this.#at += 1;
    const contents = await both(this.page, one.pair);
    this.page.labels.commit(deciding(contents, one.difference, winner), { meant: true });
    this.page.studio.changed();
    await this.draw();
  }

  #later() {
    this.#at += 1;
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.key === "1" || event.key === "2") this.#decide(Number(event.key) - 1);
    else if (event.key === "s") this.#later();
    else return;
    event.preventDefault();
  }
}

function side() {
  const canvas = element("canvas", { "aria-hidden": "true" });
  [canvas.width, canvas.height] = [WIDE * larger(), HIGH * larger()];
  return { canvas, name: element("figcaption") };
}

/** @param {import("./main.js").Page} page @param {Pair} pair */
const both = ({ labels }, pair) => Promise.all([pair.picture, pair.second].map((each) => labels.load(each, { fresh: true })));

/** What makes the one who is not right say what the other says. @param {Content[]} contents @param {Difference} difference @param {number} winner @returns {import("./labels.js").Change[]} */
export function deciding(contents, { kind, first, second }, winner) {
  const [right, wrong] = winner ? [contents[1], contents[0]] : contents;
  const [mine, theirs] = winner ? [second, first] : [first, second];
  const picture = wrong.picture.id;
  if (kind === "label") return [{ do: "LabelPicture", picture, label: mine }];
  const [good, bad] = [mine && right.boxes.get(mine), theirs && wrong.boxes.get(theirs)];
  if (!good) return bad ? [{ do: "RemoveBox", id: bad.id, picture }] : [];
  const { label, corners, mask } = good;
  return [bad ? put(bad, { label, corners, mask }) : put(good, { id: newId(), picture })];
}

/** @param {import("./main.js").Page} page @param {Content} content @param {string | null} id @param {string} kind */
function named({ labels }, content, id, kind) {
  const label = kind === "label" ? id : id && content.boxes.get(id)?.label;
  return label ? isolated(labels.classOf(label)?.name ?? "?") : kind === "label" ? "no class" : "no box";
}

/**
 * The part of the picture around what differs, with the boxes of one of the two.
 * @param {import("./main.js").Page} page @param {HTMLCanvasElement} canvas @param {HTMLImageElement | null} image
 * @param {Content[]} contents @param {number} place @param {Difference} difference
 */
function paint({ studio }, canvas, image, contents, place, { first, second }) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const { width, height } = contents[0].picture;
  const meant = [contents[0].boxes.get(first ?? ""), contents[1].boxes.get(second ?? "")];
  const found = /** @type {Box[]} */ (meant.filter(Boolean));
  let [x1, y1, x2, y2] = found.length
    ? [0, 1, 2, 3].map((i) => (i < 2 ? Math.min : Math.max)(...found.map((each) => each.corners[i]))) : [0, 0, width, height];
  const more = found.length ? Math.max(LEAST, AROUND * Math.max(x2 - x1, y2 - y1)) : 0;
  [x1, y1, x2, y2] = [Math.max(0, x1 - more), Math.max(0, y1 - more), Math.min(width, x2 + more), Math.min(height, y2 + more)];
  const scale = larger() * Math.min(WIDE / (x2 - x1), HIGH / (y2 - y1));
  canvas.height = Math.max(1, Math.round((y2 - y1) * scale));
  canvas.width = Math.max(1, Math.round((x2 - x1) * scale));
  context.setTransform(scale, 0, 0, scale, -x1 * scale, -y1 * scale);
  if (image) context.drawImage(image, 0, 0, width, height);
  for (const each of contents[place].boxes.values()) {
    const [a, b, c, d] = each.corners;
    context.globalAlpha = each === meant[place] || !found.length ? 1 : 0.45;
    for (const [style, line] of /** @type {[string, number][]} */ ([["#000", each === meant[place] ? 6 : 3], [studio.colour(each.label), each === meant[place] ? 4 : 1.5]])) {
      context.strokeStyle = style;
      context.lineWidth = line / scale;
      context.strokeRect(a, b, c - a, d - b);
    }
  }
}
