/** How boxes, their names and masks are drawn on a canvas. */

import { inkOn } from "./colours.js";
import { HANDLES, handlePoints, toScreen } from "./geometry.js";
import { sides } from "./many.js";
import { painting } from "./masks.js";
import { isolated } from "./names.js";

/**
 * @typedef {import("./geometry.js").Corners} Corners
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./geometry.js").View} View
 * @typedef {import("./stage.js").Shape} Shape
 */

/** Boxes above which they have no names. */
export const MANY = 300;
const HANDLE = 4;
// Of a name over a box; all of it stands in the list of classes.
const MOST_LETTERS = 40;
/** Times as large, as the rest of the page, where the screen has very many pixels. */
const grown = () => (innerWidth >= 2400 ? 1.5 : 1);
/** Of proposals that would be taken, of others, of what is interpolated, and of labels. @type {Record<string, number[]>} */
const DASHES = { "-": [6, 4], ".": [2, 5], "~": [14, 3], _: [] };
// Sides in pixels of the screen below which a box's handles would hide it: it has small ones, at its corners.
const SMALL = 36;

/**
 * An empty canvas of this size, to be drawn on in pixels of the page.
 * @param {HTMLCanvasElement | OffscreenCanvas} canvas @param {Point} room
 * @param {number} [dense]  its pixels across one of the page @param {boolean} [alpha]  whether something is seen through it
 */
export function prepared(canvas, room, dense = window.devicePixelRatio || 1, alpha = true) {
  const [width, height] = [Math.round(room[0] * dense), Math.round(room[1] * dense)];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha }));
  context.setTransform(dense, 0, 0, dense, 0, 0);
  context.clearRect(0, 0, ...room);
  return context;
}

/**
 * @param {CanvasRenderingContext2D} context @param {View} view @param {Shape[]} shapes
 * @param {boolean} many  whether they are too many for names @param {number} wide  where the right edge is
 */
export function paint(context, view, shapes, many, wide) {
  if (many) sides(context, view, shapes);
  else outlines(context, view, shapes.filter((each) => !each.selected));
  for (const shape of shapes) {
    if (shape.mask) mask(context, view, shape);
    if (shape.selected && !many) selected(context, view, shape);
  }
  if (!many) for (const each of shapes) name(context, view, each, wide);
}

/** What of the screen a shape with its handles and name may take up; more rather than less. @param {View} view @param {Pick<Shape, "corners" | "name" | "marks">} shape @returns {Corners} */
export function reaches(view, { corners, name, marks }) {
  const [x1, y1, x2, y2] = toScreen(view, corners);
  const size = grown();
  const long = 14 * size * (name.length + marks.length + 8);
  return [x1 - long, y1 - 24 * size, Math.max(x2, x1 + long) + 12 * size, y2 + 24 * size];
}

/** @param {Shape} shape */
const line = ({ moving, ghost, below }) => (moving ? "~" : !ghost ? "_" : below ? "." : "-");

/** Many boxes: one path a colour. @param {CanvasRenderingContext2D} context @param {View} view @param {Shape[]} shapes */
function outlines(context, view, shapes) {
  /** @type {Map<string, Path2D>} */
  const paths = new Map();
  for (const shape of shapes) {
    const key = `${line(shape)}${shape.colour}`;
    const path = paths.get(key) ?? new Path2D();
    paths.set(key, path);
    const [x1, y1, x2, y2] = toScreen(view, shape.corners);
    path.rect(x1, y1, x2 - x1, y2 - y1);
  }
  for (const [key, path] of paths) {
    const dash = DASHES[key[0]];
    context.setLineDash(dash);
    stroked(context, path, key.slice(1), key[0] === "-" || key[0] === "." ? 1.5 : 2);
  }
  context.setLineDash([]);
}

