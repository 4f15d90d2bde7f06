"""One line of a user's script, run again by itself: a call of torch that lies in no net.

The expression that failed is taken from the file and evaluated over the variables of its frame,
with its tensors as the inputs of a small net, so that all that is known of nets (two batches, names
of dimensions, fixes that are tried) holds for it too.
"""

import ast
import linecache
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from torch import Tensor, nn

from viewfinder.explain.calls import CallPlace
from viewfinder.explain.sources import span

_BATCH = re.compile(r"n|b|bs|.*batch.*|n_?samples|num_samples", re.IGNORECASE)


class Shared(dict[str, object]):
    """The variables of a frame, which a copy of the net does not copy."""

    def __deepcopy__(self, memo: dict[int, object]) -> "Shared":
        return self


class Line(nn.Module):
    """An expression of a script over its tensors."""

    def __init__(self, code: CodeType, scope: Shared, slots: tuple[str, ...]) -> None:
        super().__init__()
        self.code, self.scope, self.slots = code, scope, slots
        self.paths: dict[str, str] = {}

    def forward(self, *values: object) -> object:
        """What the expression gives for these values of its tensors."""
        scope = dict(self.scope)
        scope.update(zip(self.slots, values, strict=True))
        scope.update({slot: self.get_submodule(path) for slot, path in self.paths.items()})
        # The user's own line, which has just run, over the user's own variables.
        return eval(self.code, scope)


@dataclass
class Replay:
    """A line, and the values that it was run with."""

    net: Line
    names: tuple[str, ...]
    """What the line calls its tensors."""
    values: tuple[object, ...]
    batch: int
    """The first dimension that most of the tensors share; 0 where there is none."""


def replay(frame: FrameType, instruction: int, line: int) -> Replay | None:
    """The statement that a frame failed at, as a net; None where it cannot be run again."""
    found = _statement(CallPlace(frame.f_code, instruction, line))
    if found is None:
        return None
    scope = {**frame.f_globals, **frame.f_locals}
    leaves = _Leaves(scope)
    tree = ast.Expression(leaves.visit(found))
    filename = frame.f_code.co_filename
    code = compile(ast.fix_missing_locations(tree), filename, "eval")
    kind = type(_title(frame), (Line,), {})
    net = kind(code, Shared(scope), tuple(leaves.slots))
    for slot, (path, module) in leaves.modules.items():
        _register(net, path, module)
        net.paths[slot] = path
    values = tuple(leaves.slots.values())
    return Replay(net, tuple(leaves.names), values, _batch(values)) if values else None


def _title(frame: FrameType) -> str:
    name = frame.f_code.co_name
    return Path(frame.f_code.co_filename).name if name.startswith("<") else f"{name}()"


def _statement(place: CallPlace) -> ast.expr | None:
    """The value of the whole statement at a place, or the expression alone."""
    at = span(place)
    source = "".join(linecache.getlines(place.code.co_filename))
    if at is None or not source:
        return None
    first, last, start, end = at
    own = place.code.co_name == "<module>" or not place.code.co_name.startswith("<")
    best: ast.expr | None = None
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.stmt | ast.expr) or node.end_lineno is None:
            continue
        inside = (node.lineno, node.col_offset) <= (first, start)
        inside = inside and (last, end) <= (node.end_lineno, node.end_col_offset or 0)
        # In a comprehension or a lambda, whose variables are its own, the expression alone.
        value = _value(node) if own else node if isinstance(node, ast.expr) else None
        best = value if inside and value is not None else best
    return best


def _value(node: ast.AST) -> ast.expr | None:
    if isinstance(node, ast.Expr | ast.Return | ast.Assign | ast.AnnAssign):
        return node.value
    if isinstance(node, ast.AugAssign):
        target = ast.parse(ast.unparse(node.target), mode="eval").body
        for part in ast.walk(target):
            ast.copy_location(part, node.target)
        return ast.copy_location(ast.BinOp(target, node.op, node.value), node)
    if isinstance(node, ast.If | ast.While | ast.Assert):
        return node.test
    if isinstance(node, ast.For):
        return node.iter
    return None


