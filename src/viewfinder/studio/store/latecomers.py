"""Pictures without labels in a set that has files of labels: once theirs are there, they are read.

Such a picture came after the first reading, or was on no list then. Which files may have its labels
is found without reading them: one of its name, or a table or list of a whole set that is another
than it was. Everything is read only where there is one, and each such file once, until it changes.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from sqlalchemy import Connection, exists, select

from viewfinder.datasets.formats.stored_dataset import SECOND
from viewfinder.datasets.formats.stored_text import given
from viewfinder.datasets.survey import Survey, survey
from viewfinder.errors import InputError
from viewfinder.pictures.finding import folded
from viewfinder.reading import read_bytes
from viewfinder.studio.store import tables
from viewfinder.studio.store.database import set_value, value_of
from viewfinder.studio.store.unread import WAITS, sign_of

_LATE = "late"
_p, _box = tables.picture.c, tables.box.c


class Tried(NamedTuple):
    """A file that may have had a picture's labels, and its sign when all was read."""

    file: str
    sign: list[object]


@dataclass
class Remembered:
    """What was looked at already: by picture, and the tables of whole sets; and up to which id."""

    tried: dict[str, Tried] = field(default_factory=dict)
    sets: dict[str, list[object]] = field(default_factory=dict)
    last: int = 0

    @classmethod
    def of(cls, connection: Connection) -> "Remembered":
        found = json.loads(value_of(connection, _LATE) or "{}")
        tried = {path: Tried(*each) for path, each in found.get("tried", {}).items()}
        return cls(tried, found.get("sets", {}), found.get("last", 0))

    def write(self, connection: Connection) -> None:
        document = {"tried": self.tried, "sets": self.sets, "last": self.last}
        set_value(connection, _LATE, json.dumps(document))


class Came(NamedTuple):
    """Pictures whose labels may be there now, each with the file; their signs; and what is to be
    remembered, None where that is as it was."""

    files: Mapping[str, str]
    signs: Mapping[str, list[object]]
    remembered: Remembered | None


def unlabelled(connection: Connection) -> dict[str, int]:
    """The pictures of which neither files nor people say anything, by path, in a set that has files
    of labels; none in others."""
    if value_of(connection, "kind") != "boxes":
        return {}
    has_files = select(_p.id).where((_p.listed == 1) | WAITS).limit(1)
    if connection.execute(has_files).first() is None:
        return {}
    boxed = exists().where(_box.picture == _p.id, _box.removed == 0)
    rows = select(_p.path, _p.id).where(
        _p.removed == 0, _p.missing == 0, _p.listed == 0, _p.state == "todo", _p.ready == 1,
        _p.trouble == "", _p.id < SECOND, ~boxed,
    )  # fmt: skip
    return {given(path): id for path, id in connection.execute(rows)}


def look(connection: Connection, data: Path) -> Came:
    """Look for files that may have labels of pictures without any."""
    bare, known = unlabelled(connection), Remembered.of(connection)
    if not bare:
        return Came({}, {}, None)
    seen = survey(data)
    files = likely(seen, list(bare))
    signs = {file: sign_of(data / file) for file in files.values()}
    now = Remembered(
        {path: each for path, each in known.tried.items() if path in bare},
        {path: sign_of(data / path) for path in _tables(seen)},
        max(bare.values()),
    )
    came = {
        path: file
        for path, file in files.items()
        if path not in now.tried or now.tried[path] != (file, signs[file])
    }
    came = {**_of_sets(data, bare, known, now), **came}
    now.tried |= {path: Tried(file, signs[file]) for path, file in came.items() if file in signs}
    changed = now.sets != known.sets or now.last > known.last or now.tried != known.tried
    return Came(came, signs, now if changed else None)


def _tables(seen: Survey) -> Iterator[str]:
    """The files that may say what a set holds: COCO's, and lists of YOLO's."""
    yield from (path for path in seen.of(".json") if path.count("/") <= 3)
    yield from (path for path in seen.of(".yaml", ".yml", ".data") if path.count("/") <= 1)
    lists = (path for path in seen.of(".txt") if "/" not in path)
    yield from (path for path in lists if not seen.pictures.of_stem(PurePosixPath(path).stem))


def _of_sets(
    data: Path, bare: Mapping[str, int], known: Remembered, now: Remembered
) -> dict[str, str]:
    """Pictures that a table of a whole set may list: all, where one is another since; else those
    that came since and are named in one."""
    found: dict[str, str] = {}
    for table, sign in now.sets.items():
        new = [path for path, id in bare.items() if id > known.last]
        if known.sets.get(table) != sign:
            found |= dict.fromkeys(bare, table)
        elif new and (names := _named(data / table, new)):
            found |= dict.fromkeys(names, table)
    return found


def _named(file: Path, paths: Sequence[str]) -> list[str]:
    """Those pictures whose names a file holds; all where it cannot be read."""
    try:
        text = read_bytes(file)
    except (OSError, InputError):
        return list(paths)
    names = {path: PurePosixPath(path).name for path in paths}
    return [
        path
        for path, name in names.items()
        if name.encode("utf-8", "surrogateescape") in text
        or json.dumps(name)[1:-1].encode() in text
    ]


def likely(seen: Survey, paths: Sequence[str]) -> dict[str, str]:
    """Of pictures, the files that may have their labels alone: text files where YOLO's lie, and
    pages of their names."""
    from viewfinder.datasets.formats.yolo.label_files import own_files  # all of its readers

    found: dict[str, str] = {}
    if seen.of(".txt"):
        own = zip(paths, own_files(seen, paths), strict=True)
        found |= {path: file for path, file in own if file is not None}
    pages = {folded(PurePosixPath(page).stem): page for page in seen.of(".xml")}
    if pages:
        stems = {path: folded(PurePosixPath(path).stem) for path in paths}
        found |= {path: pages[stem] for path, stem in stems.items() if stem in pages}
    return found


def keep(connection: Connection, data: Path) -> None:
    """Remember at a first reading what lies beside pictures that it took nothing from."""
    bare = unlabelled(connection)
    if not bare:
        return
    came = look(connection, data)
    if came.remembered is not None:
        came.remembered.write(connection)
