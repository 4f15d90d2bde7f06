"""What is said of a place in somebody's code."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["broken", "warning"]


@dataclass(frozen=True)
class CodePlace:
    """A line of a file, from 1.

    Attributes:
        file: as it was named, or found below the folder that was.
        cell: of a notebook, from 1; `line` counts within it.
        text: the line itself, without its indentation.
    """

    file: str
    line: int
    text: str
    cell: int | None = None

    def __str__(self) -> str:
        cell = "" if self.cell is None else f"cell {self.cell}, line "
        return f"{self.file}:{cell}{self.line}"


@dataclass(frozen=True)
class Remark:
    """One thing to change.

    Attributes:
        rule: the name of the rule that found it.
        level: broken: it fails with today's versions; warning: it works, at a cost or a risk.
        says: what is so, in a sentence without its full stop.
        why: what comes of it, or since when.
        instead: lines to paste.
        others: further places that the same thing is written at.
    """

    rule: str
    level: Level
    place: CodePlace
    says: str
    why: str
    instead: str
    others: tuple[CodePlace, ...] = ()
