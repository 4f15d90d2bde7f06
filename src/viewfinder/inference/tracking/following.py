"""A detector's answers to frames as objects that are followed through them and counted."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.files import write_text
from viewfinder.inference.answers import Answer
from viewfinder.inference.tracking.counting import CountingPlace, Crossing, PlaceTally
from viewfinder.inference.tracking.tracker import LOW, Seen, Tracker
from viewfinder.pictures.drawing import distinct_colours, draw_boxes
from viewfinder.tasks.detect.answers.answering import THRESHOLD
from viewfinder.tasks.detect.detections import Detections, PredictedBoxes
from viewfinder.tasks.model import Threshold
from viewfinder.wording import counted

# Frames of an object's way that are drawn behind it.
_TRAIL = 40
_COLOURS = distinct_colours(24)
# Of the picture's sides: what is no nearer to an edge has not come in there.
_EDGE = 0.03
# Numbers that are written out.
_NAMED = 10

Trail = NDArray[np.float32]  # K×2 middles, the last one now


@dataclass(frozen=True, eq=False)
class TrackedDetections(Detections):
    """Detections of a frame with the objects that they are; a label is what each was mostly seen
    as in the whole video.

    Attributes:
        tracks: M numbers, from 1, each once.
        trails: where each was lately.
        places: lines and zones, each with what is written at it.
    """

    tracks: NDArray[np.int64]
    trails: tuple[Trail, ...] = ()
    places: tuple[tuple[CountingPlace, str], ...] = ()

    def as_json(self, classes: Sequence[str]) -> PredictedBoxes:
        """`boxes`, each with its `track` too."""
        boxes = super().as_json(classes)["boxes"]
        for box, track in zip(boxes, self.tracks.tolist(), strict=True):
            box["track"] = track
        return {"boxes": boxes}

    def drawn_on(self, picture: NDArray[np.uint8], classes: Sequence[str]) -> NDArray[np.uint8]:
        """The boxes, each with its number, in a colour for each object; ways, lines and zones."""
        drawn = picture.copy()
        width = max(1, round(min(picture.shape[:2]) / 250))
        tints = [_COLOURS[track % len(_COLOURS)] for track in self.tracks.tolist()]
        for trail, tint in zip(self.trails, tints, strict=True):
            cv2.polylines(drawn, [_pixels(trail)], False, tint, width, cv2.LINE_AA)
        for place, _ in self.places:
            closed = not place.is_line
            cv2.polylines(drawn, [_pixels(place.points)], closed, _INK, 2 * width, cv2.LINE_AA)
        names = [
            f"{track} {name}"
            for track, name in zip(self.tracks.tolist(), self._named(classes), strict=True)
        ]
        # What is counted stands at the first point, as the caption of a box without area.
        at = [np.tile(place.points[0], 2) for place, _ in self.places]
        corners = np.array(at, np.float32).reshape(-1, 4)
        return draw_boxes(
            drawn,
            np.concatenate([corners, self.boxes]),
            [*(text for _, text in self.places), *names],
            [*[_INK] * len(at), *tints],
        )


_INK = (255, 255, 255)


@dataclass(frozen=True, eq=False)
class VideoCounts:
    """What was counted in one video, or one folder of frames.

    Attributes:
        source: its path.
        labels: of each object's number, the class that it was mostly seen as: all counts are by it.
        sprung: the numbers that began after the first frame and away from the picture's edges,
            where nothing comes in: an object that was hidden, or one that lost its number.
    """

    source: str
    labels: Mapping[int, int]
    tallies: tuple[PlaceTally, ...]
    crossings: tuple[Crossing, ...]
    sprung: frozenset[int] = frozenset()

    @property
    def objects(self) -> Counter[int]:
        """For each class, how many different ones were followed."""
        return Counter(self.labels.values())

    def as_json(self, classes: Sequence[str]) -> dict[str, object]:
        """`source, objects, began_inside, places, crossings`."""
        return {
            "source": self.source,
            "objects": {classes[label]: count for label, count in sorted(self.objects.items())},
            "began_inside": sorted(self.sprung),
            "places": [tally.as_json(classes, self.labels) for tally in self.tallies],
            "crossings": [
                {
                    "place": each.place,
                    "frame": each.frame,
                    "track": each.track,
                    "class": classes[self.labels[each.track]],
                    "direction": each.direction,
                }
                for each in self.crossings
            ],
        }

    def lines(self, classes: Sequence[str]) -> list[str]:
        """The same for a person."""
        each = [f"{classes[label]} {count}" for label, count in sorted(self.objects.items())]
        text = counted(len(self.labels), "object") + (f" ({', '.join(each)})" if each else "")
        places = (tally.line(classes, self.labels) for tally in self.tallies)
        return [f"{self.source}: followed {text}", *self._doubt(), *places]

    def _doubt(self) -> list[str]:
        if not self.sprung:
            return []
        numbers = ", ".join(map(str, sorted(self.sprung)[:_NAMED]))
        more = ", …" if len(self.sprung) > _NAMED else ""
        return [
            f"  {len(self.sprung)} of these began away from the picture's edges ({numbers}{more}): "
            "where an object was hidden, or lost its number to be counted twice"
        ]


def looked_for(threshold: Threshold | None) -> tuple[Threshold, Threshold]:
    """What is surely seen scores more than the first; what is asked for, more than the second."""
    high = THRESHOLD if threshold is None else threshold
    low = tuple(LOW * each for each in high) if isinstance(high, tuple) else LOW * high
    return high, low


def follow(
    answers: Iterable[Answer],
    *,
    classes: Sequence[str],
    high: Threshold,
    places: Sequence[CountingPlace] = (),
) -> tuple[list[Answer], list[VideoCounts]]:
    """Answers to the frames of videos, and to the pictures of folders in their order, followed.

    Args:
        answers: down to the lower of `looked_for`.
        high: what scores more begins a track.

    Raises:
        InputError: these are no detections, or a line or zone lies outside the pictures.
    """
    followed: list[Answer] = []
    counts: list[VideoCounts] = []
    for source, group in groupby(answers, key=_sequence_of):
        done, of_video = _of_video(source, group, Tracker(len(classes), high), places)
        followed += done
        counts.append(of_video)
    return followed, counts


def _of_video(
    source: str, answers: Iterable[Answer], tracker: Tracker, places: Sequence[CountingPlace]
) -> tuple[list[Answer], VideoCounts]:
    """What a class is of is known once all was seen: then everything is told by it."""
    followed: list[tuple[Answer, TrackedDetections]] = []
    tallies = tuple(PlaceTally(place) for place in places)
    crossings: list[Crossing] = []
    labels: dict[int, int] = {}
    sprung: set[int] = set()
    trails: dict[int, deque[NDArray[np.float64]]] = defaultdict(lambda: deque(maxlen=_TRAIL))
    for number, answer, seen in _late(answers, tracker):
        _require_within(places, answer)
        there = [row for row, track in enumerate(seen.tracks) if track.number is not None]
        found = seen.found.take(there)
        tracks = np.array([seen.tracks[row].number for row in there], np.int64)
        of_tracks = [seen.tracks[row].label for row in there]
        new = np.array([track not in labels for track in tracks.tolist()], bool)
        if followed:
            sprung |= set(tracks[new & _inside(found.boxes, answer.size)].tolist())
        labels |= dict(zip(tracks.tolist(), of_tracks, strict=True))
        for track, box in zip(tracks.tolist(), found.boxes, strict=True):
            trails[track].append((box[:2] + box[2:]) / 2)
        for tally in tallies:
            crossings += tally.step(number, tracks.tolist(), found.boxes)
        ways = tuple(np.array(trails[track], np.float32) for track in tracks.tolist())
        written = tuple((tally.place, _at_place(tally)) for tally in tallies)
        value = TrackedDetections(found.boxes, found.scores, found.labels, tracks, ways, written)
        followed.append((answer, value))
    return [
        replace(answer, value=replace(value, labels=_of_tracks(labels, value.tracks)))
        for answer, value in followed
    ], VideoCounts(source, labels, tallies, tuple(crossings), frozenset(sprung))


def _inside(boxes: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Of M×4 corners, those away from every edge of a picture."""
    sides = np.array(size, np.float64)
    beyond = np.hstack([boxes[:, :2] > _EDGE * sides, boxes[:, 2:] < (1 - _EDGE) * sides])
    return np.array(beyond.all(axis=1), np.bool_)


