/**
 * All boxes but those that are chosen, on a canvas over the picture: sharp while the view rests.
 *
 * While it moves, few are drawn anew for each frame. Where they are many, their canvas is wider than
 * what is seen, and is moved and stretched as it is; on a large screen a snapshot of picture and boxes
 * is, also while many that are chosen move. All are drawn anew once that rests.
 *
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./geometry.js").View} View
 * @typedef {import("./stage.js").Shape} Shape
 */

import { stretched } from "./geometry.js";
import { MANY, paint, prepared } from "./painting.js";
import { Snapshot } from "./snapshot.js";

// Pixels of the stage from which a snapshot is worth it.
const LARGE = 1_200_000;
// Of the width and height of what is seen, on each side of it.
const BEYOND = 0.3;
// Milliseconds without a change of the view.
export const REST = 150;

export class Lower {
  /** Whether boxes are others than were drawn. */
  stale = true;
  #many = false;
  /** Whether what is shown is elsewhere than where it was drawn, or coarse. */
  #away = false;
  /** Whether many that are chosen move. */
  #heap = false;
  #timer = 0;
  #turn = 0;
  /** What the canvas shows is drawn here. */
  #sheet = new OffscreenCanvas(1, 1);
  #drawn = { view: /** @type {View} */ ({ scale: 1, x: 0, y: 0 }), margin: /** @type {Point} */ ([0, 0]), room: /** @type {Point} */ ([1, 1]) };

  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.canvas = /** @type {HTMLCanvasElement} */ (stage.element.querySelector("canvas.lower"));
    this.#shown = /** @type {ImageBitmapRenderingContext} */ (this.canvas.getContext("bitmaprenderer"));
    this.snapshot = new Snapshot(stage, [stage.under, this.canvas]);
  }

  /** @type {ImageBitmapRenderingContext} */
  #shown;

  get #large() {
    const [width, height] = this.stage.room;
    return width * height * (window.devicePixelRatio || 1) ** 2 >= LARGE;
  }

  /** Bring it to how things are; whether it shows what is chosen as well. @param {Shape[]} chosen */
  draw(chosen) {
    const { stage } = this;
    const many = chosen.length > MANY;
    const heap = many && this.#large && stage.moving();
    const { view } = this.#drawn;
    const there = view.scale === stage.view.scale && view.x === stage.view.x && view.y === stage.view.y;
    if (there && !heap && !this.#away && !this.stale) return false;
    if (this.stale || (this.#heap && !heap)) return this.#sharply();
    if (this.#large && (many || this.#many)) {
      this.#coarsely(many ? chosen : [], heap);
      return many;
    }
    const transform = this.#many && stretched(this.#drawn, stage.view, stage.size);
    if (!transform) return this.#sharply();
    this.canvas.style.transform = transform;
    this.#moved();
    return false;
  }

  /** @param {Shape[]} chosen @param {boolean} heap */
  #coarsely(chosen, heap) {
    const { snapshot, stage } = this;
    const fits = this.#heap === heap && snapshot.lead();
    if (!fits) snapshot.take(heap ? stage.shapes(false) : [...stage.shapes(false), ...chosen], heap ? 0 : BEYOND);
    if (heap) snapshot.showWith(chosen);
    else if (!fits) snapshot.show();
    if (!fits) snapshot.lead();
    this.#heap = heap;
    this.#moved();
  }

  #moved() {
    const turn = ++this.#turn;
    this.#away = true;
    clearTimeout(this.#timer);
    // A frame that took longer than that is no rest: what came meanwhile is drawn before the next.
    this.#timer = setTimeout(() => requestAnimationFrame(() => this.#turn === turn && this.stage.renew()), REST);
  }

  #sharply() {
    const { room, view, shapes } = this.stage;
    const rest = shapes(false);
    this.#many = rest.length > MANY;
    const beyond = this.#many && !this.#large ? BEYOND : 0;
    const margin = /** @type {Point} */ ([Math.round(room[0] * beyond), Math.round(room[1] * beyond)]);
    const all = /** @type {Point} */ ([room[0] + 2 * margin[0], room[1] + 2 * margin[1]]);
    // Blended with what is under it, an empty one costs as much as a full one.
    this.canvas.hidden = !rest.length;
    if (rest.length) {
      paint(prepared(this.#sheet, all), { ...view, x: view.x + margin[0], y: view.y + margin[1] }, rest, this.#many, all[0]);
      // As a picture, it is not copied for each frame in which something else moves.
      [this.canvas.width, this.canvas.height] = [this.#sheet.width, this.#sheet.height];
      this.#shown.transferFromImageBitmap(this.#sheet.transferToImageBitmap());
      [this.canvas.style.width, this.canvas.style.height] = [`${all[0]}px`, `${all[1]}px`];
    }
    this.canvas.style.transform = `translate(${-margin[0]}px, ${-margin[1]}px)`;
    this.#drawn = { view, margin, room };
    this.snapshot.drop();
    clearTimeout(this.#timer);
    this.stale = this.#away = this.#heap = false;
    return false;
  }
}
