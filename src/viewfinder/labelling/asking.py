"""Which pictures of a set to label next: what is labelled is found, the rest is put in order."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from viewfinder.datasets.bit_depth import bits_of
from viewfinder.datasets.digests import of_files
from viewfinder.datasets.formats.box_labels import has_boxes
from viewfinder.datasets.formats.label_server import served_at
from viewfinder.datasets.formats.labels_above import set_of
from viewfinder.datasets.formats.other_tools import refuse_other_tools
from viewfinder.datasets.frame_list import frame_groups, without_empty_stands
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.datasets.survey import survey
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.features.alike import copies_told
from viewfinder.features.describing import Part, describe_readable
from viewfinder.inference.answers import Answer, Predictor, Prepared
from viewfinder.labelling.ordering import LEAST_LABELLED, drawn_at_random, order, uncertainty
from viewfinder.pictures.finding import pictures_below
from viewfinder.tasks import find
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.model import Model
from viewfinder.wording import counted

# Detections below this say nothing of doubt.
_FLOOR = 0.05


@dataclass(frozen=True)
class PictureToLabel:
    """A picture that waits for labels.

    Attributes:
        path: relative to the set's folder.
        random: it was drawn, whatever it shows, so that it may judge.
    """

    path: str
    random: bool


@dataclass(frozen=True)
class Order:
    """What waits, those to label first in front.

    Attributes:
        root: the folder that paths start from.
        labelled: how many pictures have labels already.
    """

    root: Path
    asked: tuple[PictureToLabel, ...]
    labelled: int


def next_to_label(
    data: str | Path,
    *,
    by: Model | None = None,
    device: torch.device | None = None,
    everything: bool = False,
    seed: int = 0,
) -> Order:
    """The pictures of a folder that have no labels, the typical and different ones first.

    Args:
        data: a set of boxes or of class folders, of which some pictures are labelled, or a folder
            of pictures.
        by: a detector; once 20 pictures are labelled, those that it doubts come early too.
        everything: take no picture for labelled.

    Raises:
        InputError: there are no pictures, none without labels, or the model is no detector.
    """
    root, known = _labelled(data)
    paths = list(pictures_below(root))
    if not paths:
        raise InputError(f"there are no pictures below {root}: give a folder with some")
    paths = without_empty_stands(root, paths)
    done = set() if everything else known & set(paths)
    if len(done) == len(paths):
        raise InputError(
            f"all {counted(len(paths), 'picture')} of {root} have labels: add some, or order "
            "them all with --everything"
        )
    bits = bits_of([root / path for path in paths])
    vectors, readable = describe_readable([Part(root / path) for path in paths], bits=bits)
    paths = [paths[number] for number in readable]
    if told := copies_told(paths, of_files([root / path for path in paths])):
        note(told)
    labelled = [number for number, path in enumerate(paths) if path in done]
    doubt = None
    if by is not None:
        doubt = _doubts(root, paths, by, device, few=len(labelled) < LEAST_LABELLED)
    places = order(
        vectors,
        labelled=labelled,
        uncertainty=doubt,
        groups=frame_groups(root, paths),
        seed=seed,
    )
    asked = (PictureToLabel(paths[n], drawn_at_random(place)) for place, n in enumerate(places))
    return Order(root, tuple(asked), len(labelled))


def _labelled(data: str | Path) -> tuple[Path, set[str]]:
    """The folder, and its pictures that have labels; of a folder within a set, the studio's."""
    place = Path(data).expanduser()
    if place.is_dir() and (top := set_of(place)) is not None:
        root, known = _labelled(top)
        files, here = {root / path for path in known}, top / os.path.relpath(place, top)
        return place, {path for path in pictures_below(place) if here / path in files}
    try:
        found = read_boxes(data) or open_dataset(data, deal=False)
    except InputError:  # a folder of pictures without any labels is no set
        folder = Path(data).expanduser()
        served = served_at(folder) is not None
        if served or not folder.is_dir() or has_boxes(seen := survey(folder)):
            raise
        refuse_other_tools(seen)
        return folder, set()
    return found.root, set(found.paths)


def _doubts(
    root: Path, paths: list[str], model: Model, device: torch.device | None, *, few: bool
) -> NDArray[np.float64] | None:
    """How much a detector doubts each picture; None as long as too few are labelled to ask."""
    if not find(model.config.task).finds_boxes:
        raise InputError(f"{model.source} is a run of {model.config.task}: --by wants a detector's")
    if few:
        note(f"fewer than {LEAST_LABELLED} pictures are labelled: a detector's doubt says little")
        return None
    predictor = Predictor(model, device=device or torch.device("cpu"), threshold=_FLOOR)
    prepared: Iterable[Prepared] = (predictor.prepare_file(root / path) for path in paths)
    return uncertainty(
        (_scores(answer) for answer in predictor.answers(iter(prepared), len(paths))), floor=_FLOOR
    )


def _scores(answer: Answer) -> NDArray[np.float32]:
    assert isinstance(answer.value, Detections), "the model is a detector"
    return np.asarray(answer.value.scores, np.float32)
