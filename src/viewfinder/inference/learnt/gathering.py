"""A run's own net, asked about the pictures that it learnt from and was chosen by."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from viewfinder.datasets.boxes import Boxes
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.decoded import ahead
from viewfinder.datasets.digests import picture_digests
from viewfinder.datasets.framing import frame_matrix
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.events import counting, listening, note
from viewfinder.features.own import Layers, Vectors, layers_of, watching
from viewfinder.inference.answers import Predictor, Prepared
from viewfinder.inference.learnt.kept import LearntObjects, LearntPictures
from viewfinder.inference.learnt.space import space_of
from viewfinder.pictures.geometry import transform_boxes
from viewfinder.runs.pictures import read_pictures
from viewfinder.runs.run import RunFolder
from viewfinder.tasks.answering import in_batches, outputs
from viewfinder.wording import counted, duration

# Of more pictures or objects so many, drawn once, stand for all…
_PICTURES, _HELD_OUT, _OBJECTS = 5_000, 1_000, 10_000
# …and of pictures no more than are looked at in so many seconds, but so many of each split.
_SECONDS, _FEWEST = 30.0, 100
_BATCH = 16
# Batches that tell how long the others take; the first makes what the net keeps.
_TIMED = 3


@dataclass(frozen=True, eq=False)
class _Described:
    """What was found of one split's pictures; of objects, the number of the picture of each."""

    rows: list[int]
    pictures: Vectors
    objects: Vectors
    object_rows: NDArray[np.int64]


def layers_in(predictor: Predictor) -> Layers:
    """Where the vectors of a model's net are taken.

    Raises:
        InputError: its net cannot be looked into, or sees depth.
    """
    config = predictor.model.config
    width, height = config.size
    grey = torch.full((1, 3, height, width), 0.5)

    def ask() -> object:
        return outputs(predictor.net, grey, config.normalisation, predictor.device)

    found = layers_of(predictor.net, ask)
    if found is None:
        raise InputError(
            f"{predictor.model.source} cannot be looked into, so nothing is known of what it makes "
            "of pictures: ask the run that it was exported from"
        )
    return found


def gather(run: RunFolder, predictor: Predictor) -> LearntPictures:
    """What a run learnt from, as its net sees it.

    Args:
        predictor: of the run's model, which sees pictures whole.

    Raises:
        InputError: the pictures are no longer there, or cannot be looked at.
    """
    layers = layers_in(predictor)
    # At once: to know how many there are, and how long they take, may take seconds too.
    note(
        f"first, and this once, what {run.folder} learnt from is looked at as the run sees it, to "
        "be compared; it is then kept in the run"
    )
    dataset, splits = _learnt_set(run)
    random = np.random.default_rng(0)
    all_learnt = np.flatnonzero(splits == "train")
    pace = _pace(predictor, layers, dataset, all_learnt)
    most, most_held_out = _affordable(pace)
    classes = dataset.labels if dataset.boxes is None else rarest_in_each(dataset.boxes)
    train = np.sort(by_class(classes, all_learnt, random)[:most])
    held_out = _some(np.flatnonzero(splits == "val"), most_held_out, random)
    count = len(train) + len(held_out)
    takes = "" if pace is None else f", about {duration(max(1, count * pace))}"
    note(f"looking at {counted(count, 'picture')} of {dataset.root}{takes}")
    if len(train) < min(len(all_learnt), _PICTURES):
        note(
            f"{len(train):,} of the {len(all_learnt):,} that it learnt from, of each class equally "
            f"many where it has them: more would take longer than {_SECONDS:.0f} s here"
        )
    with counting(total=count, description="looking at what was learnt") as one_more:
        learnt = _describe(predictor, layers, dataset, train, one_more, objects=True)
        if not learnt.rows:
            raise InputError(f"no picture that {run.folder} learnt from can be read any more")
        judged = _describe(predictor, layers, dataset, held_out, one_more, objects=False)
    space = space_of(learnt.pictures)
    distances = np.zeros((0, 2))
    if judged.rows:
        distances = space.distances(space.place(judged.pictures))
    return LearntPictures(
        layers=layers,
        root=dataset.root.resolve(),
        paths=tuple(dataset.paths[row] for row in learnt.rows),
        labels=dataset.labels[learnt.rows],
        space=space,
        held_out=distances,
        objects=_objects(dataset, learnt, random),
        masks=tuple(dataset.masks[row] for row in learnt.rows) if dataset.masks else (),
    )


def _learnt_set(run: RunFolder) -> tuple[Dataset, NDArray[np.str_]]:
    """The set that a run was trained on, and the split that each picture had in its training."""
    try:
        dataset = open_dataset(run.learnt_from, deal=False)
    except InputError as error:
        raise InputError(f"what {run.folder} learnt from is no longer there: {error}") from error
    known = read_pictures(run.folder)
    splits = np.array([known.get(digest, "") for digest in picture_digests(dataset)])
    if not (splits == "train").any():
        raise InputError(
            f"no picture that {run.folder} learnt from is at {dataset.root} any more, byte for byte"
        )
    return dataset.with_classes(run.model.config.classes), splits


