"""How well saliency maps meet their masks: MAE, S-, E- and F-measure, and weighted F.

`score` judges one picture and `mean` any number of them; both give the same `Scores`, so that parts
of a data set, wherever they were judged, add up to the whole.

An empty mask has no recall: F and weighted F are 0 there, as the field's programs have it, S is the
mean of 1 − map, and E the share of pixels left to the background. A full mask has S the mean of the
map and E the share of pixels given to the subject. One case departs from those programs, which give
it 0: an empty map of an empty mask is a right answer, and every score says so.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.tasks.saliency.curves import LEVELS, PixelCounts, alignment, count, f_measure
from viewfinder.tasks.saliency.structure import block_sums, s_measure
from viewfinder.tasks.saliency.weighted import MaskWeights, weighted_f

Curve = NDArray[np.float64]

# Value t of a curve belongs to the map's pixels of at least THRESHOLDS[t].
THRESHOLDS: Curve = np.arange(LEVELS) / (LEVELS - 1)


class SaliencyFigures(TypedDict):
    """Scores of maps under their public names; see `SaliencyScores.as_json`."""

    mae: float
    s_measure: float
    e_adaptive: float
    e_mean: float
    e_max: float
    f_adaptive: float
    f_mean: float
    f_max: float
    f_max_dataset: float
    weighted_f: float


@dataclass(frozen=True, eq=False)
class SaliencyScores:
    """Scores of one picture, or their means over several: in [0, 1], 1 is best, of MAE 0.

    Only E may pass 1, by one part in the picture's pixels: its paper divides by one pixel fewer.
    Each curve has 256 values, for the pixels of at least 0/255, 1/255, … 255/255.

    Attributes:
        images: how many pictures.
        mae: mean absolute difference of map and mask; 0 is best.
        s_measure: likeness of structure (Fan et al., 2017), α = ½.
        e_adaptive: likeness of alignment (Fan et al., 2018) at twice the map's mean.
        f_adaptive: F with β² = 0.3 (Achanta et al., 2009) at twice the map's mean.
        weighted_f: F with β² = 1 of errors weighted by where they lie (Margolin et al., 2014).
        e_curve: E at each threshold.
        f_curve: F at each threshold.
        precision: share of the subject in what the map gives to it, at each threshold.
        recall: share of the subject that the map gives to it, at each threshold.
    """

    images: int
    mae: float
    s_measure: float
    e_adaptive: float
    f_adaptive: float
    weighted_f: float
    e_curve: Curve
    f_curve: Curve
    precision: Curve
    recall: Curve

    @property
    def f_curve_dataset(self) -> Curve:
        """F of the mean precision and the mean recall, at each threshold."""
        return f_measure(self.precision, self.recall)

    def figures(self) -> dict[str, float]:
        """The figures of the history."""
        return {
            "s_measure": self.s_measure,
            "f_max": float(self.f_curve.max()),
            "mae": self.mae,
        }

    def as_json(self, classes: tuple[str, ...] = ()) -> SaliencyFigures:
        """The scores under their public names; a subject has no classes.

        `f_max` is the best of the mean F curve, `f_max_dataset` the best F of the mean precision
        and recall. Both are published as "max F", and lie a point or more apart.
        """
        return {
            "mae": self.mae,
            "s_measure": self.s_measure,
            "e_adaptive": self.e_adaptive,
            "e_mean": float(self.e_curve.mean()),
            "e_max": float(self.e_curve.max()),
            "f_adaptive": self.f_adaptive,
            "f_mean": float(self.f_curve.mean()),
            "f_max": float(self.f_curve.max()),
            "f_max_dataset": float(self.f_curve_dataset.max()),
            "weighted_f": self.weighted_f,
        }


@dataclass(frozen=True, eq=False)
class Measurement:
    """What is counted and summed of one map beside its mask; every score follows from it."""

    counts: PixelCounts
    mae: float
    s_measure: float
    weighted_f: float

    @property
    def rightly_empty(self) -> bool:
        """Whether the map is empty, and so is the mask."""
        return self.counts.wanted == 0 and self.mae == 0

    def scores(self) -> SaliencyScores:
        if self.rightly_empty:
            return _RIGHTLY_EMPTY
        precision, recall = self.counts.precision(), self.counts.recall()
        f, e = f_measure(precision, recall), alignment(self.counts)
        return SaliencyScores(
            images=1,
            mae=self.mae,
            s_measure=self.s_measure,
            e_adaptive=float(e[LEVELS]),
            f_adaptive=float(f[LEVELS]),
            weighted_f=self.weighted_f,
            e_curve=e[:LEVELS],
            f_curve=f[:LEVELS],
            precision=precision[:LEVELS],
            recall=recall[:LEVELS],
        )


def score(
    prediction: NDArray[np.floating], mask: NDArray[np.bool_], *, stretch: bool = False
) -> SaliencyScores:
    """Judge one saliency map by its mask: the scores of `measure`."""
    return measure(prediction, mask, stretch=stretch).scores()


def measure(
    prediction: NDArray[np.floating],
    mask: NDArray[np.bool_],
    *,
    stretch: bool = False,
    weights: MaskWeights | None = None,
) -> Measurement:
    """Count and sum what the scores of one saliency map follow from.

    Args:
        prediction: H×W, in [0, 1], 1 where the subject is.
        mask: H×W, true where the subject is.
        stretch: first spread the map's values over the whole of [0, 1], as many programs do whose
            figures are published. It hides how sure the map is: half a perfect map becomes perfect.
        weights: the mask's, where several maps of it are judged.

    Raises:
        InputError: the two are not of one size, have no pixel, are of another type, or the map has
            values that are no number or lie outside [0, 1].
    """
    low, high = _checked(prediction, mask)
    if stretch and high > low:
        prediction = (prediction - low) / (high - low)
    if prediction.dtype == np.float16:
        prediction = prediction.astype(np.float32)
    prediction = np.ascontiguousarray(prediction)
    subject = np.ascontiguousarray(mask).view(np.uint8)
    sums = block_sums(prediction, subject)
    return Measurement(
        counts=count(prediction, subject, adaptive=min(1.0, 2 * sums.map.sum() / mask.size)),
        mae=cv2.norm(prediction, subject.astype(prediction.dtype), cv2.NORM_L1) / mask.size,
        s_measure=s_measure(sums),
        weighted_f=weighted_f(prediction, subject, weights),
    )


def mean(parts: Iterable[SaliencyScores]) -> SaliencyScores:
    """The mean over all pictures of several scores, each with the weight of its pictures.

    The parts are taken one by one and none is kept, so they may come from a generator.

    Raises:
        InputError: there are none.
    """
    images = 0
    sums: dict[str, float | Curve] = dict.fromkeys(_MEANS, 0.0)
    for part in parts:
        images += part.images
        for name in _MEANS:
            sums[name] = sums[name] + part.images * getattr(part, name)
    if images == 0:
        raise InputError("there are no pictures to score: give at least one with its mask")
    # By name, as each is a number or a curve just as the field of that name is.
    make: Callable[..., SaliencyScores] = SaliencyScores
    return make(images=images, **{name: sums[name] / images for name in _MEANS})


def _checked(prediction: NDArray[np.floating], mask: NDArray[np.bool_]) -> tuple[float, float]:
    """The least and the largest value of the map, once both arrays are found fit."""
    if prediction.ndim != 2 or prediction.shape != mask.shape or prediction.size == 0:
        raise InputError(
            f"the saliency map is {_size(prediction)} and its mask {_size(mask)}: both must be "
            f"height×width of one picture; resize the map to the mask"
        )
    if prediction.dtype.kind != "f" or mask.dtype != np.bool_:
        raise InputError(
            f"the saliency map holds {prediction.dtype} and its mask {mask.dtype}: the map must "
            f"hold floats in [0, 1], such as pixels / 255, and the mask booleans, such as "
            f"pixels > 127"
        )
    low, high = float(prediction.min()), float(prediction.max())
    if not (low >= 0 and high <= 1):  # So written, it holds of NaN as well.
        raise InputError(
            f"the saliency map has values from {low:g} to {high:g}: they must be numbers in "
            f"[0, 1]; take the sigmoid or softmax of logits, or divide 8-bit pixels by 255"
        )
    return low, high


def _size(array: NDArray[np.generic]) -> str:
    return "×".join(map(str, array.shape)) or "one number"


_MEANS = tuple(field.name for field in fields(SaliencyScores) if field.name != "images")

_ONES = np.ones(LEVELS)
_ONES.flags.writeable = False
_RIGHTLY_EMPTY = SaliencyScores(
    images=1,
    mae=0.0,
    s_measure=1.0,
    e_adaptive=1.0,
    f_adaptive=1.0,
    weighted_f=1.0,
    e_curve=_ONES,
    f_curve=_ONES,
    precision=_ONES,
    recall=_ONES,
)
