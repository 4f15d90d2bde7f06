/** What became of the folder, and what another page or person did, as far as this page does not have it yet. */

export class News {
  /** The last operation that this page knows the labels of. */
  seq = 0;
  /** Whether others were between its own. */
  #others = false;
  /** @type {Set<string>} */
  #heard = new Set();

  /** @param {import("./main.js").Page} page @param {number} seq  of the last operation at its start */
  constructor(page, seq) {
    this.page = page;
    this.seq = seq;
  }

  /** An edit of this page was kept. @param {number} seq  of its operation */
  own(seq) {
    if (seq <= this.seq) return;
    this.#others ||= seq > this.seq + 1;
    this.seq = seq;
  }

  /** Show what another page or person did meanwhile. @param {number} seq  of the last operation */
  async ofOthers(seq) {
    const { labels, outbox, pointer, studio, strip, travel } = this.page;
    if (outbox.waiting || seq < this.seq || (seq === this.seq && !this.#others)) return;
    [this.seq, this.#others] = [seq, false];
    const here = studio.picture?.id;
    labels.forget();
    await strip.refresh();
    if (here && !pointer.busy) await travel.fresh(here);
    else this.#others = true; // looked at once the gesture has ended
  }

  /** Tell what was noticed of the folder, once. @param {string[]} news */
  ofFolder(news) {
    const { dialogs, strip, studio, travel } = this.page;
    // The same may happen twice: each has its place among all that the server told.
    const fresh = news.filter((each, at) => !this.#heard.has(`${at} ${each}`));
    if (!fresh.length) return;
    news.forEach((each, at) => this.#heard.add(`${at} ${each}`));
    for (const each of fresh) dialogs.say(each, 15);
    studio.cache.forget();
    strip.renew();
    if (studio.picture) travel.fresh(studio.picture.id);
  }
}
