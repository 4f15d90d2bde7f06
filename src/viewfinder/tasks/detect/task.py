"""Detect: a box and a class for every object in a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from viewfinder.datasets import Keep
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.decoded import ahead
from viewfinder.datasets.framing import USUAL, frame, frame_file
from viewfinder.datasets.loading import open_pixels, pixels_from_files, true_sizes
from viewfinder.events import note
from viewfinder.files import cache_folder
from viewfinder.pictures.geometry import Size
from viewfinder.pictures.reading import read_picture
from viewfinder.tasks.answering import Picture, in_batches, picture_in
from viewfinder.tasks.calibration import CALIBRATION, damaged, read_calibration
from viewfinder.tasks.detect.answers.answering import (
    BATCH,
    confident,
    found_by_tiles,
    found_in_framed,
    placed,
)
from viewfinder.tasks.detect.answers.platt import Calibrated, Platt, read_platt
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.examples.batch import BoxBatch
from viewfinder.tasks.detect.examples.composed import TrainExamples
from viewfinder.tasks.detect.examples.opening import EvalExamples
from viewfinder.tasks.detect.foreign import open_foreign
from viewfinder.tasks.detect.heads import head_of_net
from viewfinder.tasks.detect.learner import BoxLearner
from viewfinder.tasks.detect.measures.scores import DetectScores, score
from viewfinder.tasks.detect.opinion.forming import (
    MOST_CROPS,
    FramedSplit,
    form_opinion,
    open_split,
    seconds_of_opinion,
)
from viewfinder.tasks.detect.opinion.judging import more_held_out
from viewfinder.tasks.detect.opinion.second import (
    FILE,
    OPINION,
    lost_opinion,
    read_opinion,
    write_opinion,
)
from viewfinder.tasks.detect.portable import read_portable
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.detect.tiling.tiles import TILES, tiles_from_json, tiles_of
from viewfinder.tasks.figures import Score, shares
from viewfinder.tasks.model import Model, ModelConfig, Threshold
from viewfinder.tasks.parts import TrainSetup
from viewfinder.tasks.portable import Arrays, Outputs
from viewfinder.tasks.question import Question, of_box
from viewfinder.tasks.task import Task
from viewfinder.values import as_table
from viewfinder.wording import counted


class Detect(
    BoxLearner,
    Task[
        DetectRecipe,
        TrainExamples,
        BoxBatch,
        EvalExamples,
        Detections,
        Detections,
        list[Detections],
        DetectScores,
    ],
):
    """A box and a class for every object in a picture."""

    name: ClassVar[str] = "detect"
    compared: ClassVar[tuple[Score, ...]] = shares(
        *("ap50", "ap", "ap75", "ap_small", "ap_medium", "ap_large", "recall", "precision", "f1")
    )
    headline: ClassVar[tuple[tuple[str, str], ...]] = (("ap50", ".3f"), ("ap", ".3f"))
    portables: ClassVar[tuple[Outputs, ...]] = ("raw", "decoded", "final")
    finds_boxes: ClassVar[bool] = DetectRecipe.finds_boxes
    has_threshold: ClassVar[bool] = True
    can_doubt: ClassVar[bool] = DetectRecipe.can_doubt
    has_views: ClassVar[bool] = True

    def habits(self, recipe: DetectRecipe, data: Mapping[str, object]) -> Mapping[str, object]:
        """The tiles that were decided on."""
        decided = as_table(data.get("decided", {}))
        return {TILES: tiles_from_json(decided[TILES])} if TILES in decided else {}

    def kept_habits(self, folder: Path, classes: Sequence[str]) -> Mapping[str, object]:
        """The second opinion on classes, and the map of scores, as far as the run has them."""
        opinion = read_opinion(folder, classes)
        if lost := lost_opinion(folder):
            note(lost)
        try:
            platt = read_platt(read_calibration(folder).get("map"), len(classes))
        except (ValueError, KeyError) as error:
            raise damaged(folder) from error
        kept: dict[str, object] = {OPINION: opinion, CALIBRATION: platt}
        return {name: habit for name, habit in kept.items() if habit is not None}

    def open_foreign(self, path: Path) -> Model | None:
        """A file of Darknet's; or, by the word `coco`, the detector that comes with the package."""
        return open_foreign(path)

    def conclude(
        self,
        net: nn.Module,
        dataset: Dataset,
        setup: TrainSetup[DetectRecipe],
        device: torch.device,
        folder: Path,
    ) -> Mapping[str, Mapping[str, object]]:
        """A second opinion on classes, if the recipe wants one and held-out pictures gain by it."""
        if not setup.recipe.second_opinion:
            return {}
        (folder / FILE).unlink(missing_ok=True)  # of an earlier end of this training
        config = replace(setup.config, habits={})
        keep = setup.recipe.keep
        train = self.framed(dataset.split("train"), config, keep=keep)
        objects = counted(min(len(train.truth), MOST_CROPS), "labelled object")
        note(f"a second opinion on classes: features of {objects} and of what is found are made")
        formed = form_opinion(
            train,
            self.framed(dataset.split("val"), config, keep=keep)
            if dataset.has_split("val")
            else None,
            config.classes,
            lambda pictures: self.reply(net, pictures, config, device),
            device,
            more=more_held_out(dataset),
        )
        note(formed.says)
        if formed.opinion is not None:
            write_opinion(folder, formed.opinion)
        return {OPINION: formed.as_json()}

    def concluding(
        self,
        train: Dataset,
        val: Dataset | None,
        setup: TrainSetup[DetectRecipe],
        device: torch.device,
        *,
        pictures: int,
    ) -> float:
        """The second opinion's time, if about as many objects are found as there are."""
        if not setup.recipe.second_opinion or val is None:
            return 0.0
        assert train.boxes is not None, "`require` has seen to it"
        assert val.boxes is not None, "`require` has seen to it"
        answered = round(pictures * len(train.boxes) / len(train))
        return seconds_of_opinion(len(train.boxes), len(val.boxes), answered, device)

    def framed(self, labelled: Dataset, config: ModelConfig, *, keep: Keep = "auto") -> FramedSplit:
        """Labelled pictures as a net sees them that sees them whole, and their objects in these.

        Raises:
            InputError: an object of a class that the net does not know, or a picture that cannot
                be read.
        """
        known = labelled.with_classes(config.classes)
        examples = self.open_eval(replace(known, bits=config.bits), config, keep=keep)
        assert known.boxes is not None, "`require` has seen to it"
        assert examples.pixels is not None, "`tiles_for` takes no set in tiles that wants this"
        return open_split(examples.pixels, known.boxes, examples.sizes, config)

    def open_eval(self, split: Dataset, config: ModelConfig, *, keep: Keep) -> EvalExamples:
        """Pictures as the net will see them; those that it sees in tiles are read one by one."""
        if tiles_of(config) is not None:
            return EvalExamples(None, true_sizes(split), split)
        if config.framing == USUAL:
            pixels = open_pixels(split, config.size, cache=cache_folder(), keep=keep)
        else:
            decode = partial(frame_file, framing=config.framing, bits=split.bits)
            values = config.framing.values
            pixels = pixels_from_files(split, config.size, decode, values=values)
        return EvalExamples(pixels, true_sizes(split), split)

    def answers(
        self, net: nn.Module, examples: EvalExamples, config: ModelConfig, device: torch.device
    ) -> list[Detections]:
        """What is found in each picture, in its own pixels, down to very low scores."""
        if examples.pixels is None:
            pictures = ahead(map(examples.truth.picture, range(len(examples))))
            return [found_by_tiles(net, each, config, device) for each in pictures]
        found: list[Detections] = []
        for numbers in in_batches(len(examples), BATCH):
            replies = self.reply(net, examples.pixels.take(numbers), config, device)
            found += [
                placed(each, config, of=(int(width), int(height)))
                for each, (width, height) in zip(replies, examples.sizes[numbers], strict=True)
            ]
        return found

    def score(self, answers: list[Detections], truth: Dataset) -> DetectScores:
        """COCO's."""
        assert truth.boxes is not None, "`Dataset.require_boxes` has seen to it"
        return score(answers, truth.boxes, classes=truth.classes)

    def together(self, config: ModelConfig) -> int:
        """Pictures that are answered in tiles one by one, being large, and of any size."""
        return super().together(config) if tiles_of(config) is None else 1

    def read(self, file: Path, config: ModelConfig) -> tuple[Picture, Size]:
        """A file's picture; what is answered in tiles is decoded at its own size."""
        if tiles_of(config) is None:
            return picture_in(file, config)
        picture = read_picture(file, bits=config.bits)
        return picture, (picture.shape[1], picture.shape[0])

    def prepare(self, picture: Picture, config: ModelConfig, *, of: Size) -> Picture:
        """As the model's framing says: letterboxed, unless its weights are of another program.

        What is answered in tiles stays as it is until then.
        """
        if tiles_of(config) is not None:
            return picture
        return frame(np.asarray(picture, np.uint8), config.framing, config.size, of=of)

    def reply(
        self, net: nn.Module, pictures: Tensor, config: ModelConfig, device: torch.device
    ) -> list[Detections]:
        """What is found in each prepared picture, in its pixels, down to very low scores."""
        if tiles_of(config) is not None:
            whole = pictures.permute(0, 2, 3, 1).numpy()
            return [found_by_tiles(net, each, config, device, report=True) for each in whole]
        return found_in_framed(net, pictures, config, device)

    def describe(
        self, reply: Detections, config: ModelConfig, *, of: Size, threshold: Threshold | None
    ) -> Detections:
        """The boxes that score enough, the best first, in the picture's own pixels."""
        if tiles_of(config) is not None:
            return confident(reply, threshold)
        return confident(placed(reply, config, of=of), threshold)

    def questions(
        self, reply: Detections, config: ModelConfig, *, threshold: Threshold | None
    ) -> list[Question]:
        """Each box that is shown."""
        shown = confident(reply, threshold)
        return [
            of_box(f"{config.classes[label]} {score:.0%}", label, (x1, y1, x2, y2), float(score))
            for label, score, (x1, y1, x2, y2) in shown.rows()
        ]

    def portable(
        self, net: nn.Module, config: ModelConfig, *, raw: bool
    ) -> tuple[nn.Module, tuple[str, ...]]:
        """The net's own outputs, or boxes and scores before suppression."""
        head, platt = head_of_net(net), config.habits.get(CALIBRATION)
        if raw:
            return net, head.outputs(net)
        answering = head.decoded(net)
        # Fitted on what the second opinion says, it is not true of the net alone.
        if isinstance(platt, Platt) and OPINION not in config.habits:
            answering = Calibrated(answering, platt)
        return answering, ("boxes", "scores")

    def read_portable(
        self, found: Arrays, config: ModelConfig, pictures: int, outputs: Outputs
    ) -> tuple[Tensor, Tensor]:
        """Boxes and scores of each picture, before suppression."""
        return read_portable(found, len(config.classes), pictures, outputs)
