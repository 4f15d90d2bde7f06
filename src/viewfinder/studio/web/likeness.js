/**
 * Classes by likeness: ridge regression of a class's share on how alike boxes look (kernel ridge
 * regression, Saunders, Gammerman and Vovk 1998), with as many classes as there are.
 *
 * Boxes are alike by a Gaussian of the distance of their looks, of that to the mirror image, and of that
 * between what a network makes of them. The
 * Cholesky factor of all likenesses grows by a row a box, so that a guess takes some milliseconds.
 *
 * @typedef {{numbers: Float32Array, mirrored: Float32Array, vector: Float32Array | null}} Look
 *   `vector`: what a network makes of it, where that is known
 * @typedef {Look & {id: string, label: string}} Seen
 */

// All three were chosen on eight sets of rendered scenes, which no figure is told of: how fast likeness
// falls with distance, how little one box is believed, and how much a share of a class counts.
const [WIDTH, RIDGE, SURE] = [0.6, 0.1, 10];
// The same of what a network makes of them, and how many times it counts; the figures of two further sets.
const [VECTORS_WIDTH, VECTORS] = [0.4, 2];
// Boxes that are compared; beyond, the oldest third is forgotten.
const MOST = 600;

export class Likeness {
  /** @type {Seen[]} */
  #seen = [];
  /** Rows of the factor, of the first so many boxes. @type {Float64Array[]} */
  #factor = [];

  /** A box as it is now. @param {Seen} seen */
  put(seen) {
    const at = this.#seen.findIndex((each) => each.id === seen.id);
    if (at < 0) this.#seen.push(seen);
    else {
      if (this.#seen[at].numbers !== seen.numbers || this.#seen[at].vector !== seen.vector) this.#factor.length = Math.min(this.#factor.length, at);
      this.#seen[at] = seen;
    }
    if (this.#seen.length <= MOST) return;
    this.#seen.splice(0, MOST / 3);
    this.#factor = [];
  }

  /** @param {string} id @returns {Seen | undefined} */
  of(id) {
    return this.#seen.find((each) => each.id === id);
  }

  /** How likely each class is that was seen, in any unit, by looks alone. @param {Look} look @returns {Map<string, number>} */
  shares(look) {
    const seen = this.#seen;
    for (let at = this.#factor.length; at < seen.length; at++) this.#factor.push(this.#row(at));
    const weights = this.#solved(seen.map((each) => alike(look, each)));
    /** @type {Map<string, {sum: number, count: number}>} */
    const found = new Map();
    let all = 0;
    seen.forEach(({ label }, i) => {
      const { sum, count } = found.get(label) ?? { sum: 0, count: 0 };
      found.set(label, { sum: sum + weights[i], count: count + 1 });
      all += weights[i];
    });
    // Beside how often a class came, of which the order of classes tells more.
    const scores = [...found].map(([label, { sum, count }]) => /** @type {[string, number]} */ ([label, sum - (all * count) / seen.length]));
    const most = Math.max(...scores.map(([, score]) => score));
    return new Map(scores.map(([label, score]) => [label, Math.exp(SURE * (score - most))]));
  }

  /** The factor's row of a box, once those before it are there. @param {number} at */
  #row(at) {
    const own = this.#seen[at];
    const row = new Float64Array(at + 1);
    let rest = RIDGE + alike(own, own);
    for (let j = 0; j < at; j++) {
      row[j] = (alike(own, this.#seen[j]) - product(row, this.#factor[j], j)) / this.#factor[j][j];
      rest -= row[j] * row[j];
    }
    row[at] = Math.sqrt(Math.max(rest, RIDGE / 10)); // mirror images are so but for the last bits
    return row;
  }

  /** What the factor and its transpose make of a column. @param {number[]} column @returns {Float64Array} */
  #solved(column) {
    const found = Float64Array.from(column);
    const factor = this.#factor;
    for (let i = 0; i < found.length; i++) found[i] = (found[i] - product(factor[i], found, i)) / factor[i][i];
    for (let i = found.length - 1; i >= 0; i--) {
      found[i] /= factor[i][i];
      for (let j = 0; j < i; j++) found[j] -= factor[i][j] * found[i];
    }
    return found;
  }
}

/** How alike a box is to another, or to its mirror image. @param {Look} a @param {Look} b */
function alike(a, b) {
  const looks = Math.exp(-apart(a.numbers, b.numbers) / WIDTH) + Math.exp(-apart(a.mirrored, b.numbers) / WIDTH);
  if (!a.vector || !b.vector) return looks;
  // Shapes, the last two of the numbers, are lost on the network.
  return looks + VECTORS * Math.exp(-(apart(a.vector, b.vector) + apart(a.numbers.subarray(-2), b.numbers.subarray(-2))) / VECTORS_WIDTH);
}

/** The square of how far apart two looks are. @param {Float32Array} a @param {Float32Array} b */
function apart(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

/** @param {Float64Array} a @param {Float64Array} b @param {number} count */
function product(a, b, count) {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += a[i] * b[i];
  return sum;
}
