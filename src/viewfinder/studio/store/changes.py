"""What an operation asks for: changes, all of which are made, or none."""

import math
import re
from dataclasses import dataclass, fields
from typing import get_args, get_type_hints

from viewfinder.errors import InputError
from viewfinder.studio.store.records import STATES, Corners, State

MOST_CHANGES = 20_000
"""In one operation: as many as a person selects at once, and more."""

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}", re.ASCII)
_COLOUR = re.compile(r"(#[0-9a-f]{6})?", re.ASCII)
_SOURCE = re.compile(r"hand|file|plate|saliency|track|interpolation|run:[^\x00-\x1f]{1,200}")
_LONGEST_NAME, _LONGEST_MASK = 500, 4_000_000


@dataclass(frozen=True)
class PutBox:
    """Set all of a box: a new one with `base` 0, else the one that has revision `base`.

    `id` is the client's, 1 to 64 letters, digits and `_.:-`; a UUID will do.
    """

    id: str
    picture: int
    label: str
    corners: Corners
    base: int
    mask: object = None
    track: str | None = None
    key_frame: bool = False
    difficult: bool = False
    crowd: bool = False
    source: str = "hand"
    score: float | None = None


@dataclass(frozen=True)
class RemoveBox:
    """Remove the box that has revision `base`."""

    id: str
    base: int


@dataclass(frozen=True)
class LabelPicture:
    """Give a picture as a whole a class, or none."""

    picture: int
    label: str | None
    base: int


@dataclass(frozen=True)
class SetState:
    """Say of a picture that it is to do, done or skipped."""

    picture: int
    state: State
    base: int


@dataclass(frozen=True)
class PutClass:
    """Set all of a class, also its name and place: a new one with `base` 0, else that of `base`."""

    id: str
    name: str
    base: int
    colour: str = ""
    key: str = ""
    position: int = 0


@dataclass(frozen=True)
class MergeClass:
    """Let all that is of a class be of another, `into`; undoing it parts them again."""

    id: str
    into: str
    base: int


@dataclass(frozen=True)
class RemoveClass:
    """Remove a class that nothing is of."""

    id: str
    base: int


@dataclass(frozen=True)
class Accept:
    """Make a label of a proposal, with the new id `box`.

    Attributes:
        label: the class; None for the one with the proposal's name, made where there is none.
        corners: where the person corrected them.
        picture: with a class and corners, that of the box, which is the person's then even if the
            proposal gave place to newer ones meanwhile.
    """

    proposal: str
    box: str
    base: int
    label: str | None = None
    corners: Corners | None = None
    picture: int | None = None


@dataclass(frozen=True)
class Reject:
    """Refuse a proposal for good."""

    proposal: str
    base: int


Change = (
    PutBox
    | RemoveBox
    | LabelPicture
    | SetState
    | PutClass
    | MergeClass
    | RemoveClass
    | Accept
    | Reject
)
CHANGES: dict[str, type[Change]] = {each.__name__: each for each in get_args(Change)}


def _types(kind: type[object]) -> dict[str, set[type]]:
    """What the values of a change's plain fields may be."""
    found: dict[str, set[type]] = {}
    for name, hint in get_type_hints(kind).items():
        wanted = get_args(hint) or (hint,)
        # A text of few, such as a state, has its own check.
        found[name] = {each for each in wanted if isinstance(each, type)} or {str}
    return {name: types for name, types in found.items() if name not in ("corners", "mask")}


_TYPES = {name: _types(kind) for name, kind in CHANGES.items()}


@dataclass(frozen=True)
class Operation:
    """Some changes that are one for the person, and for undo.

    Attributes:
        id: the client's, new for each; sent again, it is applied once.
        person: who asks; undo and redo are by person, whatever the session.
        session: which window or program, for the history.
    """

    id: str
    changes: tuple[Change, ...]
    person: str = ""
    session: str = ""


def operation_of(document: object, *, person: str = "", session: str = "") -> Operation:
    """An operation from JSON: `{id, changes: [{do: "PutBox", …}, …]}`, fields as in the classes.

    Raises:
        InputError: it is of another form.
    """
    if not isinstance(document, dict) or not isinstance(document.get("changes"), list):
        raise InputError("an operation is an object with `id` and a list of `changes`")
    changes = tuple(_change_of(each) for each in document["changes"][: MOST_CHANGES + 1])
    operation = Operation(document.get("id"), changes, person, session)  # type: ignore[arg-type]
    checked(operation)
    return operation


def _change_of(document: object) -> Change:
    if not isinstance(document, dict) or document.get("do") not in CHANGES:
        raise InputError(f"a change says what to `do`: one of {', '.join(CHANGES)}")
    kind = CHANGES[document["do"]]
    known = {each.name for each in fields(kind)}
    given = {key: value for key, value in document.items() if key != "do"}
    if unknown := sorted(set(given) - known):
        raise InputError(f"{kind.__name__} has no field {str(unknown[0])[:60]!r}")
    if isinstance(given.get("corners"), list):
        given["corners"] = tuple(given["corners"])
    try:
        return kind(**given)
    except TypeError:
        required = {each.name for each in fields(kind)} - set(given)
        raise InputError(
            f"{kind.__name__} lacks a field; not given: {', '.join(sorted(required))}"
        ) from None


