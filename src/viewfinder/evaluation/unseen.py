"""What folds' nets answer of the pictures that they had not seen: every picture by one of them.

A net that has learnt from everything answers its own pictures better than any others. The runs of
the folds before it are kept beside it, and each knows which pictures it was judged by.
"""

import time
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.digests import picture_digests
from viewfinder.datasets.presence import require_present
from viewfinder.evaluation.judging import (
    AnyJudgement,
    Judgement,
    default_split,
    judge_examples,
)
from viewfinder.runs.pictures import read_pictures
from viewfinder.runs.places import FOLDS, holds_run
from viewfinder.runs.run import RunFolder, open_run
from viewfinder.runs.scores import HELD_OUT
from viewfinder.tasks import find
from viewfinder.tasks.calibration import CALIBRATION
from viewfinder.tasks.model import Model, ModelConfig
from viewfinder.tasks.task import AnyTask

# As the tasks give them: a row a picture, or a list.
_Answers = NDArray[np.float32] | list[object]


def judge_split(
    model: Model,
    run: RunFolder | None,
    dataset: Dataset,
    split: str | None,
    *,
    device: torch.device,
) -> tuple[str, AnyJudgement]:
    """Judge a model on one split of a set, or of folds on all that they held out.

    Args:
        run: whose the model is, however it is asked now, if it is of one.
        split: the split; None takes what folds held out, where these are their pictures, or else
            the split kept furthest from training.

    Returns:
        The split's name, and how it is answered.

    Raises:
        InputError: no such split, a class that the model does not know, a picture that cannot be
            read, or a fold's run that is damaged.
    """
    chosen = split or default_split(dataset)
    examples = dataset if chosen == "all" else dataset.split(chosen)
    require_present(examples)
    if run is not None and split is None and chosen != "test":
        unseen = judge_unseen(model, run, dataset, device=device)
        if unseen is not None:
            return HELD_OUT, unseen
    keep = run.manifest.recipe.keep if run else "auto"
    return chosen, judge_examples(model, examples, device=device, keep=keep)


def judge_unseen(
    model: Model, run: RunFolder, examples: Dataset, *, device: torch.device
) -> AnyJudgement | None:
    """Let each picture be answered by that fold's net which was judged by it.

    Which these are is known by the bytes of the files, so that the set may lie elsewhere now.

    Args:
        model: the run's, which tells how all of them are asked.

    Returns:
        None where a picture is of no fold: without folds, or of other pictures.

    Raises:
        InputError: a class that the run does not know, a picture that cannot be read, or a fold's
            run that is damaged.
    """
    start, task, config = time.perf_counter(), find(run.manifest.task), model.config
    runs = _fold_runs(run)
    if not runs or not len(examples):
        return None
    judging = [_judged_by(fold) for fold in runs]
    numbers = np.array([_number(judging, digest) for digest in picture_digests(examples)])
    if (numbers < 0).any():
        return None
    known = examples.with_classes(config.classes)
    parts = [
        _answers(
            task,
            fold,
            _asked_alike(fold, config, run),
            known.select(np.flatnonzero(numbers == number)),
            device,
        )
        for number, fold in enumerate(runs)
        if (numbers == number).any()
    ]
    truth = replace(known.select(np.argsort(numbers, kind="stable")), bits=config.bits)
    answers = _joined(parts)
    return Judgement(truth, answers, task.score(answers, truth), time.perf_counter() - start)


def _fold_runs(run: RunFolder) -> list[RunFolder]:
    """The finished runs of the folds before a run, in their order."""
    place = run.folder / FOLDS
    names = [each.name for each in place.iterdir()] if place.is_dir() else []
    folders = [place / name for name in sorted(filter(str.isdecimal, names), key=int)]
    found = [open_run(folder) for folder in folders if holds_run(folder)]
    return [fold for fold in found if fold.finished and fold.weights_file.exists()]


def _judged_by(run: RunFolder) -> set[str]:
    return {digest for digest, split in read_pictures(run.folder).items() if split == "test"}


def _number(judging: list[set[str]], digest: str) -> int:
    """Which fold was judged by a picture; -1 of none."""
    return next((n for n, digests in enumerate(judging) if digest in digests), -1)


def _asked_alike(fold: RunFolder, asked: ModelConfig, run: RunFolder) -> ModelConfig:
    """How a fold's net is asked, where that of the run on everything is asked so.

    The map of scores is the last run's, as it was fitted on what the folds answered. What else lies
    in a run's folder is of its own net alone.
    """
    config, usual = fold.model.config, run.model.config.habits
    own = find(run.manifest.task).kept_habits(run.folder, run.manifest.classes)
    changed = {
        name
        for name in {*asked.habits, *usual} - {*own}
        if (name in asked.habits, asked.habits.get(name)) != (name in usual, usual.get(name))
    }
    habits = {name: habit for name, habit in config.habits.items() if name not in changed}
    given = {name: asked.habits[name] for name in {*changed, CALIBRATION} & {*asked.habits}}
    return replace(config, framing=asked.framing, habits={**habits, **given})


def _answers(
    task: AnyTask, fold: RunFolder, config: ModelConfig, known: Dataset, device: torch.device
) -> _Answers:
    keep = fold.manifest.recipe.keep
    examples = task.open_eval(replace(known, bits=config.bits), config, keep=keep)
    found: _Answers = task.answers(fold.model.load_on(device), examples, config, device)
    return found


def _joined(parts: list[_Answers]) -> _Answers:
    """The answers of several splits, as a task gives those of one."""
    rows = [part for part in parts if isinstance(part, np.ndarray)]
    return np.concatenate(rows) if rows else [each for part in parts for each in part]
