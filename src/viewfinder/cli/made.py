"""Which names the statements of a Python file make, found without running it."""

import ast
import difflib
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.reading import read_bytes

# What makes names that no statement shows.
_MAKERS = {"globals", "locals", "vars", "setattr", "exec", "eval", "__getattr__"}


def refuse_misspelt_class(file: Path, name: str) -> None:
    """Refuse a name that no statement of a file makes.

    A file that cannot be read or parsed is let pass: whoever runs it says what is wrong.

    Raises:
        InputError: there is none; with those that are near, or all of its classes.
    """
    try:
        tree = ast.parse(read_bytes(file))
    except (OSError, InputError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    made = names_made(tree)
    if made is None or name in made or not name.isidentifier():
        return
    classes = [each.name for each in tree.body if isinstance(each, ast.ClassDef)]
    near = difflib.get_close_matches(name, sorted(made), n=3) or classes
    hint = f"it has {', '.join(near)}" if near else "check the spelling"
    raise InputError(f"{file} has no class or function called {name}: {hint}")


def names_made(tree: ast.Module) -> set[str] | None:
    """Every name that a statement of a file binds, within functions too; None where more may be
    bound, as by `from … import *`."""
    made: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                made.add(node.name)
            case ast.Name(ctx=ast.Store()):
                made.add(node.id)
            case ast.Import() | ast.ImportFrom():
                for each in node.names:
                    made.add((each.asname or each.name).partition(".")[0])
        if isinstance(node, ast.Name) and node.id in _MAKERS:
            return None
    return None if made & {"*", *_MAKERS} else made
