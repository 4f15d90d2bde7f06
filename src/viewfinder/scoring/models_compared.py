"""Models of one task on one set: scores, differences that are more than chance, speed, size, and
what they differ in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError
from viewfinder.evaluation.judging import seen_in_training, trained_on
from viewfinder.inference.opening import open_foreign
from viewfinder.runs.run import RunFolder, open_run
from viewfinder.scoring.comparing import MethodComparison, SetScores, compare
from viewfinder.scoring.model_facts import ModelFacts, facts_of, recipes_apart
from viewfinder.scoring.models import is_model
from viewfinder.scoring.reading import contest_of, require_contest, truth_of
from viewfinder.scoring.side_by_side import Agreement, agreement
from viewfinder.tasks.model import Model
from viewfinder.wording import counted, some

_MOST_PAIRS = 6


@dataclass(frozen=True)
class Opened:
    """Models by name, and the runs that trained those of them that have one."""

    models: Mapping[str, Model]
    runs: Mapping[str, RunFolder]

    @property
    def task(self) -> str:
        return next(iter(self.models.values())).config.task


@dataclass(frozen=True, eq=False)
class ModelsCompared:
    """Everything that `compare` found.

    Attributes:
        found: scores of the one set.
        split: which side of the set it is.
        apart: what the models differ in: see `recipes_apart`.
        agreements: of pairs of models, the first pair first.
        notes: what must be known to read this, beside the scores' own.
    """

    task: str
    found: MethodComparison
    split: str
    facts: Mapping[str, ModelFacts]
    apart: Mapping[str, Mapping[str, str | None]]
    agreements: tuple[Agreement, ...]
    notes: tuple[str, ...]

    @property
    def scored(self) -> SetScores:
        return self.found.sets[0]


def open_models(words: Sequence[str]) -> Opened:
    """Models as `compare` names them, each `RUN` or `NAME=RUN`.

    Raises:
        InputError: one cannot be opened, they are of two tasks, or two have one name.
    """
    if len(words) < 2:
        raise InputError("name two models or more, and then the set: compare RUN RUN DATA")
    models: dict[str, Model] = {}
    runs: dict[str, RunFolder] = {}
    for word, name in zip(words, _names(words), strict=True):
        path = _place(word)
        if foreign := open_foreign(path):
            models[name] = foreign
        else:
            runs[name] = open_run(path)
            models[name] = runs[name].model
    first, task = next((name, each.config.task) for name, each in models.items())
    for name, each in models.items():
        if each.config.task != task:
            raise InputError(
                f"{first} is a model of the task {task} and {name} of the task "
                f"{each.config.task}: compare those of one task"
            )
    require_contest(task)
    return Opened(models, runs)


def _place(word: str) -> str:
    _, sign, path = word.partition("=")
    return path if sign and not Path(word).exists() else word


def _names(words: Sequence[str]) -> list[str]:
    """A name for each: as it was given, or as much of its path as tells it from the others."""
    given = [word.partition("=")[0] if _place(word) != word else "" for word in words]
    paths = [Path(_place(word)).expanduser() for word in words]
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        names = [
            own or "/".join(path.parts[-depth:]) for own, path in zip(given, paths, strict=True)
        ]
        if len(set(names)) == len(names):
            return names
    twice = next(name for name in names if names.count(name) > 1)
    raise InputError(f"{twice} is named twice: name two models, or give each as NAME=RUN")


def compare_models(opened: Opened, data: str, *, split: str | None) -> ModelsCompared:
    """Ask every model about a set's pictures, and compare.

    Args:
        data: as `open_dataset` takes it.
        split: `train`, `val`, `test` or `all`; None for the one kept furthest from training.

    Raises:
        InputError: data that cannot be read, is of another task, or lacks that side.
    """
    task = opened.task
    owner = next((run for run in opened.runs.values() if _owns(run, data)), None)
    truth, side = truth_of(
        data,
        task,
        split,
        deal=owner is not None,
        val_share=owner.manifest.recipe.val_share if owner else None,
    )
    places = {
        name: each.source if is_model(each.source) else each.weights.file
        for name, each in opened.models.items()
    }
    contest = contest_of(task, Path(data).resolve().name, truth, places)
    found = compare([contest])
    scored = found.sets[0]
    pairs = list(combinations(opened.models, 2))[:_MOST_PAIRS]
    return ModelsCompared(
        task,
        found,
        side,
        facts_of(opened.models, truth),
        recipes_apart(opened.models, opened.runs),
        tuple(agreement(contest, scored.common, one, other) for one, other in pairs),
        tuple(_notes(opened, truth)),
    )


def _owns(run: RunFolder, data: str) -> bool:
    """Whether the set's sides are dealt as they were for this run."""
    return trained_on(run, data) and "folded" not in run.manifest.data


def _notes(opened: Opened, truth: Dataset) -> list[str]:
    said = []
    for name in opened.models:
        if name not in opened.runs:
            said.append(f"{name} is no run, so its recipe is not known")
        elif learnt := seen_in_training(opened.runs[name], truth):
            count = counted(len(learnt), "picture")
            said.append(
                f"{name} was trained on, or chosen by, {count} of these {len(truth):,}, and its "
                f"scores on them flatter it: {some(learnt)}"
            )
    return said
