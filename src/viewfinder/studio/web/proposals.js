/** Accepting and rejecting proposals: each is one operation, however many it takes. */

import { newId } from "./api.js";
import { overlap } from "./geometry.js";

/**
 * @typedef {import("./studio.js").Studio} Studio
 * @typedef {import("./labels.js").Change} Change
 * @typedef {import("./labels.js").Content} Content
 * @typedef {{label?: string, corners?: import("./geometry.js").Corners, mask?: any}} How
 *   the class, corners and mask where they are not the proposals' own
 */

// Intersection over union from which a proposal says the same as what is interpolated, and from which
// it is another opinion of the same object.
const SAME = 0.7;
export const ALIKE = 0.4;
// And from which it is one of what has a box already: of two objects, hardly any overlap so far.
const LABELLED = 0.6;

/** What is interpolated between key frames, and not set in this one. @param {Content} content */
export function moving(content) {
  const between = [...content.proposals.values()].filter((each) => each.track !== undefined);
  if (!between.length) return between; // as for each frame of pictures with thousands of boxes
  const tracks = new Set([...content.boxes.values()].map((each) => each.track));
  return between.filter((each) => each.track !== undefined && !tracks.has(each.track));
}

/** Open proposals of a picture, but for those that say what is interpolated there; and that. @param {Content} content */
export function shown(content) {
  const between = moving(content);
  const said = (/** @type {import("./api.js").Proposal} */ one) => between.some((each) => each.name === one.name && overlap(each.corners, one.corners) >= SAME);
  return [...between, ...[...content.proposals.values()].filter((each) => each.state === "open" && each.track === undefined && !said(each))];
}

/** Open proposals of a picture at or above the sliders, but for other opinions of what is interpolated or has a box. @param {Studio} studio @param {Content} content */
export function acceptable(studio, content) {
  const [between, boxes] = [moving(content), [...content.boxes.values()]];
  return shown(content).filter((each) => each.track === undefined && each.score >= studio.least(each.name)
    && !between.some((other) => overlap(other.corners, each.corners) >= ALIKE)
    && !boxes.some((box) => overlap(box.corners, each.corners) >= LABELLED));
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
  if (next) studio.selectGhost(next, { held: false });
  else if (made.length) studio.select([]);
  return made.filter((each) => each.do === "Accept" || each.id).map((each) => ({ ...each, box: each.box ?? each.id }))
    .filter((each, at, all) => all.findIndex((other) => other.box === each.box) === at);
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
function accepting(studio, content, ids, classes, { label, corners, mask } = {}) {
  const { labels } = studio;
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
    const at = corners ?? proposal.corners;
    const track = proposal.track ?? moving(content).find((each) => each.name === proposal.name && overlap(each.corners, at) >= ALIKE)?.track
      ?? studio.trackOf(own, at);
    if (proposal.track === undefined) made.push({ do: "Accept", proposal: id, box, label: own, corners: corners ?? null, picture: content.picture.id });
    if (mask || track !== null) {
      const corrected = Boolean(corners) || proposal.track !== undefined;
      made.push({ do: "PutBox", id: box, picture: content.picture.id, label: own, corners: at, mask: mask ?? (corrected ? null : proposal.mask), track, key_frame: track !== null,
        difficult: false, crowd: false, source: corrected ? "hand" : proposal.source, score: corrected ? null : proposal.score });
    }
  }
  return made;
}

/** Refuse proposals for good. @param {Studio} studio @param {string[]} ids @param {{next?: boolean}} [how]  `next`: choose the next one */
export function reject(studio, ids, { next: goOn = true } = {}) {
  const found = ids.flatMap((id) => studio.content?.proposals.get(id) ?? []);
  for (const { track } of found) if (track !== undefined) studio.onpart(track);
  const open = found.filter((each) => each.track === undefined && each.state === "open").map((each) => each.id);
  if (!open.length) return;
  const next = goOn && open.length === 1 ? studio.ghostAfter(open[0]) : null;
  studio.labels.commit(open.map((proposal) => ({ do: "Reject", proposal, picture: studio.picture?.id })));
  if (next) studio.selectGhost(next, { held: false });
}
