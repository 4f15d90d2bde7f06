"""Which pictures to label first: typical and different ones, later also those a net doubts.

With few labels, what a net doubts says little, and pictures that are typical of many others, and
unlike those labelled already, teach most (Hacohen, Dekel, Weinshall: Active Learning on a Budget,
ICML 2022, arXiv:2202.02794; the greedy choice of the farthest is Sener and Savarese's core-set,
ICLR 2018, arXiv:1708.00489). Once a detector has learnt something, its doubt counts as well, times
the distance to what is labelled, so that no two nearly equal pictures are asked for (after PPAL:
Yang, Huang, Crowley, CVPR 2024, arXiv:2211.11612).

A share of the order is drawn at random from all pictures, whatever is known of them. These alone
are like the pictures to come: keep them to judge by, `drawn_at_random` tells which they are.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError

Array = NDArray[np.float32]

LEAST_LABELLED = 20
"""As long as fewer pictures than this are labelled, a detector's doubt is not asked for."""

# Distances are taken in so many principal directions, which hold nearly all that features differ.
_DIMENSIONS = 32
# A picture is typical if so many others are near; looked for among this many drawn at random.
_NEIGHBOURS, _MOST_COMPARED = 20, 4096
# How strongly being typical counts against being different.
_TYPICAL_POWER = 0.5
# Two frames of a group this share of its length apart count as half as different as they look.
_TIME = 0.25
# Of the pictures that are not drawn at random, so many are chosen by doubt once it is asked for.
_DOUBTED = 5 / 8
# Farther down an order one by one makes no difference that a person would live to see.
_MOST_ONE_BY_ONE = 10_000


def uncertainty(
    scores: Iterable[NDArray[np.floating]], *, floor: float = 0.05
) -> NDArray[np.float64]:
    """How much a detector doubts each picture: N values in [0, 1].

    The mean of 1 − |2p − 1| over the scores p of a picture's detections from `floor` on, which is 1
    where p is one half and 0 where it is sure. A picture in which nothing is found is given the
    mean of the others: nothing is known of it, neither that it is empty nor that all was missed.
    """
    doubts = []
    for found in scores:
        kept = np.asarray(found, np.float64)
        kept = kept[kept >= floor]
        doubts.append(float((1 - np.abs(2 * kept - 1)).mean()) if len(kept) else math.nan)
    result = np.array(doubts, np.float64)
    known = result[np.isfinite(result)]
    result[np.isnan(result)] = known.mean() if len(known) else 0.5
    return result


def order(
    features: Array,
    *,
    labelled: Iterable[int],
    uncertainty: NDArray[np.floating] | None = None,
    groups: Sequence[str] = (),
    random_share: float = 0.2,
    seed: int = 0,
) -> list[int]:
    """The numbers of the pictures that are not labelled yet, those to label first in front.

    Args:
        features: N×D, any numbers whose distances tell how different pictures are.
        labelled: numbers of pictures that have labels.
        uncertainty: N values from 0 on, a detector's doubt of each picture; the choice goes by it
            once `LEAST_LABELLED` pictures are labelled.
        groups: for each picture its video or place, frames in order of time; empty text where a
            picture stands alone. Frames that are near in time count as less different.
        random_share: the share of every beginning of the order that is drawn at random.
        seed: of what is drawn; the same arguments give the same order.

    Raises:
        InputError: the arguments do not fit each other, or hold numbers that are none.
    """
    known = np.unique(np.fromiter(labelled, np.int64))
    _check(features, known, uncertainty, groups, random_share)
    waiting = np.setdiff1d(np.arange(len(features)), known)
    generator = np.random.default_rng(seed)
    places = [drawn_at_random(i, random_share) for i in range(len(waiting))]
    shuffled = generator.permutation(waiting)
    # Set aside before anything is chosen, so that they are a fair sample of all that wait.
    drawn, left = iter(shuffled[: sum(places)].tolist()), shuffled[sum(places) :]
    chooser = _Chooser(_condensed(features), groups, generator)
    for index in known.tolist():
        chooser.add(index)
    candidates = np.zeros(len(features), np.bool_)
    candidates[left] = True
    doubt = None if uncertainty is None else _scaled(np.asarray(uncertainty, np.float32))
    result: list[int] = []
    chosen = 0
    for place, random in enumerate(places):
        if random:
            index = next(drawn)
        elif place < _MOST_ONE_BY_ONE:
            late = len(known) + place >= LEAST_LABELLED
            weight = doubt if late and _falls_on(chosen, _DOUBTED) else None
            index, chosen = chooser.best(candidates, weight), chosen + 1
        else:
            rest = iter(chooser.ranked(candidates))
            return result + [next(drawn) if random else next(rest) for random in places[place:]]
        candidates[index] = False
        chooser.add(index)
        result.append(index)
    return result


def drawn_at_random(place: int, random_share: float = 0.2) -> bool:
    """Whether the picture at this place of an order, from 0, is one of those drawn at random."""
    return _falls_on(place, random_share)


def _falls_on(place: int, share: float) -> bool:
    """Whether a place is one of an even share: of the first n places, ⌊n · share⌋ are."""
    # A share such as 0.2 is a little more or less than a fifth; what it was meant to be decides.
    return math.floor((place + 1) * share + 1e-9) > math.floor(place * share + 1e-9)


