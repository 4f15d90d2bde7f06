/** The picture and, on a canvas over it, its boxes: drawing alone, nothing is decided here. */

import { HANDLES, fitted, handlePoints, toScreen, zoomed } from "./geometry.js";

/**
 * @typedef {import("./geometry.js").Corners} Corners
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {{corners: Corners, colour: string, name: string, selected: boolean, locked: boolean,
 *   difficult: boolean, mask: any, ghost: boolean}} Shape
 */

const MOST_NAMED = 300;
const HANDLE = 4;

export class Stage {
  #asked = false;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.canvas = /** @type {HTMLCanvasElement} */ (element.querySelector("canvas"));
    this.under = /** @type {HTMLElement} */ (element.querySelector(".under"));
    /** @type {Point} */
    this.size = [1, 1];
    /** @type {import("./geometry.js").View} */
    this.view = { scale: 1, x: 0, y: 0 };
    /** @type {() => Shape[]} */
    this.shapes = () => [];
    /** What is being drawn: a new box, or a rectangle that selects. @type {{corners: Corners, kind: "new" | "select"} | null} */
    this.band = null;
    /** @type {Point | null} */
    this.cross = null;
    this.whole = true;
    new ResizeObserver(() => this.#resized()).observe(element);
  }

  /** @returns {Point} */
  get room() {
    return [this.element.clientWidth || 1, this.element.clientHeight || 1];
  }

  /** Show another picture. @param {HTMLImageElement | null} image @param {Point} size */
  show(image, size) {
    this.under.replaceChildren(...(image ? [image] : []));
    this.size = size;
    this.fit();
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
    this.#look(zoomed(this.view, factor, at ?? [this.room[0] / 2, this.room[1] / 2]));
  }

  /** @param {number} dx @param {number} dy */
  pan(dx, dy) {
    this.whole = false;
    this.#look({ ...this.view, x: this.view.x + dx, y: this.view.y + dy });
  }

