/**
 * The frames of a video under the picture: its tracks with their key frames, and what lies between.
 *
 * A key frame is one in which a person set or accepted a box of a track. Between two of them the
 * server says where the object is; a correction there is a key frame itself.
 */

import { get, post } from "./api.js";
import { button, element } from "./dialogs.js";
import { put } from "./editing.js";
import { distance } from "./geometry.js";
import { isolated } from "./names.js";
import { small } from "./pictures.js";
import { drawTimeline } from "./timeline.js";

/**
 * @typedef {import("./geometry.js").Corners} Corners
 * @typedef {{id: number, state: import("./api.js").State, revision: number, keys: string[], moving: number, likeness: number | null, score: number}} Frame
 * @typedef {{track: string, label: string, first: number, last: number, start: Corners, end: Corners}} Track
 * @typedef {{name: string, motion: "linear" | "flow", frames: Frame[], tracks: Track[], waiting: number, next: number | null}} Video
 */

// Milliseconds after an answer: what comes in one stroke is asked for once.
const SOON = 60;
// While boxes are followed through the pictures.
const AGAIN = 1000;
const TRIES = 20;
const THUMB = 76;
// Mean sides of a box within which it may be off where it is said to be, and may have moved since the
// nearest key of its track.
const [NEAR, REACH] = [1, 3];

export class Film {
  /** @type {Video | null} */
  video = null;
  #timer = 0;
  #asked = 0;
  #told = "";
  #drawn = "";

