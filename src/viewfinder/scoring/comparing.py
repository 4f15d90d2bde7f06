"""Every method's scores of every set with their intervals, and every pair of methods."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from viewfinder.errors import InputError
from viewfinder.evaluation.sampling import Interval, MethodPair, pairs, ranks
from viewfinder.events import track
from viewfinder.scoring.contest import Contest, Curve, Drawn, MethodAnswers, Metric
from viewfinder.wording import counted, likest


@dataclass(frozen=True, eq=False)
class MethodScores:
    """One method on one set.

    Attributes:
        images: that it was scored on.
        values: of each metric by its key; none where no picture has one, as AUC of empty masks.
        curves: of each plot by its key.
    """

    method: str
    images: int
    values: dict[str, Interval]
    curves: dict[str, Curve]


@dataclass(frozen=True, eq=False)
class SetScores:
    """All methods on one set.

    Attributes:
        images: that the truth is known of.
        common: those that every method has answered; pairs are compared on these.
        pairs: of each metric by its key.
        notes: what must be known to read the scores.
    """

    contest: Contest
    images: int
    common: tuple[str, ...]
    methods: tuple[MethodScores, ...]
    pairs: dict[str, list[MethodPair]]
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.contest.name


@dataclass(frozen=True, eq=False)
class MethodComparison:
    """Everything that `score` found.

    Attributes:
        ranks: of each metric, each method's mean place over the sets that all methods have.
    """

    sets: tuple[SetScores, ...]
    ranks: dict[str, dict[str, float]]

    @property
    def methods(self) -> list[str]:
        return list(dict.fromkeys(m.method for each in self.sets for m in each.methods))

    @property
    def metrics(self) -> list[Metric]:
        """Those of all sets, in the order of the tables."""
        return list({m.key: m for each in self.sets for m in each.contest.metrics}.values())

    @property
    def headline(self) -> list[Metric]:
        """Those of a table where no others are asked for."""
        return [each for each in self.metrics if each.headline]

    def chosen(self, keys: Sequence[str]) -> list[Metric]:
        """The metrics of these names; the headline where there are none.

        Raises:
            InputError: one is not known.
        """
        known = {each.key: each for each in self.metrics}
        for key in keys:
            if key not in known:
                raise InputError(
                    f"--metrics {key}{likest(key, known)}: there are {', '.join(known)}"
                )
        return [known[key] for key in keys] or self.headline


def compare(contests: Sequence[Contest]) -> MethodComparison:
    """Scores, intervals, pairs and ranks."""
    sets = tuple(_set(each) for each in contests)
    return MethodComparison(sets, _ranks(sets))


def _set(contest: Contest) -> SetScores:
    methods = contest.methods
    answered = [frozenset(own.pictures) for own in methods.values()]
    common = tuple(p for p in contest.pictures if answered and all(p in own for own in answered))
    values: dict[str, dict[str, Interval]] = {method: {} for method in methods}
    compared: dict[str, list[MethodPair]] = {}
    work = track(
        contest.metrics, total=len(contest.metrics), description=f"intervals of {contest.name}"
    )
    for metric in work:
        together = _drawn(metric, common, methods)
        for method, own in methods.items():
            found = together.get(method)
            if len(own.pictures) != len(common):
                found = own.drawn(metric.key, tuple(own.pictures))
            if found is not None:
                values[method][metric.key] = found.interval
        compared[metric.key] = _pairs(together)
    found_methods = tuple(
        MethodScores(method, len(own.pictures), values[method], _curves(contest, own))
        for method, own in methods.items()
    )
    notes = [*contest.notes(common), *_uncommon(common, contest)]
    return SetScores(contest, len(contest.pictures), common, found_methods, compared, tuple(notes))


def _drawn(
    metric: Metric, pictures: Sequence[str], methods: Mapping[str, MethodAnswers]
) -> dict[str, Drawn]:
    found = {name: own.drawn(metric.key, pictures) for name, own in methods.items() if pictures}
    return {name: drawn for name, drawn in found.items() if drawn is not None}


def _pairs(drawn: Mapping[str, Drawn]) -> list[MethodPair]:
    scores = {name: each.value for name, each in drawn.items()}
    draws = {name: each.draws for name, each in drawn.items()}
    images = next((each.images for each in drawn.values()), 0)
    return pairs(scores, draws, images)


def _curves(contest: Contest, own: MethodAnswers) -> dict[str, Curve]:
    curves = {plot.key: own.curve(plot.key) for plot in contest.plots}
    return {key: curve for key, curve in curves.items() if curve is not None}


def _uncommon(common: Sequence[str], contest: Contest) -> list[str]:
    if len(common) == len(contest.pictures):
        return []
    return [
        f"methods are compared on the {counted(len(common), 'picture')} of "
        f"{len(contest.pictures):,} that all of them have"
    ]


def _ranks(sets: Sequence[SetScores]) -> dict[str, dict[str, float]]:
    """Mean places; of sets that some method lacks, nothing is said."""
    names = {method.method for each in sets for method in each.methods}
    whole = [each for each in sets if {m.method for m in each.methods} == names]
    metrics = {m.key: m for each in whole for m in each.contest.metrics}
    found: dict[str, dict[str, float]] = {}
    for key, metric in metrics.items():
        rows = [[m.values.get(key) for m in each.methods] for each in whole]
        if any(value is None for row in rows for value in row):
            continue
        places: dict[str, list[float]] = {}
        for each in whole:
            own = [m.values[key].value for m in each.methods]
            for m, place in zip(
                each.methods, ranks(own, higher_is_better=metric.higher_is_better), strict=True
            ):
                places.setdefault(m.method, []).append(place)
        found[key] = {method: statistics.fmean(own) for method, own in places.items()}
    return found
