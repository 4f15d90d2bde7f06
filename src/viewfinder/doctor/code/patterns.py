"""What a name alone does not tell: arguments that are gone, and calls that go wrong together."""

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


def arguments_gone(code: Code, uses: list[Use]) -> Iterator[Hit]:
    """`size_average`, `reduce`, `volatile`, `pretrained`, `resample`, `gpus`."""
    for use in uses:
        # What **words hold cannot be seen.
        if use.call is None or any(word.arg is None for word in use.call.keywords):
            continue
        words = {word.arg: word.value for word in use.call.keywords if word.arg}
        if use.name.startswith("torch.nn.") and {"size_average", "reduce"} & set(words):
            yield _reduction(use, use.call, words)
        if use.name == "torch.autograd.Variable":
            yield _variable(use.call, words)
        if use.name.startswith("torchvision.models."):
            yield from _pretrained(use.call, words)
        if use.name == "torch.load" and "weights_only" not in words:
            yield _load(use.call)
        if use.name == "yaml.load" and len(use.call.args) < 2 and "Loader" not in words:
            yield Hit(
                *("yaml-load", "broken", use.call, "yaml.load is called without a Loader"),
                "PyYAML 6 (2021) asks for one: TypeError; before, a stranger's file could run code",
                f"yaml.safe_load({ast.unparse(use.call.args[0]) if use.call.args else '…'})",
            )


def _literal(node: ast.expr | None) -> bool:
    return not (isinstance(node, ast.Constant) and node.value in (False, None))


def _without(call: ast.Call, gone: set[str], **new: str) -> str:
    """A call as it is written, without some of its words and with new ones."""
    kept = [word for word in call.keywords if word.arg not in gone]
    given = [ast.unparse(each) for each in call.args]
    given += [
        f"{w.arg}={ast.unparse(w.value)}" if w.arg else f"**{ast.unparse(w.value)}" for w in kept
    ]
    given += [f"{name}={value}" for name, value in new.items()]
    return f"{ast.unparse(call.func)}({', '.join(given)})"


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _reduction(use: Use, call: ast.Call, words: dict[str, ast.expr]) -> Hit:
    # Of both, None means what the default does: True.
    averaged = words.get("size_average") or ast.Constant(True)
    reduced = words.get("reduce") or ast.Constant(True)
    whole = "'sum'" if _is_false(averaged) else "'mean'"
    if not isinstance(averaged, ast.Constant):
        whole = f"'mean' if {ast.unparse(averaged)} else 'sum'"
    how = "'none'" if _is_false(reduced) else whole
    if not isinstance(reduced, ast.Constant):
        how = f"({whole}) if {ast.unparse(reduced)} else 'none'"
    return Hit(
        *("size-average", "warning", call, "size_average and reduce are one argument now"),
        "torch warns of them since 0.4.1; reduction is 'mean', 'sum' or 'none'",
        _without(call, {"size_average", "reduce"}, reduction=how),
    )


def _variable(call: ast.Call, words: dict[str, ast.expr]) -> Hit:
    inner = ast.unparse(call.args[0]) if call.args else "…"
    if "volatile" in words:
        return Hit(
            *("volatile", "broken", call, "volatile=True no longer does anything"),
            "torch 0.4 (2018) took it out: the graph of gradients is kept, and fills the memory",
            f"with torch.no_grad():\n    …   # {inner} itself, without Variable",
        )
    if "requires_grad" in words:
        inner += f".requires_grad_({ast.unparse(words['requires_grad'])})"
    return Hit(
        *("variable", "warning", call, "Variable is a Tensor, and has been since torch 0.4"),
        "it does nothing any more",
        inner,
    )


def _pretrained(call: ast.Call, words: dict[str, ast.expr]) -> Iterator[Hit]:
    value, rest = words.get("pretrained"), call.args
    if value is None and rest and isinstance(rest[0], ast.Constant):
        value, rest = (rest[0] if isinstance(rest[0].value, bool) else None), rest[1:]
    if value is None:
        return
    short = ast.Call(call.func, rest, call.keywords)
    weights = "'DEFAULT'" if _literal(value) else "None"
    if not isinstance(value, ast.Constant):
        weights += f" if {ast.unparse(value)} else None"
    yield Hit(
        *("pretrained", "warning", call, "pretrained is called weights now"),
        "torchvision 0.13 and newer warn; 'DEFAULT' may be newer weights than those of then "
        "('IMAGENET1K_V1')",
        _without(short, {"pretrained"}, weights=weights),
    )


def _load(call: ast.Call) -> Hit:
    return Hit(
        *("torch-load", "warning", call, "torch.load without weights_only"),
        "before torch 2.6 a stranger's file may run any code; since then files that hold more than "
        "tensors are refused (UnpicklingError)",
        _without(call, set(), weights_only="True")
        + "   # of your own old file: save its state_dict() once, and load that",
    )


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


RULES: tuple[Rule, ...] = (arguments_gone, opencv, old_scalars)
