"""Saliency maps as a contest: scores of means over pictures, curves over thresholds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from viewfinder.errors import InputError
from viewfinder.evaluation.sampling import Values, redrawn, same_shares
from viewfinder.pictures.drawing import as_grey
from viewfinder.pictures.reading import read_header, read_map, read_picture
from viewfinder.scoring.contest import ComparedPicture, Curve, Drawn, MethodView, Metric, Plot
from viewfinder.scoring.dim import dim_notes
from viewfinder.scoring.identical import identical_notes
from viewfinder.scoring.masks import border_notes, faint_notes, read_scored
from viewfinder.scoring.measured import Measured
from viewfinder.scoring.saliency import Judged, Unread, judge
from viewfinder.scoring.saliency_scores import MADE, METRICS, made, stacked
from viewfinder.scoring.sets import Answers, MapContest
from viewfinder.scoring.shifted import shifted_notes
from viewfinder.scoring.thumbnails import small
from viewfinder.scoring.turned_over import turned_notes
from viewfinder.tasks.saliency.scores import THRESHOLDS, SaliencyScores, mean
from viewfinder.wording import counted, some

PLOTS = (
    Plot("pr", "Precision and recall", "recall", "precision", "Precision over recall"),
    Plot("f", "F by threshold", "threshold on the map", "F, β² = 0.3", "F over the threshold"),
    Plot("e", "E by threshold", "threshold on the map", "E", "E over the threshold"),
    Plot("roc", "ROC", "false positive rate", "true positive rate", "True over false positives"),
)
# Maps of another size that are looked at.
_LOOKS = 8
# Of one picture it is its best F.
_OF_SETS = ("f_max_dataset",)


@dataclass(frozen=True, eq=False)
class MapScores:
    """A method's maps, measured."""

    measured: Mapping[str, Measured]

    @property
    def pictures(self) -> Sequence[str]:
        return tuple(self.measured)

    def among(self, pictures: Sequence[str]) -> "MapScores":
        return MapScores({picture: self.measured[picture] for picture in pictures})

    @cached_property
    def scores(self) -> dict[str, SaliencyScores]:
        return {mask: one.scores for mask, one in self.measured.items()}

    @cached_property
    def _mean(self) -> SaliencyScores:
        return mean(self.scores.values())

    def drawn(self, metric: str, pictures: Sequence[str]) -> Drawn | None:
        own = made(metric)
        parts = stacked(
            own, [self.measured[m] for m in pictures], [self.scores[m] for m in pictures]
        )
        if len(parts) == 0:
            return None
        value = float(own.figure(parts.mean(axis=0)))
        return Drawn(value, len(parts), redrawn(same_shares(len(parts)), parts, own.figure))

    def curve(self, plot: str) -> Curve | None:
        if plot == "pr":
            # The last thresholds take nothing, where precision means nothing.
            there = self._mean.recall > 0
            return self._mean.recall[there], self._mean.precision[there]
        if plot == "roc":
            curves = [curve for each in self.measured.values() if (curve := each.roc()) is not None]
            return tuple(np.mean(curves, axis=0)) if curves else None
        return THRESHOLDS, self._mean.f_curve if plot == "f" else self._mean.e_curve

    def of_picture(self, picture: str) -> dict[str, float | str]:
        one, scores = self.measured[picture], self.scores[picture]
        row: dict[str, float | str] = {}
        for each in MADE:
            if each.metric.key not in _OF_SETS:
                parts = each.parts(one, scores)
                row[each.metric.key] = "" if parts is None else float(each.figure(parts))
        return row


def maps_compared(contest: MapContest, *, stretch: bool) -> "MapsCompared":
    """Measure every map of a set.

    Raises:
        InputError: not one map can be read, or masks hold what is no subject (`faint_notes`).
    """
    judged = judge(contest, stretch=stretch)
    truth = contest.truth
    if not any(judged.measured.values()):
        why = "; ".join(unread_notes(judged.unread)[:3])
        raise InputError(f"{truth.name}: not one map could be scored: {why}")
    faint = faint_notes(truth.root, _scored(judged), _without_subject(judged))
    return MapsCompared(judged, stretch, tuple(faint))


def _scored(judged: Judged) -> set[str]:
    """Masks that a map was held to."""
    return {mask for found in judged.measured.values() for mask in found}


def _without_subject(judged: Judged) -> list[str]:
    """Those of them that are empty, in order."""
    found = judged.measured.values()
    return [
        mask
        for mask in judged.contest.truth.masks
        if any((one := f.get(mask)) and one.of.counts.wanted == 0 for f in found)
    ]


def unread_notes(unread: Sequence[Unread]) -> list[str]:
    """Maps that were left out, those of one method and for one reason in one line."""
    groups: dict[tuple[str, str], list[Unread]] = {}
    for each in unread:
        # Sizes and places in files differ from one to the next, and are no other reason.
        reason = re.sub("[0-9]+", "", each.why.replace(each.file, ""))
        groups.setdefault((each.method, reason), []).append(each)
    said = []
    for (method, _), own in groups.items():
        if len(own) == 1:
            said.append(f"{method}: left out, as {own[0].why}")
        else:
            names = some([Path(each.file).name for each in own])
            said.append(
                f"{method}: {len(own):,} maps left out ({names}), the first as {own[0].why}"
            )
    return said


def _size(file: Path) -> str:
    """Width and height of a picture."""
    header = read_header(file)
    return f"{header.width}×{header.height}"


