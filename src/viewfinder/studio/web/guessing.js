/**
 * Which class a new box is of: by its look, as those of this sitting tell, or their mirror images; and
 * by how classes followed each other in what this person has drawn so far.
 *
 * A look is how edges run in each part of the box, its colours, and its size; and, once that is known, what a
 * network makes of it. It is a guess: a class
 * key says otherwise, and a class that was chosen before drawing is not guessed at.
 */

import { Impressions } from "./impressions.js";
import { Likeness } from "./likeness.js";
import { Sequence } from "./sequence.js";

/**
 * @typedef {import("./geometry.js").Corners} Corners
 * @typedef {import("./studio.js").Studio} Studio
 */

const SIDE = 32;
const CELLS = 8;
const DIRECTIONS = 6;
const COLOURS = 4;
// Of one picture: each is a small drawing of its own.
const MOST_A_PICTURE = 150;
const LEAST_SIDE = 4;
// Chosen on rendered scenes: colours and sizes of a few classes that differ in both.
const [BY_COLOUR, BY_SIZE] = [1 / 7, 0.7];

export class Memory {
  impressions = new Impressions();
  #likeness = new Likeness();
  /** Of each box that is remembered, the corners that it had. @type {WeakMap<Float32Array, Corners>} */
  #corners = new WeakMap();
  #sequence = new Sequence();
  /** The box that was drawn last: the class before it, and the classes that its picture had. @type {{id: string, before: string | null, here: Set<string>} | null} */
  #last = null;
  #context = /** @type {CanvasRenderingContext2D | null} */ (null);

