/** Accepting and rejecting proposals: each is one operation, however many it takes. */

import { newId } from "./api.js";

/**
 * @typedef {import("./studio.js").Studio} Studio
 * @typedef {import("./labels.js").Change} Change
 */

/**
 * Make labels of open proposals.
 * @param {Studio} studio @param {string[]} ids
 * @param {{label?: string, corners?: import("./geometry.js").Corners}} [how]
 *   the class and corners where they are not the proposals' own
 */
export function accept(studio, ids, { label, corners } = {}) {
  const { labels, content } = studio;
  /** @type {Change[]} */
  const classes = [];
  /** @type {Change[]} */
  const made = [];
  for (const id of ids) {
    const proposal = content?.proposals.get(id);
    if (!content || proposal?.state !== "open") continue;
    let own = label ?? labels.named(proposal.name)?.id ?? classes.find((each) => each.name === proposal.name)?.id;
    if (!own) {
      const fresh = labels.newClass(proposal.name);
      fresh.position += classes.length;
      classes.push(fresh);
      own = fresh.id;
    }
    made.push({ do: "Accept", proposal: id, box: newId(), label: own, corners: corners ?? null, picture: content.picture.id });
  }
  const next = ids.length === 1 ? studio.ghostAfter(ids[0]) : null;
  labels.commit([...classes, ...made]);
  if (next) studio.selectGhost(next);
  else if (made.length) studio.select([]);
}

/** Refuse a proposal for good. @param {Studio} studio @param {string} id */
export function reject(studio, id) {
  const next = studio.ghostAfter(id);
  studio.labels.commit([{ do: "Reject", proposal: id, picture: studio.picture?.id }]);
  if (next) studio.selectGhost(next);
}
