"""Every method's scores of every set with their intervals, and every pair of methods."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.events import track
from viewfinder.scoring.saliency import Judged, Measured
from viewfinder.scoring.saliency_scores import METRICS, Metric, stacked
from viewfinder.scoring.sampling import (
    Draws,
    Interval,
    Pair,
    interval,
    pairs,
    ranks,
    redrawn,
    shares,
)
from viewfinder.tasks.saliency.scores import SaliencyScores, mean
from viewfinder.wording import counted, some


@dataclass(frozen=True, eq=False)
class MethodScores:
    """One method on one set.

    Attributes:
        images: that it was scored on.
        values: of each metric by its key; none where no picture has one, as AUC of empty masks.
        mean: all means and curves.
        false_positives, true_positives: the mean ROC curve; empty where there is none.
    """

    method: str
    images: int
    values: dict[str, Interval]
    mean: SaliencyScores
    roc: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SetScores:
    """All methods on one set.

    Attributes:
        images: masks that there are.
        common: those that every method has a map for; pairs are compared on these.
        pairs: of each metric by its key.
        notes: what must be known to read the scores.
    """

    judged: Judged
    images: int
    common: tuple[str, ...]
    methods: tuple[MethodScores, ...]
    pairs: dict[str, list[Pair]]
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.judged.contest.truth.name


@dataclass(frozen=True, eq=False)
class Comparison:
    """Everything that `score` found.

    Attributes:
        stretched: whether maps were spread over [0, 1] first.
        ranks: of each metric, each method's mean place over the sets that all methods have.
    """

    sets: tuple[SetScores, ...]
    stretched: bool
    ranks: dict[str, dict[str, float]]

    @property
    def methods(self) -> list[str]:
        return list(dict.fromkeys(m.method for each in self.sets for m in each.methods))


def compare(judged: Sequence[Judged], *, stretched: bool) -> Comparison:
    """Scores, intervals, pairs and ranks."""
    sets = tuple(_set(each) for each in judged)
    return Comparison(sets, stretched, _ranks(sets))


def _set(judged: Judged) -> SetScores:
    masks = judged.contest.truth.masks
    measured = {method: found for method, found in judged.measured.items() if found}
    common = tuple(m for m in masks if measured and all(m in each for each in measured.values()))
    scores = {
        method: {mask: one.scores for mask, one in found.items()}
        for method, found in measured.items()
    }
    values: dict[str, dict[str, Interval]] = {method: {} for method in measured}
    compared: dict[str, list[Pair]] = {}
    work = track(
        METRICS, total=len(METRICS), description=f"intervals of {judged.contest.truth.name}"
    )
    for metric in work:
        together = _draws(metric, common, measured, scores)
        for method, found in measured.items():
            own = together
            if len(found) != len(common):
                own = _draws(metric, tuple(found), {method: found}, scores)
            if method in own.scores:
                values[method][metric.key] = interval(
                    own.scores[method], own.draws[method], own.images
                )
        compared[metric.key] = pairs(together.scores, together.draws, together.images)
    methods = tuple(
        MethodScores(
            method, len(found), values[method], mean(scores[method].values()), _mean_roc(found)
        )
        for method, found in measured.items()
    )
    return SetScores(judged, len(masks), common, methods, compared, tuple(_notes(judged, common)))


@dataclass(frozen=True, eq=False)
class _Drawn:
    images: int
    scores: dict[str, float]
    draws: dict[str, Draws]


def _draws(
    metric: Metric,
    masks: Sequence[str],
    measured: dict[str, dict[str, Measured]],
    scores: dict[str, dict[str, SaliencyScores]],
) -> _Drawn:
    """Each method's score over these pictures, and over each draw of them."""
    found: dict[str, float] = {}
    draws: dict[str, Draws] = {}
    images, drawing = 0, None
    for method, own in measured.items():
        parts = stacked(metric, [own[m] for m in masks], [scores[method][m] for m in masks])
        if len(parts) == 0:
            continue
        if drawing is None:  # The masks alone say which pictures give something.
            images, drawing = len(parts), shares(len(parts))
        found[method] = float(metric.figure(parts.mean(axis=0)))
        draws[method] = redrawn(drawing, parts, metric.figure)
    return _Drawn(images, found, draws)


def _mean_roc(found: dict[str, Measured]) -> NDArray[np.float64]:
    curves = [curve for each in found.values() if (curve := each.roc()) is not None]
    return np.mean(curves, axis=0) if curves else np.zeros((2, 0))


def _ranks(sets: Sequence[SetScores]) -> dict[str, dict[str, float]]:
    """Mean places; of sets that some method lacks, nothing is said."""
    names = {method.method for each in sets for method in each.methods}
    whole = [each for each in sets if {m.method for m in each.methods} == names]
    found: dict[str, dict[str, float]] = {}
    for metric in METRICS:
        rows = [[m.values.get(metric.key) for m in each.methods] for each in whole]
        if not rows or any(value is None for row in rows for value in row):
            continue
        places: dict[str, list[float]] = {}
        for each in whole:
            own = [m.values[metric.key].value for m in each.methods]
            for m, place in zip(
                each.methods, ranks(own, higher_is_better=metric.higher_is_better), strict=True
            ):
                places.setdefault(m.method, []).append(place)
        found[metric.key] = {method: statistics.fmean(own) for method, own in places.items()}
    return found


def _notes(judged: Judged, common: Sequence[str]) -> list[str]:
    """How files were paired, and what is missing, left over, odd or empty."""
    said = []
    truth = judged.contest.truth
    for answers in judged.contest.answers:
        own, found = answers.paired, judged.measured[answers.method]
        if str(own.added) != "NAME":
            said.append(f"{answers.method}: maps are named {own.added} for the mask NAME")
        if own.missing:
            count = counted(len(own.missing), "mask")
            said.append(f"{answers.method}: no map for {count}: {some(list(own.missing))}")
        if own.surplus:
            count = counted(len(own.surplus), "map")
            said.append(f"{answers.method}: {count} of no mask: {some(list(own.surplus))}")
        resized = [mask for mask, one in found.items() if one.resized]
        if resized:
            count = counted(len(resized), "map")
            said.append(
                f"{answers.method}: {count} of another size than the mask, resized to it: "
                f"{some(resized)}"
            )
    for each in judged.unread:
        said.append(f"{each.method}: left out, as {each.why}")
    if len(common) < len(truth.masks):
        said.append(
            f"methods are compared on the {counted(len(common), 'picture')} of "
            f"{len(truth.masks):,} that all of them have"
        )
    empty = [
        mask
        for mask in truth.masks
        if any((one := f.get(mask)) and one.of.counts.wanted == 0 for f in judged.measured.values())
    ]
    if empty:
        said.append(
            f"{counted(len(empty), 'mask')} without a subject ({some(empty)}): F and weighted F "
            "are 0 there, and S is 1 − the map's mean, as the field's programs have it; but an "
            "empty map of an empty mask is right, and every score says 1"
        )
    return said
