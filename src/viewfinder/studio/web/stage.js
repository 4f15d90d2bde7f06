/**
 * The picture and, on two canvases over it, its boxes: drawing alone, nothing is decided here.
 *
 * What is chosen, and what is being drawn, is on the upper canvas, which is drawn anew for each
 * frame, and is no larger than that needs: what a browser shows anew is the whole of a canvas. All
 * other boxes are on the lower one. Where they are thousands it is wider than what is seen, and is
 * moved and stretched as it is while the view changes, on large screens as one picture with what is
 * under it; it is drawn anew once that rests.
 */

import { fitted, zoomed } from "./geometry.js";
import { band, paint, reaches } from "./painting.js";
import { Snapshot } from "./snapshot.js";

/**
 * @typedef {import("./geometry.js").Corners} Corners
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./geometry.js").View} View
 * @typedef {{corners: Corners, colour: string, name: string, selected: boolean, locked: boolean,
 *   marks: string, mask: any, by: Point, ghost: boolean, moving?: boolean, below?: boolean}} Shape  `by`: how far its mask is moved; `moving`: interpolated; `below`: not to be taken with all
 */

const MANY = 300;
// The upper canvas has sides of a multiple of this: it is not made anew for each pixel.
const STEP = 128;
// Of the width and height of what is seen, on each side of it.
const BEYOND = 0.3;
// Milliseconds without a change of the view.
const REST = 150;
// Of the lines that cross at the pointer: what is between their ends is shown anew at each of its moves.
const ARM = 600;
// Times as near, and as far, as it was drawn, from which it is drawn anew in between: farther than that,
// there is nothing at its edges.
const [NEARER, FARTHER] = [3, 1 + 2 * BEYOND];

export class Stage {
  #asked = false;
  #stale = true;
  #many = false;
  /** Whether the lower canvas is elsewhere than where it was drawn. */
  #away = false;
  #timer = 0;
  #resting = 0;
  /** @type {ImageBitmapRenderingContext} */
  #shown;
  /** @type {Snapshot} */
  #snapshot;
  /** The view before it was put on whole pixels of the screen. @type {View} */
  #exact = { scale: 1, x: 0, y: 0 };
  /** What the lower canvas shows is drawn here. */
  #sheet = new OffscreenCanvas(1, 1);
  /** How the lower canvas was drawn: the view, and its left top on the stage. */
  #drawn = { view: /** @type {View} */ ({ scale: 1, x: 0, y: 0 }), margin: /** @type {Point} */ ([0, 0]) };

  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.lower = /** @type {HTMLCanvasElement} */ (element.querySelector("canvas.lower"));
    this.#shown = /** @type {ImageBitmapRenderingContext} */ (this.lower.getContext("bitmaprenderer"));
    this.upper = /** @type {HTMLCanvasElement} */ (element.querySelector("canvas.upper"));
    this.under = /** @type {HTMLElement} */ (element.querySelector(".under"));
    this.#snapshot = new Snapshot(/** @type {HTMLCanvasElement} */ (element.querySelector("canvas.snapshot")), [this.under, this.lower]);
    this.across = /** @type {HTMLElement} */ (element.querySelector(".across"));
    this.down = /** @type {HTMLElement} */ (element.querySelector(".down"));
    /** @type {HTMLImageElement | null} */
    this.image = null;
    /** @type {Point} */
    this.size = [1, 1];
    /** @type {View} */
    this.view = { scale: 1, x: 0, y: 0 };
    /** Those that are chosen, or all others. @type {(chosen: boolean) => Shape[]} */
    this.shapes = () => [];
    /** What is being drawn: a new box, or a rectangle that selects. @type {{corners: Corners, kind: "new" | "select"} | null} */
    this.band = null;
    /** Whether a tool is in hand, which may show something anywhere. */
    this.tool = false;
    /** What a tool shows over all. @type {(context: CanvasRenderingContext2D, view: View) => void} */
    this.over = () => {};
    /** @type {Point | null} */
    this.cross = null;
    /** The proposal that a key would be for. @type {Corners | null} */
    this.pointed = null;
    this.whole = true;
    new ResizeObserver(() => this.#resized()).observe(element);
  }

