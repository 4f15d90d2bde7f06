/**
 * Tools that make and correct outlines: a click that finds one, a brush, an eraser, corners, and the
 * points of one that is there.
 *
 * What is drawn with them is shown over the picture until it is whole; then it is one edit.
 */

import { post } from "./api.js";
import { unanswered } from "./away.js";
import { drawn, put } from "./editing.js";
import { clamp, toPicture } from "./geometry.js";
import { Points } from "./points.js";
import { accept } from "./proposals.js";
import { decoded, encoded } from "./runs.js";
import { drawDraft, line, rim } from "./sketch.js";
import { boxAround, brushed, filled, union, without } from "./strokes.js";

/**
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./geometry.js").Corners} Corners
 * @typedef {"outline" | "brush" | "erase" | "polygon" | "points"} Tool
 * @typedef {{points: Point[], adds: boolean}} Stroke
 * @typedef {{id: string, corners: Corners, mask: any}} Target
 */

const SAYS = {
  outline: "Click on an object, or scribble over it. Another click adds, Alt or the right button takes away; Enter or a class's key keeps it.",
  brush: "Paint the chosen outline, or a new one. Alt or the right button takes away; [ and ] change the brush.",
  erase: "Take away from the chosen outline; [ and ] change the eraser.",
  polygon: "Click corner after corner, or drag around; Enter closes. With Alt or the right button it takes away.",
  points: "Drag a point of the chosen outline; on a side, a new one. Alt or the right button takes a point away.",
};
// Pixels of the screen by which an arrow leads the cursor.
const STEP = 10;
/** @type {Record<string, Point>} */
const ARROWS = {
  left: [-STEP, 0], right: [STEP, 0], up: [0, -STEP], down: [0, STEP],
  "left-10": [-4 * STEP, 0], "right-10": [4 * STEP, 0], "up-10": [0, -4 * STEP], "down-10": [0, 4 * STEP],
  narrower: [-1, 0], wider: [1, 0], flatter: [0, -1], taller: [0, 1],
};
// Milliseconds for which an outline may be waited for.
const PATIENCE = 20000;

export class Shaping {
  /** @type {Tool | null} */
  tool = null;
  /** Radius of the brush, in pixels of the screen. */
  radius = 12;
  /** The clicks and scribbles that were sent. @type {Stroke[]} */
  strokes = [];
  /** What they have come to. @type {{mask: any, corners: Corners} | null} */
  draft = null;
  /** Being drawn. @type {Stroke | null} */
  #stroke = null;
  /** Corners that are not closed yet. @type {Stroke} */
  #corners = { points: [], adds: true };
  #picture = 0;
  #turn = 0;
  #asked = Promise.resolve();

  /** @param {import("./main.js").Page} page */
  constructor(page) {
    this.page = page;
    this.points = new Points(page, () => this.#target);
    page.stage.over = (context, view) => this.#draw(context, view);
  }

  get #begun() {
    return this.strokes.length > 0 || this.#corners.points.length > 0;
  }

  /** Take a tool in hand, or lay it aside. @param {Tool} tool */
  take(tool) {
    const { studio, dialogs } = this.page;
    if (this.tool !== tool && !studio.writable) return dialogs.say("There is nothing to outline here.", 4);
    this.#drop();
    this.tool = this.tool === tool ? null : tool;
    this.page.pointer.tool = this.tool ? this : null;
    this.page.stage.tool = this.tool !== null;
    if (this.tool) dialogs.say(SAYS[this.tool], 6);
    this.show();
    this.page.stage.draw();
  }

  /** Show in the buttons which tool is in hand. */
  show() {
    for (const id of Object.keys(SAYS)) {
      document.getElementById(`tool-${id}`)?.setAttribute("aria-pressed", String(id === this.tool));
    }
  }

  /** @param {number} by */
  thicken(by) {
    this.radius = clamp(this.radius * by, 1, 300);
    this.page.stage.draw();
  }

