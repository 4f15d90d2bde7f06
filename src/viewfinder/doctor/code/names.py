"""What the names in a module stand for, as far as its imports tell.

`import torch.nn.functional as F` makes `F.sigmoid` stand for `torch.nn.functional.sigmoid`; a
parameter or a variable of the same name hides it within its function.
"""

import ast
import builtins
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (*_FUNCTIONS, *_COMPREHENSIONS, ast.ClassDef)


@dataclass(frozen=True)
class Use:
    """A name that comes from elsewhere, where it is used or imported.

    Attributes:
        name: in full, such as `torch.nn.functional.sigmoid`.
        node: the name, with all its dots, or the import.
        call: the call of it, if it is called.
        imported: whether this is an import, and no use.
        module: that was imported whole, by a star, where this brought the name.
    """

    name: str
    node: ast.AST
    call: ast.Call | None = None
    imported: bool = False
    module: str = ""


Stars = Callable[[str, list[str]], str]
"""Of a name and the modules that are imported whole: the module that it comes from, or nothing."""


def no_stars(name: str, modules: list[str]) -> str:
    """That no name is known to come by a star."""
    return ""


@dataclass
class _Scope:
    """What names mean in a function, or in the module; None for what was bound otherwise."""

    means: dict[str, str | None] = field(default_factory=dict)
    of_class: bool = False


def uses(trees: list[ast.Module], stars: Stars = no_stars) -> list[list[Use]]:
    """Every use of a name from elsewhere in each of the cells of a notebook, or in one module.

    What a cell imports, the others know.

    Args:
        stars: tells from which of the modules that are imported whole (`from numpy import *`) a
            name comes that nothing else binds.
    """
    shared = _Scope({})
    for tree in trees:
        shared.means |= _scope_of(tree).means
    whole = whole_modules(trees)
    bound = names_bound(trees) if whole else set()

    def starred(name: str) -> str:
        return "" if name in bound else stars(name, whole)

    return [list(_uses(tree, (shared, _scope_of(tree)), starred)) for tree in trees]


def whole_modules(trees: list[ast.Module]) -> list[str]:
    """The modules of which everything is imported; of one that is none of a library, nothing."""
    return [
        "" if node.level else node.module or ""
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    ]


def names_bound(trees: list[ast.Module]) -> set[str]:
    """Every name that is bound anywhere, and those of Python's own, which no star hides."""
    found = set(dir(builtins))
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            found |= {name for name, _ in _bound(node)}
    return found


def _uses(
    tree: ast.Module, scopes: tuple[_Scope, ...], starred: Callable[[str], str]
) -> Iterator[Use]:
    """In the order of the text; no deeper into Python's stack for a tree that is deep."""
    calls: dict[int, ast.Call] = {}
    left: list[tuple[ast.AST, tuple[_Scope, ...]]] = [(tree, scopes)]
    while left:
        node, scopes = left.pop()
        if isinstance(node, ast.Call):
            calls[id(node.func)] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (Use(name, node, imported=True) for name in imported(node))
        elif isinstance(node, ast.Attribute | ast.Name):
            name, module = _meaning(node, scopes, starred)
            if name:
                yield Use(name, node, calls.get(id(node)), module=module)
                continue  # What is left of its last dot is part of it.
        if isinstance(node, _SCOPES):
            outer = [*getattr(node, "decorator_list", []), *_defaults(node)]
            inner = [child for child in ast.iter_child_nodes(node) if child not in outer]
            within = (*scopes, _scope_of(node))
            left += [(child, within) for child in reversed(inner)]
            left += [(child, scopes) for child in reversed(outer)]
        else:
            left += [(child, scopes) for child in reversed(list(ast.iter_child_nodes(node)))]


def _meaning(
    node: ast.expr, scopes: tuple[_Scope, ...], starred: Callable[[str], str]
) -> tuple[str, str]:
    """A dotted name in full, if it is built on an import, and the module that was imported whole
    to bring it."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return "", ""
    for scope in reversed(scopes):
        # What a class binds, its methods do not see.
        if node.id in scope.means and (not scope.of_class or scope is scopes[-1]):
            root = scope.means[node.id]
            return ("" if root is None else ".".join([root, *reversed(parts)])), ""
    module = starred(node.id)
    return (".".join([module, node.id, *reversed(parts)]) if module else ""), module


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    """The full names that an import brings; of one relative to its package none."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if node.level or not node.module:
        return []
    return [f"{node.module}.{alias.name}" for alias in node.names]


def _scope_of(node: ast.AST) -> _Scope:
    """What is bound in a function, a class or a module itself, and not in what lies within.

    A name that two imports bring from different places, or an import and a function, as with a
    substitute for older versions, may be either: it stands for nothing that is known.
    """
    means: dict[str, str | None] = {}
    several: set[str] = set()
    for each in _own_nodes(node):
        for name, meaning in _bound(each):
            if name in means and meaning != means[name]:
                several.add(name)
            means[name] = meaning
    for each in _own_nodes(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            means.setdefault(each.id, None)
    means |= dict.fromkeys(several)
    return _Scope(means, isinstance(node, ast.ClassDef))


def _bound(node: ast.AST) -> Iterator[tuple[str, str | None]]:
    """What an import, a definition or a parameter binds, and what it means."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            root = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (root, root)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            known = node.module and not node.level
            yield alias.asname or alias.name, f"{node.module}.{alias.name}" if known else None
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name, None
    elif isinstance(node, ast.arg):
        yield node.arg, None


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Everything below a node, but not the insides of functions and classes in it."""
    inner = deque(ast.iter_child_nodes(node))
    while inner:
        each = inner.popleft()
        yield each
        if not isinstance(each, _SCOPES):
            inner += ast.iter_child_nodes(each)


def _defaults(node: ast.AST) -> list[ast.expr]:
    """What a function's or a class's line holds that is computed outside of it."""
    if isinstance(node, ast.ClassDef):
        return [*node.bases, *(keyword.value for keyword in node.keywords)]
    if isinstance(node, _FUNCTIONS):
        arguments = node.args
        return [*arguments.defaults, *(each for each in arguments.kw_defaults if each)]
    return []