@dataclass
class _Leaves(ast.NodeTransformer):
    """Puts a slot in the place of each tensor and each module that an expression reads."""

    scope: dict[str, object]
    slots: dict[str, object] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    modules: dict[str, tuple[str, nn.Module]] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._leaf(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._leaf(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return self._leaf(node)

    def _leaf(self, node: ast.expr) -> ast.AST:
        plain = _is_chain(node) and isinstance(getattr(node, "ctx", None), ast.Load)
        # The innermost part that is a tensor or a module is what the line is given.
        if plain and not isinstance(node, ast.Name) and self._holds(node.value):  # type: ignore[attr-defined]
            plain = False
        plain = plain or self._rows(node) is not None
        slot = self._slot(node) if plain else None
        if slot is None:
            return self.generic_visit(node)
        return ast.copy_location(ast.Name(slot, ast.Load()), node)

    def _rows(self, node: ast.expr) -> Tensor | None:
        """The items of a batch that are cut out of all of them: `Y[i : i + 8]`."""
        if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Slice):
            return None
        ends = [end for end in (node.slice.lower, node.slice.upper) if end is not None]
        plain = (ast.Name, ast.Constant, ast.BinOp, ast.operator, ast.expr_context)
        known = all(isinstance(part, plain) for end in ends for part in ast.walk(end))
        home = self._read(node.value) if _is_chain(node.value) else None
        if not known or not isinstance(home, Tensor) or not isinstance(node.ctx, ast.Load):
            return None
        try:
            # The user's own numbers, over the user's own variables.
            low, high = (
                eval(compile(ast.Expression(end), "", "eval"), {}, self.scope) if end else None
                for end in (node.slice.lower, node.slice.upper)
            )
            return home[low:high] if node.slice.step is None else None
        except (ArithmeticError, LookupError, NameError, TypeError):
            return None

    def _holds(self, node: ast.expr) -> bool:
        if not _is_chain(node):
            return True
        return isinstance(self._read(node), Tensor | nn.Module) or (
            not isinstance(node, ast.Name) and self._holds(node.value)  # type: ignore[attr-defined]
        )

    def _read(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            return self.scope.get(node.id)
        if isinstance(node, ast.Attribute):
            return getattr(self._read(node.value), node.attr, None)
        assert isinstance(node, ast.Subscript)
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        home = self._read(node.value)
        if isinstance(home, dict):
            return home.get(key)
        places = isinstance(home, list | tuple) and isinstance(key, int) and key < len(home)
        return home[key] if places else None

    def _slot(self, node: ast.expr) -> str | None:
        text = ast.unparse(node)
        if text in self.known:
            return self.known[text]
        rows = self._rows(node)
        value = self._read(node) if rows is None else rows
        slot = f"_slot_{len(self.known)}"
        if isinstance(value, nn.Module):
            self.modules[slot] = (text, value)
        elif _is_given(value) or (type(value) is int and _BATCH.fullmatch(text)):
            self.slots[slot] = value
            self.names.append(text)
        else:
            return None
        self.known[text] = slot
        return slot


def _is_chain(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return True
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and _is_chain(node.value)
    return isinstance(node, ast.Attribute) and _is_chain(node.value)


def _is_given(value: object) -> bool:
    if isinstance(value, list | tuple):
        return type(value) in (list, tuple) and bool(value) and all(map(_is_given, value))
    return isinstance(value, Tensor)


def _register(net: nn.Module, path: str, module: nn.Module) -> None:
    """A module under the name by which the line reaches it: `self.net` in a part called self."""
    *above, name = path.split(".")
    home = net
    for part in above:
        if part not in home._modules:
            home.add_module(part, nn.Module())
        home = home._modules[part]  # type: ignore[assignment]
    home.add_module(name, module)


def _batch(values: tuple[object, ...]) -> int:
    shapes = [tuple(v.shape) for v in values if isinstance(v, Tensor) and v.dim()]
    shapes = [s for v in values if type(v) in (list, tuple) for s in _shapes(v)] + shapes
    wide = [shape for shape in shapes if len(shape) > 1] or shapes
    if not wide:
        return 0
    counts = [sum(shape[0] == other[0] for other in shapes) for shape in wide]
    return int(wide[counts.index(max(counts))][0])


def _shapes(value: Any) -> list[tuple[int, ...]]:
    return [tuple(v.shape) for v in value if isinstance(v, Tensor) and v.dim() > 1][:1]
