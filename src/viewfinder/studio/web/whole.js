/** The class of a picture as a whole, over it. */

import { inkOn } from "./colours.js";

/** What is said of a picture's class. @param {import("./studio.js").Studio} studio @param {import("./api.js").Picture} picture */
export function wholeName(studio, { label }) {
  return label === null ? "no class" : studio.labels.classOf(label)?.name ?? "?";
}

/** @param {import("./studio.js").Studio} studio */
export function drawWhole(studio) {
  const { picture, whole } = studio;
  const place = /** @type {HTMLElement} */ (document.getElementById("whole"));
  place.hidden = !whole || !picture;
  place.textContent = picture ? wholeName(studio, picture) : "";
  const colour = picture?.label ? studio.colour(picture.label) : "";
  place.style.background = colour;
  place.style.color = inkOn(colour);
}
