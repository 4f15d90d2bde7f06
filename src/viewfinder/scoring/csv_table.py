"""Tables of other programs: a row of names, then rows of cells, apart by a comma, `;` or tab."""

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from viewfinder.datasets.formats.large_json import read_text
from viewfinder.errors import InputError

_SIGNS = ",;\t"


@dataclass(frozen=True, eq=False)
class CsvTable:
    """Rows as wide as the names above them.

    Attributes:
        lines: of each row the line of the file on which it begins.
    """

    file: Path
    heads: list[str]
    rows: list[list[str]]
    lines: list[int]

    def column(self, words: Sequence[str], taken: Collection[int] = ()) -> int:
        """The column that has the first of some names; -1 where there is none.

        Args:
            words: in small letters, the likeliest first.
            taken: columns that are something else.

        Raises:
            InputError: two columns have that name.
        """
        small = [head.casefold() for head in self.heads]
        for word in words:
            found = [k for k, head in enumerate(small) if head == word and k not in taken]
            if len(found) > 1:
                raise InputError(
                    f"{self.file} has two columns {word}, of which either may be meant: leave one"
                )
            if found:
                return found[0]
        return -1


def heads_of(text: str) -> list[str]:
    """The names of a table's columns; none of a text that is no table."""
    first = _first_line(text)
    try:
        return [head.strip() for head in next(csv.reader([first], delimiter=_sign(first)), [])]
    except csv.Error:
        return []


def read_table(file: Path) -> CsvTable:
    """Read a table; empty rows are passed over, and short ones filled up.

    Raises:
        InputError: it cannot be read, or a row has more cells than there are names.
    """
    text = read_text(file)
    sign = _sign(_first_line(text))
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=sign)
    lines, rows, line = [], [], 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                lines.append(line)
                rows.append(row)
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{file}, line {line}: {error}: write it as a CSV again") from None
    if not rows:
        raise InputError(f"{file} is empty: give a row of names, and a row for each answer")
    heads = [head.strip() for head in rows[0]]
    for at, row in zip(lines, rows, strict=True):
        if any(cell.strip() for cell in row[len(heads) :]):
            raise InputError(
                f"{file}, line {at}: more cells than the first line has names: put a cell that "
                f"holds {sign!r} in quotation marks"
            )
    filled = [(row + [""] * len(heads))[: len(heads)] for row in rows[1:]]
    return CsvTable(file, heads, filled, lines[1:])


def as_number(text: str) -> str:
    """How a cell that is no number is written as one, in words, where that can be told: a decimal
    comma, a share in percent."""
    percent = text.strip().endswith("%")
    plain = text.strip().removesuffix("%").strip().replace(",", ".")
    try:
        value = float(plain) / (100 if percent else 1)
    except ValueError:
        return ""
    return f": write {value:.15g}" if percent or "," in text else ""


def _first_line(text: str) -> str:
    return next(iter(io.StringIO(text, newline=None)), "").rstrip("\n")


def _sign(first: str) -> str:
    return max(_SIGNS, key=first.count)
