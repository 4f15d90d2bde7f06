/** Learning: a detector that is trained on what is done, and proposes for what is to do. */

import { post } from "./api.js";
import { unanswered } from "./away.js";
import { button, element } from "./dialogs.js";
import { showUse } from "./using.js";

/**
 * @typedef {{says: string, figure: string, seconds_left: number | null, losses: (number | null)[],
 *   scores: (number | null)[], verdict: string, tries: string[], error: string}} Course
 * @typedef {{stage: "idle" | "training" | "proposing" | "stopped" | "failed" | "done", run: string,
 *   finished: string, minutes: number, learnt: number, done: number, keep: boolean, by: string, looked: number,
 *   total: number, proposed: number, notes: string, error: string, cannot: string, course: Course,
 *   queue: {on: boolean, busy: boolean, ready: number, error: string}}} State
 */

const OFTEN = 1000;
/** How long a training may take, in minutes. @type {[number, string][]} */
const TIMES = [[1, "1 minute"], [3, "3 minutes"], [10, "10 minutes"], [30, "30 minutes"], [120, "2 hours"]];
const [WIDE, HIGH] = [230, 46];

export class Learning {
  /** @type {State | null} */
  #state = null;
  #proposed = 0;
  #watching = false;
  #again = () => this.#draw();

  /** @param {import("./main.js").Page} page */
  constructor(page) {
    this.page = page;
    this.place = /** @type {HTMLElement} */ (document.getElementById("learning"));
  }

  get state() {
    return this.#state;
  }

  get busy() {
    return this.#state?.stage === "training" || this.#state?.stage === "proposing";
  }

  /** @param {State} state */
  hear(state) {
    const before = this.#state;
    this.#state = state;
    this.#draw();
    if (before && state.proposed !== this.#proposed && state.proposed) this.#came();
    this.#proposed = state.proposed;
    const { on, ready } = before?.queue ?? state.queue;
    if (on !== state.queue.on || ready !== state.queue.ready) this.page.people.renew();
    if (before && before.stage !== state.stage) this.#ended(state, before.stage);
    if (this.busy || state.queue.busy) this.#watch();
  }

  /** Proposals came: the list shows them, and the picture in hand unless something is being drawn in it. */
  #came() {
    const { labels, outbox, strip, studio, pointer, travel } = this.page;
    const here = studio.picture?.id;
    if (!outbox.waiting) labels.forget();
    strip.refresh();
    if (here !== undefined && !pointer.busy && !studio.selection.size) travel.fresh(here).catch(() => {});
  }

