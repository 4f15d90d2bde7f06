/** The page: its parts, and how they hear of each other. */

import { Refused, get, newId, post } from "./api.js";
import { Adding } from "./adding.js";
import { first } from "./beginning.js";
import { drawAway, drawSending, patiently, unanswered } from "./away.js";
import { boxlessBecause, whyBoxless } from "./boxless.js";
import { Chips } from "./chips.js";
import { ClassPanel } from "./classes.js";
import { actions } from "./commands.js";
import { Dialogs } from "./dialogs.js";
import { Film } from "./film.js";
import { commandsWith } from "./keys.js";
import { Labels } from "./labels.js";
import { Learning } from "./learning.js";
import { listen } from "./listening.js";
import { isolated } from "./names.js";
import { News } from "./news.js";
import { Press, Turns } from "./order.js";
import { Outbox, keptEdits } from "./outbox.js";
import { drawBoxes, drawProposals, stateOf } from "./panels.js";
import { People, started } from "./people.js";
import { Pointer } from "./pointer.js";
import { drawProgress } from "./progress.js";
import { Road } from "./road.js";
import { Shaping } from "./shaping.js";
import { Stage } from "./stage.js";
import { Sliders } from "./sliders.js";
import { Straying } from "./straying.js";
import { Strip } from "./strip.js";
import { Studio } from "./studio.js";
import { themeAtStart } from "./theme.js";
import { drawTools } from "./tools.js";
import { Travel } from "./travel.js";
import { drawUnread, unreadBecause } from "./unread.js";
import { drawUnshown } from "./unshown.js";
import { drawWhole, wholeName } from "./whole.js";

// Milliseconds between two questions how things stand.
const EVERY = 4000;
// Milliseconds for which a command waits for the one before it.
const PATIENCE = 2000;

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

export class Page {
  session = newId();
  press = new Press();
  turns = new Turns((error) => this.dialogs.say(`That did not work: ${error.message ?? error}`));
  /** @type {{keys?: Record<string, string[]>, thresholds?: Record<string, number>, found?: Record<string, number>, guesses?: boolean, road?: boolean}} */
  settings = {};
  /** Of the first reading of the folder. */
  progress = { stage: "reading", done: 0, total: 0, trouble: "" };
  /** Files of labels that could not be read. @type {import("./api.js").Unread[]} */
  unread = [];
  #drawing = false;
  /** Of the questions how things stand, the last, and the last that was answered. */
  #asked = 0;
  #newest = 0;
  #toldBoxless = false;
  #drawAgain = () => this.draw();

  /** @param {any} start  what the server says at the start */
  constructor(start) {
    this.start = start;
    this.settings = start.settings;
    this.progress = start.progress;
    this.unread = start.unread;
    this.dialogs = new Dialogs();
    this.outbox = new Outbox(start.project);
    this.labels = new Labels(this.outbox, this.session);
    this.stage = new Stage(byId("stage"));
    this.studio = new Studio(this.labels, this.stage, this.dialogs);
    this.studio.kind = start.kind;
    this.studio.thresholds = { ...start.settings.thresholds };
    this.studio.sliders = new Sliders(start.settings.found);
    this.studio.guesses = start.settings.guesses ?? true;
    this.pointer = new Pointer(this.studio);
    this.travel = new Travel(this);
    this.strip = new Strip((id) => this.travel.open(id));
    this.strip.onfilter = () => this.#filtered();
    this.classes = new ClassPanel(this.studio, () => this.commands());
    this.chips = new Chips(this.studio, () => this.classes.add());
    this.actions = actions(this);
    this.adding = new Adding(this);
    this.learning = new Learning(this);
    this.road = new Road(this);
    this.people = new People(this);
    this.shaping = new Shaping(this);
    this.film = new Film(this);
    this.news = new News(this, start.seq);
    new Straying(this);
    this.classes.onguess = () => this.keep();
    this.studio.onchange = () => this.draw();
    this.studio.onunwritable = () => this.#unwritable();
    this.studio.onsheet = () => this.run("sheet");
    this.studio.onlabelled = () => this.run("done");
    this.strip.named = (picture) => (this.studio.whole ? wholeName(this.studio, picture) : null);
    this.outbox.onstate = () => drawSending(this.outbox);
    this.outbox.onanswer = (entry, answer) => this.#answered(entry, answer);
    this.outbox.onrefusal = (entry, error) => this.#refused(entry.target ?? entry.id, error);
    byId("set").textContent = start.name;
    document.title = `${isolated(start.name)} · Viewfinder`;
  }

