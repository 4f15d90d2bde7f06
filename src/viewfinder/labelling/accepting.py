"""From proposals to labels, by a rule that a person chose, and back again.

A picture is taken when every one of its proposals scores high enough: were only the sure ones
taken, the others' objects would be learnt as background. A picture that has boxes already is left
as it is. What is taken goes into the set's COCO file, each box with its score and the rule; a
folder without labels gets `annotations/instances_all.json`.

`.viewfinder/accepted.json` lists what was accepted, and beside it lies each changed file as it was.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from viewfinder.datasets.finding import checked_name
from viewfinder.datasets.large_json import explained_json, read_text
from viewfinder.errors import InputError
from viewfinder.files import explained_writing, write_bytes, write_json
from viewfinder.labelling.label_files import LabelFile, read_label_files, with_proposals
from viewfinder.labelling.proposals import HIDDEN, Proposals, read_proposals

_SCHEMA = 1
_ENTRY = {"rule": str, "pictures": int, "boxes": int, "changes": list}
_CHANGE = {"file": str, "existed": bool, "after": str}


@dataclass(frozen=True)
class Acceptance:
    """What became of the proposals.

    Attributes:
        rule: in words for a person.
        pictures: how many were taken.
        boxes: how many were taken.
        below: pictures with a proposal that the rule does not let pass.
        labelled: pictures that had boxes already.
        unlisted: pictures that none of the set's several files lists.
        files: the files of labels that were changed, relative to the data folder.
    """

    rule: str
    pictures: int
    boxes: int
    below: int = 0
    labelled: int = 0
    unlisted: int = 0
    files: tuple[str, ...] = ()


def accept(data: Path, *, above: float, proposals: Proposals | None = None) -> Acceptance:
    """Make labels of the proposals of every picture whose proposals all score at least `above`.

    Args:
        proposals: those kept for `data`, where they have been read already.

    Raises:
        InputError: there are no proposals, `above` is not from 0 to 1, the set is YOLO's or VOC's,
            or a file cannot be read or written.
    """
    if not 0 <= above <= 1:
        raise InputError(f"a score is from 0 to 1, so none can be tested against {above:g}")
    proposals = read_proposals(data) if proposals is None else proposals
    if not proposals.paths:
        raise InputError(f"nothing is proposed for {data} yet: use `viewfinder propose` with --by")
    rule = f"every proposal of the picture scores at least {above:g}"
    worst = np.full(len(proposals.paths), math.inf)
    np.minimum.at(worst, proposals.pictures, proposals.scores)
    good = np.flatnonzero((worst >= above) & np.isfinite(worst)).tolist()
    files = read_label_files(data)
    places = [_place(proposals.paths[picture], files) for picture in good]
    taken = {
        index: [picture for picture, place in zip(good, places, strict=True) if place == index]
        for index in range(len(files))
    }
    changes = {
        files[index]: with_proposals(files[index], data, proposals, pictures, rule)
        for index, pictures in taken.items()
        if pictures
    }
    done = Acceptance(
        rule,
        sum(map(len, taken.values())),
        sum(len(proposals.of(picture)) for pictures in taken.values() for picture in pictures),
        int((worst < above).sum()),
        places.count(_LABELLED),
        places.count(_UNLISTED),
        tuple(file.path for file in changes),
    )
    if changes:
        _carry_out(data, done, changes)
    return done


_LABELLED, _UNLISTED = -1, -2


def _place(path: str, files: Sequence[LabelFile]) -> int:
    """The index of the file that a picture's boxes go to, or why there is none."""
    if any(path in file.labelled for file in files):
        return _LABELLED
    listed = [index for index, file in enumerate(files) if path in file.ids]
    if listed:
        return listed[0]
    return 0 if len(files) == 1 else _UNLISTED


def _carry_out(data: Path, done: Acceptance, changes: dict[LabelFile, bytes]) -> None:
    """Keep what was, note what is to be, and only then write it: a crash loses nothing."""
    history = _history(data)
    entry = {
        "rule": done.rule,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "pictures": done.pictures,
        "boxes": done.boxes,
        "changes": [
            {"file": file.path, "existed": file.before is not None, "after": _digest(after)}
            for file, after in changes.items()
        ],
    }
    for index, file in enumerate(changes):
        if file.before is not None:
            write_bytes(_kept_file(data, len(history), index), file.before)
    _write_history(data, [*history, entry])
    for file, after in changes.items():
        write_bytes(data / file.path, after)


def take_back(data: Path) -> Acceptance:
    """Undo the last acceptance: each file becomes, byte for byte, what it was before.

    Raises:
        InputError: nothing was accepted, or a file has been changed since then.
    """
    history = _history(data)
    if not history:
        raise InputError(f"nothing in {data} was accepted by a rule, so nothing can be taken back")
    entry, number = history[-1], len(history) - 1
    plans = [
        (data / change["file"], _former(data, change, _kept_file(data, number, index)))
        for index, change in enumerate(entry["changes"])
    ]
    for file, before in plans:
        if before is not None:
            write_bytes(file, before)
        elif file.is_file():
            with explained_writing(file):
                file.unlink()
                if not any(file.parent.iterdir()):
                    file.parent.rmdir()
    _write_history(data, history[:-1])
    for index in range(len(plans)):
        _kept_file(data, number, index).unlink(missing_ok=True)
    files = tuple(change["file"] for change in entry["changes"])
    return Acceptance(entry["rule"], entry["pictures"], entry["boxes"], files=files)


def _former(data: Path, change: dict[str, Any], kept: Path) -> bytes | None:
    """What a file held before, or None where there was none.

    Raises:
        InputError: it has been changed since, or what was kept of it is gone.
    """
    file = data / change["file"]
    if change["existed"] and not kept.is_file():
        raise InputError(f"{kept} is gone, which held {file} as it was: nothing was taken back")
    before = kept.read_bytes() if change["existed"] else None
    now = file.read_bytes() if file.is_file() else None
    # The labels are written last, so that a crash before leaves them as they were.
    if now != before and (now is None or _digest(now) != change["after"]):
        advice = f"; as it was before, it is {kept}" if change["existed"] else ""
        raise InputError(
            f"{file} has been changed since boxes were accepted into it, and taking them back "
            f"would lose that{advice}"
        )
    return before


def _history_file(data: Path) -> Path:
    return data / HIDDEN / "accepted.json"


def _kept_file(data: Path, number: int, index: int) -> Path:
    return data / HIDDEN / f"before-{number}-{index}.json"


def _write_history(data: Path, entries: list[dict[str, Any]]) -> None:
    if entries:
        write_json(_history_file(data), {"schema": _SCHEMA, "acceptances": entries})
    else:
        _history_file(data).unlink(missing_ok=True)


def _history(data: Path) -> list[dict[str, Any]]:
    file = _history_file(data)
    if not file.is_file():
        return []
    with explained_json(file):
        document = json.loads(read_text(file))
    entries: Any = None
    if _is_like(document, {"schema": int, "acceptances": list}) and document["schema"] == _SCHEMA:
        entries = document["acceptances"]
    if entries is None or not all(_is_like(entry, _ENTRY) for entry in entries):
        raise InputError(f"{file} is damaged or of another version: what it lists stays accepted")
    for change in (change for entry in entries for change in entry["changes"]):
        if not _is_like(change, _CHANGE):
            raise InputError(f"{file} is damaged: what it lists stays accepted")
        checked_name(change["file"], where=str(file))
    return list(entries)


def _is_like(item: Any, kinds: dict[str, type]) -> bool:
    return isinstance(item, dict) and all(
        type(item.get(key)) is kind for key, kind in kinds.items()
    )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
