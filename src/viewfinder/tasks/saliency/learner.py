"""Learning to find the subject: what is shown of a set, step by step, and by which loss."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.datasets.augment import draw
from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.files import cache_folder
from viewfinder.nets.a2dele_weights import backbone_weights, stream_of
from viewfinder.nets.checkpoints import LoadReport, load_matching
from viewfinder.pictures.drawing import distinct_colours, draw_subject
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.learner import Learner
from viewfinder.tasks.loss import Loss
from viewfinder.tasks.normalisation import IMAGENET, PLAIN, Normalisation, measure_colours
from viewfinder.tasks.parts import TrainSetup, as_pictures
from viewfinder.tasks.saliency import suitable
from viewfinder.tasks.saliency.augment import augmentation
from viewfinder.tasks.saliency.examples import SubjectExamples, open_examples
from viewfinder.tasks.saliency.recipe import DEPTH_NET, SaliencyRecipe
from viewfinder.tasks.saliency.steps import (
    SubjectBatch,
    depth_loss,
    note_what_is_learnt,
    student_loss,
)
from viewfinder.tasks.saliency.teacher import read_teacher

# The width of a net that starts from nothing: a few hundred pictures fill no more.
_WIDTH = 0.25
# By so much the S-measure moves from one epoch to the next without anything learnt or lost.
_TOLERANCE = 0.005


class SubjectLearner(Learner[SaliencyRecipe, SubjectExamples, SubjectBatch]):
    """How subjects are learnt, from masks and from a teacher."""

    recipe = SaliencyRecipe
    best: ClassVar[str] = "s_measure"
    measured: ClassVar[float] = 0.5

    def require(self, dataset: Dataset) -> None:
        """Refuse a set without masks; one without depth is refused where depth is read."""
        suitable.require(dataset)

    def size(self, recipe: SaliencyRecipe, dataset: Dataset) -> Size:
        """The recipe's size, or the network's own."""
        return (recipe.size or nets.input_size(recipe.net)[0],) * 2

    def net_options(
        self, recipe: SaliencyRecipe, dataset: Dataset, size: Size
    ) -> dict[str, object]:
        """The recipe's, and a width that few pictures fill where nothing is started from."""
        given = recipe.net_options()
        if recipe.init != "random" or "width" in given:
            return given
        note(f"the network has {_WIDTH:g} of its paper's width (--options width=1 for all of it)")
        return {"width": _WIDTH} | given

    def colours(self, recipe: SaliencyRecipe, train: SubjectExamples) -> Normalisation:
        """Measured on (a sample of) the pictures; ImageNet's for weights that have learnt those.

        Depth has none: the depth stream brings it to ImageNet's range by itself.
        """
        if recipe.net == DEPTH_NET:
            return PLAIN
        if recipe.init != "random":
            return IMAGENET
        return measure_colours(lambda numbers: train.take(numbers).pictures, len(train))

    def load(
        self,
        net: nn.Module,
        state: Mapping[str, Tensor],
        names: Sequence[str],
        classes: Sequence[str],
    ) -> LoadReport:
        """Weights of the same stream, or of its backbone: VGG-16's, or those named as its own.

        Raises:
            InputError: they are of the other stream, or of another net.
        """
        stream, mine = stream_of(state), stream_of(net.state_dict())
        if None not in (stream, mine) and stream != mine:
            raise InputError(
                f"--init: these are weights of A2dele's {stream} stream, and this is its {mine} "
                "stream; to learn from a depth stream, name it with --teacher"
            )
        vgg16 = "features.0.weight" in state
        return load_matching(net, backbone_weights(state) if vgg16 else state)

    def open_train(self, split: Dataset, setup: TrainSetup[SaliencyRecipe]) -> SubjectExamples:
        """Pictures and masks at the net's size; with depth for a net, or a teacher, that reads it.

        Raises:
            InputError: there is no such depth.
        """
        recipe, size = setup.recipe, setup.config.size
        depth = recipe.net == DEPTH_NET or recipe.teacher is not None
        note_what_is_learnt(split, recipe)
        return open_examples(split, size, cache=cache_folder(), keep=recipe.keep, depth=depth)

    def order(
        self, examples: SubjectExamples, recipe: SaliencyRecipe, generator: torch.Generator
    ) -> Tensor:
        """Every picture once; for the depth stream, every picture that has a depth map."""
        order = torch.randperm(len(examples), generator=generator)
        if recipe.net != DEPTH_NET:
            return order
        has_depth = torch.tensor([bool(path) for path in examples.truth.depths])
        return order[has_depth[order]]

    def draw(
        self,
        examples: SubjectExamples,
        numbers: Tensor,
        rows: slice,
        setup: TrainSetup[SaliencyRecipe],
        *,
        seed: int,
        done: float,
    ) -> SubjectBatch:
        """Pictures, masks and depth maps, and one matrix and one colour change for each picture."""
        generator = torch.Generator().manual_seed(seed)
        changes = draw(len(numbers), augmentation(setup.recipe), generator)
        pictures, masks, depths = examples.take(numbers[rows])
        seen = None if depths is None else depths.amax((1, 2, 3)) > depths.amin((1, 2, 3))
        return SubjectBatch(pictures, masks, depths, seen, changes.part(rows))

    def make_loss(
        self, net: nn.Module, setup: TrainSetup[SaliencyRecipe], device: torch.device
    ) -> Loss[SubjectBatch]:
        """The depth stream's own loss; or the student's, with its teacher on the device.

        Raises:
            InputError: the teacher cannot be read.
        """
        recipe = setup.recipe
        if recipe.net == DEPTH_NET:
            return depth_loss(recipe)
        if recipe.teacher is None:
            return student_loss(recipe, None)
        return student_loss(recipe, read_teacher(recipe.teacher, setup.config.size).to(device))

    def as_learnt(
        self, inputs: SubjectBatch, setup: TrainSetup[SaliencyRecipe], most: int
    ) -> list[tuple[NDArray[np.uint8], str]]:
        """Each picture, changed, with its subject outlined; of the net for depth, its depth map."""
        pictures, masks, depths = inputs.changed()
        alone = setup.recipe.net == DEPTH_NET
        given = depths if depths is not None and alone else pictures
        shown = []
        for picture, mask in zip(as_pictures(given[:most]), masks[:most], strict=True):
            values = mask.float().reshape(picture.shape[:2]).cpu().numpy()
            drawn = draw_subject(picture, values, threshold=0.5, colour=distinct_colours(1)[0])
            shown.append((drawn, f"the subject is {values.mean():.0%} of it"))
        return shown

    def tolerance(self, best: float, pictures: float) -> float:
        """What the S-measure moves by chance."""
        return _TOLERANCE
