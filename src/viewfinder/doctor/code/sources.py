"""Python files and notebooks, found and read as text that a syntax tree can be made of."""

import ast
import io
import os
import re
import sys
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from viewfinder.doctor.code.guards import guarded
from viewfinder.doctor.code.notebooks import cells, without_magic
from viewfinder.doctor.code.python2_text import python_2
from viewfinder.doctor.code.remark import CodePlace, Remark
from viewfinder.doctor.privacy import cleaner
from viewfinder.errors import InputError
from viewfinder.reading import read_bytes

# Folders of other people's code, or of none.
_PASSED_OVER = {"node_modules", "site-packages", "__pycache__", "venv", "env", "build", "dist"}
_SUFFIXES = {".py", ".pyw", ".ipynb"}
SETTINGS = (".cfg", ".names", ".data", ".yaml", ".yml")
"""Of files that write the count of classes beside the code: Darknet's, and YAML."""
# A longer file was not written by hand.
_MOST_BYTES = 4_000_000
_PYTHON = ".".join(map(str, sys.version_info[:2]))
# As of 2017, in x.cuda(async=True).
_ASYNC = re.compile(r"\basync(\s*=(?!=))")
# More of a line is not shown.
_LONGEST = 300
# Ends of lines as Python counts them; str.splitlines knows others, such as a form feed.
_END = re.compile(r"\r\n|\r|\n")


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

    def place(self, node: ast.AST) -> CodePlace:
        """Where a node stands."""
        line = int(getattr(node, "lineno", 1))
        text = self.lines[line - 1].strip()[:_LONGEST] if line <= len(self.lines) else ""
        return CodePlace(self.file, line, text, self.cell)


@dataclass(frozen=True)
class SourceFiles:
    """What lies at the paths that were named, each file with its shown name.

    Attributes:
        settings: files below folders that say of classes and layers what the code says too.
        empty: folders without code.
    """

    code: list[tuple[Path, str]]
    settings: list[tuple[Path, str]]
    empty: list[str]


def files_below(paths: list[Path]) -> SourceFiles:
    """Every Python file and notebook that is named or lies below a folder, and settings there.

    Raises:
        InputError: there is no such path, a file is neither, or no path has any code.
    """
    found: dict[Path, str] = {}
    clean = cleaner().clean  # A report goes to strangers: nobody's home is in it.
    beside: dict[Path, str] = {}
    empty: list[str] = []
    for path in paths:
        if path.is_dir():
            inner = sorted(_walk(path))
            code = [each for each in inner if each.suffix.lower() in _SUFFIXES or each.is_dir()]
            settings = [each for each in inner if each.suffix.lower() in SETTINGS]
            if not code and not settings:
                empty.append(clean(str(path)))
            found |= {each: clean(str(each)) for each in code}
            beside |= {each: clean(str(each)) for each in settings}
        elif not path.exists():
            raise InputError(f"there is no {path}: name a Python file, a notebook or a folder")
        elif path.suffix.lower() not in _SUFFIXES:
            raise InputError(f"{path} is neither a Python file (.py) nor a notebook (.ipynb)")
        else:
            found[path] = clean(str(path))
    if not found:
        raise InputError(
            f"{' and '.join(map(str, paths))} has no Python file and no notebook in it"
        )
    return SourceFiles(_once(found), _once(beside), empty)


def _once(found: dict[Path, str]) -> list[tuple[Path, str]]:
    """What is named twice, or linked to, only once."""
    once = {os.path.realpath(file): (file, name) for file, name in reversed(found.items())}
    return list(reversed(once.values()))


def _walk(folder: Path) -> Iterator[Path]:
    """Every file below a folder, and each folder that cannot be looked into."""
    try:
        entries = list(folder.iterdir())
    except OSError:
        yield folder
        return
    for each in entries:
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
        if file.is_dir():
            raise InputError(f"cannot look into the folder {name}: give yourself the right to")
        if file.stat().st_size > _MOST_BYTES:
            raise InputError(f"{name} is longer than {_MOST_BYTES // 10**6} MB: no person wrote it")
        data = read_bytes(file)
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror or error}") from error
    if file.suffix.lower() != ".ipynb":
        return _parsed(_decoded(data, name), name, None)
    found: list[Code] = []
    troubles: list[Remark] = []
    for number, text in enumerate(cells(data, name), 1):
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


def _parsed(text: str, name: str, cell: int | None) -> tuple[list[Code], list[Remark]]:
    if "\0" in text:
        raise InputError(f"{name} is not Python: it holds a null byte, or what is no text")
    lines = _END.split(text)
    kept, troubles = lines, list[Remark]()
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Of escapes in strings: another program's matter.
                tree = ast.parse("\n".join(kept) + "\n")
            break
        except SyntaxError as error:
            at = min(max(1, error.lineno or 1), len(lines)) - 1
            # What another version, or a notebook, understood there, and the rest is read.
            if _ASYNC.search(kept[at]):
                troubles += _renamed_async(kept, name, cell)
                kept = [_ASYNC.sub(r"non_blocking\1", line) for line in kept]
            elif cell is not None and (others := without_magic(kept, at)):
                kept = others
            else:
                return [], [*troubles, _unreadable(error, lines[at].strip(), at, name, cell)]
        except (ValueError, RecursionError, MemoryError) as error:
            raise InputError(_unparsed(error, name)) from error
    return [Code(name, tuple(lines), tree, cell, frozenset(guarded(tree)))], troubles


def _unparsed(error: Exception, name: str) -> str:
    if isinstance(error, ValueError):
        return f"{name} is not Python: it holds a null byte, or what is no text"
    return f"{name} is nested too deeply to be read: split its longest expression"


def _renamed_async(lines: list[str], name: str, cell: int | None) -> Iterator[Remark]:
    """`tensor.cuda(async=True)`, which no Python reads since `async` is a keyword."""
    places = [
        CodePlace(name, number, line.strip()[:_LONGEST], cell)
        for number, line in enumerate(lines, 1)
        if _ASYNC.search(line)
    ]
    yield Remark(
        *("async-argument", "broken", places[0], "async is a keyword, and no argument"),
        "Python 3.7 (2018) and newer: SyntaxError; torch calls it non_blocking since 0.4",
        _ASYNC.sub(r"non_blocking\1", places[0].text),
        tuple(places[1:]),
    )


def _unreadable(error: SyntaxError, text: str, at: int, name: str, cell: int | None) -> Remark:
    place = CodePlace(name, at + 1, text[:_LONGEST], cell)
    if says := python_2(text, str(error.msg)):
        tool = "" if cell else f"; and the rest: pip install fissix; python -m fissix -w {name}"
        return Remark(
            *("python-2", "broken", place, f"this is Python 2, {says[0]}"),
            "Python 2 ended in 2020, and nothing here runs on it; what follows was not looked at",
            f"{says[1]}   # this line{tool}",
        )
    return Remark(
        *("syntax", "broken", place, f"this cannot be read as Python {_PYTHON}: {error.msg}"),
        "the rest of it was not looked at",
        "fix this line first",
    )
