/** Which classes are taken for which: a table of how often, each cell of which leads to its crops. */

import { button, element } from "./dialogs.js";
import { isolated } from "./names.js";

/**
 * @typedef {import("./doubts.js").Crop} Crop
 * @typedef {{label: string, other: string}} Cell
 */

// Classes that a table as wide as a screen can show.
const MOST = 12;

/**
 * @param {import("./main.js").Page} page @param {Crop[]} crops @param {Cell | null} chosen
 * @param {(cell: Cell | null) => void} choose @returns {HTMLElement}
 */
export function confusion({ labels }, crops, chosen, choose) {
  const doubted = crops.filter((each) => each.amount > 0 && each.label !== each.other);
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { label, other } of doubted) {
    counts.set(`${label} ${other}`, (counts.get(`${label} ${other}`) ?? 0) + 1);
    for (const each of [label, other]) counts.set(each, (counts.get(each) ?? 0) + 1);
  }
  const classes = labels.listed().filter((each) => counts.has(each.id))
    .sort((a, b) => (counts.get(b.id) ?? 0) - (counts.get(a.id) ?? 0)).slice(0, MOST);
  const most = Math.max(1, ...classes.flatMap((a) => classes.map((b) => counts.get(`${a.id} ${b.id}`) ?? 0)));
  const cell = (/** @type {string} */ label, /** @type {string} */ other) => {
    const count = counts.get(`${label} ${other}`) ?? 0;
    if (!count) return element("td", {}, label === other ? "·" : "");
    const here = chosen?.label === label && chosen.other === other;
    const says = `${count} of ${isolated(labels.classOf(label)?.name ?? "?")} taken for ${isolated(labels.classOf(other)?.name ?? "?")}`;
    const made = button(String(count), () => choose(here ? null : { label, other }), { "aria-pressed": String(here), "aria-label": says, title: says });
    made.style.background = `color-mix(in srgb, var(--accent) ${Math.round((60 * count) / most)}%, var(--panel))`;
    return element("td", {}, made);
  };
  const head = element("tr", {}, element("th", {}, "labelled ↓ taken for →"), ...classes.map((each) => element("th", { scope: "col" }, each.name)));
  const rows = classes.map((a) => element("tr", {}, element("th", { scope: "row" }, a.name), ...classes.map((b) => cell(a.id, b.id))));
  const table = element("details", { class: "confusion" }, element("summary", {}, "Which classes are taken for which"), element("div", {}, element("table", {}, head, ...rows)));
  table.open = chosen !== null;
  table.hidden = !classes.length;
  return table;
}

/** Let all of a class be of another, once that was said. @param {import("./main.js").Page} page @param {Cell} cell @returns {Promise<boolean>} */
export async function merge(page, { label, other }) {
  const { dialogs, labels } = page;
  const [one, into] = [labels.classOf(label), labels.classOf(other)];
  if (!one || !into || one.id === into.id) return false;
  const sure = await dialogs.confirm(`All of ${isolated(one.name)} are ${isolated(into.name)} then: one class. Undo parts them again.`, `Merge ${isolated(one.name)} into ${isolated(into.name)}`, "Leave them apart");
  if (sure) labels.commit([{ do: "MergeClass", id: one.id, into: into.id }], { meant: true });
  return sure;
}
