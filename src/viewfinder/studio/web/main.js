/** The page: its parts, and how they hear of each other. */

import { Refused, get, newId, post } from "./api.js";
import { ClassPanel } from "./classes.js";
import { actions } from "./commands.js";
import { Dialogs, button, element } from "./dialogs.js";
import { commandsWith, shownKey, written } from "./keys.js";
import { Labels } from "./labels.js";
import { Outbox } from "./outbox.js";
import { drawBoxes, drawProposals } from "./panels.js";
import { Pointer } from "./pointer.js";
import { Stage } from "./stage.js";
import { Strip } from "./strip.js";
import { Studio } from "./studio.js";
import { theme, themeAtStart } from "./theme.js";
import { Travel } from "./travel.js";

const TOOLS = [
  ["previous", "◀"], ["next", "▶"], ["done", "Done ✓"], ["skip", "Skip"], ["undo", "Undo"], ["redo", "Redo"],
  ["delete", "Delete"], ["duplicate", "Duplicate"], ["repeat", "Repeat"], ["find-class", "Class…"],
  ["fit", "Whole"], ["nearer", "+"], ["further", "−"], ["zoom-box", "To box"],
];
// Milliseconds between two questions how things stand.
const EVERY = 4000;
// Milliseconds for which a command waits for the one before it.
const PATIENCE = 2000;

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

export class Page {
  session = newId();
  /** @type {{keys?: Record<string, string[]>, thresholds?: Record<string, number>}} */
  settings = {};
  /** Of the first reading of the folder. */
  progress = { stage: "reading", done: 0, total: 0, trouble: "" };
  #drawing = false;
  #chain = Promise.resolve(/** @type {unknown} */ (undefined));
  /** @type {Set<string>} */
  #heard = new Set();

  /** @param {any} start  what the server says at the start */
  constructor(start) {
    this.start = start;
    this.settings = start.settings;
    this.progress = start.progress;
    this.dialogs = new Dialogs();
    this.outbox = new Outbox(start.project);
    this.labels = new Labels(this.outbox, this.session);
    this.stage = new Stage(byId("stage"));
    this.studio = new Studio(this.labels, this.stage, this.dialogs);
    this.studio.thresholds = { ...start.settings.thresholds };
    this.pointer = new Pointer(this.studio);
    this.travel = new Travel(this);
    this.strip = new Strip((id) => this.travel.open(id));
    this.strip.onfilter = () => this.#filtered();
    this.classes = new ClassPanel(this.studio, () => this.commands());
    this.actions = actions(this);
    this.studio.onchange = () => this.draw();
    this.outbox.onstate = () => this.#sending();
    this.outbox.onanswer = (_entry, answer) => this.#answered(answer);
    this.outbox.onrefusal = (entry, error) => this.#refused(entry.target ?? entry.id, error);
    byId("set").textContent = start.name;
    document.title = `${start.name} · Viewfinder`;
  }

  commands() {
    return commandsWith(this.settings.keys);
  }

  async begin() {
    this.#tools();
    this.#listen();
    await this.outbox.recover();
    if (this.outbox.waiting) await Promise.race([this.outbox.settled(), new Promise((go) => setTimeout(go, 5000))]);
    this.labels.takeStatus(this.start);
    if (this.start.classes.length) this.studio.label = this.labels.listed()[0]?.id ?? null;
    await this.#first();
    this.#say(this.start.progress);
    this.#hear(this.start.news);
    for (const note of this.start.notes.slice(0, 2)) this.dialogs.say(note, 15);
    setInterval(() => this.status().catch(() => {}), EVERY);
  }

