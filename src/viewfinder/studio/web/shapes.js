/** What the stage draws of the picture's boxes and proposals. */

/** @param {import("./studio.js").Studio} studio @returns {import("./stage.js").Shape[]} */
export function shapesOf(studio) {
  const names = studio.showsNames;
  const boxes = studio.visible().map((each) => ({
    corners: studio.preview.get(each.id) ?? each.corners,
    colour: studio.colour(each.label),
    name: names ? studio.labels.classOf(each.label)?.name ?? "?" : "",
    selected: studio.selection.has(each.id), locked: studio.locked.has(each.id),
    difficult: each.difficult, mask: each.mask, ghost: false,
  }));
  const ghosts = studio.ghosts().map((each) => ({
    corners: studio.preview.get(each.id) ?? each.corners, colour: studio.colourOfName(each.name),
    name: names ? `${each.name} ${each.score.toFixed(2)}` : "", selected: studio.ghost === each.id,
    locked: false, difficult: false, mask: null, ghost: true,
  }));
  return [...ghosts, ...boxes];
}
