/** The first picture, or what to do where there is none. */

import { get } from "./api.js";
import { welcome } from "./road.js";
import { ofFolder } from "./unread.js";

/** @param {import("./main.js").Page} page  what tells this set from another at this address */
const keptOf = (page) => `viewfinder here ${page.start.project}`;

/** Keep which picture this tab shows: in its address, for a reload, and beside it, for an address with a new token. @param {import("./main.js").Page} page @param {number} id */
export function keepPlace(page, id) {
  history.replaceState(null, "", `#${id}`);
  sessionStorage.setItem(keptOf(page), String(id));
}

/**
 * Show a picture as soon as there is one: what this tab showed before; else what this browser showed, if it is to do;
 * else the first to do, else any.
 * @param {import("./main.js").Page} page
 */
export async function first(page) {
  const place = /** @type {HTMLElement} */ (document.getElementById("empty"));
  const left = page.studio.picture ? undefined : await page.people.left().catch(() => undefined);
  for (;;) {
    const before = Number(/^#(\d{1,15})$/.exec(location.hash)?.[1] ?? sessionStorage.getItem(keptOf(page))) || undefined;
    const known = /** @type {number[]} */ ((page.studio.picture ? [] : [before, left]).filter((each) => each !== undefined));
    // Asked for beside the list: each question waits for the browser and the server, which have just begun.
    const [ahead] = await Promise.all([known.length ? null : todos(page), page.strip.refresh()]);
    for (const id of known) {
      const content = await page.labels.load(id).catch(() => null);
      if (!content || (id !== before && content.picture.state !== "todo")) continue;
      place.hidden = true;
      await page.travel.open(id);
      return;
    }
    const [todo] = ahead ?? await todos(page);
    const [any] = todo === undefined ? (await get("/api/next")).pictures : [todo];
    if (any !== undefined) {
      place.hidden = true;
      if (!page.studio.picture) await page.travel.open(any);
      return;
    }
    const status = await get("/api/status");
    page.tell(status.progress);
    // Another look for the first may have found one meanwhile: nothing may lie over it.
    if (page.studio.picture) return;
    if (["done", "failed"].includes(status.progress.stage)) return empty(page, place, status.progress);
    await new Promise((go) => setTimeout(go, 300));
  }
}

/** The first of those to do. @param {import("./main.js").Page} page @returns {Promise<number[]>} */
const todos = (page) => page.people.next(undefined).catch(async () => (await get("/api/next", { state: "todo" })).pictures);

/** @param {import("./main.js").Page} page @param {HTMLElement} place @param {{stage: string}} progress */
function empty(page, place, progress) {
  const failed = progress.stage === "failed";
  place.classList.toggle("welcome", !failed);
  place.replaceChildren(...(failed ? ofFolder(page) : welcome(page)));
  place.hidden = false;
}
