"""What a classifier's accuracy hides: classes that are never answered right, and rare ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from viewfinder.datasets.checks.checking import is_unbalanced
from viewfinder.datasets.dataset import Dataset
from viewfinder.evaluation import folded
from viewfinder.evaluation.advising import unsaid, without_folds
from viewfinder.evaluation.always import BALANCED, of_scores
from viewfinder.evaluation.classify.judged import ClassifyJudgement, ClassifyMaterial
from viewfinder.evaluation.fitting import LEAST_PICTURES, FitVerdict, Tries
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.wording import counted, some

# A class whose pictures are all answered wrong is lost, and not unlucky, where that would happen
# to a class as good as the others with less than this chance.
_CHANCE = 0.05


@dataclass(frozen=True)
class Lost:
    """Classes of which not one picture is answered right.

    Attributes:
        names: with how many pictures there are of each.
        of: which pictures these are: held-out or training.
        clear: whether that is more than bad luck for any of them.
    """

    names: tuple[tuple[str, int], ...]
    of: str
    clear: bool


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
    clear = bool((wrong ** there[lost] < _CHANCE / len(there)).any())
    names = tuple((classes[index], int(there[index])) for index in lost.tolist())
    return Lost(names, "held-out" if held_out or folded else "training", clear)


def with_lost(said: FitVerdict, lost: Lost) -> FitVerdict:
    """A verdict that names classes which are never answered right, and does not call that fine."""
    parts = [f"{name} ({counted(count, 'picture')})" for name, count in lost.names]
    words = f"No {lost.of} picture is answered right of these classes: {some(parts, 6)}."
    if len(parts) == 1:
        words = f"No {lost.of} picture of {parts[0]} is answered right."
    tries: tuple[str, ...] = (f"add pictures of {some([name for name, _ in lost.names], 6)}",)
    if said.kind != "fine" or not lost.clear:
        return replace(said, says=f"{said.says} {words}", tries=_named(said.tries, lost, tries))
    figures = said.says.removeprefix("The fit is fine: ")
    tries += ("look at the worst pictures: are their labels right, could you tell them apart?",)
    return FitVerdict("uneven", f"{words} Of all classes together, {figures}", tries)


def _named(tries: Sequence[str], lost: Lost, more: tuple[str, ...]) -> tuple[str, ...]:
    """`tries` with `more` pictures of lost classes once: not where they are named already, and in
    the place of an advice that names none."""
    adds = [each for each in tries if each.startswith("add pictures:")]
    named = [each.removeprefix("add pictures: ").split(", and nothing")[0] for each in adds]
    if any(all(f"{name} " in words for name, _ in lost.names) for words in named):
        return tuple(tries)
    if not adds or any("judge" in each for each in adds):
        return first(tries, more)
    return tuple(more[0] if each is adds[0] else each for each in tries if each not in adds[1:])


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


def first(tries: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """`tries`, and after them those of `others` that ask for something else."""
    return (*tries, *unsaid(others, tries))
