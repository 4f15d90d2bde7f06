"""The store of labels: append-only operations on SQLite or PostgreSQL. The room's whole interface.

    from viewfinder.studio import store

    with store.open_store(data) as labels:              # data: Path; DATA/.viewfinder/labels.db
        labels.progress()                                # -> Progress; first reading in background
        labels.pictures(Filter(state="todo"), start=0, count=100)     # -> Page of Picture
        labels.picture(7)                                # -> OnePicture: boxes, proposals, revision
        labels.classes()                                 # -> tuple[LabelClass, ...], in order
        labels.counts()                                  # -> Counts
        labels.apply(Operation(id, (PutBox(…), SetState(…)), person, session))    # -> Applied
        labels.undo(id, person); labels.redo(id, person) # -> Applied
        labels.next_picture(7, Filter(state="todo"))     # -> int | None
        labels.place_of(7, Filter(state="todo"))         # -> int | None, in the order

`apply` returns once the operation is on the disk. An id that was sent before changes nothing and
gives the same `Applied` with `again=True`. A change whose `base` is not the record's revision
raises `Conflict`, whose `now` has the records as they are; nothing of the operation is done then.
Each change of a record adds exactly 1 to its revision, so a client may queue edits of one box
before the first is answered. Undo and redo go by person, and are operations themselves.

More of `Store`: `kind()`, whether boxes or classes are labelled; `notes() -> tuple[str, ...]`, what
reading said; `caution()`, what to know of the disk; `set_meta(key, text)` and `meta(key)` for a
person's keys and sliders;
`path_of(picture) -> Path`; `propose(run, proposals) -> int` and `take_proposals() -> int` (those of
`viewfinder propose`); `history(before=None, count=100, picture=None) -> tuple[Done, ...]`;
`seats`, who holds which picture (`seats.Seats`); `opinions`, second ones (`opinions.Opinions`);
`restore(id, seq, person) -> Applied`; `look_at_disk() -> DiskReport`;
`add_pictures(paths)` and `home() -> str`, for pictures put there; `snapshot() -> Dataset`;
`export(out, to=…) -> Export` for `coco`, `yolo`, `voc` and `folders`; `write_lines(file)` and
`read_lines(data, file)`, with everything; `backup(file)`; `close()`. Every method may be called
from any thread.

`operation_of(json)` makes an `Operation` of a request's JSON; `as_json(record)` the reverse way.
Bad input of any kind is an `InputError`, and `Conflict` is one too. `Unavailable`, another, is no
fault of what was asked: the disk is full, or the database does not answer. What was to be written
is then kept by the client, and sent again.
"""

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
    operation_of,
)
from viewfinder.studio.store.folder_records import DiskReport
from viewfinder.studio.store.opening import open_store, read_lines
from viewfinder.studio.store.records import (
    Applied,
    Box,
    Conflict,
    Counts,
    Done,
    Export,
    Filter,
    LabelClass,
    OnePicture,
    Page,
    Picture,
    Progress,
    Proposal,
    Unavailable,
    as_json,
)
from viewfinder.studio.store.store import Store

__all__ = [
    "Accept",
    "Applied",
    "Box",
    "Change",
    "Conflict",
    "Counts",
    "DiskReport",
    "Done",
    "Export",
    "Filter",
    "LabelClass",
    "LabelPicture",
    "MergeClass",
    "OnePicture",
    "Operation",
    "Page",
    "Picture",
    "Progress",
    "Proposal",
    "PutBox",
    "PutClass",
    "Reject",
    "RemoveBox",
    "RemoveClass",
    "SetState",
    "Store",
    "Unavailable",
    "as_json",
    "open_store",
    "operation_of",
    "read_lines",
]
