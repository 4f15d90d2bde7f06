/** From which score on proposals are taken where no person moved the slider: what those of the pictures done tell. */

import { overlap } from "./geometry.js";

/**
 * @typedef {import("./labels.js").Content} Content
 * @typedef {{score: number, right: boolean}} Seen  a proposal of a picture that is done
 */

export const USUAL = 0.5;
// Of a class, the last ones: whoever proposes learns anew now and then.
const MOST = 100;
const STEPS = Array.from({ length: 19 }, (_, at) => (at + 1) / 20);
// Intersection over union from which a proposal would have been right as it was, and from which it was
// another opinion of an object that had to be drawn anyway.
const [RIGHT, ALIKE] = [0.7, 0.4];

export class Sliders {
  /** By class. @type {Map<string, Seen[]>} */
  #seen = new Map();

  /** @param {Record<string, number>} [least]  by class, as it was found before */
  constructor(least = {}) {
    this.least = { ...least };
  }

  /** @param {string} name */
  of(name) {
    return this.least[name] ?? USUAL;
  }

  /** A picture is done: its boxes say which proposals were right; whether that moved a slider. @param {Content} content @param {(label: string) => string | undefined} nameOf */
  saw(content, nameOf) {
    const boxes = [...content.boxes.values()].map((each) => ({ name: nameOf(each.label), corners: each.corners, met: false }));
    const proposals = [...content.proposals.values()].filter((each) => each.track === undefined).sort((a, b) => b.score - a.score);
    for (const { name, score, corners } of proposals) {
      const met = boxes.find((each) => !each.met && each.name === name && overlap(each.corners, corners) >= RIGHT);
      if (met) met.met = true;
      else if (boxes.some((each) => overlap(each.corners, corners) >= ALIKE)) continue;
      this.#seen.set(name, [...(this.#seen.get(name) ?? []), { score, right: Boolean(met) }].slice(-MOST));
    }
    const before = { ...this.least };
    for (const [name, seen] of this.#seen) this.least[name] = fewest(seen, this.of(name));
    return Object.keys(this.least).some((name) => this.of(name) !== (before[name] ?? USUAL));
  }
}

/**
 * The score from which on taking costs the fewest actions: one for each that is wrong and taken, one for each that is
 * right and is not. One action saved is chance.
 * @param {Seen[]} seen @param {number} now
 */
export function fewest(seen, now) {
  const cost = (/** @type {number} */ least) => seen.filter(({ score, right }) => (score >= least) !== right).length;
  let [found, most] = [now, cost(now) - 1];
  for (const least of [...STEPS].sort((a, b) => Math.abs(a - now) - Math.abs(b - now))) {
    if (cost(least) < most) [found, most] = [least, cost(least)];
  }
  return found;
}
