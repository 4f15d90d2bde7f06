"""Answers against truth, a side of the dataset at a time."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.loading import open_pixels
from viewfinder.datasets.opening import cache_folder
from viewfinder.errors import InputError
from viewfinder.inference.predictor import Normalisation, probabilities
from viewfinder.runs.run import Run
from viewfinder.tasks import classify


@dataclass(frozen=True, eq=False)
class Judgement:
    """How a run answers the pictures of one side.

    Attributes:
        examples: the pictures, numbered by the run's classes.
        answers: N×C probabilities.
        seconds: what decoding and answering took.
    """

    examples: Dataset
    answers: NDArray[np.float32]
    scores: classify.Scores
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The scores under their public names, with the number of pictures and seconds."""
        scores = self.scores.as_json(self.examples.classes)
        return scores | {"images": len(self.examples), "seconds": self.seconds}


def judge_examples(run: Run, examples: Dataset, *, device: torch.device) -> Judgement:
    """Let a run answer every picture of `examples`, and score it.

    Raises:
        InputError: a class the run does not know, or a picture that cannot be read.
    """
    return _judge(run.net().to(device), run, examples, device)


def judge(run: Run, dataset: Dataset, *, device: torch.device) -> dict[str, Judgement]:
    """Judge a run on every side of its dataset.

    Of `train`, as many pictures as `val` has (or `test`), so that the two can be compared; none of
    them augmented.
    """
    net = run.net().to(device)
    judgements = {}
    for side in ("test", "val"):
        if dataset.has_split(side):
            judgements[side] = _judge(net, run, dataset.split(side), device)
    train = dataset.split("train")
    wanted = min((len(j.examples) for j in judgements.values()), default=len(train))
    chosen = np.random.default_rng(0).permutation(len(train))[: max(wanted, 100)]
    judgements["train"] = _judge(net, run, train.select(np.sort(chosen)), device)
    return judgements


def default_side(dataset: Dataset) -> str:
    """The side to evaluate on when none is named: the one kept furthest from training.

    Raises:
        InputError: the dataset has neither `test` nor `val`.
    """
    for side in ("test", "val"):
        if dataset.has_split(side):
            return side
    raise InputError(
        f"{dataset.root} has neither test nor val pictures: name the side with --split train"
    )


def _judge(net: nn.Module, run: Run, examples: Dataset, device: torch.device) -> Judgement:
    start = time.perf_counter()
    known = examples.with_classes(run.manifest.classes)
    pixels = open_pixels(known, run.manifest.size, cache=cache_folder())
    normalisation = Normalisation(run.manifest.mean, run.manifest.std)
    answers = probabilities(net, pixels, normalisation, device)
    scores = classify.score(answers, known.labels)
    return Judgement(known, answers, scores, time.perf_counter() - start)