  /** Remember the boxes of the picture that is shown, as they are now. @param {Studio} studio */
  keep(studio) {
    const image = studio.stage.image;
    if (!image || studio.boxes.size > MOST_A_PICTURE) return;
    for (const { id, corners, label } of studio.boxes.values()) {
      const known = this.#likeness.of(id);
      const kept = known && same(this.#corners.get(known.numbers) ?? [0, 0, 0, 0], corners);
      const look = kept && known.vector ? known : this.look(studio, corners, kept ? known : undefined);
      if (!look) continue;
      this.#corners.set(look.numbers, corners);
      this.#likeness.put({ id, ...look, label });
    }
  }

  /**
   * The likeliest class; null where nothing was seen.
   * @param {import("./likeness.js").Look} look @param {string | null} before  the class of the box before @param {Set<string>} here  those of the picture
   */
  likeliest(look, before, here) {
    const alike = this.#likeness.shares(look);
    const follows = this.#sequence.shares(before, here, [...alike.keys()]);
    let [found, most] = [/** @type {string | null} */ (null), -1];
    for (const [label, share] of alike) {
      const weight = share * (follows.get(label) ?? 0);
      if (weight > most) [found, most] = [label, weight];
    }
    return found;
  }

  /** The class of the box that was drawn last, as it is now: what followed what is known by it. @param {Studio} studio */
  before(studio) {
    const last = this.#last;
    const label = last && (studio.boxes.get(last.id)?.label ?? this.#likeness.of(last.id)?.label);
    this.#last = null;
    if (last && label) this.#sequence.add(last.before, last.here, label);
    return label ?? (studio.label && studio.labels.classOf(studio.label)?.id) ?? null;
  }

  /** A box was drawn. @param {string} id @param {string | null} before @param {Set<string>} here */
  drew(id, before, here) {
    this.#last = { id, before, here };
  }

  /**
   * What a box of the picture looks like; null where it is too small to tell.
   * @param {Studio} studio @param {Corners} corners @param {import("./likeness.js").Look} [known]  but for its vector
   * @returns {import("./likeness.js").Look | null}
   */
  look(studio, corners, known) {
    const { picture, stage: { image, size } } = studio;
    const numbers = known?.numbers ?? (image && this.#numbers(image, corners, size));
    if (!picture || !numbers) return null;
    const vector = this.impressions.of(picture.id, corners, size);
    return { numbers, mirrored: known?.mirrored ?? mirrored(numbers), vector };
  }

  /** @param {HTMLImageElement} image @param {Corners} corners @param {[number, number]} size @returns {Float32Array | null} */
  #numbers(image, corners, size) {
    const share = image.naturalWidth / size[0];
    const [x, y, width, height] = [corners[0], corners[1], corners[2] - corners[0], corners[3] - corners[1]];
    if (Math.min(width, height) < LEAST_SIDE) return null;
    this.#context ??= prepared();
    this.#context.drawImage(image, x * share, y * share, width * share, height * share, 0, 0, SIDE, SIDE);
    const { data } = this.#context.getImageData(0, 0, SIDE, SIDE);
    const shape = [BY_SIZE * Math.log(width / height), BY_SIZE * Math.log((width * height) / (size[0] * size[1])) / 2];
    return Float32Array.from([...edges(data), ...colours(data), ...shape]);
  }
}

/**
 * The class that a box is guessed to be of, if any; and what `drew` is told once it is drawn.
 * @param {Studio} studio @param {Corners} corners
 */
export function guessed(studio, corners) {
  const image = studio.stage.image;
  const { memory } = studio;
  const before = memory.before(studio);
  const here = new Set([...studio.boxes.values()].map((each) => each.label));
  if (!studio.guesses || studio.told || !image) return { label: null, before, here };
  memory.keep(studio);
  const look = memory.look(studio, corners);
  const found = look && memory.likeliest(look, before, here);
  return { label: (found && studio.labels.classOf(found)?.id) ?? null, before, here };
}

/** The look of a box's mirror image. @param {Float32Array} look */
function mirrored(look) {
  const found = Float32Array.from(look);
  const turned = (/** @type {number} */ side, /** @type {number} */ each, /** @type {number} */ from, /** @type {(part: number) => number} */ part) => {
    for (let cell = 0; cell < side * side; cell++) {
      const other = cell - (cell % side) + (side - 1 - (cell % side));
      for (let k = 0; k < each; k++) found[from + other * each + part(k)] = look[from + cell * each + k];
    }
  };
  // An edge that runs up to the right runs up to the left.
  turned(CELLS, DIRECTIONS, 0, (k) => (DIRECTIONS - k) % DIRECTIONS);
  turned(COLOURS, 3, CELLS * CELLS * DIRECTIONS, (k) => k);
  return found;
}

function prepared() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [SIDE, SIDE];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.imageSmoothingQuality = "high";
  return context;
}

/** How much edges run in each of six directions, in each of 8 × 8 cells. @param {Uint8ClampedArray} data */
function edges(data) {
  const grey = Float32Array.from({ length: SIDE * SIDE }, (_, i) => (data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 765);
  const found = new Float32Array(CELLS * CELLS * DIRECTIONS);
  const wide = SIDE / CELLS;
  for (let y = 1; y < SIDE - 1; y++) {
    for (let x = 1; x < SIDE - 1; x++) {
      const at = y * SIDE + x;
      const [dx, dy] = [grey[at + 1] - grey[at - 1], grey[at + SIDE] - grey[at - SIDE]];
      const angle = ((Math.atan2(dy, dx) + Math.PI) % Math.PI) / Math.PI * DIRECTIONS;
      const first = Math.floor(angle) % DIRECTIONS;
      const part = angle - Math.floor(angle);
      const cell = (Math.floor(y / wide) * CELLS + Math.floor(x / wide)) * DIRECTIONS;
      const strength = Math.sqrt(Math.hypot(dx, dy));
      found[cell + first] += strength * (1 - part);
      found[cell + (first + 1) % DIRECTIONS] += strength * part;
    }
  }
  const length = Math.hypot(...found) + 1e-6;
  return found.map((value) => value / length);
}

/** The mean colour of each of 4 × 4 parts. @param {Uint8ClampedArray} data */
function colours(data) {
  const found = new Float32Array(COLOURS * COLOURS * 3);
  const wide = SIDE / COLOURS;
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const cell = (Math.floor(y / wide) * COLOURS + Math.floor(x / wide)) * 3;
      for (let c = 0; c < 3; c++) found[cell + c] += data[4 * (y * SIDE + x) + c];
    }
  }
  return found.map((value) => (BY_COLOUR * value) / (255 * wide * wide));
}

/** @param {Corners} a @param {Corners} b */
const same = (a, b) => a.every((value, i) => value === b[i]);
