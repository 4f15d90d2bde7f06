"""Which pictures a run learnt from: `pictures.csv`, a line for each of its training set.

A line is the digest of the picture's file, its side and its path. So a later evaluation can say
which of its pictures the run has seen, wherever they lie and whatever they are called now.
"""

import csv
import io
from pathlib import Path

from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.datasets.digests import picture_digests
from viewfinder.datasets.splits import TRAIN
from viewfinder.errors import InputError
from viewfinder.files import write_text
from viewfinder.reading import open_file

FILE = "pictures.csv"
_LARGEST = 1 << 30


def write_pictures(folder: Path, dataset: Dataset) -> None:
    """Write what the run in `folder` is trained on, chosen by and judged by."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("digest", "side", "path"))
    sides = [SPLITS[side] for side in dataset.splits.tolist()]
    lines.writerows(zip(picture_digests(dataset), sides, dataset.paths, strict=True))
    shown = text.getvalue().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    write_text(folder / FILE, shown)


def learnt_paths(folder: Path) -> set[str]:
    """The paths, as its data set has them, of the pictures that a run learns from or is chosen by.

    Raises:
        InputError: the file is damaged.
    """
    return {str(row.get("path")) for row in _rows(folder) if row.get("side") in SPLITS[:2]}


def learnt_from(folder: Path) -> dict[str, tuple[str, ...]]:
    """The paths of each picture that a run learns from, by the digest of its file.

    Raises:
        InputError: the file is damaged.
    """
    found: dict[str, tuple[str, ...]] = {}
    for row in _rows(folder):
        digest, side, path = (str(row.get(name) or "") for name in ("digest", "side", "path"))
        if digest and side == SPLITS[TRAIN]:
            found[digest] = (*found.get(digest, ()), path)
    return found


def read_pictures(folder: Path) -> dict[str, str]:
    """The side of each picture that the run has seen, by the digest of its file.

    Nothing where the run keeps no such file, as one of another program does not.

    Raises:
        InputError: the file is damaged.
    """
    sides = [(row.get("digest"), row.get("side")) for row in _rows(folder)]
    if any(not digest or side not in SPLITS for digest, side in sides):
        raise InputError(f"{folder / FILE} is damaged: remove it, or train again")
    return {str(digest): str(side) for digest, side in sides}


def _rows(folder: Path) -> list[dict[str, str]]:
    file = folder / FILE
    if not file.is_file():
        return []
    try:
        if file.stat().st_size > _LARGEST:
            raise InputError(f"{file} is too large to be a run's list of pictures: remove it")
        with io.TextIOWrapper(open_file(file), encoding="utf-8", newline="") as opened:
            return list(csv.DictReader(opened, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file} cannot be read ({error}): remove it, or train again") from None
