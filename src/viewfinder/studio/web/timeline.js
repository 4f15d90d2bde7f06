/** The timeline of a video: a row a track with its key frames, and below them what is done or doubted. */

const ROW = 9;
const MOST_ROWS = 8;
// An interpolated box of less IoU than this with a detector's is marked.
const DOUBTED = 0.7;

/**
 * @param {HTMLCanvasElement} line @param {HTMLElement} place  what it is as wide as
 * @param {import("./film.js").Video} video @param {number} at  the frame that is shown
 * @param {(label: string) => string} colourOf
 */
export function drawTimeline(line, place, video, at, colourOf) {
  const rows = Math.max(1, Math.min(MOST_ROWS, video.tracks.length));
  const [wide, high] = [place.clientWidth - 12, rows * ROW + 8];
  const dense = window.devicePixelRatio || 1;
  [line.width, line.height] = [Math.round(wide * dense), Math.round(high * dense)];
  [line.style.width, line.style.height] = [`${wide}px`, `${high}px`];
  const context = /** @type {CanvasRenderingContext2D} */ (line.getContext("2d"));
  context.scale(dense, dense);
  const step = wide / video.frames.length;
  const style = getComputedStyle(place);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name);
  video.frames.forEach((frame, n) => {
    const doubted = frame.likeness !== null && frame.likeness < DOUBTED && frame.state === "todo";
    context.fillStyle = doubted ? colour("--bad") : colour(frame.state === "done" ? "--good" : "--line");
    context.fillRect(n * step, high - 4, Math.max(step - (step > 3 ? 1 : 0), 0.5), 4);
  });
  video.tracks.slice(0, MOST_ROWS).forEach((track, row) => {
    const y = row * ROW + ROW / 2;
    context.fillStyle = colourOf(track.label);
    context.fillRect((track.first + 0.5) * step, y - 1, Math.max((track.last - track.first) * step, 1), 2);
    video.frames.forEach((frame, n) => {
      if (frame.keys.includes(track.track)) context.fillRect((n + 0.5) * step - 2.5, y - 3.5, 5, 7);
    });
  });
  context.fillStyle = colour("--accent");
  context.fillRect((at + 0.5) * step - 1, 0, 2, high);
}