  commands() {
    return commandsWith(this.settings.keys);
  }

  async begin() {
    drawTools(this);
    listen(this);
    await this.outbox.recover();
    if (this.outbox.waiting) await Promise.race([this.outbox.settled(), new Promise((go) => setTimeout(go, 5000))]);
    this.labels.takeStatus(this.start);
    if (this.start.classes.length) this.studio.label = this.labels.listed()[0]?.id ?? null;
    await patiently(() => first(this), () => this.outbox.waiting);
    drawSending(this.outbox);
    this.tell(this.start.progress);
    this.learning.hear(this.start.learning);
    this.news.ofFolder(this.start.news);
    for (const note of this.start.notes.slice(0, 2)) this.dialogs.say(note, 15);
    setInterval(() => {
      this.status().catch(() => {});
      this.people.beat();
    }, EVERY);
  }

  /** Look for what came into the folder since. */
  async look() {
    try {
      const { news } = await post("/api/look", {});
      const again = this.progress.stage === "failed" ? "The labels are being read again." : "";
      if (!news.length) this.dialogs.say(again || "Nothing came into the folder, went or changed.", 6); // else every page is told
      this.studio.cache.forget();
      this.strip.renew();
      await this.came();
      if (this.studio.picture) await this.travel.fresh(this.studio.picture.id);
    } catch (error) {
      this.dialogs.say(unanswered(error));
    }
  }

  /** Pictures came: the list has them, and the first is shown where there was none. */
  async came() {
    await this.status().catch(() => {});
    if (this.studio.picture) await this.strip.refresh();
    else await first(this);
  }

  /** Everything may be other than it was: ask the server anew. */
  async anew() {
    this.labels.forget();
    await this.status();
    await this.#again();
    await this.strip.refresh();
  }