  /** @returns {Point} */
  get room() {
    return [this.element.clientWidth || 1, this.element.clientHeight || 1];
  }

  /** Show another picture. @param {HTMLImageElement | null} image @param {Point} size */
  show(image, size) {
    this.place(image);
    this.size = size;
    this.#stale = true;
    this.fit();
  }

  /** Put other pixels where the picture is. @param {HTMLImageElement | null} image */
  place(image) {
    this.under.replaceChildren(...(image ? [image] : []));
    this.image = image;
  }

  fit() {
    this.whole = true;
    this.#look(fitted([0, 0, ...this.size], this.room, 16));
  }

  /** @param {Corners} box */
  lookAt(box) {
    this.whole = false;
    this.#look(fitted(box, this.room, Math.min(...this.room) / 4));
  }

  /** @param {number} factor @param {Point} [at] */
  zoom(factor, at) {
    this.whole = false;
    this.#look(zoomed(this.#exact, factor, at ?? [this.room[0] / 2, this.room[1] / 2]));
  }

  /** @param {number} dx @param {number} dy */
  pan(dx, dy) {
    this.whole = false;
    this.#look({ ...this.#exact, x: this.#exact.x + dx, y: this.#exact.y + dy });
  }

  /** The boxes are others, or others are chosen. */
  renew() {
    this.#stale = true;
    this.draw();
  }

