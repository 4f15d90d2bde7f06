"""The count of classes, and their names, where they are written in more than one place.

A class more or less then has to be changed in each, and the one that was forgotten shows late: as a
shape that does not fit, or as a class that is never learnt.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from viewfinder.doctor.code.remark import CodePlace, Remark
from viewfinder.doctor.code.sources import Code
from viewfinder.wording import counted

_COUNT = re.compile(
    r"-*(n|num|number|nb)?_?(of_)?(class|classes|cls|labels|categories)_?(n|num|count|number)?|nc",
    re.IGNORECASE,
)
_NAMES = re.compile(
    r"(?!.*([xy]_?|axis.*|tick_?|legend_?)label).*(class|label|categor)(es|ies|y|s)?"
    r"(_?names)?|(coco|voc)_names|names",
    re.IGNORECASE,
)
# Of a count alone: `classes = 3` may be, `labels = 3` is not.
_BARE = re.compile(r"-*(labels|class|cls)", re.IGNORECASE)
# Tests choose small numbers of their own.
_TEST = re.compile(r"test_.*|.*_test\.py|conftest\.py")
_TESTS = "tests"
# Of many a thing: of classes only where the file speaks of as many besides.
_WEAK = "names"
# Two stands in too many places for other reasons.
_FEWEST = 3
# A detector's layer has (classes + 5) channels for each of three anchors.
_ANCHORS, _BOX = 3, 5


@dataclass(frozen=True)
class Written:
    """A count of classes in the text.

    Attributes:
        chosen: written for this project: set or passed, and no default of a function.
        names: the names, where these are written out.
        weak: it may be the names of anything.
    """

    count: int
    place: CodePlace
    chosen: bool
    names: tuple[str, ...] = ()
    weak: bool = False


@dataclass(frozen=True)
class ClassCounts:
    """What a file, or a cell, says of counts of classes.

    Attributes:
        widths: of its layers, each with a count that it may follow from.
    """

    written: tuple[Written, ...] = ()
    widths: tuple[Written, ...] = ()


def counts_in(code: Code) -> ClassCounts:
    """What one file says; of a test nothing."""
    path = Path(code.file)
    if _TEST.fullmatch(path.name) or _TESTS in path.parts[:-1]:
        return ClassCounts()
    found = list(_written(code))
    sure = {each.count for each in found if not each.weak}
    written = tuple(each for each in found if not each.weak or each.count in sure)
    return ClassCounts(written, tuple(_shaped(code)))


def repeated(counts: list[ClassCounts]) -> Iterator[Remark]:
    """A remark for each count, and each list of names, that stands in several places."""
    found = [each for one in counts for each in one.written]
    widths = [each for one in counts for each in one.widths]
    for count in sorted({each.count for each in found if each.chosen and each.count >= _FEWEST}):
        places = _together([each for each in found if each.count == count])
        places += [each for each in widths if each.count == count]
        places = list({str(each.place): each for each in places}.values())
        first = next((each for each in places if each.chosen), None)
        if first and len(places) > 1:
            yield _remark(first, [each for each in places if each is not first])


def _together(found: list[Written]) -> list[Written]:
    """Those that speak of the same classes: a list may be as long as another by chance."""
    if any(not each.names for each in found):
        return found
    lists = Counter(each.names for each in found)
    return [each for each in found if lists[each.names] > 1]


def _remark(first: Written, others: list[Written]) -> Remark:
    names = next((each.names for each in [first, *others] if each.names), ())
    shown = ", ".join(map(repr, names[:3])) + (", …" if len(names) > 3 else "")
    return Remark(
        *("class-count", "warning", first.place),
        f"the count of classes, {first.count}, stands in {counted(len(others) + 1, 'place')}",
        "one class more has to be changed in each of them, and the one forgotten shows late",
        f"classes = [{shown or '…'}]   # here alone, or read from the data set\n"
        "num_classes = len(classes)   # in all the others",
        tuple(each.place for each in others),
    )


def _written(code: Code) -> Iterator[Written]:
    for node in code.nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                yield from _set(_called(target), node.value, code.place(node))
        elif isinstance(node, ast.Call):
            yield from _passed(node, code)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (replace(each, chosen=False) for each in _defaults(node, code))
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant):
                    yield from _set(str(key.value), value, code.place(value))


def _called(target: ast.expr) -> str:
    if isinstance(target, ast.Attribute):
        return target.attr
    return target.id if isinstance(target, ast.Name) else ""


def _set(name: str, value: ast.expr | None, place: CodePlace) -> Iterator[Written]:
    """A count, or names, under a name that says so."""
    if (count := _number(value)) and _COUNT.fullmatch(name) and not _BARE.fullmatch(name):
        yield Written(count, place, True)
    if isinstance(value, ast.List | ast.Tuple) and _NAMES.fullmatch(name):
        texts = [each.value for each in value.elts if isinstance(each, ast.Constant)]
        words = tuple(text for text in texts if isinstance(text, str))
        if len(words) == len(value.elts) > 1:
            yield Written(len(words), place, True, words, name == _WEAK)


def _passed(call: ast.Call, code: Code) -> Iterator[Written]:
    words = {word.arg: word.value for word in call.keywords if word.arg}
    for name, value in words.items():
        yield from _set(name, value, code.place(call))
    asked = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if asked == "add_argument" and call.args and isinstance(call.args[0], ast.Constant):
        name = str(call.args[0].value).replace("-", "_").lstrip("_")
        yield from _set(name, words.get("default"), code.place(call))


def _defaults(node: ast.FunctionDef | ast.AsyncFunctionDef, code: Code) -> Iterator[Written]:
    arguments = [*node.args.posonlyargs, *node.args.args]
    given = list(zip(reversed(arguments), reversed(node.args.defaults), strict=False))
    given += [(a, d) for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if d]
    for argument, default in given:
        yield from _set(argument.arg, default, code.place(argument))


def _shaped(code: Code) -> Iterator[Written]:
    """Layers, with each count of classes that their width may follow from."""
    for node in code.nodes:
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        layer = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        layer = node.func.id if isinstance(node.func, ast.Name) else layer
        width = _number(node.args[1])
        if width is None or layer not in ("Linear", "Conv2d"):
            continue
        yield Written(width, code.place(node), False)
        of_boxes, rest = divmod(width, _ANCHORS)
        if layer == "Conv2d" and not rest and of_boxes > _BOX:
            yield Written(of_boxes - _BOX, code.place(node), False)


def _number(node: ast.expr | None) -> int | None:
    """A whole number above 1 that is written out."""
    if isinstance(node, ast.Constant) and type(node.value) is int and node.value > 1:
        return node.value
    return None
