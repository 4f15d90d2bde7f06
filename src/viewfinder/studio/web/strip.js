/** The list of pictures: any number of them, of which only the rows in sight are asked for. */

import { get } from "./api.js";
import { element } from "./dialogs.js";
import { small } from "./pictures.js";
import { isAnew } from "./unread.js";

const ROW = 70;
const PAGE = 100;
const MARKS = { todo: "", done: "✓ ", skipped: "– " };

export class Strip {
  /** @type {Map<number, import("./api.js").Picture[]>} */
  #pages = new Map();
  /** @type {Set<number>} */
  #asked = new Set();
  #turn = 0;
  /** Which time thumbnails are asked for: the browser keeps those of a time. */
  #of = 0;
  total = 0;
  /** @type {number | null} */
  current = null;

  /** @param {(id: number) => void} open */
  constructor(open) {
    this.open = open;
    this.rows = /** @type {HTMLElement} */ (document.getElementById("rows"));
    this.spacer = /** @type {HTMLElement} */ (document.getElementById("spacer"));
    this.state = /** @type {HTMLSelectElement} */ (document.getElementById("filter-state"));
    this.text = /** @type {HTMLInputElement} */ (document.getElementById("filter-text"));
    /** @type {() => void} */
    this.onfilter = () => {};
    /** Of a picture as a whole, the name of its class; null where boxes are labelled. @type {(picture: import("./api.js").Picture) => string | null} */
    this.named = () => null;
    this.rows.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.rows);
    this.state.addEventListener("change", () => this.#filtered());
    let timer = 0;
    this.text.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#filtered(), 200);
    });
    this.rows.addEventListener("keydown", (event) => this.#key(event));
  }

  /** What is asked for. @returns {import("./api.js").Filter} */
  get filter() {
    const state = this.state.value;
    const text = this.text.value.trim() || undefined;
    if (state === "proposed") return { proposed: true, text };
    return { state: /** @type {import("./api.js").State} */ (state) || undefined, text };
  }

  async #filtered() {
    this.rows.scrollTop = 0;
    await this.refresh();
    this.onfilter();
  }

  /** Ask anew for what is in sight. */
  async refresh() {
    this.#turn++;
    this.#pages.clear();
    this.#asked.clear();
    await this.#ask(Math.floor(this.rows.scrollTop / ROW / PAGE));
  }

  /** The same, where the files of pictures may be others than they were. */
  renew() {
    this.#of += 1;
    for (const row of this.rows.querySelectorAll(".thumb")) row.remove();
    this.refresh();
  }

  /** @param {number} page */
  async #ask(page) {
    if (this.#asked.has(page)) return;
    this.#asked.add(page);
    const turn = this.#turn;
    try {
      const answer = await get("/api/pictures", { ...this.filter, start: page * PAGE, count: PAGE });
      if (turn !== this.#turn) return;
      this.total = answer.total;
      this.#pages.set(page, answer.pictures);
      this.draw();
    } catch {
      this.#asked.delete(page); // asked for again when the list is next drawn
    }
  }

  /** Show a picture as it is now. @param {import("./labels.js").Content} content */
  update(content) {
    const proposals = [...content.proposals.values()].filter((each) => each.state === "open" && each.track === undefined).length;
    const picture = { ...content.picture, boxes: content.boxes.size, proposals };
    for (const page of this.#pages.values()) {
      const at = page.findIndex((each) => each.id === picture.id);
      if (at >= 0) page[at] = picture;
    }
  }

  /** @param {number} id */
  choose(id) {
    this.current = id;
    let known = false;
    for (const [number, page] of this.#pages) {
      const at = page.findIndex((each) => each.id === id);
      if (at < 0) continue;
      known = true;
      this.#see(number * PAGE + at);
    }
    if (!known) this.#find(id).catch(() => {}); // the list stays where it is
    this.draw();
  }

  /** Scroll to a row that is out of sight. @param {number} place */
  #see(place) {
    const top = place * ROW;
    if (top < this.rows.scrollTop || top + ROW > this.rows.scrollTop + this.rows.clientHeight) {
      this.rows.scrollTop = top - this.rows.clientHeight / 3;
    }
  }

  /** Ask where in the list a picture stands that was not in sight yet. @param {number} id */
  async #find(id) {
    const turn = this.#turn;
    const { place } = await get(`/api/pictures/${id}/place`, this.filter);
    if (place === null || turn !== this.#turn || id !== this.current) return;
    this.#see(place);
    this.draw();
  }

  draw() {
    this.spacer.style.height = `${this.total * ROW}px`;
    const first = Math.max(0, Math.floor(this.rows.scrollTop / ROW) - 2);
    const last = Math.min(this.total, Math.ceil((this.rows.scrollTop + this.rows.clientHeight) / ROW) + 2);
    const shown = new Map([...this.rows.querySelectorAll(".thumb")].map((each) => [each.id, /** @type {HTMLElement} */ (each)]));
    for (let place = first; place < last; place++) {
      const picture = this.#pages.get(Math.floor(place / PAGE))?.[place % PAGE];
      if (!picture) {
        this.#ask(Math.floor(place / PAGE));
        continue;
      }
      const id = `picture-${picture.id}`;
      const row = shown.get(id) ?? this.#row(id, picture);
      shown.delete(id);
      row.style.top = `${place * ROW}px`;
      row.setAttribute("aria-selected", String(picture.id === this.current));
      /** @type {HTMLElement} */ (row.children[2]).textContent = this.about(picture);
    }
    for (const left of shown.values()) left.remove();
    this.rows.setAttribute("aria-activedescendant", this.current === null ? "" : `picture-${this.current}`);
  }

  /** @param {string} id @param {import("./api.js").Picture} picture */
  #row(id, picture) {
    const image = small(`/api/pictures/${picture.id}/thumbnail?of=${this.#of}`, { decoding: "async" });
    const name = picture.path.split("/").pop() ?? "";
    const row = element("div", { class: "thumb", id, role: "option", title: picture.path }, image, element("span", {}, name), element("small"));
    row.addEventListener("click", () => this.open(picture.id));
    this.rows.append(row);
    return row;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    for (const [number, page] of this.#pages) {
      const at = page.findIndex((each) => each.id === this.current);
      if (at < 0) continue;
      const place = number * PAGE + at + by;
      const next = this.#pages.get(Math.floor(place / PAGE))?.[place % PAGE];
      if (next) this.open(next.id);
      return;
    }
  }

  /** @param {import("./api.js").Picture} picture */
  about(picture) {
    const trouble = picture.missing ? "missing" : picture.trouble && !picture.ready ? "labels not read" : picture.trouble && picture.state !== "done" && !isAnew(picture) ? "trouble" : picture.changed ? "changed" : "";
    const open = picture.proposals ? ` +${picture.proposals}` : "";
    const what = this.named(picture) ?? (!picture.ready ? "not read" : picture.boxes === 1 ? "1 box" : `${picture.boxes} boxes`);
    return `${MARKS[picture.state]}${trouble || what}${open}`;
  }
}
