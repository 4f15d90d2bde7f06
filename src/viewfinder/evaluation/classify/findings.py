"""What a classifier's accuracy hides: classes that are never answered right, and rare ones."""

from dataclasses import replace

import numpy as np

from viewfinder.datasets.checks.checking import is_unbalanced
from viewfinder.datasets.dataset import Dataset
from viewfinder.evaluation import folded
from viewfinder.evaluation.advising import without_folds
from viewfinder.evaluation.always import BALANCED, of_scores
from viewfinder.evaluation.classify.judged import ClassifyJudgement, ClassifyMaterial
from viewfinder.evaluation.fitting import LEAST_PICTURES, FitVerdict, Tries
from viewfinder.evaluation.lost import Lost, first, is_clear
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.wording import counted, some


def lost_classes(material: ClassifyMaterial) -> Lost | None:
    """Classes with a recall of 0 on all held-out pictures, or on training ones if none were."""
    held_out = [each for split, each in material.judgements.items() if split in ("val", "test")]
    judged = held_out or [material.judgements["train"]]
    counts = sum((each.scores.confusion for each in judged), np.zeros((), np.int64))
    folded = material.folds.get("together") if material.folds and not held_out else None
    if folded is not None:
        counts = np.array(folded["confusion"], np.int64)
    there, right = counts.sum(axis=1), np.diag(counts)
    lost = np.flatnonzero((there > 0) & (right == 0))
    if not len(lost):
        return None
    classes = judged[0].examples.classes
    wrong = 1 - right.sum() / there.sum()
    of = "held-out" if held_out or folded else "training"
    names = tuple(classes[index] for index in lost.tolist())
    parts = [f"{classes[i]} ({counted(int(there[i]), 'picture')})" for i in lost.tolist()]
    says = f"No {of} picture is answered right of these classes: {some(parts, 6)}."
    if len(names) == 1:
        says = f"No {of} picture of {parts[0]} is answered right."
    return Lost(names, says, is_clear(wrong, there, lost))


def balanced_advice(train: Dataset, *, balanced: bool) -> tuple[str, ...]:
    """To show every class equally often, where `check` calls a class unbalanced."""
    counts = train.counts()
    if balanced or not counts:
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
    held_out = material.held_out
    if held_out is None:
        return ""
    return of_scores(held_out.scores, held_out.examples.classes, figure_of(material.recipe))


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
