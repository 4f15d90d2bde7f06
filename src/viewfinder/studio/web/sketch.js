/** How what is being outlined is drawn over the picture. */

import { toScreen } from "./geometry.js";
import { painting } from "./masks.js";

/** @typedef {import("./geometry.js").Corners} Corners @typedef {import("./shaping.js").Stroke} Stroke */

const NEW = "#ffd84d";

/** @param {CanvasRenderingContext2D} context @param {import("./geometry.js").View} view @param {{mask: any, corners: Corners}} draft */
export function drawDraft(context, view, { mask, corners }) {
  const made = painting(mask, NEW);
  if (made) {
    const [left, top] = toScreen(view, [made.x, made.y, 0, 0]);
    context.globalAlpha = 0.45;
    context.drawImage(made.canvas, left, top, made.canvas.width * view.scale, made.canvas.height * view.scale);
    context.globalAlpha = 1;
  }
  const [x1, y1, x2, y2] = toScreen(view, corners);
  context.strokeStyle = "rgba(0, 0, 0, 0.55)";
  context.lineWidth = 4;
  context.strokeRect(x1, y1, x2 - x1, y2 - y1);
  context.strokeStyle = NEW;
  context.lineWidth = 2;
  context.strokeRect(x1, y1, x2 - x1, y2 - y1);
}

/** A stroke of a tool. @param {CanvasRenderingContext2D} context @param {import("./geometry.js").View} view @param {Stroke} stroke @param {number} radius @param {number} [alpha] */
export function line(context, view, { points, adds }, radius, alpha = 1) {
  if (!points.length) return;
  const path = new Path2D();
  for (const point of points) {
    const [x, y] = toScreen(view, [...point, 0, 0]);
    path.lineTo(x, y);
    if (points.length === 1) path.lineTo(x + 0.01, y);
  }
  context.lineCap = context.lineJoin = "round";
  context.globalAlpha = alpha;
  for (const [colour, width] of /** @type {[string, number][]} */ ([["#000", 2 * radius + 2], [adds ? NEW : "#ff5a4d", 2 * radius]])) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke(path);
  }
  context.globalAlpha = 1;
  context.lineCap = "butt";
  context.lineJoin = "miter";
}

/** The brush's rim. @param {CanvasRenderingContext2D} context @param {import("./geometry.js").Point} at @param {number} radius */
export function rim(context, [x, y], radius) {
  for (const [colour, width] of /** @type {[string, number][]} */ ([["rgba(0, 0, 0, 0.6)", 3], ["#fff", 1.2]])) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
  }
}
