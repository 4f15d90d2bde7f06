"""What the store holds, as its users see it: plain data, ready to become JSON by `as_json`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, overload

from viewfinder.errors import InputError
from viewfinder.studio.store.film_records import (
    STATES as STATES,
)
from viewfinder.studio.store.film_records import (
    Corners as Corners,
)
from viewfinder.studio.store.film_records import (
    Kind as Kind,
)
from viewfinder.studio.store.film_records import (
    Moving as Moving,
)
from viewfinder.studio.store.film_records import (
    State as State,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True)
class LabelClass:
    """A class. Boxes point to its id, so renaming it is one row.

    Attributes:
        colour: `#rrggbb`, or empty for the page to choose.
        key: the key that chooses it, or empty.
        position: its place in the one ordered list; classes of one position stand in order of id.
        number: the number that the files gave it (COCO), where they did.
        merged: the id of the class that it was merged into, and whose boxes its boxes are now.
        revision: counts its changes, from 1.
    """

    id: str
    name: str
    colour: str
    key: str
    position: int
    number: int | None
    merged: str | None
    revision: int


@dataclass(frozen=True)
class Picture:
    """A picture as a row of a list.

    Attributes:
        path: relative to the data folder, with forward slashes.
        width, height: upright, in pixels; 0 while they are not known (`ready` is False then, or
            the file cannot be read).
        label: the id of the class of the picture as a whole, where it has one.
        ready: its boxes have been read. Until then only its pixels can be shown, and edits are
            refused; with `trouble`, its file of labels could not be read.
        missing: its file was not there when last looked for.
        changed: its file has other bytes than when it was labelled.
        trouble: why its labels are not used, such as another shape than they state; or empty.
        boxes, proposals: how many it has, of proposals the open ones.
        revision: counts the changes of its own label and state, from 1; `base` of their edits.
        touched: the number of the last operation that touched it or its boxes or proposals;
            0 if none did. A page that has this number has the newest state.
    """

    id: int
    path: str
    width: int
    height: int
    label: str | None
    state: State
    ready: bool
    missing: bool
    changed: bool
    trouble: str
    boxes: int
    proposals: int
    revision: int
    touched: int


@dataclass(frozen=True)
class Box:
    """A label.

    Attributes:
        label: the id of its class; one that was merged is given as what it was merged into.
        mask: COCO's polygons (`[[x, y, …], …]`) or run lengths (`{size, counts}`), or None.
        track: the name of the object that it follows through frames, or None.
        key_frame: set by a person on this frame; others of the track may be interpolated.
        source: `hand`, `file`, `plate`, `saliency`, `run:…`, `track` or `interpolation`.
        score: the machine's, of an accepted proposal.
        person, at: who put it there last, and when, in seconds since 1970; a file's are "" and 0.
        revision: counts its changes, from 1; `base` of the next edit.
    """

    id: str
    picture: int
    label: str
    corners: Corners
    mask: object
    track: str | None
    key_frame: bool
    difficult: bool
    crowd: bool
    source: str
    score: float | None
    person: str
    at: float
    revision: int


@dataclass(frozen=True)
class Proposal:
    """What a machine suggests; it becomes a label only by an `Accept`.

    Attributes:
        run: what proposed it; what was rejected of a run stays so when the run proposes again.
        name: of its class, which may be none of the list yet.
        state: `open`, `accepted` (then `box` is the label that it became) or `rejected`.
    """

    id: str
    picture: int
    run: str
    name: str
    corners: Corners
    mask: object
    score: float
    source: str
    state: str
    box: str | None
    revision: int


@dataclass(frozen=True)
class OnePicture:
    """All that is known of a picture, read in one moment."""

    picture: Picture
    boxes: tuple[Box, ...]
    proposals: tuple[Proposal, ...]
    moving: tuple[Moving, ...] = ()


@dataclass(frozen=True)
class Page:
    """A part of a list: `total` pictures fit the filter, and these are the ones asked for."""

    total: int
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Filter:
    """Which pictures; what is None is not asked.

    Attributes:
        label: the id of a class, of which the picture or a box in it is.
        text: part of the path, whatever the case.
        proposed: with, or without, open proposals.
        source: with a box of this source.
        trouble: only those missing, changed, or with trouble.
    """

    state: State | None = None
    label: str | None = None
    text: str | None = None
    proposed: bool | None = None
    source: str | None = None
    trouble: bool | None = None


@dataclass(frozen=True)
class Applied:
    """An operation that is kept, come what may.

    Attributes:
        seq: its number in the one order of all operations.
        again: it had been applied before; nothing was done now.
        revisions: of each record that it changed, by kind (`box`, `class`, `picture`, `proposal`)
            and id as text, the revision now.
        of: of an undo or redo, the number of the operation that it undid or redid.
        said: in words for a person.
        pictures: the pictures that it touched.
    """

    seq: int
    id: str
    again: bool
    revisions: dict[str, dict[str, int]]
    of: int | None
    said: str
    pictures: tuple[int, ...]


@dataclass(frozen=True)
class Done:
    """A line of the history: who did what when.

    Attributes:
        paths: of pictures that it touched, three at most.
    """

    seq: int
    id: str
    at: float
    person: str
    session: str
    kind: str
    said: str
    of: int | None
    changes: int
    undone: bool
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """How far the first reading is.

    Attributes:
        stage: `reading`, `measuring`, `keeping`, `done` or `failed`.
        done, total: pictures; total is 0 while it is not known.
        trouble: why it failed, in a sentence for a person.
    """

    stage: str
    done: int
    total: int
    trouble: str = ""


@dataclass(frozen=True)
class Counts:
    """For the progress bar and the class panel: pictures by state, boxes and pictures by class."""

    states: dict[str, int]
    boxes: dict[str, int]
    pictures: dict[str, int]
    proposals: int


@dataclass(frozen=True)
class Export:
    """What an export wrote, after it was read back and compared.

    Attributes:
        lost: what the format cannot carry, and how often.
        notes: which pictures were left out and why, in words for a person.
    """

    out: str
    layout: str
    pictures: int
    boxes: int
    lost: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Conflict(InputError):
    """An edit of something that has changed since, or is no more. A server answers 409.

    Attributes:
        now: the records as they are, each as `{kind, id, record}`; `record` is None of what is
            no more.
    """

    def __init__(self, why: str, now: Sequence[dict[str, object]] = ()) -> None:
        super().__init__(why)
        self.now = list(now)


class Unavailable(InputError):
    """The store cannot be asked just now; the same request would be right later, and is to be kept
    until then. A server answers 503."""


@overload
def as_json(record: "DataclassInstance") -> dict[str, object]: ...
@overload
def as_json(record: "Sequence[DataclassInstance]") -> list[dict[str, object]]: ...
def as_json(
    record: "DataclassInstance | Sequence[DataclassInstance]",
) -> dict[str, object] | list[dict[str, object]]:
    """A record, or several, as what `json.dumps` takes."""
    return [asdict(each) for each in record] if isinstance(record, Sequence) else asdict(record)
