/**
 * COCO's run lengths: how many pixels are off, then on, and so on, column by column. As text, each
 * length is written in digits of 5 bits from "0" on, the lowest first, with a sixth bit that says
 * that more follow; from the fourth on, as the difference from the length two before.
 *
 * Here a mask is its runs of pixels that are on, as [first, behind the last].
 */

/** @param {{counts: string | number[]}} mask @returns {[number, number][]} */
export function decoded(mask) {
  const counts = typeof mask.counts === "string" ? numbers(mask.counts) : mask.counts;
  /** @type {[number, number][]} */
  const runs = [];
  let at = 0;
  counts.forEach((count, i) => {
    if (i % 2 && count) runs.push([at, at + count]);
    at += count;
  });
  return runs;
}

/** @param {[number, number][]} runs @param {number} total  pixels @param {boolean} asText @returns {string | number[]} */
export function encoded(runs, total, asText) {
  const counts = [];
  let at = 0;
  for (const [start, end] of runs) {
    if (start === at && counts.length) counts[counts.length - 1] += end - start;
    else counts.push(start - at, end - start);
    at = end;
  }
  if (at < total || !counts.length) counts.push(total - at);
  return asText ? text(counts) : counts;
}

/** Runs cut at the ends of columns: x, and y from and to. @param {[number, number][]} runs @param {number} height @returns {[number, number, number][]} */
export function columns(runs, height) {
  /** @type {[number, number, number][]} */
  const found = [];
  for (const [start, end] of runs) {
    for (let at = start; at < end;) {
      const x = Math.floor(at / height);
      const stop = Math.min(end, (x + 1) * height);
      found.push([x, at - x * height, stop - x * height]);
      at = stop;
    }
  }
  return found;
}

/** Runs of a mask that is moved; what leaves the picture is gone. @param {[number, number][]} runs @param {number} height @param {number} width @param {number} dx @param {number} dy @returns {[number, number][]} */
export function shifted(runs, height, width, dx, dy) {
  /** @type {[number, number][]} */
  const found = [];
  for (const [x, from, to] of columns(runs, height)) {
    const [at, top, bottom] = [x + dx, Math.max(from + dy, 0), Math.min(to + dy, height)];
    if (at >= 0 && at < width && top < bottom) found.push([at * height + top, at * height + bottom]);
  }
  return found;
}

/** @param {string} counts */
function numbers(counts) {
  /** @type {number[]} */
  const found = [];
  for (let at = 0; at < counts.length;) {
    let [value, factor, digit] = [0, 1, 0];
    do {
      digit = counts.charCodeAt(at++) - 48;
      value += (digit & 31) * factor;
      factor *= 32;
    } while (digit & 32 && at < counts.length);
    if (digit & 16) value -= factor;
    found.push(found.length > 2 ? value + found[found.length - 2] : value);
  }
  return found;
}

/** @param {number[]} counts */
function text(counts) {
  return counts.map((count, i) => {
    let value = i > 2 ? count - counts[i - 2] : count;
    let written = "";
    for (let more = true; more;) {
      const digit = value & 31;
      value >>= 5;
      more = digit & 16 ? value !== -1 : value !== 0;
      written += String.fromCharCode(48 + (digit | (more ? 32 : 0)));
    }
    return written;
  }).join("");
}
