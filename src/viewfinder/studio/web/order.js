/** One thing after another: what was asked for, and what is drawn while a button is pressed. */

/** What was asked for, done in turn: a quick hand is ahead of the server. */
export class Turns {
  #last = Promise.resolve(/** @type {unknown} */ (undefined));
  #waiting = 0;

  /** @param {(error: any) => void} failed */
  constructor(failed) {
    this.failed = failed;
  }

  /** Whether all that was asked for is done. */
  get over() {
    return this.#waiting === 0;
  }

  /** @param {() => unknown} work */
  add(work) {
    this.#waiting += 1;
    this.#last = this.#last.then(work).catch((error) => {
      console.error(error);
      this.failed(error);
    }).finally(() => {
      this.#waiting -= 1;
    });
  }
}

/** A pointer that presses on a panel: were it drawn anew before the release, its button would not hear of the click. */
export class Press {
  #on = false;
  /** @type {Set<() => void>} */
  #later = new Set();

  /** @param {HTMLElement} place  where the panels are */
  watch(place) {
    place.addEventListener("pointerdown", () => { this.#on = true; });
    // The click comes right after the release.
    for (const each of ["pointerup", "pointercancel"]) addEventListener(each, () => setTimeout(() => this.#over()));
  }

  #over() {
    this.#on = false;
    const later = [...this.#later];
    this.#later.clear();
    for (const draw of later) draw();
  }

  /** Whether a panel has to stay as it is for now; it is drawn once it need not. @param {() => void} later */
  holds(later) {
    if (this.#on) this.#later.add(later);
    return this.#on;
  }
}
