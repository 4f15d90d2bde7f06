/** One stroke over many proposals: those that it passes are accepted, or refused, all in one edit. */

import { overlap, smallestAt } from "./geometry.js";
import { ALIKE, accept, reject } from "./proposals.js";

/**
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {{what: "accept" | "reject", among: import("./api.js").Proposal[]}} Deciding  `among`: what there
 *   was when the key was pressed, as what lies under one that is decided is not passed itself
 */

// Pixels of the screen between two looks at what lies below the stroke.
const STEP = 3;

export class Sweep {
  /** @type {Point} */
  #last;

  /** @param {import("./studio.js").Studio} studio @param {Deciding} deciding @param {Point} at  in pixels of the picture */
  constructor(studio, { what, among }, at) {
    this.studio = studio;
    this.what = what;
    this.among = among;
    this.#last = at;
    this.pass([at]);
  }

  /** The pointer went on. @param {Point[]} path  in pixels of the picture */
  pass(path) {
    for (const [x, y] of path) {
      const [fromX, fromY] = this.#last;
      const steps = Math.max(1, Math.ceil(Math.hypot(x - fromX, y - fromY) * this.studio.stage.view.scale / STEP));
      for (let step = 0; step <= steps; step++) this.#over([fromX + ((x - fromX) * step) / steps, fromY + ((y - fromY) * step) / steps]);
      this.#last = [x, y];
    }
  }

  /** @param {Point} at */
  #over(at) {
    const { swept, boxes } = this.studio;
    const one = smallestAt(this.among, at);
    if (!one || swept.has(one.id)) return;
    // Of two opinions of one object the first that is passed is taken.
    const taken = [...boxes.values(), ...this.among.filter((each) => swept.has(each.id))];
    if (this.what === "accept" && taken.some((each) => overlap(each.corners, one.corners) >= ALIKE)) return;
    swept.add(one.id);
    this.studio.changed();
  }

  /** Keep what it came to. */
  end() {
    const ids = [...this.studio.swept];
    this.studio.swept.clear();
    if (!ids.length) return;
    if (this.what === "accept") accept(this.studio, ids, { next: false });
    else reject(this.studio, ids, { next: false });
  }
}
