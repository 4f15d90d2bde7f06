"""Detections of one frame after another as tracks of objects.

After Zhang et al., "ByteTrack: multi-object tracking by associating every detection box", 2022:
what is surely seen is matched first with where tracks are believed to be, by IoU; what is hardly
seen, mostly objects that others hide, then goes on those tracks that are left, and begins none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from viewfinder.inference.tracking.assigning import assign
from viewfinder.inference.tracking.motion import Motion, begin, corrected, predicted
from viewfinder.pictures.geometry import iou
from viewfinder.tasks.detect.answers.suppression import best_of
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.model import Threshold

LOW = 0.4
"""What scores more than this share of the threshold is hardly seen; below, it is nothing."""
PATIENCE = 30
"""Frames for which an object may be out of sight."""

# The least IoU of a box with where its track is believed to be: surely seen, and hardly seen.
_LEAST_IOU, _LEAST_IOU_LOW = 0.2, 0.4
# Boxes of two classes that overlap more than this are one object.
_ONE_OBJECT = 0.7
# How much further off edges may be of an object that lies wholly over another.
_HIDDEN = 10.0
# Frames that an object must be seen in, to count.
_CONFIRMED = 2


@dataclass(eq=False)
class Track:
    """An object.

    Attributes:
        number: from 1 in the order in which tracks were confirmed; None before.
        frame: in which it was seen last.
        seen: in how many frames it was.
        votes: for each class the sum of the scores with which it was seen as one.
    """

    motion: Motion
    frame: int
    votes: NDArray[np.float64]
    seen: int = 1
    number: int | None = None

    @property
    def label(self) -> int:
        """The class that it was mostly seen as."""
        return int(self.votes.argmax())


@dataclass(frozen=True, eq=False)
class Seen:
    """Detections of one frame, and the track of each."""

    found: Detections
    tracks: tuple[Track, ...]


@dataclass(eq=False)
class Tracker:
    """The tracks of one video, frame after frame.

    Attributes:
        classes: how many there are.
        high: what scores more is surely seen: the same for all classes, or each class's own.
    """

    classes: int
    high: Threshold
    patience: int = PATIENCE
    _tracks: list[Track] = field(default_factory=list)
    _first: int | None = None
    _numbers: int = 0

    def step(self, found: Detections, frame: int) -> Seen:
        """The objects of the next frame.

        Args:
            found: down to `LOW` of the threshold.
            frame: its number, greater than that of the last.
        """
        if self._first is None:
            self._first = frame
        found = _one_each(found)
        high = np.broadcast_to(np.asarray(self.high, np.float64), (self.classes,))[found.labels]
        sure = np.flatnonzero(found.scores > high)
        hardly = np.flatnonzero((found.scores <= high) & (found.scores > LOW * high))
        self._tracks = [t for t in self._tracks if frame - t.frame <= self._patience_of(t)]
        ahead = [predicted(track.motion, frame - track.frame) for track in self._tracks]
        doubts = _doubts(ahead)
        free = list(range(len(self._tracks)))
        chosen: dict[int, Track] = {}
        lately = max((track.frame for track in self._tracks), default=frame)
        for rows, least in ((sure, _LEAST_IOU), (hardly, _LEAST_IOU_LOW)):
            if rows is hardly:
                free = [n for n in free if self._tracks[n].frame == lately]
            for one, other in _matched([ahead[n] for n in free], found, rows, least):
                track, row = self._tracks[free[one]], int(rows[other])
                track.motion = corrected(ahead[free[one]], found.boxes[row], doubts[free[one]])
                self._see(track, found, row, frame)
                chosen[row] = track
            free = [n for n in free if self._tracks[n].frame != frame]
        for row in sure.tolist():
            if row not in chosen:
                chosen[row] = self._begin(found, row, frame)
        kept = sorted(chosen)
        return Seen(found.take(np.array(kept, np.intp)), tuple(chosen[row] for row in kept))

    def _patience_of(self, track: Track) -> int:
        # What was seen once alone may have been nothing.
        return self.patience if track.number is not None else _CONFIRMED

    def _begin(self, found: Detections, row: int, frame: int) -> Track:
        votes = np.zeros(self.classes)
        votes[found.labels[row]] = found.scores[row]
        track = Track(begin(found.boxes[row]), frame, votes)
        self._tracks.append(track)
        if frame == self._first:
            self._confirm(track)
        return track

    def _see(self, track: Track, found: Detections, row: int, frame: int) -> None:
        track.frame = frame
        track.seen += 1
        track.votes[found.labels[row]] += found.scores[row]
        if track.seen >= _CONFIRMED and track.number is None:
            self._confirm(track)

    def _confirm(self, track: Track) -> None:
        self._numbers += 1
        track.number = self._numbers


def _doubts(ahead: Sequence[Motion]) -> list[float]:
    """For each track, how many times as far as usual the edges of what is seen of it may be off.

    Where two are expected to overlap, one box may be of both, or of the one that hides the other:
    each then keeps its speed rather than turn round with the other.
    """
    if not ahead:
        return []
    boxes = np.stack([motion.box for motion in ahead])
    overlaps = iou(boxes, boxes)
    np.fill_diagonal(overlaps, 0)
    return [1 + _HIDDEN * float(each) for each in overlaps.max(axis=1)]


def _one_each(found: Detections) -> Detections:
    """One box an object, whatever classes it is taken for."""
    found = found.take(np.argsort(-found.scores, kind="stable"))
    alike = Detections(found.boxes, found.scores, np.zeros_like(found.labels))
    return found.take(best_of(alike, overlap=_ONE_OBJECT))


def _matched(
    ahead: list[Motion], found: Detections, rows: NDArray[np.intp], least: float
) -> list[tuple[int, int]]:
    """Pairs of a track and a row that overlap by `least` or more, of the greatest sum."""
    if not ahead or not len(rows):
        return []
    overlaps = iou(np.stack([motion.box for motion in ahead]), found.boxes[rows])
    # What overlaps too little costs as much as no pair at all, and takes nobody's place.
    worth = np.where(overlaps >= least, overlaps, 0)
    return [(one, other) for one, other in assign(-worth) if worth[one, other] > 0]
