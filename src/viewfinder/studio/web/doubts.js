/** Labels that may be wrong: crops of boxes, those in front that look like another class. */

import { get, post } from "./api.js";
import { unanswered } from "./away.js";
import { confusion, merge } from "./confusion.js";
import { button, element } from "./dialogs.js";
import { put } from "./editing.js";
import { between } from "./geometry.js";
import { written } from "./keys.js";
import { isolated } from "./names.js";
import { small } from "./pictures.js";

/**
 * @typedef {{box: string, picture: number, path: string, corners: [number, number, number, number],
 *   label: string, other: string, amount: number}} Crop
 */

const OFTEN = 700;
const SHOWN = 120;
// Pixels of the screen within which a press and a release are a click.
const CLICK = 4;

/** @param {import("./main.js").Page} page */
export async function showDoubts(page) {
  const grid = new Grid(page);
  const shown = page.dialogs.show("Labels that may be wrong", [grid.place], { wide: true });
  const leave = grid.listen(page.dialogs.dialog);
  grid.find();
  const said = await shown;
  leave();
  if (said === "merge" && grid.cell) {
    if (await merge(page, grid.cell)) await page.labels.outbox.settled();
    return showDoubts(page);
  }
  const crop = grid.crops.find((each) => `open ${each.box}` === said);
  if (!crop) return;
  await page.travel.open(crop.picture);
  if (page.studio.boxes.has(crop.box)) page.studio.select([crop.box], { held: true });
}

class Grid {
  /** @type {Crop[]} */
  crops = [];
  /** @type {Set<string>} */
  chosen = new Set();
  /** Which class is taken for which, where only such crops are shown. @type {import("./confusion.js").Cell | null} */
  cell = null;
  /** How many crops are shown. */
  #many = SHOWN;
  #last = 0;
  /** Where a rectangle began, and whether it is one by now. @type {{x: number, y: number, band: HTMLElement | null} | null} */
  #drag = null;
  #banded = -Infinity;
  #open = true;
  #turn = 0;

