"""Long names in narrow tables: broken between words, and where a word alone is too long, cut."""

import re
from collections.abc import Sequence

from viewfinder.cli.output import say

# Behind a sign between words, or where a capital begins one.
_BETWEEN = re.compile(r"(?<=[-_/.\s])(?=[^-_/.\s])|(?<=[a-z\d])(?=[A-Z])")
# Columns that a name is given at least.
_LEAST = 12


def broken(name: str, width: int) -> str:
    """A name on lines of at most `width` columns, none of which ends within a word.

    Of a word that is longer itself the middle becomes `…`.
    """
    lines = [""]
    for word in _BETWEEN.split(name):
        if lines[-1] and len(lines[-1] + word.rstrip()) > width:
            lines.append("")
        lines[-1] += _cut(word, width)
    return "\n".join(line.rstrip() for line in lines)


def broken_apart(names: Sequence[str], width: int) -> list[str]:
    """`broken`, where no two names may look alike: such are numbered."""
    shown: list[str] = []
    for name in names:
        found, number = broken(name, width), 2
        while found in shown:
            found, number = f"{broken(name, width)}\n({number})", number + 1
        shown.append(found)
    return shown


def width_left(console: int, columns: Sequence[Sequence[str]]) -> int:
    """Columns that a table's other columns leave for names.

    Args:
        console: how wide the terminal is.
        columns: of each other column its cells, which may have several lines.
    """
    return max(_LEAST, console - _taken(columns))


def _taken(columns: Sequence[Sequence[str]]) -> int:
    """How wide columns are together."""
    widths = [max(len(line) for cell in each for line in cell.split("\n")) for each in columns]
    return sum(width + 2 for width in widths)


def blocks(names: Sequence[str], columns: Sequence[Sequence[str]], console: int) -> list[list[int]]:
    """Columns by their numbers, in blocks that each fit beside the names, which are given a third
    of the terminal at most."""
    beside = max(_LEAST, min(max(map(len, names), default=0), console // 3))
    found: list[list[int]] = []
    for k, column in enumerate(columns):
        tried = [columns[own] for own in (found[-1] if found else [])]
        if found and console - _taken([*tried, column]) >= beside:
            found[-1].append(k)
        else:
            found.append([k])
    return found


def say_legend(names: Sequence[str], shown: Sequence[str]) -> None:
    """What each name is in full that was cut or numbered."""
    for name, each in zip(names, shown, strict=True):
        if "".join(each.split()) != "".join(name.split()):
            say(f"  {' '.join(each.split())}: {name}")


def _cut(word: str, width: int) -> str:
    if len(word.rstrip()) <= width:
        return word
    end = (width - 1) // 2
    return f"{word[: width - 1 - end]}…{word[-end:]}"
