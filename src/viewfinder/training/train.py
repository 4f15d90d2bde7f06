"""From a folder of pictures to a run: opens, chooses, trains, scores, reports.

    viewfinder train detect photos --out runs/a                  the fastest device there is
    viewfinder train detect photos --out runs/a --resume         resume after a stop or a crash
    viewfinder train detect photos --device cpu                  one process, all cores
    viewfinder train detect photos --device cpu --devices 2      two processes share each step
    viewfinder train detect photos --device cuda                 one GPU
    viewfinder train detect photos --device cuda --devices 4     four GPUs of one machine

Two machines take a training each, with another --seed and another --out. `training/loop.py` has the
steps themselves.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import torch

from viewfinder.attribution.in_report import shown_reasons
from viewfinder.crowding import own_threads
from viewfinder.datasets.bit_depth import with_bits_found
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.opening import open_dataset
from viewfinder.datasets.presence import pointing_to_check, require_present
from viewfinder.devices import pick_device
from viewfinder.errors import InputError
from viewfinder.evaluation.advising import unsaid
from viewfinder.evaluation.calibrating import calibrated, family_of, keep_evidence
from viewfinder.evaluation.fitting import FitVerdict, needs_longer
from viewfinder.evaluation.foldable import folds_for, in_report, seen_before
from viewfinder.evaluation.folded import FoldScores
from viewfinder.evaluation.judging import AnyJudgement, judge
from viewfinder.evaluation.report import write_report
from viewfinder.evaluation.unseen import judge_unseen
from viewfinder.events import Advice, FitJudged, RunDone, emit, listeners, listening, note
from viewfinder.listeners import tensorboard
from viewfinder.runs.places import FOLDS, discard, holds_progress, holds_run, refuse_taken
from viewfinder.runs.run import RunFolder, open_run
from viewfinder.runs.scores import HELD_OUT
from viewfinder.tasks import find
from viewfinder.tasks.calibration import FILE as CALIBRATION
from viewfinder.tasks.recipe import Recipe
from viewfinder.tasks.task import AnyTask, require_classes
from viewfinder.training.arrangement import Choice
from viewfinder.training.beginning import Prepared, begin, go_on, prepare, refuse_early
from viewfinder.training.folds_advice import after, before
from viewfinder.training.forecast import Forecast, told
from viewfinder.training.further import further
from viewfinder.training.job import Job
from viewfinder.training.locking import taken
from viewfinder.training.loop import fit
from viewfinder.training.processes import launch
from viewfinder.training.seen import first_step
from viewfinder.training.solving import alike, solve


def train(
    task: str,
    data: str | Path,
    recipe: Recipe,
    *,
    out: str | Path,
    resume: bool = False,
    opened: Dataset | None = None,
    ready: Prepared | None = None,
) -> RunFolder:
    """Train, score and report; the run's folder holds it all.

    Args:
        data: a folder of pictures, or `tabletop`.
        out: the run's folder, new or empty; with `resume`, the folder to go on with.
        resume: go on from the last state written. On the CPU the weights come out bit for bit as
            if the training had never stopped, unless `minutes` ties it to the clock, or it goes on
            with another number of threads, on another processor or with another torch, which a
            note then says.
        opened: the set, where it is open already, dealt as the recipe has it.
        ready: as of `train_on`.

    Raises:
        InputError: anything in the data or the recipe that cannot be used, or a loss that stopped
            being a number.
    """
    kind = find(task)
    folder = Path(out).expanduser()
    refuse_early(kind, recipe)
    if resume and (folder / FOLDS).exists():
        raise InputError(f"--resume: {folder} was begun in folds: leave --folds none out")
    dataset = opened or open_dataset(data, val_share=recipe.val_share)
    require_present(dataset)
    with own_threads():
        return train_on(
            kind, dataset, recipe, out=folder, source=str(data), resume=resume, ready=ready
        )


def train_on(
    task: AnyTask,
    dataset: Dataset,
    recipe: Recipe,
    *,
    out: Path,
    source: str,
    resume: bool = False,
    part: str | None = None,
    folds: FoldScores | None = None,
    arithmetic: Choice | None = None,
    expected: Forecast | None = None,
    ready: Prepared | None = None,
    trainings: float = 0.0,
) -> RunFolder:
    """`train` on a set that is open and has splits already.

    Args:
        source: what the set was opened by.
        part: of trainings that make up folds, which this is, in words.
        folds: what the folds came to, of the training on everything that follows them; their runs
            lie in its folder.
        arithmetic: what was chosen for trainings that it is compared with.
        expected: how long it takes, where it was told of one that is alike.
        ready: this training as it was prepared already, of a set that is open.
        trainings: of the first fold, as how many of its kind all that are to come will take; how
            long that is, is said before the first step.
    """
    task.require(dataset)
    require_classes(task, dataset.classes)
    going_on = resume and holds_run(out)
    if ready is not None:
        dataset = ready.dataset
    elif not going_on:
        dataset = with_bits_found(dataset)
    note(dataset.summary())
    beside = (FOLDS,) if folds else ()
    few = folds_for(dataset) if part is None else None
    if few is not None and (recipe.by_held_out or seen_before(recipe, dataset)):
        few = None  # folds would be refused
    if few is not None and not going_on:
        emit(Advice(before(dataset, few, recipe, ready.forecast if ready else None)))
    begun = time.monotonic()
    with pointing_to_check(dataset, source), ExitStack() as held:
        if going_on:
            held.enter_context(taken(out, "training"))
            job = go_on(out, dataset, recipe)
        else:
            refuse_taken(out, beside=beside)
            ready = ready or prepare(
                *(task, dataset, recipe),
                source=source,
                arithmetic=arithmetic,
                expected=expected,
            )
            if said := _how_long(ready, part=part, trainings=trainings):
                note(said)
            job = begin(ready, out, part=part, beside=beside)
            held.enter_context(taken(out, "training"))
        count = folds["folds"] if folds else 0
        more = (
            further(job, pick_device(recipe.device), folds=count) if part is None or folds else None
        )
        tries = [in_report(dataset, few)] if few is not None else []
        run, fits = _finish(job, dataset, folds, [*tries, *([more.says] if more else [])])
        for line in more.lines(time.monotonic() - begun) if more else ():
            note(line)
    if few is not None and not needs_longer(fits, recipe):
        for line in after(run, dataset, few, time.monotonic() - begun):
            note(line)
    return run


def _how_long(ready: Prepared, *, part: str | None, trainings: float) -> str:
    """About how long it takes, where the plan of one training's steps does not say it."""
    if trainings:
        return f"all folds and the last training: {told(ready.forecast, trainings)}"
    if ready.setup.recipe.in_steps or part is not None:
        return ""
    first = "pictures are described, and " if ready.forecast.once > ready.forecast.each else ""
    return f"{first}the last layer is solved at once: {told(ready.forecast)}"


