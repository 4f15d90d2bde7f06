/**
 * Strokes and polygons as runs of pixels (see `runs.js`), exact and the same in every browser: a pixel is
 * of one where its middle is.
 *
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {[number, number][]} Runs
 */

import { columns } from "./runs.js";

/**
 * What a round brush covers along a line.
 * @param {Point[]} points @param {number} radius  in pixels of the picture @param {Point} size  of the picture @returns {Runs}
 */
export function brushed(points, radius, size) {
  const [width, height] = size;
  /** Of each column, where it is covered. @type {Map<number, [number, number][]>} */
  const found = new Map();
  points.forEach((from, at) => {
    const to = points[at + 1] ?? from;
    if (at && to === from) return;
    const first = Math.max(0, Math.ceil(Math.min(from[0], to[0]) - radius - 0.5));
    const last = Math.min(width - 1, Math.floor(Math.max(from[0], to[0]) + radius - 0.5));
    for (let x = first; x <= last; x++) {
      const across = crossed(from, to, radius, x + 0.5);
      if (!across) continue;
      const top = Math.max(0, Math.ceil(across[0] - 0.5));
      const bottom = Math.min(height, Math.floor(across[1] - 0.5) + 1);
      if (top >= bottom) continue;
      const column = found.get(x);
      if (column) column.push([top, bottom]);
      else found.set(x, [[top, bottom]]);
    }
  });
  return joined(found, height);
}

/** Where an upright line crosses all that is near a straight one. @param {Point} a @param {Point} b @param {number} radius @param {number} x @returns {[number, number] | null} */
function crossed(a, b, radius, x) {
  let [low, high] = [Infinity, -Infinity];
  for (const [cx, cy] of [a, b]) {
    const half = radius * radius - (x - cx) * (x - cx);
    if (half < 0) continue;
    low = Math.min(low, cy - Math.sqrt(half));
    high = Math.max(high, cy + Math.sqrt(half));
  }
  // Between the two discs, the sides of the band that touches both.
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = Math.hypot(dx, dy);
  for (const side of length ? [-1, 1] : []) {
    const [ux, uy] = [(-dy / length) * radius * side, (dx / length) * radius * side];
    const share = dx ? (x - a[0] - ux) / dx : -1;
    if (share < 0 || share > 1) continue;
    const y = a[1] + uy + share * dy;
    [low, high] = [Math.min(low, y), Math.max(high, y)];
  }
  return low <= high ? [low, high] : null;
}

/**
 * What lies within polygons, in any of them.
 * @param {Point[][]} polygons @param {Point} size  of the picture @returns {Runs}
 */
export function filled(polygons, size) {
  const [width, height] = size;
  /** @type {Map<number, [number, number][]>} */
  const found = new Map();
  for (const polygon of polygons) {
    if (polygon.length < 3) continue;
    const xs = polygon.map((each) => each[0]);
    const first = Math.max(0, Math.ceil(Math.min(...xs) - 0.5));
    const last = Math.min(width - 1, Math.floor(Math.max(...xs) - 0.5));
    for (let x = first; x <= last; x++) {
      const at = crossings(polygon, x + 0.5);
      const column = found.get(x) ?? [];
      for (let i = 0; i + 1 < at.length; i += 2) {
        const [top, bottom] = [Math.max(0, Math.ceil(at[i] - 0.5)), Math.min(height, Math.ceil(at[i + 1] - 0.5))];
        if (top < bottom) column.push([top, bottom]);
      }
      if (column.length) found.set(x, column);
    }
  }
  return joined(found, height);
}

/** Where an upright line crosses the sides of a polygon, from above. @param {Point[]} polygon @param {number} x */
function crossings(polygon, x) {
  /** @type {number[]} */
  const found = [];
  polygon.forEach(([ax, ay], i) => {
    const [bx, by] = polygon[(i + 1) % polygon.length];
    if ((ax <= x) !== (bx <= x)) found.push(ay + ((x - ax) / (bx - ax)) * (by - ay));
  });
  return found.sort((a, b) => a - b);
}

/** @param {Map<number, [number, number][]>} found @param {number} height @returns {Runs} */
function joined(found, height) {
  /** @type {Runs} */
  const runs = [];
  for (const x of [...found.keys()].sort((a, b) => a - b)) {
    for (const [top, bottom] of /** @type {[number, number][]} */ (found.get(x)).sort((a, b) => a[0] - b[0])) {
      add(runs, x * height + top, x * height + bottom);
    }
  }
  return runs;
}

/** @param {Runs} runs @param {number} from  not before the last one's beginning @param {number} to */
function add(runs, from, to) {
  const last = runs[runs.length - 1];
  if (last && from <= last[1]) last[1] = Math.max(last[1], to);
  else runs.push([from, to]);
}

/** What is in either. @param {Runs} a @param {Runs} b @returns {Runs} */
export function union(a, b) {
  /** @type {Runs} */
  const runs = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const next = j >= b.length || (i < a.length && a[i][0] <= b[j][0]) ? a[i++] : b[j++];
    add(runs, next[0], next[1]);
  }
  return runs;
}

/** What is in the first alone. @param {Runs} a @param {Runs} b @returns {Runs} */
export function without(a, b) {
  /** @type {Runs} */
  const runs = [];
  let j = 0;
  for (const [from, to] of a) {
    let at = from;
    while (j < b.length && b[j][1] <= at) j++;
    for (let k = j; k < b.length && b[k][0] < to; k++) {
      if (b[k][0] > at) runs.push([at, b[k][0]]);
      at = Math.max(at, b[k][1]);
    }
    if (at < to) runs.push([at, to]);
  }
  return runs;
}

/** The box around runs; null around none. @param {Runs} runs @param {number} height @returns {import("./geometry.js").Corners | null} */
export function boxAround(runs, height) {
  if (!runs.length) return null;
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
  for (const [x, from, to] of columns(runs, height)) {
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x + 1), Math.min(top, from), Math.max(bottom, to)];
  }
  return [left, top, right, bottom];
}
