"""Which last layer to take for few pictures: class means or ridge regression, and whether
pictures without labels help; each decided by pictures that were left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from viewfinder.tasks.chance import likelier_by_chance, share_error, worth
from viewfinder.tasks.classify.believing import Likeness, believed, likeness
from viewfinder.tasks.classify.heads import (
    Floats,
    Labels,
    LeftOut,
    LinearHead,
    SolvedHead,
    class_means,
    cross_validated,
    ridge,
    softmax,
)

Way = Literal["prototypes", "linear"]
Helps = Literal["yes", "no", "unclear"]
# How likely chance alone may be to make true classes as much likelier as pictures without labels
# did. Of 24 draws of CIFAR-10, with others of its classes, so many are kept in 15 (by 0.05 in 12),
# which gains 2.2 points of the 2.9 there are; of 48 with others of other classes, in 2, one worse.
_BY_CHANCE = 0.1
IN_WORDS: Mapping[Way, str] = {"prototypes": "class means", "linear": "ridge regression"}


@dataclass(frozen=True, eq=False)
class VectorExamples:
    """Vectors of pictures, of the same ones mirrored too, and their classes.

    Attributes:
        views: N×V×D: V is 1, or 2 with each picture's mirror image.
        labels: N.
    """

    views: Floats
    labels: Labels
    classes: int

    def select(self, numbers: Labels) -> "VectorExamples":
        """Some of them."""
        return VectorExamples(self.views[numbers], self.labels[numbers], self.classes)

    @property
    def vectors(self) -> Floats:
        """N×D: of each picture the mean over its views."""
        return np.asarray(self.views.mean(axis=1), np.float64)

    @property
    def weights(self) -> Floats:
        """What each picture counts: each class as much as any other, however many it has.

        Where classes are unequal that is right of more pictures of rare ones, and of no fewer of
        all, than where each picture counts alike (`docs/few-labels.md`).
        """
        counts = np.bincount(self.labels, minlength=self.classes)
        return np.asarray(1.0 / counts[self.labels], np.float64)


@dataclass(frozen=True, eq=False)
class Solved:
    """A last layer, how it came about, and what left-out pictures said.

    Attributes:
        decay: the pull towards zero; 0 of class means.
        right: the share of left-out pictures that were right, each class counting alike, by way;
            empty if none could be. With
            pictures without labels also `labelled` and `unlabelled`: of five folds of the
            pictures with labels, without the others and with them.
        pictures: how many were left out.
        unequal: whether classes have more pictures than others.
        single: the classes of one picture each, which could not be left out.
        believed: how many pictures without labels took part.
        helps: what left-out pictures say of those, if there are any.
    """

    layer: LinearHead
    way: Way
    decay: float
    right: dict[str, float]
    pictures: int
    believed: int = 0
    unequal: bool = False
    single: tuple[int, ...] = ()
    helps: Helps | None = None


@dataclass(frozen=True, eq=False)
class Others:
    """Pictures without labels beside some with.

    Attributes:
        vectors: M×D.
        alike: of the L pictures with labels, and then of these.
    """

    vectors: Floats
    alike: Likeness

    def beside(self, numbers: Labels, *, of: int) -> "Others":
        """The same beside some of the L pictures with labels."""
        rows = np.concatenate([numbers, of + np.arange(len(self.vectors))])
        return Others(self.vectors, self.alike.select(rows))


def solve(
    examples: VectorExamples, ways: Sequence[Way], unlabelled: Floats | None = None
) -> Solved:
    """The layer that left-out pictures prefer, learnt from all.

    Args:
        ways: to choose from.
        unlabelled: M×D vectors of pictures without labels; they are used only if left-out pictures
            say that they help.
    """
    candidates = {way: _learn(examples, way) for way in ways}
    counts = np.bincount(examples.labels, minlength=examples.classes)
    own, single = counts[examples.labels], np.flatnonzero(counts == 1)
    judged = np.flatnonzero(own > 1)
    right: dict[Way, float] = {}
    if len(judged):
        for way, each in candidates.items():
            said = each.left_out[judged].argmax(axis=1)
            hits = said == examples.labels[judged]
            right[way] = float(np.average(hits, weights=examples.weights[judged]))
    known_by = worth(np.bincount(examples.labels[judged]).tolist())
    way = _chosen(right, known_by) if right else ways[-1]
    learnt, count, shares = candidates[way], 0, {str(way): share for way, share in right.items()}
    helps: Helps | None = None
    if unlabelled is not None and len(unlabelled) and right:
        others = Others(unlabelled, likeness(np.concatenate([examples.vectors, unlabelled])))
        alone, beside = (
            cross_validated(
                examples.labels, examples.classes, partial(_of_fold, examples, way, others=more)
            )
            for more in (None, others)
        )
        shares |= {"labelled": alone.right, "unlabelled": beside.right}
        helps = _judged(alone, beside)
        if helps == "yes":
            learnt, count = _self_trained(examples, way, others, surest=beside.turn)
    unequal, lone = bool(counts.min() < counts.max()), tuple(single.tolist())
    return Solved(learnt.layer, way, learnt.decay, shares, len(judged), count, unequal, lone, helps)


def _judged(alone: LeftOut, beside: LeftOut) -> Helps:
    """Whether pictures without labels help: true classes of left-out pictures become likelier by
    more than chance, and no fewer of these come out right.

    How many more come out right would hang on one or two of a hundred.
    """
    before, after = alone.shares(), beside.shares()
    if beside.right >= alone.right and likelier_by_chance(before, after) <= _BY_CHANCE:
        return "yes"
    better = beside.right > alone.right or np.log(after).mean() > np.log(before).mean()
    return "unclear" if better else "no"


def _chosen(right: Mapping[Way, float], pictures: float) -> Way:
    """Ridge regression, unless class means are right of more by more than a standard error.

    Of the bigger of two shares of a few dozen pictures chance has its part; and from 5 to 50
    pictures a class of three sets ridge regression was never worse (`docs/few-labels.md`).
    """
    if "linear" not in right or "prototypes" not in right:
        return next(iter(right))
    share = right["prototypes"]
    clearly = share - right["linear"] > share_error(share, pictures)
    return "prototypes" if clearly else "linear"


def _of_fold(
    examples: VectorExamples, way: Way, kept: Labels, out: Labels, *, others: Others | None
) -> Floats:
    """The logits that a layer learnt from `kept` gives the pictures `out`."""
    part = examples.select(kept)
    if others is None:
        learnt = _learn(part, way)
    else:
        learnt, _ = _self_trained(part, way, others.beside(kept, of=len(examples.labels)))
    return learnt.layer.logits(examples.vectors[out])


def _learn(examples: VectorExamples, way: Way) -> SolvedHead:
    if way == "prototypes":
        return class_means(examples.vectors, examples.labels, examples.classes)
    weights = examples.weights
    return ridge(examples.vectors, examples.labels, examples.classes, weights=weights)


def _self_trained(
    examples: VectorExamples, way: Way, others: Others, *, surest: float = 1.0
) -> tuple[SolvedHead, int]:
    """Learnt by ridge regression from guesses too (Lee, 2013), which together count as much as the
    pictures with labels; and how many guesses they are.

    Args:
        surest: as sure as it may be, of what it says by itself: guesses are easily right, so that
            a layer that learnt from them believes too much in all.
    """
    by_layer = softmax(_learn(examples, way).layer.logits(others.vectors))
    by_alike = others.alike.spread(examples.labels, examples.classes)
    taken, guessed = believed(by_layer, by_alike)
    weights = examples.weights
    learnt = ridge(
        np.concatenate([examples.vectors, others.vectors[taken]]),
        np.concatenate([examples.labels, guessed]),
        examples.classes,
        weights=np.concatenate([weights, np.full(len(taken), weights.sum() / len(taken))]),
    )
    return replace(learnt, layer=learnt.layer.turned(min(1.0, surest))), len(taken)
