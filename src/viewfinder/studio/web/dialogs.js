/** Asking and telling. Whatever is shown may be a stranger's name, so all of it is text. */

import { isolated, untwisted } from "./names.js";

/**
 * An element with text and children.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Record<string, string>} [attributes] @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** @param {string} text @param {() => void} does @param {Record<string, string>} [attributes] */
export function button(text, does, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", does);
  return made;
}

// Letters of a name that can still be told from others beside a picture.
const LONGEST_NAME = 100;

export class Dialogs {
  /** Who waits for an answer. @type {((said: string) => void) | null} */
  #asker = null;

  constructor() {
    this.dialog = /** @type {HTMLDialogElement} */ (document.getElementById("dialog"));
    this.notes = /** @type {HTMLElement} */ (document.getElementById("notes"));
    this.dialog.addEventListener("close", () => {
      // The browser says so a moment later: by then another may have been opened.
      if (!this.dialog.open) this.#answer(this.dialog.returnValue);
    });
  }

  /** Whether an answer is waited for: one that was given may not have been heard yet. */
  get asking() {
    return this.#asker !== null;
  }

  /** @param {string} said */
  #answer(said) {
    const asker = this.#asker;
    this.#asker = null;
    asker?.(said);
  }

  get open() {
    return this.dialog.open;
  }

  /** Tell something for some seconds. @param {string} text @param {number} [seconds] */
  say(text, seconds = 8) {
    const note = element("div", { class: "note" }, element("span", {}, untwisted(text)));
    note.append(button("×", () => note.remove(), { "aria-label": "Close this message" }));
    this.notes.append(note);
    while (this.notes.children.length > 4) this.notes.firstChild?.remove();
    setTimeout(() => note.remove(), seconds * 1000);
  }

  /** Tell something, unless it is being told. @param {string} text @param {number} seconds */
  once(text, seconds) {
    if (![...this.notes.children].some((each) => each.firstChild?.textContent === untwisted(text))) this.say(text, seconds);
  }

  /** @param {string} title @param {Node[]} content @returns {Promise<string>} what was chosen; "" if it was left */
  show(title, content, { wide = false } = {}) {
    this.#answer(this.dialog.open ? "" : this.dialog.returnValue); // whoever asked before
    if (this.dialog.open) this.dialog.close("");
    this.dialog.className = wide ? "wide" : "";
    this.dialog.returnValue = "";
    const heading = element("h2", { id: "dialog-title" }, title);
    this.dialog.replaceChildren(heading, ...content);
    this.dialog.showModal();
    return new Promise((resolve) => {
      this.#asker = resolve;
    });
  }

  /** @param {string} text @param {string} yes @param {string} no @returns {Promise<boolean>} */
  async confirm(text, yes, no) {
    const row = element("div", { class: "row" }, button(yes, () => this.dialog.close("yes")), button(no, () => this.dialog.close("")));
    return (await this.show(text, [row])) === "yes";
  }

  /** A line of text; "" if it was left. @param {string} title @param {string} name @param {string} [value] @returns {Promise<string>} */
  async ask(title, name, value = "") {
    return (await this.answer(title, name, value)) ?? "";
  }

  /** The name of a class; "" if it was left, or is too long to be read. @param {string} title @param {string} [value] @returns {Promise<string>} */
  async name(title, value = "") {
    return this.fitting((await this.ask(title, "Name of the class", value)).trim());
  }

  /** A name, or "" of one that is too long, which is said. @param {string} name */
  fitting(name) {
    if (name.length <= LONGEST_NAME) return name;
    this.say(`A class's name has at most ${LONGEST_NAME} letters. This one has ${name.length}, and was not taken.`);
    return "";
  }

  /** The same, with null if it was left. @param {string} title @param {string} name @param {string} [value] @returns {Promise<string | null>} */
  async answer(title, name, value = "") {
    const input = element("input", { type: "text", "aria-label": name, maxlength: "5000", autocomplete: "off" });
    input.value = value;
    const form = element("form", {}, input, element("button", { type: "submit" }, "OK"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.dialog.close(`=${input.value}`);
    });
    const shown = this.show(title, [form]);
    input.select();
    const said = await shown;
    return said.startsWith("=") ? said.slice(1) : null;
  }

  /**
   * Choose one of many by its first letters; null if it was left.
   * @param {string} title @param {{id: string, name: string}[]} items @param {string | null} [fresh]  what a name that is none of them would make
   * @returns {Promise<{id: string | null, name: string} | null>}
   */
  async find(title, items, fresh = null) {
    const input = element("input", { type: "text", "aria-label": "First letters", autocomplete: "off" });
    const list = element("ul", { class: "found", "aria-live": "polite" });
    /** @type {{id: string | null, name: string}[]} */
    let found = [];
    const look = () => {
      const typed = input.value.trim().toLowerCase();
      const starts = items.filter((each) => each.name.toLowerCase().startsWith(typed));
      const has = items.filter((each) => !starts.includes(each) && each.name.toLowerCase().includes(typed));
      found = [...starts, ...has].slice(0, 12);
      const exact = items.some((each) => each.name === input.value.trim());
      if (fresh && typed && !exact) found.push({ id: null, name: input.value.trim() });
      list.replaceChildren(...found.map((each, place) => element("li", {},
        button(each.id === null ? `${fresh}: ${isolated(each.name)}` : each.name, () => this.dialog.close(String(place)), place ? {} : { class: "first" }))));
    };
    input.addEventListener("input", look);
    const form = element("form", {}, input, list);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.dialog.close(found.length ? "0" : "");
    });
    look();
    const shown = this.show(title, [form]);
    input.focus();
    const place = await shown;
    return place === "" ? null : found[Number(place)] ?? null;
  }
}
