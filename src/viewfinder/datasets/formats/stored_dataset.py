"""A data set of the rows of the studio's tables, whichever database they are in.

What the tables mean stands in `studio/store/tables.py`. Of the pictures those count that somebody
has looked at: the ones that are done, that a file of labels listed, or that have a box or a class.
The others would be learnt as background.
"""

import contextlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import Boxes, BoxTrack, gather_boxes
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.editing.transaction import HIDDEN, STUDIO
from viewfinder.datasets.formats.stored_classes import Ask, classes_of, numbered
from viewfinder.datasets.formats.stored_rows import (
    BoxRow,
    PictureRow,
    first_faults,
    interpolated,
    left_out,
    said_of,
    unread_faults,
)
from viewfinder.datasets.formats.stored_text import checked_path, given
from viewfinder.errors import InputError
from viewfinder.pictures.masks import Segmentation
from viewfinder.wording import counted

SCHEMA = 3
# Those that differ in little that is read here.
_READ = ("1", "2", "3")
SECOND = 1 << 30
"""Pictures from this id on are second opinions, which are in no data set."""
LEARNT = "learnt"
"""Keeps the pictures that the studio's trainings have learnt from, as the bits of a hexadecimal
number: a picture's id is the number of its bit."""
LAYOUT = "the studio's labels"


def dataset_of(
    ask: Ask, root: Path, name: str, *, in_hand: Collection[int] = (), unread: bool = True
) -> Dataset | None:
    """A data set of the tables' rows; None where there are none to read, or nothing was marked
    before all pictures were taken in.

    Args:
        ask: within one transaction.
        name: of the database, for messages.
        in_hand: the pictures that are being drawn in while a training goes on, which count only if
            they are done.
        unread: files of labels that could not be read, whose pictures are left out, do not keep the
            others from being learnt from.

    Raises:
        InputError: the tables are of another version, or hold what the studio does not write.
    """
    meta = {str(key): str(value) for key, value in ask("SELECT key, value FROM meta")}
    if meta.get("schema") not in _READ:
        raise InputError(
            f"{name} is of schema {meta.get('schema', '?')[:20]}, and {SCHEMA} is known here: open "
            "it with `viewfinder label` first, or update Viewfinder"
        )
    if meta.get("kind") == "masks":
        return None
    if meta.get("import") != "done":
        if not ask("SELECT 1 FROM change LIMIT 1"):
            return None
        raise InputError(f"{name} has not taken in all of the set yet: open it in the studio again")
    with _explained(name):
        return _Reading(ask, root, meta).dataset(set(in_hand), unread=unread)


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise InputError(
            f"{name} holds what the studio does not write ({error}): put a backup in its place"
        ) from None


def _begun(chosen: Sequence[PictureRow], whole: bool) -> list[str]:
    """What is said of pictures that count as they have boxes, though nobody said that these are
    all."""
    count = sum(row.state == "todo" and not row.listed for row in chosen)
    if whole or not count:
        return []
    are = (
        "is still to do and has boxes: it counts"
        if count == 1
        else ("are still to do and have boxes: they count")
    )
    return [f"{counted(count, 'picture')} {are} with these alone"]