  /** Draw anew what is chosen and what is being drawn, before the screen is next shown. */
  draw() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#draw();
    });
  }

  /** @param {View} view */
  #look(view) {
    this.#exact = view;
    // A layer between two pixels is drawn by mixing four of its own for each: at a fraction of the speed.
    const dense = window.devicePixelRatio || 1;
    view = { ...view, x: Math.round(view.x * dense) / dense, y: Math.round(view.y * dense) / dense };
    this.view = view;
    const { style } = this.under;
    style.width = `${this.size[0]}px`;
    style.height = `${this.size[1]}px`;
    style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    this.under.classList.toggle("near", view.scale >= 4);
    // While it moves it is not drawn anew, but moved and stretched as it is.
    this.under.classList.add("moving");
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.under.classList.remove("moving"), REST);
    this.draw();
  }

  #resized() {
    this.#stale = true;
    if (this.whole) this.fit();
    else this.draw();
  }

  #draw() {
    if (this.#stale || !this.#moved()) this.#drawLower();
    const [room, chosen] = [this.room, this.shapes(true)];
    const context = this.#prepareUpper(chosen, room);
    paint(context, this.view, chosen, chosen.length > MANY, room[0]);
    this.#lead();
    if (this.cross && this.pointed) band(context, this.view, { corners: this.pointed, kind: "select" });
    this.over(context, this.view);
    if (this.band) band(context, this.view, this.band);
  }

  /** Two lines lead the eye to where a box begins: each an element of its own, so that nothing else is drawn anew. */
  #lead() {
    for (const [line, at] of /** @type {const} */ ([[this.across, 1], [this.down, 0]])) {
      line.hidden = !this.cross;
      const [x, y] = this.cross ?? [0, 0];
      line.style.transform = at ? `translate(${x - ARM}px, ${y}px)` : `translate(${x}px, ${y - ARM}px)`;
    }
  }

  /** The upper canvas where it is needed: all of the stage, or around what is chosen. @param {Shape[]} chosen @param {Point} room */
  #prepareUpper(chosen, room) {
    const all = this.tool || chosen.length > MANY || chosen.some((each) => each.mask);
    const areas = all ? [] : chosen.map((each) => reaches(this.view, each));
    for (const corners of [this.band?.corners, this.cross ? this.pointed : null]) {
      if (!all && corners) areas.push(reaches(this.view, { corners, name: "", marks: "" }));
    }
    const least = (/** @type {number} */ side) => (all ? 0 : Math.max(0, Math.floor(Math.min(...areas.map((each) => each[side]), room[side]))));
    const most = (/** @type {number} */ side) => (all ? room[side] : Math.min(room[side], Math.max(...areas.map((each) => each[side + 2]), 0)));
    const [x, y] = [least(0), least(1)];
    const stepped = (/** @type {number} */ length) => Math.max(STEP, Math.ceil(length / STEP) * STEP);
    const size = /** @type {Point} */ (all ? room : [stepped(most(0) - x), stepped(most(1) - y)]);
    const context = prepared(this.upper, size);
    [this.upper.style.width, this.upper.style.height] = [`${size[0]}px`, `${size[1]}px`];
    this.upper.style.transform = `translate(${x}px, ${y}px)`;
    context.translate(-x, -y);
    return context;
  }

  #drawLower() {
    const rest = this.shapes(false);
    this.#many = rest.length > MANY;
    const beyond = this.#many ? BEYOND : 0;
    const [width, height] = this.room;
    const margin = /** @type {Point} */ ([Math.round(width * beyond), Math.round(height * beyond)]);
    const room = /** @type {Point} */ ([width + 2 * margin[0], height + 2 * margin[1]]);
    const view = { ...this.view, x: this.view.x + margin[0], y: this.view.y + margin[1] };
    paint(prepared(this.#sheet, room), view, rest, this.#many, room[0]);
    // As a picture, it is not copied for each frame in which something else moves.
    [this.lower.width, this.lower.height] = [this.#sheet.width, this.#sheet.height];
    this.#shown.transferFromImageBitmap(this.#sheet.transferToImageBitmap());
    [this.lower.style.width, this.lower.style.height] = [`${room[0]}px`, `${room[1]}px`];
    this.lower.style.transform = `translate(${-margin[0]}px, ${-margin[1]}px)`;
    this.#snapshot.drop();
    this.#away = false;
    this.#drawn = { view: this.view, margin };
    this.#stale = false;
  }

  /** Move the lower canvas to where the view is now; false where it has to be drawn anew. */
  #moved() {
    const { view: was, margin } = this.#drawn;
    const now = this.view;
    const there = was.scale === now.scale && was.x === now.x && was.y === now.y;
    if (there && !this.#away) return true;
    if (!this.#many) return false;
    const stretch = now.scale / was.scale;
    if (stretch > NEARER || stretch < 1 / FARTHER) return false;
    const [x, y] = [now.x - (was.x + margin[0]) * stretch, now.y - (was.y + margin[1]) * stretch];
    const [width, height] = this.room;
    const [right, bottom] = [x + (width + 2 * margin[0]) * stretch, y + (height + 2 * margin[1]) * stretch];
    const [left, top, r, b] = [now.x, now.y, now.x + this.size[0] * now.scale, now.y + this.size[1] * now.scale];
    // What is seen of the picture has to lie on the canvas.
    if (x > Math.max(0, left) || y > Math.max(0, top) || right < Math.min(width, r) || bottom < Math.min(height, b)) return false;
    const own = { ...was, x: was.x + margin[0], y: was.y + margin[1] };
    this.#snapshot.take(this.lower, own, this.size, this.under.querySelectorAll("img"), getComputedStyle(this.element).backgroundColor);
    this.#snapshot.canvas.style.transform = this.lower.style.transform = `translate(${x}px, ${y}px) scale(${stretch})`;
    this.#away = true;
    clearTimeout(this.#timer);
    // A frame that took longer than that is no rest: what came meanwhile moves the view before the next.
    this.#timer = setTimeout(() => requestAnimationFrame(() => this.view === now && this.renew()), REST);
    return true;
  }
}

/** An empty canvas of this size, to be drawn on in pixels of the page. @param {HTMLCanvasElement | OffscreenCanvas} canvas @param {Point} room */
function prepared(canvas, room) {
  const dense = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(room[0] * dense), Math.round(room[1] * dense)];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(dense, 0, 0, dense, 0, 0);
  context.clearRect(0, 0, ...room);
  return context;
}
