/**
 * Outlines as rings of points: from run lengths, along the sides of their pixels, and with fewer points.
 *
 * @typedef {import("./geometry.js").Point} Point
 */

import { columns } from "./runs.js";

// Pixels by which a ring with fewer points may leave the sides of the pixels.
const OFF = 1.2;

/**
 * The rings around runs of pixels; null where one of them has a hole, which no ring holds.
 * @param {[number, number][]} runs @param {number} height  of the picture @returns {Point[][] | null}
 */
export function ringsOf(runs, height) {
  const rings = [];
  for (const ring of loops(sidesOf(runs, height))) {
    if (turning(ring) < 0) return null;
    rings.push(simpler(ring));
  }
  return rings;
}

/** The sides of pixels with nothing behind them, each from a point to the next, clockwise around the pixels. @param {[number, number][]} runs @param {number} height */
function sidesOf(runs, height) {
  const pieces = columns(runs, height);
  /** By column, where it is on. @type {Map<number, [number, number][]>} */
  const on = new Map();
  for (const [x, from, to] of pieces) on.set(x, [...(on.get(x) ?? []), [from, to]]);
  /** By the point where it begins. @type {Map<string, Point[]>} */
  const sides = new Map();
  const add = (/** @type {Point} */ a, /** @type {Point} */ b) => {
    const known = sides.get(`${a}`);
    if (known) known.push(b);
    else sides.set(`${a}`, [b]);
  };
  for (const [x, from, to] of pieces) {
    add([x, from], [x + 1, from]);
    add([x + 1, to], [x, to]);
    for (const [low, high] of gaps(from, to, on.get(x + 1) ?? [])) for (let y = low; y < high; y++) add([x + 1, y], [x + 1, y + 1]);
    for (const [low, high] of gaps(from, to, on.get(x - 1) ?? [])) for (let y = low; y < high; y++) add([x, y + 1], [x, y]);
  }
  return sides;
}

/** What of a stretch no other covers. @param {number} from @param {number} to @param {[number, number][]} others  in order @returns {[number, number][]} */
function gaps(from, to, others) {
  /** @type {[number, number][]} */
  const found = [];
  let at = from;
  for (const [low, high] of others) {
    if (high <= at || low >= to) continue;
    if (low > at) found.push([at, low]);
    at = high;
  }
  if (at < to) found.push([at, to]);
  return found;
}

/** Sides joined to closed ways, without points on straight lines. @param {Map<string, Point[]>} sides @returns {Point[][]} */
function loops(sides) {
  const found = [];
  for (const [key, first] of sides) {
    while (first.length) {
      const start = /** @type {Point} */ (key.split(",").map(Number));
      /** @type {Point[]} */
      const way = [start];
      let [before, at] = [start, /** @type {Point} */ (first.pop())];
      while (at[0] !== start[0] || at[1] !== start[1]) {
        way.push(at);
        const next = onward(/** @type {Point[]} */ (sides.get(`${at}`)), before, at);
        [before, at] = [at, next];
      }
      found.push(way.filter((each, i) => !straight(way[(i + way.length - 1) % way.length], each, way[(i + 1) % way.length])));
    }
  }
  return found;
}

/** Of two ways on, where pixels touch by a corner, the one that stays with its pixel. @param {Point[]} ways @param {Point} before @param {Point} at @returns {Point} */
function onward(ways, before, at) {
  const right = ways.findIndex((each) => cross(before, at, each) > 0);
  return ways.splice(Math.max(right, 0), 1)[0];
}

/** @param {Point} a @param {Point} b @param {Point} c */
const cross = (a, b, c) => (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0]);

/** @param {Point} a @param {Point} b @param {Point} c */
const straight = (a, b, c) => cross(a, b, c) === 0;

/** Twice the area within a ring; below 0 of one that runs around a hole. @param {Point[]} ring */
const turning = (ring) => ring.reduce((sum, [x, y], i) => sum + x * ring[(i + 1) % ring.length][1] - y * ring[(i + 1) % ring.length][0], 0);

/** A ring with fewer points (Douglas and Peucker 1973). @param {Point[]} ring @returns {Point[]} */
function simpler(ring) {
  let far = 0;
  ring.forEach((each, i) => {
    if (apart(each, ring[0]) > apart(ring[far], ring[0])) far = i;
  });
  const found = [...kept(ring.slice(0, far + 1)).slice(0, -1), ...kept([...ring.slice(far), ring[0]]).slice(0, -1)];
  return found.length > 2 ? found : ring;
}

/** @param {Point[]} way @returns {Point[]} */
function kept(way) {
  const [first, last] = [way[0], way[way.length - 1]];
  let [far, most] = [0, OFF];
  way.forEach((each, i) => {
    const off = apart(each, nearest(first, last, each));
    if (off > most) [far, most] = [i, off];
  });
  return far ? [...kept(way.slice(0, far + 1)).slice(0, -1), ...kept(way.slice(far))] : [first, last];
}

/** @param {Point} a @param {Point} b */
export const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** The point of a straight line between two that is nearest to a third. @param {Point} a @param {Point} b @param {Point} to @returns {Point} */
export function nearest(a, b, to) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const share = Math.min(1, Math.max(0, ((to[0] - a[0]) * dx + (to[1] - a[1]) * dy) / Math.max(dx * dx + dy * dy, 1e-12)));
  return [a[0] + share * dx, a[1] + share * dy];
}
