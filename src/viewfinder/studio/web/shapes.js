/** What the stage draws of the picture's boxes and proposals. */

import { apart, isMove } from "./masks.js";
import { isolated } from "./names.js";

/** @type {[number, number]} */
const STILL = [0, 0];

/** @param {import("./studio.js").Studio} studio @param {boolean} chosen  those, or all others @returns {import("./stage.js").Shape[]} */
export function shapesOf(studio, chosen) {
  const names = studio.showsNames;
  /** Asked once for each class, as there may be thousands of boxes. @type {Map<string, {colour: string, name: string}>} */
  const looks = new Map();
  const look = (/** @type {string} */ label) => {
    const known = looks.get(label) ?? { colour: studio.colour(label), name: studio.labels.classOf(label)?.name ?? "?" };
    looks.set(label, known);
    return known;
  };
  const meant = chosen ? studio.chosen() : studio.visible().filter((each) => !studio.selection.has(each.id));
  const boxes = meant.map((each) => {
    const corners = studio.preview.get(each.id);
    return {
      corners: corners ?? each.corners,
      colour: look(each.label).colour,
      name: names ? look(each.label).name : "",
      selected: chosen, locked: studio.locked.has(each.id), marks: names ? marksOf(each) : "",
      mask: corners && !isMove(each.corners, corners) ? null : each.mask,
      by: corners ? apart(each.corners, corners) : STILL, ghost: false,
    };
  });
  const taken = new Set(studio.above());
  const ghosts = studio.ghosts().filter((each) => (studio.ghost === each.id || studio.swept.has(each.id)) === chosen).map((each) => ({
    corners: studio.preview.get(each.id) ?? each.corners, colour: studio.colourOfName(each.name),
    name: names ? each.name : "", selected: chosen, locked: false,
    marks: !names ? "" : each.track === undefined ? ` ${each.score.toFixed(2)}` : ` #${isolated(each.track)} between`, mask: studio.preview.has(each.id) ? null : each.mask, by: STILL, ghost: true, moving: each.track !== undefined,
    below: each.track === undefined && !taken.has(each),
  }));
  return [...ghosts, ...boxes];
}

/** What else is said of a box beside its class. @param {import("./api.js").Box} box */
export function marksOf(box) {
  const track = box.track === null ? "" : ` #${isolated(box.track)}`;
  return `${track}${box.difficult ? " difficult" : ""}${box.crowd ? " crowd" : ""}`;
}
