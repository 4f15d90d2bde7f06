/** The first picture, or what to do where there is none. */

import { get } from "./api.js";
import { welcome } from "./road.js";
import { ofFolder } from "./unread.js";

/**
 * Show a picture as soon as there is one: that of the address, after a reload; else what this browser showed before, if
 * it is to do; else the first to do, else any.
 * @param {import("./main.js").Page} page
 */
export async function first(page) {
  const place = /** @type {HTMLElement} */ (document.getElementById("empty"));
  const left = page.studio.picture ? undefined : await page.people.left().catch(() => undefined);
  for (;;) {
    await page.strip.refresh();
    const before = Number(/^#(\d{1,15})$/.exec(location.hash)?.[1]) || undefined;
    for (const id of page.studio.picture ? [] : [before, left]) {
      const content = id === undefined ? null : await page.labels.load(id).catch(() => null);
      if (id === undefined || !content || (id !== before && content.picture.state !== "todo")) continue;
      place.hidden = true;
      await page.travel.open(id);
      return;
    }
    const [todo] = await page.people.next(undefined).catch(async () => (await get("/api/next", { state: "todo" })).pictures);
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

/** @param {import("./main.js").Page} page @param {HTMLElement} place @param {{stage: string}} progress */
function empty(page, place, progress) {
  const failed = progress.stage === "failed";
  place.classList.toggle("welcome", !failed);
  place.replaceChildren(...(failed ? ofFolder(page) : welcome(page)));
  place.hidden = false;
}
