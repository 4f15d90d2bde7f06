"""Layers of the net that its forward never names, so that their weights never meet the pass."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Sequence

from torch import nn

from viewfinder.explain.cautions.naming import first_few
from viewfinder.explain.diagnosis.case import path_as_code
from viewfinder.explain.traces import Trace
from viewfinder.wording import counted

# What reaches layers without naming them.
_DYNAMIC = {
    "getattr",
    "eval",
    "exec",
    "vars",
    "children",
    "named_children",
    "modules",
    "named_modules",
    "get_submodule",
    "_modules",
    "__dict__",
}


def unmet(seen: Trace, unused: Sequence[tuple[str, int]]) -> Iterator[str]:
    """Layers that no line of a class names but the one that makes them, or none at all.

    What another mode, an option or another method of the class uses is named there, and is not
    told.

    Args:
        unused: the layers whose weights took no part in the pass, with how many these are.
    """
    made: dict[str, int] = {}
    for path, weights in unused:
        parent, _, name = path.rpartition(".")
        home = seen.module.get_submodule(parent)
        if parent not in seen.entered:
            # At most parts of it were used, from outside.
            continue
        named = _named(type(home))
        if named is None or name in named[1]:
            continue
        if name in named[0]:
            made[path_as_code(path)] = weights
            continue
        last = _last(seen, parent)
        kind = type(home).__name__
        answer = f": its last layer is {path_as_code(last)}" if last else ""
        yield (
            f"{path_as_code(path)} is never used ({counted(weights, 'weight')}): {kind} has no "
            f"layer called {name}{answer}"
        )
    if made:
        yield (
            f"{first_few(made)} {'are' if len(made) > 1 else 'is'} made and never used "
            f"({counted(sum(made.values()), 'weight')}): no line of forward calls "
            f"{'them' if len(made) > 1 else 'it'}"
        )


def _last(seen: Trace, parent: str) -> str:
    """The last layer with weights within a module."""
    lead = f"{parent}." if parent else ""
    for row in reversed(seen.rows):
        if row.module is None or not row.path.startswith(lead):
            continue
        if next(row.module.parameters(), None) is not None:
            return row.path
    return ""


def _named(kind: type[nn.Module]) -> tuple[set[str], set[str]] | None:
    """The names that a class and those above it give to `self`, and those that they read off it.

    What `__init__` reads is no use of it. None where names may be made or read otherwise.
    """
    given: set[str] = set()
    read: set[str] = set()
    for each in kind.__mro__[: kind.__mro__.index(nn.Module)]:
        if each.__module__.startswith("torch.nn.modules"):
            return None
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(each)))
        except (OSError, TypeError, SyntaxError):
            return None
        for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
            if not _read_names(function, given, read):
                return None
    return given, read


def _read_names(function: ast.FunctionDef, given: set[str], read: set[str]) -> bool:
    """Add what a method gives to `self` and reads off it; False where layers have no names."""
    first = function.args.args[0].arg if function.args.args else ""
    making = function.name == "__init__"
    for node in ast.walk(function):
        name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
        if name in _DYNAMIC and not making:
            return False
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        if node.value.id == first:
            if isinstance(node.ctx, ast.Store):
                given.add(name)
            elif not making:
                read.add(name)
    return True
