"""k-fold cross-validation: each picture judged by a net that has not seen it, then one net of all.

Where few pictures would be left to judge by, every picture judges once: of k trainings each keeps
another part of the pictures for testing. Their runs lie in `OUT/folds/1`, `2`, …; the run in OUT
is then trained by the same recipe on everything, and has the folds' figures in its scores.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from viewfinder.crowding import own_threads
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.folding import dealt
from viewfinder.datasets.opening import open_dataset
from viewfinder.datasets.presence import require_present
from viewfinder.errors import InputError
from viewfinder.evaluation.few import too_few
from viewfinder.evaluation.foldable import seen_before
from viewfinder.evaluation.folds import headline_of, in_words, judged
from viewfinder.evaluation.split_scores import LEAST_PICTURES
from viewfinder.events import note, saying_once
from viewfinder.files import explained_writing, write_json
from viewfinder.runs.places import FOLDS, discarding_unbegun, holds_run
from viewfinder.runs.run import RunFolder, open_run
from viewfinder.tasks import find
from viewfinder.tasks.recipe import Recipe
from viewfinder.tasks.task import AnyTask, require_classes
from viewfinder.training.arrangement import Choice
from viewfinder.training.beginning import Prepared, refuse_early
from viewfinder.training.fetching import as_published
from viewfinder.training.fold_figures import all_together, epochs_for_everything, fold_row
from viewfinder.training.folds_refusing import Folds, refuse_folds
from viewfinder.training.folds_usual import usual_folds
from viewfinder.training.locking import taken
from viewfinder.training.resumable import MARK, all_learnt, folds_begun, look_at_folds
from viewfinder.training.resuming import same_run
from viewfinder.training.train import train, train_on
from viewfinder.wording import counted, duration


def train_with(
    folds: Folds | None,
    task: str,
    data: str | Path,
    recipe: Recipe,
    *,
    out: str | Path,
    resume: bool = False,
    opened: Dataset | None = None,
) -> RunFolder:
    """Train, in so many folds first; None chooses, and "none" is one training.

    Folds are chosen where few pictures would judge, and all takes three minutes at most: of what is
    solved at once no picture is described twice, and of steps one is timed. Else they are advised.
    A run that is resumed goes on as it was begun.

    Args:
        opened: the set as `open_dataset` gives it with the recipe's `val_share`, where it is open.

    Raises:
        InputError: what `train` or `train_in_folds` refuse.
    """
    with saying_once(), own_threads():
        return _train_with(folds, task, data, recipe, Path(out).expanduser(), resume, opened)


def _train_with(
    folds: Folds | None,
    task: str,
    data: str | Path,
    recipe: Recipe,
    out: Path,
    resume: bool,
    opened: Dataset | None,
) -> RunFolder:
    undealt, ready, recipe = None, None, as_published(recipe)
    if folds is None and resume and (begun := folds_begun(out)):
        folds = begun
    if folds is None and not (resume and holds_run(out)):
        chosen = usual_folds(task, data, recipe, opened)
        folds, opened, ready = chosen.folds, chosen.opened, chosen.ready
        undealt = opened if folds else None
    if folds is None or folds == "none":
        return train(task, data, recipe, out=out, resume=resume, opened=opened, ready=ready)
    return train_in_folds(
        *(task, data, recipe),
        folds=folds,
        out=out,
        resume=resume,
        opened=undealt,
        timed=ready,
    )


def train_in_folds(
    task: str,
    data: str | Path,
    recipe: Recipe,
    *,
    folds: int,
    out: str | Path,
    resume: bool,
    opened: Dataset | None = None,
    timed: Prepared | None = None,
) -> RunFolder:
    """Judge a recipe by k folds of a set, then train on all of it.

    A test split that the set has itself stays aside, and judges the last run. Frames of one video
    and pictures that look alike are in one fold.

    Args:
        resume: go on where it was: folds that are finished are kept.
        opened: the set, where it is open already, not dealt.
        timed: a training of this recipe that was prepared to tell how long all will take.

    Returns:
        The last run, in `out`.

    Raises:
        InputError: what `train` refuses, or folds that the set or the recipe does not allow.
    """
    kind, folder = find(task), Path(out).expanduser()
    refuse_early(kind, recipe)
    refuse_folds(recipe, folds)
    begun = look_at_folds(folder, folds, resume=resume)
    dataset = opened or open_dataset(data, deal=False)
    require_present(dataset)
    note(dataset.summary())
    # What is the matter with the set is reported once.
    whole = replace(all_learnt(dataset), notes=(), faults=())
    kind.require(whole)
    require_classes(kind, whole.classes)
    pool = whole.split("train")
    _refuse_known(recipe, pool)
    parts = dealt(pool, folds, val_share=recipe.val_share, least_val=LEAST_PICTURES)
    with explained_writing(folder):
        (folder / FOLDS).mkdir(parents=True, exist_ok=True)
        if not begun:
            write_json(folder / FOLDS / MARK, {"folds": folds})
    with (
        discarding_unbegun(folder),
        taken(folder / FOLDS, "training"),
        saying_once(),
    ):
        runs = _train(kind, parts, recipe, folder / FOLDS, source=str(data), timed=timed)
        figure, form = kind.headline_for(recipe)[0]
        rows = [fold_row(run, figure) for run in runs]
        objects = kind.worth(pool, recipe) if kind.finds_boxes else None
        outcome = judged(figure, rows, all_together(kind, runs), objects=objects)
        epochs = epochs_for_everything(outcome["each"], recipe)
        note(f"all folds: {in_words(outcome, form)}")
        why = " (the median of those that the folds kept)" if epochs != recipe.epochs else ""
        for_long = f", for {counted(epochs, 'epoch')}{why}" if recipe.in_steps else ""
        note(f"now on all {counted(len(pool), 'picture')}{for_long}")
        return train_on(
            kind,
            whole,
            replace(recipe, epochs=epochs) if recipe.in_steps else recipe,
            out=folder,
            source=str(data),
            resume=resume,
            part=f"everything, after {folds} folds",
            folds=outcome | {"epochs": epochs},
            arithmetic=timed.choice if timed else Choice.from_json(runs[0].manifest.precision),
        )


def _refuse_known(recipe: Recipe, pool: Dataset) -> None:
    """Refuse to start from, or be taught by, a run that has seen the pictures that are to judge."""
    if known := seen_before(recipe, pool):
        name, place, seen = known
        raise InputError(
            f"--{name} {place} has learnt from {seen:,} of the {len(pool):,} pictures that are to "
            "judge it: give another, or leave out --folds"
        )


def _train(
    kind: AnyTask,
    parts: Sequence[Dataset],
    recipe: Recipe,
    place: Path,
    *,
    source: str,
    timed: Prepared | None = None,
) -> list[RunFolder]:
    """The folds' runs, those trained that are not finished; reports how long the rest takes."""
    runs: list[RunFolder] = []
    figure, form = kind.headline_for(recipe)[0]
    for number, part in enumerate(parts, 1):
        out, begun = place / str(number), time.monotonic()
        goes_on = holds_run(out)
        if goes_on and open_run(out).finished:
            runs.append(same_run(out, part, recipe))
            continue
        name = f"fold {number} of {len(parts)}"
        note(f"{name}: {out}")
        # One arithmetic for all: another would be another training.
        known = timed.choice if timed else None
        if known is None and runs:
            known = Choice.from_json(runs[0].manifest.precision)
        left, last = len(parts) - number, len(part) / len(part.split("train"))
        whole = 0.0 if runs or timed else 1 + left + (last if recipe.in_steps else 1)
        runs.append(
            train_on(
                *(kind, part, recipe),
                out=out,
                source=source,
                resume=goes_on,
                part=name,
                arithmetic=known,
                expected=timed.forecast if timed else None,
                trainings=whole,
            )
        )
        # What was trained before a stop was no part of this sitting.
        took = max(time.monotonic() - begun, runs[-1].history()[-1]["seconds"])
        more = f"{counted(left, 'more fold')} and the last training" if left else "the last"
        reached = headline_of(figure, fold_row(runs[-1], figure)["figure"], form)
        # Of what is solved, the first fold describes the pictures of all.
        rest = f"about {duration((left + last) * took)} for {more}"
        if number == 1 and not recipe.in_steps:
            rest = f"{more} follow"
        tested = part.split("test")
        few = too_few(len(tested), kind.worth(tested, recipe))
        of = f"of {counted(len(tested), 'picture')}{few}"
        note(f"{name}: {reached} {of}; {rest}")
    return runs
