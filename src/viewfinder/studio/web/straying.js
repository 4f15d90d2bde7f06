/** Where boxes between key frames stray from what they are of, it is said that they can go along with the picture. */

import { overlap } from "./geometry.js";
import { moving } from "./proposals.js";

// Intersection over union below which one that is drawn anew had strayed, and above which it is the same object at all.
const [STRAYED, SAME] = [0.7, 0.1];
// From how many on it is said, once a visit.
const ENOUGH = 3;

export class Straying {
  #count = 0;

  /** @param {import("./main.js").Page} page */
  constructor(page) {
    this.page = page;
    page.studio.ondrawn = (corners) => this.#drew(corners);
  }

  /** A box was drawn. @param {import("./geometry.js").Corners} corners */
  #drew(corners) {
    const { studio, film, dialogs } = this.page;
    if (film.video?.motion !== "linear" || !studio.content || this.#count >= ENOUGH) return;
    const share = Math.max(0, ...moving(studio.content).map((each) => overlap(each.corners, corners)));
    if (share <= SAME || share >= STRAYED) return;
    this.#count += 1;
    if (this.#count < ENOUGH) return;
    dialogs.say("Between key frames these do not move in a straight line: Shift+M lets the boxes go along with the picture.", 15);
  }
}
