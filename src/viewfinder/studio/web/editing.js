/** What is done to the boxes of the picture: drawn, moved, given a class, marked, removed. */

import { newId } from "./api.js";
import { area, moved, overlap, resized, together } from "./geometry.js";
import { guessed } from "./guessing.js";
import { fitting, movedMask } from "./masks.js";
import { isolated } from "./names.js";
import { accept, reject } from "./proposals.js";

/**
 * @typedef {import("./geometry.js").Corners} Corners
 * @typedef {import("./api.js").Box} Box
 * @typedef {import("./labels.js").Change} Change
 * @typedef {import("./studio.js").Studio} Studio
 */

// Sides in pixels below which it is asked whether a box was meant.
const TINY = 3;
// Intersection over union from which a box that is drawn over a proposal is that proposal, corrected.
const SAME = 0.4;

/**
 * A box was drawn, or an outline.
 * @param {Studio} studio @param {Corners} corners @param {{mask?: any, label?: string | null}} [how]  `label`: its class, where it was said
 */
export async function drawn(studio, corners, { mask = null, label: said = null } = {}) {
  const [width, height] = [corners[2] - corners[0], corners[3] - corners[1]];
  const size = `${width.toFixed(1)} × ${height.toFixed(1)} pixels`;
  if (width <= 0 || height <= 0) {
    studio.dialogs.say("That stroke has no area within the picture, so it made no box.");
    return;
  }
  if (Math.min(width, height) < TINY && !(await studio.dialogs.confirm(`This box has only ${size}.`, "Keep it", "Leave it out"))) return;
  const picture = studio.picture;
  if (!picture) return;
  studio.ondrawn(corners);
  const under = proposalUnder(studio, corners);
  if (under) {
    const made = accept(studio, [under.id], { corners, mask, label: said ?? undefined, next: false });
    studio.label = made[0]?.label ?? studio.label;
    studio.select(made.map((each) => each.box));
    return;
  }
  /** @type {Change[]} */
  const changes = [];
  const guess = guessed(studio, corners);
  let label = said ?? guess.label ?? (studio.label && studio.labels.classOf(studio.label)?.id);
  label ??= studio.labels.listed()[0]?.id ?? null;
  if (!label) {
    const name = await studio.dialogs.name("The first class: what is in this box?");
    if (!name) return;
    const made = studio.labels.newClass(name);
    changes.push(made);
    label = made.id;
  }
  studio.label = label ?? null;
  studio.told = false;
  /** @type {Change} */
  const box = { ...fresh(picture.id, label ?? "", corners), mask, ...onTrack(studio, label ?? "", corners) };
  studio.labels.commit([...changes, box]);
  studio.memory.drew(box.id, guess.before, guess.here);
  studio.select([box.id]);
}

/** What makes a new box the key of a track, if this is a frame. @param {Studio} studio @param {string} label @param {Corners} corners */
function onTrack(studio, label, corners) {
  const track = studio.trackOf(label, corners);
  return { track, key_frame: track !== null };
}

/** The open proposal that a box was drawn over. @param {Studio} studio @param {Corners} corners */
function proposalUnder(studio, corners) {
  let [found, most] = [/** @type {import("./api.js").Proposal | null} */ (null), SAME];
  for (const each of studio.ghosts()) {
    const share = overlap(each.corners, corners);
    if (share >= most) [found, most] = [each, share];
  }
  return found;
}

/** The change that makes a box. @param {number} picture @param {string} label @param {Corners} corners @returns {Change} */
export function fresh(picture, label, corners) {
  return { do: "PutBox", id: newId(), picture, label, corners, mask: null, track: null,
    key_frame: false, difficult: false, crowd: false, source: "hand", score: null };
}

/** The change that gives a box other fields. @param {Box} box @param {Partial<Box>} fields @returns {Change} */
export function put(box, fields) {
  const { person: _person, at: _at, revision: _revision, ...kept } = box;
  return { do: "PutBox", ...kept, ...fields };
}

/**
 * Make edits of what the gesture has come to. A proposal is corrected by it, and so accepted.
 * @param {Studio} studio @param {{next?: boolean}} [how]  `next`: choose the next proposal then, else the box that was made
 */
export function keepPreview(studio, { next = true } = {}) {
  const changes = [];
  let lost = 0;
  const ghost = studio.ghost && studio.preview.get(studio.ghost);
  if (studio.ghost && ghost && area(ghost) > 0) {
    const made = accept(studio, [studio.ghost], { corners: ghost, next });
    if (!next) studio.select(made.map((each) => each.box), { held: true });
  }
  for (const [id, wanted] of studio.preview) {
    const box = studio.boxes.get(id);
    if (!box) continue;
    const corners = fitting(box, wanted);
    if (corners.every((value, i) => value === box.corners[i])) continue;
    if (area(corners) <= 0) {
      studio.dialogs.say("A box needs a width and a height: it stays as it was.");
      continue;
    }
    const mask = movedMask(box, corners);
    lost += Number(Boolean(box.mask) && !mask);
    changes.push(put(box, { corners, mask, source: "hand", score: null, key_frame: box.track !== null }));
  }
  studio.preview.clear();
  if (lost) studio.dialogs.say("The outline does not fit the box any more and was taken away; undo brings it back.");
  studio.labels.commit(changes);
  studio.changed();
}