  /** Show the first picture, as soon as there is one: the one to do, else any. */
  async #first() {
    for (;;) {
      await this.strip.refresh();
      const [todo] = (await get("/api/next", { state: "todo" })).pictures;
      const [any] = todo === undefined ? (await get("/api/next")).pictures : [todo];
      if (any !== undefined) {
        byId("empty").hidden = true;
        await this.travel.open(any);
        return;
      }
      const status = await get("/api/status");
      this.#say(status.progress);
      if (["done", "failed"].includes(status.progress.stage)) return this.#empty(status.progress);
      await new Promise((go) => setTimeout(go, 300));
    }
  }

  /** @param {{stage: string, trouble: string}} progress */
  #empty(progress) {
    const place = byId("empty");
    const failed = progress.stage === "failed";
    place.replaceChildren(
      element("h2", {}, failed ? "This folder cannot be read" : "No pictures here yet"),
      element("p", {}, failed ? progress.trouble : `Put pictures (JPEG, PNG, WebP, TIFF, BMP) into the folder ${this.start.name}, or take them out of a video with viewfinder frames.`));
    if (!failed) place.append(element("div", {}, button("Look again", () => this.#look())));
    place.hidden = false;
  }

  async #look() {
    try {
      await post("/api/look", {});
      await this.#first();
    } catch (error) {
      this.dialogs.say(error instanceof Refused ? error.message : "The server does not answer.");
    }
  }

  async #filtered() {
    const current = this.studio.picture?.id;
    const first = (await get("/api/next", { ...this.strip.filter })).pictures[0];
    if (first === undefined) this.dialogs.say("No picture fits this filter.", 4);
    else if (first !== current) await this.travel.open(first);
  }

  /** Ask how things stand: classes and counts, also by others, and whether the server is there. */
  async status() {
    const status = await get("/api/status");
    this.outbox.wake();
    this.labels.takeStatus(status);
    this.#say(status.progress);
    this.#hear(status.news);
    const picture = this.studio.picture;
    if (picture && !picture.ready && !this.outbox.waiting) {
      this.labels.contents.delete(picture.id);
      this.studio.show(await this.labels.load(picture.id), await this.studio.cache.get(picture.id));
    }
  }

  /** Tell what was noticed of the folder, once. @param {string[]} news */
  #hear(news) {
    const fresh = news.filter((each) => !this.#heard.has(each));
    if (!fresh.length) return;
    for (const each of fresh) {
      this.#heard.add(each);
      this.dialogs.say(each, 15);
    }
    this.strip.refresh();
    const picture = this.studio.picture;
    if (picture) this.travel.fresh(picture.id);
  }

  /** @param {{stage: string, done: number, total: number, trouble: string}} progress */
  #say(progress) {
    this.progress = progress;
    const reading = !["done", "failed"].includes(progress.stage);
    const { todo, done, skipped } = this.labels.counts.states;
    const total = todo + done + skipped;
    const bar = /** @type {HTMLProgressElement} */ (byId("progress"));
    bar.max = reading ? progress.total || 1 : total || 1;
    bar.value = reading ? progress.done : done + skipped;
    byId("progress-text").textContent = reading ? `${progress.stage} ${progress.done} of ${progress.total || "?"}` : `${done + skipped} of ${total} done`;
  }

  /** @param {{revisions: Record<string, any>}} answer */
  #answered(answer) {
    // A merge, or undoing one, changes counts that only the store knows.
    if (answer.revisions.class && !this.outbox.waiting) this.status().catch(() => {});
  }

  /** @param {string} op @param {Refused} error */
  async #refused(op, error) {
    this.labels.drop(op);
    this.dialogs.say(`Not kept: ${error.message}. The picture shows what the server has.`, 20);
    await this.outbox.settled();
    this.labels.forget();
    await this.status().catch(() => {});
    const picture = this.studio.picture;
    if (picture) this.studio.show(await this.labels.load(picture.id), await this.studio.cache.get(picture.id));
  }

  #sending() {
    const { state, waiting, reason } = this.outbox;
    const place = byId("sending");
    place.dataset.state = state;
    place.textContent = state === "saved" ? "saved" : state === "pending" ? `${waiting} pending` : `offline, ${waiting} kept here`;
    place.title = reason || (state === "offline" ? "The server does not answer. Edits are kept in this browser and go when it is back." : "");
  }

  /** @param {Record<string, string[]>} keys */
  changeKeys(keys) {
    this.settings = { ...this.settings, keys };
    this.keep();
    this.#tools();
    this.draw();
  }

  /** Keep the keys and sliders of this person. */
  keep() {
    this.settings.thresholds = { ...this.studio.thresholds };
    post("/api/settings", this.settings).catch(() => this.dialogs.say("The keys and sliders could not be kept: the server does not answer."));
  }

  /** Draw the panels, once for all that happened since the screen was last shown. */
  draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      const picture = this.studio.picture;
      byId("path").textContent = picture?.path ?? "";
      byId("state").textContent = !picture ? "" : !picture.ready ? "being read …" : picture.trouble ? `trouble: ${picture.trouble}` : { todo: "to do", done: "done ✓", skipped: "skipped" }[picture.state];
      this.classes.draw();
      drawProposals(this.studio, () => this.keep());
      drawBoxes(this.studio);
      for (const each of this.labels.touched) this.strip.update(each);
      this.labels.touched.clear();
      this.strip.draw();
      this.#say(this.progress);
    });
  }

  /** Do what a command says, once what was said before it is done: a quick hand is ahead of the server. */
  /** @param {string} id */
  run(id) {
    this.#chain = this.#chain.then(() => Promise.race([this.actions[id](), new Promise((go) => setTimeout(go, PATIENCE))]))
      .catch((error) => {
        console.error(error);
        this.dialogs.say(`That did not work: ${error.message ?? error}`);
      });
  }

  #tools() {
    const commands = new Map(this.commands().map((each) => [each.id, each]));
    const made = TOOLS.map(([id, text]) => {
      const found = commands.get(id);
      const says = `${found?.says} (${found?.keys.map(shownKey).join(", ")})`;
      return button(text, () => this.run(id), { title: says, "aria-label": found?.says ?? text, id: `tool-${id}` });
    });
    const finger = button("Finger draws", () => {
      this.pointer.fingerDraws = !this.pointer.fingerDraws;
      finger.setAttribute("aria-pressed", String(this.pointer.fingerDraws));
    }, { "aria-pressed": String(this.pointer.fingerDraws), title: "A finger draws; else it moves the picture" });
    finger.hidden = !matchMedia("(any-pointer: coarse)").matches;
    byId("tools").replaceChildren(...made, finger);
  }

  #listen() {
    addEventListener("keydown", (event) => this.#key(event));
    addEventListener("keyup", (event) => {
      if (event.key === " ") this.pointer.space = false;
    });
    addEventListener("blur", () => {
      this.pointer.space = false;
    });
    addEventListener("beforeunload", (event) => {
      if (this.outbox.waiting) event.preventDefault();
    });
    byId("help").addEventListener("click", () => this.run("help"));
    byId("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (this.dialogs.open || target.matches("input:not([type=range], [type=color]), select, textarea") || event.isComposing) return;
    // A button that has the focus is pressed by these, as everywhere.
    const pressing = target.matches("button, input, summary") && [" ", "Enter"].includes(event.key);
    if (pressing || (target.matches("[type=range]") && event.key.startsWith("Arrow"))) return;
    if (event.key === " ") {
      this.pointer.space = true;
      event.preventDefault();
      return;
    }
    const key = written(event);
    const command = this.commands().find((each) => each.keys.includes(key));
    const label = command ? undefined : this.classes.keys().get(key);
    if (!command && !label) return;
    event.preventDefault();
    if (command) this.run(command.id);
    else if (label) this.#chain = this.#chain.then(() => this.studio.choose(label));
  }
}

document.documentElement.dataset.theme = themeAtStart();
try {
  const page = new Page(await get("/api/start"));
  // For a person's questions in the browser's console, and for tests.
  Object.assign(window, { viewfinder: page });
  await page.begin();
} catch (error) {
  const place = byId("empty");
  place.textContent = error instanceof Refused ? error.message : "The page could not begin: reload it once the server is there.";
  place.hidden = false;
  console.error(error);
}
