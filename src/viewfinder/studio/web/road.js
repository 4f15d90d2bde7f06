/** The road of one who begins with nothing: four steps from a folder without pictures to a detector in use. */

import { button, element } from "./dialogs.js";
import { isolated } from "./names.js";
import { showUse } from "./using.js";

// Pictures that are done before it is worth to learn.
const ENOUGH = 5;
const STEPS = ["Film or photograph", "Add the pictures", "Look through proposals", "Train"];

/** What the page shows where there is no picture. @param {import("./main.js").Page} page @returns {Node[]} */
export function welcome(page) {
  if (!page.settings.road) {
    page.settings.road = true;
    page.keep();
  }
  const input = element("input", { type: "file", multiple: "", accept: "image/*,video/*", id: "road-files" });
  input.addEventListener("change", () => page.adding.add([...(input.files ?? [])].map((file) => ({ file, name: file.name }))));
  const says = [
    [element("img", { src: "/page/stand.svg", alt: "A mug on a turning plate before plain paper; a phone stands still on a stack of books; light from the side", class: "stand" }),
      element("p", {}, "Put each thing on a plate before plain paper, film it while you turn the plate once, and take one picture of the empty plate. Or photograph things as they will be met later: 30 pictures are a good beginning.")],
    [element("p", {}, `Drop pictures, a folder or a video anywhere on this page, or choose them. They go into the folder “${isolated(page.start.name)}” under their own names, and nowhere else.`),
      element("div", { class: "row" }, element("label", { class: "file first" }, "Choose pictures or a video", input), button("Add a folder or a path…", () => page.run("add")), button("Look again", () => page.look())),
      element("p", { class: "soft" }, "JPEG, PNG, WebP, TIFF, BMP and the like; of a video, sharp frames that differ.")],
    [element("p", {}, "Draw a box around each thing in five pictures. After that a machine proposes boxes, and you accept or correct them; with a picture of the empty plate it can from the first one on.")],
    [element("p", {}, "One button trains a detector on this machine, while you go on. Then you read how good it is, and try it on a picture of yours.")],
  ];
  return [element("h2", {}, "From a few pictures to a detector of your own"),
    element("ol", { class: "steps" }, ...STEPS.map((name, at) => element("li", {}, element("h3", {}, name), ...says[at])))];
}

export class Road {
  #shown = "";

  /** @param {import("./main.js").Page} page */
  constructor(page) {
    this.page = page;
    this.place = /** @type {HTMLElement} */ (document.getElementById("road"));
  }

  /** Say where one is, beside the picture, while the road is walked. */
  draw() {
    const { labels, learning, settings, studio } = this.page;
    const { todo, done, skipped } = labels.counts.states;
    const state = learning.state;
    const boxes = studio.kind !== "classes" && studio.kind !== "masks";
    this.place.hidden = !settings.road || !boxes || todo + done + skipped === 0;
    if (this.place.hidden || !state) return;
    const at = done < ENOUGH && !state.finished ? 2 : state.finished && !learning.busy ? 4 : 3;
    const shown = JSON.stringify([at, done, learning.busy, state.stage]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const rows = [...STEPS, "Use it"].map((name, step) => element("li", { class: step < at ? "over" : "", ...(step === at ? { "aria-current": "step" } : {}) }, name, ...(step === at ? this.#now(at, done) : [])));
    this.place.replaceChildren(element("h2", {}, "Your detector", element("span", { class: "space" }), button("hide", () => this.#hide(), { class: "icon", id: "road-hide", "aria-label": "Hide these steps" })), element("ol", {}, ...rows));
  }

  /** @param {number} at @param {number} done */
  #now(at, done) {
    const { page } = this;
    if (at === 2) {
      return [element("p", {}, `Drag a box around each thing, then Done (Enter): ${done} of ${ENOUGH} pictures. With a picture of the empty plate, it can be proposed.`),
        button("Propose…", () => page.run("propose"), { id: "road-propose" })];
    }
    if (at === 3 && page.learning.busy) return [element("p", {}, "It learns, and then proposes. You may go on labelling.")];
    if (at === 3) return [element("p", {}, "Enough to begin with; more pictures make it better."), button("Learn…", () => page.run("learn"), { id: "road-learn", class: "first" })];
    return [element("p", {}, "Read its report, and try it on a picture. Then look through what it proposes, and learn again: it becomes better."),
      button("Use it…", () => showUse(page), { id: "road-use", class: "first" })];
  }

  #hide() {
    this.page.settings.road = false;
    this.page.keep();
    this.#shown = "";
    this.draw();
  }
}
