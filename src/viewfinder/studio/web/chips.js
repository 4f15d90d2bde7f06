/** The classes as a row below the picture, where the page is too narrow for the list beside it. */

import { button, element } from "./dialogs.js";
import { choose } from "./editing.js";

const NARROW = matchMedia("(max-width: 820px)");

export class Chips {
  /** @param {import("./studio.js").Studio} studio @param {() => void} add  asks for a new class */
  constructor(studio, add) {
    this.studio = studio;
    this.add = add;
    this.place = /** @type {HTMLElement} */ (document.getElementById("chips"));
    NARROW.addEventListener("change", () => this.draw());
  }

  draw() {
    const { labels, whole, picture, label } = this.studio;
    this.place.hidden = !NARROW.matches || !picture;
    if (this.place.hidden) return;
    const now = labels.classOf((whole ? picture?.label : label) ?? "")?.id;
    const all = labels.listed().map(({ id, name }) => ({ id, name, colour: this.studio.colour(id) }));
    const about = JSON.stringify([all, now]);
    // What is under a finger is not put in anew for nothing.
    if (this.place.dataset.about === about) return;
    this.place.dataset.about = about;
    const chips = all.map((each) => this.#chip(each, each.id === now));
    this.place.replaceChildren(...chips, button("+ class", () => this.add(), { "aria-label": "Add a class" }));
    const chosen = chips.find((each) => each.getAttribute("aria-pressed") === "true");
    if (chosen) this.#bring(chosen);
  }

  /** @param {{id: string, name: string, colour: string}} about @param {boolean} chosen */
  #chip({ id, name, colour }, chosen) {
    const swatch = element("span", { class: "swatch" });
    swatch.style.background = colour;
    const chip = button("", () => choose(this.studio, id), { "aria-pressed": String(chosen) });
    chip.append(swatch, element("span", {}, name));
    return chip;
  }

  /** Push the row until a chip is seen. @param {HTMLElement} chip */
  #bring({ offsetLeft, offsetWidth }) {
    const { scrollLeft, clientWidth } = this.place;
    if (offsetLeft < scrollLeft) this.place.scrollLeft = offsetLeft - 8;
    else if (offsetLeft + offsetWidth > scrollLeft + clientWidth) this.place.scrollLeft = offsetLeft + offsetWidth + 8 - clientWidth;
  }
}
