"""What a name alone does not tell: OpenCV's files and answers, and methods of any object."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from viewfinder.doctor.code.names import Use
from viewfinder.doctor.code.remark import Level
from viewfinder.doctor.code.sources import Code


@dataclass(frozen=True)
class Hit:
    """A node that a rule speaks of, and what it says."""

    rule: str
    level: Level
    node: ast.AST
    says: str
    why: str
    instead: str


Rule = Callable[[Code, list[Use]], Iterator[Hit]]

# What reads a net of any kind, by the names of its files.
_READERS = ("cv2.dnn.readNet", "cv2.dnn_DetectionModel", "cv2.dnn.DetectionModel")
_OPENCV = ("cv2.imread", "cv2.imwrite")
# How many arguments they have where the first is a factor, and what it is called.
_FACTORED = {
    **dict.fromkeys(("add_", "sub_"), (2, "alpha")),
    **dict.fromkeys(("addcmul_", "addcdiv_"), (3, "value")),
}


def opencv(code: Code, uses: list[Use]) -> Iterator[Hit]:
    """Names of files that are not ASCII, and findContours with three answers."""
    known = _texts(code)
    called = {id(use.call): use.name for use in uses if use.call}
    for use in uses:
        if use.call is None or not use.call.args:
            continue
        if use.name in _READERS:
            yield from _darknet(use.call, known)
        if use.name not in _OPENCV:
            continue
        if text := _foreign(use.call.args[0], known):
            yield _not_ascii(use, use.call, text)
    for node in code.nodes:
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)):
            continue
        name, target = called.get(id(node.value)), node.targets[0]
        triple = isinstance(target, ast.Tuple) and len(target.elts) == 3
        if name == "cv2.findContours" and isinstance(target, ast.Tuple) and triple:
            kept = ", ".join(ast.unparse(each) for each in target.elts[1:])
            yield Hit(
                *("find-contours", "broken", node, "findContours gives two answers, not three"),
                "OpenCV 4 (2018) no longer gives the picture back: ValueError",
                f"{kept} = {ast.unparse(node.value)}",
            )


def unconnected_layers(code: Code, uses: list[Use]) -> Iterator[Hit]:
    """`i[0]` of what `getUnconnectedOutLayers` gives, which are plain numbers."""
    for node in code.nodes:
        if not isinstance(node, ast.comprehension | ast.For):
            continue
        if method_of(node.iter) != "getUnconnectedOutLayers" or not isinstance(
            node.target, ast.Name
        ):
            continue
        for each in code.nodes:
            if _is_first_of(each, node.target.id) and _within(each, node, code):
                yield Hit(
                    *("unconnected-layers", "broken", each),
                    "getUnconnectedOutLayers gives plain numbers, and no lists of one",
                    "OpenCV 4.5.4 (2021) and newer: IndexError",
                    "net.getUnconnectedOutLayersNames()   # the names at once; or "
                    f"{node.target.id} without [0]",
                )


def _is_first_of(node: ast.AST, name: str) -> bool:
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
        and isinstance(node.slice, ast.Constant)
        and node.slice.value == 0
    )


def _within(node: ast.AST, loop: ast.comprehension | ast.For, code: Code) -> bool:
    """Whether a node stands in the loop, or in what a comprehension is part of."""
    if isinstance(loop, ast.For):
        return any(each is node for each in ast.walk(loop))
    return any(
        any(each is loop for each in getattr(whole, "generators", ()))
        and any(each is node for each in ast.walk(whole))
        for whole in code.nodes
    )


def _texts(code: Code) -> dict[str, ast.expr]:
    """What names are set to, where it is once."""
    found: dict[str, ast.expr] = {}
    twice: set[str] = set()
    for node in code.nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in found:
                twice.add(name)
            found[name] = node.value
    return {name: value for name, value in found.items() if name not in twice}


def _foreign(node: ast.expr, known: dict[str, ast.expr], seen: set[str] | None = None) -> str:
    """A text that is not ASCII in what a path is put together of; `seen` are names looked at."""
    seen = set() if seen is None else seen
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            if not each.value.isascii():
                return each.value
        elif isinstance(each, ast.Name) and each.id in known and each.id not in seen:
            seen.add(each.id)
            if text := _foreign(known[each.id], known, seen):
                return text
    return ""


def _darknet(call: ast.Call, known: dict[str, ast.expr]) -> Iterator[Hit]:
    """A net that is read from Darknet's files."""
    given = [*call.args, *(word.value for word in call.keywords)]
    weights = next((each for each in given if _ends(each, known, ".weights")), None)
    if weights is not None:
        yield Hit(
            *("darknet-files", "broken", call, "a net is read from Darknet's .weights"),
            "OpenCV 5 no longer reads Darknet's files; the .cfg beside the .weights is read too",
            f"import viewfinder\nviewfinder.open_run({ast.unparse(weights)})",
        )


