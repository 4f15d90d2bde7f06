/**
 * Which class a new box is of, by its look: that of the most alike boxes of this sitting; and, as a
 * person often draws one class after another, rather that of the box before, as often as it was so.
 *
 * A look is how edges run in each part of the box, its colours, and its size. It is a guess: a class
 * key says otherwise, and a class that was chosen before drawing is not guessed at.
 */

/**
 * @typedef {import("./geometry.js").Corners} Corners
 * @typedef {import("./studio.js").Studio} Studio
 * @typedef {{numbers: Float32Array, label: string}} Seen
 */

const SIDE = 32;
const CELLS = 8;
const DIRECTIONS = 6;
const COLOURS = 4;
const MOST = 1500;
// Of one picture: each is a small drawing of its own.
const MOST_A_PICTURE = 150;
const LEAST_SIDE = 4;
// Chosen on rendered scenes: colours and sizes of a few classes that differ in both.
const [BY_COLOUR, BY_SIZE] = [1 / 7, 0.7];
// How fast a box counts less the less alike it is, and how much the box before says: chosen on other
// scenes than those that benchmarks/label_person.py draws.
const [WIDTH, BEFORE] = [0.1, 0.7];

export class Memory {
  /** By box, with the corners that it had. @type {Map<string, Seen & {corners: Corners}>} */
  #seen = new Map();
  // Of the boxes that were drawn, how many were of the class of the one before; as if of 2, 1 had been.
  #same = 1;
  #drawn = 2;
  /** The class of the box before the last. @type {string | null} */
  #last = null;
  #context = /** @type {CanvasRenderingContext2D | null} */ (null);

  /** Remember the boxes of the picture that is shown, as they are now. @param {Studio} studio */
  keep(studio) {
    const image = studio.stage.image;
    if (!image || studio.boxes.size > MOST_A_PICTURE) return;
    for (const box of studio.boxes.values()) {
      const known = this.#seen.get(box.id);
      const numbers = known && same(known.corners, box.corners) ? known.numbers : this.look(image, box.corners, studio.stage.size);
      this.#seen.delete(box.id);
      if (numbers) this.#seen.set(box.id, { numbers, label: box.label, corners: box.corners });
    }
    for (const id of [...this.#seen.keys()].slice(0, -MOST)) this.#seen.delete(id);
  }

  /**
   * The class of the most alike boxes; null where nothing was seen.
   * @param {Float32Array} numbers @param {string | null} before  the class of the box before
   */
  likeliest(numbers, before) {
    const seen = [...this.#seen.values()];
    const apart = seen.map((each) => numbers.reduce((sum, value, i) => sum + (value - each.numbers[i]) ** 2, 0));
    const least = Math.min(...apart);
    /** @type {Map<string, number>} */
    const shares = new Map();
    seen.forEach(({ label }, i) => shares.set(label, (shares.get(label) ?? 0) + Math.exp((least - apart[i]) / WIDTH)));
    const same = this.#same / this.#drawn;
    const other = (1 - same) / Math.max(shares.size - 1, 1);
    const weight = (/** @type {string} */ label) => (shares.get(label) ?? 0) * (label === before ? same : other) ** BEFORE;
    return [...shares.keys()].reduce((/** @type {string | null} */ best, label) => (best === null || weight(label) > weight(best) ? label : best), null);
  }

  /** A box is drawn: what became of the one before is known now. @param {string | null} before  its class */
  follows(before) {
    if (before && this.#last) {
      this.#drawn += 1;
      this.#same += Number(before === this.#last);
    }
    this.#last = before;
  }

  /** @param {HTMLImageElement} image @param {Corners} corners @param {[number, number]} size @returns {Float32Array | null} */
  look(image, corners, size) {
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

/** @param {Studio} studio @param {Corners} corners @returns {string | null} */
export function guessed(studio, corners) {
  const image = studio.stage.image;
  const before = (studio.label && studio.labels.classOf(studio.label)?.id) ?? null;
  studio.memory.follows(before);
  if (!studio.guesses || studio.told || !image) return null;
  studio.memory.keep(studio);
  const numbers = studio.memory.look(image, corners, studio.stage.size);
  const found = numbers && studio.memory.likeliest(numbers, before);
  return (found && studio.labels.classOf(found)?.id) ?? null;
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
