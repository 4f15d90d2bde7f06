/** Boxes again: copied, pasted, duplicated. */

import { newId } from "./api.js";
import { fresh } from "./editing.js";
import { moved, together } from "./geometry.js";
import { fitting, movedMask } from "./masks.js";

/**
 * @typedef {import("./studio.js").Studio} Studio
 * @typedef {import("./api.js").Box} Box
 * @typedef {import("./geometry.js").Corners} Corners
 */

// Ways in which a copy may lie beside what it is a copy of: at an edge, there is none in some.
const WAYS = [[1, 1], [-1, -1], [1, -1], [-1, 1]];
// Steps of that many copies of copies.
const MOST_STEPS = 50;

/** @param {Studio} studio */
export function copy(studio) {
  if (studio.selected().length) studio.copied = studio.selected().map(({ id: _id, ...box }) => ({ ...box }));
}

/**
 * Put boxes into this picture, as far as they fit: at their places, or beside them where a box lies
 * just there.
 * @param {Studio} studio @param {Omit<Box, "id">[]} boxes @param {{beside?: boolean}} [how]  `beside`: never at their places
 */
export function paste(studio, boxes, { beside = false } = {}) {
  const picture = studio.picture;
  if (!picture || !boxes.length) return;
  const tracks = new Set([...studio.boxes.values()].map((each) => each.track));
  const places = free(studio, boxes.map((each) => whole(each.corners, studio.stage.size)), beside);
  if (!places) return void studio.dialogs.say("There is no room beside the box for a copy of it, which would lie exactly over it.", 5);
  const made = boxes.map((box, at) => {
    const id = newId();
    const corners = fitting(box, places[at]);
    const mask = movedMask(box, corners);
    // An object is in a picture once.
    const track = box.track !== null && !tracks.has(box.track) ? box.track : null;
    const label = studio.labels.classOf(box.label)?.id ?? box.label;
    return { ...fresh(picture.id, label, corners), id, difficult: box.difficult, crowd: box.crowd, track, key_frame: track !== null, mask };
  });
  studio.labels.commit(made);
  studio.select(made.map((each) => each.id), { held: true });
}

/** @param {Studio} studio */
export function duplicate(studio) {
  paste(studio, studio.selected(), { beside: true });
}

/** A box within the picture. @param {Corners} corners @param {import("./geometry.js").Point} size @returns {Corners} */
function whole([x1, y1, x2, y2], size) {
  return moved([x1, y1, x1 + Math.min(x2 - x1, size[0]), y1 + Math.min(y2 - y1, size[1])], 0, 0, size);
}

/** The nearest places for boxes, in their arrangement, none of which a box has; null where there are none. @param {Studio} studio @param {Corners[]} boxes @param {boolean} beside */
function free(studio, boxes, beside) {
  const taken = new Set([...studio.boxes.values()].map((each) => String(each.corners)));
  const { view, size } = studio.stage;
  const step = Math.max(4, Math.round(12 / view.scale));
  for (let n = beside ? 1 : 0; n < MOST_STEPS; n++) {
    for (const [sx, sy] of n ? WAYS : [[0, 0]]) {
      const by = together(boxes, sx * n * step, sy * n * step, size);
      const places = boxes.map((each) => moved(each, by[0], by[1], size));
      if (!places.some((each) => taken.has(String(each)))) return places;
    }
  }
  return null;
}
