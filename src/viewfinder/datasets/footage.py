"""Which pictures of a folder are frames of one video, and where things are in the frames between
those in which a person marked them.

A track is one object through a video: boxes with the same name of a track. A box that a person set
is a key; between two keys of a track it moves in a straight line, or as it was followed through the
pictures from both keys. Before its first key and behind its last one nothing is known of it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.frame_list import FrameOrigin, read_frame_list
from viewfinder.pictures.geometry import BoxArray, iou

Corners = tuple[float, float, float, float]


@dataclass(frozen=True)
class Footage:
    """The pictures of one video, in its order.

    Attributes:
        video: as `frames.json` names it, below its folder; of frames without a list, the folder.
        paths: the pictures, relative to the data folder.
        origins: of each.
    """

    video: str
    paths: tuple[str, ...]
    origins: tuple[FrameOrigin, ...]


def footage_of(root: Path, paths: Iterable[str], in_order: Collection[str] = ()) -> list[Footage]:
    """The videos that pictures are frames of, by their lists.

    Args:
        paths: relative to `root`.
        in_order: folders without a list whose pictures are frames in their order.

    Raises:
        InputError: a folder's list is damaged.
    """
    members: dict[str, list[tuple[FrameOrigin, str]]] = defaultdict(list)
    lists: dict[str, dict[str, FrameOrigin]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder not in lists:
            lists[folder] = read_frame_list(root / folder)
        origin = lists[folder].get(name)
        if origin is not None:
            members[f"{folder}/{origin.video}".lstrip("/")].append((origin, path))
        elif folder in in_order and not lists[folder]:
            place = len(members[folder])
            members[folder].append((FrameOrigin(folder, place, float(place)), path))
    found = []
    for video, rows in sorted(members.items()):
        rows.sort(key=lambda pair: pair[0].frame)
        origins, names = zip(*rows, strict=True)
        found.append(Footage(video, names, origins))
    return found


@dataclass(frozen=True)
class Key:
    """Where a person set a box of a track.

    Attributes:
        place: of the frame in its footage.
        id, label: of the box.
    """

    track: str
    place: int
    id: str
    label: str
    corners: Corners

    @property
    def mark(self) -> str:
        """What tells that this is where it was when something was followed from it."""
        return f"{self.id}:{','.join(f'{value:.10g}' for value in self.corners)}"


@dataclass(frozen=True)
class Carried:
    """A box that was followed through the pictures between two keys.

    Attributes:
        first, second: the marks of these keys; of others it says nothing.
        sure: from 0 to 1, how much of it was found again.
    """

    first: str
    second: str
    corners: Corners
    sure: float


@dataclass(frozen=True)
class Between:
    """Where a track is in a frame in which no person set it.

    Attributes:
        label: the class of the key before it.
        sure: from 0 to 1; the figure of the motion's own kind.
        followed: through the pictures; else in a straight line.
    """

    track: str
    place: int
    label: str
    corners: Corners
    sure: float
    followed: bool


def interpolate(
    times: NDArray[np.float64], boxes: BoxArray, at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """N×4 boxes at times between those of K key boxes, each edge moving in a straight line.

    Args:
        times: K ascending times of the K×4 `boxes`.
        at: N times from the first key frame's to the last one's.

    Raises:
        ValueError: a time lies before the first or after the last.
    """
    if len(at) and not (len(times) and times[0] <= at.min() and at.max() <= times[-1]):
        raise ValueError("boxes are known between key frames alone")
    return np.stack([np.interp(at, times, boxes[:, edge]) for edge in range(4)], axis=1)


def certainty(share: float, first: BoxArray, second: BoxArray) -> float:
    """How sure a straight line is at a share of the way between two boxes: 1 at either, and in the
    middle the less the less they overlap."""
    overlap = float(iou(np.asarray([first]), np.asarray([second]))[0, 0])
    return 1 - min(share, 1 - share) * (1 - overlap)


def spans(keys: Iterable[Key]) -> Iterator[tuple[Key, Key]]:
    """Pairs of keys of one track with frames between them; of two in one frame the last counts."""
    tracks: dict[str, dict[int, Key]] = defaultdict(dict)
    for key in keys:
        tracks[key.track][key.place] = key
    for _, places in sorted(tracks.items()):
        row = [places[place] for place in sorted(places)]
        yield from (pair for pair in pairwise(row) if far(*pair))


def far(first: Key, second: Key) -> bool:
    """Whether frames lie between them."""
    return second.place - first.place > 1


def between(
    keys: Iterable[Key],
    times: Sequence[float],
    carried: Mapping[tuple[str, int], Carried] | None = None,
) -> list[Between]:
    """Where tracks are in the frames between their keys.

    Args:
        times: of each frame, ascending; where they do not ascend, frames are taken as evenly apart.
        carried: by track and place, what was followed; it counts between the keys that it is of.
    """
    seconds = np.asarray(times, np.float64)
    if not (np.diff(seconds) > 0).all():
        seconds = np.arange(len(seconds), dtype=np.float64)
    found = []
    for first, second in spans(keys):
        ends = np.array([first.corners, second.corners])
        start, end = float(seconds[first.place]), float(seconds[second.place])
        inner = range(first.place + 1, second.place)
        line = interpolate(np.array([start, end]), ends, seconds[list(inner)])
        for place, (x1, y1, x2, y2) in zip(inner, line.tolist(), strict=True):
            known = (carried or {}).get((first.track, place))
            if known is not None and (known.first, known.second) == (first.mark, second.mark):
                corners, sure = known.corners, known.sure
            else:
                known, corners = None, (x1, y1, x2, y2)
                sure = certainty((float(seconds[place]) - start) / (end - start), *ends)
            followed = known is not None
            found.append(Between(first.track, place, first.label, corners, sure, followed))
    return found
