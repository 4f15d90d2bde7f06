"""What each kind of change does to records."""

import json
from typing import assert_never

from sqlalchemy import bindparam, select

from viewfinder.datasets.formats.stored_text import given, kept
from viewfinder.errors import InputError
from viewfinder.studio.store import tables
from viewfinder.studio.store.changes import (
    Accept,
    Change,
    LabelPicture,
    MergeClass,
    Operation,
    PutBox,
    PutClass,
    Reject,
    RemoveBox,
    RemoveClass,
    SetState,
)
from viewfinder.studio.store.class_list import (
    class_named,
    existing_class,
    expect_class,
    put_class,
    settle,
)
from viewfinder.studio.store.records import Corners, Unavailable
from viewfinder.studio.store.writing import Contents, Key, Writer
from viewfinder.wording import counted

# Boxes that people add stand behind those of the files, in the order of their operations.
FIRST_PLACE = 1 << 40
_IS_READY = select(tables.picture.c.ready, tables.picture.c.trouble)
_IS_READY = _IS_READY.where(tables.picture.c.id == bindparam("key_"))


def apply_all(writer: Writer, operation: Operation) -> None:
    """Make all changes of an operation in the writer's memory.

    Raises:
        Conflict: a record has another revision than a change is based on, or is no more.
        Unavailable: a picture's boxes have not been read yet.
        InputError: a change cannot be.
    """
    writer.load(key for change in operation.changes for key in _keys(change))
    for number, change in enumerate(operation.changes):
        _apply(writer, change, number)
    settle(writer)


def _keys(change: Change) -> list[Key]:
    """The records that a change is about."""
    match change:
        case PutBox():
            return [
                ("box", change.id),
                ("picture", str(change.picture)),
                ("class", change.label),
            ]
        case RemoveBox():
            return [("box", change.id)]
        case LabelPicture() | SetState():
            return [("picture", str(change.picture))]
        case PutClass() | MergeClass() | RemoveClass():
            return [("class", change.id)]
        case Accept():
            return [("proposal", change.proposal), ("box", change.box)]
        case Reject():
            return [("proposal", change.proposal)]
    assert_never(change)


def _apply(writer: Writer, change: Change, number: int) -> None:
    match change:
        case PutBox():
            _put_box(writer, change, number)
        case RemoveBox():
            box = writer.expect("box", change.id, change.base, "the box")
            if box is None:
                raise writer.conflict("the box was removed meanwhile", [("box", change.id)])
            _ready(writer, box["picture"])
            writer.put("box", change.id, None)
        case LabelPicture():
            contents = _picture(writer, change.picture, change.base)
            if change.label is not None:
                expect_class(writer, change.label)
            writer.put("picture", str(change.picture), contents | {"label": change.label})
        case SetState():
            contents = _picture(writer, change.picture, change.base)
            writer.put("picture", str(change.picture), contents | {"state": change.state})
        case PutClass():
            put_class(writer, change)
        case MergeClass():
            contents = existing_class(writer, change.id, change.base)
            expect_class(writer, change.into)
            writer.put("class", change.id, contents | {"merged": change.into})
        case RemoveClass():
            existing_class(writer, change.id, change.base)
            writer.put("class", change.id, None)
        case Accept():
            _accept(writer, change, number)
        case Reject():
            contents = _proposal(writer, change.proposal, change.base)
            writer.put("proposal", change.proposal, contents | {"state": "rejected", "box": None})


def _put_box(writer: Writer, change: PutBox, number: int) -> None:
    _ready(writer, change.picture)
    before = writer.expect("box", change.id, change.base, "the box")
    if before is None and change.base:
        raise writer.conflict("the box was removed meanwhile", [("box", change.id)])
    if before is not None and before["picture"] != change.picture:
        raise InputError(f"the box {change.id} is of another picture: a new box needs a new id")
    expect_class(writer, change.label)
    writer.put(
        "box",
        change.id,
        {
            "picture": change.picture,
            "label": change.label,
            **_placed(change.corners, change.mask, change.source, change.score),
            "track": None if change.track is None else kept(change.track),
            "key_frame": int(change.key_frame),
            "difficult": int(change.difficult),
            "crowd": int(change.crowd),
            # The file's area is of the outline that stands in the file.
            "area": before["area"] if before and _same_shape(before, change) else None,
            "number": before["number"] if before else None,
            "place": before["place"] if before else _place(writer, number),
            "person": kept(writer.person),
            "at": writer.at,
        },
    )


