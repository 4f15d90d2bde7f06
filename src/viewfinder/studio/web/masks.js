/** Outlines that go along with their boxes. */

/** @typedef {import("./geometry.js").Corners} Corners */

/**
 * A box's mask where the box is now; null where it does not fit any more.
 * @param {{mask: any, corners: Corners}} box @param {Corners} corners
 */
export function movedMask(box, corners) {
  if (!box.mask) return null;
  const [dx, dy] = [corners[0] - box.corners[0], corners[1] - box.corners[1]];
  const same = Math.abs(corners[2] - box.corners[2] - dx) < 0.02 && Math.abs(corners[3] - box.corners[3] - dy) < 0.02;
  if (!same) return null;
  if (dx === 0 && dy === 0) return box.mask;
  if (!Array.isArray(box.mask)) return null;
  return box.mask.map((polygon) => polygon.map((/** @type {number} */ v, /** @type {number} */ i) => v + (i % 2 ? dy : dx)));
}
