"""Answers of several levels of a detector, joined place by place, each a row of its own."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from viewfinder.explain.calls import Call
from viewfinder.explain.diagnosis.case import PASSING
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.sources import module_call

# What the settings are called that count boxes at a place, and not what is said of a box.
_BOXES = ("anchor", "prior", "aspect", "ratio", "per_cell", "per_location")


def rows(scene: Scene, call: Call, shapes: Sequence[Shape]) -> Iterator[Candidate]:
    """Answers of several levels, place by place behind each other."""
    width = _row_after(call) or _said_of_a_box(scene, call)
    if width and all(shape[1] % width == 0 for shape in shapes):

        def of_boxes(m: Tensor) -> Tensor:
            return m.permute(0, 2, 3, 1).reshape(m.size(0), -1, width)

        code = f"permute(0, 2, 3, 1).flatten(1).unflatten(1, (-1, {width}))"
        yield from _joined(scene, call, code, 1, of_boxes)
    elif len({shape[1] for shape in shapes}) == 1:
        yield from _joined(scene, call, "flatten(2)", 2, lambda m: m.flatten(2))


def _joined(
    scene: Scene, call: Call, code: str, dim: int, change: Callable[[Tensor], Tensor]
) -> Iterator[Candidate]:
    """The parts, each changed, joined along another dimension."""

    def run(t: Sequence[Tensor]) -> Tensor:
        return torch.cat([change(m) for m in t], dim)

    maps = ", ".join(f"{{{at}}}" for at in range(len(call.tensors)))
    for one in scene.instead(call, f"torch.cat([m.{code} for m in ({maps})], {dim})", run, 0.05):
        said = _in_its_list(call, code, dim)
        yield replace(one, says=said) if said else one


def _in_its_list(call: Call, code: str, dim: int) -> str:
    """The change within the list comprehension that the parts are written as."""
    node = module_call(call.place)
    parts = node.args[0] if node is not None and node.args else None
    if node is None or not isinstance(parts, ast.ListComp):
        return ""
    loops = " ".join(ast.unparse(loop).strip() for loop in parts.generators)
    new = f"torch.cat([{ast.unparse(parts.elt)}.{code} {loops}], {dim})"
    return f"{new} instead of {' '.join(ast.unparse(node).split())}"


def _said_of_a_box(scene: Scene, call: Call) -> int:
    """How many numbers are said of each box, where the layer's channels are a product of two."""
    made = call.producers[0]
    while isinstance(made, Call) and made.base in PASSING and made.producers:
        made = made.producers[0]
    if not isinstance(made, Call) or not made.module:
        return 0
    layer = scene.net.get_submodule(made.module)
    if not isinstance(layer, nn.modules.conv._ConvNd):
        return 0
    path, names = made.module.rpartition(".")[0], [made.module.rpartition(".")[2]]
    while path and type(scene.net.get_submodule(path)).__module__.startswith("torch.nn"):
        path, _, name = path.rpartition(".")
        names.append(name)
    return _factor(scene.net.get_submodule(path), names[-1], layer.out_channels)


def _factor(owner: nn.Module, name: str, channels: int) -> int:
    """The one of two factors, `anchors * classes`, that counts what is said of a box."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(type(owner).__init__)))
    except (OSError, SyntaxError, TypeError):
        return 0
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign) or ast.unparse(node.targets[0]) != f"self.{name}":
            continue
        for product in ast.walk(node.value):
            if not isinstance(product, ast.BinOp) or not isinstance(product.op, ast.Mult):
                continue
            both = [(side, _value(owner, side)) for side in (product.left, product.right)]
            if both[0][1] * both[1][1] != channels:
                continue
            said = [value for side, value in both if not _counts_boxes(side)]
            return said[0] if len(said) == 1 else 0
    return 0


def _counts_boxes(node: ast.expr) -> bool:
    return any(word in ast.unparse(node).lower() for word in _BOXES)


def _value(owner: nn.Module, node: ast.expr) -> int:
    """A number as it is written, kept by the module, or an argument's default; 0 if unknown."""
    value: object = 0
    if isinstance(node, ast.Constant):
        value = node.value
    elif isinstance(node, ast.Attribute):
        value = getattr(owner, node.attr, 0)
    elif isinstance(node, ast.Name):
        known = inspect.signature(type(owner).__init__).parameters.get(node.id)
        value = getattr(owner, node.id, known.default if known is not None else 0)
    return value if type(value) is int else 0


def _row_after(call: Call) -> int:
    """The last size, written as a number, of a view that the user's function makes later."""
    if call.place is None:
        return 0
    try:
        lines, first = inspect.getsourcelines(call.place.code)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError, TypeError):
        return 0
    for node in ast.walk(tree):
        way = node.func.attr if isinstance(node, ast.Call) and _is_method(node) else ""  # type: ignore[attr-defined]
        if way not in ("view", "reshape") or node.lineno + first - 1 < call.place.line:  # type: ignore[attr-defined]
            continue
        last = node.args[-1] if node.args else None  # type: ignore[attr-defined]
        if isinstance(last, ast.Constant) and type(last.value) is int and last.value > 1:
            return last.value
    return 0


def _is_method(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute)