def _ends(node: ast.expr, known: dict[str, ast.expr], ending: str) -> bool:
    """Whether a text that a path is put together of ends so."""
    return any(
        isinstance(each, ast.Constant)
        and isinstance(each.value, str)
        and each.value.lower().endswith(ending)
        for part in (node, known.get(node.id) if isinstance(node, ast.Name) else None)
        if part is not None
        for each in ast.walk(part)
    )


def _not_ascii(use: Use, call: ast.Call, text: str) -> Hit:
    file, rest = ast.unparse(call.args[0]), [ast.unparse(each) for each in call.args[1:]]
    if use.name == "cv2.imread":
        flag = rest[0] if rest else "cv2.IMREAD_COLOR"
        instead = f"cv2.imdecode(np.fromfile({file}, np.uint8), {flag})"
    else:
        picture = rest[0] if rest else "picture"
        instead = f"cv2.imencode('.png', {picture})[1].tofile({file})"
    says = f"{use.name} is given a name that is not ASCII ({text[:40]!r})"
    why = "on Windows it finds no such file: imread gives None, imwrite False, without an error"
    return Hit("imread-names", "warning", call, says, why, instead)


def method_of(node: ast.AST) -> str:
    """The name of the method that is called, if one is."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr
    return ""


def old_scalars(code: Code, uses: list[Use]) -> Iterator[Hit]:
    """`loss.data[0]`, and methods that Pillow's drawing lost."""
    drawing = any(use.name.startswith("PIL.") for use in uses)
    modules = {id(use.call) for use in uses if use.call}  # as of os.path.getsize
    for node in code.nodes:
        if isinstance(node, ast.Subscript) and _is_loss_data(node):
            assert isinstance(node.value, ast.Attribute)
            yield Hit(
                *("data-0", "broken", node, "a loss has no dimension to take the first of"),
                "torch 1.0 (2018) and newer: IndexError",
                f"{ast.unparse(node.value.value)}.item()",
            )
        elif drawing and id(node) not in modules and isinstance(node, ast.Call):
            yield from _text_size(node)


def volatile_set(code: Code, uses: list[Use]) -> Iterator[Hit]:
    """`x.volatile = True`, in a file that imports torch."""
    if not any(use.name.partition(".")[0] == "torch" for use in uses):
        return
    for node in code.nodes:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
            continue
        target = node.targets[0]
        if isinstance(target, ast.Attribute) and target.attr == "volatile" and node.value.value:
            yield Hit(
                *("volatile", "broken", node, "volatile no longer does anything"),
                "torch 0.4 (2018) took it out: the graph of gradients is kept, and fills the "
                "memory",
                f"with torch.no_grad():\n    …   # what is done with {ast.unparse(target.value)}",
            )


def added(code: Code, uses: list[Use]) -> Iterator[Hit]:
    """`x.add_(alpha, y)` and its kin: the factor stands before the tensors."""
    for node in code.nodes:
        name = method_of(node)
        if name not in _FACTORED or not isinstance(node, ast.Call) or node.keywords:
            continue
        if len(node.args) != _FACTORED[name][0] or any(
            isinstance(a, ast.Starred) for a in node.args
        ):
            continue
        assert isinstance(node.func, ast.Attribute)
        factor, *tensors = [ast.unparse(each) for each in node.args]
        word = _FACTORED[name][1]
        yield Hit(
            *("factor-first", "warning", node, f"{name} is given its factor first"),
            "torch warns since 1.5: the factor has a name now, and stands behind",
            f"{ast.unparse(node.func)}({', '.join(tensors)}, {word}={factor})",
        )


def _text_size(call: ast.Call) -> Iterator[Hit]:
    """`draw.textsize(text, …)`, and `font.getsize(text, …)`, which other things have too."""
    if not (isinstance(call.func, ast.Attribute) and call.args):
        return
    of, name = ast.unparse(call.func.value), call.func.attr
    if name == "textsize":
        new = f"{of}.textbbox"
        given = [ast.Tuple([ast.Constant(0), ast.Constant(0)], ast.Load()), *call.args]
    elif name == "getsize" and re.search(r"fo?nt|truetype", of, re.IGNORECASE):
        new, given = f"{of}.getbbox", call.args
    else:
        return
    asked = ast.unparse(ast.Call(ast.Name("_"), given, call.keywords)).removeprefix("_")
    yield Hit(
        *("text-size", "broken", call, f"{name} is gone"),
        "Pillow 10 (2023) no longer has it: AttributeError",
        f"left, top, right, bottom = {new}{asked}",
    )


def _is_loss_data(node: ast.Subscript) -> bool:
    first = isinstance(node.slice, ast.Constant) and node.slice.value == 0
    data = isinstance(node.value, ast.Attribute) and node.value.attr == "data"
    return first and data and "loss" in ast.unparse(node.value).lower()