  /** @param {import("./main.js").Page} page */
  constructor(page) {
    this.page = page;
    const { labels, dialogs } = page;
    this.said = element("p", { role: "status", class: "soft" });
    this.cells = element("div", { class: "crops", role: "group", "aria-label": "Boxes, those doubted most in front" });
    const options = labels.listed().map((each) => element("option", { value: each.id }, each.name));
    this.only = element("select", { "aria-label": "Show boxes of" }, element("option", { value: "" }, "all classes"), ...options);
    this.only.addEventListener("change", () => this.draw());
    const move = element("select", { "aria-label": "Move the chosen to" }, element("option", { value: "" }, "Move to…"), ...options.map((each) => each.cloneNode(true)));
    move.addEventListener("change", () => {
      if (move.value) this.move(move.value);
      move.value = "";
    });
    const learnt = Boolean(page.learning.state?.finished);
    this.by = element("select", { "aria-label": "Compared by" }, element("option", { value: "looks" }, "by their looks"),
      ...(learnt ? [element("option", { value: "learnt" }, "by what was learnt here")] : []));
    this.table = element("div");
    this.more = button("", () => {
      this.#many += SHOWN;
      this.draw();
    }, { id: "more-crops" });
    this.merges = button("", () => dialogs.dialog.close("merge"), { id: "merge-these" });
    this.acts = [
      button("As it looks (y)", () => this.move(null), { title: "Give each chosen box the class that is written behind its arrow", class: "first" }),
      move,
      button("Look again (l)", () => this.again(), { title: "The pictures of the chosen boxes are to do again" }),
      button("Right (x)", () => this.drop(this.#selected()), { title: "Show the chosen ones no more until labels are compared again" }),
      button("Open (o)", () => this.open(this.#selected()[0]), { title: "Show the picture of the first chosen box" }),
    ];
    this.place = element("div", { class: "doubts" },
      element("p", {}, "What looks like boxes of another class is in front. Choose by click, Shift+click, a rectangle or Space; a class key moves the chosen to that class."),
      element("div", { class: "row" }, this.by, this.only, ...this.acts, button("Compare again", () => this.find()), button("Close", () => dialogs.dialog.close(""))),
      this.table, this.said, this.cells, this.more);
    this.by.addEventListener("change", () => this.find());
    this.cells.addEventListener("pointerdown", (event) => this.#down(event));
  }

  /** @param {HTMLDialogElement} dialog */
  listen(dialog) {
    const key = (/** @type {KeyboardEvent} */ event) => this.#key(event);
    const [move, up] = [(/** @type {PointerEvent} */ event) => this.#move(event), () => this.#up()];
    dialog.addEventListener("keydown", key);
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
    return () => {
      this.#open = false;
      dialog.removeEventListener("keydown", key);
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
    };
  }

  /** Have all boxes compared, and show what comes of it. */
  async find() {
    const turn = ++this.#turn;
    [this.crops, this.cell, this.#many] = [[], null, SHOWN];
    this.draw();
    try {
      await this.page.labels.outbox.settled();
      await post("/api/doubts", { by: this.by.value });
      for (;;) {
        const { busy, says, error, crops } = await get("/api/doubts");
        if (!this.#open || turn !== this.#turn) return; // left, or asked anew
        if (!busy) {
          this.crops = crops;
          this.draw(error);
          return;
        }
        this.said.textContent = `Comparing all boxes: ${says} …`;
        await new Promise((go) => setTimeout(go, OFTEN));
      }
    } catch (error) {
      if (turn === this.#turn) this.draw(unanswered(error));
    }
  }

  #listed() {
    const { cell, only } = this;
    const inCell = (/** @type {Crop} */ each) => !cell || (each.amount > 0 && each.label === cell.label && each.other === cell.other);
    return this.crops.filter((each) => (!only.value || each.label === only.value) && inCell(each));
  }

  #selected() {
    return this.#listed().filter((each) => this.chosen.has(each.box));
  }

  /** @param {string} [trouble] */
  draw(trouble = "") {
    const { labels } = this.page;
    const listed = this.#listed();
    const doubted = listed.filter((each) => each.amount > 0).length;
    const name = (/** @type {string} */ id) => labels.classOf(id)?.name ?? "?";
    this.said.className = trouble ? "bad" : "soft";
    this.said.textContent = trouble || (listed.length ? `${doubted} look more like another class; ${this.#selected().length} chosen` : "");
    for (const each of this.acts) each.disabled = !this.#selected().length;
    this.#confused();
    const hidden = listed.length - this.#many;
    this.more.hidden = hidden <= 0;
    this.more.textContent = `Show ${Math.min(hidden, SHOWN)} more of ${hidden} that are not shown`;
    this.cells.replaceChildren(...listed.slice(0, this.#many).map((each, at) => {
      const { picture, corners: [x1, y1, x2, y2], label, other, amount, path, box } = each;
      const image = small(`/api/pictures/${picture}/crop?x1=${x1}&y1=${y1}&x2=${x2}&y2=${y2}`, { draggable: "false" });
      const says = amount > 0 ? `${isolated(name(label))} → ${isolated(name(other))}` : name(label);
      const made = element("button", { type: "button", class: "crop", "data-box": box, "aria-pressed": String(this.chosen.has(box)), "aria-label": `${says}, ${path}`, title: `${isolated(path)}: ${says}` }, image, element("span", {}, says));
      made.addEventListener("click", (event) => this.#click(at, event));
      made.addEventListener("dblclick", () => this.open(each));
      return made;
    }));
  }

  /** The table, and for a cell of it the button that merges the two classes. */
  #confused() {
    const { labels } = this.page;
    const table = confusion(this.page, this.crops, this.cell, (cell) => {
      this.cell = cell;
      this.chosen.clear();
      this.draw();
    });
    if (this.cell) {
      const { label, other } = this.cell;
      this.merges.textContent = `Merge these two classes: ${isolated(labels.classOf(label)?.name ?? "?")} into ${isolated(labels.classOf(other)?.name ?? "?")}…`;
      table.append(this.merges);
    }
    this.table.replaceChildren(table);
  }

  /** Show what is chosen without making the crops anew. */
  #mark() {
    for (const each of this.cells.querySelectorAll("button")) each.setAttribute("aria-pressed", String(this.chosen.has(each.dataset.box ?? "")));
    const listed = this.#listed();
    const count = this.#selected().length;
    for (const each of this.acts) each.disabled = !count;
    this.said.textContent = `${listed.filter((each) => each.amount > 0).length} look more like another class; ${count} chosen`;
  }

  /** @param {number} at @param {MouseEvent} event */
  #click(at, event) {
    if (performance.now() - this.#banded < 100) return; // the end of a rectangle is no click
    const listed = this.#listed();
    if (event.shiftKey) for (const each of listed.slice(Math.min(at, this.#last), Math.max(at, this.#last) + 1)) this.chosen.add(each.box);
    else if (!this.chosen.delete(listed[at].box)) this.chosen.add(listed[at].box);
    this.#last = at;
    this.#mark();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.matches("select, input")) return;
    const cells = [...this.cells.querySelectorAll("button")];
    const at = cells.indexOf(/** @type {HTMLButtonElement} */ (target));
    const across = Math.max(1, cells.filter((each) => each.offsetTop === cells[0]?.offsetTop).length);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key];
    const label = this.page.classes.keys().get(written(event));
    /** @type {Record<string, () => void>} */
    const own = { y: () => this.move(null), l: () => this.again(), x: () => this.drop(this.#selected()), o: () => this.open(this.#selected()[0]) };
    if (step) cells[Math.min(cells.length - 1, Math.max(0, at + step))]?.focus();
    else if (event.key === "Enter" && at >= 0) this.open(this.#listed()[at]);
    else if (label) this.move(label);
    else if (own[written(event)]) own[written(event)]();
    else return;
    event.preventDefault();
    event.stopPropagation(); // the page behind has keys of its own, once this is closed
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button === 0 && event.pointerType !== "touch") this.#drag = { x: event.clientX, y: event.clientY, band: null };
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const drag = this.#drag;
    if (!drag || (!drag.band && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < CLICK)) return;
    drag.band ??= this.cells.appendChild(element("div", { class: "band" }));
    const [x1, y1, x2, y2] = between([drag.x, drag.y], [event.clientX, event.clientY], [innerWidth, innerHeight]);
    Object.assign(drag.band.style, { left: `${x1}px`, top: `${y1}px`, width: `${x2 - x1}px`, height: `${y2 - y1}px` });
    for (const each of this.cells.querySelectorAll("button")) {
      const { left, right, top, bottom } = each.getBoundingClientRect();
      if (left < x2 && right > x1 && top < y2 && bottom > y1) this.chosen.add(each.dataset.box ?? "");
    }
    this.#mark();
  }

  #up() {
    if (this.#drag?.band) {
      this.#drag.band.remove();
      this.#banded = performance.now();
    }
    this.#drag = null;
  }

  /** @param {Crop | undefined} crop */
  open(crop) {
    if (crop) this.page.dialogs.dialog.close(`open ${crop.box}`);
  }

  /** The chosen are of another class: all of one, or each of the one that it looks like. @param {string | null} label */
  async move(label) {
    const { labels, studio, dialogs } = this.page;
    const chosen = this.#selected();
    const changes = [];
    for (const { picture, box, other } of chosen) {
      const content = await labels.load(picture);
      const found = content.boxes.get(box);
      const to = label ?? other;
      if (studio.whole && content.picture.label !== to) changes.push({ do: "LabelPicture", picture, label: to });
      if (found && found.label !== to) changes.push(put(found, { label: to }));
    }
    labels.commit(changes, { meant: true });
    studio.changed();
    if (changes.length) dialogs.say(`${changes.length === 1 ? "1 box has" : `${changes.length} boxes have`} another class; one undo takes that back.`, 4);
    this.drop(chosen);
  }

  /** The pictures of the chosen are to do again. */
  async again() {
    const { labels, studio, dialogs } = this.page;
    const chosen = this.#selected();
    const pictures = [...new Set(chosen.map((each) => each.picture))];
    const contents = await Promise.all(pictures.map((each) => labels.load(each)));
    const closed = contents.filter((each) => each.picture.state !== "todo");
    labels.commit(closed.map((each) => ({ do: "SetState", picture: each.picture.id, state: "todo" })));
    studio.changed();
    dialogs.say(`${closed.length === 1 ? "1 picture is" : `${closed.length} pictures are`} to do again.`, 4);
    this.drop(chosen);
  }

  /** Show some no more. @param {Crop[]} crops */
  drop(crops) {
    const first = this.#listed().indexOf(crops[0]);
    const gone = new Set(crops);
    this.crops = this.crops.filter((each) => !gone.has(each));
    this.chosen.clear();
    this.draw();
    const cells = this.cells.querySelectorAll("button");
    cells[Math.min(Math.max(first, 0), cells.length - 1)]?.focus();
  }
}
