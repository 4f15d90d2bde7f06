/**
 * The labels as the page has them: what the server said, and on top of it what is on its way there.
 *
 * An edit shows at once. Each change of a record adds 1 to its revision, here as in the store, so
 * edits of one box may wait in line for the first to be answered.
 */

import { SECOND, get, newId } from "./api.js";

/**
 * @typedef {import("./api.js").Box} Box
 * @typedef {import("./api.js").Proposal} Proposal
 * @typedef {import("./api.js").Picture} Picture
 * @typedef {import("./api.js").LabelClass} LabelClass
 * @typedef {import("./outbox.js").Outbox} Outbox
 * @typedef {{picture: Picture, boxes: Map<string, Box>, proposals: Map<string, Proposal>}} Content
 * @typedef {"box" | "picture" | "class" | "proposal"} Kind
 * @typedef {{kind: Kind, id: string, picture: number, before: any, after: any}} Part
 * @typedef {{op: string, parts: Part[]}} Edit
 * @typedef {{do: string} & Record<string, any>} Change
 */

const MOST_KEPT = 40;

export class Labels {
  /** How many were made, of all pictures. */
  #edits = 0;
  /** Of classes and counts, as the server told them last. */
  #said = "";

  /** @param {Outbox} outbox @param {string} session */
  constructor(outbox, session) {
    this.outbox = outbox;
    this.session = session;
    /** @type {Map<number, Content>} */
    this.contents = new Map();
    /** The picture that is shown: what a person may edit at any moment is not forgotten. */
    this.shown = 0;
    /** @type {Map<string, LabelClass>} */
    this.classes = new Map();
    /** @type {import("./api.js").Counts} */
    this.counts = { states: { todo: 0, done: 0, skipped: 0 }, boxes: {}, pictures: {}, proposals: 0 };
    /** @type {Map<string, number>} */
    this.revisions = new Map();
    /** @type {Edit[]} */
    this.done = [];
    /** @type {Edit[]} */
    this.undone = [];
    /** Pictures of which the list does not know yet what has become. @type {Set<Content>} */
    this.touched = new Set();
    /** @type {() => void} */
    this.onchange = () => {};
    /** Whether changes may not be made now. @type {(changes: Change[]) => boolean} */
    this.barred = () => false;
  }

  // What the server says.