def _of_tracks(labels: Mapping[int, int], tracks: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.array([labels[track] for track in tracks.tolist()], np.int64)


def _require_within(places: Sequence[CountingPlace], answer: Answer) -> None:
    for place in places:
        if not place.within(answer.size):
            width, height = answer.size
            raise InputError(
                f"{'--line' if place.is_line else '--zone'} {place.name} lies outside: "
                f"{answer.source} has {width} × {height} pixels, from 0,0 at the top left"
            )


def _at_place(tally: PlaceTally) -> str:
    parts = [f"{len(found)} {direction}" for direction, found in tally.counts.items()]
    return ", ".join(parts if tally.place.is_line else [*parts, f"{tally.inside} now"])


def _sequence_of(answer: Answer) -> str:
    """The video of a frame, or the folder of a picture."""
    return answer.source if answer.frame is not None else str(Path(answer.source).parent)


def _late(answers: Iterable[Answer], tracker: Tracker) -> Iterator[tuple[int, Answer, Seen]]:
    """Each frame's number, answer and objects, once the next frame has shown which of them stay."""
    before: tuple[int, Answer, Seen] | None = None
    for place, answer in enumerate(answers):
        found, number = answer.value, place if answer.frame is None else answer.frame
        if not isinstance(found, Detections):
            raise InputError("only a detector's objects can be followed: this run has another task")
        seen = tracker.step(found, number)
        if before is not None:
            yield before
        before = number, answer, seen
    if before is not None:
        yield before


def write_mot(answers: Sequence[Answer], file: Path) -> None:
    """Write what was followed as MOT Challenge's text: a row for each box.

    `frame, track, left, top, width, height, score, -1, -1, -1`, frames from 1.

    Raises:
        InputError: these are of several videos, which one such file cannot tell apart, or nothing
            was followed.
    """
    if len({_sequence_of(answer) for answer in answers}) > 1:
        raise InputError("--mot holds one video, or one folder of frames: ask for each by itself")
    rows = []
    for place, answer in enumerate(answers):
        found, frame = answer.value, place if answer.frame is None else answer.frame
        if not isinstance(found, TrackedDetections):
            raise InputError("--mot is of objects that are followed: give --track too")
        for track, (_, score, (x1, y1, x2, y2)) in zip(
            found.tracks.tolist(), found.rows(), strict=True
        ):
            sides = f"{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f}"
            rows.append(f"{frame + 1},{track},{sides},{score:.4f},-1,-1,-1\n")
    write_text(file, "".join(rows))


def _pixels(points: NDArray[np.floating]) -> NDArray[np.int32]:
    return np.asarray(np.rint(points), np.int32).reshape(-1, 1, 2)
