/** The panels of the picture's proposals and boxes: what the stage shows, as text and buttons. */

import { boxlessProposals } from "./boxless.js";
import { button, element } from "./dialogs.js";
import { follow, mark } from "./editing.js";
import { isolated } from "./names.js";
import { marksOf } from "./shapes.js";
import { isAnew } from "./unread.js";
import { accept, reject } from "./proposals.js";

const MOST_LISTED = 100;

/** @param {import("./studio.js").Studio} studio @param {() => void} keep  remember the sliders @param {(command: string) => void} run */
export function drawProposals(studio, keep, run) {
  const place = /** @type {HTMLElement} */ (document.getElementById("proposals"));
  const all = [...(studio.content?.proposals.values() ?? [])].filter((each) => each.state === "open" && each.track === undefined);
  place.hidden = all.length === 0;
  if (!all.length || place.contains(document.activeElement) && /** @type {HTMLElement} */ (document.activeElement).matches("[type=range]:active")) return;
  if (studio.whole) return place.replaceChildren(...boxlessProposals(all.length));
  const focused = document.activeElement?.id;
  const taking = studio.above().length;
  const takeAll = button(`accept ${taking}`, () => accept(studio, studio.above().map((each) => each.id)), { id: "accept-all", "aria-label": `Accept the ${taking} at or above the sliders` });
  takeAll.disabled = taking === 0;
  const many = button("look over…", () => studio.onsheet(), { id: "sheet", "aria-label": "Look over the next pictures with proposals" });
  const head = element("h2", {}, "Proposals", element("span", { class: "space" }), many, takeAll);
  const names = [...new Set(all.map((each) => each.name))].sort();
  place.replaceChildren(head, ...advice(studio, all, run), ...names.map((name) => slider(studio, name, all, takeAll, keep)));
  const chosen = studio.ghost && studio.content?.proposals.get(studio.ghost);
  if (chosen) {
    place.append(element("div", { class: "row" },
      button("Accept", () => accept(studio, [chosen.id]), { id: "ghost-accept" }),
      button("Reject", () => reject(studio, [chosen.id]), { id: "ghost-reject" })));
  }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

/** What to do where proposals cost more than they save. @param {import("./studio.js").Studio} studio @param {import("./api.js").Proposal[]} all @param {(command: string) => void} run */
function advice(studio, all, run) {
  const another = button("Another proposer…", () => run("propose"), { id: "advice-propose" });
  if (!studio.showsGhosts) {
    return [element("p", {}, "They are hidden, and you draw."), element("div", { class: "row" }, button("Show them (g)", () => run("ghosts"), { id: "advice-show" }), another)];
  }
  for (const by of new Set(all.map((each) => each.run))) {
    const poor = studio.worth.poor(by);
    if (!poor) continue;
    return [element("p", { class: "advice" }, `Of the last ${poor.of} that ${by} proposed, ${poor.right} ${poor.right === 1 ? "was" : "were"} right: drawing is quicker.`),
      element("div", { class: "row" }, button("Hide them, and draw (g)", () => run("ghosts"), { id: "advice-hide" }), another)];
  }
  return [];
}

/**
 * @param {import("./studio.js").Studio} studio @param {string} name
 * @param {import("./api.js").Proposal[]} all @param {HTMLButtonElement} takeAll @param {() => void} keep
 */
function slider(studio, name, all, takeAll, keep) {
  const own = all.filter((each) => each.name === name);
  const input = element("input", { type: "range", min: "0", max: "1", step: "0.01", id: `slider-${name}`, "aria-label": `Least score of ${name}` });
  input.value = String(studio.least(name));
  const count = element("span", { class: "count" });
  const say = () => {
    const least = Number(input.value);
    count.textContent = `≥ ${least.toFixed(2)}: ${own.filter((each) => each.score >= least).length} of ${own.length}`;
    const taking = studio.above().length;
    takeAll.textContent = `accept ${taking}`;
    takeAll.disabled = taking === 0;
  };
  input.addEventListener("input", () => {
    studio.thresholds[name] = Number(input.value);
    studio.stage.renew();
    say();
  });
  input.addEventListener("change", () => {
    keep();
    studio.changed();
  });
  say();
  const swatch = element("span", { class: "swatch" });
  swatch.style.background = studio.colourOfName(name);
  const title = element("div", { class: "line" }, swatch, element("span", { class: "name" }, name), count);
  const line = element("div", { class: "line" }, input);
  if (name in studio.thresholds) {
    line.append(button("by itself", () => {
      delete studio.thresholds[name];
      keep();
      studio.changed();
    }, { id: `slider-back-${name}`, "aria-label": `Let the slider of ${name} follow what you decide`, title: "It stays where you put it; by itself it follows which proposals were right in the pictures that are done" }));
  }
  return element("div", {}, title, line);
}

/** @param {import("./studio.js").Studio} studio */
export function drawBoxes(studio) {
  const place = /** @type {HTMLElement} */ (document.getElementById("boxes"));
  const focused = document.activeElement?.id;
  const boxes = [...studio.boxes.values()];
  const listed = boxes.slice(0, MOST_LISTED);
  place.hidden = !boxes.length && (studio.whole || !studio.picture?.ready);
  const head = element("h2", {}, `Boxes: ${boxes.length}`);
  place.replaceChildren(head, ...marks(studio), ...listed.map((each) => line(studio, each)));
  if (boxes.length > listed.length) place.append(element("p", {}, `… and ${boxes.length - listed.length} more in the picture`));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

/** What can be said of the chosen boxes. @param {import("./studio.js").Studio} studio */
function marks(studio) {
  const chosen = studio.selected();
  if (!chosen.length) return [];
  const toggle = (/** @type {"difficult" | "crowd"} */ what) => button(what, () => mark(studio, what),
    { id: `mark-${what}`, "aria-pressed": String(chosen.every((each) => each[what])), "aria-label": `Chosen boxes are ${what}` });
  const [box] = chosen;
  const track = button(box.track === null ? "track…" : `track ${isolated(box.track)}`, () => follow(studio),
    { id: "mark-track", "aria-label": box.track === null ? "Give the chosen box a track" : `Change track ${box.track} of the chosen box` });
  return [element("div", { class: "marks" }, toggle("difficult"), toggle("crowd"), ...(chosen.length === 1 ? [track] : []))];
}

/** @param {import("./studio.js").Studio} studio @param {import("./api.js").Box} box */
function line(studio, box) {
  const name = studio.labels.classOf(box.label)?.name ?? "?";
  const [x1, y1, x2, y2] = box.corners.map(Math.round);
  const from = box.source === "hand" ? "" : `, from ${box.source}`;
  const swatch = element("span", { class: "swatch" });
  swatch.style.background = studio.colour(box.label);
  const choose = button(`${isolated(name)}${marksOf(box)} ${x2 - x1} × ${y2 - y1}`, () => studio.select([box.id], { held: true }),
    { class: "name", id: `box-${box.id}`, title: `${isolated(name)}${marksOf(box)}, at ${x1}, ${y1}${from}` });
  const switched = (/** @type {Set<string>} */ set, /** @type {string} */ says) =>
    button(says.toLowerCase(), () => {
      if (!set.delete(box.id)) set.add(box.id);
      studio.changed();
    }, { class: "icon", id: `${says}-${box.id}`, "aria-label": `${says} this ${name}`, "aria-pressed": String(set.has(box.id)) });
  const row = element("div", { class: "line" }, swatch, choose, switched(studio.hidden, "Hide"), switched(studio.locked, "Lock"));
  if (studio.selection.has(box.id)) row.setAttribute("aria-current", "true");
  return row;
}

/** What is said of a picture beside its name. @param {import("./api.js").Picture} picture @param {string} stage  of the first reading */
export function stateOf(picture, stage) {
  if (!picture.ready) return stage === "failed" ? "not read" : picture.trouble ? "labels not read" : "being read …";
  if (picture.trouble && picture.state !== "done") return isAnew(picture) ? picture.trouble : `trouble: ${picture.trouble}`;
  if (picture.missing) return "missing";
  const state = { todo: "to do", done: "done ✓", skipped: "skipped" }[picture.state];
  return picture.changed ? `${state} · changed since labelled` : state;
}
