/** Boxes again: copied, pasted, duplicated. */

import { newId } from "./api.js";
import { fresh } from "./editing.js";
import { moved } from "./geometry.js";
import { fitting, movedMask } from "./masks.js";

/**
 * @typedef {import("./studio.js").Studio} Studio
 * @typedef {import("./api.js").Box} Box
 */

/** @param {Studio} studio */
export function copy(studio) {
  if (studio.selected().length) studio.copied = studio.selected().map(({ id: _id, ...box }) => ({ ...box }));
}

/** Put boxes into this picture, as far as they fit. @param {Studio} studio @param {Omit<Box, "id">[]} boxes @param {number} [by] */
export function paste(studio, boxes, by = 0) {
  const picture = studio.picture;
  if (!picture || !boxes.length) return;
  const tracks = new Set([...studio.boxes.values()].map((each) => each.track));
  const made = boxes.map((box) => {
    const id = newId();
    const [x1, y1, x2, y2] = box.corners;
    const [width, height] = [Math.min(x2 - x1, studio.stage.size[0]), Math.min(y2 - y1, studio.stage.size[1])];
    const corners = fitting(box, moved([x1, y1, x1 + width, y1 + height], by, by, studio.stage.size));
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
  paste(studio, studio.selected(), Math.max(4, Math.round(12 / studio.stage.view.scale)));
}
