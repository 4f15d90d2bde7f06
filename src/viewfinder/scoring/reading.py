"""What `score` compares: sets and methods, and of which task they are, told by the answers."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.evaluation.judging import default_split
from viewfinder.events import note
from viewfinder.pictures.finding import pictures_below
from viewfinder.scoring.box_answers import all_box_answers
from viewfinder.scoring.box_contest import BoxesCompared
from viewfinder.scoring.class_contest import ClassesCompared
from viewfinder.scoring.class_sources import class_answers
from viewfinder.scoring.contest import Contest
from viewfinder.scoring.csv_table import heads_of, refuse_headless, table_text
from viewfinder.scoring.metric_names import refuse_unknown
from viewfinder.scoring.models import is_model, opened, read_each
from viewfinder.scoring.patterns import TABLES, NamedSet, named_methods, named_set
from viewfinder.scoring.saliency_contest import maps_compared
from viewfinder.scoring.sets import map_contests, models_maps
from viewfinder.wording import counted, likest, some

_ARRAYS = {".npy", ".npz", ".mat"}
# Columns of boxes; the second are asked to be corners.
_EDGES, _SIZES = {"x1", "xmin"}, {"x", "y"}


_CONTESTS = ("classify", "detect", "saliency")
"""Tasks whose answers can be compared picture by picture."""


@dataclass(frozen=True)
class ScoreRequest:
    """What is to be compared.

    Attributes:
        truth: a folder with the truth, or of several sets of masks; None if `sets` says it.
        split: which side of a set of boxes or classes; None for test, else val, else all.
        stretch: spread each map's values over 0 to 1 first.
    """

    truth: Path | None
    methods: dict[str, Path]
    sets: tuple[NamedSet, ...] = ()
    split: str | None = None
    stretch: bool = True
    metrics: tuple[str, ...] = ()


def asked(
    truth: Path | None,
    methods: Sequence[str],
    sets: Sequence[str],
    *,
    split: str | None = None,
    stretch: bool = True,
) -> ScoreRequest:
    """What `score TRUTH NAME=ANSWERS … --set NAME=TRUTH:PATTERN` names.

    Raises:
        InputError: something named is not there, or is not clear.
    """
    found = tuple(named_set(given) for given in sets)
    _refuse_twice([each.name for each in found])
    if truth is None and not found:
        raise InputError("name the truth and a method: score TRUTH NAME=ANSWERS")
    if truth is not None and not truth.exists():
        _refuse_missing(truth)
    own = _without_truth(named_methods(methods), truth, methods) if truth is not None else {}
    return ScoreRequest(truth, own, found, split, stretch)


def _refuse_twice(names: Sequence[str]) -> None:
    """Refuse two sets of one name, whose scores nobody could tell apart.

    Raises:
        InputError: there are two.
    """
    alike = [unicodedata.normalize("NFC", name).strip().casefold() for name in names]
    for k, name in enumerate(names):
        if alike[k] in alike[:k]:
            raise InputError(
                f"two sets are named {name}: give each a name of its own, --set NAME=TRUTH:ANSWERS"
            )


def _without_truth(found: dict[str, Path], truth: Path, methods: Sequence[str]) -> dict[str, Path]:
    """The methods but for the truth, where it lies among them.

    Raises:
        InputError: it was named as one itself, or is all that there is.
    """
    itself = [name for name, path in found.items() if path.resolve() == truth.resolve()]
    left = {name: path for name, path in found.items() if name not in itself}
    if not itself:
        return found
    if not left or any(given.startswith(f"{name}=") for name in itself for given in methods):
        raise InputError(f"{truth} is the truth: name a method's answers beside it")
    note(f"{some(itself)} is the truth and no method")
    return left


def _refuse_missing(truth: Path) -> None:
    """Refuse a truth that is not there, by what lies beside it.

    Raises:
        InputError: always.
    """
    others = truth.parent.iterdir() if truth.parent.is_dir() else ()
    near = likest(truth.name, (each.name for each in others))
    raise InputError(f"there is no folder {truth}{near}: name the folder of the truth")


def contests(asked: ScoreRequest) -> list[Contest]:
    """The sets, with every method's answers read.

    Raises:
        InputError: answers of two tasks, or anything that cannot be read.
    """
    answers = [*asked.methods.values(), *(p for each in asked.sets for p in each.answers.values())]
    tasks: dict[str, Path] = {}
    for path in answers:
        tasks.setdefault(_task_of(path), path)
    if len(tasks) > 1:
        (one, first), (other, second), *_ = tasks.items()
        raise InputError(
            f"{first} holds answers of the task {one}, and {second} of the task {other}: compare "
            "those of one task"
        )
    refuse_unknown(asked.metrics, next(iter(tasks), "saliency"))
    if set(tasks) <= {"saliency"}:
        if asked.split is not None:
            raise InputError(
                f"--split {asked.split}: masks lie in folders and in no splits; name the folder of "
                "the split's masks instead"
            )
        try:
            maps = map_contests(asked.truth, asked.methods, asked.sets)
            _refuse_twice([each.truth.name for each in maps])
            return [maps_compared(each, stretch=asked.stretch) for each in maps]
        except InputError:
            for place in filter(None, (asked.truth, *(each.truth for each in asked.sets))):
                _refuse_boxes(place)
            raise
    if not asked.stretch:
        raise InputError("--as-is: only maps have values to spread; leave it out")
    sets = list(asked.sets)
    if asked.truth is not None:
        sets.insert(0, NamedSet(asked.truth.resolve().name, asked.truth, asked.methods))
    _refuse_twice([each.name for each in sets])
    return [_labelled(each, next(iter(tasks)), asked.split) for each in sets]


def _task_of(path: Path) -> str:
    """`saliency`, `detect` or `classify`, by what answers look like.

    Raises:
        InputError: nothing says it.
    """
    if is_model(path):
        return opened(path).config.task
    if path.is_dir():
        if next(iter(pictures_below(path)), None) is not None:
            return "saliency"
        if next(path.rglob("*.txt"), None) is not None:
            return "detect"
        arrays = next((file for file in path.rglob("*") if file.suffix in _ARRAYS), None)
        if arrays is not None:
            raise InputError(
                f"{path} holds arrays such as {arrays.name}: write maps as PNG of 8 or 16 bits, "
                "values of 0 to 1 times 255 or 65535"
            )
        raise InputError(f"{path} holds neither maps nor text files of boxes: name the answers")
    if path.suffix.lower() == ".json":
        return "detect"
    named = heads_of(table_text(path))
    refuse_headless(path, named)
    heads = {head.lower() for head in named}
    return "detect" if heads & _EDGES or heads >= _SIZES else "classify"


def _refuse_boxes(truth: Path) -> None:
    """Refuse maps beside a truth of boxes.

    Raises:
        InputError: it is one.
    """
    try:
        whole = open_dataset(truth)
    except InputError:
        return
    if whole.boxes is not None and not whole.masks:
        raise InputError(
            f"the answers are maps, and the truth is boxes ({truth}, {whole.layout}): name the "
            "folder of the masks, or answers that are boxes"
        )


def _labelled(given: NamedSet, task: str, split: str | None) -> Contest:
    try:
        truth, _ = truth_of(given.truth, task, split)
    except InputError as error:
        if task == "detect":
            told = f"the answers are boxes, and the truth is none of boxes: {error}"
            raise InputError(told) from None
        tables = [path for path in given.answers.values() if path.suffix.lower() in TABLES]
        if task == "classify" and tables:
            told = f"{error} (and a table of boxes has columns x1, y1, x2 and y2: {tables[0]})"
            raise InputError(told) from None
        raise
    return contest_of(task, given.name, truth, given.answers)


def require_contest(task: str) -> None:
    """See that answers of a task can be compared picture by picture.

    Raises:
        InputError: they cannot.
    """
    if task not in _CONTESTS:
        raise InputError(f"compare and score know {', '.join(_CONTESTS)}, and not {task}")


def contest_of(
    task: str, name: str, truth: Dataset, answers: Mapping[str, Path], *, stretch: bool = False
) -> Contest:
    """A set, and every method's answers to it.

    Args:
        answers: of each method; of saliency, of each a model.
        stretch: as of `ScoreRequest`.

    Raises:
        InputError: answers that cannot be read, or of a task that has no contest.
    """
    require_contest(task)
    if task == "saliency":
        return maps_compared(models_maps(name, truth, answers), stretch=stretch)
    if task == "detect":
        return BoxesCompared(name, truth, all_box_answers(answers, truth))
    classes = read_each(answers, lambda path: class_answers(path, truth))
    return ClassesCompared(name, truth, classes)


def truth_of(
    path: str | Path,
    task: str,
    split: str | None,
    *,
    deal: bool = False,
    val_share: float | None = None,
    quiet: bool = False,
) -> tuple[Dataset, str]:
    """The pictures of one side of a set, with their truth, and which side it is.

    Args:
        deal, val_share: as of `open_dataset`.
        quiet: do not say how many pictures of the set these are.

    Raises:
        InputError: there is no such set, or it is of another task.
    """
    whole = open_dataset(path, deal=deal, val_share=val_share)
    if task == "detect" and whole.boxes is None:
        raise InputError(f"{path} is {whole.layout}, which has no boxes to hold answers to")
    if task == "saliency" and not whole.masks:
        raise InputError(f"{path} is {whole.layout}, which has no masks to hold maps to")
    if task == "classify":
        whole.require_labels()
    side = split or default_split(whole)
    chosen = whole if side == "all" else whole.split(side)
    if len(chosen) < len(whole) and not quiet:
        note(
            f"{path}: {counted(len(chosen), 'picture')} of its split {side} "
            f"{'is' if len(chosen) == 1 else 'are'} scored, "
            f"of {len(whole):,} (--split all takes all)"
        )
    return chosen, side
