"""`.view` of a tensor whose dimensions were exchanged, which cannot join them."""

import ast
from collections.abc import Iterator

from viewfinder.doctor.code.names import Use
from viewfinder.doctor.code.patterns import Hit, method_of
from viewfinder.doctor.code.sources import Code

_EXCHANGES = {"permute", "transpose", "t", "swapaxes", "movedim"}
_MODULES = ("np", "numpy", "cv2")
# What gives a tensor whose numbers lie as the first one's do.
_ALIKE = {
    *("eq", "ne", "lt", "gt", "le", "ge", "float", "double", "half", "long", "int", "bool", "byte"),
    *("to", "type", "cuda", "cpu", "detach", "clone", "add", "sub", "mul", "div", "exp", "sigmoid"),
    *("relu", "tanh", "abs", "clamp", "requires_grad_", "add_", "mul_", "relu_"),
}
# Names, each with as many dimensions as its tensor has at least.
_Exchanged = dict[str, int]
_Block = tuple[list[ast.stmt], _Exchanged]


def view_after_permute(code: Code, uses: list[Use]) -> Iterator[Hit]:
    """Calls of view that join what permute or transpose has put apart.

    A view of more dimensions than there were splits them, which works: it is left alone.
    """
    found: list[Hit] = []
    for scope in code.nodes:
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            blocks: list[_Block] = [(scope.body, {})]
            # No deeper into Python's stack for an if with many an elif.
            while blocks:
                found += _in_block(*blocks.pop(), blocks)
    yield from sorted(found, key=lambda hit: int(getattr(hit.node, "lineno", 0)))


def _in_block(body: list[ast.stmt], exchanged: _Exchanged, blocks: list[_Block]) -> Iterator[Hit]:
    """In the order of the text; blocks within it are left for later, each with what is known where
    it begins: of two branches neither knows what the other did."""
    for statement in body:
        for node in _expressions(statement):
            if method_of(node) == "view" and isinstance(node, ast.Call):
                yield from _viewed(node, exchanged)
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        within = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
        within += [handler.body for handler in getattr(statement, "handlers", [])]
        within += [case.body for case in getattr(statement, "cases", [])]
        blocks += [(block, dict(exchanged)) for block in within if block]
        if statement is body[-1]:
            return  # What it sets, nobody asks for.
        for name in _assigned(statement):
            value = _given(statement, name)
            dimensions = None if value is None else _dimensions(value, exchanged)
            _forget(name, exchanged)
            if dimensions is not None:
                exchanged[name] = dimensions
        # `self.reset()` may set anything of self.
        if isinstance(statement, ast.Expr) and method_of(statement.value):
            assert isinstance(statement.value, ast.Call)
            _forget(_dotted(statement.value.func).rpartition(".")[0], exchanged)


def _forget(name: str, exchanged: _Exchanged) -> None:
    """Take out a name, and what belongs to it, as `self.x` to `self`."""
    for each in [each for each in exchanged if each == name or each.startswith(f"{name}.")]:
        del exchanged[each]


def _dotted(node: ast.AST) -> str:
    """`x` or `self.x`; nothing of what is more than names."""
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return node.id if isinstance(node, ast.Name) else ""


def _given(statement: ast.stmt, name: str) -> ast.expr | None:
    """What a statement sets a name to, alone or in a row of them."""
    if not isinstance(statement, ast.Assign):
        return None
    target, value = statement.targets[0], statement.value
    if _dotted(target):
        return value if _dotted(target) == name else None
    if not (isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)):
        return None
    for each, given in zip(target.elts, value.elts, strict=False):
        if _dotted(each) == name:
            return given
    return None


def _assigned(statement: ast.stmt) -> set[str]:
    """Every name that a statement, or one within it, sets."""
    return {
        _dotted(node)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store)
    } - {""}


def _expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """A statement's own expressions, without those of statements within it."""
    inner: list[ast.AST] = [statement]
    while inner:
        node = inner.pop()
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                yield child
                inner.append(child)


def _dimensions(node: ast.AST, exchanged: _Exchanged) -> int | None:
    """How many dimensions an exchanged tensor has at least; None of any other."""
    if isinstance(node, ast.Name):
        return exchanged.get(node.id)
    if isinstance(node, ast.Attribute):
        return 2 if _is_turned(node) else exchanged.get(_dotted(node))
    if isinstance(node, ast.Subscript):
        return _sliced(node, exchanged)
    name = method_of(node)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    inner = node.func.value
    if name in _ALIKE:
        return _dimensions(inner, exchanged)
    if name not in _EXCHANGES:
        return None
    if isinstance(inner, ast.Name) and inner.id in _MODULES:
        return None  # An array, such as of np.transpose(x, …).
    if name == "permute":
        given = node.args[0] if len(node.args) == 1 else node
        return len(given.elts if isinstance(given, ast.Tuple | ast.List) else node.args)
    whole = [each.value for each in node.args if isinstance(each, ast.Constant)]
    return max([2, *(each + 1 for each in whole if isinstance(each, int))])


def _sliced(node: ast.Subscript, exchanged: _Exchanged) -> int | None:
    """Of rows of an exchanged tensor, as `correct[:k]` is of `top.t().eq(…)`."""
    if not isinstance(node.slice, ast.Slice) or node.slice.step is not None:
        return None
    return _dimensions(node.value, exchanged)


def _viewed(call: ast.Call, exchanged: _Exchanged) -> Iterator[Hit]:
    assert isinstance(call.func, ast.Attribute)
    dimensions = _dimensions(call.func.value, exchanged)
    only = call.args[0] if len(call.args) == 1 else None
    shape = only.elts if isinstance(only, ast.Tuple | ast.List) else call.args
    # Another number of dimensions than is seen, or none but a type of elements.
    known = not any(
        isinstance(each, ast.Starred | ast.Attribute)
        or _is_kind(each)
        or (isinstance(each, ast.Constant) and isinstance(each.value, str))
        for each in shape
    )
    if not shape or dimensions is None or len(shape) > dimensions or not known:
        return
    # `array.T.view(kind)` is of another type; a shape has a number in it.
    if _is_turned(call.func.value) and not any(_is_number(each) for each in shape):
        return
    given = ", ".join(ast.unparse(each) for each in call.args)
    yield Hit(
        *("view-after-permute", "warning", call),
        "view of a tensor whose dimensions were exchanged",
        "where it joins dimensions that no longer lie side by side it raises a RuntimeError; "
        "reshape copies then, and keeps the order that was made",
        f"{ast.unparse(call.func.value)}.reshape({given})",
    )


def _is_turned(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("T", "mT")


def _is_number(node: ast.expr) -> bool:
    return any(isinstance(each, ast.Constant) for each in ast.walk(node))


def _is_kind(node: ast.expr) -> bool:
    """Whether an argument is a type of elements, such as `x.dtype.newbyteorder()`."""
    return any(isinstance(each, ast.Attribute) and each.attr == "dtype" for each in ast.walk(node))
