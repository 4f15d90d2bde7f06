/**
 * What pointers do on the stage. A mouse or a pen draws, and so does a finger where there is nothing
 * else; two fingers pan and zoom, and where a finger does not draw, one pans.
 *
 * Dragging a handle of a selected box pulls it; of one that was clicked, a side does too, and dragging
 * within moves it. Dragging anywhere else draws, inside other boxes too. A click selects.
 */

import { drawn, keepPreview, classify, previewMove } from "./editing.js";
import { Sweep } from "./sweeping.js";
import { between, handleAt, handleOn, inside, nearestByCorner, resized, smallestAt, toPicture } from "./geometry.js";

/**
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./geometry.js").Corners} Corners
 * @typedef {{kind: "draw" | "select" | "pan" | "move" | "resize" | "tool" | "sweep" | "wait", from: Point, last: Point,
 *   handle?: import("./geometry.js").Handle, id?: string, sweep?: Sweep}} Gesture
 */

// Pixels of the screen within which a press and a release are a click.
const CLICK = 3;
const REACH = { mouse: 6, pen: 8, touch: 16 };
const CURSORS = { n: "ns", s: "ns", e: "ew", w: "ew", nw: "nwse", se: "nwse", ne: "nesw", sw: "nesw" };

export class Pointer {
  /** @type {Map<number, Point>} */
  #touches = new Map();
  /** @type {Gesture | null} */
  #gesture = null;
  /** @type {Point} */
  at = [0, 0];
  space = false;
  /** What a stroke does to the proposals that it passes, while a key for it is held. @type {import("./sweeping.js").Deciding | null} */
  deciding = null;
  /** Whether one finger draws: where fingers are all there is, until a pen comes, or as the person says. */
  fingerDraws = matchMedia("(pointer: coarse)").matches;
  onfinger = () => {};
  #said = false;
  /** A corner that follows the pointer until a click. @type {{id: string, handle: "nw" | "se"} | null} */
  grabbed = null;
  /** What strokes go to in place of drawing boxes. @type {import("./shaping.js").Shaping | null} */
  tool = null;

  /** @param {import("./studio.js").Studio} studio */
  constructor(studio) {
    this.studio = studio;
    this.stage = studio.stage;
    const { element } = this.stage;
    studio.pointed = () => this.#pointed();
    element.addEventListener("pointerdown", (event) => this.#down(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    element.addEventListener("pointerup", (event) => this.#up(event));
    element.addEventListener("pointercancel", (event) => {
      this.#touches.delete(event.pointerId);
      this.cancel();
    });
    element.addEventListener("pointerleave", () => this.#cross(null));
    element.addEventListener("contextmenu", (event) => event.preventDefault());
    element.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  /** Let a finger draw, or move the picture: the person has said so. @param {boolean} draws */
  let(draws) {
    this.#said = true;
    this.fingerDraws = draws;
    this.onfinger();
  }

  /** Whoever draws with a pen rests a hand on the screen: fingers then move the picture. */
  #penned() {
    if (this.#said || !this.fingerDraws) return;
    this.fingerDraws = false;
    this.onfinger();
  }

  /** Whether something is being dragged. */
  get busy() {
    return this.#gesture !== null || this.grabbed !== null;
  }

  /** Leave everything as it was before the gesture. */
  cancel() {
    this.#gesture = null;
    this.grabbed = null;
    this.tool?.cancel();
    this.stage.band = null;
    this.studio.preview.clear();
    if (this.studio.swept.size) this.stage.renew();
    this.studio.swept.clear();
    this.stage.draw();
  }

  /** Let the nearest box's corner follow the pointer. @param {"nw" | "se"} handle */
  grab(handle) {
    const point = toPicture(this.stage.view, this.at);
    const box = nearestByCorner(this.studio.editable(), point, handle);
    if (!box) return;
    this.studio.select([box.id], { held: true });
    this.grabbed = { id: box.id, handle };
    this.#follow();
  }

  #follow() {
    if (!this.grabbed) return;
    const box = this.studio.boxes.get(this.grabbed.id);
    if (!box) return this.cancel();
    const [x, y] = toPicture(this.stage.view, this.at);
    const index = this.grabbed.handle === "nw" ? 0 : 2;
    const by = [x - box.corners[index], y - box.corners[index + 1]];
    this.studio.preview.set(box.id, resized(box.corners, this.grabbed.handle, by[0], by[1], this.stage.size));
    this.stage.draw();
  }

  /** @param {PointerEvent | WheelEvent} event @returns {Point} */
  #place(event) {
    const { left, top } = this.stage.element.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  /** @param {PointerEvent} event */
  #down(event) {
    // Captured, a press of a button that lies on the stage would not reach it.
    if (/** @type {HTMLElement} */ (event.target).closest("#empty, #held, #unshown, #unread")) return;
    this.stage.element.focus({ preventScroll: true });
    this.at = this.#place(event);
    if (this.grabbed) {
      this.#release();
      return;
    }
    this.stage.element.setPointerCapture(event.pointerId);
    if (event.pointerType === "pen") this.#penned();
    if (event.pointerType === "touch") {
      this.#touches.set(event.pointerId, this.at);
      if (this.#touches.size > 1) {
        this.cancel();
        this.#gesture = { kind: "wait", from: this.at, last: this.at };
        return;
      }
    }
    this.#gesture = { ...this.#begin(event), from: this.at, last: this.at };
  }

  /** @param {PointerEvent} event @returns {Pick<Gesture, "kind" | "handle" | "id" | "sweep">} */
  #begin(event) {
    if (event.button === 1 || this.space) return { kind: "pan" };
    if (this.tool && this.studio.writable) {
      this.tool.begin(toPicture(this.stage.view, this.at), event);
      return { kind: "tool" };
    }
    if (event.button === 2) return { kind: "pan" };
    if (this.deciding && this.studio.writable) return { kind: "sweep", sweep: new Sweep(this.studio, this.deciding, toPicture(this.stage.view, this.at)) };
    if (event.shiftKey) return { kind: "select" };
    const grip = event.altKey ? null : this.#grip(event);
    if (grip) return grip;
    if (event.pointerType === "touch" && !this.fingerDraws) return { kind: "pan" };
    if (!this.studio.writable && !this.studio.whole) this.studio.onunwritable();
    return this.studio.writable ? { kind: "draw" } : { kind: "pan" };
  }

