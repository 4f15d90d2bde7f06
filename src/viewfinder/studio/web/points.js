/**
 * The points of the chosen outline: one is dragged, one more is made on a side, one is taken away.
 *
 * An outline of pixels gets points along its edge, and a box without an outline its four corners. What
 * a gesture has come to is one edit: polygons, and the box around them.
 */

import { put } from "./editing.js";
import { clamp, rounded, smallestAt, toScreen } from "./geometry.js";
import { accept } from "./proposals.js";
import { apart, nearest, ringsOf } from "./rings.js";
import { decoded } from "./runs.js";

/**
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./geometry.js").Corners} Corners
 * @typedef {{id: string, corners: Corners, mask: any}} Target
 */

// Pixels of the screen within which a point or a side is meant; and half of a point's side.
const REACH = { mouse: 8, pen: 10, touch: 18 };
const HALF = 3.5;
const HOLE = "This outline has a hole, which points cannot keep: brush and eraser change it.";

/** Of outlines of pixels, their rings. @type {WeakMap<object, Point[][] | null>} */
const traced = new WeakMap();

export class Points {
  /** What is dragged: which ring, and which point of it. @type {{rings: Point[][], ring: number, at: number, moved: boolean} | null} */
  #held = null;

  /** @param {import("./main.js").Page} page @param {() => Target | null} target  the chosen box or proposal */
  constructor(page, target) {
    this.page = page;
    this.target = target;
  }

  get held() {
    return this.#held !== null;
  }

  /** The rings of the chosen outline; null of one with a hole. @returns {Point[][] | null} */
  rings() {
    const target = this.target();
    if (!target) return [];
    const { mask, corners: [x1, y1, x2, y2] } = target;
    if (Array.isArray(mask)) return mask.map((polygon) => Array.from({ length: polygon.length / 2 }, (_, i) => /** @type {Point} */ ([polygon[2 * i], polygon[2 * i + 1]])));
    if (!mask) return [[[x1, y1], [x2, y1], [x2, y2], [x1, y2]]];
    const known = traced.get(mask);
    if (known !== undefined) return known;
    const made = ringsOf(decoded(mask), mask.size[0]);
    traced.set(mask, made);
    return made;
  }

  /** Take hold of what is under the pointer. @param {Point} point @param {boolean} away  take it away @param {string} by  the kind of pointer */
  begin(point, away, by) {
    const { stage, studio, dialogs } = this.page;
    const reach = (REACH[/** @type {keyof REACH} */ (by)] ?? REACH.mouse) / stage.view.scale;
    const rings = this.rings();
    if (!rings) return dialogs.say(HOLE, 6);
    const found = near(rings, point, reach);
    if (!found) {
      const box = smallestAt(studio.visible(), point, reach);
      const ghost = box ? null : smallestAt(studio.ghosts(), point, reach);
      if (ghost) studio.selectGhost(ghost.id);
      else studio.select(box ? [box.id] : [], { held: true });
    } else if (away) {
      if (found.side) return;
      this.#remove(rings, found.ring, found.at);
    } else {
      const copy = rings.map((each) => [...each]);
      if (found.side) copy[found.ring].splice(found.at, 0, found.side);
      this.#held = { rings: copy, ring: found.ring, at: found.at, moved: found.side !== null };
    }
    stage.draw();
  }

  /** @param {Point} point */
  move(point) {
    if (!this.#held) return;
    const { size } = this.page.stage;
    const { rings, ring, at } = this.#held;
    rings[ring][at] = [rounded(clamp(point[0], 0, size[0])), rounded(clamp(point[1], 0, size[1]))];
    this.#held.moved = true;
    this.page.stage.draw();
  }

  end() {
    const held = this.#held;
    this.#held = null;
    if (held?.moved) this.#keep(held.rings);
    this.page.stage.draw();
  }

  cancel() {
    this.#held = null;
  }

  /** @param {Point[][]} rings @param {number} ring @param {number} at */
  #remove(rings, ring, at) {
    const left = rings.map((each, i) => (i === ring ? each.filter((_, j) => j !== at) : each)).filter((each) => each.length > 2);
    if (left.length) this.#keep(left);
    else this.page.dialogs.say("An outline has three points at least: Delete removes the box.", 5);
  }

  /** @param {Point[][]} rings */
  #keep(rings) {
    const { studio, dialogs } = this.page;
    const target = this.target();
    if (!target) return;
    const [xs, ys] = [0, 1].map((axis) => rings.flatMap((ring) => ring.map((each) => each[axis])));
    const corners = /** @type {Corners} */ ([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]);
    if (corners[2] <= corners[0] || corners[3] <= corners[1]) return dialogs.say("An outline needs a width and a height: it stays as it was.", 5);
    const mask = rings.map((ring) => ring.flatMap((each) => each.map(rounded)));
    const box = studio.boxes.get(target.id);
    if (box) {
      studio.labels.commit([put(box, { corners, mask, source: "hand", score: null, key_frame: box.track !== null })]);
    } else {
      const made = accept(studio, [target.id], { corners, mask, next: false });
      studio.select(made.map((each) => each.box), { held: true });
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {import("./geometry.js").View} view */
  draw(context, view) {
    const rings = this.#held?.rings ?? this.rings() ?? [];
    for (const ring of rings) {
      const places = ring.map((each) => toScreen(view, [...each, 0, 0]));
      for (const [colour, width] of /** @type {[string, number][]} */ ([["#000", 3], ["#fff", 1.2]])) {
        context.strokeStyle = colour;
        context.lineWidth = width;
        context.beginPath();
        for (const [x, y] of places) context.lineTo(x, y);
        context.closePath();
        context.stroke();
      }
      [context.fillStyle, context.strokeStyle, context.lineWidth] = ["#fff", "#000", 1];
      for (const [x, y] of places) {
        context.fillRect(x - HALF, y - HALF, 2 * HALF, 2 * HALF);
        context.strokeRect(x - HALF, y - HALF, 2 * HALF, 2 * HALF);
      }
    }
  }
}

/**
 * The nearest point of the rings within reach, else the nearest place on a side, with the place that a point
 * there would have in its ring.
 * @param {Point[][]} rings @param {Point} point @param {number} reach
 * @returns {{ring: number, at: number, side: Point | null} | null}
 */
function near(rings, point, reach) {
  for (const sides of [false, true]) {
    let [found, least] = [/** @type {{ring: number, at: number, side: Point | null} | null} */ (null), reach];
    rings.forEach((ring, n) => ring.forEach((each, i) => {
      const place = sides ? nearest(each, ring[(i + 1) % ring.length], point) : each;
      const off = apart(place, point);
      if (off <= least) [found, least] = [{ ring: n, at: sides ? i + 1 : i, side: sides ? place : null }, off];
    }));
    if (found) return found;
  }
  return null;
}
