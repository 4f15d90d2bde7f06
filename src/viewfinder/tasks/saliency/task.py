"""Saliency: which pixels are the picture's subject."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.datasets import Keep
from viewfinder.datasets.augment import draw
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.formats.rgbd.reading import CLASSES, read_subject
from viewfinder.datasets.framing import Framing
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.files import cache_folder
from viewfinder.nets.a2dele_weights import backbone_weights, stream_of
from viewfinder.nets.checkpoints import LoadReport, load_matching
from viewfinder.pictures.drawing import distinct_colours, draw_subject
from viewfinder.pictures.geometry import Size
from viewfinder.pictures.reading import read_header
from viewfinder.tasks.answering import Picture, in_batches, picture_in
from viewfinder.tasks.loss import Loss
from viewfinder.tasks.model import ModelConfig, Threshold
from viewfinder.tasks.normalisation import IMAGENET, PLAIN, Normalisation, measure_colours
from viewfinder.tasks.parts import TrainSetup, as_pictures
from viewfinder.tasks.portable import Arrays, Outputs, Unmarked
from viewfinder.tasks.question import Question, of_region
from viewfinder.tasks.saliency.answering import Subjects, read_maps, shares_of_subject
from viewfinder.tasks.saliency.augment import augmentation
from viewfinder.tasks.saliency.depth_input import (
    depth_maps_below,
    depth_of_frames,
    given_depth,
    kept_depth,
    pictures_to_ask,
    read_depth_map,
)
from viewfinder.tasks.saliency.examples import SubjectExamples, open_examples, stretched
from viewfinder.tasks.saliency.learning import (
    SubjectBatch,
    depth_loss,
    student_loss,
    tell_what_is_learnt,
)
from viewfinder.tasks.saliency.maps import THRESHOLD, Subject, SubjectMap
from viewfinder.tasks.saliency.recipe import DEPTH_NET, SaliencyRecipe
from viewfinder.tasks.saliency.scores import SaliencyScores, mean, score
from viewfinder.tasks.saliency.teacher import read_teacher
from viewfinder.tasks.task import Task

# Pictures that are answered at once.
_BATCH = 16
# The width of a net that starts from nothing: a few hundred pictures fill no more.
_WIDTH = 0.25
# By so much the S-measure moves from one epoch to the next without anything learnt or lost.
_TOLERANCE = 0.005


class Saliency(
    Task[
        SaliencyRecipe,
        SubjectExamples,
        SubjectBatch,
        SubjectExamples,
        NDArray[np.float32],
        Subject,
        list[SubjectMap],
        SaliencyScores,
    ]
):
    """Which pixels are the picture's subject."""

    name: ClassVar[str] = "saliency"
    recipe = SaliencyRecipe
    best: ClassVar[str] = "s_measure"
    compared: ClassVar[str] = "mae"
    measured: ClassVar[float] = 0.5
    headline: ClassVar[tuple[tuple[str, str], ...]] = (
        ("s_measure", ".3f"),
        ("f_max", ".3f"),
        ("mae", ".3f"),
    )
    framing: ClassVar[Framing] = Framing("stretch")
    portables: ClassVar[tuple[Outputs, ...]] = ("raw", "decoded", "unmarked")
    unmarked: ClassVar[Unmarked | None] = Unmarked(CLASSES, IMAGENET)

    def require(self, dataset: Dataset) -> None:
        """Refuse a set without masks; one without depth is refused where depth is read."""
        dataset.require_masks()

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

    def habits(self, recipe: SaliencyRecipe, data: Mapping[str, object]) -> Mapping[str, object]:
        """`root` and `depth`: what the numbers of depth maps meant in the set it learnt from."""
        return {name: data[name] for name in ("root", "depth") if name in data}

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
        tell_what_is_learnt(split, recipe)
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

    def open_eval(self, split: Dataset, config: ModelConfig, *, keep: Keep) -> SubjectExamples:
        """Pictures and masks at the net's size; with depth for a net that reads it.

        Raises:
            InputError: there is no such depth.
        """
        depth = config.net == DEPTH_NET
        return open_examples(split, config.size, cache=cache_folder(), keep=keep, depth=depth)

    def answers(
        self, net: nn.Module, examples: SubjectExamples, config: ModelConfig, device: torch.device
    ) -> list[SubjectMap]:
        """A map for each picture of a side."""
        maps: list[SubjectMap] = []
        for numbers in in_batches(len(examples), _BATCH):
            pictures, _, depths = examples.take(numbers)
            shown = depths if config.net == DEPTH_NET else pictures
            assert shown is not None, "`open` has read depth for the net that wants it"
            found = shares_of_subject(net, shown, config, device)
            sizes = (read_header(examples.truth.file(number)).size for number in numbers)
            maps += [SubjectMap(values, size) for values, size in zip(found, sizes, strict=True)]
        return maps

    def score(self, answers: Sequence[SubjectMap], truth: Dataset) -> SaliencyScores:
        """The field's, each map at the size of its mask."""

        def judge(index: int) -> SaliencyScores:
            mask = read_subject(truth, index)
            return score(answers[index].at((mask.shape[1], mask.shape[0])), mask)

        with ThreadPoolExecutor() as pool:
            return mean(pool.map(judge, range(len(truth))))

    def tolerance(self, best: float, pictures: float) -> float:
        """What the S-measure moves by chance."""
        return _TOLERANCE

    def files(self, folder: Path, config: ModelConfig) -> list[Path]:
        """Every picture that is no mask; for the depth stream every depth map, an array or not."""
        return (depth_maps_below if _sees_depth(config) else pictures_to_ask)(folder)

    def read(self, file: Path, config: ModelConfig) -> tuple[Picture, Size]:
        """The picture; for the depth stream H×W depth in [0, 1], by the scale of its training.

        Raises:
            InputError: it cannot be read, or is in colour where depth is wanted.
        """
        if not _sees_depth(config):
            return picture_in(file, config)
        depth = read_depth_map(file, config.habits)
        return depth, (depth.shape[1], depth.shape[0])

    def prepare(self, picture: Picture, config: ModelConfig, *, of: Size) -> Picture:
        """Stretched, whatever its aspect."""
        if picture.ndim == 2:
            return given_depth(kept_depth(np.asarray(picture, np.float32), config.size))[..., None]
        return stretched(np.asarray(picture, np.uint8), config.size)[0]

    def reply(
        self, net: nn.Module, pictures: Tensor, config: ModelConfig, device: torch.device
    ) -> list[NDArray[np.float32]]:
        """h×w for each prepared picture or depth map; a video's grey frames are depth too.

        Raises:
            InputError: the depth stream is asked about a picture in colour.
        """
        if _sees_depth(config) and pictures.shape[1] != 1:
            pictures = depth_of_frames(pictures, config.habits)
        return list(shares_of_subject(net, pictures, config, device))

    def describe(
        self,
        reply: NDArray[np.float32],
        config: ModelConfig,
        *,
        of: Size,
        threshold: Threshold | None,
    ) -> Subject:
        """The map, and from where on it is the subject."""
        assert not isinstance(threshold, tuple), "there are no classes"
        return Subject(SubjectMap(reply, of), THRESHOLD if threshold is None else threshold)

    def questions(
        self, reply: NDArray[np.float32], config: ModelConfig, *, threshold: Threshold | None
    ) -> list[Question]:
        """The subject, if there is one."""
        assert not isinstance(threshold, tuple), "there are no classes"
        region = torch.from_numpy(reply >= (THRESHOLD if threshold is None else threshold))
        share = f"the subject, {region.float().mean():.0%} of the picture"
        return [of_region(share, region)] if region.any() else []

    def portable(
        self, net: nn.Module, config: ModelConfig, *, raw: bool
    ) -> tuple[nn.Module, tuple[str, ...]]:
        """N×2×H×W logits, or N×H×W shares of the subject.

        Raises:
            InputError: the net reads depth maps, not pictures.
        """
        if config.net == DEPTH_NET:
            raise InputError(f"{DEPTH_NET} reads depth and teaches: give a run of a2dele")
        return Subjects(net, raw=raw), ("logits" if raw else "map",)

    def read_portable(
        self, found: Arrays, config: ModelConfig, pictures: int, outputs: Outputs
    ) -> Tensor:
        """N×H×W shares of the subject."""
        return read_maps(found, (pictures, config.size[1], config.size[0]), outputs)


def _sees_depth(config: ModelConfig) -> bool:
    """Whether the net is the depth stream, which is asked about depth and not about pictures."""
    return config.net == DEPTH_NET