  /** Show the picture in hand as the server has it. */
  async #again() {
    const id = this.studio.picture?.id;
    if (id === undefined) return;
    const [content, image] = await Promise.all([this.labels.renewed(id), this.studio.cache.get(id)]);
    if (this.studio.picture?.id === id) this.studio.show(content, image);
  }

  async #filtered() {
    const current = this.studio.picture?.id;
    const first = (await get("/api/next", { ...this.strip.filter })).pictures[0];
    if (first === undefined) this.dialogs.say("No picture fits this filter.", 4);
    else if (first !== current) await this.travel.open(first);
  }

  /** Ask how things stand: classes and counts, also by others, and whether the server is there. */
  async status() {
    const turn = ++this.#asked;
    const status = await get("/api/status").catch((error) => {
      drawAway(this, error);
      throw error;
    });
    drawAway(this, null);
    this.outbox.wake();
    if (turn < this.#newest) return; // a later question was answered before
    this.#newest = turn;
    this.studio.kind = status.kind;
    this.unread = status.unread;
    // One that was on its way while an edit was kept knows less than the page.
    if (status.seq >= this.news.seq) this.labels.takeStatus(status);
    this.tell(status.progress);
    this.news.ofFolder(status.news);
    this.adding.hear(status.adding);
    this.learning.hear(status.learning);
    this.draw();
    const picture = this.studio.picture;
    await this.news.ofOthers(status.seq);
    if (picture && !picture.ready && !this.outbox.waiting) await this.#again();
  }

  /** @param {{stage: string, done: number, total: number, trouble: string}} progress */
  tell(progress) {
    const failed = this.progress.stage === "failed" && progress.stage !== "failed";
    this.progress = progress;
    if (failed) this.came();
    drawProgress(progress, this.labels.counts.states);
  }

  /** @param {import("./outbox.js").Entry} entry @param {{revisions: Record<string, any>, seq: number}} answer */
  #answered(entry, answer) {
    // Of an edit that is undone or done again, what was read from a file since stays.
    const turned = [...this.labels.done, ...this.labels.undone].find((each) => each.op === entry.target);
    if (turned?.parts.some((each) => !answer.revisions[each.kind]?.[each.id])) this.outbox.settled().then(() => this.anew()).catch(() => {});
    this.news.own(answer.seq);
    if (answer.revisions.box || answer.revisions.picture) this.film.changed();
    // A merge, or undoing one, changes counts that only the store knows.
    if (answer.revisions.class && !this.outbox.waiting) this.status().catch(() => {});
  }

  /** @param {string} op @param {Refused} error */
  async #refused(op, error) {
    this.labels.drop(op);
    this.dialogs.say(`Not kept: ${error.message}. The picture shows what the server has.`, 20);
    await this.outbox.settled();
    await this.anew().catch(() => {});
  }

  /** Why there are no boxes, once: to drag the picture along is right where it is near. */
  #boxless() {
    const why = this.#toldBoxless ? "" : whyBoxless;
    this.#toldBoxless = true;
    return why;
  }

  /** A stroke that can draw nothing: say why. */
  #unwritable() {
    const why = this.studio.whole ? this.#boxless() : unreadBecause(this);
    if (why) this.dialogs.once(why, 5);
  }

  /** @param {Record<string, string[]>} keys */
  changeKeys(keys) {
    this.settings = { ...this.settings, keys };
    this.keep();
    drawTools(this);
    this.draw();
  }

  /** Keep the keys and sliders of this person. */
  keep() {
    this.settings.thresholds = { ...this.studio.thresholds };
    this.settings.found = { ...this.studio.sliders.least };
    this.settings.guesses = this.studio.guesses;
    post("/api/settings", this.settings).catch((error) => this.dialogs.say(`The keys and sliders could not be kept. ${unanswered(error)}`));
  }

  /** Draw the panels, once for all that happened since the screen was last shown. */
  draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      if (this.press.holds(this.#drawAgain)) return;
      const picture = this.studio.picture;
      byId("path").textContent = picture?.path ?? "";
      byId("state").textContent = byId("state").title = picture ? stateOf(picture, this.progress.stage) : "";
      drawUnshown(this);
      drawUnread(this);
      document.body.classList.toggle("whole", this.studio.whole);
      drawWhole(this.studio);
      this.people.draw();
      this.road.draw();
      this.film.draw();
      this.classes.draw();
      this.chips.draw();
      drawProposals(this.studio, () => this.keep(), (id) => this.run(id));
      drawBoxes(this.studio);
      for (const each of this.labels.touched) this.strip.update(each);
      this.labels.touched.clear();
      this.strip.draw();
      this.tell(this.progress);
    });
  }

  /** Do what a command says. @param {string} id */
  run(id) {
    const why = boxlessBecause(this.studio, id);
    if (why) return this.dialogs.once(why, 8);
    this.after(() => Promise.race([this.shaping.heard(id) || this.actions[id](), new Promise((go) => setTimeout(go, PATIENCE))]));
  }

  /** Do something once what was said before it is done. @param {() => unknown} work */
  after(work) {
    // Under a question that opened meanwhile nothing is done that was meant for the picture.
    this.turns.add(() => this.dialogs.open || work());
  }
}

document.documentElement.dataset.theme = themeAtStart();
try {
  const page = new Page(await patiently(started, keptEdits));
  // For a person's questions in the browser's console, and for tests.
  Object.assign(window, { viewfinder: page });
  await page.begin();
} catch (error) {
  const place = byId("empty");
  place.textContent = error instanceof Refused ? error.message : "The page could not begin: reload it.";
  place.hidden = false;
  console.error(error);
}
