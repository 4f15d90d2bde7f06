/**
 * The picture and its boxes as one opaque, coarse picture, which is shown in their place while they move.
 *
 * A browser that draws by software blends each layer pixel by pixel, several times as long as it
 * takes to copy one that hides what is behind it. On a large screen that is what a frame costs. And
 * how soon the first frame comes is how many pixels are drawn for it: on very large screens each is
 * two of the screen wide and high.
 *
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./stage.js").Shape} Shape
 * @typedef {import("./stage.js").Stage} Stage
 */

import { stretched } from "./geometry.js";
import { MANY, paint, prepared } from "./painting.js";

// Pixels above which there are fewer of them than the screen has.
const MOST = 5_000_000;

export class Snapshot {
  shown = false;
  /** What does not move by itself. */
  #base = new OffscreenCanvas(1, 1);
  /** Boxes on their way there: many are written as pixels, in place of all that a canvas has. */
  #sheet = new OffscreenCanvas(1, 1);
  /** @type {ImageBitmapRenderingContext} */
  #picture;
  #dense = 1;
  #drawn = { view: { scale: 1, x: 0, y: 0 }, margin: /** @type {Point} */ ([0, 0]), room: /** @type {Point} */ ([1, 1]) };

  /** @param {Stage} stage @param {HTMLElement[]} places  what is hidden meanwhile */
  constructor(stage, places) {
    this.stage = stage;
    this.places = places;
    /** Moved and stretched as it is. */
    this.still = /** @type {HTMLCanvasElement} */ (stage.element.querySelector("canvas.still"));
    // As a picture, it is not copied for each frame.
    this.#picture = /** @type {ImageBitmapRenderingContext} */ (this.still.getContext("bitmaprenderer", { alpha: false }));
    /** Drawn anew for each frame. */
    this.live = /** @type {HTMLCanvasElement} */ (stage.element.querySelector("canvas.live"));
  }

  /** Its width and height, in pixels of the page. @returns {Point} */
  get #room() {
    const { room, margin } = this.#drawn;
    return [room[0] + 2 * margin[0], room[1] + 2 * margin[1]];
  }

  /** Where the picture is on it. */
  get #view() {
    const { view, margin } = this.#drawn;
    return { ...view, x: view.x + margin[0], y: view.y + margin[1] };
  }

  /** Take one of the picture and boxes. @param {Shape[]} shapes @param {number} beyond  of the stage, on each side of it */
  take(shapes, beyond) {
    const { stage } = this;
    const [width, height] = stage.room;
    this.#drawn = { view: stage.view, margin: [Math.round(width * beyond), Math.round(height * beyond)], room: stage.room };
    const room = this.#room;
    const dense = window.devicePixelRatio || 1;
    this.#dense = room[0] * room[1] * dense * dense > MOST ? dense / 2 : dense;
    const context = prepared(this.#base, room, this.#dense, false);
    context.fillStyle = getComputedStyle(stage.element).backgroundColor;
    context.fillRect(0, 0, ...room);
    const { scale, x, y } = this.#view;
    const place = /** @type {const} */ ([x, y, stage.size[0] * scale, stage.size[1] * scale]);
    context.fillStyle = "#fff";
    context.fillRect(...place);
    context.imageSmoothingEnabled = scale < 4;
    for (const each of stage.under.querySelectorAll("img")) context.drawImage(each, ...place);
    this.#add(context, shapes);
  }

  /** @param {CanvasRenderingContext2D} context @param {Shape[]} shapes */
  #add(context, shapes) {
    if (!shapes.length) return;
    const room = this.#room;
    paint(prepared(this.#sheet, room, this.#dense), this.#view, shapes, shapes.length > MANY, room[0]);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.#sheet, 0, 0);
  }

  /** Show what was taken. */
  show() {
    [this.still.width, this.still.height] = [this.#base.width, this.#base.height];
    this.#picture.transferFromImageBitmap(this.#base.transferToImageBitmap());
    this.#turn(this.still);
  }

  /** Show what was taken with these boxes over it. @param {Shape[]} shapes */
  showWith(shapes) {
    const context = prepared(this.live, this.#room, this.#dense, false);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.#base, 0, 0);
    this.#add(context, shapes);
    this.#turn(this.live);
  }

  /** Move and stretch it to where the view is; false where there is none, or it does not reach. */
  lead() {
    const transform = this.shown && stretched(this.#drawn, this.stage.view, this.stage.size);
    if (transform) this.still.style.transform = this.live.style.transform = transform;
    return Boolean(transform);
  }

  /** Show the picture and its boxes themselves again. */
  drop() {
    if (this.shown) this.#turn(null);
  }

  /** @param {HTMLCanvasElement | null} canvas */
  #turn(canvas) {
    this.shown = canvas !== null;
    const [width, height] = this.#room;
    for (const each of [this.still, this.live]) {
      each.hidden = each !== canvas;
      [each.style.width, each.style.height] = [`${width}px`, `${height}px`];
    }
    for (const each of this.places) each.style.visibility = canvas ? "hidden" : "";
  }
}
