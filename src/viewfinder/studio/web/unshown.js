/** In the place of a picture that cannot be shown: which, why, and what can be done. */

import { button, element } from "./dialogs.js";
import { isolated } from "./names.js";

/** @param {import("./main.js").Page} page */
export function drawUnshown(page) {
  const place = /** @type {HTMLElement} */ (document.getElementById("unshown"));
  const { picture, cache, boxes } = page.studio;
  place.hidden = !picture || page.stage.image !== null;
  if (!picture || place.hidden) return;
  const why = cache.troubles.get(picture.id) ?? "";
  const about = [picture.id, picture.path, why, boxes.size].join("\n");
  if (place.dataset.about === about) return; // its buttons stay while they are pressed
  place.dataset.about = about;
  const kept = boxes.size ? ` Its ${boxes.size === 1 ? "box is" : `${boxes.size} boxes are`} kept.` : "";
  place.replaceChildren(
    element("h2", {}, `${isolated(picture.path)} cannot be shown`),
    element("p", {}, why),
    element("p", { class: "soft" }, `Once the file is right again, or back in its place, look again; until then nothing can be drawn here.${kept}`),
    element("div", { class: "row" },
      button("Look again", () => page.after(() => page.look()), { class: "first" }),
      button("Skip it", () => page.run("skip")),
      button("Next picture", () => page.run("next"))),
  );
}
