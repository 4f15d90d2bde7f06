"""The network as boxes and ways between them, ready to be drawn.

A norm, activation or dropout that only its parent feeds shares the parent's box, so that a box
is a step that a person thinks of; every layer keeps its own line of details.
"""

from collections import Counter
from dataclasses import dataclass

from viewfinder.explain.explanation import ExplainedLayer, Explanation, shape_text
from viewfinder.explain.rendering.layout import Point, draw

_RIDERS = ("norm", "relu", "gelu", "silu", "sigmoid", "tanh", "swish", "dropout", "elu", "mish")
_JOINS = {"+", "×", "−", "÷", "@", "cat()"}
_WIDTH, _LINE, _PADDING = 224.0, 15.0, 9.0


@dataclass(frozen=True)
class FigureBox:
    """A box with its place; `layers` are indices into the explanation's layers."""

    layers: tuple[int, ...]
    family: str
    title: str
    lines: tuple[str, ...]
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Way:
    """An edge as the path of an SVG, and the boxes that it joins."""

    path: str
    start: int
    end: int


@dataclass(frozen=True)
class Figure:
    boxes: tuple[FigureBox, ...]
    ways: tuple[Way, ...]
    width: float
    height: float


def figure(explanation: Explanation) -> Figure:
    """The explanation's network, laid out from the top down."""
    groups = _groups(explanation)
    home = {layer: at for at, group in enumerate(groups) for layer in group}
    edges = {
        (home[parent], home[layer])
        for layer, one in enumerate(explanation.layers)
        for parent in one.parents
        if home[parent] != home[layer]
    }
    if explanation.mistake is not None:
        fed = {start for start, _ in edges}
        met = {home[parent] for parent in explanation.mistake.parents}
        met = met or {at for at in range(len(groups)) if at not in fed}
        edges |= {(at, len(groups)) for at in met}
    faces = [_face(explanation, group) for group in groups]
    if explanation.mistake is not None:
        faces.append(
            ("mistake", "✗ stops here", (_cut(explanation.mistake.where.split(",")[0], 30),))
        )
        groups.append([])
    sizes = [_size(family, lines) for family, _, lines in faces]
    ordered = sorted(edges)
    drawing = draw(sizes, ordered)
    boxes = tuple(
        FigureBox(tuple(group), *face, x - width / 2, y - height / 2, width, height)
        for group, face, (x, y), (width, height) in zip(
            groups, faces, drawing.centres, sizes, strict=True
        )
    )
    ways = tuple(
        Way(_curve(route), start, end)
        for (start, end), route in zip(ordered, drawing.routes, strict=True)
    )
    return Figure(boxes, ways, drawing.width, drawing.height)


def _groups(explanation: Explanation) -> list[list[int]]:
    """Layers by box: first each input, then each layer with those that ride on it."""
    children = Counter(parent for layer in explanation.layers for parent in layer.parents)
    groups: list[list[int]] = [[-1 - at] for at in range(len(explanation.inputs))]
    home = {-1 - at: at for at in range(len(explanation.inputs))}
    for index, layer in enumerate(explanation.layers):
        parent = layer.parents[0] if len(layer.parents) == 1 else -1
        if parent >= 0 and children[parent] == 1 and _is_rider(layer):
            home[index] = home[parent]
            groups[home[parent]].append(index)
        else:
            home[index] = len(groups)
            groups.append([index])
    return groups


def _is_rider(layer: ExplainedLayer) -> bool:
    return any(word in layer.kind.lower() for word in _RIDERS)


def _face(explanation: Explanation, group: list[int]) -> tuple[str, str, tuple[str, ...]]:
    """The box's family, which gives its colour, its title, and the lines below."""
    first = group[0]
    if first < 0:
        shape = explanation.inputs[-1 - first]
        title = "input" if len(explanation.inputs) == 1 else f"input {-first}"
        return "input", title, (shape_text(shape),)
    layer = explanation.layers[first]
    if layer.kind in _JOINS:
        return "join", layer.kind.removesuffix("()"), ()
    last = explanation.layers[group[-1]]
    shape = last.outputs[0] if last.outputs else ()
    batch = explanation.inputs[0][:1] if explanation.inputs else ()
    shown = shape[1:] if len(shape) > 1 and shape[:1] == batch else shape
    riders = " · ".join(explanation.layers[index].kind for index in group[1:])
    lines = [f"{layer.kind} → {shape_text(shown)}", *([_cut(riders, 34)] if riders else [])]
    return family(layer.kind), _cut(layer.name, 24), tuple(lines)


def family(kind: str) -> str:
    """What a layer does, in one word."""
    low = kind.lower()
    families = (
        ("window", ("conv",)),
        ("pool", ("pool", "upsample", "interpolate", "pad")),
        ("dense", ("linear", "attention", "embedding", "lstm", "gru", "rnn")),
        ("scale", _RIDERS),
    )
    return next((name for name, words in families if any(w in low for w in words)), "shape")


def _size(family: str, lines: tuple[str, ...]) -> tuple[float, float]:
    if family == "join":
        return 34.0, 34.0
    width = 120.0 if family == "input" else _WIDTH
    return width, 2 * _PADDING + _LINE * (1 + len(lines))


def _curve(points: tuple[Point, ...]) -> str:
    (x, y), *rest = points
    path = [f"M{x:.1f} {y:.1f}"]
    for end_x, end_y in rest:
        if abs(end_x - x) < 0.5:
            path.append(f"L{end_x:.1f} {end_y:.1f}")
        else:
            half = (y + end_y) / 2
            path.append(f"C{x:.1f} {half:.1f} {end_x:.1f} {half:.1f} {end_x:.1f} {end_y:.1f}")
        x, y = end_x, end_y
    return "".join(path)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else "…" + text[1 - width :]
