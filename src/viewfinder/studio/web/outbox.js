/**
 * Edits on their way to the server: in order, once each, and none lost.
 *
 * Each is kept in IndexedDB until the server has answered that it is on the disk. Sent again, the
 * same id changes nothing there, so whatever was cut short is simply sent once more.
 */

import { Refused, passing, post } from "./api.js";

/**
 * @typedef {{id: string, path: string, body: any, target?: string}} Entry
 *   `target`: the operation that an undo or redo is of; its number is known once it was answered.
 * @typedef {"saved" | "pending" | "offline"} Sending
 */

const FIRST_WAIT = 400;
const LONGEST_WAIT = 5000;

export class Outbox {
  /** @type {(Entry & {n: number})[]} */
  #queue = [];
  #running = false;
  /** @type {(() => void) | null} */
  #wake = null;
  #last = 0;
  /** @type {Map<string, number>} */
  #numbers = new Map();
  /** @type {Promise<IDBDatabase | null>} */
  #database;

  /** @param {string} project  what tells this set's edits from those of another */
  constructor(project) {
    this.project = project;
    /** @type {Sending} */
    this.state = "saved";
    this.reason = "";
    /** @type {() => void} */
    this.onstate = () => {};
    /** @type {(entry: Entry, answer: any) => void} */
    this.onanswer = () => {};
    /** @type {(entry: Entry, error: Refused) => void} */
    this.onrefusal = () => {};
    this.#database = opened();
    addEventListener("online", () => this.wake());
  }

  get waiting() {
    return this.#queue.length;
  }

  /** Take over what an earlier page left, and send it. */
  async recover() {
    const database = await this.#database;
    if (!database) return;
    const store = database.transaction("edits").objectStore("edits");
    const left = await done(store.index("project").getAll(this.project));
    this.#queue.unshift(...left);
    this.#last = Math.max(Date.now() * 1000, ...left.map((/** @type {any} */ each) => each.n));
    this.#send();
  }

  /** @param {Entry} entry */
  add(entry) {
    this.#last = Math.max(this.#last + 1, Date.now() * 1000);
    const kept = { ...entry, n: this.#last, project: this.project };
    if (entry.target && this.#numbers.has(entry.target)) {
      kept.body = { ...kept.body, seq: this.#numbers.get(entry.target) };
    }
    this.#queue.push(kept);
    this.#keep(kept);
    this.#send();
  }

  /** Try now, whatever wait was left. */
  wake() {
    this.#wake?.();
  }

  /** Until all has been answered. */
  async settled() {
    while (this.#queue.length) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** @param {Sending} state @param {string} [reason] */
  #say(state, reason = "") {
    this.state = state;
    this.reason = reason;
    this.onstate();
  }

  async #send() {
    if (this.#queue.length && this.state === "saved") this.#say("pending");
    else this.onstate();
    if (this.#running) return;
    this.#running = true;
    let wait = FIRST_WAIT;
    while (this.#queue.length) {
      const entry = this.#queue[0];
      try {
        const answer = await post(entry.path, entry.body);
        this.#answered(entry, answer.seq);
        this.onanswer(entry, answer);
      } catch (error) {
        if (passing(error)) {
          this.#say("offline", error instanceof Refused ? error.message : "");
          await this.#pause(wait);
          wait = Math.min(wait * 2, LONGEST_WAIT);
          continue;
        }
        this.#forget(entry);
        this.onrefusal(entry, /** @type {Refused} */ (error));
      }
      wait = FIRST_WAIT;
      this.#say(this.#queue.length ? "pending" : "saved");
    }
    this.#running = false;
  }

  /** @param {Entry & {n: number}} entry @param {number} seq */
  #answered(entry, seq) {
    this.#numbers.set(entry.id, seq);
    // First those that need its number: a page that ends between the two sends this one again.
    for (const each of this.#queue) {
      if (each.target === entry.id) {
        each.body = { ...each.body, seq };
        this.#keep(each);
      }
    }
    this.#forget(entry);
  }

  /** @param {Entry & {n: number}} entry */
  #forget(entry) {
    this.#queue.shift();
    this.#write((store) => store.delete(entry.n));
  }

  /** @param {Entry & {n: number}} entry */
  #keep(entry) {
    this.#write((store) => store.put(entry));
  }

  /** Writes of one store come to pass in the order in which they were begun. @param {(store: IDBObjectStore) => IDBRequest} write */
  async #write(write) {
    const database = await this.#database;
    if (database) write(database.transaction("edits", "readwrite").objectStore("edits"));
  }

  /** @param {number} milliseconds */
  async #pause(milliseconds) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
    });
    this.#wake = null;
  }
}

/** How many edits this browser keeps, of whatever set at this address. */
export async function keptEdits() {
  const database = await opened();
  if (!database) return 0;
  const count = Number(await done(database.transaction("edits").objectStore("edits").count()));
  database.close();
  return count;
}

/** The browser's database; null where it keeps none, as in a private window of some. */
async function opened() {
  try {
    const request = indexedDB.open("viewfinder", 1);
    request.onupgradeneeded = () => {
      const store = request.result.createObjectStore("edits", { keyPath: "n" });
      store.createIndex("project", "project");
    };
    return /** @type {IDBDatabase} */ (await done(request));
  } catch {
    return null;
  }
}

/** @param {IDBRequest} request @returns {Promise<any>} */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
