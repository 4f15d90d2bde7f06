/** Who labels here: one's own name, who is where, and pictures that one person has at a time. */

import { SECOND, get, identify, post } from "./api.js";
import { makesBoxes, whyBoxless } from "./boxless.js";
import { Dialogs, button, element } from "./dialogs.js";
import { isolated } from "./names.js";
import { showOpinions } from "./opinions.js";
import { unreadBecause } from "./unread.js";

/**
 * @typedef {{person: string, picture: number | null, path: string}} Other
 * @typedef {{holder: string, ahead: number[], others: Other[]}} Sat
 */

const NAME = "viewfinder person";
// Milliseconds between two words that the page is there, and for which they are said after the person last moved.
const [EVERY, AWAY] = [40_000, 240_000];
// Held for the person who labels; others that come later are only fetched.
const AHEAD = 1;
const SHARES = [0, 5, 10, 20, 50, 100];
const EDITS = ["PutBox", "RemoveBox", "Accept", "Reject"];

/** What the server says at the start, once it knows who asks: others than this machine's own are asked their name, once. */
export async function started() {
  identify(localStorage.getItem(NAME) ?? "");
  const start = await get("/api/start");
  if (start.local || localStorage.getItem(NAME)) return start;
  const name = await new Dialogs().ask("Who labels here? Others see this name, and it stands in the history.", "Your name");
  if (!name.trim()) return start;
  called(name);
  return get("/api/start");
}

/** @param {string} name */
function called(name) {
  localStorage.setItem(NAME, name.trim().slice(0, 60));
  identify(name.trim().slice(0, 60));
}

export class People {
  /** Who has the picture that is shown; empty if this page has. */
  holder = "";
  /** What is to do next, and nobody else is handed. @type {number[]} */
  ahead = [];
  /** @type {Other[]} */
  others = [];
  #said = -Infinity;
  /** How often this page has spoken: what is heard late is known by it. */
  #turn = 0;
  #moved = performance.now();
  #told = -Infinity;

  /** Under which this browser remembers what its pages show. */
  #shown = "";

