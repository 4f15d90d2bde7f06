"""Every method's scores of every set with their intervals, and every pair of methods."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from viewfinder.errors import InputError
from viewfinder.evaluation.sampling import Interval, MethodPair, pairs, ranks
from viewfinder.events import track
from viewfinder.scoring.contest import Contest, Curve, Drawn, MethodAnswers, Metric
from viewfinder.wording import counted, likest, some


@dataclass(frozen=True, eq=False)
class MethodScores:
    """One method on one set.

    Attributes:
        images: that it was scored on: those that every method has answered, or where there are
            none its own; 0 of one whose answers could all not be read.
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
        common: those that every method has answered; all are scored and compared on these.
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

    @property
    def scored(self) -> list[MethodScores]:
        """The methods that have scores."""
        return [own for own in self.methods if own.images]

    @property
    def comparable(self) -> bool:
        """Whether all methods were scored on the same pictures."""
        return len(self.common) > 0


@dataclass(frozen=True, eq=False)
class MethodComparison:
    """Everything that `score` found.

    Attributes:
        ranks: of each metric, each method's mean place over the sets that are `ranked`.
        ranked: the names of those on which all methods were scored, on the same pictures.
    """

    sets: tuple[SetScores, ...]
    ranks: dict[str, dict[str, float]]
    ranked: tuple[str, ...]

    @property
    def methods(self) -> list[str]:
        return list(dict.fromkeys(m.method for each in self.sets for m in each.methods))

    @property
    def unread(self) -> list[str]:
        """Methods of which no answer to some set could be read."""
        return list(
            dict.fromkeys(m.method for each in self.sets for m in each.methods if not m.images)
        )

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
                    f"--metrics {key}{likest(key, known)}: these answers have no such score: "
                    f"there are {', '.join(known)}"
                )
        return [known[key] for key in dict.fromkeys(keys)] or self.headline


def compare(contests: Sequence[Contest]) -> MethodComparison:
    """Scores, intervals, pairs and ranks."""
    names = list(dict.fromkeys(name for each in contests for name in each.methods))
    sets = tuple(_set(each, names) for each in contests)
    ranked = [each for each in sets if each.comparable and len(each.scored) == len(names)]
    return MethodComparison(sets, _ranks(ranked), tuple(each.name for each in ranked))


def _set(contest: Contest, names: Sequence[str]) -> SetScores:
    answered = [frozenset(own.pictures) for own in contest.methods.values()]
    common = tuple(p for p in contest.pictures if answered and all(p in own for own in answered))
    methods = contest.methods
    if common:
        # What one method leaves out may be what is hard: nobody is scored on it.
        methods = {name: own.among(common) for name, own in methods.items()}
    values: dict[str, dict[str, Interval]] = {method: {} for method in methods}
    compared: dict[str, list[MethodPair]] = {}
    work = track(
        contest.metrics, total=len(contest.metrics), description=f"scores of {contest.name}"
    )
    for metric in work:
        drawn = _drawn(metric, methods)
        for method, found in drawn.items():
            values[method][metric.key] = found.interval
        compared[metric.key] = _pairs(drawn) if common else []
    found_methods = tuple(
        MethodScores(method, len(own.pictures), values[method], _curves(contest, own))
        for method, own in methods.items()
    )
    found_methods += tuple(MethodScores(method, 0, {}, {}) for method in contest.unscored)
    said = []
    if any(own.images == 1 for own in found_methods):
        said = ["one picture gives no interval, nor can it tell a difference from chance"]
    notes = [*said, *_uncommon(common, contest), *_absent(contest, names), *contest.notes(common)]
    return SetScores(contest, len(contest.pictures), common, found_methods, compared, tuple(notes))


def _drawn(metric: Metric, methods: Mapping[str, MethodAnswers]) -> dict[str, Drawn]:
    found = {name: own.drawn(metric.key, tuple(own.pictures)) for name, own in methods.items()}
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
    """On which pictures the methods are scored, where it is not on all."""
    count = len(contest.pictures)
    if len(common) == count or not contest.methods:
        return []
    if not common:
        return [
            "no picture has answers of all methods: each is scored on its own, so that neither "
            "the best is marked nor any two are compared"
        ]
    lacking = {
        name: count - len(own.pictures)
        for name, own in contest.methods.items()
        if len(own.pictures) < count
    }
    on = f"scored on the {counted(len(common), 'picture')} of {count:,} that"
    if len(contest.methods) == 1:
        return [f"{next(iter(lacking))} is {on} it answered"]
    told = ", ".join(f"{name} lacks {lost:,}" for name, lost in lacking.items())
    return [f"all are {on} all answered: {told}"]


def _absent(contest: Contest, names: Sequence[str]) -> list[str]:
    absent = [n for n in names if n not in contest.methods and n not in contest.unscored]
    return [f"not scored on this set: {some(absent)}"] if absent else []


def _ranks(ranked: Sequence[SetScores]) -> dict[str, dict[str, float]]:
    """Each method's mean place over sets that have all methods."""
    metrics = {m.key: m for each in ranked for m in each.contest.metrics}
    found: dict[str, dict[str, float]] = {}
    for key, metric in metrics.items():
        rows = [[m.values.get(key) for m in each.scored] for each in ranked]
        if any(value is None for row in rows for value in row):
            continue
        places: dict[str, list[float]] = {}
        for each in ranked:
            own = [m.values[key].value for m in each.scored]
            for m, place in zip(
                each.scored, ranks(own, higher_is_better=metric.higher_is_better), strict=True
            ):
                places.setdefault(m.method, []).append(place)
        found[key] = {method: statistics.fmean(own) for method, own in places.items()}
    return found
