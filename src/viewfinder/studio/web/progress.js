/** How far the first reading of the folder is, and then how many pictures are done. */

/** @param {{stage: string, done: number, total: number}} reading @param {{todo: number, done: number, skipped: number}} states */
export function drawProgress(reading, { todo, done, skipped }) {
  const bar = /** @type {HTMLProgressElement} */ (document.getElementById("progress"));
  const text = /** @type {HTMLElement} */ (document.getElementById("progress-text"));
  const over = ["done", "failed"].includes(reading.stage);
  const [now, total] = over ? [done + skipped, todo + done + skipped] : [reading.done, reading.total];
  [bar.max, bar.value] = [total || 1, now];
  text.textContent = over ? `${now} of ${total} done` : `${reading.stage} ${now} of ${total || "?"}`;
}
