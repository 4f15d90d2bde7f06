"""What finished folds come to: each, all together, and for how long to learn from everything."""

import statistics
from collections.abc import Sequence
from typing import cast

from viewfinder.datasets.dataset import SPLITS
from viewfinder.errors import InputError
from viewfinder.evaluation.folded import FoldRow, Together
from viewfinder.runs.run import RunFolder
from viewfinder.runs.scores import read_scores
from viewfinder.tasks.recipe import Recipe
from viewfinder.tasks.task import AnyTask
from viewfinder.values import as_number_or_none, as_table


def fold_row(run: RunFolder, figure: str) -> FoldRow:
    """A finished fold's pictures and figures."""
    scores, images = read_scores(run.scores_file), run.manifest.data["images"]
    try:
        found, learnt = as_table(scores["test"])[figure], as_table(scores["train"])[figure]
        test, val, train = (images[split] for split in reversed(SPLITS))
        found, learnt = as_number_or_none(found), as_number_or_none(learnt)
    except (KeyError, ValueError):
        raise _damaged(run) from None
    if not all(value is None or 0 <= value <= 1 for value in (found, learnt)):
        raise _damaged(run)
    if not test or not train:
        raise _damaged(run)
    return {
        "test": test,
        "val": val,
        "train": train,
        "figure": found,
        "learnt": learnt,
        "kept_epoch": _kept_epoch(run),
    }


def all_together(kind: AnyTask, runs: Sequence[RunFolder]) -> Together | None:
    """What the folds' test pictures come to as one split, where the task can say it."""
    try:
        found = kind.pooled([as_table(read_scores(run.scores_file)["test"]) for run in runs])
    except (KeyError, TypeError, ValueError):
        raise _damaged(runs[0]) from None
    return cast(Together, found) if found else None


def _damaged(run: RunFolder) -> InputError:
    return InputError(
        f"{run.folder} is damaged: its scores or counts of pictures are no fold's; remove it, and "
        "the same command trains it again"
    )


def _kept_epoch(run: RunFolder) -> int:
    """The epoch whose weights a run kept; 0 of those that it began with."""
    history = run.history()
    kept = history[-1].get("kept_epoch") if history else None
    if kept is None:
        raise _damaged(run)
    return int(kept)


def epochs_for_everything(each: Sequence[FoldRow], recipe: Recipe) -> int:
    """How long to learn from everything, when nothing is left to choose the moment by; 0 of what is
    solved at once."""
    if not recipe.in_steps:
        return 0
    kept = [row["kept_epoch"] for row in each if row["val"]]
    return statistics.median_high(kept) if kept else recipe.epochs
