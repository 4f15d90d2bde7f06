/** What the stage draws of the picture's boxes and proposals. */

/** @param {import("./studio.js").Studio} studio @returns {import("./stage.js").Shape[]} */
export function shapesOf(studio) {
  const names = studio.showsNames;
  /** Asked once for each class, as there may be thousands of boxes. @type {Map<string, {colour: string, name: string}>} */
  const looks = new Map();
  const look = (/** @type {string} */ label) => {
    const known = looks.get(label) ?? { colour: studio.colour(label), name: studio.labels.classOf(label)?.name ?? "?" };
    looks.set(label, known);
    return known;
  };
  const boxes = studio.visible().map((each) => ({
    corners: studio.preview.get(each.id) ?? each.corners,
    colour: look(each.label).colour,
    name: names ? look(each.label).name : "",
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
