/**
 * The picture and, on two canvases over it, its boxes: drawing alone, nothing is decided here.
 *
 * What is chosen, and what is being drawn, is on the upper canvas, which is drawn anew for each
 * frame, and is no larger than that needs: what a browser shows anew is the whole of a canvas. All
 * other boxes are on the lower one.
 */

import { fitted, zoomed } from "./geometry.js";
import { Lower, REST } from "./lower.js";
import { MANY, band, paint, prepared, reaches } from "./painting.js";

/**
 * @typedef {import("./geometry.js").Corners} Corners
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./geometry.js").View} View
 * @typedef {{corners: Corners, colour: string, name: string, selected: boolean, locked: boolean,
 *   marks: string, mask: any, by: Point, ghost: boolean, moving?: boolean, below?: boolean}} Shape  `by`: how far its mask is moved; `moving`: interpolated; `below`: not to be taken with all
 */

// The upper canvas has sides of a multiple of this: it is not made anew for each pixel.
const STEP = 128;
// Of the lines that cross at the pointer: what is between their ends is shown anew at each of its moves.
const ARM = 600;

export class Stage {
  #asked = false;
  /** @type {Lower} */
  #lower;
  #resting = 0;
  /** Where the picture was put last. */
  #laid = "";
  /** The view before it was put on whole pixels of the screen. @type {View} */
  #exact = { scale: 1, x: 0, y: 0 };

  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.upper = /** @type {HTMLCanvasElement} */ (element.querySelector("canvas.upper"));
    this.under = /** @type {HTMLElement} */ (element.querySelector(".under"));
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
    /** Whether what is chosen is being moved. */
    this.moving = () => false;
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
    this.#lower = new Lower(this);
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
    this.#lower.stale = true;
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
    this.#lower.stale = true;
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
    this.draw();
  }

  #resized() {
    this.#lower.stale = true;
    if (this.whole) this.fit();
    else this.draw();
  }

  #draw() {
    const [room, chosen] = [this.room, this.shapes(true)];
    const upper = this.#lower.draw(chosen) ? [] : chosen;
    if (!this.#lower.snapshot.shown) this.#lay();
    this.#lead();
    const bare = !upper.length && !this.band && !this.tool && !(this.cross && this.pointed);
    this.upper.hidden = bare;
    if (bare) return;
    const context = this.#prepareUpper(upper, room);
    paint(context, this.view, upper, upper.length > MANY, room[0]);
    if (this.cross && this.pointed) band(context, this.view, { corners: this.pointed, kind: "select" });
    this.over(context, this.view);
    if (this.band) band(context, this.view, this.band);
  }

  /** Put the picture where the view is. */
  #lay() {
    const { size, view } = this;
    const { style } = this.under;
    const laid = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    [style.width, style.height] = [`${size[0]}px`, `${size[1]}px`];
    if (this.#laid === laid) return;
    this.#laid = style.transform = laid;
    this.under.classList.toggle("near", view.scale >= 4);
    // While it moves it is not drawn anew, but moved and stretched as it is.
    this.under.classList.add("moving");
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.under.classList.remove("moving"), REST);
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
}