  /** @param {import("./main.js").Page} page */
  constructor(page) {
    this.page = page;
    this.place = /** @type {HTMLElement} */ (document.getElementById("film"));
    this.line = element("canvas", { tabindex: "0", role: "slider", "aria-label": "Frames: tracks and their key frames" });
    this.thumbs = element("div", { class: "thumbs" });
    this.head = element("div", { class: "row" });
    this.place.append(this.head, this.line, this.thumbs);
    this.line.addEventListener("click", (event) => this.#clicked(event));
    this.line.addEventListener("keydown", (event) => this.#pressed(event));
    new ResizeObserver(() => this.draw()).observe(this.place);
    const { studio } = page;
    studio.trackOf = (label, corners) => this.trackOf(label, corners);
    studio.onpart = (track) => page.after(() => this.part(track));
    studio.onclass = (box, label) => this.#reclass(box, label);
  }

  /** Where in the video the picture is; -1 of one that is no frame. */
  get at() {
    const id = this.page.studio.picture?.id;
    return this.video?.frames.findIndex((each) => each.id === id) ?? -1;
  }

  // What the server says.

  /** Another picture is shown. */
  look() {
    if (this.at < 0) this.video = null;
    this.#soon(0);
  }

  /** Labels are others now: what lies between them is too. */
  changed() {
    if (this.video) this.#soon(SOON);
  }

  /** @param {number} wait */
  #soon(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask().catch(() => {}), wait);
  }

  /** Whether it is known now: not where another question followed before the answer to this one. */
  async #ask() {
    const { studio, labels, outbox, pointer, travel } = this.page;
    const id = studio.picture?.id;
    if (id === undefined || studio.whole) return true;
    if (outbox.waiting) {
      this.#soon(SOON);
      return false;
    }
    const turn = ++this.#asked;
    const { film, why } = await get(`/api/films/${id}`);
    if (turn !== this.#asked || studio.picture?.id !== id) return false;
    const before = JSON.stringify(this.video);
    this.video = film;
    this.draw();
    if (why && why !== this.#told) this.page.dialogs.say(why);
    this.#told = why;
    if (film?.waiting) this.#soon(AGAIN);
    if (!film || JSON.stringify(film) === before || outbox.waiting) return true;
    for (const each of film.frames) if (each.id !== id) labels.contents.delete(each.id);
    if (!pointer.busy) await travel.fresh(id);
    return true;
  }

  /** The video once all that was done is kept. */
  async #now() {
    for (let tries = 0; tries < TRIES; tries++) {
      await this.page.outbox.settled();
      if (await this.#ask()) break;
    }
    return this.video;
  }

  // Tracks.

  /**
   * The track that a new box belongs to: the nearest of its class that has no key in this frame, else a new
   * number; null of a picture that is no frame.
   * @param {string} label @param {Corners} corners @param {string | null} [own]  in place of a new number
   */
  trackOf(label, corners, own = null) {
    const at = this.at;
    if (!this.video || at < 0) return null;
    const { studio } = this.page;
    const here = new Set([...studio.boxes.values()].map((each) => each.track));
    const moving = new Map([...studio.content?.proposals.values() ?? []].map((each) => [each.track, each.corners]));
    let [found, least] = [/** @type {Track | null} */ (null), 1];
    for (const each of this.video.tracks) {
      if (here.has(each.track) || studio.labels.classOf(each.label)?.id !== studio.labels.classOf(label)?.id) continue;
      const between = moving.get(each.track);
      const apart = distance(corners, between ?? (at < each.first ? each.start : each.end)) / (between ? NEAR : REACH);
      if (apart < least) [found, least] = [each, apart];
    }
    if (found ?? own) return found?.track ?? own;
    const numbers = [...this.video.tracks.map((each) => each.track), ...here].map(Number).filter(Number.isSafeInteger);
    return String(Math.max(0, ...numbers) + 1);
  }

  /** The keys of a track, in all frames. @param {string} track @returns {Promise<import("./api.js").Box[]>} */
  async #keys(track) {
    const { studio, labels } = this.page;
    await labels.outbox.settled();
    const { boxes } = await get(`/api/films/${studio.picture?.id}/track`, { name: track });
    for (const each of boxes) labels.revisions.set(`box:${each.id}`, each.revision);
    return boxes;
  }

  /** Let a track end before this frame; its keys behind it are another's. @param {string} track */
  async part(track) {
    const { labels, dialogs } = this.page;
    const { at, video } = this;
    if (!video || at < 0) return;
    const places = new Map(video.frames.map((each, place) => [each.id, place]));
    const later = (await this.#keys(track)).filter((each) => (places.get(each.picture) ?? -1) > at);
    const numbers = video.tracks.map((each) => Number(each.track)).filter(Number.isSafeInteger);
    const other = String(Math.max(0, ...numbers) + 1);
    labels.commit(later.map((each) => put(each, { track: other })));
    dialogs.say(`Track ${isolated(track)} ends at its last key frame; behind it is track ${isolated(other)}. Undo joins them again.`, 6);
  }

  /** Let all keys of a box's track be of a class. @param {import("./api.js").Box} box @param {string} label */
  #reclass(box, label) {
    const track = this.video?.tracks.find((each) => each.track === box.track);
    if (!this.video || box.track === null) return false;
    const name = box.track;
    if (!track || track.first === track.last) {
      // The only key so far: of this class it may be another's.
      this.page.labels.commit([put(box, { label, track: this.trackOf(label, box.corners, name) })]);
      return true;
    }
    this.page.after(async () => {
      const keys = await this.#keys(name);
      this.page.labels.commit(keys.map((each) => put(each, { label })));
    });
    return true;
  }

  // Going, and accepting.

  /** @param {number} by  1 or -1 */
  async key(by) {
    const [video, at] = [await this.#now(), this.at];
    for (let place = at + by; video && place >= 0 && place < video.frames.length; place += by) {
      if (video.frames[place].keys.length) return this.page.travel.open(video.frames[place].id);
    }
    return this.page.dialogs.say(video ? "There is no key frame further on." : NONE, 4);
  }

  /** To the frame that is doubted most. */
  async doubted() {
    const video = await this.#now();
    if (video?.next) return this.page.travel.open(video.next);
    return this.page.dialogs.say(video ? "Nothing is doubted in the frames between key frames." : NONE, 4);
  }

  /** Say that frames are right: those from key frame to key frame around this one, or all. @param {boolean} all */
  async accept(all) {
    const { labels, outbox, dialogs, travel } = this.page;
    const [video, at] = [await this.#now(), this.at];
    if (!video || at < 0) return dialogs.say(NONE, 4);
    let [from, to] = [0, video.frames.length - 1];
    const key = (/** @type {number} */ place) => video.frames[place].keys.length > 0;
    if (!all) {
      for (from = at; from > 0 && !key(from);) from--;
      for (to = Math.min(at + 1, to); to < video.frames.length - 1 && !key(to);) to++;
    }
    const right = video.frames.slice(from, to + 1).filter((each) => each.state === "todo" && (each.keys.length || each.moving));
    if (right.length) {
      for (const each of right) labels.revisions.set(`picture:${each.id}`, each.revision);
      labels.commit(right.map((each) => ({ do: "SetState", picture: each.id, state: "done" })), { meant: true });
      dialogs.say(`${right.length} frames are done; one undo takes all of them back.`, 4);
    } else dialogs.say("No frame to do has a box here.", 4);
    if (!all && to > at) await travel.open(video.frames[to].id);
    await outbox.settled();
    await this.page.status();
  }

  async move() {
    const { video } = this;
    const id = this.page.studio.picture?.id;
    if (!video || id === undefined) return this.page.dialogs.say(NONE, 4);
    await post(`/api/films/${id}/motion`, { motion: video.motion === "flow" ? "linear" : "flow" });
    await this.#now();
  }

  /** Say that the pictures of this one's folder are frames, or are not. */
  async order() {
    const { studio, dialogs } = this.page;
    const folder = studio.picture?.path.split("/").slice(0, -1).join("/");
    if (folder === undefined || studio.whole) return;
    await post("/api/films/order", { folder, on: !this.video });
    const was = this.video;
    await this.#now();
    if (was && this.video) dialogs.say("These are frames by their list, frames.json.", 5);
    else dialogs.say(this.video ? "The pictures of this folder are frames of a video." : "The pictures of this folder are no frames.", 5);
  }

  // Seeing.

  draw() {
    const { video, at, page } = this;
    this.place.hidden = !video || at < 0;
    if (!video || at < 0) return;
    const names = new Map(page.commands().map((each) => [each.id, each]));
    const tool = (/** @type {string} */ id, /** @type {string} */ text) => button(text, () => page.run(id), { title: `${names.get(id)?.says} (${names.get(id)?.keys.join(", ")})`, id: `film-${id}` });
    const frame = video.frames[at];
    const about = `frame ${at + 1} of ${video.frames.length}${frame.keys.length ? ", key frame" : ""}${frame.state === "done" ? ", done" : ""}`;
    const text = `${about}${video.motion}${video.waiting}`;
    if (text !== this.#drawn) {
      this.#drawn = text;
      const focused = document.activeElement?.id;
      this.head.replaceChildren(element("strong", {}, about), element("span", { class: "space" }),
        element("span", { class: "soft" }, video.waiting ? `following, ${video.waiting} to go` : ""),
        tool("previous-key", "◀ key"), tool("next-key", "key ▶"), tool("doubted", "Doubted"),
        tool("motion", video.motion === "flow" ? "Along with the picture" : "In a straight line"),
        tool("accept-span", "Span ✓"), tool("accept-film", "All ✓"));
      if (focused?.startsWith("film-")) document.getElementById(focused)?.focus({ preventScroll: true });
    }
    for (const [name, value] of [["min", 1], ["max", video.frames.length], ["now", at + 1]]) this.line.setAttribute(`aria-value${name}`, String(value));
    drawTimeline(this.line, this.place, video, at, (label) => page.studio.colour(label));
    this.#drawThumbs(video, at);
  }

  /** @param {Video} video @param {number} at */
  #drawThumbs(video, at) {
    const count = Math.max(1, Math.floor((this.place.clientWidth - 12) / (THUMB + 4)));
    const first = Math.max(0, Math.min(at - Math.floor(count / 2), video.frames.length - count));
    const known = new Map([...this.thumbs.children].map((each) => [each.id, /** @type {HTMLElement} */ (each)]));
    const made = video.frames.slice(first, first + count).map((frame, n) => {
      const id = `frame-${frame.id}`;
      const one = known.get(id) ?? this.#thumb(id, frame);
      one.setAttribute("aria-current", String(first + n === at));
      one.setAttribute("aria-label", `Frame ${first + n + 1}${frame.keys.length ? ", key frame" : ""}, ${frame.state}`);
      one.dataset.state = frame.state;
      one.classList.toggle("key", frame.keys.length > 0);
      return one;
    });
    const same = made.length === this.thumbs.children.length && made.every((each, n) => each === this.thumbs.children[n]);
    if (!same) this.thumbs.replaceChildren(...made);
  }

  /** @param {string} id @param {Frame} frame */
  #thumb(id, frame) {
    const made = button("", () => this.page.travel.open(frame.id), { id, class: "frame" });
    made.append(small(`/api/pictures/${frame.id}/thumbnail`, { decoding: "async" }));
    return made;
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const { left, width } = this.line.getBoundingClientRect();
    const count = this.video?.frames.length ?? 0;
    const place = Math.max(0, Math.min(count - 1, Math.floor(((event.clientX - left) / width) * count)));
    if (count) this.page.travel.open(this.video?.frames[place].id ?? 0);
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const next = this.video?.frames[this.at + by];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    if (next) this.page.travel.open(next.id);
  }
}

const NONE = "This picture is no frame of a video; Shift+F says that the pictures of its folder are.";
