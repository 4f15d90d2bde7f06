/** Adding pictures: dropped on the page, chosen, or given by a path of this machine. */

import { Refused, post, send } from "./api.js";
import { unanswered } from "./away.js";
import { button, element } from "./dialogs.js";
import { isolated } from "./names.js";

/** @typedef {{waiting: number, doing: string, said: [number, string][]}} State */

// Milliseconds between two questions while frames are taken.
const OFTEN = 500;
const AT_ONCE = 3;

export class Adding {
  #told = 0;
  #watching = false;
  /** Of the pictures that are being sent. */
  #sent = 0;
  #total = 0;

  /** @param {import("./main.js").Page} page */
  constructor(page) {
    this.page = page;
    this.place = /** @type {HTMLElement} */ (document.getElementById("adding"));
    const said = /** @type {State} */ (page.start.adding).said;
    this.#told = said.length ? said[said.length - 1][0] : 0;
    addEventListener("dragover", (event) => this.#over(event));
    addEventListener("dragleave", (event) => event.relatedTarget ?? document.body.classList.remove("dropping"));
    addEventListener("drop", (event) => this.#dropped(event));
  }

  /** Ask what to add. */
  async ask() {
    const { dialogs, start } = this.page;
    const chosen = (/** @type {string} */ label, /** @type {Record<string, string>} */ attributes) => {
      const input = element("input", { type: "file", multiple: "", "aria-label": label, ...attributes });
      input.addEventListener("change", () => {
        const files = [...(input.files ?? [])];
        dialogs.dialog.close("");
        this.add(files.map((file) => ({ file, name: file.webkitRelativePath || file.name })));
      });
      return element("label", { class: "field" }, label, input);
    };
    const content = [
      element("p", {}, "Drop pictures, a folder or a video anywhere on this page, or choose them here. Of a video, sharp frames that differ are taken, as viewfinder frames does."),
      chosen("Pictures and videos", { accept: "image/*,video/*" }), chosen("A folder", { webkitdirectory: "" }),
    ];
    if (start.local) content.push(this.#path());
    content.push(element("p", {}, `They are copied into ${isolated(start.folder)}; names are kept, and nothing is overwritten.`),
      element("div", { class: "row" }, button("Look again for what came into the folder", () => dialogs.dialog.close("look")), button("Close", () => dialogs.dialog.close(""))));
    const answer = await dialogs.show("Add pictures", content);
    if (answer === "look") await this.page.look();
  }

  #path() {
    const { dialogs } = this.page;
    const input = element("input", { type: "text", "aria-label": "A path on this machine", placeholder: "/home/me/photos or ~/turn.mp4", autocomplete: "off" });
    const form = element("form", {}, input, element("button", { type: "submit" }, "Add"));
    const said = element("p", { role: "status" });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        await post("/api/add", { path: input.value });
        dialogs.dialog.close("");
        this.#watch();
      } catch (error) {
        said.textContent = unanswered(error);
      }
    });
    return element("div", { class: "field" }, "A path on this machine", form, said);
  }

  /** @param {DragEvent} event */
  #over(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  }

  /** @param {DragEvent} event */
  async #dropped(event) {
    document.body.classList.remove("dropping");
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    // What was dropped is there only now, and asked for before anything is waited for.
    const items = [...event.dataTransfer.items].filter((each) => each.kind === "file");
    const entries = items.map((each) => ({ entry: each.webkitGetAsEntry?.(), file: each.getAsFile() }));
    const found = [];
    for (const { entry, file } of entries) {
      if (entry?.isDirectory) found.push(...await within(/** @type {FileSystemDirectoryEntry} */ (entry)));
      else if (file) found.push({ file, name: file.name });
    }
    await this.add(found);
  }

  /** Send files, some at once, and say what became of them. @param {{file: File, name: string}[]} files */
  async add(files) {
    const { dialogs, start } = this.page;
    if (!files.length) return dialogs.say("There is no file in what was dropped.", 5);
    const queue = [...files];
    /** @type {string[]} */
    const refused = [];
    let [pictures, videos] = [0, 0];
    this.#total += files.length;
    const work = async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        this.#show();
        try {
          if (next.file.size > start.largest) throw new Refused(413, `${isolated(next.name)} is too large`);
          const made = await send(next.name, next.file);
          if (made.video) videos++;
          else pictures++;
        } catch (error) {
          refused.push(error instanceof Refused ? error.message : `${isolated(next.name)} could not be sent`);
        }
        this.#sent++;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (this.#sent === this.#total) [this.#sent, this.#total] = [0, 0];
    this.#show();
    if (pictures) dialogs.say(pictures === 1 ? "1 picture added" : `${pictures} pictures added`, 6);
    for (const each of refused.slice(0, 3)) dialogs.say(each, 15);
    if (refused.length > 3) dialogs.say(`${refused.length - 3} more files were not added.`, 15);
    if (videos) this.#watch();
    if (pictures) await this.page.came();
  }

  /** Look on while the server is at work. */
  async #watch() {
    if (this.#watching) return;
    this.#watching = true;
    do {
      await new Promise((go) => setTimeout(go, OFTEN));
      await this.page.status().catch(() => {});
    } while (this.#watching);
  }

  /** @param {State} state */
  hear(state) {
    const fresh = state.said.filter(([number]) => number > this.#told);
    for (const [number, sentence] of fresh) {
      this.#told = number;
      this.page.dialogs.say(sentence, 12);
    }
    this.#show(state.doing);
    if (fresh.length) this.page.came();
    if (state.waiting) this.#watch();
    else this.#watching = false;
  }

  #show(doing = "") {
    const sending = this.#total ? `sending ${Math.min(this.#sent + 1, this.#total)} of ${this.#total}` : "";
    this.place.textContent = sending || doing;
    this.place.hidden = !this.place.textContent;
  }
}

/** All files of a folder that was dropped, by their names below it. @param {FileSystemDirectoryEntry} folder */
async function within(folder) {
  /** @type {{file: File, name: string}[]} */
  const found = [];
  const reader = folder.createReader();
  for (;;) {
    const part = await new Promise((/** @type {(found: FileSystemEntry[]) => void} */ go) => reader.readEntries(go, () => go([])));
    if (!part.length) return found;
    for (const each of part) {
      if (each.name.startsWith(".") || each.name.startsWith("__")) continue; // a computer's own
      if (each.isDirectory) found.push(...await within(/** @type {FileSystemDirectoryEntry} */ (each)));
      else {
        const file = await new Promise((/** @type {(file: File | null) => void} */ go) => /** @type {FileSystemFileEntry} */ (each).file(go, () => go(null)));
        if (file) found.push({ file, name: each.fullPath.replace(/^\//, "") });
      }
    }
  }
}
