/**
 * Boxes and views as plain numbers: no page, no state.
 *
 * Corners are x1, y1, x2, y2 in pixels of the upright picture, rounded to hundredths: what pointers
 * and zooms make of whole pixels has noise behind it.
 *
 * @typedef {[number, number, number, number]} Corners
 * @typedef {[number, number]} Point
 * @typedef {{scale: number, x: number, y: number}} View  screen = picture * scale + (x, y)
 * @typedef {"nw"|"n"|"ne"|"e"|"se"|"s"|"sw"|"w"} Handle
 */

/** @type {Handle[]} */
export const HANDLES = ["nw", "ne", "se", "sw", "n", "e", "s", "w"];

/** @param {number} value @param {number} least @param {number} most */
export const clamp = (value, least, most) => Math.min(Math.max(value, least), Math.max(least, most));

/** @param {number} value */
export const rounded = (value) => Math.round(value * 100) / 100;

/**
 * The box between two points, both brought inside the picture.
 * @param {Point} a @param {Point} b @param {Point} size @returns {Corners}
 */
export function between(a, b, size) {
  const [ax, bx] = [a[0], b[0]].map((x) => clamp(x, 0, size[0]));
  const [ay, by] = [a[1], b[1]].map((y) => clamp(y, 0, size[1]));
  const corners = [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];
  return /** @type {Corners} */ (corners.map(rounded));
}

/**
 * A box at another place, as far as the picture's edges let it; its size stays.
 * @param {Corners} box @param {number} dx @param {number} dy @param {Point} size @returns {Corners}
 */
export function moved(box, dx, dy, size) {
  const x = clamp(dx, -box[0], size[0] - box[2]);
  const y = clamp(dy, -box[1], size[1] - box[3]);
  return /** @type {Corners} */ ([box[0] + x, box[1] + y, box[2] + x, box[3] + y].map(rounded));
}

/**
 * How far boxes go together, as far as the picture's edges let all of them: their arrangement stays.
 * @param {Corners[]} boxes @param {number} dx @param {number} dy @param {Point} size @returns {Point}
 */
export function together(boxes, dx, dy, size) {
  const around = /** @type {Corners} */ ([Infinity, Infinity, -Infinity, -Infinity]);
  for (const box of boxes) for (let i = 0; i < 4; i++) around[i] = (i < 2 ? Math.min : Math.max)(around[i], box[i]);
  if (!boxes.length) return [dx, dy];
  const [x, y] = moved(around, dx, dy, size);
  return [x - around[0], y - around[1]];
}

/**
 * A box one of whose handles was pulled; pulled past the other side, it turns over.
 * @param {Corners} box @param {Handle} handle @param {number} dx @param {number} dy
 * @param {Point} size @returns {Corners}
 */
export function resized(box, handle, dx, dy, size) {
  const x1 = box[0] + (handle.includes("w") ? dx : 0);
  const x2 = box[2] + (handle.includes("e") ? dx : 0);
  const y1 = box[1] + (handle.includes("n") ? dy : 0);
  const y2 = box[3] + (handle.includes("s") ? dy : 0);
  return between([x1, y1], [x2, y2], size);
}

/** @param {Corners} box */
export const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);

/** @param {Corners} box @param {Point} point @param {number} [margin] */
export const inside = (box, point, margin = 0) =>
  point[0] >= box[0] - margin && point[0] <= box[2] + margin &&
  point[1] >= box[1] - margin && point[1] <= box[3] + margin;

/**
 * What of a box a pointer would pull: a corner, else anywhere along a side; null within and away.
 * @param {Corners} box @param {Point} point @param {number} reach  in pixels of the picture
 * @returns {Handle | null}
 */
export function handleAt(box, point, reach) {
  if (!inside(box, point, reach)) return null;
  // Of a small box the middle still moves it.
  const near = Math.min(reach, Math.max((box[2] - box[0]) / 4, reach / 4));
  const tall = Math.min(reach, Math.max((box[3] - box[1]) / 4, reach / 4));
  const side = (/** @type {number} */ at, /** @type {number} */ low, /** @type {number} */ high,
    /** @type {number} */ within) =>
    at < low + within && Math.abs(at - low) <= Math.abs(at - high) ? 0 : at > high - within ? 1 : null;
  const across = side(point[0], box[0], box[2], near);
  const down = side(point[1], box[1], box[3], tall);
  const name = (down === null ? "" : "ns"[down]) + (across === null ? "" : "we"[across]);
  return name === "" ? null : /** @type {Handle} */ (name);
}

/**
 * Where a box's handles are.
 * @param {Corners} box @returns {Record<Handle, Point>}
 */
export function handlePoints(box) {
  const [x1, y1, x2, y2] = box;
  const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
  return { nw: [x1, y1], n: [x, y1], ne: [x2, y1], e: [x2, y], se: [x2, y2], s: [x, y2],
    sw: [x1, y2], w: [x1, y] };
}

