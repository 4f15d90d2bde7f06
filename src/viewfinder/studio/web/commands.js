/** What each command of the table does. */

import { copy, duplicate, paste } from "./clipboard.js";
import { toggleDepth } from "./depth.js";
import { showDoubts } from "./doubts.js";
import { choose, follow, grow, mark, newBox, nudge, remove } from "./editing.js";
import { showExport } from "./exporting.js";
import { showKeys } from "./help.js";
import { showHistory } from "./history.js";
import { accept, reject } from "./proposals.js";
import { showProposers } from "./proposers.js";
import { showReasons } from "./reasons.js";
import { showSheet } from "./sheet.js";

/** @param {import("./main.js").Page} page @returns {Record<string, () => void | Promise<void>>} */
export function actions(page) {
  const { studio, stage, pointer, travel } = page;
  const nudged = (/** @type {number} */ dx, /** @type {number} */ dy) => () => nudge(studio, dx, dy);
  const grown = (/** @type {number} */ dx, /** @type {number} */ dy) => () => grow(studio, dx, dy);
  return {
    done: () => travel.finish("done"),
    skip: () => travel.finish("skipped"),
    next: () => travel.go(false),
    previous: () => travel.go(true),
    "next-todo": () => travel.go(false, { state: "todo" }),
    "find-class": () => findClass(page),
    "new-box": () => newBox(studio),
    "grab-nw": () => pointer.grab("nw"),
    "grab-se": () => pointer.grab("se"),
    repeat: () => travel.repeat(),
    duplicate: () => duplicate(studio),
    copy: () => copy(studio),
    paste: () => paste(studio, studio.copied),
    delete: () => remove(studio),
    difficult: () => mark(studio, "difficult"),
    crowd: () => mark(studio, "crowd"),
    track: () => follow(studio),
    add: () => page.adding.ask(),
    learn: () => page.learning.ask(),
    propose: () => showProposers(page),
    doubts: () => void showDoubts(page),
    reopen: () => page.people.reopen(),
    people: () => page.people.show(),
    "accept-span": () => page.film.accept(false),
    "accept-film": () => page.film.accept(true),
    doubted: () => page.film.doubted(),
    "next-key": () => page.film.key(1),
    "previous-key": () => page.film.key(-1),
    motion: () => page.film.move(),
    film: () => page.film.order(),
    history: () => showHistory(page),
    export: () => showExport(page),
    sheet: () => showSheet(page),
    undo: () => travel.turn(true),
    redo: () => travel.turn(false),
    left: nudged(-1, 0), right: nudged(1, 0), up: nudged(0, -1), down: nudged(0, 1),
    "left-10": nudged(-10, 0), "right-10": nudged(10, 0), "up-10": nudged(0, -10), "down-10": nudged(0, 10),
    narrower: grown(-1, 0), wider: grown(1, 0), flatter: grown(0, -1), taller: grown(0, 1),
    "narrower-10": grown(-10, 0), "wider-10": grown(10, 0), "flatter-10": grown(0, -10), "taller-10": grown(0, 10),
    outline: () => page.shaping.take("outline"),
    brush: () => page.shaping.take("brush"),
    erase: () => page.shaping.take("erase"),
    polygon: () => page.shaping.take("polygon"),
    points: () => page.shaping.take("points"),
    thinner: () => page.shaping.thicken(0.8),
    thicker: () => page.shaping.thicken(1.25),
    "next-box": () => studio.hop(1),
    "previous-box": () => studio.hop(-1),
    all: () => studio.select(studio.visible().map((each) => each.id), { held: true }),
    none: () => {
      if (pointer.busy) pointer.cancel();
      else studio.select([]);
    },
    hide: () => marked(page, studio.hidden),
    lock: () => marked(page, studio.locked),
    fit: () => stage.fit(),
    "zoom-box": () => zoomToBox(page),
    nearer: () => stage.zoom(1.25),
    further: () => stage.zoom(0.8),
    names: () => {
      studio.showsNames = !studio.showsNames;
      studio.changed();
    },
    depth: () => toggleDepth(page),
    why: () => showReasons(page),
    help: () => showKeys(page),
    "next-ghost": () => studio.hopGhost(),
    accept: () => {
      const one = studio.ghost ?? studio.pointed()?.id;
      if (one) accept(studio, [one], { next: one === studio.ghost });
    },
    reject: () => {
      const one = studio.ghost ?? studio.pointed()?.id;
      if (one) reject(studio, [one], { next: one === studio.ghost });
    },
    "accept-all": () => {
      accept(studio, studio.above().map((each) => each.id));
    },
    "accept-done": () => {
      accept(studio, studio.above().map((each) => each.id));
      return travel.finish("done");
    },
    ghosts: () => {
      studio.showsGhosts = !studio.showsGhosts;
      studio.changed();
    },
  };
}

/** Hide or lock the chosen boxes; where none is chosen, none is any more. @param {import("./main.js").Page} page @param {Set<string>} set */
function marked({ studio }, set) {
  if (!studio.selection.size) set.clear();
  for (const id of studio.selection) set.add(id);
  if (set === studio.hidden) studio.selection.clear();
  studio.changed();
}

/** @param {import("./main.js").Page} page */
function zoomToBox({ studio, stage }) {
  const [box] = [...studio.selected(), ...studio.ghosts().filter((each) => each.id === studio.ghost)];
  if (box) stage.lookAt(box.corners);
}

/** @param {import("./main.js").Page} page */
async function findClass({ studio, labels, dialogs }) {
  const chosen = await dialogs.find("Which class?", labels.listed(), "New class");
  if (!chosen) return;
  if (chosen.id) {
    choose(studio, chosen.id);
    return;
  }
  if (!dialogs.fitting(chosen.name)) return;
  const made = labels.newClass(chosen.name);
  labels.commit([made]);
  choose(studio, made.id);
}
