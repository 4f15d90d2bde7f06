/** Who did what when, and back to any of these moments. */

import { get, newId, post } from "./api.js";
import { unanswered } from "./away.js";
import { button, element } from "./dialogs.js";
import { isolated } from "./names.js";

/**
 * @typedef {{seq: number, at: number, person: string, kind: string, said: string, undone: boolean,
 *   paths: string[]}} Done
 */

const AT_ONCE = 60;

/** @param {import("./main.js").Page} page */
export async function showHistory(page) {
  const { dialogs, studio, labels } = page;
  await Promise.race([labels.outbox.settled(), new Promise((go) => setTimeout(go, 2000))]);
  const list = element("div", { class: "history", role: "list", tabindex: "0", "aria-label": "What was done, the last first" });
  const mine = element("input", { type: "checkbox" });
  /** @type {Map<string, Done>} */
  const known = new Map();
  let day = "";
  /** @type {number | undefined} */
  let before;
  const more = button("Earlier", () => load());
  const load = async () => {
    try {
      const asked = { before, count: AT_ONCE, picture: mine.checked ? studio.picture?.id : undefined };
      /** @type {Done[]} */
      const found = (await get("/api/history", asked)).history;
      for (const each of found) {
        known.set(String(each.seq), each);
        const its = new Date(each.at * 1000).toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
        if (its !== day) list.append(element("h3", {}, its));
        day = its;
        list.append(line(each, () => dialogs.dialog.close(String(each.seq))));
      }
      before = found.at(-1)?.seq ?? before;
      more.hidden = found.length < AT_ONCE;
      if (!list.children.length) list.append(element("p", {}, "Nothing was done here yet."));
    } catch (error) {
      list.append(element("p", {}, unanswered(error)));
    }
  };
  const again = () => {
    list.replaceChildren();
    [before, day] = [undefined, ""];
    load();
  };
  mine.addEventListener("change", again);
  load();
  const row = element("div", { class: "row" }, button("Close", () => dialogs.dialog.close("")),
    element("label", {}, mine, " only of this picture"), element("span", { class: "space" }), more, button("As first read", () => dialogs.dialog.close("0")));
  const chosen = await dialogs.show("History", [list, row], { wide: true });
  if (chosen) await restore(page, Number(chosen), known.get(chosen));
}

/** @param {Done} each @param {() => void} choose */
function line(each, choose) {
  const time = new Date(each.at * 1000).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const where = each.paths.length > 2 ? `${isolated(each.paths[0])} and others` : each.paths.map(isolated).join(", ");
  const said = element("span", { class: "says" }, element("bdi", {}, each.said), element("small", {}, where));
  if (each.undone) said.append(element("small", {}, "undone"));
  const go = button("Restore", choose, { "aria-label": `Restore all labels to after: ${each.said}, ${time}`, title: "All labels as they were right after this" });
  return element("div", { class: "line", role: "listitem" }, element("time", {}, time), element("span", { class: "who" }, each.person || "–"), said, go);
}

/** @param {import("./main.js").Page} page @param {number} seq @param {Done} [done] */
async function restore(page, seq, done) {
  const { dialogs, labels, session } = page;
  const when = done ? `as they were right after “${done.said}” of ${new Date(done.at * 1000).toLocaleString()}` : "as they were first read";
  if (!(await dialogs.confirm(`All labels of all pictures become ${when}. Undo takes it back.`, "Restore", "Leave it"))) return;
  try {
    await labels.outbox.settled();
    await post("/api/restore", { id: newId(), seq, session });
    labels.past();
    await page.anew();
    dialogs.say("Restored. Undo takes it back.", 6);
  } catch (error) {
    dialogs.say(unanswered(error, "nothing was restored"));
  }
}