  /** What of the selected boxes is under the pointer. @param {PointerEvent} event @returns {Pick<Gesture, "kind" | "handle" | "id"> | null} */
  #grip(event) {
    const point = toPicture(this.stage.view, this.#place(event));
    const reach = (REACH[/** @type {keyof REACH} */ (event.pointerType)] ?? REACH.mouse) / this.stage.view.scale;
    const selected = this.studio.pullable();
    for (const box of selected) {
      // One that was just drawn is in the way of the next, but for its handles.
      const handle = (this.studio.held ? handleAt : handleOn)(box.corners, point, reach);
      if (handle) return { kind: "resize", handle, id: box.id };
    }
    const held = selected.find((each) => inside(each.corners, point));
    return held && this.studio.held ? { kind: "move", id: held.id } : null;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const before = this.at;
    this.at = this.#place(event);
    if (event.pointerType === "touch" && this.#touches.size === 2) return this.#pinch(event);
    if (this.grabbed) return this.#follow();
    const gesture = this.#gesture;
    if (!gesture) return this.#hover(event);
    if (gesture.kind === "tool") this.tool?.move(this.#path(event));
    else if (gesture.kind === "sweep") gesture.sweep?.pass(this.#path(event));
    else if (gesture.kind === "pan") this.stage.pan(this.at[0] - before[0], this.at[1] - before[1]);
    else this.#shape(gesture);
    // What leads the eye to where a box begins is in the way of one that is drawn or moved.
    this.#cross(event.pointerType === "touch" || gesture.kind !== "tool" ? null : this.at);
  }

  /** Where the pointer was since the last time, in pixels of the picture. @param {PointerEvent} event @returns {Point[]} */
  #path(event) {
    const between = event.getCoalescedEvents?.() ?? [];
    return (between.length ? between : [event]).map((each) => toPicture(this.stage.view, this.#place(each)));
  }

  /** Show what the gesture has come to. @param {Gesture} gesture */
  #shape(gesture) {
    gesture.last = this.at;
    const { view, size } = this.stage;
    const [from, to] = [toPicture(view, gesture.from), toPicture(view, this.at)];
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    if (gesture.kind === "draw" || gesture.kind === "select") {
      this.stage.band = { corners: between(from, to, size), kind: gesture.kind === "draw" ? "new" : "select" };
    } else if (gesture.kind === "resize" && gesture.id && gesture.handle) {
      const box = this.studio.pullable().find((each) => each.id === gesture.id);
      if (box) this.studio.preview.set(box.id, resized(box.corners, gesture.handle, dx, dy, size));
    } else if (gesture.kind === "move") {
      previewMove(this.studio, dx, dy);
    }
    this.stage.draw();
  }

  /** @param {PointerEvent} event */
  #up(event) {
    this.at = this.#place(event);
    this.#touches.delete(event.pointerId);
    const gesture = this.#gesture;
    this.#gesture = null;
    if (!gesture) return;
    if (gesture.kind === "tool") {
      this.tool?.end();
      return;
    }
    if (gesture.kind === "sweep") {
      gesture.sweep?.end();
      return;
    }
    const far = Math.hypot(this.at[0] - gesture.from[0], this.at[1] - gesture.from[1]) > CLICK;
    if (!far && gesture.kind !== "wait") {
      this.cancel();
      if (event.button === 0) this.#click(event);
      return;
    }
    if (gesture.kind === "pan" && this.studio.whole && event.button === 0 && !this.space) this.studio.onunwritable();
    if (gesture.kind !== "pan" && gesture.kind !== "wait") this.#shape(gesture);
    const band = this.stage.band;
    this.stage.band = null;
    if (gesture.kind === "draw" && band) drawn(this.studio, band.corners);
    else if (gesture.kind === "select" && band) this.#within(band.corners, event);
    else if (gesture.kind === "move" || gesture.kind === "resize") keepPreview(this.studio);
    this.stage.draw();
  }

  /** @param {PointerEvent} event */
  #click(event) {
    const point = toPicture(this.stage.view, this.at);
    const reach = 3 / this.stage.view.scale;
    const box = smallestAt(this.studio.visible(), point, reach);
    if (box && event.altKey && this.studio.writable) {
      this.studio.select([box.id], { held: true });
      classify(this.studio);
      return;
    }
    const ghost = box ? null : smallestAt(this.studio.ghosts(), point, reach);
    if (ghost) this.studio.selectGhost(ghost.id);
    else if (event.shiftKey && box) this.studio.toggle(box.id);
    else this.studio.select(box ? [box.id] : [], { held: true });
  }

  /** @param {Corners} corners @param {PointerEvent} event */
  #within(corners, event) {
    const found = this.studio.visible().filter(({ corners: [x1, y1, x2, y2] }) =>
      inside(corners, [x1, y1]) && inside(corners, [x2, y2]));
    const more = event.ctrlKey ? [...this.studio.selection] : [];
    this.studio.select([...more, ...found.map((each) => each.id)], { held: true });
  }

