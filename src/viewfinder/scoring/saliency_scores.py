"""The scores of saliency that are compared: what each is made of, and which way is better."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from viewfinder.evaluation.sampling import Figure, Values
from viewfinder.scoring.contest import Metric
from viewfinder.scoring.measured import Measured
from viewfinder.tasks.saliency.curves import f_measure
from viewfinder.tasks.saliency.scores import SaliencyScores


@dataclass(frozen=True)
class Made:
    """What a metric is made of.

    Attributes:
        parts: what one picture gives, k numbers, whose mean over pictures `figure` makes the score
            of; None where a picture has none.
    """

    metric: Metric
    parts: Callable[[Measured, SaliencyScores], Values | None]
    figure: Figure


def _made(
    key: str,
    title: str,
    tex: str,
    better: bool,
    parts: Callable[[Measured, SaliencyScores], Values | None],
    figure: Figure,
    meaning: str,
) -> Made:
    return Made(Metric(key, title, tex, better, meaning, key in _HEADLINE), parts, figure)


_HEADLINE = ("mae", "s_measure", "weighted_f", "f_max", "e_max")


def _plain(means: Values) -> Values:
    return means[..., 0]


def _largest(means: Values) -> Values:
    return np.asarray(means.max(axis=-1))


def _largest_f(means: Values) -> Values:
    precision, recall = means[..., : means.shape[-1] // 2], means[..., means.shape[-1] // 2 :]
    return np.asarray(f_measure(precision, recall).max(axis=-1))


def area_under(means: Values) -> Values:
    """Under the mean ROC curve, from (1, 1) to (0, 0)."""
    half = means.shape[-1] // 2
    false, true = means[..., :half], means[..., half:]
    corner = np.zeros((*means.shape[:-1], 1))
    false, true = np.concatenate([false, corner], -1), np.concatenate([true, corner], -1)
    heights, widths = true[..., 1:] + true[..., :-1], false[..., :-1] - false[..., 1:]
    return np.asarray(np.einsum("...i,...i->...", heights, widths) / 2)


def area_of(found: Mapping[str, Measured]) -> float | None:
    """Under the mean ROC curve of some pictures; None where none of them has one."""
    curves = [curve for each in found.values() if (curve := each.roc()) is not None]
    return float(area_under(np.mean(curves, axis=0).ravel())) if curves else None


def _one(number: float) -> Values:
    return np.array([number])


def _roc(measured: Measured, _: SaliencyScores) -> Values | None:
    found = measured.roc()
    return None if found is None else found.ravel()


MADE: tuple[Made, ...] = (
    _made(
        "mae", "MAE", r"$\mathcal{M}$", False, lambda m, s: _one(s.mae), _plain,
        "mean absolute difference of map and mask",
    ),
    _made(
        "s_measure", "S", r"$S_\alpha$", True, lambda m, s: _one(s.s_measure), _plain,
        "likeness of structure (Fan et al., 2017)",
    ),
    _made(
        "weighted_f", "F weighted", r"$F^w_\beta$", True, lambda m, s: _one(s.weighted_f), _plain,
        "F with errors weighted by where they lie (Margolin et al., 2014)",
    ),
    _made(
        "f_adaptive", "F adaptive", r"$F^{adp}_\beta$", True, lambda m, s: _one(s.f_adaptive),
        _plain, "F, β² = 0.3, at twice the map's mean (Achanta et al., 2009)",
    ),
    _made(
        "f_mean", "F mean", r"$F^{mean}_\beta$", True, lambda m, s: _one(s.f_curve.mean()), _plain,
        "the mean of the F curve",
    ),
    _made(
        "f_max", "F max", r"$F^{max}_\beta$", True, lambda m, s: s.f_curve, _largest,
        "the best of the mean F curve",
    ),
    _made(
        "f_max_dataset", "F max of set", r"$F^{max}_{PR}$", True,
        lambda m, s: np.concatenate([s.precision, s.recall]), _largest_f,
        "the best F of the mean precision and the mean recall",
    ),
    _made(
        "e_adaptive", "E adaptive", r"$E^{adp}_\phi$", True, lambda m, s: _one(s.e_adaptive),
        _plain, "likeness of alignment at twice the map's mean (Fan et al., 2018)",
    ),
    _made(
        "e_mean", "E mean", r"$E^{mean}_\phi$", True, lambda m, s: _one(s.e_curve.mean()), _plain,
        "the mean of the E curve",
    ),
    _made(
        "e_max", "E max", r"$E^{max}_\phi$", True, lambda m, s: s.e_curve, _largest,
        "the best of the mean E curve",
    ),
    _made(
        "auc", "AUC", "AUC", True, _roc, area_under,
        "area under the mean ROC curve of all pictures that have both subject and background",
    ),
    _made(
        "iou", "IoU", "IoU", True, lambda m, s: _one(m.iou), _plain,
        "intersection over union at half of the map's range",
    ),
    _made(
        "boundary_iou", "Boundary IoU", "B-IoU", True, lambda m, s: _one(m.boundary_iou), _plain,
        "the same of the bands along the contours (Cheng et al., 2021)",
    ),
    _made(
        "si_mae", "SI-MAE", r"SI-$\mathcal{M}$", False, lambda m, s: _one(m.alike.mae), _plain,
        "MAE in which small parts of the subject count as large ones (Li et al., 2024)",
    ),
    _made(
        "si_f_mean", "SI-F mean", r"SI-$F^{mean}_\beta$", True,
        lambda m, s: _one(m.alike.f_curve.mean()), _plain,
        "the mean of the F curve, of parts that count alike (Li et al., 2024)",
    ),
    _made(
        "si_f_max", "SI-F max", r"SI-$F^{max}_\beta$", True, lambda m, s: m.alike.f_curve,
        _largest, "the best of that mean curve",
    ),
)  # fmt: skip
"""In the order of the tables."""

METRICS = tuple(each.metric for each in MADE)


def made(key: str) -> Made:
    """What a metric is made of, by its name."""
    return next(each for each in MADE if each.metric.key == key)


def stacked(made: Made, measured: Sequence[Measured], scores: Sequence[SaliencyScores]) -> Values:
    """What the pictures give to a score, images×k, without those that give nothing."""
    parts = (made.parts(one, its) for one, its in zip(measured, scores, strict=True))
    rows = [part for part in parts if part is not None]
    return np.stack(rows) if rows else np.zeros((0, 1))
