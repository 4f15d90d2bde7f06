"""Composed scenes mixed into a detector's training, made as they are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from viewfinder.composing.backgrounds import read_backgrounds, tabletop_backgrounds
from viewfinder.composing.captures import Captures, open_captures, require_known
from viewfinder.composing.source import Composed, composed
from viewfinder.datasets.dataset import Dataset
from viewfinder.events import note
from viewfinder.pictures.geometry import Size, stretch, transform_boxes
from viewfinder.pictures.resampling import resample
from viewfinder.tasks.detect.examples.batch import BoxBatch, BoxTruth
from viewfinder.tasks.detect.examples.opening import BoxExamples
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.wording import counted

# Rendered tables to stand on, where no pictures of places are given.
_TABLES = 64
# A scene is one of so many: a training never comes round.
_SCENES = 1 << 31


@dataclass(frozen=True, eq=False)
class TrainExamples:
    """What a detector learns from: labelled pictures, and scenes composed of captures, if any."""

    pictures: BoxExamples
    scenes: Composed | None

    @property
    def truth(self) -> Dataset:
        """What is known of the labelled pictures."""
        return self.pictures.truth

    @property
    def waits(self) -> bool:
        """Whether taking pictures waits for a disk or a decoder."""
        return self.pictures.waits

    def __len__(self) -> int:
        return len(self.pictures)


def open_scenes(recipe: DetectRecipe, train: Dataset, size: Size) -> Composed | None:
    """The scenes that the recipe mixes in, numbered by the classes of the training set.

    Raises:
        InputError: captures of a class that the set does not have, or that cannot be read; or a
            background that is a picture of val or test.
    """
    if recipe.compose is None:
        return None
    captures = _numbered(open_captures(Path(recipe.compose)), train.classes, recipe.compose)
    if recipe.backgrounds == "tabletop":
        places = tabletop_backgrounds(_TABLES, size, seed=recipe.seed)
    else:
        places = read_backgrounds(Path(recipe.backgrounds), size, apart_from=captures.datasets)
    note(
        f"{recipe.compose_share:.0%} of the pictures are composed of "
        f"{counted(len(captures.cutouts), 'cut-out')} on {counted(len(places), 'background')}"
    )
    return composed(captures.cutouts, places, size=size, count=_SCENES, seed=recipe.seed)


def mix(
    batch: BoxBatch, scenes: Composed, share: float, *, seeds: Sequence[int] | NDArray[np.int64]
) -> BoxBatch:
    """A share of a batch's pictures replaced by scenes.

    Args:
        seeds: one for each picture of the batch, which says whether it is replaced, and by what.
    """
    count, _, height, width = batch.pictures.shape
    draws = [np.random.default_rng(int(seed)) for seed in seeds]
    numbers = [int(draw.integers(_SCENES)) if draw.random() < share else None for draw in draws]
    made = {row: scenes.scene(number) for row, number in enumerate(numbers) if number is not None}
    if not made:
        return batch
    pictures, found = batch.pictures.clone(), []
    matrix = stretch(scenes.size, (width, height))
    for row, (picture, corners, classes, _) in made.items():
        shown = resample(picture, matrix, (width, height))
        pictures[row] = torch.from_numpy(shown).permute(2, 0, 1)
        boxes, labels = transform_boxes(matrix, corners), torch.from_numpy(classes)
        found.append(BoxTruth(torch.from_numpy(boxes), labels, torch.full_like(labels, row), count))
    kept = torch.tensor([number is None for number in numbers])
    truth, ignored = (each.select(kept[each.pictures]) for each in (batch.truth, batch.ignored))
    return BoxBatch(pictures, truth.joined(found), ignored)


def _numbered(captures: Captures, classes: Sequence[str], source: str) -> Captures:
    """The cut-outs numbered by the training set's classes."""
    place = {name: index for index, name in enumerate(classes)}
    require_known(captures.classes, classes, source)
    cutouts = tuple(
        replace(cutout, label=place[captures.classes[cutout.label]]) for cutout in captures.cutouts
    )
    return replace(captures, classes=tuple(classes), cutouts=cutouts)