  /** @param {State} state @param {State["stage"]} before */
  #ended({ proposed, total, error }, before) {
    const { dialogs } = this.page;
    if (this.busy) return;
    if (error) dialogs.say(before === "training" ? `Learning failed: ${error}` : `Not proposed: ${error}`, 20);
    else if (before === "proposing") dialogs.say(`${counted(proposed, "box", "boxes")} proposed in ${counted(total, "picture", "pictures")}.`, 8);
  }

  async #watch() {
    if (this.#watching) return;
    this.#watching = true;
    while (this.busy || this.#state?.queue.busy) {
      await new Promise((go) => setTimeout(go, OFTEN));
      await this.page.status().catch(() => {});
    }
    this.#watching = false;
  }

  /** Ask how long, and begin. */
  async ask() {
    const { dialogs, labels } = this.page;
    const state = this.#state;
    if (!state) return;
    if (this.busy) return dialogs.say("It is at work: its panel is at the right, with Stop.", 5);
    if (state.cannot) return dialogs.say(`Nothing to learn from: ${state.cannot}`, 12);
    const time = element("select", { "aria-label": "How long" }, ...TIMES.map(([value, says]) => element("option", { value: String(value) }, says)));
    time.value = String(TIMES.some(([value]) => value === state.minutes) ? state.minutes : 3);
    const keep = element("input", { type: "checkbox", id: "learn-keep" });
    keep.checked = state.keep;
    const form = element("form", { class: "column" },
      element("label", { class: "field" }, "How long it trains", time),
      element("label", { class: "check" }, keep, "and again by itself whenever more pictures are done"),
      element("div", { class: "row" }, element("button", { type: "submit", class: "first" }, "Learn"), button("Close", () => dialogs.dialog.close(""))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      dialogs.dialog.close("go");
    });
    const boxes = Object.values(labels.counts.boxes).reduce((sum, each) => sum + each, 0);
    const intro = [
      element("p", {}, `A detector learns from what is labelled now, ${counted(boxes, "box", "boxes")}, but for what is being drawn in, ${state.finished ? "beginning with what the last one knew" : "beginning with a network that has seen many photographs"}, and then proposes boxes for those to do. You go on labelling meanwhile.`),
      element("p", {}, "It takes this long and about a minute more to judge itself; it leaves a core of this machine free."),
    ];
    if ((await dialogs.show("Learn", [...intro, form])) !== "go") return;
    if (keep.checked !== state.keep) await this.#post("/api/learn/keep", { on: keep.checked });
    await this.#post("/api/learn", { minutes: Number(time.value), picture: this.page.studio.picture?.id ?? null });
  }

  /** @param {string} path @param {Record<string, any>} [given] */
  async #post(path, given = {}) {
    const { dialogs, labels, page } = { ...this.page, page: this.page };
    try {
      await labels.outbox.settled();
      await post(path, given);
    } catch (error) {
      dialogs.say(unanswered(error));
    }
    await page.status().catch(() => {});
  }

  #draw() {
    if (this.page.press.holds(this.#again)) return;
    const state = this.#state;
    this.place.hidden = !state || this.page.studio.kind !== "boxes";
    if (!state || this.place.hidden) return;
    const focused = document.activeElement?.id;
    this.place.replaceChildren(element("h2", {}, "Learning", element("span", { class: "space" }), ...this.#buttons(state)), ...this.#said(state));
    if (focused?.startsWith("learn")) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  /** @param {State} state */
  #buttons(state) {
    if (this.busy) return [button("Stop", () => this.#post("/api/learn/stop"), { id: "learn-stop", "aria-label": "Stop learning" })];
    const learn = button("Learn…", () => this.page.run("learn"), { id: "learn", "aria-label": "Learn from what is done, and propose" });
    learn.disabled = Boolean(state.cannot);
    learn.title = state.cannot;
    const propose = button("Propose…", () => this.page.run("propose"), { id: "propose", "aria-label": "Let a machine propose boxes" });
    if (state.stage !== "stopped") return [propose, learn];
    const given = { picture: this.page.studio.picture?.id ?? null };
    return [button("Go on", () => this.#post("/api/learn/again", given), { id: "learn-again", "aria-label": "Go on with the training that was stopped" }), propose, learn];
  }

  /** The switch of the order. @param {State["queue"]} queue */
  #queue({ on, busy, ready, error }) {
    const box = element("input", { type: "checkbox", id: "learn-queue" });
    box.checked = on;
    box.addEventListener("change", () => this.#post("/api/queue", { on: box.checked }));
    const label = element("label", { class: "check", title: "Done, and the next to do, go to what teaches most: typical and different pictures, those that the detector doubts, and a fifth drawn at random" },
      box, element("span", {}, "Most useful picture next", ...(busy ? [element("span", { class: "soft" }, " – being ordered")] : on && ready ? [element("span", { class: "soft" }, ` – ${ready} in order`)] : [])));
    return error ? [label, element("p", { class: "bad" }, error)] : [label];
  }

  /** @param {State} state */
  #said(state) {
    const { course } = state;
    const lines = [];
    if (state.stage === "training") {
      const left = course.seconds_left === null ? "" : `, about ${time(course.seconds_left)} left`;
      lines.push(element("p", { role: "status" }, `${course.says}${left}`));
    }
    if (state.stage === "training" && state.proposed) lines.push(element("p", { class: "soft" }, `${counted(state.proposed, "box", "boxes")} proposed from what it knows so far`));
    if (state.stage === "proposing") lines.push(bar("Pictures looked at", state.looked, state.total), element("p", { role: "status" }, `${state.looked} of ${state.total} looked at, ${state.proposed} proposed`));
    if (state.stage === "idle") lines.push(element("p", { class: "soft" }, sentence(state.cannot) || "A detector can learn from what is done, and propose the rest."));
    if (state.stage === "stopped") lines.push(element("p", {}, "Stopped; it can go on."));
    if (state.error && !this.busy) lines.push(element("p", { class: "bad" }, state.error));
    if (course.losses.length > 1) lines.push(curve(course));
    if (state.total && !this.busy && !state.error) {
      const by = state.by === "learning" ? `learnt from ${state.learnt}` : `by ${state.by}`;
      lines.push(element("p", {}, `${counted(state.proposed, "box", "boxes")} proposed in ${counted(state.total, "picture", "pictures")}, ${by}.`));
    }
    if (state.notes && !this.busy) lines.push(element("p", { class: "soft" }, state.notes));
    if (course.verdict && !this.busy) lines.push(element("p", { class: "soft" }, course.verdict));
    if (course.tries.length && !this.busy) lines.push(element("details", { id: "learn-tries" }, element("summary", {}, "What to try next"), element("ul", { class: "soft" }, ...course.tries.map((each) => element("li", {}, each)))));
    if (state.finished && !this.busy) lines.push(button("Use what it learnt…", () => showUse(this.page), { id: "learn-use" }));
    lines.push(...this.#queue(state.queue), button("Find wrong labels…", () => this.page.run("doubts"), { id: "learn-doubts" }));
    if (state.keep) lines.push(element("div", { class: "line" }, element("span", { class: "name" }, "Learns again by itself"), button("no more", () => this.#post("/api/learn/keep", { on: false }), { id: "learn-no-more", "aria-label": "Learn no more by itself" })));
    return lines;
  }
}

/** @param {string} label @param {number} value @param {number} most */
function bar(label, value, most) {
  const made = element("progress", { "aria-label": label, max: String(most || 1) });
  made.value = value;
  return made;
}

/** The loss of each epoch, and the score on held-out pictures where there are any. @param {Course} course */
function curve({ losses, scores, figure }) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const known = scores.filter((each) => each !== null);
  const best = known.length ? Math.max(.../** @type {number[]} */ (known)) : null;
  const fell = `loss ${losses[0]?.toFixed(2)} to ${losses[losses.length - 1]?.toFixed(2)}`;
  const reached = best === null ? "" : `best ${figure.replace(/^val_/, "").toUpperCase()} ${best.toFixed(2)} on held-out pictures`;
  const says = reached ? `${fell}; ${reached}` : fell;
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": says, class: "curve" })) svg.setAttribute(name, String(value));
  for (const [values, kind] of /** @type {[(number | null)[], string][]} */ ([[losses, "loss"], [scores, "score"]])) {
    const top = kind === "score" ? 1 : Math.max(...values.map((each) => each ?? 0), 1e-9);
    const points = values.flatMap((each, place) => each === null ? [] : [`${((place / Math.max(1, values.length - 1)) * (WIDE - 4) + 2).toFixed(1)},${(HIGH - 3 - (each / top) * (HIGH - 6)).toFixed(1)}`]);
    if (points.length < 2) continue;
    const line = document.createElementNS(space, "polyline");
    line.setAttribute("points", points.join(" "));
    line.setAttribute("class", kind);
    svg.append(line);
  }
  return element("figure", {}, svg, element("figcaption", {}, element("span", { class: "soft" }, fell), ...(reached ? ["; ", element("span", { class: "score" }, reached)] : [])));
}

/** @param {number} seconds */
const time = (seconds) => (seconds < 60 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`);

/** @param {number} count @param {string} one @param {string} many */
const counted = (count, one, many) => `${count} ${count === 1 ? one : many}`;

/** @param {string} text */
const sentence = (text) => text && text[0].toUpperCase() + text.slice(1);