def _finish(
    job: Job, dataset: Dataset, folds: FoldScores | None, tries: Sequence[str]
) -> tuple[RunFolder, FitVerdict]:
    """Train to the end, score and report, with what to `try` beside what the verdict says."""
    run, recipe, begun = job.run, job.run.manifest.recipe, time.monotonic()
    device = pick_device(recipe.device)
    solved: Mapping[str, object] = {}
    try:
        with listening(*listeners(), *tensorboard.usual()):
            if recipe.in_steps:
                if not run.state_file.exists():
                    find(run.manifest.task).begin(job.net, job.splits.train, run.setup(), device)
                launch(device, recipe.devices, partial(fit, job=job))
            else:
                solved = solve(job, device)
    except BaseException:
        # A training that never got anywhere leaves nothing to use or to go on from.
        if not holds_progress(run.folder):
            discard(run.folder)
        raise
    concluded = find(run.manifest.task).conclude(
        run.model.load_on(device), dataset, run.setup(), device, run.folder
    )
    run, judgements, fitted = _judged(run, dataset, folds, device, solved)
    scores = {split: j.as_json() for split, j in judgements.items()}
    beside: dict[str, Mapping[str, object] | None] = {
        "folds": folds,
        "head": solved,
        "calibration": fitted,
        **concluded,
    }
    run.save_scores(scores | {name: dict(each) for name, each in beside.items() if each})
    seen = first_step(job) if recipe.in_steps else []
    says = str(fitted["says"]) if fitted else ""
    of_fold = "folded" in run.manifest.data and not folds
    took = 0.0 if of_fold else time.monotonic() - begun
    reasons = shown_reasons(run.model, judgements, device=device, took=took)
    came_about = [str(each["says"]) for each in (solved, *concluded.values()) if "says" in each]
    verdict = write_report(
        *(run, dataset, judgements, folds, seen, says, tries, reasons),
        solved=came_about,
    )
    # Of folds only the last run is judged, by what they all came to.
    if not of_fold:
        report_verdict(run, verdict, tries)
    emit(RunDone(str(run.folder), scores))
    return run, verdict


def _judged(
    run: RunFolder,
    dataset: Dataset,
    folds: FoldScores | None,
    device: torch.device,
    solved: Mapping[str, object],
) -> tuple[RunFolder, dict[str, AnyJudgement], Mapping[str, object] | None]:
    """The run with its scores fitted, how it answers each split, and the figures of that fit."""
    (run.folder / CALIBRATION).unlink(missing_ok=True)  # of an earlier end of this training
    run = open_run(run.folder)  # with what it has been given now
    judgements = judge(run, dataset, device=device)
    if "folded" in run.manifest.data and not folds:
        # What all folds say of their pictures is what the scores of the last run are fitted by.
        said = family_of(run.manifest.task).evidence(judgements["test"])
        if said is not None:
            keep_evidence(run.folder, said)
        return run, judgements, None
    if folds:
        unseen = judge_unseen(run.model, run, dataset.split("train"), device=device)
        judgements = {**({HELD_OUT: unseen} if unseen is not None else {}), **judgements}
    judges = [run.folder / FOLDS / str(n + 1) for n in range(folds["folds"] if folds else 0)]
    judgements, fitted = calibrated(run, judgements, alike(judges, solved))
    return open_run(run.folder), judgements, fitted


def report_verdict(run: RunFolder, verdict: FitVerdict, said: Sequence[str] = ()) -> None:
    """Report the verdict, and all that could be tried but for what is `said` as a whole command."""
    commands, tries = sum(each in verdict.tries for each in said), unsaid(verdict.tries, said)
    emit(FitJudged(str(run.folder), verdict.kind, verdict.says, tries, commands))
