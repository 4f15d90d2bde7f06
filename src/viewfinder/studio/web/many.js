/**
 * Very many boxes: their sides are written as pixels, several times as quick as drawing each.
 *
 * @typedef {import("./geometry.js").View} View
 * @typedef {import("./stage.js").Shape} Shape
 */

import { toScreen } from "./geometry.js";

const FEW = 12;

/** Of each canvas, its pixels; allocated once, as it is drawn anew for each frame. @type {WeakMap<HTMLCanvasElement, {image: ImageData, words: Uint32Array}>} */
const buffers = new WeakMap();

/** Draw sides alone, in place of all that is on the canvas. @param {CanvasRenderingContext2D} context @param {View} view @param {Shape[]} shapes */
export function sides(context, view, shapes) {
  const { width, height } = context.canvas;
  const { image, words } = bufferOf(context, width, height);
  const dense = context.getTransform().a;
  const near = { scale: view.scale * dense, x: view.x * dense, y: view.y * dense };
  /** @type {Map<string, number>} */
  const known = new Map();
  words.fill(0);
  const fill = (/** @type {number} */ colour, /** @type {number} */ x1, /** @type {number} */ y1, /** @type {number} */ x2, /** @type {number} */ y2) => {
    const [left, right] = [Math.max(x1, 0), Math.min(x2, width)];
    if (left >= right) return;
    const last = Math.min(y2, height) * width;
    // Upright sides are a few pixels wide, for which a call of fill takes longer than to write them.
    for (let row = Math.max(y1, 0) * width; row < last; row += width) {
      if (right - left > FEW) words.fill(colour, row + left, row + right);
      else for (let at = row + left; at < row + right; at++) words[at] = colour;
    }
  };
  for (const shape of shapes) {
    const [x1, y1, x2, y2] = toScreen(near, shape.corners).map(Math.round);
    if (x2 < 0 || y2 < 0 || x1 > width || y1 > height) continue;
    let colour = known.get(shape.colour);
    if (colour === undefined) known.set(shape.colour, colour = wordOf(context, shape.colour));
    const line = Math.max(1, Math.round((shape.selected ? 3 : 1) * dense));
    fill(colour, x1, y1, x2, y1 + line);
    fill(colour, x1, y2, x2 + line, y2 + line);
    fill(colour, x1, y1, x1 + line, y2);
    fill(colour, x2, y1, x2 + line, y2);
  }
  context.putImageData(image, 0, 0);
}

/** @param {CanvasRenderingContext2D} context @param {number} width @param {number} height */
function bufferOf(context, width, height) {
  const kept = buffers.get(context.canvas);
  if (kept?.image.width === width && kept.image.height === height) return kept;
  const image = context.createImageData(width, height);
  const made = { image, words: new Uint32Array(image.data.buffer) };
  buffers.set(context.canvas, made);
  return made;
}

/** A colour of CSS as a pixel. @param {CanvasRenderingContext2D} context @param {string} colour */
function wordOf(context, colour) {
  context.fillStyle = colour;
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(String(context.fillStyle).slice(at, at + 2), 16));
  const bytes = new Uint8Array([red, green, blue, 255]);
  return new Uint32Array(bytes.buffer)[0];
}
