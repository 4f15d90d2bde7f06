/** From picture to picture, and back in time. */

import { get, newId, post } from "./api.js";
import { unanswered } from "./away.js";
import { keepPlace } from "./beginning.js";
import { paste } from "./clipboard.js";
import { unreadBecause } from "./unread.js";

export class Travel {
  /**
   * The pictures around this one, so that they are here before they are asked for; ahead, those that fit a filter.
   * @type {{of: number, ahead: number[], within: string, behind: number | undefined} | null}
   */
  #around = null;
  #turn = 0;

  /** @param {import("./main.js").Page} page */
  constructor(page) {
    this.page = page;
  }

  /** @param {number} id */
  async open(id) {
    const { studio, strip, dialogs } = this.page;
    const turn = ++this.#turn;
    strip.choose(id);
    try {
      const [content, image] = await Promise.all([studio.labels.load(id), studio.cache.get(id)]);
      if (turn !== this.#turn) return; // gone further meanwhile
      if (studio.picture?.id !== id) this.page.pointer.cancel(); // opened anew, it keeps what is being drawn
      studio.show(content, image);
      this.page.film.look();
      studio.imagine(id);
      keepPlace(this.page, id);
      // What is known to follow is kept until the server says it anew: it may not answer.
      const known = this.#around;
      this.#around = known?.ahead[0] === id ? { ...known, of: id, ahead: known.ahead.slice(1), behind: undefined } : null;
      this.#prepare(id, turn).catch(() => {}); // whatever fails here is asked again when it is needed
    } catch (error) {
      dialogs.say(unanswered(error, "this picture is not here yet"));
    }
  }

  /** @param {number} id @param {number} turn */
  async #prepare(id, turn) {
    const { studio, strip, people } = this.page;
    const within = JSON.stringify(strip.filter);
    const [ahead, behind] = await Promise.all([
      this.#next(id, { ...strip.filter }, 3, false), this.#next(id, {}, 1, true), people.opened(id, strip.filter), this.fresh(id)]);
    if (turn !== this.#turn) return;
    this.#around = { of: id, ahead, within, behind: behind[0] };
    for (const each of [...people.ahead, ...ahead, ...behind]) {
      studio.cache.get(each);
      studio.labels.load(each).catch(() => {});
      studio.imagine(each);
    }
  }

  /** What another person, or another page, has done to it since. @param {number} id */
  async fresh(id) {
    const { studio, labels } = this.page;
    const [content, image] = await Promise.all([labels.load(id, { fresh: true }), studio.cache.get(id)]);
    if (studio.picture?.id === id && (content !== studio.content || image !== studio.stage.image)) studio.show(content, image);
  }

  /** @param {number | undefined} after @param {import("./api.js").Filter} filter @param {number} count @param {boolean} backwards @returns {Promise<number[]>} */
  async #next(after, filter, count, backwards) {
    return (await get("/api/next", { ...filter, after, backwards, count })).pictures;
  }

  /** Fetch what comes after a picture, for whoever goes there. @param {number} after @param {number} count @param {import("./api.js").Filter} filter */
  async fetch(after, count, filter) {
    const { studio, labels } = this.page;
    for (const each of await this.#next(after, filter, count, false).catch(() => [])) {
      studio.cache.get(each);
      labels.load(each).catch(() => {});
    }
  }

  /** @param {boolean} backwards @param {import("./api.js").Filter} [filter] @param {number} [from]  the picture to go from, if it is not the one that is shown */
  async go(backwards, filter, from) {
    const { studio, strip, dialogs } = this.page;
    const after = from ?? strip.current ?? studio.picture?.id;
    try {
      const known = !backwards && !filter && this.#around?.of === after && this.#around?.within === JSON.stringify(strip.filter);
      const ready = known ? this.#around?.ahead[0] : undefined;
      const handed = filter?.state === "todo" && !backwards;
      const [next] = ready !== undefined ? [ready] : handed ? await this.page.people.next(after, filter)
        : await this.#next(after, filter ?? strip.filter, 1, backwards);
      if (next !== undefined) await this.open(next);
      else if (filter) await this.#fromStart(filter);
      else dialogs.say(backwards ? "This is the first picture." : "This is the last picture.", 3);
    } catch (error) {
      dialogs.say(unanswered(error, "the next picture is not here yet"));
    }
  }

  /** This picture and the next that fit a filter, with all of theirs. @param {number} count @param {import("./api.js").Filter} filter */
  async upcoming(count, filter) {
    const { studio, labels } = this.page;
    const here = studio.picture;
    let ids = await this.page.people.next(here?.id, filter, count);
    if (ids.length < count && here) ids = await this.page.people.next(undefined, filter, count);
    if (here && fits(here, filter) && !ids.includes(here.id)) ids.unshift(here.id);
    return Promise.all([...new Set(ids)].slice(0, count).map((id) => labels.load(id)));
  }

  /** Nothing follows: perhaps something was left out before. @param {import("./api.js").Filter} filter */
  async #fromStart(filter) {
    const current = this.page.studio.picture?.id;
    const [first] = await this.page.people.next(undefined, filter);
    if (first === undefined || first === current) this.page.dialogs.say("Nothing is left to do.", 5);
    else await this.open(first);
  }

  /** Say of this picture that it is done or skipped, and go to the next to do. @param {"done" | "skipped"} state */
  async finish(state) {
    const { studio, labels, dialogs } = this.page;
    const picture = studio.picture;
    if (picture && !picture.ready) return void dialogs.once(unreadBecause(this.page), 5);
    if (!picture) return;
    if (picture.state === "todo" && state === "done" && studio.content && studio.decided([studio.content])) this.page.keep();
    if (picture.state !== state) labels.commit([{ do: "SetState", picture: picture.id, state }]);
    const todo = { ...this.page.strip.filter, state: /** @type {const} */ ("todo") };
    const [next] = this.#around?.of === picture.id ? this.page.people.ahead : [];
    if (next !== undefined && next !== picture.id && labels.contents.get(next)?.picture.state === "todo") await this.open(next);
    else await this.go(false, todo);
  }

  /** Put the boxes of the picture before into this one. */
  async repeat() {
    const { studio, labels, dialogs } = this.page;
    const picture = studio.picture;
    if (!picture) return;
    try {
      const here = this.#around?.of === picture.id && this.#around.behind;
      const [before] = here ? [here] : await this.#next(picture.id, {}, 1, true);
      const content = before === undefined ? null : await labels.load(before);
      const boxes = [...(content?.boxes.values() ?? [])];
      if (studio.picture?.id !== picture.id) return;
      if (boxes.length) paste(studio, boxes);
      else dialogs.say("The picture before has no boxes.", 4);
    } catch (error) {
      dialogs.say(unanswered(error, "the picture before is not here"));
    }
  }

  /** Undo, or redo. @param {boolean} back */
  async turn(back) {
    const { studio, labels, dialogs } = this.page;
    this.page.pointer.cancel();
    const edit = labels.turn(back);
    if (edit) {
      const at = edit.parts.map((each) => each.picture).find((each) => each > 0);
      const merged = edit.parts.some((each) => each.kind === "class" && each.before && each.after && each.before.merged !== each.after.merged);
      if (merged || (at && !labels.contents.has(at))) {
        await labels.outbox.settled();
        labels.forget();
      }
      if (merged && studio.picture) await this.#reload(at ?? studio.picture.id);
      else if (at && at !== studio.picture?.id) await this.open(at);
      return;
    }
    await this.#turnOnServer(back, dialogs);
  }

  /** What was done before this page was opened. @param {boolean} back @param {import("./dialogs.js").Dialogs} dialogs */
  async #turnOnServer(back, dialogs) {
    const { labels, session, studio } = this.page;
    await labels.outbox.settled();
    try {
      const answer = await post(back ? "/api/undo" : "/api/redo", { id: newId(), session });
      labels.past(); // what follows has its order on the server
      dialogs.say(answer.said, 4);
      await this.page.status();
      const at = answer.pictures[0] ?? studio.picture?.id;
      if (at) await this.#reload(at);
    } catch (error) {
      dialogs.say(unanswered(error, "undo needs it here"), 4);
    }
  }

  /** @param {number} id */
  async #reload(id) {
    const { studio, labels, strip } = this.page;
    const [content, image] = await Promise.all([labels.renewed(id), studio.cache.get(id)]);
    strip.choose(id);
    studio.show(content, image);
    await strip.refresh();
  }
}

/** @param {import("./api.js").Picture} picture @param {import("./api.js").Filter} filter */
const fits = (picture, filter) => picture.state === filter.state && (!filter.proposed || picture.proposals > 0);
