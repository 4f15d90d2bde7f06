"""What a classifier's accuracy hides: classes that are never answered right, and rare ones."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.checks.checking import is_unbalanced
from viewfinder.datasets.dataset import Dataset
from viewfinder.evaluation import folded
from viewfinder.evaluation.advising import without_folds
from viewfinder.evaluation.always import BALANCED, of_confusion
from viewfinder.evaluation.classify.judged import ClassifyJudgement, ClassifyMaterial
from viewfinder.evaluation.fitting import FitVerdict, Tries
from viewfinder.evaluation.lost import Lost, first, is_clear
from viewfinder.evaluation.split_scores import LEAST_PICTURES
from viewfinder.tasks.chance import at_most
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.wording import counted, some

# A class is far below the others where it is right less than this share as often, and chance would
# make that of any class of as good a net more rarely than this.
_FAR_BELOW, _CHANCE = 2 / 3, 0.05


def lost_classes(material: ClassifyMaterial) -> Lost | None:
    """Classes with a recall of 0 on all held-out pictures, or on training ones if none were; where
    there are none, those that are answered right far less often than the others."""
    counts, of = _judged_by(material)
    there, right = counts.sum(axis=1), np.diag(counts)
    lost = np.flatnonzero((there > 0) & (right == 0))
    classes = material.judgements["train"].examples.classes
    if not len(lost):
        return _far_below(there, right, classes, of)
    wrong = 1 - right.sum() / there.sum()
    names = tuple(classes[index] for index in lost.tolist())
    parts = [f"{classes[i]} ({counted(int(there[i]), 'picture')})" for i in lost.tolist()]
    says = f"No {of} picture is answered right of these classes: {some(parts, 6)}."
    if len(names) == 1:
        says = f"No {of} picture of {parts[0]} is answered right."
    return Lost(names, says, is_clear(wrong, there, lost))


def _judged_by(material: ClassifyMaterial) -> tuple[NDArray[np.int64], str]:
    """C×C counts of all held-out pictures, the folds' too, or of training ones if none were; and
    which they are."""
    if material.held_out:
        tables = [each.scores.confusion for each in material.held_out.values()]
        return np.sum(tables, axis=0, dtype=np.int64), "held-out"
    if material.folds and (together := material.folds.get("together")) is not None:
        return np.array(together["confusion"], np.int64), "held-out"
    return material.judgements["train"].scores.confusion, "training"


def _far_below(
    there: NDArray[np.int64], right: NDArray[np.int64], classes: Sequence[str], of: str
) -> Lost | None:
    """Classes that are answered right clearly less often than two thirds as often as the others."""
    share = right / np.maximum(1, there)
    # Laplace's rule: of few others, all right, it is not certain that all would be.
    others = (right.sum() - right + 1) / (there.sum() - there + 2)
    far = (there > 0) & (share < _FAR_BELOW * others)
    alpha = _CHANCE / max(1, (there > 0).sum())
    weak = [
        index
        for index in np.flatnonzero(far).tolist()
        if at_most(int(right[index]), int(there[index]), float(others[index])) < alpha
    ]
    if not weak:
        return None
    weak.sort(key=lambda index: share[index])
    parts = [f"{classes[i]} ({right[i]:,} of {there[i]:,} right)" for i in weak]
    rest = np.setdiff1d(np.arange(len(there)), weak)
    known = right[rest].sum() / max(1, there[rest].sum())
    says = (
        f"Of {of} pictures far fewer are right of {some(parts, 6)} than of the rest ({known:.1%})."
    )
    return Lost(tuple(classes[index] for index in weak), says, clear=True)


def balanced_advice(train: Dataset, recipe: ClassifyRecipe) -> tuple[str, ...]:
    """To show every class equally often, where `check` calls a class unbalanced.

    A layer that is solved counts them alike in any case.
    """
    counts = train.counts()
    if recipe.balanced or not recipe.in_steps or not counts:
        return ()
    largest = max(counts, key=lambda name: counts[name])
    rare = [name for name, count in counts.items() if is_unbalanced(count, counts[largest])]
    if not rare:
        return ()
    few = some([f"{name} {counts[name]:,}" for name in rare])
    why = f"{largest} has {counted(counts[largest], 'training picture')}, {few}"
    return (f"show every class equally often, as {why}: --balanced",)


def beside_always(material: ClassifyMaterial) -> str:
    """That what was held out is answered no better than by always answering one class; empty where
    it clearly is, and where nothing was held out."""
    if material.by_folds and material.folds is not None:
        return folded.beside_always(material.folds)[0]
    if not material.held_out:
        return ""
    counts, _ = _judged_by(material)
    classes = material.judgements["train"].examples.classes
    return of_confusion(counts, classes, figure_of(material.recipe))


def figure_of(recipe: ClassifyRecipe) -> str:
    """The figure that a training is after."""
    return BALANCED if recipe.balanced else "accuracy"


def with_always(said: FitVerdict, words: str, tries: Tries) -> FitVerdict:
    """A verdict that tells that the net is no better than always answering one class, and does
    not call that fine; `words` as `beside_always` has them."""
    if not words or "always answering" in said.says:
        return said
    sentence = f"On pictures that were held out the net is {words}."
    if said.kind != "fine":
        return replace(said, says=f"{said.says} {sentence}")
    figures = said.says.removeprefix("The fit is fine: ")
    more = ("add pictures: with so few, nothing helps as much",)
    helps = tries.under_fitting if words.startswith("no better") else more
    return FitVerdict("unknown", f"{sentence} {figures[0].upper()}{figures[1:]}", helps)


def unlearnt(
    said: FitVerdict,
    train: ClassifyJudgement,
    tries: Tries,
    *,
    balanced: bool = False,
    who: str = "it",
) -> FitVerdict:
    """A verdict that calls a net under-fitting which knows no more of its own training pictures
    than which class is the largest, whatever share of them that class has.

    Args:
        balanced: every class counts alike, so that always answering one is no better than chance.
        who: the net, in words, where others were judged too.
    """
    scores, few = train.scores, len(train.examples) < LEAST_PICTURES
    name, share = train.examples.classes[scores.largest[0]], scores.largest[1]
    beaten = balanced and scores.balanced_accuracy > 1 / len(scores.confusion)
    if beaten or scores.accuracy > share or few or said.kind == "over-fitting" or share == 1:
        return said
    right = f"{train.scores.accuracy:.1%} of its own training pictures"
    words = f"{who} answers {right} right, no more than by always answering {name} ({share:.1%})."
    if said.kind == "under-fitting":
        return replace(said, says=f"{said.says} {words[0].upper()}{words[1:]}")
    words = f"The net under-fits: {words}"
    more = first(tries.under_fitting, without_folds(said.tries) if said.kind == "unknown" else ())
    return FitVerdict("under-fitting", words, more)
