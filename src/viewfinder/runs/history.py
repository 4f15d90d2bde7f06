"""A run's history as a CSV file: a row an epoch, appended as the epochs end."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from viewfinder.errors import InputError
from viewfinder.files import explained_writing, sync_all, write_text
from viewfinder.reading import open_file, read_bytes

Row = Mapping[str, object]

# Bytes beyond which a history is no training's: it must not fill the memory.
_LARGEST = 1 << 26
# Beyond what float32 holds.
_LARGEST_VALUE = 1e40


def append_row(file: Path, row: Row) -> None:
    """Add an epoch's row at the end, numbers to seven digits.

    It is not synced to the disk: a power cut may take the latest rows or leave half of one, and
    whoever reads or goes on with the file passes over that half. The file is written anew only
    where a row has a column that it lacks, as the first that is measured has.
    """
    names = _columns(file)
    if names is None or not set(row) <= set(names):
        rows = [*read_rows(file), row]
        write_rows(file, rows)
        return
    with explained_writing(file), file.open("a", encoding="utf-8", newline="") as out:
        out.write(_line([_brief(row.get(name, "")) for name in names]))


def write_rows(file: Path, rows: Sequence[Row]) -> None:
    """Replace the whole history."""
    # Not every epoch is measured, the first least of all.
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines: list[Sequence[object]] = [
        names,
        *([_brief(row.get(name, "")) for name in names] for row in rows),
    ]
    write_text(file, "".join(map(_line, lines)))


def read_rows(file: Path) -> list[dict[str, float]]:
    """All whole rows; none where there is no file.

    Raises:
        InputError: the file holds something that no training wrote.
    """
    if not file.is_file():
        return []
    rows = []
    try:
        if file.stat().st_size > _LARGEST:
            raise ValueError("it is larger than any that Viewfinder writes")
        # A last line without its end is one that was being written when everything stopped.
        whole, _, _ = read_bytes(file).rpartition(b"\n")
        for row in csv.DictReader(io.StringIO(whole.decode("utf-8")), strict=True):
            if None in row or None in row.values():
                raise ValueError("a row has another number of columns")
            rows.append({name: float(value) for name, value in row.items() if value})
            _check(rows[-1])
        numbers = [row["epoch"] for row in rows]
        whole_numbers = all(math.isfinite(n) and n == int(n) for n in numbers)
        if not whole_numbers or any(b <= a for a, b in pairwise([0, *numbers])):
            raise ValueError("its epochs do not follow one another")
        if not all(row["seconds"] >= 0 for row in rows):
            raise ValueError("its seconds are no times")
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error
    except (ValueError, KeyError, csv.Error) as error:
        what = f"it has no column {error}" if isinstance(error, KeyError) else error
        raise InputError(
            f"{file} is damaged: {what}; restore it, or remove it to go on without its rows"
        ) from error
    return rows


def _check(row: Mapping[str, float]) -> None:
    """See that a row has numbers that a training tells: of a score there may be none.

    Raises:
        ValueError: it has others.
    """
    if not math.isfinite(row.get("loss", 0.0)):
        raise ValueError("a loss is no number")
    if wild := [name for name, value in row.items() if abs(value) > _LARGEST_VALUE]:
        raise ValueError(f"{wild[0]:.50} is {row[wild[0]]:g}")


def keep_rows(file: Path, epochs: int) -> list[dict[str, float]]:
    """Drop the rows of epochs after the first so many, and what is left of half a row.

    Returns:
        those that are kept.
    """
    rows = [row for row in read_rows(file) if row["epoch"] <= epochs]
    if file.exists():
        if rows:
            write_rows(file, [row | {"epoch": int(row["epoch"])} for row in rows])
        else:
            file.unlink()
    return rows


def sync_rows(file: Path) -> None:
    """See that the rows are on the disk."""
    if file.exists():
        with explained_writing(file):
            sync_all([file])


def _columns(file: Path) -> list[str] | None:
    """What the first line names; None where there is no file."""
    try:
        with io.TextIOWrapper(open_file(file), encoding="utf-8", newline="") as rows:
            return next(csv.reader(rows), None)
    except FileNotFoundError:
        return None


def _line(values: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


def _brief(value: object) -> object:
    return f"{value:.7g}" if isinstance(value, float) else value