def _placed(corners: Corners, mask: object, source: str, score: float | None) -> Contents:
    x1, y1, x2, y2 = map(float, corners)
    return {
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "mask": None if mask is None else mask_text(mask),
        "source": kept(source),
        "score": None if score is None else float(score),
    }


def mask_text(mask: object) -> str:
    """A mask as the tables keep it."""
    return json.dumps(mask, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def _same_shape(before: Contents, change: PutBox) -> bool:
    corners = tuple(before[name] for name in ("x1", "y1", "x2", "y2"))
    mask = None if change.mask is None else mask_text(change.mask)
    return corners == tuple(map(float, change.corners)) and before["mask"] == mask


def _place(writer: Writer, number: int) -> int:
    return FIRST_PLACE + (writer.seq << 16) + number


def _ready(writer: Writer, picture: int) -> None:
    row = writer.connection.execute(_IS_READY, {"key_": picture}).first()
    if row is None:
        raise InputError(f"there is no picture {picture}")
    if not row.ready and row.trouble:
        raise InputError(f"its labels wait to be read, or to be made anew: {given(row.trouble)}")
    if not row.ready:
        raise Unavailable("the labels of this picture are still being read: try again in a moment")


def _picture(writer: Writer, picture: int, base: int) -> Contents:
    _ready(writer, picture)
    contents = writer.expect("picture", str(picture), base, "the picture")
    assert contents is not None
    return contents


def _proposal(writer: Writer, proposal: str, base: int) -> Contents:
    contents = writer.expect("proposal", proposal, base, "the proposal")
    if contents is None and base:  # it gave place to newer ones, and was seen before that
        contents = writer.removed("proposal", proposal)
    if contents is None:
        raise writer.conflict("the proposal is no more", [("proposal", proposal)])
    if contents["state"] != "open":
        raise writer.conflict(f"the proposal is {contents['state']}", [("proposal", proposal)])
    return contents


def _accept(writer: Writer, change: Accept, number: int) -> None:
    drawn = change.picture is not None and change.corners and change.label
    if drawn and writer.get("proposal", change.proposal).revision == 0:
        assert change.picture is not None
        assert change.corners
        assert change.label
        put = PutBox(change.box, change.picture, change.label, change.corners, 0)
        _put_box(writer, put, number)
        return
    contents = _proposal(writer, change.proposal, change.base)
    label = change.label or class_named(writer, contents["name"], change.proposal)
    _put_box(
        writer,
        PutBox(
            change.box,
            contents["picture"],
            label,
            change.corners or tuple(contents[name] for name in ("x1", "y1", "x2", "y2")),
            0,
            # The mask is of the proposed corners.
            mask=json.loads(contents["mask"]) if contents["mask"] and not change.corners else None,
            source=given(contents["source"]),
            score=contents["score"],
        ),
        number,
    )
    writer.put("proposal", change.proposal, contents | {"state": "accepted", "box": change.box})


def said_of(operation: Operation) -> str:
    """An operation in words for a person: three `RemoveBox` are `3 boxes removed`."""
    put = [each for each in operation.changes if isinstance(each, PutBox)]
    new = sum(not each.base for each in put)
    parts = [f"{counted(new, 'box')} drawn"] if new else []
    if len(put) > new:
        parts.append(f"{counted(len(put) - new, 'box')} changed")
    words = {
        RemoveBox: ("box removed", "boxes removed"),
        LabelPicture: ("picture given a class", "pictures given a class"),
        SetState: ("picture's state set", "pictures' states set"),
        PutClass: ("class set", "classes set"),
        MergeClass: ("class merged", "classes merged"),
        RemoveClass: ("class removed", "classes removed"),
        Accept: ("proposal accepted", "proposals accepted"),
        Reject: ("proposal rejected", "proposals rejected"),
    }
    for kind, (one, many) in words.items():
        chosen = [each for each in operation.changes if isinstance(each, kind)]
        if chosen:
            count = len(chosen)
            parts.append(f"{count:,} {one if count == 1 else many}{_detail(chosen[0], count)}")
    return ", ".join(parts)


def _detail(change: Change, count: int) -> str:
    if count > 1:
        return ""
    match change:
        case PutClass():
            return f": {change.name}"
        case SetState():
            return f": {change.state}"
    return ""
