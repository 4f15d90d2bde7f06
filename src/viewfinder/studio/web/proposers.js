/** Who proposes boxes: one menu, in which what cannot be used is grey and says why. */

import { get, post } from "./api.js";
import { unanswered } from "./away.js";
import { button, element } from "./dialogs.js";
import { isolated } from "./names.js";

/** @typedef {{by: string, empty?: number, file?: string, name?: string, names?: string[]}} Asked */

const ABOUT = {
  learnt: ["What was learnt here", "The detector that was trained last looks at the pictures to do again."],
  plate: ["An empty stand", "The picture in hand shows the stand without anything on it: what stands there in others is proposed, with its outline."],
  detector: ["A detector", "A run of viewfinder, a Darknet .weights file with its .cfg beside it, an ONNX file, or coco, which comes along and knows 80 everyday classes."],
  saliency: ["A saliency network", "A run of saliency, or an ONNX file such as u2netp's: what catches the eye is proposed, with its outline."],
  track: ["Along a video", "Boxes that are drawn already are followed from frame to frame until the next frame that has some."],
};
let last = "";

/** @param {import("./main.js").Page} page */
export async function showProposers(page) {
  const { dialogs, studio, learning } = page;
  if (learning.busy) return dialogs.say("It is at work: its panel is at the right, with Stop.", 5);
  /** @type {Record<string, string>} */
  let reasons;
  try {
    reasons = await get("/api/propose");
  } catch (error) {
    return dialogs.say(unanswered(error));
  }
  const able = Object.keys(ABOUT).filter((by) => !reasons[by]);
  const fields = new Map(able.map((by) => [by, fieldsOf(page, by)]));
  const said = element("p", { role: "alert", class: "bad" });
  const form = element("form", { class: "column" });
  const chosen = () => /** @type {HTMLInputElement | null} */ (form.querySelector("[name=by]:checked"))?.value ?? "";
  const choose = () => {
    for (const [by, { place }] of fields) place.hidden = by !== chosen();
  };
  for (const [by, [title, says]] of Object.entries(ABOUT)) {
    const radio = element("input", { type: "radio", name: "by", value: by, id: `by-${by}` });
    radio.disabled = Boolean(reasons[by]);
    radio.checked = by === (able.includes(last) ? last : able[0]);
    const label = element("label", { class: reasons[by] ? "check cannot" : "check", for: `by-${by}` }, radio,
      element("span", {}, element("strong", {}, title), element("br"), element("span", { class: "soft" }, reasons[by] ? `Not now: ${reasons[by]}.` : says)));
    form.append(label, ...(fields.has(by) ? [/** @type {{place: Node}} */ (fields.get(by)).place] : []));
  }
  form.addEventListener("change", choose);
  const go = element("button", { type: "submit", class: "first" }, "Propose");
  go.disabled = !able.length;
  form.append(said, element("div", { class: "row" }, go, button("Close", () => dialogs.dialog.close(""))));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    last = chosen();
    const asked = { by: last, ...fields.get(last)?.read(), picture: studio.picture?.id ?? null };
    try {
      await page.labels.outbox.settled();
      await post("/api/propose", asked);
      dialogs.dialog.close("");
      await page.status();
    } catch (error) {
      said.textContent = unanswered(error);
    }
  });
  choose();
  await dialogs.show("Propose boxes for what is to do", [form]);
}

/** What else is asked of one that proposes. @param {import("./main.js").Page} page @param {string} by @returns {{place: HTMLElement, read: () => Partial<Asked>}} */
function fieldsOf({ labels, studio }, by) {
  const place = element("div", { class: "fields" });
  const file = element("input", { type: "text", "aria-label": "Run or file", placeholder: by === "detector" ? "coco, or a path on this machine" : "a path on this machine", autocomplete: "off", maxlength: "3000" });
  const names = element("input", { type: "text", "aria-label": "Its classes, and what to call them", placeholder: "cup=mug, bowl", autocomplete: "off", maxlength: "3000" });
  const name = element("select", { "aria-label": "Class of all" }, element("option", { value: "" }, "its folder's name"),
    ...labels.listed().map((each) => element("option", { value: each.name }, each.name)));
  name.value = labels.classOf(studio.label ?? "")?.name ?? "";
  const field = (/** @type {string} */ says, /** @type {HTMLElement} */ input) => element("label", { class: "field" }, says, input);
  if (by === "detector") {
    place.append(field("Run or file", file), field("Only these of its classes, renamed (all if empty)", names));
    return { place, read: () => ({ file: file.value, names: names.value.split(",").map((each) => each.trim()).filter(Boolean) }) };
  }
  if (by === "saliency") {
    place.append(field("Run or file", file), ...(studio.kind === "masks" ? [] : [field("Class of all", name)]));
    return { place, read: () => ({ file: file.value, name: name.value }) };
  }
  if (by === "plate") {
    place.append(element("p", { class: "soft" }, `The empty stand: ${studio.picture ? isolated(studio.picture.path) : "open its picture first"}`), field("Class of all", name));
    return { place, read: () => ({ empty: studio.picture?.id, name: name.value }) };
  }
  return { place, read: () => ({}) };
}
