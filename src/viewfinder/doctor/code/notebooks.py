"""Notebooks: the code in their cells, and what only IPython understands."""

import json
import re
from collections.abc import Iterator

from viewfinder.errors import InputError
from viewfinder.values import as_list, as_table, as_tables, as_text

# Cell magics below which Python stands.
_OF_PYTHON = re.compile(r"%%(time|timeit|capture|prun|writefile .*\.py)\b.*")
_MAGIC = re.compile(
    r"[%!?]|.*\?\s*$|[\w.,\s\[\]]+=\s*[%!]"
    r"|(pip3?|conda|ls|cd|pwd|cat|mkdir|rm|cp|mv|head|wget|git|unzip)(\s|$)"
)
# Magics that are taken away one at a time; after that, all at once.
_SINGLY = 50
_GONE = "pass  # a magic"


def cells(data: bytes, name: str) -> Iterator[str]:
    """The text of each cell, empty of one that is not Python's.

    Raises:
        InputError: it is no notebook of version 3 or 4.
    """
    try:
        document = as_table(json.loads(data))
        about = as_table(document.get("metadata", {}))
        kernel = as_table(about.get("kernelspec", {})).get("language", "python")
        for cell in _all_cells(document):
            source = cell["source"] if "source" in cell else cell["input"]
            text = source if isinstance(source, str) else "".join(map(as_text, as_list(source)))
            python = cell["cell_type"] == "code" and str(kernel).lower() == "python"
            yield _below_magic(text) if python else ""
    except (ValueError, KeyError, RecursionError) as error:
        raise InputError(f"{name} is not a notebook of version 3 or 4: save it again") from error


def _all_cells(document: dict[str, object]) -> list[dict[str, object]]:
    """Also of version 3 (until 2015), which had them in worksheets."""
    if "worksheets" in document:
        return [
            {"source": "", **cell} if cell["cell_type"] != "code" else cell
            for sheet in as_tables(document["worksheets"])
            for cell in as_tables(sheet["cells"])
        ]
    return as_tables(document["cells"])


def _below_magic(text: str) -> str:
    """A cell without the magic that it begins with; nothing of another language's."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        bare = line.strip()
        if bare.startswith("%%"):
            rest = _below_magic("\n".join(lines[number + 1 :]))
            return "\n" * (number + 1) + rest if _OF_PYTHON.fullmatch(bare) else ""
        if bare and not bare.startswith("#"):
            break
    return text


def without_magic(lines: list[str], at: int) -> list[str] | None:
    """Lines without the magic in the one at `at`; None if there is none."""
    if not _MAGIC.match(lines[at].lstrip()):
        return None
    places = [at]
    if sum(line.endswith(_GONE) for line in lines) >= _SINGLY:
        places = [number for number, line in enumerate(lines) if _MAGIC.match(line.lstrip())]
    kept = list(lines)
    for place in places:
        indent = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
        end = place
        while lines[end].endswith("\\") and end + 1 < len(lines):
            end += 1
            kept[end] = ""
        kept[place] = indent + _GONE
    return kept