  /** @param {import("./main.js").Page} page */
  constructor(page) {
    this.page = page;
    this.#shown = `viewfinder shown ${page.start.project} `;
    // Held as long as this page lives, however it ends.
    navigator.locks?.request(this.#shown + page.session, () => new Promise(() => {}));
    this.place = /** @type {HTMLElement} */ (document.getElementById("people"));
    this.banner = /** @type {HTMLElement} */ (document.getElementById("held"));
    this.place.addEventListener("click", () => this.show());
    page.labels.barred = (changes) => this.#barred(changes);
    const moved = () => { this.#moved = performance.now(); };
    for (const each of ["pointermove", "pointerdown", "keydown", "wheel"]) addEventListener(each, moved, { passive: true });
    addEventListener("pagehide", () => this.#leave());
  }

  /** @param {Record<string, any>} asked @returns {Promise<number[]>} */
  async #sit(asked) {
    const { session, studio } = this.page;
    const picture = studio.picture?.id ?? null;
    this.#said = performance.now();
    /** @type {Sat} */
    const { holder, ahead, others } = await post("/api/seat", { session, picture, turn: this.#turn++, ...asked });
    [this.ahead, this.others] = [ahead, others];
    if (studio.picture?.id === picture || picture === null) this.holder = holder;
    this.draw();
    return ahead;
  }

  /**
   * The next pictures to do, which nobody else is handed then.
   * @param {number | undefined} after @param {import("./api.js").Filter} [filter] @param {number} [count] @returns {Promise<number[]>}
   */
  next(after, { text, proposed } = {}, count = AHEAD) {
    return this.#sit({ after: after ?? null, text: text ?? null, proposed: proposed ?? null, count });
  }

  /** A picture is shown: it is this page's, and the one before no more, once its edits are kept. @param {number} id @param {import("./api.js").Filter} filter */
  async opened(id, filter) {
    this.holder = "";
    if (navigator.locks) localStorage.setItem(this.#shown + this.page.session, String(id));
    this.draw();
    await this.page.labels.outbox.settled();
    if (this.page.studio.picture?.id === id) await this.next(id, filter);
  }

  /** What a page of this browser had that is no more and could not say so, as the server was away; all that it held is free. @returns {Promise<number | undefined>} */
  async left() {
    const living = (await navigator.locks?.query())?.held?.map((each) => each.name) ?? [];
    let found = undefined;
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(this.#shown) || living.includes(key)) continue;
      const id = Number(localStorage.getItem(key));
      localStorage.removeItem(key);
      const { left } = await post("/api/seat", { session: key.slice(this.#shown.length), turn: 2 ** 30, leave: true });
      if (left) found = id;
    }
    return found;
  }

  /** Another order says what is next to do. */
  renew() {
    this.ahead = [];
    const picture = this.page.studio.picture;
    if (picture) this.next(picture.id, this.page.strip.filter).catch(() => {});
  }

  /** Say that the page is there, while somebody is before it. */
  beat() {
    const now = performance.now();
    const due = this.holder ? this.#said + 3000 : this.#said + EVERY;
    if (now < due || now - this.#moved > AWAY) return;
    this.#sit({ count: null }).catch(() => {});
  }

  #leave() {
    const body = JSON.stringify({ session: this.page.session, turn: this.#turn++, leave: true });
    fetch("/api/seat", { method: "POST", headers: { "content-type": "application/json" }, body, keepalive: true }).catch(() => {});
  }

  /** Whether changes are refused, which is said: of what is done, or another's. @param {import("./labels.js").Change[]} changes */
  #barred(changes) {
    const { studio, dialogs } = this.page;
    const picture = studio.picture;
    const here = (/** @type {import("./labels.js").Change} */ each) => each.picture === picture?.id;
    // Whether it is done is for whoever has it to say.
    const counts = (/** @type {import("./labels.js").Change} */ each) => EDITS.includes(each.do) || ((this.holder !== "" || !picture?.ready) && each.do === "SetState");
    if (studio.whole && makesBoxes(changes)) {
      dialogs.once(whyBoxless, 8);
      return true;
    }
    if (!picture || studio.whole || !changes.some((each) => counts(each) && here(each))) return false;
    const set = changes.some((each) => each.do === "SetState" && here(each));
    const why = !picture.ready ? unreadBecause(this.page) : this.holder ? `${isolated(this.holder)} has this picture now.` : picture.state === "done" && !set ? "This picture is done: u reopens it." : "";
    if (why && performance.now() - this.#told > 1000) dialogs.say(why, 4);
    if (why) this.#told = performance.now();
    return Boolean(why);
  }

  /** Let the picture be to do again. */
  reopen() {
    const { studio, labels } = this.page;
    const picture = studio.picture;
    if (!picture?.ready || picture.state === "todo" || this.holder) return;
    labels.commit([{ do: "SetState", picture: picture.id, state: "todo" }]);
    studio.changed();
  }

  draw() {
    const { studio, start } = this.page;
    const picture = studio.picture;
    const name = start.person;
    this.place.textContent = this.others.length ? `${isolated(name)} + ${this.others.length}` : name;
    this.place.title = this.others.map(where).join("\n") || "Who labels here, and second opinions";
    const done = picture?.state === "done" && !studio.whole;
    const second = picture && picture.id >= SECOND;
    const says = this.holder ? `${this.holder === name ? "Another window of yours" : isolated(this.holder)} has this picture: look, and do not edit`
      : done ? (second ? "Your second opinion is done" : "Done") : second ? "Second opinion: label this picture anew, without what the first person said" : "";
    if (this.banner.dataset.says === says) return;
    this.banner.dataset.says = says;
    this.banner.hidden = !says;
    this.banner.replaceChildren(element("span", {}, says), ...(done && !this.holder ? [button("Reopen (u)", () => this.page.run("reopen"))] : []));
  }

  /** One's name, who is where, and second opinions. */
  async show() {
    const { dialogs, labels, start } = this.page;
    await labels.outbox.settled();
    const { share, pairs } = await get("/api/opinions");
    const open = pairs.filter((/** @type {import("./opinions.js").Pair} */ each) => each.differences.length);
    const input = element("input", { type: "text", "aria-label": "Your name", maxlength: "60", autocomplete: "off" });
    input.value = start.person;
    const shares = element("select", { "aria-label": "Second opinions" }, ...[...new Set([...SHARES, share])].sort((a, b) => a - b).map((each) =>
      element("option", { value: String(each) }, each ? `of ${each} pictures in a hundred` : "of none")));
    shares.value = String(share);
    const decide = button(`Decide ${open.length}…`, () => dialogs.dialog.close("decide"), { id: "decide" });
    decide.disabled = !open.length;
    const form = element("form", { class: "column" }, element("label", { class: "field" }, "Your name", input),
      element("h3", {}, "Here now"), element("ul", {}, ...[`${isolated(start.person)} (you)`, ...this.others.map(where)].map((each) => element("li", {}, each))),
      element("label", { class: "field" }, "Second opinions: another person labels anew, without seeing the first's boxes", shares),
      element("div", { class: "row" }, element("span", {}, `Given for ${pairs.length} so far; differing in ${open.length}.`), decide),
      element("div", { class: "row" }, element("button", { type: "submit", class: "first" }, "OK"), button("Close", () => dialogs.dialog.close(""))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      dialogs.dialog.close("ok");
    });
    const said = await dialogs.show("Who labels here", [form]);
    if (said === "decide") return showOpinions(this.page, open);
    if (said !== "ok") return;
    if (Number(shares.value) !== share) await post("/api/opinions", { share: Number(shares.value) });
    if (!input.value.trim() || input.value.trim() === start.person) return;
    called(input.value);
    start.person = input.value.trim();
    this.#sit({ count: null }).catch(() => {});
  }
}

/** @param {Other} other */
const where = ({ person, path }) => (path ? `${isolated(person)}, at ${isolated(path)}` : isolated(person));
