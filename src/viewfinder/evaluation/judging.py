"""Answers against truth, a split of the dataset at a time."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from viewfinder.datasets import Keep
from viewfinder.datasets.boxes import to_find
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.digests import picture_digests
from viewfinder.datasets.splits import sample
from viewfinder.evaluation.claimed import Claims
from viewfinder.evaluation.split_scores import LEAST_PICTURES
from viewfinder.events import listening
from viewfinder.inference.quickening import quick_net
from viewfinder.runs.pictures import read_pictures
from viewfinder.runs.run import RunFolder
from viewfinder.tasks import find
from viewfinder.tasks.model import Model, ModelConfig, without_habit
from viewfinder.tasks.parts import AnswersT, ScoresT
from viewfinder.values import as_number_or_none

# Where there is no val to match.
_STAND_INS = 500
# Times that one picture is answered to see how long it takes.
_TIMED = 3


@dataclass(frozen=True, eq=False)
class Judgement(Generic[AnswersT, ScoresT]):
    """How a model answers the pictures of one split.

    Attributes:
        examples: the pictures, numbered by the model's classes.
        answers: the task's own: probabilities, detections or maps, a picture each.
        scores: the task's own `tasks.task.TaskScores`.
        seconds: what decoding and answering took.
        milliseconds: from one picture in memory to its answer: the quickest of three; None where it
            was not timed.
        claimed: what its answers claim where their scores were fitted on these very pictures: by
            scores that were fitted on others of them.
    """

    examples: Dataset
    answers: AnswersT
    scores: ScoresT
    seconds: float
    claimed: Claims | None = None
    milliseconds: float | None = None

    def as_json(self) -> dict[str, object]:
        """The scores under their public names, with the number of pictures and seconds."""
        scores = self.scores.as_json(self.examples.classes)
        return {**scores, "images": len(self.examples), "seconds": self.seconds}


AnyJudgement = Judgement[Any, Any]
"""A judgement where nothing depends on the task."""


def judge_examples(
    model: Model, examples: Dataset, *, device: torch.device, keep: Keep = "auto"
) -> AnyJudgement:
    """Let a model answer every picture of `examples`, and score it.

    Args:
        keep: where decoded pictures are kept.

    Raises:
        InputError: a class the model does not know, or a picture that cannot be read.
    """
    net, config = quick_net(model, device, pictures=len(examples)), model.config
    judgement = _judge(net, config, examples, device, keep)
    # What is kept of pictures that were described before is not how long one takes.
    timed = without_habit(model, "solved").config
    return replace(judgement, milliseconds=_latency(net, timed, judgement.examples, device))


def judge(run: RunFolder, dataset: Dataset, *, device: torch.device) -> dict[str, AnyJudgement]:
    """Judge a run on every split of its dataset; of `train`, by the pictures of `stand_ins`."""
    net, config, keep = run.model.load_on(device), run.model.config, run.manifest.recipe.keep
    judgements = {}
    for split in ("test", "val"):
        if dataset.has_split(split):
            judgements[split] = _judge(net, config, dataset.split(split), device, keep)
    judged = stand_ins(dataset, known=bool(config.habits.get("solved")))
    judgements["train"] = _judge(net, config, judged, device, keep)
    return judgements


def gain_by_views(task: str, plain: AnyJudgement, several: AnyJudgement) -> str:
    """What asking several times gains and costs, in a line."""
    name, form = find(task).headline[0]
    one, many = (as_number_or_none(each.as_json()[name]) for each in (plain, several))
    figures = [f"{value:{form}}" if value is not None else "none" for value in (one, many)]
    return (
        f"--tta: {name} {figures[0]} without, {figures[1]} with it, in "
        f"{several.seconds / max(plain.seconds, 1e-9):.1f} times as long"
    )


def stand_ins(dataset: Dataset, *, known: bool = False) -> Dataset:
    """The training pictures that stand for all of them when fit is measured, always the same.

    As many as `val` has, so that the two are known as well, but enough to tell under-fitting by;
    without a `val`, up to 500. Each class has its share of them. None of them is augmented.

    Args:
        known: what a net says of them is kept, so that all of them cost nothing.
    """
    train = dataset.split("train")
    if known:
        return train
    wanted = _STAND_INS
    if dataset.has_split("val"):
        wanted = max(len(dataset.split("val")), LEAST_PICTURES)
    return train.select(sample(_kinds(train), wanted))


def _kinds(pictures: Dataset) -> NDArray[np.int64]:
    """Each picture's class; of boxes the rarest that is in it, or -1 without any."""
    boxes = pictures.boxes
    if boxes is None:
        return pictures.labels
    kinds, shown = np.full(len(pictures), -1, np.int64), to_find(boxes)
    classes = boxes.classes[shown]
    rarity = np.argsort(np.argsort(-np.bincount(classes), kind="stable"))
    np.maximum.at(kinds, boxes.pictures()[shown], rarity[classes])
    return kinds


def default_split(dataset: Dataset) -> str:
    """The split to evaluate on if none is named: the one kept furthest from training, else all."""
    return next((split for split in ("test", "val") if dataset.has_split(split)), "all")


def trained_on(run: RunFolder, data: str | Path) -> bool:
    """Whether `data` is the set that the run was trained on, by where it lies."""
    known = run.manifest.data
    if str(data) == known.get("source"):
        return True
    place = Path(data).expanduser()
    root = place if place.is_dir() else place.parent
    return known.get("root") == str(root.resolve())


def seen_in_training(run: RunFolder, examples: Dataset) -> list[str]:
    """The paths of those pictures that the run was trained on or chosen by, byte for byte."""
    splits = read_pictures(run.folder)
    if not splits:
        return []
    digests = picture_digests(examples)
    pairs = zip(examples.paths, digests, strict=True)
    return [path for path, digest in pairs if splits.get(digest) in ("train", "val")]


def _latency(
    net: nn.Module, config: ModelConfig, examples: Dataset, device: torch.device
) -> float | None:
    """Milliseconds from one picture in memory to its answer: the quickest of three."""
    if len(examples) == 0:
        return None
    task, first = find(config.task), examples.select(np.arange(1))
    with listening():  # What is timed is no work that anybody waits for.
        opened, times = task.open_eval(first, config, keep="memory"), []
        for _ in range(_TIMED):
            start = time.perf_counter()
            task.answers(net, opened, config, device)
            times.append(1e3 * (time.perf_counter() - start))
    return min(times)


def _judge(
    net: nn.Module, config: ModelConfig, examples: Dataset, device: torch.device, keep: Keep
) -> AnyJudgement:
    start, task = time.perf_counter(), find(config.task)
    known = replace(examples.with_classes(config.classes), bits=config.bits)
    answers = task.answers(net, task.open_eval(known, config, keep=keep), config, device)
    return Judgement(known, answers, task.score(answers, known), time.perf_counter() - start)
