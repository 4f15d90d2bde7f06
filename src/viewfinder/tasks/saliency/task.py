"""Saliency: which pixels are the picture's subject."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.datasets import Keep
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.formats.rgbd.reading import CLASSES, read_subject
from viewfinder.datasets.framing import Framing
from viewfinder.errors import InputError
from viewfinder.files import cache_folder
from viewfinder.pictures.geometry import Size
from viewfinder.pictures.reading import read_header
from viewfinder.tasks.answering import Picture, in_batches, picture_in
from viewfinder.tasks.figures import Score, higher, lower
from viewfinder.tasks.model import ModelConfig, Threshold
from viewfinder.tasks.normalisation import IMAGENET
from viewfinder.tasks.portable import Arrays, Outputs, Unmarked
from viewfinder.tasks.question import Question, of_region
from viewfinder.tasks.saliency.answering import Subjects, read_maps, shares_of_subject
from viewfinder.tasks.saliency.depth_input import (
    depth_maps_below,
    depth_of_frames,
    given_depth,
    kept_depth,
    pictures_to_ask,
    read_depth_map,
    sees_depth,
)
from viewfinder.tasks.saliency.examples import SubjectExamples, open_examples, stretched
from viewfinder.tasks.saliency.learner import SubjectLearner
from viewfinder.tasks.saliency.maps import THRESHOLD, Subject, SubjectMap
from viewfinder.tasks.saliency.recipe import DEPTH_NET, SaliencyRecipe
from viewfinder.tasks.saliency.scores import SaliencyScores, mean, score
from viewfinder.tasks.saliency.steps import (
    SubjectBatch,
)
from viewfinder.tasks.task import Task

# Pictures that are answered at once.
_BATCH = 16


class Saliency(
    SubjectLearner,
    Task[
        SaliencyRecipe,
        SubjectExamples,
        SubjectBatch,
        SubjectExamples,
        NDArray[np.float32],
        Subject,
        list[SubjectMap],
        SaliencyScores,
    ],
):
    """Which pixels are the picture's subject."""

    name: ClassVar[str] = "saliency"
    compared: ClassVar[tuple[Score, ...]] = (
        *lower("mae"),
        *higher("s_measure", "weighted_f", "e_adaptive", "e_mean", "e_max"),
        *higher("f_adaptive", "f_mean", "f_max", "f_max_dataset"),
    )
    headline: ClassVar[tuple[tuple[str, str], ...]] = (
        ("s_measure", ".3f"),
        ("f_max", ".3f"),
        ("mae", ".3f"),
    )
    framing: ClassVar[Framing] = Framing("stretch")
    portables: ClassVar[tuple[Outputs, ...]] = ("raw", "decoded", "unmarked")
    unmarked: ClassVar[Unmarked | None] = Unmarked(CLASSES, IMAGENET)
    has_threshold: ClassVar[bool] = True
    has_views: ClassVar[bool] = True

    def habits(self, recipe: SaliencyRecipe, data: Mapping[str, object]) -> Mapping[str, object]:
        """`root` and `depth`: what the numbers of depth maps meant in the set it learnt from."""
        return {name: data[name] for name in ("root", "depth") if name in data}

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
        """A map for each picture of a split."""
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

    def files(self, folder: Path, config: ModelConfig) -> list[Path]:
        """Every picture that is no mask; for the depth stream every depth map, an array or not."""
        return (depth_maps_below if sees_depth(config) else pictures_to_ask)(folder)

    def read(self, file: Path, config: ModelConfig) -> tuple[Picture, Size]:
        """The picture; for the depth stream H×W depth in [0, 1], by the scale of its training.

        Raises:
            InputError: it cannot be read, or is in colour where depth is wanted.
        """
        if not sees_depth(config):
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
        if sees_depth(config) and pictures.shape[1] != 1:
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
