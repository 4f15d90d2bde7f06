/** The panel of classes: counts, keys, colours, names, and merging. */

import { button, element } from "./dialogs.js";
import { choose } from "./editing.js";
import { clash, classKeys, shownKey, written } from "./keys.js";
import { isolated } from "./names.js";

/** @typedef {import("./api.js").LabelClass} LabelClass */

export class ClassPanel {
  /** @param {import("./studio.js").Studio} studio @param {() => import("./keys.js").Command[]} commands */
  constructor(studio, commands) {
    this.studio = studio;
    this.labels = studio.labels;
    this.dialogs = studio.dialogs;
    this.commands = commands;
    this.place = /** @type {HTMLElement} */ (document.getElementById("classes"));
    /** @type {() => void} */
    this.onguess = () => {};
  }

  /** By key, the class that it chooses. */
  keys() {
    return classKeys(this.labels.listed(), this.commands());
  }

  draw() {
    const keys = new Map([...this.keys()].map(([key, id]) => [id, key]));
    const focused = document.activeElement?.id;
    const head = element("h2", {}, "Classes", element("span", { class: "space" }), ...this.#guessing(), button("add", () => this.add(), { id: "class-add", "aria-label": "Add a class" }));
    const what = this.studio.whole ? "pictures" : "boxes";
    const counts = this.labels.countsByClass(what);
    const lines = this.labels.listed().map((each) => this.#line(each, keys.get(each.id) ?? "", counts.get(each.id) ?? 0, what));
    const none = lines.length || this.studio.kind === null ? [] : [element("p", {}, this.studio.whole ? "None yet: add one, then its key gives it to a picture." : "None yet: the first box that you draw asks for its class.")];
    this.place.replaceChildren(head, ...none, ...lines);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  /** Whether the class of a new box is guessed. */
  #guessing() {
    const { studio } = this;
    if (studio.whole) return [];
    return [button("guess", () => {
      studio.guesses = !studio.guesses;
      this.onguess();
      studio.changed();
    }, { id: "guess", "aria-pressed": String(studio.guesses), "aria-label": "Guess the class of a new box by its look", title: "A new box is of the class of the box that looks most like it; a class key says otherwise" })];
  }

  /** @param {LabelClass} each @param {string} key @param {number} count @param {string} what */
  #line(each, key, count, what) {
    const colour = element("input", { type: "color", "aria-label": `Colour of ${each.name}`, id: `colour-${each.id}` });
    colour.value = hex(this.studio.colour(each.id));
    colour.addEventListener("change", () => this.#put(each, { colour: colour.value }));
    const name = button(each.name, () => choose(this.studio, each.id), { class: "name", id: `class-${each.id}`, title: each.name });
    const line = element("div", { class: "line" }, colour, name, element("span", { class: "count", "aria-label": `${count} ${what}` }, String(count)));
    if (key) line.append(element("kbd", {}, shownKey(key)));
    line.append(button("⋯", () => this.#change(each), { class: "icon", id: `change-${each.id}`, "aria-label": `Change ${each.name}` }));
    const now = this.studio.whole ? this.studio.picture?.label : this.studio.label;
    if (this.labels.classOf(now ?? "")?.id === each.id) line.setAttribute("aria-current", "true");
    return line;
  }

  /** @param {LabelClass} each @param {Partial<LabelClass>} fields */
  #put(each, fields) {
    const { id, name, colour, key, position } = { ...each, ...fields };
    this.labels.commit([{ do: "PutClass", id, name, colour, key, position }]);
  }

  async add() {
    const name = await this.dialogs.name("A new class");
    if (!name) return;
    if (this.labels.named(name)) {
      this.dialogs.say(`There is a class ${isolated(name)} already.`);
      return;
    }
    const made = this.labels.newClass(name);
    this.labels.commit([made]);
    choose(this.studio, made.id);
  }

  /** @param {LabelClass} each */
  async #change(each) {
    const close = (/** @type {string} */ what) => () => this.dialogs.dialog.close(what);
    const used = Boolean(this.labels.countsByClass().get(each.id) || this.labels.counts.pictures[each.id]);
    const row = element("div", { class: "row" },
      button("Rename", close("rename")), button("Key", close("key")), button("Earlier in the list", close("earlier")),
      button("Later in the list", close("later")), button("Merge into another", close("merge")));
    const remove = button("Remove", close("remove"));
    remove.disabled = used;
    if (used) remove.title = "It is in use: merge it into another instead";
    row.append(remove);
    const chosen = await this.dialogs.show(each.name, [row]);
    if (chosen === "rename") await this.#rename(each);
    else if (chosen === "key") await this.#key(each);
    else if (chosen === "earlier") this.#shift(each, -1);
    else if (chosen === "later") this.#shift(each, 1);
    else if (chosen === "merge") await this.#merge(each);
    else if (chosen === "remove") this.labels.commit([{ do: "RemoveClass", id: each.id }]);
  }

  /** @param {LabelClass} each */
  async #rename(each) {
    const name = await this.dialogs.name(`Another name for ${isolated(each.name)}`, each.name);
    if (!name || name === each.name) return;
    if (this.labels.named(name)) this.dialogs.say(`There is a class ${isolated(name)} already: merge the two instead.`);
    else this.#put(each, { name });
  }

  /** @param {LabelClass} each */
  async #key(each) {
    const said = element("p", { role: "status" }, "Press a key, or Esc to leave it as it is.");
    /** @param {KeyboardEvent} event */
    const pressed = (event) => {
      const key = written(event);
      if (!key || key === "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      const why = clash(key, this.commands(), this.labels.listed(), each.id);
      if (why) said.textContent = `${why}: press another.`;
      else this.dialogs.dialog.close(`key ${key}`);
    };
    addEventListener("keydown", pressed, { capture: true });
    const none = button("No key of its own", () => this.dialogs.dialog.close("key "));
    const chosen = await this.dialogs.show(`The key for ${isolated(each.name)}`, [said, none]);
    removeEventListener("keydown", pressed, { capture: true });
    if (chosen.startsWith("key ")) this.#put(each, { key: chosen.slice(4) });
  }

  /** @param {LabelClass} each @param {number} by */
  #shift(each, by) {
    const order = this.labels.listed();
    const at = order.findIndex((one) => one.id === each.id);
    if (at + by < 0 || at + by >= order.length) return;
    order.splice(at, 1);
    order.splice(at + by, 0, each);
    const changes = order.map((one, position) => ({ one, position })).filter(({ one, position }) => one.position !== position)
      .map(({ one: { id, name, colour, key }, position }) => ({ do: "PutClass", id, name, colour, key, position }));
    this.labels.commit(changes);
  }

  /** @param {LabelClass} each */
  async #merge(each) {
    const others = this.labels.listed().filter((one) => one.id !== each.id);
    const chosen = await this.dialogs.find(`All that is ${isolated(each.name)} becomes …`, others);
    if (!chosen?.id) return;
    this.labels.commit([{ do: "MergeClass", id: each.id, into: chosen.id }]);
    if (this.studio.label === each.id) this.studio.label = chosen.id;
  }
}

/** A colour as `#rrggbb`. @param {string} colour */
function hex(colour) {
  const context = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  context.fillStyle = colour;
  return String(context.fillStyle);
}