  #drop() {
    this.#turn += 1;
    this.strokes = [];
    this.draft = null;
    this.#stroke = null;
    this.#corners = { points: [], adds: true };
    this.points.cancel();
    this.#picture = this.page.studio.picture?.id ?? 0;
  }

  // What a pointer does.

  /** @param {Point} point @param {{button: number, buttons: number, altKey: boolean, pointerType?: string}} event */
  begin(point, event) {
    if (this.#picture !== this.page.studio.picture?.id) this.#drop();
    const away = event.altKey || event.button === 2 || (event.buttons & 32) > 0 || this.tool === "erase";
    if (this.tool === "points") return this.points.begin(point, away, event.pointerType ?? "mouse");
    this.#stroke = { points: [point], adds: !away };
    this.page.stage.draw();
  }

  /** @param {Point[]} points */
  move(points) {
    this.points.move(points[points.length - 1]);
    this.#stroke?.points.push(...points);
    this.page.stage.draw();
  }

  /** Leave the stroke, not what was drawn before it. */
  cancel() {
    this.#stroke = null;
    this.points.cancel();
  }

  end() {
    this.points.end();
    const stroke = this.#stroke;
    this.#stroke = null;
    if (!stroke) return;
    if (this.tool === "outline") this.#find([...this.strokes, thinned(stroke)]);
    else if (this.tool === "polygon") this.#corner(stroke);
    else this.#paint(brushed(stroke.points, this.radius / this.page.stage.view.scale, this.page.stage.size), stroke.adds);
    this.page.stage.draw();
  }

  // What keys do.

  /** Whether a command is one of the tool's. @param {string} id @returns {boolean | Promise<void>} */
  heard(id) {
    const { pointer, stage, studio } = this.page;
    if (!this.tool) return false;
    if (this.#picture !== studio.picture?.id) this.#drop();
    if (ARROWS[id]) {
      const [dx, dy] = ARROWS[id];
      const [x, y] = pointer.at;
      pointer.at = [clamp(x + dx, 0, stage.room[0]), clamp(y + dy, 0, stage.room[1])];
      stage.cross = pointer.at;
      this.points.move(toPicture(stage.view, pointer.at));
      stage.draw();
      return true;
    }
    if (id === "new-box" || id === "reject") {
      const held = this.points.held;
      if (!held) this.begin(toPicture(stage.view, pointer.at), { button: id === "reject" ? 2 : 0, buttons: 0, altKey: false });
      // A point that was taken stays with the cursor until it is put down.
      if (held || !this.points.held) this.end();
      return true;
    }
    if (id === "none") {
      if (this.#begun || this.points.held) this.#drop();
      else this.take(this.tool);
      stage.draw();
      return true;
    }
    if (id === "undo" && this.#begun) return this.#back();
    if (id === "done" && this.strokes.length) return this.keep(null);
    if (id === "done" && this.#corners.points.length) return this.#close();
    return false;
  }

  /** A class's key keeps the outline as of that class. @param {string} label @returns {boolean | Promise<void>} */
  labelled(label) {
    return this.tool === "outline" && this.strokes.length > 0 && this.keep(label);
  }

  #back() {
    if (this.#corners.points.length) this.#corners.points.pop();
    else if (this.strokes.length > 1) this.#find(this.strokes.slice(0, -1));
    else this.#drop();
    this.page.stage.draw();
    return true;
  }

  // A click finds an outline.

  /** @param {Stroke[]} strokes */
  #find(strokes) {
    const { studio, dialogs, stage } = this.page;
    if (!strokes.some((each) => each.adds)) return dialogs.say("Click on the object first; then on what does not belong to it.", 4);
    const turn = ++this.#turn;
    this.strokes = strokes;
    const ask = async () => {
      try {
        const found = await post(`/api/pictures/${studio.picture?.id}/outline`, { strokes }, PATIENCE);
        if (turn === this.#turn) this.draft = found;
      } catch (error) {
        if (turn !== this.#turn) return;
        this.strokes.pop();
        dialogs.say(unanswered(error, "draw the box"), 5);
      }
      stage.draw();
    };
    this.#asked = ask();
  }

  /** Make a box of what was found. @param {string | null} label  its class, where it was said */
  async keep(label) {
    const { studio, stage } = this.page;
    await this.#asked;
    const { draft } = this;
    this.#drop();
    stage.draw();
    if (!draft) return;
    const mask = { size: draft.mask.size, counts: encoded(decoded(draft.mask), stage.size[0] * stage.size[1], true) };
    await drawn(studio, draft.corners, { mask, label });
    if (label) studio.label = label;
    stage.draw();
  }

  // Brush and corners.

  /** @param {Stroke} stroke */
  #corner(stroke) {
    const { view } = this.page.stage;
    const [first] = this.#corners.points;
    const last = stroke.points[stroke.points.length - 1];
    const near = first && Math.hypot(first[0] - last[0], first[1] - last[1]) * view.scale < 8;
    if (!first) this.#corners.adds = stroke.adds;
    if (near && this.#corners.points.length > 2) return void this.#close();
    const far = stroke.points.some((each) => Math.hypot(each[0] - last[0], each[1] - last[1]) * view.scale > 6);
    this.#corners.points.push(...(far ? thinned(stroke).points : [last]));
  }

  #close() {
    const { points, adds } = this.#corners;
    this.#corners = { points: [], adds: true };
    if (points.length > 2) this.#paint(filled([points], this.page.stage.size), adds);
    this.page.stage.draw();
    return true;
  }

  /** What is painted over: the chosen box or proposal. @returns {Target | null} */
  get #target() {
    const { studio } = this.page;
    const chosen = studio.pullable();
    if (chosen.length !== 1) return null;
    const [{ id }] = chosen;
    return studio.boxes.get(id) ?? studio.content?.proposals.get(id) ?? null;
  }

  /** Add to the chosen outline, or take away from it; the box follows. @param {[number, number][]} runs @param {boolean} adds */
  #paint(runs, adds) {
    const { studio, dialogs, stage } = this.page;
    const target = this.#target;
    const [width, height] = stage.size;
    if (!target && !adds) return dialogs.say("Choose a box first: its outline is what is taken away from.", 4);
    const before = target ? runsOf(target, stage.size, adds) : [];
    const after = adds ? union(before, runs) : without(before, runs);
    const corners = boxAround(after, height);
    if (!corners) return dialogs.say("Nothing of the outline would be left: Delete removes the box.", 5);
    const mask = { size: [height, width], counts: encoded(after, width * height, true) };
    const box = target && studio.boxes.get(target.id);
    if (box) {
      if (box.mask && same(before, after)) return;
      studio.labels.commit([put(box, { corners, mask, source: "hand", score: null, key_frame: box.track !== null })]);
    } else if (target) {
      const made = accept(studio, [target.id], { corners, mask, next: false });
      studio.select(made.map((each) => each.box), { held: true });
    } else drawn(studio, corners, { mask });
  }

  // Drawing.

  /** @param {CanvasRenderingContext2D} context @param {import("./geometry.js").View} view */
  #draw(context, view) {
    if (!this.tool || this.#picture !== this.page.studio.picture?.id) return;
    if (this.tool === "points") return this.points.draw(context, view);
    if (this.draft) drawDraft(context, view, this.draft);
    for (const each of this.tool === "outline" ? [...this.strokes, ...(this.#stroke ? [this.#stroke] : [])] : []) line(context, view, each, 2.5);
    const { points, adds } = this.#corners;
    if (this.tool === "polygon") line(context, view, { points: [...points, ...(this.#stroke?.points ?? [])], adds: this.#stroke?.adds ?? adds }, 1);
    if (this.tool !== "brush" && this.tool !== "erase") return;
    if (this.#stroke) line(context, view, this.#stroke, this.radius, 0.5);
    rim(context, this.page.pointer.at, this.radius);
  }
}

/** An outline's runs; of a box that has none, all of the box where something is taken away. @param {Target} target @param {Point} size @param {boolean} adds */
function runsOf({ mask, corners }, size, adds) {
  if (Array.isArray(mask)) return filled(mask.map(pairs), size);
  if (mask) return decoded(mask);
  const [x1, y1, x2, y2] = corners;
  return adds ? [] : filled([[[x1, y1], [x2, y1], [x2, y2], [x1, y2]]], size);
}

/** COCO's polygon as points. @param {number[]} polygon @returns {Point[]} */
const pairs = (polygon) => Array.from({ length: polygon.length / 2 }, (_, i) => /** @type {Point} */ ([polygon[2 * i], polygon[2 * i + 1]]));

/** @param {[number, number][]} a @param {[number, number][]} b */
const same = (a, b) => a.length === b.length && a.every(([from, to], i) => from === b[i][0] && to === b[i][1]);

/** A stroke with fewer points than pointers give. @param {Stroke} stroke @returns {Stroke} */
function thinned({ points, adds }) {
  const step = Math.ceil(points.length / 300);
  return { adds, points: points.filter((_, i) => i % step === 0 || i === points.length - 1) };
}