/** @param {CanvasRenderingContext2D} context @param {View} view @param {Shape} shape */
function selected(context, view, shape) {
  const corners = toScreen(view, shape.corners);
  const [x1, y1, x2, y2] = corners;
  context.fillStyle = shape.colour;
  context.globalAlpha = 0.18;
  context.fillRect(x1, y1, x2 - x1, y2 - y1);
  context.globalAlpha = 1;
  const path = new Path2D();
  path.rect(x1, y1, x2 - x1, y2 - y1);
  context.setLineDash(DASHES[line(shape)]);
  stroked(context, path, shape.colour, 3);
  context.setLineDash([]);
  if (shape.locked) return;
  const small = Math.min(x2 - x1, y2 - y1) < SMALL;
  const half = (small ? HANDLE - 1 : HANDLE) * grown();
  const points = handlePoints(corners);
  for (const handle of HANDLES) {
    if (small && handle.length === 1) continue;
    const [x, y] = points[handle];
    context.fillStyle = "#fff";
    context.strokeStyle = "#000";
    context.lineWidth = 1;
    context.fillRect(x - half, y - half, 2 * half, 2 * half);
    context.strokeRect(x - half, y - half, 2 * half, 2 * half);
  }
}

/** COCO's polygons, or run lengths. @param {CanvasRenderingContext2D} context @param {View} view @param {Shape} shape */
function mask(context, view, shape) {
  const [dx, dy] = shape.by;
  view = { ...view, x: view.x + dx * view.scale, y: view.y + dy * view.scale };
  context.globalAlpha = shape.ghost ? 0.25 : 0.4;
  if (Array.isArray(shape.mask)) {
    context.fillStyle = shape.colour;
    context.fill(outline(view, shape.mask), "nonzero");
  } else {
    const made = painting(shape.mask, shape.colour);
    if (made) {
      const { canvas, x, y } = made;
      const [left, top] = toScreen(view, [x, y, 0, 0]);
      context.imageSmoothingEnabled = view.scale < 4;
      context.drawImage(canvas, left, top, canvas.width * view.scale, canvas.height * view.scale);
    }
  }
  context.globalAlpha = 1;
}

/** @param {View} view @param {number[][]} polygons */
function outline(view, polygons) {
  const path = new Path2D();
  for (const polygon of polygons) {
    for (let i = 0; i + 1 < polygon.length; i += 2) {
      const [x, y] = toScreen(view, [polygon[i], polygon[i + 1], 0, 0]);
      if (i === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
    }
    path.closePath();
  }
  return path;
}

/** @param {CanvasRenderingContext2D} context @param {View} view @param {Shape} shape @param {number} wide */
function name(context, view, shape, wide) {
  const [x1, y1, x2] = toScreen(view, shape.corners);
  if (!shape.selected && x2 - x1 < 28) return;
  const size = grown();
  const high = 17 * size;
  context.font = `600 ${12 * size}px system-ui, sans-serif`;
  const shown = shape.name.length > MOST_LETTERS ? `${shape.name.slice(0, MOST_LETTERS - 1)}…` : shape.name;
  const text = `${shape.locked ? "locked " : ""}${isolated(shown)}${shape.marks}`;
  const width = context.measureText(text).width + 8;
  const top = y1 >= high ? y1 - high : Math.max(y1, 0);
  // A name at the right edge stays in sight, as long as its box does.
  const most = wide - width;
  const left = x1 > most && x1 < most + width ? most : x1 - 1;
  context.globalAlpha = shape.below && !shape.selected ? 0.6 : shape.ghost ? 0.75 : 1;
  context.fillStyle = shape.colour;
  context.fillRect(left, top, width, high);
  context.fillStyle = inkOn(shape.colour);
  context.fillText(text, left + 4, top + 12.5 * size);
  context.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} context @param {View} view @param {{corners: Corners, kind: string}} shape */
export function band(context, view, shape) {
  const [x1, y1, x2, y2] = toScreen(view, shape.corners);
  const path = new Path2D();
  path.rect(x1, y1, x2 - x1, y2 - y1);
  context.setLineDash(shape.kind === "select" ? [3, 3] : []);
  stroked(context, path, "#fff", 2);
  context.setLineDash([]);
}

/** A line that is seen on any picture. @param {CanvasRenderingContext2D} context @param {Path2D} path @param {string} colour @param {number} width */
function stroked(context, path, colour, width) {
  width *= grown();
  context.strokeStyle = "rgba(0, 0, 0, 0.55)";
  context.lineWidth = width + 2;
  context.stroke(path);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke(path);
}
