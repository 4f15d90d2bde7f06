/** Masks that go along with their boxes: COCO's polygons, and run lengths over the whole picture. */

import { columns, decoded, encoded, shifted } from "./runs.js";

/** @typedef {import("./geometry.js").Corners} Corners */

/**
 * The corners that a box can have where its mask goes along: run lengths are of whole pixels.
 * @param {{mask: any, corners: Corners}} box @param {Corners} corners @returns {Corners}
 */
export function fitting(box, corners) {
  if (!box.mask || Array.isArray(box.mask)) return corners;
  const [dx, dy] = apart(box.corners, corners);
  if (!isMove(box.corners, corners)) return corners;
  const [x1, y1, x2, y2] = box.corners;
  const [x, y] = [Math.round(dx), Math.round(dy)];
  return [x1 + x, y1 + y, x2 + x, y2 + y];
}

/**
 * A box's mask where the box is now; null where it does not fit any more.
 * @param {{mask: any, corners: Corners}} box @param {Corners} corners
 */
export function movedMask(box, corners) {
  if (!box.mask || !isMove(box.corners, corners)) return null;
  const [dx, dy] = apart(box.corners, corners);
  if (dx === 0 && dy === 0) return box.mask;
  if (Array.isArray(box.mask)) {
    return box.mask.map((polygon) => polygon.map((/** @type {number} */ v, /** @type {number} */ i) => v + (i % 2 ? dy : dx)));
  }
  const [height, width] = box.mask.size;
  const runs = shifted(decoded(box.mask), height, width, Math.round(dx), Math.round(dy));
  return { ...box.mask, counts: encoded(runs, height * width, typeof box.mask.counts === "string") };
}

/** @param {Corners} a @param {Corners} b @returns {[number, number]} */
export const apart = (a, b) => [b[0] - a[0], b[1] - a[1]];

/** Whether one is the other at another place. @param {Corners} a @param {Corners} b */
export function isMove(a, b) {
  const [dx, dy] = apart(a, b);
  return Math.abs(b[2] - a[2] - dx) < 0.02 && Math.abs(b[3] - a[3] - dy) < 0.02;
}

/** @type {WeakMap<object, {canvas: HTMLCanvasElement, x: number, y: number} | null>} */
const painted = new WeakMap();

/**
 * Run lengths as a small picture of one colour, and where its top left lies; null of an empty mask.
 * @param {any} mask @param {string} colour
 */
export function painting(mask, colour) {
  const known = painted.get(mask);
  if (known === null) return null;
  const made = known ?? drawn(mask);
  painted.set(mask, made);
  if (!made) return null;
  const context = /** @type {CanvasRenderingContext2D} */ (made.canvas.getContext("2d"));
  context.globalCompositeOperation = "source-in";
  context.fillStyle = colour;
  context.fillRect(0, 0, made.canvas.width, made.canvas.height);
  return made;
}

/** @param {any} mask */
function drawn(mask) {
  const [height] = mask.size;
  const runs = decoded(mask);
  if (!runs.length) return null;
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
  const pieces = columns(runs, height);
  for (const [x, from, to] of pieces) {
    [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
    [top, bottom] = [Math.min(top, from), Math.max(bottom, to)];
  }
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [right - left, bottom - top];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  for (const [x, from, to] of pieces) context.fillRect(x - left, from - top, 1, to - from);
  return { canvas, x: left, y: top };
}
