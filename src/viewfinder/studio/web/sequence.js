/**
 * How classes follow each other in what a person draws.
 *
 * Many draw all of one class, then all of another; many go through the classes in one order. So it is
 * counted how often the class of a box was that of the box before, one that the picture had already,
 * or another; and how often each came after each, where it is known. A picture's first box is counted by
 * itself: it follows a box of another picture.
 */

const [SAME, THERE, OTHER] = [0, 1, 2];
// As if each kind had been seen once in two boxes, so that the first boxes say little.
const FIRST = { came: 1, could: 2 };

export class Sequence {
  #first = counts();
  #others = counts();

  /** @param {string | null} before  the class of the box before @param {Set<string>} here  those that the picture had @param {string} label */
  add(before, here, label) {
    if (!before) return;
    const kind = kindOf(label, before, here);
    const { kinds, after } = here.size ? this.#others : this.#first;
    kinds.forEach((each, i) => {
      if (i === THERE && [...here].every((one) => one === before)) return;
      each.could += 1;
      each.came += Number(i === kind);
    });
    const known = after.get(before) ?? new Map();
    after.set(before, known.set(label, (known.get(label) ?? 0) + 1));
  }

  /**
   * How likely each class is to come next, in any unit.
   * @param {string | null} before @param {Set<string>} here @param {string[]} labels @returns {Map<string, number>}
   */
  shares(before, here, labels) {
    if (!before) return new Map(labels.map((each) => [each, 1]));
    const counted = here.size ? this.#others : this.#first;
    const kinds = labels.map((each) => kindOf(each, before, here));
    const plain = kinds.map((kind) => counted.kinds[kind].came / counted.kinds[kind].could / kinds.filter((one) => one === kind).length);
    const sum = plain.reduce((a, b) => a + b, 0);
    const after = counted.after.get(before);
    // What came after what counts as much as the kinds once it was seen as often as there are classes.
    return new Map(labels.map((each, i) => [each, (after?.get(each) ?? 0) + (labels.length * plain[i]) / sum]));
  }
}

/** How often each kind came; and by class, how often each came right after it. */
const counts = () => ({ kinds: [SAME, THERE, OTHER].map(() => ({ ...FIRST })), after: /** @type {Map<string, Map<string, number>>} */ (new Map()) });

/** @param {string} label @param {string} before @param {Set<string>} here */
const kindOf = (label, before, here) => (label === before ? SAME : here.has(label) ? THERE : OTHER);