def checked(operation: Operation) -> None:
    """Refuse what no client of ours sends, whoever made it.

    Raises:
        InputError: a number is not finite, a text too long or not what it should be, a box without
            size, no change at all or more than `MOST_CHANGES`.
    """
    checked_id(operation.id)
    for text in (operation.person, operation.session):
        if not isinstance(text, str) or len(text) > _LONGEST_NAME:
            raise InputError("who asks, and in which session, are short texts")
    if not operation.changes or len(operation.changes) > MOST_CHANGES:
        raise InputError(f"an operation has from 1 to {MOST_CHANGES:,} changes")
    for change in operation.changes:
        _typed(change)
        for name in ("id", "label", "box", "proposal", "into"):
            if getattr(change, name, None) is not None:
                _matching(getattr(change, name), _ID, f"{name} of {type(change).__name__}")
        if getattr(change, "corners", None) is not None:
            _corners(change.corners)  # type: ignore[union-attr,arg-type]
        if isinstance(change, PutBox):
            _box(change)
        elif isinstance(change, PutClass):
            _class(change)
        elif isinstance(change, SetState) and change.state not in STATES:
            raise InputError(f"a picture is {', '.join(STATES)}, and not {str(change.state)[:60]}")


def _typed(change: Change) -> None:
    """Types as the dataclasses say; JSON's whole numbers may stand for floats."""
    for name, names in _TYPES[type(change).__name__].items():
        value = getattr(change, name)
        good = type(value) in names or (float in names and type(value) is int)
        if not good:
            raise InputError(f"{name} of {type(change).__name__} cannot be {str(value)[:60]!r}")
        if type(value) is int and not 0 <= value < 1 << 53:
            raise InputError(f"{name} of {type(change).__name__} is no number that can be")


def checked_id(id: str) -> None:
    """Refuse what cannot be the id of an operation.

    Raises:
        InputError: it is no text of 1 to 64 letters, digits and `_.:-`.
    """
    _matching(id, _ID, "the id of an operation")


def _matching(value: object, pattern: re.Pattern[str], what: str) -> None:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InputError(f"{what} cannot be {str(value)[:60]!r}")


def _corners(corners: Corners) -> None:
    numbers = isinstance(corners, tuple) and len(corners) == 4
    if not numbers or not all(type(v) in (int, float) and math.isfinite(v) for v in corners):
        raise InputError("the corners of a box are four finite numbers, x1, y1, x2, y2")
    x1, y1, x2, y2 = corners
    if x2 <= x1 or y2 <= y1 or max(map(abs, corners)) >= 1 << 31:
        raise InputError("a box has no size: x2 must be larger than x1, and y2 than y1")


def _box(change: PutBox) -> None:
    _matching(change.source, _SOURCE, "the source of a box")
    if change.score is not None and not 0 <= change.score <= 1:
        raise InputError("the score of a box is from 0 to 1")
    if change.track is not None and not 0 < len(change.track) <= _LONGEST_NAME:
        raise InputError("the name of a track is a short text")
    if change.mask is not None and not _is_mask(change.mask):
        raise InputError("a mask is polygons of three points or more, or run lengths with a size")


def _is_mask(mask: object) -> bool:
    if isinstance(mask, dict):
        counts, size = mask.get("counts"), mask.get("size")
        if not isinstance(size, list | tuple) or len(size) != 2:
            return False
        if not all(type(side) is int and 0 < side < 1 << 20 for side in size):
            return False
        if isinstance(counts, str):
            return len(counts) <= _LONGEST_MASK
        return isinstance(counts, list) and all(type(n) is int and n >= 0 for n in counts)
    if not isinstance(mask, list) or not mask:
        return False
    return all(
        isinstance(polygon, list)
        and len(polygon) >= 6
        and len(polygon) % 2 == 0
        and all(type(v) in (int, float) and math.isfinite(v) for v in polygon)
        for polygon in mask
    )


def _class(change: PutClass) -> None:
    name = change.name
    if not 0 < len(name.strip()) <= _LONGEST_NAME or name != name.strip():
        raise InputError(
            f"the name of a class is a text of at most {_LONGEST_NAME} letters, without spaces "
            "around it"
        )
    if any(ord(sign) < 32 or 0xD800 <= ord(sign) < 0xE000 for sign in name):
        raise InputError(f"the name {name!r} has control characters, which files cannot hold")
    _matching(change.colour, _COLOUR, "the colour of a class")
    if len(change.key) > 20:
        raise InputError("the key of a class is one key")
