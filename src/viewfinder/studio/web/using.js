/** What can be done with what was learnt: its report, a picture that is tried on it, and the commands. */

import { attempt } from "./api.js";
import { unanswered } from "./away.js";
import { button, element } from "./dialogs.js";
import { isolated } from "./names.js";

const [WIDE, HIGH] = [640, 400];

/** @typedef {{name: string, corners: [number, number, number, number], score: number}} Answer */

/** @param {import("./main.js").Page} page */
export async function showUse(page) {
  const { dialogs, learning, start } = page;
  const run = learning.state?.finished;
  if (!run) return dialogs.say("Nothing was learnt here yet.", 5);
  const canvas = element("canvas", { "aria-hidden": "true", hidden: "" });
  const said = element("p", { role: "status" });
  const input = element("input", { type: "file", accept: "image/*", id: "try-file" });
  const ask = async (/** @type {File | undefined} */ file) => {
    if (!file) return;
    said.textContent = `Looking at ${isolated(file.name)} …`;
    canvas.hidden = true;
    try {
      const { boxes, says } = await attempt(file);
      said.textContent = `${told(file.name, boxes)}${says ? ` (${says}.)` : ""}`;
      await paint(page, canvas, file, boxes);
    } catch (error) {
      said.textContent = unanswered(error);
    }
  };
  input.addEventListener("change", () => ask(input.files?.[0]));
  const drop = element("div", { class: "drop" }, element("p", {}, "Drop a picture here, or choose one, and see the answer. It is not added to your pictures."),
    element("label", { class: "file first" }, "Choose a picture", input), said, canvas);
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    event.stopPropagation(); // elsewhere a picture that is dropped is added
  });
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    document.body.classList.remove("dropping");
    ask(event.dataTransfer?.files[0]);
  });
  const place = start.local ? run : run.split(/[\\/]/).slice(-2).join("/");
  const content = element("div", { class: "use" },
    element("p", {}, element("a", { href: "/api/learn/report", target: "_blank", rel: "noopener", id: "learn-report" }, "Read its report"), ": how good it is, what it mistakes, and what to try next."),
    drop,
    element("h3", {}, "In a terminal, or a program of yours"),
    copied(dialogs, `viewfinder predict ${quoted(place)} PICTURE-OR-FOLDER`), copied(dialogs, `viewfinder export ${quoted(place)}`),
    element("div", { class: "row" }, button("Close", () => dialogs.dialog.close(""))));
  await dialogs.show("Use what was learnt", [content], { wide: true });
}

/** @param {string} name @param {Answer[]} boxes */
function told(name, boxes) {
  if (!boxes.length) return `${isolated(name)}: nothing found.`;
  const names = [...new Set(boxes.map((each) => each.name))];
  return `${isolated(name)}: ${names.map((each) => `${boxes.filter((one) => one.name === each).length} × ${isolated(each)}`).join(", ")}`;
}

/** A command, and a button that copies it. @param {import("./dialogs.js").Dialogs} dialogs @param {string} command */
function copied(dialogs, command) {
  const code = element("code", {}, command);
  const copy = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(command);
      copy.textContent = "Copied";
    } catch { // over plain HTTP a browser lets nobody write there: chosen, Ctrl+C copies it
      getSelection()?.selectAllChildren(code);
      dialogs.say("Press Ctrl+C to copy what is chosen.", 5);
    }
  });
  return element("p", { class: "line command" }, code, copy);
}

/** @param {string} path  as a shell takes it */
const quoted = (path) => (/^[\w./:\\-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

/** @param {import("./main.js").Page} page @param {HTMLCanvasElement} canvas @param {File} file @param {Answer[]} boxes */
async function paint({ studio }, canvas, file, boxes) {
  const image = await createImageBitmap(file).catch(() => null);
  if (!image) return; // a kind of file that the browser cannot show
  const scale = Math.min(WIDE / image.width, HIGH / image.height);
  [canvas.width, canvas.height] = [Math.round(image.width * scale), Math.round(image.height * scale)];
  canvas.hidden = false;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  context.font = "600 13px system-ui, sans-serif";
  for (const { name, corners, score } of boxes) {
    const [x1, y1, x2, y2] = corners.map((each) => each * scale);
    for (const [style, line] of /** @type {[string, number][]} */ ([["#000", 4], [studio.colourOfName(name), 2]])) {
      context.strokeStyle = style;
      context.lineWidth = line;
      context.strokeRect(x1, y1, x2 - x1, y2 - y1);
    }
    const text = `${isolated(name)} ${score.toFixed(2)}`;
    const most = canvas.width - context.measureText(text).width - 2; // at the right edge it stays in sight
    const at = /** @type {[number, number]} */ ([Math.max(2, Math.min(x1, most)), Math.max(13, y1 - 4)]);
    [context.strokeStyle, context.lineWidth, context.fillStyle] = ["#000", 3, "#fff"];
    context.strokeText(text, ...at);
    context.fillText(text, ...at);
  }
}
