"""What became of the pictures' files: added, moved, changed, missing. Rows are never dropped.

A file is the same while its size and time are; where they are not, its bytes' digest decides, and
where that is not known the whole folder's times: in a copy of it, all are others. A missing picture
whose size, time and (where it is known) digest a new file has was moved there.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from sqlalchemy import RowMapping, bindparam, select

from viewfinder import events
from viewfinder.datasets import digests
from viewfinder.datasets.formats.stored_dataset import SECOND
from viewfinder.datasets.formats.stored_text import given, kept
from viewfinder.datasets.picture_sizes import measured_sizes
from viewfinder.datasets.survey import is_yolo_labels, survey
from viewfinder.errors import InputError
from viewfinder.pictures.finding import pictures_below
from viewfinder.studio.store import latecomers, reading_again, tables
from viewfinder.studio.store.database import Database, value_of
from viewfinder.studio.store.folder_records import DiskReport
from viewfinder.studio.store.found_rows import new_row, status_of
from viewfinder.studio.store.proposed_kind import stand_names
from viewfinder.studio.store.taking_in import add_pictures

_p = tables.picture.c
# What is asked of each row: of a hundred thousand, all columns would be much.
_SEEN = ("size", "mtime", "digest", "missing", "changed", "listed", "ready")
# Pictures from which on all of them having another time speaks of a copy.
_A_COPY = 3
_COPY = (
    "the times of all pictures are others: this is taken for a copy of the folder, in which the "
    "labels of a picture fit where that has the size it had"
)
_ASKED = ("id", "path", "width", "height", *_SEEN)


def look(database: Database, data: Path) -> DiskReport:
    """Compare the folder with the rows, and keep what was found.

    Raises:
        InputError: the first reading is not over, or the folder cannot be read.
    """
    with database.read() as connection:
        if value_of(connection, "import") != "done":
            raise InputError("the folder is still being read for the first time: try again later")
        kind = value_of(connection, "kind")
        columns = [_p[name] for name in _ASKED]
        rows = (
            connection.execute(select(*columns).where(_p.id < SECOND).order_by(_p.id))
            .mappings()
            .all()
        )
    known: dict[str, RowMapping] = {given(row["path"]): row for row in rows}
    found = {path: status_of(data / path) for path in known}
    missing = [path for path in known if found[path]["missing"]]
    unknown = _unknown(database, data, known)
    new = _new(data, unknown, known, kind or "boxes")
    # What is missing may have been moved anywhere below the folder.
    fresh = {path: status_of(data / path) for path in (unknown if missing else new)}
    moved = _moved(data, [known[path] for path in missing], fresh)
    copied = _copied(known, found)
    changed, same = _changed(data, known, found, copied=copied)
    report = DiskReport(
        added=tuple(path for path in new if path not in moved.values()),
        missing=tuple(p for p in missing if p not in moved and not known[p]["missing"]),
        found_again=tuple(p for p in known if known[p]["missing"] and not found[p]["missing"]),
        moved=tuple(moved.items()),
        changed=tuple(changed),
    )
    updates = [_gone(known[path]) for path in report.missing]
    updates += [_now(known[old], fresh[new_], path=new_) for old, new_ in report.moved]
    sizes = _sizes(data, (*report.changed, *report.found_again))
    for path in (*report.found_again, *same):
        row = _now(known[path], found[path])
        # Of one that was never there nobody knew the size.
        if path in sizes and not known[path]["width"]:
            width, height = sizes[path]
            row |= {"width": width, "height": height}
        updates.append(row)
    for path in report.changed:
        row = _now(known[path], found[path]) | {"changed": 1, "digest": digest_of(data / path)}
        width, height = sizes[path]
        row |= {"width": width, "height": height} if width else {}
        updates.append(row)
    _write(database, updates)
    _add(database, data, report.added, fresh, kind)
    labels = reading_again.look(database, data)
    remarks = (_COPY, *labels.remarks) if copied else labels.remarks
    return replace(report, **labels._replace(remarks=remarks)._asdict())


def add(database: Database, data: Path, paths: Sequence[str]) -> None:
    """Rows for pictures that were put into the folder; what has a row keeps it.

    Raises:
        InputError: the first reading is not over.
    """
    with database.read() as connection:
        if value_of(connection, "import") != "done":
            raise InputError("the folder is still being read for the first time: try again later")
        kind = value_of(connection, "kind")
    _add(database, data, paths, {path: status_of(data / path) for path in paths}, kind)


def home(database: Database) -> str:
    """The one folder in which the pictures of the label files lie; empty where there is none."""
    with database.read() as connection:
        if value_of(connection, "kind") != "boxes":
            return ""
        rows = select(_p.path).where(_p.listed == 1).limit(1000)
        folders = {given(path).rpartition("/")[0] for path in connection.execute(rows).scalars()}
    return folders.pop() if len(folders) == 1 else ""


def _unknown(database: Database, data: Path, known: Mapping[str, RowMapping]) -> list[str]:
    """The pictures without a row, but for those of empty stands, which are not to be labelled."""
    paths = [path for path in pictures_below(data) if path not in known]
    if not paths:
        return []
    with database.read() as connection:
        runs = connection.execute(select(tables.proposal.c.run).distinct()).scalars()
        stands = stand_names(map(given, runs))
    return [path for path in paths if PurePosixPath(path).name not in stands]


def _new(data: Path, paths: list[str], known: dict[str, RowMapping], kind: str) -> list[str]:
    """Of pictures without a row, those beside others of the set, or with labels of their own; all
    if it began without labels."""
    folders = {path.rpartition("/")[0] for path in known}
    listed = any(row["listed"] for row in known.values())
    if kind == "masks" or (kind == "boxes" and listed):
        elsewhere = [path for path in paths if path.rpartition("/")[0] not in folders]
        own = latecomers.likely(survey(data), elsewhere) if elsewhere and kind == "boxes" else {}
        labelled = {path for path, file in own.items() if is_yolo_labels(data / file)}
        return [path for path in paths if path.rpartition("/")[0] in folders or path in labelled]
    return paths


def _moved(
    data: Path, missing: Sequence[RowMapping], fresh: dict[str, dict[str, object]]
) -> dict[str, str]:
    """For paths that are missing, where they are now, as far as it is certain."""
    places: dict[tuple[object, object], list[str]] = defaultdict(list)
    for path, status in fresh.items():
        places[status["size"], status["mtime"]].append(path)
    alike: dict[tuple[object, object], int] = defaultdict(int)
    for row in missing:
        alike[row["size"], row["mtime"]] += 1
    found: dict[str, str] = {}
    for row in missing:
        key = row["size"], row["mtime"]
        candidates = places.get(key, []) if row["size"] is not None else []
        if row["digest"]:
            candidates = [p for p in candidates if digest_of(data / p) == row["digest"]]
        name = PurePosixPath(given(row["path"])).name
        if len(candidates) > 1 or alike[key] > 1:
            candidates = [p for p in candidates if PurePosixPath(p).name == name]
        if len(candidates) == 1 and candidates[0] not in found.values():
            found[given(row["path"])] = candidates[0]
    return found


def _changed(
    data: Path,
    known: Mapping[str, RowMapping],
    found: dict[str, dict[str, object]],
    *,
    copied: bool,
) -> tuple[list[str], list[str]]:
    """Pictures of other bytes, and those that only have another time."""
    changed: list[str] = []
    same: list[str] = []
    for path, row in known.items():
        status = found[path]
        if status["missing"] or row["size"] is None:
            continue
        if (status["size"], status["mtime"]) == (row["size"], row["mtime"]):
            continue
        # Of one that waits as it could not be read, no labels are there that might not fit.
        labelled = row["ready"] or row["width"]
        known_same = copied and not row["digest"]
        unlike = status["size"] != row["size"] or not (
            known_same or row["digest"] == digest_of(data / path)
        )
        (changed if labelled and unlike else same).append(path)
    return changed, same


def _copied(known: Mapping[str, RowMapping], found: dict[str, dict[str, object]]) -> bool:
    """Whether the folder as a whole was copied, or taken from an archive: all times are others, and
    most sizes are what they were."""
    pairs = [(row, found[path]) for path, row in known.items() if row["size"] is not None]
    there = [(row, status) for row, status in pairs if not status["missing"]]
    alike = sum(row["size"] == status["size"] for row, status in there)
    others = all(row["mtime"] != status["mtime"] for row, status in there)
    return len(there) >= _A_COPY and others and 2 * alike > len(there)


def digest_of(file: Path) -> str:
    """What tells a file's bytes from others; nothing of one that cannot be read."""
    try:
        return digests.of_files([file])[0].hex()
    except InputError:
        return ""


