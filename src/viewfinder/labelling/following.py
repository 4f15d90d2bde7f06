"""Proposals from boxes that a person drew in a few frames of a video, for the frames between."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.bit_depth import bits_of
from viewfinder.datasets.boxes import usable
from viewfinder.datasets.footage import Footage, certainty, footage_of, interpolate
from viewfinder.datasets.formats.box_labels import has_boxes
from viewfinder.datasets.formats.label_server import served_at
from viewfinder.datasets.formats.label_store import store_file
from viewfinder.datasets.formats.labels_above import refuse_within
from viewfinder.datasets.opening import read_boxes
from viewfinder.datasets.survey import survey
from viewfinder.errors import InputError
from viewfinder.events import track
from viewfinder.labelling.certainty import FLOW, LINEAR, expected_iou
from viewfinder.labelling.proposing import ProposalRows, Proposed
from viewfinder.labelling.tracking import (
    TrackedBox,
    nearest_pairs,
    start_track,
    step_track,
)
from viewfinder.pictures.geometry import BoxArray
from viewfinder.pictures.reading import read_header, read_picture
from viewfinder.pictures.video import Frame, read_video

Motion = Literal["linear", "flow"]


@dataclass(frozen=True, eq=False)
class Object:
    """One object's boxes in the key frames of a shot that show it, and their places, ascending."""

    name: str
    places: list[int]
    boxes: list[BoxArray]


Named = tuple[str, BoxArray]


def propose_by_track(
    data: Path,
    paths: Sequence[str],
    *,
    keys: Path | None = None,
    motion: Motion = "linear",
    video: Path | None = None,
) -> Proposed:
    """Carry boxes from the pictures that have some through the rest of their video.

    Args:
        keys: labels for some of the pictures, a data set or its file; those of `data` itself if
            not given.
        motion: `linear` between two key frames, where the nearest boxes of a class are taken for
            one object; or `flow` from each key frame on until the next.
        video: for `flow`, the video itself or the folder where it lies, so that every frame of it
            is looked at; without, one picture is followed to the next.

    Raises:
        InputError: no picture is known to be a frame of a video, there are no key frames, or the
            video cannot be read.
    """
    boxed = _key_boxes(data, keys)
    rows, notes = ProposalRows(), []
    shots = _shots(data, paths)
    if not any(path in boxed for shot in shots for path in shot.paths):
        raise InputError(_no_keys(data))
    for shot in shots:
        known = {place: boxed[path] for place, path in enumerate(shot.paths) if path in boxed}
        for place, path in enumerate(shot.paths):
            if place not in known:
                rows.sizes[path] = read_header(data / path).size
        if not known:
            notes.append(f"{shot.video}: no frame has a box, so none was proposed")
        elif motion == "linear":
            _between(shot, known, rows)
        else:
            notes += _along(data, shot, known, _video_file(shot, video), rows)
    return Proposed(rows.proposals(), tuple(notes))


def _no_keys(data: Path) -> str:
    return (
        f"no frame in {data} has a box yet: draw one in a few frames of each video, or name the "
        "labels by --keys"
    )


def _key_boxes(data: Path, keys: Path | None) -> dict[str, list[Named]]:
    if keys is None:
        refuse_within(data)
    stored = keys is None and (served_at(data) is not None or store_file(data) is not None)
    if keys is None and not stored and not has_boxes(survey(data)):
        raise InputError(_no_keys(data))
    if keys is not None and not keys.expanduser().exists():
        raise InputError(f"there is no --keys {keys}: name a set with boxes, or its file of labels")
    dataset = read_boxes(keys or data)
    if dataset is None or dataset.boxes is None:
        raise InputError(f"{keys or data} holds no boxes: give labels in COCO, YOLO or Pascal VOC")
    boxes = dataset.boxes.keep(usable(dataset.boxes))
    found: dict[str, list[Named]] = {}
    for index, path in enumerate(dataset.paths):
        rows = boxes.of(index)
        names = [dataset.classes[label] for label in boxes.classes[rows].tolist()]
        if names:
            corners = boxes.corners[rows].astype(np.float32)
            # Labels in another folder speak of the same pictures by the same path or name.
            place = path if (data / path).is_file() else Path(path).name
            found[place] = list(zip(names, corners, strict=True))
    return found