  /** Draw anew, before the screen is next shown. */
  draw() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#draw();
    });
  }

  /** @param {import("./geometry.js").View} view */
  #look(view) {
    this.view = view;
    const { style } = this.under;
    style.width = `${this.size[0]}px`;
    style.height = `${this.size[1]}px`;
    style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    this.under.classList.toggle("near", view.scale >= 4);
    this.draw();
  }

  #resized() {
    const [width, height] = this.room;
    const dense = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * dense);
    this.canvas.height = Math.round(height * dense);
    if (this.whole) this.fit();
    else this.draw();
  }

  #draw() {
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const dense = window.devicePixelRatio || 1;
    context.setTransform(dense, 0, 0, dense, 0, 0);
    context.clearRect(0, 0, ...this.room);
    const shapes = this.shapes();
    this.#outlines(context, shapes.filter((each) => !each.selected));
    for (const shape of shapes) {
      if (shape.mask && !shape.ghost) this.#mask(context, shape);
      if (shape.selected) this.#selected(context, shape);
    }
    if (shapes.length <= MOST_NAMED) for (const each of shapes) this.#name(context, each);
    if (this.cross) this.#crosshair(context, this.cross);
    if (this.band) this.#band(context, this.band);
  }

  /** Many boxes: one path a colour. @param {CanvasRenderingContext2D} context @param {Shape[]} shapes */
  #outlines(context, shapes) {
    if (shapes.length > MOST_NAMED) return this.#thin(context, shapes);
    /** @type {Map<string, Path2D>} */
    const paths = new Map();
    for (const shape of shapes) {
      const key = `${shape.ghost ? "-" : "_"}${shape.colour}`;
      const path = paths.get(key) ?? new Path2D();
      paths.set(key, path);
      const [x1, y1, x2, y2] = toScreen(this.view, shape.corners);
      path.rect(x1, y1, x2 - x1, y2 - y1);
    }
    for (const [key, path] of paths) {
      const ghost = key.startsWith("-");
      context.setLineDash(ghost ? [6, 4] : []);
      stroked(context, path, key.slice(1), ghost ? 1.5 : 2);
    }
    context.setLineDash([]);
  }

  /** Very many: each side is a filled rectangle, which is several times as quick as a stroke. */
  /** @param {CanvasRenderingContext2D} context @param {Shape[]} shapes */
  #thin(context, shapes) {
    const [width, height] = this.room;
    for (const shape of shapes) {
      const [x1, y1, x2, y2] = toScreen(this.view, shape.corners).map(Math.round);
      if (x2 < 0 || y2 < 0 || x1 > width || y1 > height) continue;
      context.fillStyle = shape.colour;
      context.fillRect(x1, y1, x2 - x1, 1);
      context.fillRect(x1, y2, x2 - x1, 1);
      context.fillRect(x1, y1, 1, y2 - y1);
      context.fillRect(x2, y1, 1, y2 - y1);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {Shape} shape */
  #selected(context, shape) {
    const corners = toScreen(this.view, shape.corners);
    const [x1, y1, x2, y2] = corners;
    context.fillStyle = shape.colour;
    context.globalAlpha = 0.18;
    context.fillRect(x1, y1, x2 - x1, y2 - y1);
    context.globalAlpha = 1;
    const path = new Path2D();
    path.rect(x1, y1, x2 - x1, y2 - y1);
    context.setLineDash(shape.ghost ? [6, 4] : []);
    stroked(context, path, shape.colour, 3);
    context.setLineDash([]);
    if (shape.locked) return;
    for (const handle of HANDLES) {
      const [x, y] = handlePoints(corners)[handle];
      context.fillStyle = "#fff";
      context.strokeStyle = "#000";
      context.lineWidth = 1;
      context.fillRect(x - HANDLE, y - HANDLE, 2 * HANDLE, 2 * HANDLE);
      context.strokeRect(x - HANDLE, y - HANDLE, 2 * HANDLE, 2 * HANDLE);
    }
  }

  /** COCO's polygons; run lengths are carried and not drawn. @param {CanvasRenderingContext2D} context @param {Shape} shape */
  #mask(context, shape) {
    if (!Array.isArray(shape.mask)) return;
    const path = new Path2D();
    for (const polygon of shape.mask) {
      for (let i = 0; i + 1 < polygon.length; i += 2) {
        const [x, y] = toScreen(this.view, [polygon[i], polygon[i + 1], 0, 0]);
        if (i === 0) path.moveTo(x, y);
        else path.lineTo(x, y);
      }
      path.closePath();
    }
    context.fillStyle = shape.colour;
    context.globalAlpha = 0.25;
    context.fill(path);
    context.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} context @param {Shape} shape */
  #name(context, shape) {
    const [x1, y1, x2] = toScreen(this.view, shape.corners);
    if (!shape.selected && x2 - x1 < 28) return;
    context.font = "600 12px system-ui, sans-serif";
    const text = `${shape.locked ? "locked " : ""}${shape.name}${shape.difficult ? " ?" : ""}`;
    const width = context.measureText(text).width + 8;
    const top = y1 >= 17 ? y1 - 17 : Math.max(y1, 0);
    context.globalAlpha = shape.ghost ? 0.75 : 1;
    context.fillStyle = shape.colour;
    context.fillRect(x1 - 1, top, width, 17);
    context.fillStyle = "#000";
    context.fillText(text, x1 + 3, top + 12.5);
    context.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} context @param {Point} at */
  #crosshair(context, at) {
    const path = new Path2D();
    path.moveTo(at[0], 0);
    path.lineTo(at[0], this.room[1]);
    path.moveTo(0, at[1]);
    path.lineTo(this.room[0], at[1]);
    context.globalAlpha = 0.3;
    stroked(context, path, "#fff", 1);
    context.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} context @param {{corners: Corners, kind: string}} band */
  #band(context, band) {
    const [x1, y1, x2, y2] = toScreen(this.view, band.corners);
    const path = new Path2D();
    path.rect(x1, y1, x2 - x1, y2 - y1);
    context.setLineDash(band.kind === "select" ? [3, 3] : []);
    stroked(context, path, "#fff", 2);
    context.setLineDash([]);
  }
}

/** A line that is seen on any picture. @param {CanvasRenderingContext2D} context @param {Path2D} path @param {string} colour @param {number} width */
function stroked(context, path, colour, width) {
  context.strokeStyle = "rgba(0, 0, 0, 0.55)";
  context.lineWidth = width + 2;
  context.stroke(path);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke(path);
}