def _sizes(data: Path, paths: Sequence[str]) -> dict[str, tuple[int, int]]:
    if not paths:
        return {}
    with events.listening():
        sizes = measured_sizes(data, paths).tolist()
    return {path: (width, height) for path, (width, height) in zip(paths, sizes, strict=True)}


def _now(row: RowMapping, status: dict[str, object], path: str | None = None) -> dict[str, object]:
    names = ("changed", "digest", "width", "height")
    values = {"key_": row["id"], "path": row["path"] if path is None else kept(path)}
    return values | {name: row[name] for name in names} | status


def _gone(row: RowMapping) -> dict[str, object]:
    return _now(row, {"size": row["size"], "mtime": row["mtime"], "missing": 1})


def _write(database: Database, updates: list[dict[str, object]]) -> None:
    if not updates:
        return
    values: dict[str, object] = {name: bindparam(name) for name in updates[0] if name != "key_"}
    with database.write() as connection:
        where = _p.id == bindparam("key_")
        connection.execute(tables.picture.update().where(where).values(values), updates)


def _add(
    database: Database,
    data: Path,
    paths: Sequence[str],
    fresh: dict[str, dict[str, object]],
    kind: str | None,
) -> None:
    if not paths:
        return
    sizes = _sizes(data, paths)
    labels: dict[str, str] = {}
    if kind == "classes":
        table = tables.label_class.c
        with database.read() as connection:
            names = select(table.name, table.id).where(table.removed == 0)
            labels = {given(name): label for name, label in connection.execute(names)}
    rows = []
    for path in paths:
        width, height = sizes[path]
        row = new_row(path) | fresh[path] | {"width": width, "height": height, "ready": 1}
        label = labels.get(PurePosixPath(path).parent.name)
        rows.append(row | {"label": label, "state": "todo" if label is None else "done"})
    add_pictures(database, rows)
