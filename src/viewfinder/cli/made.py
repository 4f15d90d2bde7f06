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
    tree = _parsed(file)
    made = names_made(tree) if tree is not None else None
    if tree is None or made is None or name in made or not name.isidentifier():
        return
    classes = _classes(tree)
    near = difflib.get_close_matches(name, sorted(made), n=3)
    hint = f"it has {', '.join(classes)}" if classes else "check the spelling"
    hint = f"did you mean {' or '.join(near)}?" if near else hint
    raise InputError(f"{file} has no class or function called {name}: {hint}")


def refuse_dotted(target: str) -> None:
    """Refuse `file.Class` where there is a file of that name, whose classes stand behind a colon.

    Raises:
        InputError: there is one; with the class that is meant, or all of them.
    """
    place, _, name = target.rpartition(".")
    file = Path(f"{place.replace('.', '/')}.py")
    tree = _parsed(file) if place else None
    if tree is None:
        return
    made = names_made(tree)
    near = [name] if made is None or name in made else difflib.get_close_matches(name, sorted(made))
    meant = near or _classes(tree) or ["Net"]
    raise InputError(
        f"there is no net called {target}: did you mean "
        f"{' or '.join(f'{file}:{each}' for each in meant[:3])}? A class stands behind a colon"
    )


def _parsed(file: Path) -> ast.Module | None:
    try:
        return ast.parse(read_bytes(file))
    except (OSError, InputError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _classes(tree: ast.Module) -> list[str]:
    return [each.name for each in tree.body if isinstance(each, ast.ClassDef)]


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
