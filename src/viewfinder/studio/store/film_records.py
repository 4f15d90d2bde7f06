"""What the store says of videos, and the words that all its records share."""

from dataclasses import dataclass
from typing import Literal

State = Literal["todo", "done", "skipped"]
STATES: tuple[State, ...] = ("todo", "done", "skipped")

Kind = Literal["boxes", "classes", "masks"]
"""What is labelled: boxes in pictures, pictures as wholes (class folders), or the subjects of a
saliency set, each mask of which is a box with its outline."""

Corners = tuple[float, float, float, float]
"""`x1, y1, x2, y2` in pixels of the upright picture, edges at pixel corners."""


@dataclass(frozen=True)
class Moving:
    """A box of a track in a frame between two in which a person set it; it stands in no table.

    Attributes:
        label: the id of its class.
        score: the IoU that it is expected to have with the true box.
        source: `interpolation`, or `track` where it was followed through the pictures.
    """

    track: str
    label: str
    corners: Corners
    score: float
    source: str


@dataclass(frozen=True)
class FilmFrame:
    """A picture as a frame of a film.

    Attributes:
        keys: the tracks that a person set in it.
        moving: how many tracks move through it.
        likeness: the least IoU that a box of its tracks has with one that is proposed; None where
            none is.
        score: the least that is expected of those that move through it; 1 without any.
    """

    id: int
    state: State
    revision: int
    keys: tuple[str, ...]
    moving: int
    likeness: float | None
    score: float


@dataclass(frozen=True)
class TrackOf:
    """One object through a film: the class of its last key, and where its keys are.

    Attributes:
        first, last: the places of the frames of its first and last key.
        start, end: its corners there.
    """

    track: str
    label: str
    first: int
    last: int
    start: Corners
    end: Corners


@dataclass(frozen=True)
class Film:
    """The frames of a video in their order, and what a person has followed through them.

    Attributes:
        name: of the video.
        motion: `linear`, or `flow` where boxes are followed through the pictures between keys.
        waiting: how many pairs of keys are still to be followed.
        next: the frame to look at next, or None where nothing is doubted.
    """

    name: str
    motion: str
    frames: tuple[FilmFrame, ...]
    tracks: tuple[TrackOf, ...]
    waiting: int
    next: int | None
