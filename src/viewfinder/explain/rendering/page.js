"use strict";
const layers = JSON.parse(document.getElementById("layers").textContent);
const boxes = [...document.querySelectorAll(".box")];
const details = document.getElementById("details");
const seeing = document.getElementById("seeing");
let pinned = null, field = null, at = null;

function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

function rider(layer) {
  const line = element("p", "rider " + layer.family);
  const costs = [layer.params && `${layer.params} params`, layer.kept && `keeps ${layer.kept}`];
  const rest = [...layer.formula.filter(text => !text.includes("params")), ...costs];
  line.append(element("b", "", layer.name), " ", element("small", "", layer.kind),
    ...rest.filter(Boolean).map(text => ` · ${text}`));
  return line;
}

function described(layer) {
  const section = element("section", layer.family);
  const title = element("h2", "", layer.name + " ");
  title.append(element("small", "", layer.kind));
  section.append(title, element("p", "flow", layer.flow));
  for (const line of layer.formula) section.append(element("p", "formula", line));
  for (const line of layer.dropped) section.append(element("p", "dropped", line));
  const costs = element("dl", "costs");
  const told = [["params", layer.params], ["MACs", layer.macs], ["kept", layer.kept],
    ["sees", layer.sees]];
  for (const [name, value] of told) {
    const cell = element("div");
    cell.append(element("dt", "", name), element("dd", "", value || "–"));
    costs.append(cell);
  }
  section.append(costs);
  for (const line of layer.notes) section.append(element("p", "note", line));
  if (layer.source) section.append(element("code", "", `${layer.source}  ${layer.code}`));
  return section;
}

function show(box) {
  const chosen = box.dataset.layers.split(" ").filter(Boolean).map(Number).filter(i => i >= 0);
  for (const other of boxes) other.classList.toggle("on", other === box);
  for (const way of document.querySelectorAll(".way")) {
    const joined = [way.dataset.start, way.dataset.end].includes(box.dataset.box);
    way.classList.toggle("on", joined);
  }
  if (!chosen.length) return;
  const [head, ...riders] = chosen.map(index => layers[index]);
  details.replaceChildren(described(head), ...riders.map(rider));
  const fields = chosen.map(index => layers[index].field).filter(Boolean);
  field = fields.length ? fields[fields.length - 1] : null;
  draw();
}

function span(axis, size) {
  if (field.whole) return [0, size, size / 2];
  const count = field.map[axis], stride = field.stride[axis];
  const reach = field.size[axis], offset = field.offset[axis];
  if (!stride) return [offset, offset + reach, offset + reach / 2];
  const place = (at[axis] - offset - reach / 2) / stride;
  const i = Math.max(0, Math.min(count - 1, Math.round(place)));
  return [offset + i * stride, offset + i * stride + reach, offset + i * stride + reach / 2, i];
}

function draw() {
  if (!seeing) return;
  const height = +seeing.dataset.height, width = +seeing.dataset.width;
  at ??= [height * 0.62, width * 0.55];
  const shade = document.getElementById("shade"), seen = document.getElementById("seen");
  const centre = document.getElementById("centre"), caption = document.getElementById("caption");
  for (const part of [shade, seen, centre]) part.style.display = field ? "" : "none";
  if (!field) { caption.textContent = "This layer has no place in the picture."; return; }
  const [top, bottom, y, row] = span(0, height), [left, right, x, column] = span(1, width);
  const box = [Math.max(0, left), Math.max(0, top), Math.min(width, right), Math.min(height, bottom)];
  const whole = `M0 0H${width}V${height}H0Z`;
  shade.setAttribute("d", `${whole}M${box[0]} ${box[1]}H${box[2]}V${box[3]}H${box[0]}Z`);
  const sizes = { x: box[0], y: box[1], width: box[2] - box[0], height: box[3] - box[1] };
  for (const [name, value] of Object.entries(sizes)) seen.setAttribute(name, Math.max(0, value));
  centre.style.display = field.whole ? "none" : "";
  centre.setAttribute("cx", x);
  centre.setAttribute("cy", y);
  const round = value => +value.toFixed(2);
  if (field.whole) {
    caption.textContent = "Every position of this layer sees the whole picture.";
  } else {
    const place = row === undefined ? "It" : `Position (${row}, ${column}) of ${field.map.join("×")}`;
    const beyond = left < 0 || top < 0 || right > width || bottom > height;
    caption.textContent = `${place} sees ${field.size.join("×")} pixels, from row ${round(top)}, ` +
      `column ${round(left)}${beyond ? "; the part outside the picture is padding" : ""}. ` +
      `Neighbours are ${field.stride.map(round).join("×")} pixels apart.`;
  }
}

for (const box of boxes) {
  box.addEventListener("pointerenter", event => {
    if (event.pointerType === "mouse" && pinned === null) show(box);
  });
  box.addEventListener("click", () => { pinned = pinned === box ? null : box; show(box); });
  box.addEventListener("focus", () => { if (pinned === null) show(box); });
}
document.querySelector(".network").addEventListener("click", event => {
  if (!event.target.closest(".box")) pinned = null;
});
document.addEventListener("keydown", event => {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  const now = boxes.findIndex(box => box.classList.contains("on"));
  if (event.key === "Escape") pinned = null;
  if (event.key === "Enter" && now >= 0) pinned = boxes[now];
  if (!step) return;
  const next = boxes[Math.max(0, Math.min(boxes.length - 1, now + step))];
  pinned = null;
  next.focus({ preventScroll: true });
  show(next);
  next.scrollIntoView({ block: "nearest", inline: "nearest" });
  event.preventDefault();
});
if (seeing) {
  const canvas = seeing.querySelector("svg");
  canvas.addEventListener("pointermove", event => {
    const frame = canvas.getBoundingClientRect();
    at = [(event.clientY - frame.top) / frame.height * +seeing.dataset.height,
      (event.clientX - frame.left) / frame.width * +seeing.dataset.width];
    if (field) draw();
  });
  document.getElementById("file").addEventListener("change", event => {
    const [file] = event.target.files;
    if (!file) return;
    const own = document.getElementById("own");
    own.setAttribute("href", URL.createObjectURL(file));
    own.removeAttribute("hidden");
    document.getElementById("scene").setAttribute("visibility", "hidden");
  });
}
const wanted = decodeURIComponent(location.hash.slice(1));
const first = boxes.find(box => box.dataset.layers.split(" ").some(i => layers[i]?.name === wanted)) ??
  boxes.find(box => box.classList.contains("window") || box.classList.contains("dense"));
if (first) { show(first); if (wanted) { pinned = first; first.scrollIntoView({ block: "center" }); } }
