/** What the person has before them: one picture, what is chosen in it, and what is done to it. */

import { newId } from "./api.js";
import { colourAt } from "./colours.js";
import { area, moved, resized } from "./geometry.js";
import { movedMask } from "./masks.js";
import { PictureCache } from "./pictures.js";
import { accept, reject } from "./proposals.js";
import { shapesOf } from "./shapes.js";

/**
 * @typedef {import("./geometry.js").Corners} Corners
 * @typedef {import("./api.js").Box} Box
 * @typedef {import("./labels.js").Change} Change
 * @typedef {import("./labels.js").Content} Content
 */

// Sides in pixels below which it is asked whether a box was meant.
const TINY = 3;

export class Studio {
  /** @type {Map<string, Corners>} */
  preview = new Map();
  /** @type {Set<string>} */
  selection = new Set();
  /** Whether dragging within a selected box moves it: it was chosen, and not just drawn. */
  held = false;
  /** @type {string | null} */
  ghost = null;
  /** @type {Set<string>} */
  hidden = new Set();
  /** @type {Set<string>} */
  locked = new Set();
  /** @type {string | null} */
  label = null;
  /** @type {Content | null} */
  content = null;
  /** @type {Omit<Box, "id">[]} */
  copied = [];
  showsNames = true;
  showsGhosts = true;
  /** @type {Record<string, number>} */
  thresholds = {};

  /**
   * @param {import("./labels.js").Labels} labels @param {import("./stage.js").Stage} stage
   * @param {import("./dialogs.js").Dialogs} dialogs
   */
  constructor(labels, stage, dialogs) {
    this.labels = labels;
    this.stage = stage;
    this.dialogs = dialogs;
    this.cache = new PictureCache();
    /** @type {() => void} */
    this.onchange = () => {};
    stage.shapes = () => shapesOf(this);
    labels.onchange = () => this.changed();
  }

  changed() {
    for (const id of this.selection) if (!this.boxes.has(id)) this.selection.delete(id);
    if (this.ghost && this.content?.proposals.get(this.ghost)?.state !== "open") this.ghost = null;
    this.stage.draw();
    this.onchange();
  }

  // What there is.

  get picture() {
    return this.content?.picture ?? null;
  }

  /** @returns {Map<string, Box>} */
  get boxes() {
    return this.content?.boxes ?? new Map();
  }

  /** Whether boxes can be edited here and now. */
  get writable() {
    return Boolean(this.picture?.ready) && this.stage.size[0] > 1;
  }

  visible() {
    return [...this.boxes.values()].filter((each) => !this.hidden.has(each.id));
  }

  editable() {
    return this.visible().filter((each) => !this.locked.has(each.id));
  }

  /** The chosen boxes that may be changed. */
  selected() {
    return this.editable().filter((each) => this.selection.has(each.id));
  }

  /** What a drag may pull or move: the chosen boxes, or the chosen proposal. @returns {{id: string, corners: Corners}[]} */
  pullable() {
    return this.ghost ? this.ghosts().filter((each) => each.id === this.ghost) : this.selected();
  }

  /** Open proposals that are shown, the surest first. */
  ghosts() {
    if (!this.showsGhosts) return [];
    return [...(this.content?.proposals.values() ?? [])].filter((each) => each.state === "open");
  }

  /** Open proposals at or above the sliders. */
  above() {
    return this.ghosts().filter((each) => each.score >= (this.thresholds[each.name] ?? 0.5));
  }

  /** @param {string} id of a class */
  colour(id) {
    const found = this.labels.classOf(id);
    const place = found ? this.labels.listed().indexOf(found) : 0;
    return found?.colour || colourAt(place);
  }

  /** @param {string} name of a class, which may be none of the list yet */
  colourOfName(name) {
    const found = this.labels.named(name);
    return found ? this.colour(found.id) : "#c8c8c8";
  }

  // Going.

  /** @param {Content} content @param {HTMLImageElement | null} image */
  show(content, image) {
    const other = content.picture.id !== this.content?.picture.id;
    this.content = content;
    if (other) {
      this.preview.clear();
      this.hidden.clear();
      this.locked.clear();
      this.selection.clear();
      this.ghost = null;
    }
    const { width, height } = content.picture;
    const size = /** @type {[number, number]} */ (width && height ? [width, height]
      : image ? [image.naturalWidth, image.naturalHeight] : [1, 1]);
    if (other || this.stage.size[0] !== size[0]) this.stage.show(image, size);
    this.changed();
  }

  // Choosing.

  /** @param {string[]} ids @param {{held?: boolean}} [how] */
  select(ids, { held = false } = {}) {
    this.selection = new Set(ids);
    this.held = held;
    this.ghost = null;
    this.changed();
  }

  /** @param {string} id */
  toggle(id) {
    if (!this.selection.delete(id)) this.selection.add(id);
    this.held = true;
    this.changed();
  }

  /** @param {string} id */
  selectGhost(id) {
    this.selection.clear();
    this.ghost = id;
    this.held = true;
    this.changed();
  }

  /** @param {number} by  1 or -1 */
  hop(by) {
    const boxes = this.visible();
    if (!boxes.length) return;
    const at = boxes.findIndex((each) => this.selection.has(each.id));
    const next = at < 0 ? (by > 0 ? 0 : boxes.length - 1) : (at + by + boxes.length) % boxes.length;
    this.select([boxes[next].id], { held: true });
  }

