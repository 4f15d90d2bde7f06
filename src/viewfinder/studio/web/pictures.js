/** Pictures that were fetched and decoded, some of them before they were asked for. */

const MOST = 12;

export class PictureCache {
  /** @type {Map<number, Promise<HTMLImageElement | null>>} */
  #kept = new Map();

  /** A decoded picture; null where the server has none that can be shown. */
  /** @param {number} id @returns {Promise<HTMLImageElement | null>} */
  get(id) {
    const here = this.#kept.get(id) ?? fetched(id);
    this.#kept.delete(id);
    this.#kept.set(id, here);
    for (const old of [...this.#kept.keys()].slice(0, -MOST)) this.#kept.delete(old);
    here.then((image) => image === null && this.#kept.delete(id));
    return here;
  }
}

/** @param {number} id */
async function fetched(id) {
  const image = new Image();
  image.src = `/api/pictures/${id}/pixels`;
  image.alt = "";
  image.draggable = false;
  try {
    await image.decode();
    return image;
  } catch {
    return null;
  }
}
