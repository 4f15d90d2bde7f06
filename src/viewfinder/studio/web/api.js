/** What the server is asked, and the shapes of its answers. */

/**
 * @typedef {import("./geometry.js").Corners} Corners
 * @typedef {{id: string, name: string, colour: string, key: string, position: number,
 *   number: number | null, merged: string | null, revision: number}} LabelClass
 * @typedef {"todo" | "done" | "skipped"} State
 * @typedef {{id: number, path: string, width: number, height: number, label: string | null,
 *   state: State, ready: boolean, missing: boolean, changed: boolean, trouble: string,
 *   boxes: number, proposals: number, revision: number, touched: number}} Picture
 * @typedef {{id: string, picture: number, label: string, corners: Corners, mask: any,
 *   track: string | null, key_frame: boolean, difficult: boolean, crowd: boolean, source: string,
 *   score: number | null, person: string, at: number, revision: number}} Box
 * @typedef {{id: string, picture: number, run: string, name: string, corners: Corners, mask: any,
 *   score: number, source: string, state: string, box: string | null, revision: number,
 *   track?: string}} Proposal  `track`: of one that is interpolated between key frames
 * @typedef {{track: string, label: string, corners: Corners, score: number, source: string}} Moving
 * @typedef {{picture: Picture, boxes: Box[], proposals: Proposal[], moving: Moving[]}} OnePicture
 * @typedef {{states: Record<State, number>, boxes: Record<string, number>,
 *   pictures: Record<string, number>, proposals: number}} Counts
 * @typedef {{file: string, why: string, pictures: number[], held: number[]}} Unread  a file of labels that could not be read: the pictures that wait for it, and those that have other labels
 * @typedef {{progress: {stage: string, done: number, total: number, trouble: string},
 *   classes: LabelClass[], counts: Counts, seq: number, news: string[],
 *   kind: "boxes" | "classes" | "masks" | null, unread: Unread[], adding: import("./adding.js").State,
 *   learning: import("./learning.js").State}} Status
 * @typedef {{state?: State, label?: string, text?: string, proposed?: boolean}} Filter
 */

/** Pictures from this id on are second opinions. */
export const SECOND = 2 ** 30;

/** Who asks, where that is not whoever began the server. @type {Record<string, string>} */
let who = {};

/** @param {string} person */
export function identify(person) {
  who = person ? { "x-viewfinder-person": encodeURIComponent(person) } : {};
}

/** An answer that is no success: `status`, and the server's sentence. */
export class Refused extends Error {
  /** @param {number} status @param {string} message @param {any} [now] */
  constructor(status, message, now) {
    super(message);
    this.status = status;
    this.now = now;
  }
}

/** Whether a server that was begun since answers, which does not know this page. @param {unknown} error */
export const barred = (error) => error instanceof Refused && [401, 403, 421].includes(error.status);

/** What may be answered to a request that would be right later. @param {unknown} error */
export const passing = (error) =>
  !(error instanceof Refused) || error.status >= 500 || barred(error) || [408, 429].includes(error.status);

/** @param {Response} answer */
async function read(answer) {
  const document = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, document.error || `error ${answer.status}`, document.now);
  return document;
}

/** @param {string} path @returns {Promise<ArrayBuffer>} */
export async function bytes(path) {
  const answer = await fetch(path, { headers: who, signal: AbortSignal.timeout(60000) });
  if (!answer.ok) await read(answer);
  return answer.arrayBuffer();
}

/** @param {string} path @param {Record<string, any>} [query] @returns {Promise<any>} */
export async function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const asked = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return read(await fetch(asked ? `${path}?${asked}` : path, { headers: who, signal: AbortSignal.timeout(60000) }));
}

/** The last question of each path. @type {Map<string, Promise<any>>} */
const last = new Map();

/**
 * Ask for a change. Two of one path go one after the other: where the second overtook the first, the
 * first would be what holds.
 * @param {string} path @param {any} document @param {number} [patience]  milliseconds @returns {Promise<any>}
 */
export function post(path, document, patience = 30000) {
  const asked = (last.get(path) ?? Promise.resolve()).catch(() => {}).then(async () => read(await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...who },
    body: JSON.stringify(document),
    signal: AbortSignal.timeout(patience),
  })));
  last.set(path, asked);
  const over = () => {
    if (last.get(path) === asked) last.delete(path);
  };
  asked.then(over, over);
  return asked;
}

/** Send a picture or a video to be added. @param {string} name @param {File} file @returns {Promise<{picture?: string, video?: string}>} */
export async function send(name, file) {
  const headers = { "content-type": "application/octet-stream" };
  return read(await fetch(`/api/files?${new URLSearchParams({ name })}`, { method: "POST", headers, body: file }));
}

/** What was learnt answers to a picture. @param {File} file @returns {Promise<{boxes: import("./using.js").Answer[], says: string}>} */
export async function attempt(file) {
  const headers = { "content-type": "application/octet-stream" };
  return read(await fetch(`/api/try?${new URLSearchParams({ name: file.name })}`, { method: "POST", headers, body: file }));
}

/** An id of its own for each operation, box and class. (`randomUUID` is for secure pages alone.) */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