  hopGhost() {
    const ghosts = this.ghosts();
    if (!ghosts.length) return;
    const at = ghosts.findIndex((each) => each.id === this.ghost);
    this.selectGhost(ghosts[(at + 1) % ghosts.length].id);
  }

  /** The proposal that is chosen once this one is decided. @param {string} id @returns {string | null} */
  ghostAfter(id) {
    const ghosts = this.ghosts();
    const at = ghosts.findIndex((each) => each.id === id);
    return ghosts.length > 1 ? ghosts[(at + 1) % ghosts.length].id : null;
  }

  // Editing.

  /** A box was drawn. @param {Corners} corners */
  async drawn(corners) {
    const [width, height] = [corners[2] - corners[0], corners[3] - corners[1]];
    const size = `${width.toFixed(1)} × ${height.toFixed(1)} pixels`;
    if (width <= 0 || height <= 0) {
      this.dialogs.say("That stroke has no area within the picture, so it made no box.");
      return;
    }
    if (Math.min(width, height) < TINY && !(await this.dialogs.confirm(`This box has only ${size}.`, "Keep it", "Leave it out"))) return;
    const picture = this.picture;
    if (!picture) return;
    /** @type {Change[]} */
    const changes = [];
    let label = this.label && this.labels.classOf(this.label)?.id;
    label ??= this.labels.listed()[0]?.id ?? null;
    if (!label) {
      const name = (await this.dialogs.ask("The first class: what is in this box?", "Name of the class")).trim();
      if (!name) return;
      const made = this.labels.newClass(name);
      changes.push(made);
      label = made.id;
    }
    this.label = label ?? null;
    const box = this.fresh(picture.id, label ?? "", corners);
    this.labels.commit([...changes, box]);
    this.select([box.id]);
  }

  /** The change that makes a box. @param {number} picture @param {string} label @param {Corners} corners @returns {Change} */
  fresh(picture, label, corners) {
    return { do: "PutBox", id: newId(), picture, label, corners, mask: null, track: null,
      key_frame: false, difficult: false, crowd: false, source: "hand", score: null };
  }

  /** The change that gives a box other fields. @param {Box} box @param {Partial<Box>} fields @returns {Change} */
  #put(box, fields) {
    const { person: _person, at: _at, revision: _revision, ...kept } = box;
    return { do: "PutBox", ...kept, ...fields };
  }

  /** Make edits of what the gesture has come to. */
  keepPreview() {
    const changes = [];
    let lost = 0;
    const ghost = this.ghost && this.preview.get(this.ghost);
    if (this.ghost && ghost && area(ghost) > 0) accept(this, [this.ghost], { corners: ghost });
    for (const [id, corners] of this.preview) {
      const box = this.boxes.get(id);
      if (!box || corners.every((value, i) => value === box.corners[i])) continue;
      if (area(corners) <= 0) {
        this.dialogs.say("A box needs a width and a height: it stays as it was.");
        continue;
      }
      const mask = movedMask(box, corners);
      lost += Number(Boolean(box.mask) && !mask);
      changes.push(this.#put(box, { corners, mask, source: "hand", score: null }));
    }
    this.preview.clear();
    if (lost) this.dialogs.say("The outline does not fit the box any more and was taken away; undo brings it back.");
    this.labels.commit(changes);
    this.changed();
  }

  /** @param {number} dx @param {number} dy */
  nudge(dx, dy) {
    for (const box of this.selected()) this.preview.set(box.id, moved(box.corners, dx, dy, this.stage.size));
    this.keepPreview();
  }

  /** @param {number} dx @param {number} dy */
  grow(dx, dy) {
    for (const box of this.selected()) this.preview.set(box.id, resized(box.corners, "se", dx, dy, this.stage.size));
    this.keepPreview();
  }

  /** Let the chosen boxes, and those to come, be of a class. @param {string} label */
  choose(label) {
    this.label = label;
    this.classify();
    this.changed();
  }

  /** Let the chosen boxes, or the chosen proposal, be of the class of now. */
  classify() {
    const label = this.label;
    if (!label) return;
    if (this.ghost) return accept(this, [this.ghost], { label });
    const changes = this.selected().filter((each) => this.labels.classOf(each.label)?.id !== label)
      .map((each) => this.#put(each, { label }));
    this.labels.commit(changes);
  }

  remove() {
    if (this.ghost) return reject(this, this.ghost);
    const picture = this.picture?.id;
    this.labels.commit(this.selected().map((each) => ({ do: "RemoveBox", id: each.id, picture })));
  }

  difficult() {
    const boxes = this.selected();
    const difficult = !boxes.every((each) => each.difficult);
    this.labels.commit(boxes.map((each) => this.#put(each, { difficult })));
  }

  newBox() {
    const { view, room, size } = this.stage;
    const [w, h] = [Math.min(size[0], room[0] / view.scale) / 5, Math.min(size[1], room[1] / view.scale) / 5];
    const [x, y] = [(room[0] / 2 - view.x) / view.scale - w / 2, (room[1] / 2 - view.y) / view.scale - h / 2];
    if (this.writable) this.drawn(moved(/** @type {Corners} */ ([x, y, x + w, y + h].map(Math.round)), 0, 0, size));
  }
}