  #release() {
    this.grabbed = null;
    keepPreview(this.studio);
  }

  /** Two fingers: nearer, further and along. @param {PointerEvent} event */
  #pinch(event) {
    const [other] = [...this.#touches].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    const old = this.#touches.get(event.pointerId) ?? this.at;
    const middle = (/** @type {Point} */ a) => /** @type {Point} */ ([(a[0] + other[0]) / 2, (a[1] + other[1]) / 2]);
    const apart = (/** @type {Point} */ a) => Math.max(Math.hypot(a[0] - other[0], a[1] - other[1]), 1);
    const [was, is] = [middle(old), middle(this.at)];
    this.stage.pan(is[0] - was[0], is[1] - was[1]);
    this.stage.zoom(apart(this.at) / apart(old), is);
    this.#touches.set(event.pointerId, this.at);
  }

  /** The smallest proposal under a mouse that is over the picture. */
  #pointed() {
    if (!this.stage.cross || this.tool || this.busy) return null;
    return smallestAt(this.studio.ghosts(), toPicture(this.stage.view, this.at));
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    const grip = event.altKey || event.shiftKey || this.space || this.tool ? null : this.#grip(event);
    const cursor = this.space ? "grab" : grip?.handle ? `${CURSORS[grip.handle]}-resize` : grip ? "move" : "crosshair";
    this.stage.element.style.cursor = cursor;
    this.#cross(event.pointerType === "touch" || grip ? null : this.at);
  }

  /** @param {Point | null} at */
  #cross(at) {
    this.stage.cross = at && this.studio.writable ? at : null;
    this.stage.pointed = this.studio.ghost ? null : this.#pointed()?.corners ?? null;
    this.stage.draw();
  }

  /** A wheel zooms, and a touchpad's two fingers pan; a pinch there comes as a wheel with Ctrl. @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 24 : event.deltaMode === 2 ? 400 : 1;
    const [dx, dy] = [event.deltaX * lines, event.deltaY * lines];
    if (event.shiftKey || (dx !== 0 && !event.ctrlKey)) this.stage.pan(-dx, -dy);
    else this.stage.zoom(Math.exp(-dy * (event.ctrlKey ? 0.01 : 0.002)), this.#place(event));
    if (this.grabbed) this.#follow();
  }
}
