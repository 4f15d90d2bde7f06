"""All rules over all files, and what they find in the order of the text."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from viewfinder.doctor.code.apex import apex
from viewfinder.doctor.code.arguments import arguments_gone, nets_by_name
from viewfinder.doctor.code.counts import ClassCounts, counts_in, repeated
from viewfinder.doctor.code.methods import (
    factors_by_place,
    methods_of_tensors,
    objects_loaded,
)
from viewfinder.doctor.code.names import Use, names_bound, uses, whole_modules
from viewfinder.doctor.code.patterns import (
    Hit,
    Rule,
    added,
    old_scalars,
    opencv,
    unconnected_layers,
    volatile_set,
)
from viewfinder.doctor.code.python2 import builtins_gone, methods_gone
from viewfinder.doctor.code.remark import Remark
from viewfinder.doctor.code.renamed import TABLE, row_of
from viewfinder.doctor.code.replacing import written
from viewfinder.doctor.code.rows_python2 import BUILTINS
from viewfinder.doctor.code.schedules import rate_asked, scheduler_first
from viewfinder.doctor.code.settings import disagreeing, read_settings
from viewfinder.doctor.code.sources import Code, files_below, read_code
from viewfinder.doctor.code.stars import star_of
from viewfinder.doctor.code.views import view_after_permute
from viewfinder.errors import InputError

_RULES: tuple[Rule, ...] = (
    *(apex, arguments_gone, nets_by_name, opencv, unconnected_layers, old_scalars, volatile_set),
    *(added, view_after_permute, scheduler_first, rate_asked, methods_gone),
    *(factors_by_place, methods_of_tensors, objects_loaded),
)
# Rules that speak of several things, each reported by itself.
_SEVERAL = {"apex", "python-2"}


@dataclass(frozen=True)
class CodeFindings:
    """What was found in somebody's code.

    Attributes:
        unread: files that could not be read, each with why.
        empty: folders that were named and have no code in them.
    """

    files: int
    remarks: tuple[Remark, ...]
    unread: tuple[str, ...]
    empty: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        """Whether nothing fails with today's versions."""
        return not self.unread and all(each.level != "broken" for each in self.remarks)


def look(paths: list[Path]) -> CodeFindings:
    """Read every Python file and notebook that is named, or lies below a folder that is.

    Raises:
        InputError: there is no such path, or no code in it.
    """
    remarks: list[Remark] = []
    counts: list[ClassCounts] = []
    unread: list[str] = []
    found_at = files_below(paths)
    for file, name in found_at.code:
        try:
            cells, troubles = read_code(file, name)
            found = _in_file(cells)
        except InputError as error:
            unread.append(str(error))
            continue
        except RecursionError:
            unread.append(f"{name} is nested too deeply to be read: split its longest expression")
            continue
        counts += [counts_in(cell) for cell in cells]
        remarks += troubles + found
    settings = read_settings(found_at.settings)
    remarks += list(repeated([*counts, settings.counts]))
    remarks += [*settings.remarks, *disagreeing(settings, counts)]
    return CodeFindings(
        len(found_at.code),
        tuple(sorted(remarks, key=_order)),
        (*unread, *settings.unread),
        tuple(found_at.empty),
    )


def _order(remark: Remark) -> tuple[str, int, int]:
    return remark.place.file, remark.place.cell or 0, remark.place.line


def _in_file(cells: list[Code]) -> list[Remark]:
    """What the rules say of a file; what a rule says twice is reported once, with both places."""
    together: dict[tuple[str, str], list[tuple[Remark, bool]]] = {}
    trees = [each.tree for each in cells]
    # What a star brings may be any of them.
    bound = set(BUILTINS) if whole_modules(trees) else names_bound(trees)
    for code, found in zip(cells, uses(trees, star_of), strict=True):
        old = ((hit.says, hit, True) for hit in builtins_gone(code, bound))
        for key, hit, main in (*_hits(code, found), *old):
            line = int(getattr(hit.node, "lineno", 1))
            if line in code.guarded:
                continue
            place = code.place(hit.node)
            remark = Remark(hit.rule, hit.level, place, hit.says, hit.why, hit.instead)
            together.setdefault((hit.rule, key), []).append((remark, main))
    return [_joined(each) for each in together.values()]


def _hits(code: Code, found: list[Use]) -> Iterator[tuple[str, Hit, bool]]:
    """Every hit, under what it is reported together with, and whether it is where that is fixed."""
    for use in found:
        if row := row_of(use.name):
            old, new = row
            says = f"{use.name if len(use.name) < 60 else old} is no longer there"
            if new.level == "warning":
                says = f"{use.name} is on its way out"
            hit = Hit(_rule(old), new.level, use.node, says, new.why, written(old, new, use))
            # A module under its old name is fixed where it is imported.
            module = " as " in new.imports or new.new.startswith("#")
            yield old, hit, use.imported == module
    for rule in _RULES:
        for hit in rule(code, found):
            yield hit.says if hit.rule in _SEVERAL else hit.rule, hit, True
    yield from ((hit.rule, hit, True) for hit in _copied(code))


def _rule(old: str) -> str:
    return (
        f"gone-{old.split('.')[0]}" if TABLE[old].level == "broken" else f"old-{old.split('.')[0]}"
    )


def _joined(each: list[tuple[Remark, bool]]) -> Remark:
    """The first use, with the places of all others."""
    first = next((remark for remark, main in each if main), each[0][0])
    others = {str(r.place): r.place for r, _ in each if str(r.place) != str(first.place)}
    return replace(first, others=tuple(others.values()))


def _copied(code: Code) -> Iterator[Hit]:
    """COCO's own evaluation, copied into a project since it did not install."""
    for node in code.tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "COCOeval":
            methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
            if {"computeIoU", "evaluateImg"} <= methods:
                yield Hit(
                    *("pycocotools-copied", "warning", node, "a copy of pycocotools' COCOeval"),
                    "it has been built for every system since 2.0.6 (2022), and a copy misses what "
                    "was fixed, such as np.float",
                    "pip install pycocotools   # or hotcoco: the same scores, 90 times as fast",
                )
