/**
 * The picture and its boxes as one opaque picture, which is shown in their place while the view moves.
 *
 * A browser that draws by software blends each layer pixel by pixel, several times as long as it
 * takes to copy one that hides what is behind it. On a large screen that is what a frame costs.
 */

// Pixels of a screen from which taking one is worth it.
const LARGE = 3_000_000;

export class Snapshot {
  #shown = false;
  /** @type {ImageBitmapRenderingContext} */
  #context;

  /** @param {HTMLCanvasElement} canvas @param {HTMLElement[]} places  what is hidden meanwhile */
  constructor(canvas, places) {
    this.canvas = canvas;
    this.places = places;
    this.#context = /** @type {ImageBitmapRenderingContext} */ (canvas.getContext("bitmaprenderer", { alpha: false }));
  }

  /**
   * Take one, unless there is one, or the screen is small.
   * @param {HTMLCanvasElement} lower  the boxes, as they were drawn
   * @param {import("./stage.js").View} view  where the picture is on that canvas, in pixels of the page
   * @param {import("./geometry.js").Point} size @param {Iterable<HTMLImageElement>} images  of the picture, in their order
   * @param {string} ground  the colour around it
   */
  take(lower, view, size, images, ground) {
    const { width, height } = lower;
    if (this.#shown || width * height < LARGE) return;
    const sheet = new OffscreenCanvas(width, height);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (sheet.getContext("2d", { alpha: false }));
    context.fillStyle = ground;
    context.fillRect(0, 0, width, height);
    const dense = window.devicePixelRatio || 1;
    const place = /** @type {const} */ ([view.x * dense, view.y * dense, size[0] * view.scale * dense, size[1] * view.scale * dense]);
    context.fillStyle = "#fff";
    context.fillRect(...place);
    context.imageSmoothingEnabled = view.scale < 4;
    for (const each of images) context.drawImage(each, ...place);
    context.drawImage(lower, 0, 0);
    [this.canvas.width, this.canvas.height] = [width, height];
    this.#context.transferFromImageBitmap(sheet.transferToImageBitmap());
    [this.canvas.style.width, this.canvas.style.height] = [lower.style.width, lower.style.height];
    this.#show(true);
  }

  /** Show the picture and its boxes themselves again. */
  drop() {
    if (!this.#shown) return;
    this.#context.transferFromImageBitmap(null);
    this.#show(false);
  }

  /** @param {boolean} shown */
  #show(shown) {
    this.#shown = shown;
    this.canvas.hidden = !shown;
    for (const each of this.places) each.style.visibility = shown ? "hidden" : "";
  }
}
