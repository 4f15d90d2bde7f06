"""Learning to find objects: what is shown of a set, step by step, and by which loss."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.datasets.boxes import to_find
from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.files import cache_folder
from viewfinder.nets.checkpoints import LoadReport
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.chance import share_error, worth
from viewfinder.tasks.detect import suitable
from viewfinder.tasks.detect.augmentation.making import compose
from viewfinder.tasks.detect.augmentation.plan import augmentation, plan_step
from viewfinder.tasks.detect.class_names import known_classes
from viewfinder.tasks.detect.examples.batch import BoxBatch
from viewfinder.tasks.detect.examples.composed import TrainExamples, mix, open_scenes
from viewfinder.tasks.detect.examples.opening import frame_for, open_examples
from viewfinder.tasks.detect.examples.sampling import (
    epoch_order,
    frames_around,
    reduced,
    repeat_factors,
)
from viewfinder.tasks.detect.heads import head_of, head_of_net
from viewfinder.tasks.detect.opinion.judging import why_unjudged
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.detect.tiling.choosing import describe_tiling, tiles_for
from viewfinder.tasks.detect.tiling.tiles import TILES, tiles_of
from viewfinder.tasks.learner import Learner
from viewfinder.tasks.loss import Add, Forward, Loss, alone
from viewfinder.tasks.normalisation import PLAIN, Normalisation
from viewfinder.tasks.parts import TrainSetup

# Of the sides, while a training shows pictures small.
_SMALL = 0.75
# By so much AP50 moves from one epoch to the next without anything being learnt or lost.
_TOLERANCE = 0.02


class BoxLearner(Learner[DetectRecipe, TrainExamples, BoxBatch]):
    """How boxes and classes are learnt."""

    recipe = DetectRecipe
    best: ClassVar[str] = "ap50"
    measured: ClassVar[float] = 0.1

    def require(self, dataset: Dataset) -> None:
        """Refuse a set without boxes to learn from."""
        suitable.require(dataset)

    def size(self, recipe: DetectRecipe, dataset: Dataset) -> Size:
        """The recipe's long side, or the network's own, at the pictures' usual aspect; of tiles,
        which are square, the recipe's side or their own."""
        long = recipe.size or nets.input_size(recipe.net)[0]
        tiles, stride = tiles_for(recipe, dataset), head_of(recipe.net).stride
        if tiles is not None and long >= stride:
            asked = recipe.size or (tiles.side if recipe.tiles != "auto" else long)
            side = stride * max(1, round(asked / stride))
            return side, side
        return frame_for(dataset.split("train"), long, stride=stride)

    def smallest(self, recipe: DetectRecipe, size: Size) -> Size:
        """While a training shows pictures small, and of the sizes around that the first."""
        stride = head_of(recipe.net).stride
        frame = reduced(size, stride=stride, share=_SMALL) if recipe.small else size
        return frames_around(frame, stride=stride, share=recipe.multi_scale)[0]

    def decided(self, recipe: DetectRecipe, dataset: Dataset) -> Mapping[str, Mapping[str, object]]:
        """The tiles that it is learnt and answered in, if it is.

        Raises:
            InputError: a second opinion is asked for, which this set cannot judge.
        """
        if recipe.second_opinion and (reason := why_unjudged(dataset)):
            raise InputError(f"--second-opinion: {reason}")
        tiles = tiles_for(recipe, dataset)
        if tiles is None:
            return {}
        note(describe_tiling(recipe, dataset, tiles))
        return {TILES: tiles.as_json()}

    def net_options(self, recipe: DetectRecipe, dataset: Dataset, size: Size) -> dict[str, object]:
        """The recipe's, and what the net's head takes from the training boxes."""
        return head_of(recipe.net).net_options(recipe, dataset, size)

    def colours(self, recipe: DetectRecipe, train: TrainExamples) -> Normalisation:
        """Red, green and blue in [0, 1] as they are, as in Darknet."""
        return PLAIN

    def read_foreign(
        self, file: Path, net: nn.Module
    ) -> tuple[dict[str, Tensor], tuple[str, ...]] | None:
        """Weights in a format of the net's family."""
        return head_of_net(net).read_foreign(file, net)

    def load(
        self,
        net: nn.Module,
        state: Mapping[str, Tensor],
        names: Sequence[str],
        classes: Sequence[str],
    ) -> LoadReport:
        """Layers that fit; the last ones class by class, by name."""
        if names:
            note(known_classes(names, classes))
        return head_of_net(net).load(net, state, names, classes)

    def open_train(self, split: Dataset, setup: TrainSetup[DetectRecipe]) -> TrainExamples:
        """Pictures with room to be changed."""
        recipe, size = setup.recipe, setup.config.size
        tiles = tiles_of(setup.config)
        pictures = open_examples(split, size, cache=cache_folder(), keep=recipe.keep, tiles=tiles)
        return TrainExamples(pictures, open_scenes(recipe, split, size))

    def order(
        self, examples: TrainExamples, recipe: DetectRecipe, generator: torch.Generator
    ) -> Tensor:
        """Every picture once, and those with rare classes more often; of tiles a few of each."""
        boxes, classes = examples.truth.boxes, len(examples.truth.classes)
        assert boxes is not None, "`require` has seen to it"
        factors = repeat_factors(boxes, classes, threshold=recipe.rare)
        factors *= examples.pictures.shown_an_epoch()
        return torch.from_numpy(epoch_order(factors, _numpy(generator)))

    def draw(
        self,
        examples: TrainExamples,
        numbers: Tensor,
        rows: slice,
        setup: TrainSetup[DetectRecipe],
        *,
        seed: int,
        done: float,
    ) -> BoxBatch:
        """Pictures changed, put together and pasted into, and where their objects are then."""
        random = np.random.default_rng(seed)
        recipe, frame = setup.recipe, setup.config.size
        stride = head_of(recipe.net).stride
        if done < recipe.small:
            frame = reduced(frame, stride=stride, share=_SMALL)
        frames = frames_around(frame, stride=stride, share=recipe.multi_scale)
        frame = frames[random.integers(len(frames))]
        changes = augmentation(recipe, mosaic=done < recipe.mosaic_until)
        step = plan_step(examples.pictures, changes, frame)
        batch = compose(step, numbers.numpy(), random, rows=rows)
        if examples.scenes is not None:
            seeds = random.integers(1 << 63, size=len(numbers))[rows]
            batch = mix(batch, examples.scenes, recipe.compose_share, seeds=seeds)
        return batch

    def make_loss(
        self, net: nn.Module, setup: TrainSetup[DetectRecipe], device: torch.device
    ) -> Loss[BoxBatch]:
        """The recipe's loss, in the terms that the net's head has."""
        loss = head_of_net(net).make_loss(net, setup.recipe)

        def of(forward: Forward, inputs: BoxBatch, add: Add = alone) -> dict[str, Tensor]:
            outputs = forward(inputs.pictures.float() / 255)
            return loss(outputs, inputs.truth, inputs.ignored, add=add)

        return of

    def as_learnt(
        self, inputs: BoxBatch, setup: TrainSetup[DetectRecipe], most: int
    ) -> list[tuple[NDArray[np.uint8], str]]:
        """Each picture, changed, with its boxes."""
        return inputs.drawn(setup.config.classes, most)

    def worth(self, split: Dataset, recipe: DetectRecipe) -> float:
        """As many as there are objects, and fewer where some classes have few: AP50 is a mean over
        classes, of scores that follow from what share of a class's objects is found."""
        assert split.boxes is not None, "`require` has seen to it"
        return worth(np.bincount(split.boxes.classes[to_find(split.boxes)]).tolist())

    def tolerance(self, best: float, pictures: float) -> float:
        """What AP50 moves from epoch to epoch, and of few objects one standard error of a share."""
        return max(_TOLERANCE, share_error(best, pictures))


def _numpy(generator: torch.Generator) -> np.random.Generator:
    """NumPy's generator, begun by a number of torch's."""
    return np.random.default_rng(int(torch.randint(1 << 62, (), generator=generator)))