class _Chooser:
    """How far each picture is from those chosen, kept up to date as more are."""

    def __init__(
        self, points: Array, groups: Sequence[str], generator: np.random.Generator
    ) -> None:
        self._points = points
        self._typical = _typicality(points, generator)
        # Where all look the same, gaps in time still tell them apart.
        spread = float(points.std()) if points.size else 0.0
        self._least = np.float32(1e-3 * spread + 1e-6)
        self._distances = np.full(len(points), np.inf, np.float32)
        self._members: dict[str, NDArray[np.int64]] = {}
        if groups:
            rows: defaultdict[str, list[int]] = defaultdict(list)
            for index, name in enumerate(groups):
                rows[name].append(index)
            rows.pop("", None)
            self._members = {name: np.array(found) for name, found in rows.items()}
        self._groups = groups

    def add(self, index: int) -> None:
        """Take a picture for labelled."""
        apart = self._points - self._points[index]
        distances = np.sqrt(np.einsum("nd,nd->n", apart, apart)) + self._least
        if self._groups and self._groups[index]:
            members = self._members[self._groups[index]]
            gap = np.abs(members - index) / max(1, members[-1] - members[0])
            distances[members] *= gap / (gap + _TIME)
        np.minimum(self._distances, distances, out=self._distances)

    def best(self, candidates: NDArray[np.bool_], doubt: Array | None) -> int:
        """The candidate that is most worth to be labelled next."""
        worth = self._worth(self._typical if doubt is None else doubt)
        return int(np.argmax(np.where(candidates, worth, -1)))

    def ranked(self, candidates: NDArray[np.bool_]) -> list[int]:
        """All candidates, the most worthy first."""
        rows = np.flatnonzero(candidates)
        ranking: list[int] = rows[
            np.argsort(-self._worth(self._typical)[rows], kind="stable")
        ].tolist()
        return ranking

    def _worth(self, weight: Array) -> Array:
        if np.isinf(self._distances).any():
            return weight
        return np.asarray(self._distances * weight, np.float32)


def _condensed(features: Array) -> Array:
    """The features in their principal directions, of which few hold nearly all distances."""
    centred = np.asarray(features, np.float64)
    if len(centred):
        centred = centred - centred.mean(axis=0)
    if centred.shape[1] > _DIMENSIONS:
        _, directions = np.linalg.eigh(centred.T @ centred)
        centred = centred @ directions[:, -_DIMENSIONS:]
    return np.ascontiguousarray(centred, np.float32)


def _typicality(points: Array, generator: np.random.Generator) -> Array:
    """How near each picture's nearest neighbours are, as a factor: 1 on average, more is nearer."""
    if len(points) < 2:
        return np.ones(len(points), np.float32)
    compared = points
    if len(points) > _MOST_COMPARED:
        compared = points[generator.choice(len(points), _MOST_COMPARED, replace=False)]
    nearest = min(_NEIGHBOURS, len(compared) - 1)
    lengths = (compared * compared).sum(axis=1)
    means = np.empty(len(points), np.float32)
    for start in range(0, len(points), 512):
        block = points[start : start + 512]
        squares = (block * block).sum(axis=1)[:, None] + lengths - 2 * (block @ compared.T)
        # The nearest of all is the picture itself, where it is among those compared.
        near = np.partition(np.maximum(squares, 0), nearest, axis=1)[:, : nearest + 1]
        means[start : start + 512] = np.sqrt(near).mean(axis=1)
    typical = (float(means.mean()) + 1e-9) / (means + 0.1 * float(means.mean()) + 1e-9)
    return np.asarray(typical**_TYPICAL_POWER, np.float32)


def _scaled(doubt: Array) -> Array:
    """Doubt as a factor that is nowhere 0, so that the sure ones still come, in their turn."""
    return np.asarray(doubt / max(float(doubt.max(initial=0)), 1e-9) + 1e-3, np.float32)


def _check(
    features: Array,
    labelled: NDArray[np.int64],
    uncertainty: NDArray[np.floating] | None,
    groups: Sequence[str],
    random_share: float,
) -> None:
    if features.ndim != 2 or not np.isfinite(features).all():
        raise InputError(
            f"features are N×D finite numbers, a row a picture, not {features.shape}: compute them "
            "again, as `features.describing.describe` does"
        )
    count = len(features)
    if len(labelled) and not 0 <= labelled[0] <= labelled[-1] < count:
        raise InputError(
            f"labelled pictures have numbers from 0 to {count - 1}, not {labelled[0]} to "
            f"{labelled[-1]}: give their places in the list of pictures"
        )
    if groups and len(groups) != count:
        raise InputError(f"there are {len(groups)} groups for {count} pictures: give one for each")
    if uncertainty is not None:
        doubt = np.asarray(uncertainty)
        if doubt.shape != (count,) or not (np.isfinite(doubt) & (doubt >= 0)).all():
            raise InputError(
                f"uncertainty is a number from 0 on for each of {count} pictures, not "
                f"{doubt.shape} or NaN: compute it again from the detector's scores"
            )
    if not 0 <= random_share <= 1:
        raise InputError(f"the random share is from 0 to 1, not {random_share:g}")
