"""Saliency maps as a contest: scores of means over pictures, curves over thresholds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.reading import read_map, read_mask, read_picture
from viewfinder.scoring.contest import Curve, Drawn, Metric, Plot, Row, Seen
from viewfinder.scoring.saliency import Judged, Measured
from viewfinder.scoring.saliency_scores import METRICS, made, stacked
from viewfinder.scoring.sampling import redrawn, same_shares
from viewfinder.scoring.thumbnails import small
from viewfinder.tasks.saliency.scores import THRESHOLDS, SaliencyScores, mean
from viewfinder.wording import counted, some

PLOTS = (
    Plot("pr", "Precision and recall", "recall", "precision", "Precision over recall"),
    Plot("f", "F by threshold", "threshold on the map", "F, β² = 0.3", "F over the threshold"),
    Plot("e", "E by threshold", "threshold on the map", "E", "E over the threshold"),
    Plot("roc", "ROC", "false positive rate", "true positive rate", "True over false positives"),
)
_PLAIN = ("mae", "s_measure", "weighted_f", "f_adaptive", "e_adaptive")


@dataclass(frozen=True, eq=False)
class MapScores:
    """A method's maps, measured."""

    measured: Mapping[str, Measured]

    @property
    def pictures(self) -> Sequence[str]:
        return tuple(self.measured)

    @cached_property
    def _scores(self) -> dict[str, SaliencyScores]:
        return {mask: one.scores for mask, one in self.measured.items()}

    @cached_property
    def _mean(self) -> SaliencyScores:
        return mean(self._scores.values())

    def drawn(self, metric: str, pictures: Sequence[str]) -> Drawn | None:
        own = made(metric)
        parts = stacked(
            own, [self.measured[m] for m in pictures], [self._scores[m] for m in pictures]
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
        one, scores = self.measured[picture], self._scores[picture]
        row: dict[str, float | str] = {key: getattr(scores, key) for key in _PLAIN}
        row["f_max"], row["e_max"] = float(scores.f_curve.max()), float(scores.e_curve.max())
        return row | {"iou": one.iou, "boundary_iou": one.boundary_iou}


@dataclass(frozen=True, eq=False)
class MapsCompared:
    """Methods' maps of one set."""

    judged: Judged
    stretched: bool
    metrics: Sequence[Metric] = METRICS
    differing: str = "By S, which stands below each map."

    @property
    def name(self) -> str:
        return self.judged.contest.truth.name

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

    def notes(self, common: Sequence[str]) -> list[str]:
        """How files were paired, and what is missing, left over, odd or empty."""
        judged = self.judged
        said = []
        for answers in judged.contest.answers:
            own, found = answers.paired, judged.measured[answers.method]
            said += own.notes(answers.method, "map", "mask")
            resized = [mask for mask, one in found.items() if one.resized]
            if resized:
                count = counted(len(resized), "map")
                said.append(
                    f"{answers.method}: {count} of another size than the mask, resized to it: "
                    f"{some(resized)}"
                )
        said += [f"{each.method}: left out, as {each.why}" for each in judged.unread]
        return said + self._empty()

    def _empty(self) -> list[str]:
        found = self.judged.measured.values()
        empty = [
            mask
            for mask in self.pictures
            if any((one := f.get(mask)) and one.of.counts.wanted == 0 for f in found)
        ]
        if not empty:
            return []
        return [
            f"{counted(len(empty), 'mask')} without a subject ({some(empty)}): F and weighted F "
            "are 0 there, and S is 1 − the map's mean, as the field's programs have it; but an "
            "empty map of an empty mask is right, and every score says 1"
        ]

    def rows(self, common: Sequence[str], methods: Sequence[str], count: int) -> Iterator[Row]:
        measured, truth = self.judged.measured, self.judged.contest.truth
        s = np.array([[measured[name][mask].of.s_measure for name in methods] for mask in common])
        order = np.argsort(s.min(axis=1) - s.max(axis=1), kind="stable")[:count]
        files = {answers.method: answers for answers in self.judged.contest.answers}
        for index in order.tolist():
            mask = common[index]
            seen = []
            if mask in truth.pictures:
                seen.append(Seen("picture", small(read_picture(truth.pictures[mask])), ""))
            seen.append(Seen("mask", small(_grey(read_mask(truth.root / mask).astype(float))), ""))
            for name, own in zip(methods, s[index], strict=True):
                map_ = _grey(read_map(files[name].file(mask)))
                seen.append(Seen(name, small(map_), f"{own:.3f}"))
            yield Row(mask, tuple(seen))


def _grey(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.repeat(np.rint(255 * values).astype(np.uint8)[:, :, None], 3, axis=2)
