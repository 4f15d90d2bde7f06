/** Pictures that were fetched and decoded, some of them before they were asked for. */

import { get } from "./api.js";
import { unanswered } from "./away.js";
import { element } from "./dialogs.js";

// Those that are looked over at once, as many that come after them, and some around the one in hand.
const MOST = 30;

export class PictureCache {
  /** @type {Map<number, Promise<HTMLImageElement | null>>} */
  #kept = new Map();
  /** Which time pictures are asked for: a browser shows an address that it has shown before from its memory. */
  #of = 0;
  /** Why a picture cannot be shown, in a sentence. @type {Map<number, string>} */
  troubles = new Map();

  /** A decoded picture; null where there is none that can be shown, and `troubles` says why. @param {number} id @returns {Promise<HTMLImageElement | null>} */
  get(id) {
    const here = this.#kept.get(id) ?? this.#fetched(id);
    this.#kept.delete(id);
    this.#kept.set(id, here);
    for (const old of [...this.#kept.keys()].slice(0, -MOST)) this.#kept.delete(old);
    here.then((image) => image === null && this.#kept.get(id) === here && this.#kept.delete(id));
    return here;
  }

  /** Files may be others than they were: fetch each anew when it is next asked for. */
  forget() {
    this.#kept.clear();
    this.#of += 1;
  }

  /** @param {number} id */
  async #fetched(id) {
    const image = new Image();
    image.src = `/api/pictures/${id}/pixels?of=${this.#of}`;
    image.alt = "";
    image.draggable = false;
    try {
      await image.decode();
      this.troubles.delete(id);
      return image;
    } catch {
      this.troubles.set(id, await why(id));
      return null;
    }
  }
}

/** What the server says of a picture that cannot be shown: an `<img>` does not tell it. @param {number} id */
async function why(id) {
  try {
    await get(`/api/pictures/${id}/pixels`);
    return "This browser cannot decode it, although the server can: try another browser, or save it as PNG or JPEG.";
  } catch (error) {
    return unanswered(error);
  }
}

/** A small picture; where there is none that can be shown, that is said in its place. @param {string} src @param {Record<string, string>} [attributes] */
export function small(src, attributes = {}) {
  const image = element("img", { src, alt: "", loading: "lazy", ...attributes });
  image.addEventListener("error", () => image.replaceWith(element("em", { class: "none" }, "cannot be shown")));
  return image;
}
