/** What is said where pictures have classes as wholes, and somebody means to make a box. */

import { element } from "./dialogs.js";

/** The commands that make boxes, or change or decide them. */
const OF_BOXES = new Set(["new-box", "grab-nw", "grab-se", "repeat", "duplicate", "copy", "paste", "difficult", "crowd", "track",
  "outline", "brush", "erase", "polygon", "points", "accept", "reject", "accept-all", "accept-done", "sheet", "propose",
  "accept-span", "accept-film"]);
/** The changes that make one. */
const MAKES = ["PutBox", "Accept"];

const WHY = "Here each picture has a class as a whole, so there are no boxes: one would count nowhere.";
const HOW = "For boxes, end the studio, and open the folder by viewfinder label --kind boxes.";

export const whyBoxless = `${WHY} ${HOW}`;

/** Why a command does nothing; "" where it does what it says. @param {import("./studio.js").Studio} studio @param {string} command */
export const boxlessBecause = (studio, command) => (studio.whole && OF_BOXES.has(command) ? whyBoxless : "");

/** Whether changes make boxes. @param {import("./labels.js").Change[]} changes */
export const makesBoxes = (changes) => changes.some((each) => MAKES.includes(each.do));

/** The panel of proposals, where none can be accepted. @param {number} count @returns {Node[]} */
export function boxlessProposals(count) {
  return [element("h2", {}, `Proposals: ${count}`), element("p", {}, WHY), element("p", { class: "soft" }, HOW)];
}