/**
 * The one of a box's eight handles that a point is on, or null.
 * @param {Corners} box @param {Point} point @param {number} reach @returns {Handle | null}
 */
export function handleOn(box, point, reach) {
  const points = handlePoints(box);
  return HANDLES.find((each) =>
    Math.max(Math.abs(points[each][0] - point[0]), Math.abs(points[each][1] - point[1])) <= reach) ?? null;
}

/**
 * The smallest box that a point is in, so that a large one hides none.
 * @template {{corners: Corners}} T
 * @param {Iterable<T>} boxes @param {Point} point @param {number} [margin] @returns {T | null}
 */
export function smallestAt(boxes, point, margin = 0) {
  let found = null;
  for (const box of boxes) {
    if (inside(box.corners, point, margin) && (!found || area(box.corners) < area(found.corners))) {
      found = box;
    }
  }
  return found;
}

/**
 * Of the boxes, the one with a corner (top left or bottom right) nearest to a point.
 * @template {{corners: Corners}} T
 * @param {Iterable<T>} boxes @param {Point} point @param {"nw" | "se"} corner @returns {T | null}
 */
export function nearestByCorner(boxes, point, corner) {
  let [found, least] = [/** @type {T | null} */ (null), Infinity];
  for (const box of boxes) {
    const [x, y] = handlePoints(box.corners)[corner];
    const distance = Math.hypot(x - point[0], y - point[1]);
    if (distance < least) [found, least] = [box, distance];
  }
  return found;
}

/** @param {Corners} a @param {Corners} b  share of both that both have */
export function overlap(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (area(a) + area(b) - width * height);
}

/** @param {View} view @param {Point} screen @returns {Point} */
export const toPicture = (view, screen) => [
  (screen[0] - view.x) / view.scale, (screen[1] - view.y) / view.scale];

/** @param {View} view @param {Corners} box @returns {Corners} */
export const toScreen = (view, box) => [
  box[0] * view.scale + view.x, box[1] * view.scale + view.y,
  box[2] * view.scale + view.x, box[3] * view.scale + view.y];

/**
 * A view that shows all of a rectangle in the middle of the stage.
 * @param {Corners} box @param {Point} stage @param {number} margin  in pixels of the screen
 * @returns {View}
 */
export function fitted(box, stage, margin) {
  const [width, height] = [Math.max(box[2] - box[0], 1e-6), Math.max(box[3] - box[1], 1e-6)];
  const room = [Math.max(stage[0] - 2 * margin, 10), Math.max(stage[1] - 2 * margin, 10)];
  const scale = Math.min(room[0] / width, room[1] / height, 64);
  return { scale, x: stage[0] / 2 - ((box[0] + box[2]) / 2) * scale,
    y: stage[1] / 2 - ((box[1] + box[3]) / 2) * scale };
}

/**
 * A view that is nearer or further, and the point of the picture at `at` stays where it is.
 * @param {View} view @param {number} factor @param {Point} at @returns {View}
 */
export function zoomed(view, factor, at) {
  const scale = clamp(view.scale * factor, 0.005, 64);
  const share = scale / view.scale;
  return { scale, x: at[0] - (at[0] - view.x) * share, y: at[1] - (at[1] - view.y) * share };
}

// Times as near as it was drawn from which a canvas is too coarse, and as far, too dense.
const [NEARER, FARTHER] = [3, 1.6];

/**
 * How what was drawn for one view is moved and stretched for another, as CSS says it; null where it
 * would not reach over what is seen of the picture, or be too coarse.
 * @param {{view: View, margin: Point, room: Point}} drawn  with what is beyond the stage on each side
 * @param {View} now @param {Point} size  the picture's
 */
export function stretched({ view, margin, room }, now, size) {
  const stretch = now.scale / view.scale;
  if (stretch > NEARER || stretch < 1 / FARTHER) return null;
  const [x, y] = [now.x - (view.x + margin[0]) * stretch, now.y - (view.y + margin[1]) * stretch];
  const [right, bottom] = [x + (room[0] + 2 * margin[0]) * stretch, y + (room[1] + 2 * margin[1]) * stretch];
  if (x > Math.max(0, now.x) || y > Math.max(0, now.y)) return null;
  if (right < Math.min(room[0], now.x + size[0] * now.scale) || bottom < Math.min(room[1], now.y + size[1] * now.scale)) return null;
  return `translate(${x}px, ${y}px) scale(${stretch})`;
}

/** How far apart two boxes are, in mean sides of the two. @param {Corners} one @param {Corners} two */
export function distance(one, two) {
  const sides = (one[2] - one[0] + one[3] - one[1] + two[2] - two[0] + two[3] - two[1]) / 4;
  return Math.hypot(one[0] + one[2] - two[0] - two[2], one[1] + one[3] - two[1] - two[3]) / 2 / Math.max(sides, 1e-6);
}
