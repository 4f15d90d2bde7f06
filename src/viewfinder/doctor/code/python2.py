"""What Python 2 had without an import: functions, and methods of dicts."""

import ast
from collections.abc import Iterator

from viewfinder.doctor.code.names import Use
from viewfinder.doctor.code.patterns import Hit
from viewfinder.doctor.code.replacing import written
from viewfinder.doctor.code.rows_python2 import BUILTINS, METHODS
from viewfinder.doctor.code.sources import Code


def builtins_gone(code: Code, bound: set[str]) -> Iterator[Hit]:
    """`xrange` and its like, where nothing binds the name.

    Args:
        bound: names that anything in the file, or in the notebook, binds.
    """
    calls = {id(node.func): node for node in code.nodes if isinstance(node, ast.Call)}
    for node in code.nodes:
        if isinstance(node, ast.Name) and node.id in BUILTINS and node.id not in bound:
            row = BUILTINS[node.id]
            use = Use(node.id, node, calls.get(id(node)))
            says = f"{node.id} is Python 2's"
            yield Hit("python-2", "broken", node, says, row.why, written(node.id, row, use))


def methods_gone(code: Code, uses: list[Use]) -> Iterator[Hit]:
    """`d.iteritems()` and `d.has_key(x)`, unless the file has classes with such methods."""
    own = {node.name for node in code.nodes if isinstance(node, ast.FunctionDef)}
    imported = {id(use.call) for use in uses if use.call}  # as of six.iteritems(d)
    for node in code.nodes:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        name = node.func.attr
        if name not in (*METHODS, "has_key") or name in own or id(node) in imported:
            continue
        of = ast.unparse(node.func.value)
        if name in METHODS and not node.args:
            new = f"{of}.{METHODS[name]}()"
        elif name == "has_key" and len(node.args) == 1:
            new = f"{ast.unparse(node.args[0])} in {of}"
        else:
            continue
        why = "Python 3 no longer has it: AttributeError"
        yield Hit("python-2", "broken", node, f"{name} is Python 2's", why, new)
