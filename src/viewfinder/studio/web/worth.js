/** Whether it is worth looking at what somebody proposes: what became of it in the pictures that are done. */

import { USUAL } from "./sliders.js";

// Of each proposer the last ones, as one that learns gets better; and from how many on it is told.
const [MOST, ENOUGH] = [40, 10];

export class Worth {
  /** By who proposed it, whether each was taken. @type {Map<string, boolean[]>} */
  #taken = new Map();

  /** A picture is done. @param {import("./labels.js").Content} content @param {(name: string) => number} least  the score from which on a class's proposals are taken */
  saw(content, least) {
    for (const { run, name, score, state, track } of content.proposals.values()) {
      // What is below its slider was not meant to be taken; unless the slider rose, as so much was wrong.
      if (track !== undefined || (state === "open" && score < Math.min(least(name), USUAL))) continue;
      this.#taken.set(run, [...(this.#taken.get(run) ?? []), state === "accepted"].slice(-MOST));
    }
  }

  /** Of one whose proposals are refused more often than taken, how many of how many were taken; else null. @param {string} run */
  poor(run) {
    const seen = this.#taken.get(run) ?? [];
    const right = seen.filter(Boolean).length;
    return seen.length >= ENOUGH && 2 * right < seen.length ? { right, of: seen.length } : null;
  }
}
