"""The studio's labels as a data set: `DATA/.viewfinder/labels.db`, read and never written here.

The studio keeps what people mark in this SQLite file; to everything else it is one more layout. It
is read in one moment, while people edit, with Python's own `sqlite3`. What the tables mean stands
in `studio/store/tables.py`.

Of its pictures those count that somebody has looked at: the ones that are done, that a file of
labels listed, or that have a box or a class. The others would be learnt as background.
"""

import contextlib
import json
import sqlite3
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import Boxes, BoxTrack, gather_boxes
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.editing.transaction import HIDDEN, STUDIO
from viewfinder.datasets.formats.label_server import served_at
from viewfinder.datasets.formats.stored_classes import Ask, classes_of, numbered
from viewfinder.datasets.formats.stored_rows import (
    BoxRow,
    PictureRow,
    interpolated,
    left_out,
    said_of,
    unread_faults,
)
from viewfinder.datasets.formats.stored_text import checked_path, given
from viewfinder.errors import InputError
from viewfinder.files import inside
from viewfinder.pictures.masks import Segmentation
from viewfinder.reading import refuse_special

SCHEMA = 3
# Those that differ in little that is read here.
_READ = ("1", "2", "3")
SECOND = 1 << 30
"""Pictures from this id on are second opinions, which are in no data set."""
LEARNT = "learnt"
"""Keeps the pictures that the studio's trainings have learnt from, as the bits of a hexadecimal
number: a picture's id is the number of its bit."""
IN_HAND = "in hand"
"""Keeps the pictures that people were drawing in when a training began, until it ends."""
PASSED_OVER = "passed over"
"""Keeps the files of labels that could not be read while the studio itself trains without their
pictures, which its page says; whoever else learns from such a set is refused."""
LAYOUT = "the studio's labels"

_LONGEST = 64_000_000


def refuse_forged(ask: Ask, name: str) -> None:
    """Refuse an SQLite file with views or triggers: what they do would be done by who opens it.

    Raises:
        InputError: it has any, so that the studio did not write it.
    """
    strange = ask("SELECT name FROM sqlite_master WHERE type NOT IN ('table', 'index')")
    if strange:
        raise InputError(
            f"{name} holds {str(strange[0][0])[:60]!r}, which the studio does not write: put a "
            "backup in its place"
        )


def store_file(root: Path) -> Path | None:
    """The file of the studio's labels of a data folder, where it has one.

    Raises:
        InputError: something is there that cannot be read, so that older labels would be.
    """
    file = root / HIDDEN / STUDIO
    try:
        if stat.S_ISLNK(file.lstat().st_mode) and not file.exists():
            regular = False
        else:
            regular = stat.S_ISREG(file.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(not_opened(str(file), error.strerror or str(error))) from None
    if not regular:
        raise InputError(
            f"{file} is no file, and the studio's labels are kept in one of that name: put it back "
            "there, or move away what has its name"
        )
    return file


def not_opened(name: str, said: str) -> str:
    """What to say of the studio's labels where they may not be opened."""
    return (
        f"{name}, where the studio keeps labels, cannot be opened ({said}): see that your account "
        "may read it and write in its folder; nothing in it is lost"
    )


def read_label_store(root: Path) -> Dataset | None:
    """What the studio's labels of a folder say now; None where there are none, or nothing was
    marked before all pictures were taken in.

    Raises:
        InputError: the file is damaged, of another version, or not what the studio writes; or the
            labels are in a PostgreSQL database.
    """
    if (url := served_at(root)) is not None:
        return _served(root, url)
    file = store_file(root)
    if file is None:
        return None
    inside(root, [file])
    refuse_special(file)
    try:
        with contextlib.closing(_opened(file)) as connection:

            def ask(sql: str) -> Sequence[Sequence[object]]:
                return connection.execute(sql).fetchall()

            refuse_forged(ask, str(file))
            return dataset_of(ask, root, str(file), unread=False)
    except OSError as error:
        raise InputError(not_opened(str(file), error.strerror or str(error))) from None
    except (sqlite3.Error, OverflowError) as error:
        raise InputError(_unreadable(file, error)) from None


def _served(root: Path, url: str) -> Dataset:
    """What the labels of a folder in a PostgreSQL database say now."""
    from viewfinder.datasets.formats.postgres import one_moment  # it imports SQLAlchemy

    with one_moment(url) as (ask, name):
        found = dataset_of(ask, root, name, unread=False)
    if found is None:
        raise InputError(
            f"{name} has masks, or nothing that is marked yet: *Export* what it has on the page of "
            "`viewfinder label --database`, and give that new folder"
        )
    return found


def _unreadable(file: Path, error: Exception) -> str:
    """What to say of a database that SQLite does not read."""
    kind = getattr(error, "sqlite_errorname", None) or ""
    if kind.startswith(("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_READONLY", "SQLITE_AUTH")):
        return not_opened(str(file), str(error))
    if kind.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"{file} is being written to by another program: try again"
    return (
        f"{file} cannot be read ({error}): put a backup in its place, or remove it to use the "
        "label files"
    )


def masks_edited(root: Path) -> bool:
    """Whether masks of a saliency set were corrected in the studio; nothing of a damaged store."""
    file = store_file(root)
    if file is None:
        return False
    try:
        with contextlib.closing(_opened(file)) as connection:
            kind = connection.execute("SELECT value FROM meta WHERE key = 'kind'").fetchone()
            edited = connection.execute("SELECT 1 FROM change WHERE kind = 'box' LIMIT 1")
            return kind == ("masks",) and edited.fetchone() is not None
    except (sqlite3.Error, OverflowError):
        return False


def _opened(file: Path) -> sqlite3.Connection:
    address = file.resolve().as_uri() + "?mode=ro"
    try:
        connection = _connected(address)
    except sqlite3.OperationalError:
        # Where nothing can be written, SQLite cannot share a file; nobody else writes it either.
        if file.with_name(file.name + "-wal").exists():
            raise
        connection = _connected(address + "&immutable=1")
    return connection


def _connected(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, timeout=20, isolation_level=None)
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
        for pragma in ("trusted_schema=OFF", "cell_size_check=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        connection.execute("SELECT name FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def dataset_of(
    ask: Ask, root: Path, name: str, *, in_hand: bool = False, unread: bool = True
) -> Dataset | None:
    """A data set of the tables' rows; see `read_label_store`.

    Args:
        ask: within one transaction.
        name: of the database, for messages.
        in_hand: also what is being drawn in while a training goes on, which is not learnt from.
        unread: files of labels that could not be read, whose pictures are left out, do not keep the
            others from being learnt from.
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
        held = () if in_hand else json.loads(meta.get(f"page:{IN_HAND}") or "[]")
        passed = None if unread else set(json.loads(meta.get(f"page:{PASSED_OVER}") or "[]"))
        return _Reading(ask, root, meta).dataset(set(held), passed)


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise InputError(
            f"{name} holds what the studio does not write ({error}): put a backup in its place"
        ) from None


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

    def dataset(self, in_hand: set[int], passed: set[str] | None) -> Dataset:
        boxed = {row.picture for row in self.boxes} - in_hand
        whole = self.meta.get("kind") == "classes"
        counts: Counter[str] = Counter()
        chosen = []
        faults, waiting = unread_faults(self.meta, self.root, self.pictures, passed)
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
            faults=tuple(faults),
            notes=tuple(said_of(counts)),
        )

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
