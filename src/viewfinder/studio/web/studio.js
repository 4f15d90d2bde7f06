/** What the person has before them: one picture, and what is chosen in it. What is done to it is in `editing.js`. */

import { colourAt } from "./colours.js";
import { Memory } from "./guessing.js";
import { PictureCache } from "./pictures.js";
import { acceptable, shown } from "./proposals.js";
import { shapesOf } from "./shapes.js";
import { Sliders } from "./sliders.js";
import { Worth } from "./worth.js";

/**
 * @typedef {import("./geometry.js").Corners} Corners
 * @typedef {import("./api.js").Box} Box
 * @typedef {import("./labels.js").Content} Content
 */

export class Studio {
  /** @type {Map<string, Corners>} */
  preview = new Map();
  /** @type {Set<string>} */
  selection = new Set();
  /** Whether dragging within a selected box moves it: it was chosen, and not just drawn. */
  held = false;
  /** @type {string | null} */
  ghost = null;
  /** Proposals that a stroke has passed so far. @type {Set<string>} */
  swept = new Set();
  /** @type {Set<string>} */
  hidden = new Set();
  /** @type {Set<string>} */
  locked = new Set();
  /** @type {string | null} */
  label = null;
  /** @type {Content | null} */
  content = null;
  /** What is labelled here. @type {"boxes" | "classes" | "masks" | null} */
  kind = null;
  /** Whether a class that is guessed from a box's look may be other than the one chosen. */
  guesses = true;
  /** The class was said before the box that comes next: it is not guessed. */
  told = false;
  memory = new Memory();
  /** @type {Omit<Box, "id">[]} */
  copied = [];
  showsNames = true;
  showsGhosts = true;
  /** Sliders that the person moved, by class. @type {Record<string, number>} */
  thresholds = {};
  sliders = new Sliders();
  worth = new Worth();

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
    /** Many pictures are to be looked over. @type {() => void} */
    this.onsheet = () => {};
    /** A stroke can draw nothing here. */
    this.onunwritable = () => {};
    /** A track is to end before this frame, and another to begin behind it. @type {(track: string) => void} */
    this.onpart = () => {};
    /** Which track a new box belongs to, if this is a frame. @type {(label: string, corners: Corners) => string | null} */
    this.trackOf = () => null;
    /** Let a whole track be of a class; whether it is one through several frames. @type {(box: Box, label: string) => boolean} */
    this.onclass = () => false;
    /** The proposal that the pointer is over, if it is over the picture. @type {() => import("./api.js").Proposal | null} */
    this.pointed = () => null;
    /** A box was drawn, or an outline. @type {(corners: Corners) => void} */
    this.ondrawn = () => {};
    /** The picture was given its class. @type {() => void} */
    this.onlabelled = () => {};
    stage.shapes = (chosen) => shapesOf(this, chosen);
    stage.moving = () => this.preview.size > 0;
    labels.onchange = () => this.changed();
  }

  changed() {
    for (const id of this.selection) if (!this.boxes.has(id)) this.selection.delete(id);
    if (this.ghost && this.content?.proposals.get(this.ghost)?.state !== "open") this.ghost = null;
    // What is under a pointer that rests may be decided, or of the picture before.
    this.stage.pointed = this.ghost ? null : this.pointed()?.corners ?? null;
    this.stage.renew();
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
    return Boolean(this.picture?.ready && this.stage.image) && !this.whole;
  }

  /** Whether pictures as wholes are given classes here. */
  get whole() {
    return this.kind === "classes";
  }

  visible() {
    return [...this.boxes.values()].filter((each) => !this.hidden.has(each.id));
  }

  editable() {
    return this.visible().filter((each) => !this.locked.has(each.id));
  }

  /** The chosen boxes that are shown. @returns {Box[]} */
  chosen() {
    const found = /** @type {Box[]} */ ([...this.selection].map((id) => this.boxes.get(id)).filter(Boolean));
    return found.filter((each) => !this.hidden.has(each.id));
  }

  /** The chosen boxes that may be changed. */
  selected() {
    return this.chosen().filter((each) => !this.locked.has(each.id));
  }

  /** What a drag may pull or move: the chosen boxes, or the chosen proposal. @returns {{id: string, corners: Corners}[]} */
  pullable() {
    return this.ghost ? this.ghosts().filter((each) => each.id === this.ghost) : this.selected();
  }

  /** Open proposals that are shown, the surest first; and what moves through this frame. */
  ghosts() {
    return this.showsGhosts && this.content ? shown(this.content) : [];
  }

  /** The least score of a class that is taken. @param {string} name */
  least(name) {
    return this.thresholds[name] ?? this.sliders.of(name);
  }

  /** Open proposals at or above the sliders. */
  above() {
    return this.content && this.showsGhosts ? acceptable(this, this.content) : [];
  }

  /** Let it be found what a network makes of a picture, for guesses of classes. @param {number} picture */
  imagine(picture) {
    if (this.guesses && this.kind === "boxes") this.memory.impressions.ask(picture, this.labels.counts.boxes);
  }

  /** Pictures are done: which of their proposals were right moves the sliders; whether it moved one. @param {Content[]} contents */
  decided(contents) {
    for (const each of contents) this.worth.saw(each, (name) => this.least(name));
    const moved = contents.map((each) => this.sliders.saw(each, (label) => this.labels.classOf(label)?.name));
    return moved.includes(true);
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
    if (other && this.content) this.memory.keep(this);
    this.content = content;
    this.labels.shown = content.picture.id;
    if (other) {
      this.preview.clear();
      this.hidden.clear();
      this.locked.clear();
      this.selection.clear();
      this.swept.clear();
      this.ghost = null;
    }
    const { width, height } = content.picture;
    const size = /** @type {[number, number]} */ (width && height ? [width, height]
      : image ? [image.naturalWidth, image.naturalHeight] : [1, 1]);
    if (other || this.stage.size[0] !== size[0] || this.stage.size[1] !== size[1]) this.stage.show(image, size);
    else if (this.stage.image !== image) this.stage.place(image);
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

  /** @param {string} id @param {{held?: boolean}} [how]  `held`: the person pointed at it, and means to move it */
  selectGhost(id, { held = true } = {}) {
    this.selection.clear();
    this.ghost = id;
    this.held = held;
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
}