class _Reading:
    """The columns of one moment."""

    def __init__(self, ask: Ask, root: Path, meta: dict[str, str]) -> None:
        self.root, self.meta = root, meta
        self.classes, self.numbers, self.class_ids = classes_of(ask)
        columns = ", ".join(PictureRow._fields)
        pictures = f"SELECT {columns} FROM picture WHERE removed = 0 AND id < {SECOND}"
        self.pictures = list(map(PictureRow._make, ask(f"{pictures} ORDER BY place, id")))
        columns = ", ".join(BoxRow._fields[:-1])
        boxes = f"SELECT {columns} FROM box WHERE removed = 0"
        self.boxes = [BoxRow._make((*row, 1)) for row in ask(boxes)]
        self.between = interpolated(ask, root, meta, self.pictures, self.boxes)

    def dataset(self, in_hand: set[int], *, unread: bool) -> Dataset:
        boxed = {row.picture for row in self.boxes} - in_hand
        whole = self.meta.get("kind") == "classes"
        counts: Counter[str] = Counter()
        chosen = []
        faults, waiting = unread_faults(self.meta, self.root, self.pictures, not unread)
        for row in self.pictures:
            why = left_out(row, boxed, whole, waiting)
            counts[why] += 1
            if not why:
                chosen.append(row)
        paths, top = self._paths(chosen)
        number = [row.number for row in chosen]
        groups = [row.grp for row in chosen]
        sizes = np.array([[row.width, row.height] for row in chosen], np.int64).reshape(-1, 2)
        return Dataset(
            top,
            "class folders" if whole else LAYOUT,
            self.classes,
            paths,
            np.array([self.numbers[str(r.label)] if whole else -1 for r in chosen], np.int64),
            np.array([row.side for row in chosen], np.int8),
            None if whole else self._gathered({row.id: i for i, row in enumerate(chosen)}),
            None if whole else sizes,
            image_ids=numbered(number) if any(n is not None for n in number) else None,
            class_ids=None if whole else self.class_ids,
            groups=tuple(map(given, groups)) if any(groups) else (),
            learnt=self._learnt([row.id for row in chosen]),
            faults=(*first_faults(self.meta, self.pictures), *faults),
            notes=(*said_of(counts), *_begun(chosen, whole), *self._uncounted(whole)),
        )

    def _uncounted(self, whole: bool) -> list[str]:
        """What is said of boxes where pictures have classes: the studio let some be accepted."""
        if not whole or not self.boxes:
            return []
        return [
            f"{counted(len(self.boxes), 'box')} that the studio kept here: not counted, as each "
            f"picture has a class as a whole; to label boxes, move {HIDDEN}/{STUDIO} elsewhere, "
            "and open the folder by `viewfinder label --kind boxes`"
        ]

    def _learnt(self, ids: Sequence[int]) -> NDArray[np.bool_] | None:
        bits = int(self.meta.get(f"page:{LEARNT}") or "0", 16)
        return np.array([bits >> id & 1 for id in ids], np.bool_) if bits else None

    def _paths(self, chosen: Sequence[PictureRow]) -> tuple[tuple[str, ...], Path]:
        """Paths that stay in the folder, and the folder: an inner one if the set's own was that."""
        paths = [checked_path(given(row.path)) for row in chosen]
        below = self.meta.get("below", "")
        if below and paths and all(path.startswith(below + "/") for path in paths):
            checked_path(below)
            return tuple(path[len(below) + 1 :] for path in paths), self.root / below
        return tuple(paths), self.root

    def _gathered(self, index: dict[int, int]) -> Boxes:
        rows = [row for row in (*self.boxes, *self.between) if row.picture in index]
        rows.sort(key=lambda row: (row.place, row.id))
        corners = np.array([row[2:6] for row in rows], np.float64).reshape(-1, 4)
        if not np.isfinite(corners).all():
            raise ValueError("a box whose numbers are not finite")
        number = [row.number for row in rows]
        masks = {i: outline(row.mask) for i, row in enumerate(rows) if row.mask is not None}
        tracks = {
            i: BoxTrack(given(row.track), bool(row.key))
            for i, row in enumerate(rows)
            if row.track is not None
        }
        return gather_boxes(
            np.array([index[row.picture] for row in rows], np.int64),
            len(index),
            corners=corners,
            classes=np.array([self.numbers[row.label] for row in rows], np.int64),
            ids=numbered(number) if any(n is not None for n in number) else None,
            crowd=np.array([row.crowd for row in rows], np.int64) > 0,
            difficult=np.array([row.difficult for row in rows], np.int64) > 0,
            areas=np.array([np.nan if row.area is None else row.area for row in rows], np.float64),
            segmentations=masks,
            tracks=tracks,
        )


def outline(text: str) -> Segmentation:
    """A mask as it stands in the tables: JSON of polygons or run lengths."""
    mask = json.loads(text)
    if isinstance(mask, dict):
        return {"size": mask.get("size", []), "counts": mask.get("counts", [])}
    return [np.array(polygon, np.float64) for polygon in mask]
