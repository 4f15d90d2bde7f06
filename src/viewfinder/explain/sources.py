"""What the user wrote at a call: the text of the very expression, and of its operands."""

import ast
import inspect
import linecache
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from torch import Tensor

from viewfinder.explain.calls import CallPlace, tensors_in


@dataclass(frozen=True)
class Expression:
    """An expression as it stands in the file, and the text of each tensor that went in."""

    text: str
    operands: tuple[str, ...]
    lines: tuple[int, int]
    columns: tuple[int, int]
    """In bytes of UTF-8, as Python counts them."""
    augmented: bool = False
    """The statement `x += y`, whose value goes into x."""
    unwritten: frozenset[int] = frozenset()
    """The operands that the text does not name, such as those of a comprehension."""


_NAMES = "xyzuvw"


def expression(
    place: CallPlace | None,
    args: Sequence[object],
    tensors: Sequence[Tensor],
    kwargs: Mapping[str, object] | None = None,
) -> Expression:
    """The expression at `place`; where its text cannot be had, names alone."""
    names = tuple(_NAMES[at % len(_NAMES)] for at in range(len(tensors)))
    unknown = Expression("", names, (0, 0), (0, 0))
    where = span(place)
    if place is None or where is None:
        return unknown
    text = _segment(place.code.co_filename, *where)
    try:
        tree = ast.parse(text.strip(), mode="exec").body[0]
    except (SyntaxError, IndexError, ValueError):
        return unknown
    first, last, start, end = where
    found = _operands(tree, args)
    if kwargs and isinstance(tree, ast.Expr) and isinstance(tree.value, ast.Call):
        words = {word.arg: word.value for word in tree.value.keywords if word.arg}
        found += [(words[name], value) for name, value in kwargs.items() if name in words]
    value = _assigned(place, last, end) if len(args) == 3 else None
    if value is not None and isinstance(tree, ast.Expr) and isinstance(tree.value, ast.Subscript):
        found.append((value, args[2]))
    nodes = [next((node for node, value in found if value is tensor), None) for tensor in tensors]
    operands = [_written(node) if node is not None else names[at] for at, node in enumerate(nodes)]
    augmented = isinstance(tree, ast.AugAssign)
    unwritten = frozenset(at for at, node in enumerate(nodes) if node is None)
    return Expression(text, tuple(operands), (first, last), (start, end), augmented, unwritten)


def _assigned(place: CallPlace, line: int, column: int) -> ast.expr | None:
    """What is put into the place that an expression names: the right side of `x[i] = …`."""
    rest = (
        linecache.getline(place.code.co_filename, line).encode()[column:].decode(errors="replace")
    )
    for more in range(1, 8):
        _, equals, right = rest.partition("=")
        if not equals:
            return None
        try:
            return ast.parse(right.strip(), mode="eval").body
        except SyntaxError:
            rest += linecache.getline(place.code.co_filename, line + more)
    return None


def module_call(place: CallPlace | None) -> ast.Call | None:
    """The call of a module as it stands in the file: `self.fc(x.relu())`."""
    at = span(place)
    if place is None or at is None:
        return None
    try:
        tree = ast.parse(_segment(place.code.co_filename, *at).strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    return tree if isinstance(tree, ast.Call) else None


def argument_text(call: ast.Call | None, position: int | str) -> str | None:
    """The text of one argument of a call, by position or name."""
    if call is None:
        return None
    if isinstance(position, str):
        return next((_written(k.value) for k in call.keywords if k.arg == position), None)
    if position < len(call.args) and not isinstance(call.args[position], ast.Starred):
        return _written(call.args[position])
    return None


def with_argument(call: ast.Call, position: int, text: str | None) -> str:
    """The call with another text for one argument, or without it."""
    words = [ast.unparse(arg) for arg in call.args]
    words[position : position + 1] = [] if text is None else [text]
    words += [ast.unparse(keyword) for keyword in call.keywords]
    return f"{ast.unparse(call.func)}({', '.join(words)})"


def _written(node: ast.expr) -> str:
    text = ast.unparse(node)
    simple = isinstance(
        node, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Tuple | ast.List
    )
    return text if simple else f"({text})"


@lru_cache(maxsize=16)
def class_source(kind: type) -> str:
    """A class as it stands in the file, without what decorates it; empty if it stands in none.

    Python reads the whole file for it, which takes a tenth of a second where that is long.
    """
    try:
        source = inspect.getsource(kind)
    except (OSError, TypeError):  # written at a prompt
        return ""
    return source[source.index(f"class {kind.__name__}") :]


def span(place: CallPlace | None) -> tuple[int, int, int, int] | None:
    """First and last line, and first and last column in bytes, of the expression at a place."""
    if place is None:
        return None
    positions = list(place.code.co_positions())
    at = place.instruction // 2
    if not 0 <= at < len(positions):
        return None
    first, last, start, end = positions[at]
    if first is None or last is None or start is None or end is None:
        return None
    return first, last, start, end


def _segment(filename: str, first: int, last: int, start: int, end: int) -> str:
    lines = [linecache.getline(filename, at).encode() for at in range(first, last + 1)]
    if not lines or not lines[0]:
        return ""
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    return b"".join(lines).decode(errors="replace")


def _operands(tree: ast.stmt, args: Sequence[object]) -> list[tuple[ast.expr, object]]:
    """Pairs of an expression in the source and the value that it had."""
    pairs: list[tuple[ast.expr, object]] = []
    if isinstance(tree, ast.AugAssign):
        nodes: list[ast.expr] = [tree.target, tree.value]
    elif not isinstance(tree, ast.Expr):
        return []
    elif isinstance(tree.value, ast.BinOp):
        nodes = [tree.value.left, tree.value.right]
    elif isinstance(tree.value, ast.Subscript):
        nodes = [tree.value.value]
    elif isinstance(tree.value, ast.Call):
        call = tree.value
        nodes = list(call.args)
        if len(args) == len(nodes) + 1 and isinstance(call.func, ast.Attribute):
            nodes = [call.func.value, *nodes]
    else:
        return []
    for node, value in zip(nodes, args, strict=False):
        pairs.append((node, value))
        if isinstance(node, ast.List | ast.Tuple) and isinstance(value, list | tuple):
            pairs += list(zip(node.elts, value, strict=False))
    # A reflected operator (2 * x, other @ x) has its operands the other way round.
    if len(nodes) == 2 and len(args) == 2:
        turned = [(nodes[1], args[0]), (nodes[0], args[1])]
        number = isinstance(nodes[0], ast.Constant) and bool(list(tensors_in(args[:1])))
        if number or not list(tensors_in(args[:1])):
            pairs = [*turned, *pairs] if number else [*pairs, *turned]
    return pairs