  /** @param {import("./api.js").Status} status */
  takeStatus(status) {
    if (this.outbox.waiting) return; // it knows less than the page
    const before = this.classes;
    this.classes = new Map(status.classes.map((each) => [each.id, each]));
    this.#follow(before);
    for (const each of status.classes) this.revisions.set(`class:${each.id}`, each.revision);
    this.counts = status.counts;
    const said = JSON.stringify([status.classes, status.counts]);
    if (said === this.#said) return; // thousands of boxes are not drawn anew for nothing
    this.#said = said;
    this.onchange();
  }

  /** @param {import("./api.js").OnePicture} one @returns {Content} */
  take(one) {
    const content = {
      picture: one.picture,
      boxes: new Map(one.boxes.map((each) => [each.id, each])),
      proposals: new Map(one.proposals.map((each) => [each.id, each])),
    };
    for (const each of one.moving) {
      const id = `moving:${each.track}`;
      const name = this.classOf(each.label)?.name ?? "?";
      content.proposals.set(id, { ...each, id, name, picture: one.picture.id, run: "", mask: null, state: "open", box: null, revision: 0 });
    }
    this.revisions.set(`picture:${one.picture.id}`, one.picture.revision);
    for (const each of one.boxes) this.revisions.set(`box:${each.id}`, each.revision);
    for (const each of one.proposals) this.revisions.set(`proposal:${each.id}`, each.revision);
    this.contents.delete(one.picture.id);
    this.contents.set(one.picture.id, content);
    if (!this.outbox.waiting) {
      for (const id of [...this.contents.keys()].slice(0, -MOST_KEPT)) if (id !== this.shown) this.contents.delete(id);
    }
    return content;
  }

  /** A picture's labels; the server is asked unless they are here already. @param {number} id @param {{fresh?: boolean}} [how] @returns {Promise<Content>} */
  async load(id, { fresh = false } = {}) {
    const here = this.contents.get(id);
    if (here && (!fresh || this.outbox.waiting)) return here;
    const edits = this.#edits;
    const one = await get(`/api/pictures/${id}`);
    // What was edited while the answer was on its way is newer than the answer, also once it is kept.
    const newer = this.outbox.waiting || edits !== this.#edits;
    return (newer && this.contents.get(id)) || this.take(one);
  }

  /** A picture's labels as the server has them once all edits of this page are kept. @param {number} id @returns {Promise<Content>} */
  async renewed(id) {
    for (;;) {
      await this.outbox.settled();
      const edits = this.#edits;
      const one = await get(`/api/pictures/${id}`);
      if (edits === this.#edits) return this.take(one);
    }
  }

  /** Forget all pictures but the one that is shown: the next look at each asks the server. */
  forget() {
    for (const id of [...this.contents.keys()]) if (id !== this.shown) this.contents.delete(id);
  }

  /** What was done before cannot be undone from here any more: the server is asked. */
  past() {
    [this.done, this.undone] = [[], []];
    this.forget();
  }

  // Classes.

  /** Those that are not merged, in order. @returns {LabelClass[]} */
  listed() {
    return [...this.classes.values()].filter((each) => each.merged === null)
      .sort((a, b) => a.position - b.position || (a.id < b.id ? -1 : 1));
  }

  /** What a class is now. @param {string} id @returns {LabelClass | undefined} */
  classOf(id) {
    let found = this.classes.get(id);
    for (let step = 0; found?.merged && step < 100; step++) found = this.classes.get(found.merged);
    return found;
  }

  /** @param {string} name */
  named(name) {
    return this.listed().find((each) => each.name === name);
  }

  /** How many boxes, or pictures, are of each class; those of merged ones are of what they were merged into. @param {"boxes" | "pictures"} [what] */
  countsByClass(what = "boxes") {
    /** @type {Map<string, number>} */
    const found = new Map();
    for (const [id, count] of Object.entries(this.counts[what])) {
      const end = this.classOf(id)?.id ?? id;
      found.set(end, (found.get(end) ?? 0) + count);
    }
    return found;
  }

  /** The change that makes a class, at the end of the list. @param {string} name @returns {Change} */
  newClass(name) {
    const position = Math.max(-1, ...this.listed().map((each) => each.position)) + 1;
    return { do: "PutClass", id: newId(), name, colour: "", key: "", position };
  }

  // Edits.

  /** Make some changes, as one for undo, and send them. @param {Change[]} changes @param {{meant?: boolean}} [how]  `meant`: also in what is done */
  commit(changes, { meant = false } = {}) {
    if (!changes.length || (!meant && this.barred(changes))) return;
    this.#edits += 1;
    const op = newId();
    const parts = changes.flatMap((change) => this.#apply(change));
    this.done.push({ op, parts });
    this.undone = [];
    this.outbox.add({ id: op, path: "/api/operations", body: { id: op, changes, session: this.session } });
    this.onchange();
  }

  /** Undo the last edit, or do again what was undone; what it touched, or null if there is none. @param {boolean} back @returns {Edit | null} */
  turn(back) {
    const edit = (back ? this.done : this.undone).pop();
    if (!edit) return null;
    this.#edits += 1;
    (back ? this.undone : this.done).push(edit);
    const parts = back ? [...edit.parts].reverse() : edit.parts;
    /** @type {Set<string>} */
    const seen = new Set();
    for (const part of parts) {
      this.#put(part.kind, part.id, part.picture, back ? part.before : part.after, !seen.has(`${part.kind}:${part.id}`));
      seen.add(`${part.kind}:${part.id}`);
    }
    const id = newId();
    this.outbox.add({ id, path: back ? "/api/undo" : "/api/redo", body: { id, session: this.session }, target: edit.op });
    this.onchange();
    return edit;
  }

  /** Take an edit that the server refused out of what can be undone. @param {string} op */
  drop(op) {
    this.done = this.done.filter((each) => each.op !== op);
    this.undone = this.undone.filter((each) => each.op !== op);
  }

  /** @param {Kind} kind @param {string | number} id */
  revision(kind, id) {
    return this.revisions.get(`${kind}:${id}`) ?? 0;
  }

  /** @param {Change} change @returns {Part[]} */
  #apply(change) {
    switch (change.do) {
      case "PutBox": {
        const before = this.contents.get(change.picture)?.boxes.get(change.id) ?? null;
        const { do: _do, ...fields } = change;
        change.base = this.revision("box", change.id);
        return [this.#edit("box", change.id, change.picture, before, { person: "", at: 0, ...fields })];
      }
      case "RemoveBox": {
        const { picture } = change;
        delete change.picture;
        change.base = this.revision("box", change.id);
        const before = this.contents.get(picture)?.boxes.get(change.id) ?? null;
        return [this.#edit("box", change.id, picture, before, null)];
      }
      case "SetState":
      case "LabelPicture": {
        change.base = this.revision("picture", change.picture);
        const before = this.contents.get(change.picture)?.picture;
        const after = { ...before, ...(change.do === "SetState" ? { state: change.state } : { label: change.label }) };
        return [this.#edit("picture", String(change.picture), change.picture, before, after)];
      }
      case "PutClass":
      case "MergeClass":
      case "RemoveClass": {
        change.base = this.revision("class", change.id);
        const before = this.classes.get(change.id) ?? null;
        const { do: _do, base: _base, into, ...fields } = change;
        const made = { number: null, merged: null, ...before, ...fields };
        const after = change.do === "RemoveClass" ? null : change.do === "MergeClass" ? { ...before, merged: into } : made;
        return [this.#edit("class", change.id, 0, before, after)];
      }
      default:
        return this.#decide(change);
    }
  }

  /** Accept or reject a proposal. @param {Change} change @returns {Part[]} */
  #decide(change) {
    const { picture } = change;
    if (!change.corners) delete change.picture;
    change.base = this.revision("proposal", change.proposal);
    const before = this.contents.get(picture)?.proposals.get(change.proposal);
    if (!before) throw new Error(`no proposal ${change.proposal}`);
    if (change.do === "Reject") {
      return [this.#edit("proposal", change.proposal, picture, before, { ...before, state: "rejected" })];
    }
    const box = {
      id: change.box, picture, label: change.label, corners: change.corners ?? before.corners,
      mask: change.corners ? null : before.mask, track: null, key_frame: false, difficult: false,
      crowd: false, source: before.source, score: before.score, person: "", at: 0,
    };
    return [
      this.#edit("box", change.box, picture, null, box),
      this.#edit("proposal", change.proposal, picture, before, { ...before, state: "accepted", box: change.box }),
    ];
  }

  /** @param {Kind} kind @param {string} id @param {number} picture @param {any} before @param {any} after */
  #edit(kind, id, picture, before, after) {
    this.#put(kind, id, picture, after, true);
    return { kind, id, picture, before, after };
  }

  /** @param {Kind} kind @param {string} id @param {number} picture @param {any} record @param {boolean} counted */
  #put(kind, id, picture, record, counted) {
    const revision = this.revision(kind, id) + (counted ? 1 : 0);
    this.revisions.set(`${kind}:${id}`, revision);
    const content = this.contents.get(picture);
    if (content) this.touched.add(content);
    if (kind === "picture") {
      if (content && picture >= SECOND) content.picture = { ...record, revision };
      else if (content) {
        this.#count("states", content.picture.state, -1);
        if (content.picture.label) this.#count("pictures", content.picture.label, -1);
        content.picture = { ...record, revision };
        this.#count("states", record.state, 1);
        if (record.label) this.#count("pictures", record.label, 1);
      }
      return;
    }
    const records = kind === "class" ? this.classes : kind === "box" ? content?.boxes : content?.proposals;
    if (!records) return;
    const [old, classes] = [records.get(id), kind === "class" ? new Map(this.classes) : null];
    const counts = kind === "box" && picture < SECOND;
    if (counts && old) this.#count("boxes", /** @type {Box} */ (old).label, -1);
    if (counts && record) this.#count("boxes", record.label, 1);
    if (record) /** @type {Map<string, any>} */ (records).set(id, { ...record, revision });
    else records.delete(id);
    if (classes) this.#follow(classes);
  }

  /** Proposals, which say a class by its name, go by its name of now. @param {Map<string, LabelClass>} before */
  #follow(before) {
    const now = new Map([...before.values()].filter((each) => each.merged === null && this.classes.has(each.id) && !this.named(each.name))
      .map((each) => [each.name, this.classOf(each.id)?.name ?? each.name]));
    if (!now.size) return;
    for (const { proposals } of this.contents.values()) {
      for (const [id, each] of proposals) if (now.has(each.name)) proposals.set(id, { ...each, name: now.get(each.name) ?? each.name });
    }
  }

  /** @param {"states" | "boxes" | "pictures"} what @param {string} key @param {number} by */
  #count(what, key, by) {
    const counts = /** @type {Record<string, number>} */ (this.counts[what]);
    counts[key] = (counts[key] ?? 0) + by;
  }
}