def _some(rows: NDArray[np.intp], most: int, random: np.random.Generator) -> NDArray[np.intp]:
    return np.sort(random.permutation(rows)[:most])


def by_class(
    classes: NDArray[np.int64], rows: NDArray[np.intp], random: np.random.Generator
) -> NDArray[np.intp]:
    """Some pictures in an order whose beginnings have as many of each class, where it has them."""
    rows = random.permutation(rows)
    seen: dict[int, int] = {}
    turns = np.zeros(len(rows), np.int64)
    for place, label in enumerate(classes[rows].tolist()):
        turns[place] = seen[label] = seen.get(label, -1) + 1
    return rows[np.argsort(turns, kind="stable")]


def rarest_in_each(boxes: Boxes) -> NDArray[np.int64]:
    """Of the objects in each picture a number for the class that is the rarest; -1 of none."""
    rarest = np.full(len(boxes.offsets) - 1, -1)
    _, numbers, counts = np.unique(boxes.classes, return_inverse=True, return_counts=True)
    common_first = np.argsort(-counts[numbers], kind="stable")
    rarest[boxes.pictures()[common_first]] = numbers[common_first]
    return rarest


def _pace(
    predictor: Predictor, layers: Layers, dataset: Dataset, rows: NDArray[np.intp]
) -> float | None:
    """Seconds that a picture takes; None of so few that nobody waits for them."""
    if len(rows) <= _FEWEST:
        return None
    seconds = []
    with listening():  # What is timed is no work that anybody waits for.
        for part in in_batches(min(len(rows), _TIMED * _BATCH), _BATCH):
            began = time.monotonic()
            _describe(predictor, layers, dataset, rows[part], lambda: None, objects=True)
            seconds.append(time.monotonic() - began)
    return max(1e-9, min(seconds[1:])) / _BATCH


def _affordable(pace: float | None) -> tuple[int, int]:
    """How many pictures that were learnt from, and how many held out, are looked at in time."""
    if pace is None:
        return _PICTURES, _HELD_OUT
    share = _SECONDS / pace / (_PICTURES + _HELD_OUT)
    learnt, held_out = (
        min(most, max(_FEWEST, int(share * most))) for most in (_PICTURES, _HELD_OUT)
    )
    return learnt, held_out


def _describe(
    predictor: Predictor,
    layers: Layers,
    dataset: Dataset,
    rows: Sequence[int] | NDArray[np.intp],
    one_more: Callable[[], None],
    *,
    objects: bool,
) -> _Described:
    """What is found of pictures; `one_more` is called for each that was looked at."""
    config = predictor.model.config
    done: list[int] = []
    pictures, found, found_rows = [], [], []
    boxes = dataset.boxes if objects and layers.maps else None
    for batch in ahead(_prepared(predictor, dataset, rows)):
        numbers = [number for number, _ in batch]
        if not numbers:
            continue
        pixels = torch.stack([each.pixels for _, each in batch])
        with watching(predictor.net, layers) as watched:
            outputs(predictor.net, pixels, config.normalisation, predictor.device)
        pictures.append(watched.pictures(len(numbers)))
        done += numbers
        for place, (number, each) in enumerate(batch):
            own = np.arange(0) if boxes is None else np.arange(*_bounds(boxes.of(number)))
            one_more()
            if boxes is not None and len(own):
                way = frame_matrix(config.framing, each.size, config.size)
                corners = transform_boxes(way, boxes.corners[own])
                found.append(watched.boxes(place, corners, config.size))
                found_rows.append(own)
    empty = np.zeros((0, 0), np.float32)
    return _Described(
        done,
        np.concatenate(pictures) if pictures else empty,
        np.concatenate(found) if found else empty,
        np.concatenate(found_rows) if found_rows else np.zeros(0, np.int64),
    )


def _bounds(rows: slice) -> tuple[int, int]:
    return rows.start, rows.stop


def _prepared(
    predictor: Predictor, dataset: Dataset, rows: Sequence[int] | NDArray[np.intp]
) -> Iterator[list[tuple[int, Prepared]]]:
    """Batches of pictures that can be read, with their numbers."""
    for part in in_batches(len(rows), _BATCH):
        batch = []
        for number in (int(rows[place]) for place in part):
            try:
                each = predictor.prepare_file(dataset.file(number))
            except InputError as error:
                note(f"passed over: {error}")
                continue
            if each.pixels.shape[0] != 3:
                raise InputError("this model sees depth maps, which are not compared")
            batch.append((number, each))
        yield batch


def _objects(
    dataset: Dataset, found: _Described, random: np.random.Generator
) -> LearntObjects | None:
    boxes = dataset.boxes
    if boxes is None or not len(found.objects):
        return None
    chosen = _some(np.arange(len(found.objects)), _OBJECTS, random)
    rows = found.object_rows[chosen]
    place_of = {row: place for place, row in enumerate(found.rows)}
    pictures = boxes.pictures()[rows].tolist()
    return LearntObjects(
        space=space_of(found.objects[chosen]),
        pictures=np.array([place_of[each] for each in pictures], np.int64),
        boxes=boxes.corners[rows].astype(np.float32),
        labels=boxes.classes[rows],
    )
