"""Tables of other programs: a row of names, then rows of cells, apart by a comma, `;` or tab."""

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from viewfinder.datasets.formats.large_json import read_text
from viewfinder.errors import InputError
from viewfinder.pictures.finding import is_picture
from viewfinder.reading import read_bytes
from viewfinder.scoring.class_names import class_number

_SIGNS = ",;\t"
# As spreadsheets begin what they call Unicode text.
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


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
            words: in small letters, with _ for a space, the likeliest first.
            taken: columns that are something else.

        Raises:
            InputError: two columns have that name.
        """
        small = [head.casefold().replace(" ", "_") for head in self.heads]
        for word in words:
            found = [k for k, head in enumerate(small) if head == word and k not in taken]
            if len(found) > 1:
                raise InputError(
                    f"{self.file} has two columns {word}, of which either may be meant: leave one"
                )
            if found:
                return found[0]
        return -1


def table_text(file: Path) -> str:
    """A table's text, in UTF-8 or, where it begins with a byte order mark, in UTF-16.

    Raises:
        InputError: it cannot be read, or is in another encoding.
    """
    try:
        data = read_bytes(file)
        if data.startswith(_UTF_16):
            return data.decode("utf-16")
    except UnicodeDecodeError:
        raise InputError(f"{file} is damaged UTF-16 text: save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from None
    return read_text(file)


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
    text = table_text(file)
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
    refuse_headless(file, heads)
    for at, row in zip(lines, rows, strict=True):
        if any(cell.strip() for cell in row[len(heads) :]):
            raise InputError(
                f"{file}, line {at}: more cells than the first line has names: put a cell that "
                f"holds {sign!r} in quotation marks"
            )
    filled = [(row + [""] * len(heads))[: len(heads)] for row in rows[1:]]
    return CsvTable(file, heads, filled, lines[1:])


def refuse_headless(file: Path, heads: Sequence[str]) -> None:
    """Refuse a first line that holds a picture's name or numbers alone, as rows of answers do.

    Raises:
        InputError: it does.
    """
    numbers = len(heads) > 1 and all(class_number(head) is not None for head in heads)
    if numbers or any(is_picture(head) for head in heads):
        raise InputError(
            f"{file} has no row of names: its first line is {', '.join(heads)[:80]}; write above "
            "it what each column is, such as picture,class or, of boxes, "
            "picture,class,score,x1,y1,x2,y2"
        )


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