def _shots(data: Path, paths: Iterable[str]) -> list[Footage]:
    shots = footage_of(data, paths)
    if not shots:
        raise InputError(
            f"nothing says which frames of a video the pictures of {data} are: take them by "
            "`viewfinder frames`, which writes frames.json beside them"
        )
    return shots


def _objects(known: Mapping[int, Sequence[Named]]) -> list[Object]:
    """Boxes of one class in key frames that follow each other are one object's if nearest."""
    objects: list[Object] = []
    for name in dict.fromkeys(name for boxes in known.values() for name, _ in boxes):
        going: list[Object] = []
        for place, boxes in known.items():
            if not (here := [box for other, box in boxes if other == name]):
                continue
            pairs = nearest_pairs([one.boxes[-1] for one in going], here)
            still = []
            for index, box in enumerate(here):
                one = going[pairs[index]] if index in pairs else Object(name, [], [])
                one.places.append(place)
                one.boxes.append(box)
                still.append(one)
            objects += [one for one in still if len(one.places) == 1]
            going = still
    return objects


def _between(shot: Footage, known: Mapping[int, Sequence[Named]], rows: ProposalRows) -> None:
    """Boxes between two key frames of an object; before the first and after the last, none."""
    seconds = np.array([origin.seconds for origin in shot.origins])
    for one in _objects(known):
        keys, corners = np.array(one.places), np.stack(one.boxes)
        inner = [p for p in range(keys[0], keys[-1]) if p not in known]
        found = interpolate(seconds[keys], corners, seconds[inner])
        for place, box in zip(inner, found, strict=True):
            after = int(np.searchsorted(keys, place))
            sure = _certainty(seconds, (keys[after - 1], place, keys[after]), corners, after)
            score = expected_iou(sure, LINEAR)
            gap = f"{shot.origins[keys[after - 1]].frame} and {shot.origins[keys[after]].frame}"
            rows.add(shot.paths[place], one.name, box, score, f"track: linear, frames {gap}")


def _certainty(
    seconds: NDArray[np.float64], places: tuple[int, int, int], corners: BoxArray, after: int
) -> float:
    """1 at a key frame; in the middle between two, the less the less their boxes overlap."""
    before, now, then = seconds[list(places)]
    share = float((now - before) / (then - before))
    return certainty(share, corners[after - 1], corners[after])


def _along(
    data: Path,
    shot: Footage,
    known: Mapping[int, Sequence[Named]],
    video: Path | None,
    rows: ProposalRows,
) -> list[str]:
    """Boxes followed from each key frame to the next; returns where one was lost."""
    places = {origin.frame: place for place, origin in enumerate(shot.origins)}
    frames = read_video(video) if video else _pictures(data, shot)
    last = shot.origins[-1].frame
    tracks: list[tuple[str, TrackedBox]] = []
    lost = []
    for frame in track(frames, total=None, description=f"following through {shot.video}"):
        if frame.index > last:
            break
        place = places.get(frame.index)
        steps = [(name, step_track(one, frame.picture)) for name, one in tracks]
        tracks = [(name, step) for name, step in steps if step is not None]
        lost += [
            f"{shot.video}: the {name} was lost at frame {frame.index}, second "
            f"{frame.seconds:.2f}: draw a box there"
            for name, step in steps
            if step is None
        ]
        drawn = known.get(place, ()) if place is not None else ()
        if drawn:
            anew = {name for name, _ in drawn}
            tracks = [(name, one) for name, one in tracks if name not in anew]
            tracks += [(name, start_track(frame.picture, box)) for name, box in drawn]
        elif place is not None:
            for name, one in tracks:
                rows.add(
                    shot.paths[place],
                    name,
                    one.box,
                    expected_iou(one.confidence, FLOW),
                    "track: flow",
                )
    return lost


def _pictures(data: Path, shot: Footage) -> Iterator[Frame]:
    bits = bits_of([data / path for path in shot.paths])
    for path, origin in zip(shot.paths, shot.origins, strict=True):
        yield Frame(origin.frame, origin.seconds, read_picture(data / path, bits=bits))


def _video_file(shot: Footage, video: Path | None) -> Path | None:
    """The file of a shot's video.

    Raises:
        InputError: `video` is another one, or a folder without it.
    """
    if video is None:
        return None
    name = Path(shot.origins[0].video).name
    file = video / name if video.is_dir() else video
    if file.name != name:
        raise InputError(f"the frames are of {name}, and not of {file.name}")
    return file
