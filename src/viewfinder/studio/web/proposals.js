/** Accepting and rejecting proposals: each is one operation, however many it takes. */

import { newId } from "./api.js";

/**
 * @typedef {import("./studio.js").Studio} Studio
 * @typedef {import("./labels.js").Change} Change
 * @typedef {import("./labels.js").Content} Content
 * @typedef {{label?: string, corners?: import("./geometry.js").Corners, mask?: any}} How
 *   the class, corners and mask where they are not the proposals' own
 */

/** Open proposals of a picture at or above the sliders. @param {Studio} studio @param {Content} content */
export function acceptable(studio, content) {
  return [...content.proposals.values()].filter((each) => each.state === "open" && each.score >= (studio.thresholds[each.name] ?? 0.5));
}

/**
 * Make labels of open proposals.
 * @param {Studio} studio @param {string[]} ids @param {How & {next?: boolean}} [how]  `next`: choose the next one
 * @returns {Change[]} those that make boxes
 */
export function accept(studio, ids, { label, corners, mask, next: goOn = true } = {}) {
  const { labels, content } = studio;
  if (!content) return [];
  /** @type {Change[]} */
  const classes = [];
  const made = accepting(studio, content, ids, classes, { label, corners, mask });
  const next = goOn && ids.length === 1 ? studio.ghostAfter(ids[0]) : null;
  labels.commit([...classes, ...made]);
  if (next) studio.selectGhost(next);
  else if (made.length) studio.select([]);
  return made.filter((each) => each.do === "Accept");
}

/** Make labels of all that is acceptable in some pictures, which are done then. @param {Studio} studio @param {Content[]} contents */
export function acceptMany(studio, contents) {
  /** @type {Change[]} */
  const classes = [];
  const made = contents.flatMap((content) => [
    ...accepting(studio, content, acceptable(studio, content).map((each) => each.id), classes),
    { do: "SetState", picture: content.picture.id, state: "done" },
  ]);
  studio.labels.commit([...classes, ...made]);
}

/**
 * The changes that make labels of proposals; the classes that they need go into `classes`.
 * @param {Studio} studio @param {Content} content @param {string[]} ids @param {Change[]} classes @param {How} [how]
 * @returns {Change[]}
 */
function accepting({ labels }, content, ids, classes, { label, corners, mask } = {}) {
  const made = [];
  for (const id of ids) {
    const proposal = content.proposals.get(id);
    if (proposal?.state !== "open") continue;
    let own = label ?? labels.named(proposal.name)?.id ?? classes.find((each) => each.name === proposal.name)?.id;
    if (!own) {
      const fresh = labels.newClass(proposal.name);
      fresh.position += classes.length;
      classes.push(fresh);
      own = fresh.id;
    }
    const box = newId();
    made.push({ do: "Accept", proposal: id, box, label: own, corners: corners ?? null, picture: content.picture.id });
    if (mask) {
      made.push({ do: "PutBox", id: box, picture: content.picture.id, label: own, corners, mask, track: null, key_frame: false,
        difficult: false, crowd: false, source: "hand", score: null });
    }
  }
  return made;
}

/** Refuse a proposal for good. @param {Studio} studio @param {string} id */
export function reject(studio, id) {
  const next = studio.ghostAfter(id);
  studio.labels.commit([{ do: "Reject", proposal: id, picture: studio.picture?.id }]);
  if (next) studio.selectGhost(next);
}