@dataclass(frozen=True, eq=False)
class MapsCompared:
    """Methods' maps of one set.

    Attributes:
        faint: of masks that are empty and yet hold something, in words.
    """

    judged: Judged
    stretched: bool
    faint: Sequence[str] = ()
    metrics: Sequence[Metric] = METRICS
    judged_by: str = "S"
    right_from: float = 0.9

    @property
    def name(self) -> str:
        return self.judged.contest.truth.name

    @property
    def differing(self) -> str:
        pictures = self.judged.contest.truth.pictures.values()
        beside = f" Pictures are those of {next(iter(pictures)).parent}." if pictures else ""
        return f"By S, which stands below each map.{beside}"

    @property
    def plots(self) -> Sequence[Plot]:
        return PLOTS

    @property
    def root(self) -> Path:
        return self.judged.contest.truth.root

    @property
    def pictures(self) -> Sequence[str]:
        return self.judged.contest.truth.masks

    @cached_property
    def methods(self) -> dict[str, MapScores]:
        return {name: MapScores(found) for name, found in self.judged.measured.items() if found}

    @property
    def settings(self) -> Mapping[str, object]:
        return {"stretched": self.stretched}

    @property
    def about(self) -> str:
        if self.stretched:
            return (
                "Each map’s values were spread over 0 to 1 first, as the field’s programs do "
                "(--as-is takes them as they are)."
            )
        return "Maps were taken as they are, their values not spread over 0 to 1."

    @property
    def unscored(self) -> Sequence[str]:
        unread = [name for name, found in self.judged.measured.items() if not found]
        return [*unread, *self.judged.contest.lost]

    def notes(self, common: Sequence[str]) -> list[str]:
        """How files were paired, and what is missing, left over, odd or empty."""
        judged = self.judged
        said = [f"{method}: {why}" for method, why in judged.contest.lost.items()]
        for answers in judged.contest.answers:
            said += answers.paired.notes(answers.method, "map", "mask")
            # Of those that are scored: what is left out is said elsewhere.
            own, scored = judged.measured[answers.method], set(common)
            found = {mask: one for mask, one in own.items() if not scored or mask in scored}
            resized = [mask for mask, one in found.items() if one.resized]
            if resized:
                count = counted(len(resized), "map")
                size = _size(answers.file(resized[0]))
                said.append(
                    f"{answers.method}: {count} of another size than the mask, resized to it: "
                    f"{some(resized)} (the first is {size} for {_size(self.root / resized[0])})"
                    f"{self._transposed(answers, resized)}"
                )
            if even := [mask for mask, one in found.items() if one.even]:
                count = counted(len(even), "map")
                said.append(
                    f"{answers.method}: {count} of one value everywhere, which finds nothing: "
                    f"{some(even)}"
                )
        said += [*unread_notes(judged.unread), *self.faint, *self._odd()]
        return said + self._identical(common) + self._empty(common)

    def _transposed(self, answers: Answers, resized: Sequence[str]) -> str:
        """A question where the maps are as high as their masks are wide."""
        own = [read_header(answers.file(mask)) for mask in resized[:_LOOKS]]
        of = [read_header(self.root / mask) for mask in resized[:_LOOKS]]
        turned = [
            (map_.width, map_.height) == (mask.height, mask.width)
            for map_, mask in zip(own, of, strict=True)
        ]
        return ": width and height are exchanged, are they transposed?" if all(turned) else ""

    def _odd(self) -> list[str]:
        """Maps or masks that seem to hold something else than what they are taken for."""
        measured = self.judged.measured
        said = border_notes(self.root, _scored(self.judged)) + turned_notes(measured)
        if not self.stretched:
            said += dim_notes(measured)
        return said + shifted_notes(self.judged)

    def _identical(self, common: Sequence[str]) -> list[str]:
        """Methods whose maps have the very same scores of every picture, but for rounding."""
        rows = {
            name: (
                "",
                [
                    (m.mae, m.s_measure, m.weighted_f)
                    for m in (own[picture].of for picture in common)
                ],
            )
            for name, own in self.judged.measured.items()
            if own
        }
        return identical_notes(rows, what="maps", pictures=len(common)) if common else []

    def _empty(self, common: Sequence[str]) -> list[str]:
        """The rule for masks without a subject, where some are scored."""
        scored = set(common) or _scored(self.judged)
        empty = [mask for mask in _without_subject(self.judged) if mask in scored]
        if not empty:
            return []
        return [
            f"{counted(len(empty), 'mask')} without a subject ({some(empty)}): F and weighted F "
            "are 0 there, and S is 1 − the map's mean, as the field's programs have it; but an "
            "empty map of an empty mask is right, and every score says 1",
        ]

    def goodness(self, pictures: Sequence[str], methods: Sequence[str]) -> Values:
        scores = [self.methods[name].scores for name in methods]
        return np.array([[own[mask].s_measure for own in scores] for mask in pictures], float)

    @cached_property
    def _files(self) -> dict[str, Answers]:
        return {answers.method: answers for answers in self.judged.contest.answers}

    def row(self, picture: str, methods: Sequence[str]) -> ComparedPicture:
        """A mask with its picture, where that is known, and each method's map."""
        truth, seen = self.judged.contest.truth, []
        own_maps = {self._files[name].file(picture).resolve() for name in methods}
        photograph = truth.pictures.get(picture)
        # A folder beside the masks' may be a method's.
        if photograph is not None and photograph.resolve() not in own_maps:
            seen.append(MethodView("picture", small(read_picture(photograph)), ""))
        seen.append(MethodView("mask", small(as_grey(read_scored(truth.root / picture))), ""))
        for name in methods:
            map_ = as_grey(read_map(self._files[name].file(picture)))
            own = self.methods[name].scores[picture].s_measure
            seen.append(MethodView(name, small(map_), f"{own:.3f}"))
        return ComparedPicture(picture, tuple(seen))
