"""Python files and notebooks, found and read as text that a syntax tree can be made of."""

import ast
import io
import json
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from viewfinder.doctor.code.remark import Place, Remark
from viewfinder.errors import InputError
from viewfinder.reading import read_bytes

# Folders of other people's code, or of none.
_PASSED_OVER = {"node_modules", "site-packages", "__pycache__", "venv", "env", "build", "dist"}
_SUFFIXES = {".py", ".pyw", ".ipynb"}
# What is raised where a name is not there.
_ABSENT = {"ImportError", "ModuleNotFoundError", "AttributeError"}
# A longer file was not written by hand.
_MOST_BYTES = 4_000_000


@dataclass(frozen=True)
class Code:
    """A file, or a cell of a notebook.

    Attributes:
        guarded: numbers of lines that run only where an import worked, or for some version.
    """

    file: str
    lines: tuple[str, ...]
    tree: ast.Module
    cell: int | None = None
    guarded: frozenset[int] = field(default_factory=frozenset)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree."""
        return tuple(ast.walk(self.tree))

    def place(self, node: ast.AST) -> Place:
        """Where a node stands."""
        line = int(getattr(node, "lineno", 1))
        text = self.lines[line - 1].strip() if line <= len(self.lines) else ""
        return Place(self.file, line, text, self.cell)


def files_below(paths: list[Path]) -> list[tuple[Path, str]]:
    """Every Python file and notebook that is named or lies below a folder, with its shown name.

    Raises:
        InputError: there is no such path, a file is neither, or a folder has none.
    """
    found: dict[Path, str] = {}
    for path in paths:
        if path.is_dir():
            inner = [each for each in sorted(_walk(path)) if each.suffix.lower() in _SUFFIXES]
            if not inner:
                raise InputError(f"{path} has no Python file and no notebook in it")
            found |= {each: str(each) for each in inner}
        elif not path.exists():
            raise InputError(f"there is no {path}: name a Python file, a notebook or a folder")
        elif path.suffix.lower() not in _SUFFIXES:
            raise InputError(f"{path} is neither a Python file (.py) nor a notebook (.ipynb)")
        else:
            found[path] = str(path)
    return list(found.items())


def _walk(folder: Path) -> Iterator[Path]:
    for each in folder.iterdir():
        if each.is_symlink() and each.is_dir():
            continue  # A link may lead round in a circle, or out of the project.
        if each.is_dir():
            hidden = each.name.startswith(".") or each.name in _PASSED_OVER
            if not hidden and not (each / "pyvenv.cfg").exists():
                yield from _walk(each)
        elif each.is_file():
            yield each


def read_code(file: Path, name: str) -> tuple[list[Code], list[Remark]]:
    """The code of a file, cell by cell of a notebook, and what kept parts from being read.

    Raises:
        InputError: the file cannot be opened, or is not what its suffix says.
    """
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise InputError(f"{name} is longer than {_MOST_BYTES // 10**6} MB: no person wrote it")
        data = read_bytes(file)
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror or error}") from error
    if file.suffix.lower() != ".ipynb":
        return _parsed(_decoded(data, name), name, None)
    found: list[Code] = []
    troubles: list[Remark] = []
    for number, text in enumerate(_cells(data, name), 1):
        code, remarks = _parsed(text, name, number)
        found += code
        troubles += remarks
    return found, troubles


def _decoded(data: bytes, name: str) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise InputError(
            f"{name} is not text in the encoding that it states (UTF-8 where it states none): "
            "save it as UTF-8"
        ) from error


def _cells(data: bytes, name: str) -> Iterator[str]:
    """The code of each cell, with empty lines for what only a notebook understands."""
    try:
        document: Any = json.loads(data)
        cells = document["cells"]
        for cell in cells:
            source = cell["source"]
            text = source if isinstance(source, str) else "".join(source)
            yield _without_magics(text) if cell["cell_type"] == "code" else ""
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{name} is not a notebook of version 4: save it again") from error


def _without_magics(text: str) -> str:
    if text.lstrip().startswith("%%"):
        return ""
    lines = text.split("\n")
    kept = []
    for line in lines:
        bare = line.lstrip()
        magic = bare.startswith(("%", "!", "?")) or bare.rstrip().endswith("?")
        kept.append(line[: len(line) - len(bare)] + "pass" if magic else line)
    return "\n".join(kept)


def _parsed(text: str, name: str, cell: int | None) -> tuple[list[Code], list[Remark]]:
    lines = tuple(text.splitlines())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of escapes in strings: another program's matter.
            tree = ast.parse(text)
    except SyntaxError as error:
        return [], [_unreadable(error, lines, name, cell)]
    except (ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"{name} is not Python ({type(error).__name__})") from error
    return [Code(name, lines, tree, cell, frozenset(_guarded(tree)))], []


def _unreadable(error: SyntaxError, lines: tuple[str, ...], name: str, cell: int | None) -> Remark:
    line = min(max(1, error.lineno or 1), max(1, len(lines)))
    text = lines[line - 1].strip() if lines else ""
    place = Place(name, line, text, cell)
    if text.startswith("print ") or "Missing parentheses" in str(error.msg):
        return Remark(
            *("python-2", "broken", place, "this is Python 2, in which print is a statement"),
            "Python 2 ended in 2020, and nothing here runs on it; what follows was not looked at",
            "print(…)   # and the rest: python -m pip install 2to3; 2to3 -w " + name,
        )
    return Remark(
        *("syntax", "broken", place, f"this cannot be read as Python: {error.msg}"),
        "the rest of it was not looked at",
        "mend this line first",
    )


def _guarded(tree: ast.Module) -> Iterator[int]:
    """Lines within a `try` that expects the name to be gone, or an `if` that asks for a version."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any(_expects_absence(h, node) for h in node.handlers):
            yield from _lines(node.body)
            for handler in node.handlers:
                yield from _lines(handler.body)
        elif isinstance(node, ast.If | ast.IfExp):
            test = ast.unparse(node.test)
            if "version" in test.lower() or "hasattr(" in test or "MAJOR" in test:
                yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _expects_absence(handler: ast.ExceptHandler, tried: ast.Try) -> bool:
    names = {node.id for node in ast.walk(handler.type or handler) if isinstance(node, ast.Name)}
    if handler.type is not None and names & _ABSENT:
        return True
    anything = handler.type is None or "Exception" in names
    return anything and all(isinstance(node, ast.Import | ast.ImportFrom) for node in tried.body)


def _lines(body: list[ast.stmt]) -> Iterator[int]:
    for node in body:
        yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)