/** Show what is chosen at another place, all of it moved alike. @param {Studio} studio @param {number} dx @param {number} dy */
export function previewMove(studio, dx, dy) {
  const [boxes, { size }] = [studio.pullable(), studio.stage];
  const by = together(boxes.map((each) => each.corners), dx, dy, size);
  for (const box of boxes) studio.preview.set(box.id, moved(box.corners, by[0], by[1], size));
}

/** @param {Studio} studio @param {number} dx @param {number} dy */
export function nudge(studio, dx, dy) {
  previewMove(studio, dx, dy);
  keepPreview(studio, { next: false });
}

/** @param {Studio} studio @param {number} dx @param {number} dy */
export function grow(studio, dx, dy) {
  for (const box of studio.pullable()) studio.preview.set(box.id, resized(box.corners, "se", dx, dy, studio.stage.size));
  keepPreview(studio, { next: false });
}

/** Let the chosen boxes, and those to come, be of a class. @param {Studio} studio @param {string} label */
export function choose(studio, label) {
  if (studio.whole) return labelWhole(studio, label);
  const pointed = studio.selection.size || studio.ghost ? null : mistaken(studio, label);
  studio.label = label;
  if (pointed) return void accept(studio, [pointed.id], { label, next: false });
  studio.told = !studio.selection.size && !studio.ghost;
  classify(studio);
  studio.changed();
}

/** The proposal under the pointer that would be taken, as of another class than this. @param {Studio} studio @param {string} label */
function mistaken(studio, label) {
  const pointed = studio.pointed();
  const other = pointed && pointed.name !== studio.labels.classOf(label)?.name;
  return other && studio.above().includes(pointed) ? pointed : null;
}

/** Give the picture as a whole a class; it is done then, and the next to do is shown. @param {Studio} studio @param {string} label */
function labelWhole(studio, label) {
  const picture = studio.picture;
  if (!picture?.ready) return;
  const todo = picture.state !== "done";
  /** @type {Change[]} */
  const changes = studio.labels.classOf(picture.label ?? "")?.id === label ? [] : [{ do: "LabelPicture", picture: picture.id, label }];
  if (todo) changes.push({ do: "SetState", picture: picture.id, state: "done" });
  studio.labels.commit(changes);
  studio.changed();
  if (todo) studio.onlabelled();
}

/** Let the chosen boxes, or the chosen proposal, be of the class of now. @param {Studio} studio */
export function classify(studio) {
  const label = studio.label;
  if (!label) return;
  if (studio.ghost) return void accept(studio, [studio.ghost], { label });
  const changes = studio.selected().filter((each) => studio.labels.classOf(each.label)?.id !== label && !studio.onclass(each, label))
    .map((each) => put(each, { label }));
  studio.labels.commit(changes);
}

/** @param {Studio} studio */
export function remove(studio) {
  if (studio.ghost) return reject(studio, [studio.ghost]);
  const picture = studio.picture;
  if (studio.whole && picture?.label) {
    studio.labels.commit([{ do: "LabelPicture", picture: picture.id, label: null }, ...(picture.state === "todo" ? [] : [{ do: "SetState", picture: picture.id, state: "todo" }])]);
    return;
  }
  studio.labels.commit(studio.selected().map((each) => ({ do: "RemoveBox", id: each.id, picture: picture?.id })));
}

/** Mark the chosen boxes, or unmark them where all are. @param {Studio} studio @param {"difficult" | "crowd"} what */
export function mark(studio, what) {
  const boxes = studio.selected();
  const on = !boxes.every((each) => each[what]);
  studio.labels.commit(boxes.map((each) => put(each, { [what]: on })));
}

/** Ask which object through frames the chosen box follows. @param {Studio} studio */
export async function follow(studio) {
  const [box, ...others] = studio.selected();
  if (!box) return void studio.dialogs.say("Choose a box first: a track follows one object through frames.", 4);
  if (others.length) return void studio.dialogs.say("Choose one box alone: a track has one box in a picture.", 4);
  const name = await studio.dialogs.answer("Which object is it? The same name or number in each frame; empty for none.", "Track", box.track ?? "");
  if (name === null) return;
  const track = name.trim() || null;
  const twin = [...studio.boxes.values()].find((each) => each.id !== box.id && track !== null && each.track === track);
  if (twin) return void studio.dialogs.say(`Another box of this picture is track ${isolated(track ?? "")} already.`);
  if (track !== box.track) studio.labels.commit([put(box, { track, key_frame: track !== null })]);
}

/** @param {Studio} studio */
export function newBox(studio) {
  const { view, room, size } = studio.stage;
  const [w, h] = [Math.min(size[0], room[0] / view.scale) / 5, Math.min(size[1], room[1] / view.scale) / 5];
  const [x, y] = [(room[0] / 2 - view.x) / view.scale - w / 2, (room[1] / 2 - view.y) / view.scale - h / 2];
  if (studio.writable) drawn(studio, moved(/** @type {Corners} */ ([x, y, x + w, y + h].map(Math.round)), 0, 0, size));
}
