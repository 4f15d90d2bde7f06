/** Names of strangers beside other text: whatever direction they are of, or ask for, what stands beside them is not turned. */

// Letters that are written from the right, and signs that set a direction for what follows them.
const TURNS = /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const SETS = /[\u202a-\u202e\u2066-\u2069]/g;

/** A name for a sentence: set apart by Unicode's isolates, which is what `<bdi>` is in a page. @param {string} name */
export const isolated = (name) => (TURNS.test(name) ? `\u2068${name.replace(/[\u2066-\u2069]/g, "")}\u2069` : name);

/** A sentence in which names may stand as they are: signs that would turn the rest of it are written out. @param {string} text */
export function untwisted(text) {
  const parts = text.split(/(\u2068[^\u2069]*\u2069)/);
  return parts.map((part, at) => (at % 2 ? part : part.replace(SETS, (sign) => `\\u${sign.charCodeAt(0).toString(16)}`))).join("");
}
