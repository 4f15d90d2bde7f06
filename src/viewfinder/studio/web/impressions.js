/** What a network makes of the parts of pictures, by which boxes are told apart better than by their colours and edges. */

import { bytes } from "./api.js";

/** @typedef {import("./geometry.js").Corners} Corners */

// The map of each picture: places across and down, and numbers of each.
const [SIDE, NUMBERS] = [32, 112];
// Boxes from which on pictures are asked about: fewer tell little, and the network takes a process of its own.
const ENOUGH = 12;
const [MOST, MOST_WAITING] = [30, 5];

export class Impressions {
  /** By picture. @type {Map<number, Int8Array>} */
  #kept = new Map();
  /** @type {number[]} */
  #waiting = [];
  #asking = false;
  #off = false;

  /** Whether nothing is being waited for. */
  get rests() {
    return !this.#asking;
  }

  /** Ask for a picture's, unless it is here. @param {number} picture @param {Record<string, number>} boxes  how many there are of each class */
  ask(picture, boxes) {
    const counts = Object.values(boxes).filter((each) => each > 0);
    if (this.#off || counts.length < 2 || counts.reduce((a, b) => a + b, 0) < ENOUGH) return;
    if (this.#kept.has(picture) || this.#waiting.includes(picture)) return;
    this.#waiting = [...this.#waiting, picture].slice(-MOST_WAITING);
    if (!this.#asking) this.#go();
  }

  async #go() {
    this.#asking = true;
    for (let picture = this.#waiting[0]; picture !== undefined && !this.#off; picture = this.#waiting[0]) {
      // What cannot be had is done without: a class is guessed by looks alone then.
      const found = await bytes(`/api/pictures/${picture}/impression`).catch(() => null);
      this.#waiting = this.#waiting.filter((each) => each !== picture);
      this.#off = found?.byteLength !== SIDE * SIDE * NUMBERS;
      if (!found || this.#off) continue;
      this.#kept.set(picture, new Int8Array(found));
      for (const old of [...this.#kept.keys()].slice(0, -MOST)) this.#kept.delete(old);
    }
    this.#asking = false;
  }

  /** The mean of what lies within a box, of length 1; null where it is not known yet. @param {number} picture @param {Corners} corners @param {[number, number]} size  of the picture */
  of(picture, corners, size) {
    const map = this.#kept.get(picture);
    if (!map) return null;
    const [across, down] = [0, 1].map((axis) => shares(corners[axis] / size[axis], corners[axis + 2] / size[axis]));
    const found = new Float32Array(NUMBERS);
    down.forEach((high, y) => {
      if (high > 0) across.forEach((wide, x) => {
        if (wide > 0) for (let k = 0; k < NUMBERS; k++) found[k] += high * wide * map[(y * SIDE + x) * NUMBERS + k];
      });
    });
    const length = Math.hypot(...found) || 1;
    return found.map((value) => value / length);
  }
}

/** How much of each place lies between two shares of a side. @param {number} from @param {number} to */
const shares = (from, to) => Array.from({ length: SIDE }, (_, at) => Math.max(0, Math.min(at + 1, to * SIDE) - Math.max(at, from * SIDE)));
