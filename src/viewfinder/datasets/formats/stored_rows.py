"""Rows of the studio's tables as data sets take them: which pictures count, and what moves through
the frames of a video between those in which a person marked it."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from viewfinder.datasets.faults import Fault
from viewfinder.datasets.footage import Between, Carried, Key, between, footage_of
from viewfinder.datasets.formats.stored_classes import Ask
from viewfinder.datasets.formats.stored_text import checked_path, given
from viewfinder.pictures.finding import is_picture
from viewfinder.wording import counted, some

IN_ORDER = "in order"
"""Keeps the folders without a list of frames whose pictures are frames in their order."""
MOTION = "motion"
"""Keeps, by video, how things move between keys: `linear`, or `flow`."""
UNREAD = "unread"
"""Keeps the files of labels that could not be read: by name the sign (size and times), why, and the
ids of the pictures."""
FAULTS = "faults"
"""Keeps what was wrong with the files of the set as a whole when they were read."""
LEFT_OUT = "left-out"
"""The kind of those faults that are of boxes in files which the studio could not take over."""
SEEN_AGAIN = (-1, -1)
"""The sign of a file that is looked at again whenever the folder is."""
ANEW = "labelled anew"
"""How the trouble of a picture begins that counts only once it is done."""
# Behind all boxes of a picture that have rows.
_LAST = 1 << 62


class PictureRow(NamedTuple):
    """A row of `picture`: what the studio writes, and else an error where it is put to use."""

    id: int
    path: str
    width: int
    height: int
    label: str | None
    state: str
    side: int
    grp: str
    number: int | None
    listed: int
    trouble: str | None
    rev: int = 1


class BoxRow(NamedTuple):
    """A row of `box`; `key` is 0 of one that no row has, as it is interpolated."""

    picture: int
    label: str
    x1: float
    y1: float
    x2: float
    y2: float
    mask: str | None
    difficult: int
    crowd: int
    area: float | None
    number: int | None
    place: int
    id: str
    track: str | None
    key: int = 1


def left_out(row: PictureRow, boxed: set[int], whole: bool, waiting: Collection[int] = ()) -> str:
    """Why a picture does not count, or nothing.

    Args:
        waiting: the pictures whose file of labels could not be read.
    """
    label, state, listed = row.label, row.state, row.listed
    if row.id in waiting:
        return "waits for its labels to be read|wait for their labels to be read"
    if state == "skipped":
        return "was skipped in the studio|were skipped in the studio"
    if row.trouble and state != "done" and row.trouble.startswith(ANEW):
        return "is being labelled anew|are being labelled anew"
    if row.trouble and state != "done":
        what = "labels that cannot be used (the studio says why)"
        return f"has {what}|have {what}"
    if whole and label is None:
        return "has no class yet|have no class yet"
    if not whole and state != "done" and not listed and row.id not in boxed:
        return "is still to do|are still to do"
    return ""


def said_of(counts: Counter[str]) -> Iterator[str]:
    for why, count in counts.items():
        if why:
            one, many = why.split("|")
            said, is_ = (one, "is") if count == 1 else (many, "are")
            yield f"{counted(count, 'picture')} {said} and {is_} left out"


def unread_faults(
    meta: Mapping[str, str],
    root: Path,
    pictures: Sequence[PictureRow],
    blocking: bool,
) -> tuple[list[Fault], set[int]]:
    """The files of labels that the studio has not read, as faults; and the pictures that wait.
    Those too that are not taken in, as their pictures have other labels.

    Args:
        blocking: they keep one from learning from other pictures.
    """
    paths = {row.id: given(row.path) for row in pictures}
    known = json.loads(meta.get(UNREAD) or '{"files": {}}')
    files = known["files"]
    faults, waiting = [], set()
    for name, (sign, why, ids, *_) in files.items():
        file = checked_path(given(name))
        where, detail, fix = _as_it_is_now(root, file, tuple(sign), given(why))
        own = [paths[id] for id in ids if id in paths]
        waiting.update(ids)
        about = file, own[0] if own else ""
        is_ = "is" if len(own) == 1 else "are"
        also = f"; {some(own, 2)} {is_} left out" if own and not blocking else ""
        kind = "unreadable" if is_picture(file) else "label"
        faults.append(Fault(kind, where, f"{detail}{also}", fix, blocking, *about))
    return [*faults, *_held_faults(known.get("mended", {}), pictures, paths)], waiting


def first_faults(meta: Mapping[str, str], pictures: Sequence[PictureRow]) -> Iterator[Fault]:
    """What was wrong with the files of the set when the studio read them; not what was left out of
    those pictures of which a person said that they are done."""
    below = meta.get("below", "")
    start = f"{given(below)}/" if below else ""
    decided = {given(row.path).removeprefix(start) for row in pictures if row.state != "todo"}
    for kind, file, detail, fix in json.loads(meta.get(FAULTS) or "[]"):
        fault = Fault(given(kind), given(file), given(detail), given(fix))
        if fault.kind != LEFT_OUT or fault.file not in decided:
            yield fault


def _held_faults(
    mended: Mapping[str, Sequence[Any]], pictures: Sequence[PictureRow], paths: Mapping[int, str]
) -> Iterator[Fault]:
    """The files that were not taken in, as their pictures have other labels."""
    rows = {str(row.id): row for row in pictures}
    for name, (_, _, _, *held) in mended.items():
        for why, revisions in filter(None, held):
            own = [rows[id] for id in revisions if id in rows]
            open_ = [row for row in own if is_undecided(row.state, row.rev, revisions[str(row.id)])]
            if open_:
                file = checked_path(given(name))
                detail, _, fix = given(why).partition(": ")[2].rpartition("; ")
                yield Fault("label", file, detail, fix, False, file, paths[open_[0].id])


def is_undecided(state: str, revision: int, then: int) -> bool:
    """Whether a picture was not said to be done since it had another revision."""
    return state != "done" or revision <= then


def _as_it_is_now(root: Path, file: str, sign: tuple[int, ...], why: str) -> tuple[str, str, str]:
    """Where in a file of labels, what is wrong there, and what to do; of one that was not read."""
    reads = "the studio (`viewfinder label`) reads it once it is opened"
    try:
        now = _sign(root / file)
    except (FileNotFoundError, NotADirectoryError):
        return file, "it is gone", f"put it back, and {reads}"
    except OSError as error:
        said = f"it cannot be looked at ({error.strerror or error})"
        return file, said, f"give your account the right to read it, and {reads}"
    if sign not in (SEEN_AGAIN, now):
        return file, "it could not be read, and is another file since", reads
    where, _, said = why.partition(": ")
    detail, _, fix = said.rpartition("; ")
    return where, detail or said, f"{fix or 'mend it'}, and {reads}"


def _sign(file: Path) -> tuple[int, int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def between_keys(
    root: Path,
    in_order: Sequence[str],
    pictures: Mapping[str, int],
    boxes: Sequence[BoxRow],
    carried: Mapping[tuple[int, str], Carried],
) -> Iterator[tuple[int, Between]]:
    """What moves through the frames between keys, each with the id of its picture.

    Args:
        pictures: the id of each, by path, in their order.
        boxes: those with a track are keys.
        carried: what was followed, by picture and track.
    """
    keys: dict[int, list[BoxRow]] = {}
    for row in sorted(boxes, key=lambda row: (row.place, row.id)):
        if row.track is not None:
            keys.setdefault(row.picture, []).append(row)
    folders = {path.rpartition("/")[0] for path, id in pictures.items() if id in keys}
    paths = [path for path in pictures if path.rpartition("/")[0] in folders]
    for footage in footage_of(root, paths, in_order) if folders else ():
        ids = [pictures[path] for path in footage.paths]
        places = {id: place for place, id in enumerate(ids)}
        found = [
            Key(given(str(row.track)), places[id], row.id, row.label, row[2:6])
            for id in ids
            for row in keys.get(id, ())
        ]
        followed = {
            (given(track), places[id]): each
            for (id, track), each in carried.items()
            if id in places
        }
        for one in between(found, [origin.seconds for origin in footage.origins], followed):
            yield ids[one.place], one


def interpolated(
    ask: Ask,
    root: Path,
    meta: Mapping[str, str],
    pictures: Sequence[PictureRow],
    boxes: Sequence[BoxRow],
) -> list[BoxRow]:
    """Rows that no table has: boxes between keys, of whole databases."""
    tracked = [row for row in boxes if row.track is not None]
    if not tracked:
        return []
    carried = {}
    if meta.get("schema") not in ("1", "2"):
        rows = ask("SELECT picture, track, first, second, x1, y1, x2, y2, sure FROM carried")
        carried = {(int(r[0]), str(r[1])): carried_of(r[2:]) for r in rows}  # type: ignore[call-overload]
    paths = {checked_path(given(row.path)): row.id for row in pictures}
    in_order = json.loads(meta.get(f"page:{IN_ORDER}") or "[]")
    found = between_keys(root, in_order, paths, tracked, carried)
    return [
        BoxRow(id, one.label, *one.corners, None, 0, 0, None, None, _LAST, one.track, one.track, 0)
        for id, one in found
    ]


def carried_of(row: Sequence[object]) -> Carried:
    """Of the columns `first, second, x1, y1, x2, y2, sure`."""
    first, second, x1, y1, x2, y2, sure = row
    corners = (float(x1), float(y1), float(x2), float(y2))  # type: ignore[arg-type]
    return Carried(str(first), str(second), corners, float(sure))  # type: ignore[arg-type]
