"""A heat map is tested, not believed.

Deletion: where a picture's hottest places are blurred, the score must fall further than where as
much is blurred at random (after Petsiuk et al., "RISE", 2018, section 4.2). Of a box random places
are those about it, or a map that knows no more than where the box lies would pass. Scrambled
weights: the map of a net that knows nothing must differ, or the map shows the picture and not what
was learnt (Adebayo et al., "Sanity checks for saliency maps", 2018).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.attribution.asking import ExplainedNet
from viewfinder.attribution.heat import Heat, HeatMap, blurred
from viewfinder.tasks.question import Question

SHARE = 0.1
"""Of a picture that is covered, or of a box's surroundings."""
DRAWS = 20
"""Covers at random that a map is held against."""
TO_BEAT = 19
"""So many of them must lower the score less."""
# By less than this an unsure score falls by chance too. One that is sure has no room to fall: of it
# what it leaves to the other answers must grow by this much, and a fall be more than rounding.
_LEAST_FALL, _SURE, _MORE_DOUBT, _ROUNDING = 0.01, 0.8, 1.1, 1e-6
# A cover moves scores of a net that knows nothing too: its odds less than a third as far.
_FURTHER = 3.0
_ALIKE = 0.5
"""A rank correlation with the map of a scrambled net from which on a map shows the picture."""

# Patches on the shorter side, of which a cover at random is made.
_PATCHES = 14
# By this share of its sides a box is grown to its surroundings.
_GROWN = 0.5


@dataclass(frozen=True)
class Deletion:
    """What covering the hottest places does.

    Attributes:
        base: the score of the picture as it is.
        covered: with the hottest places blurred.
        random: the mean with as much blurred at random, of a box about it.
        beaten: of `DRAWS` covers at random, those that lower the score less.
    """

    base: float
    covered: float
    random: float
    beaten: int

    @property
    def tells(self) -> bool:
        """Whether the score depends on the picture enough for a map to be tested."""
        low = min(self.covered, self.random)
        if self.base - low >= _LEAST_FALL or self.base < _SURE:
            return self.base - low >= _LEAST_FALL
        # A map that fails has failed, however sure the score; to pass takes a fall worth naming.
        doubt = 1 - self.base
        return self.beaten < TO_BEAT or 1 - low >= max(_MORE_DOUBT * doubt, doubt + _ROUNDING)

    @property
    def unsure(self) -> bool:
        """Whether the score has room to fall."""
        return self.base < _SURE

    @property
    def passed(self) -> bool:
        """Whether the hottest places matter more than nearly all covers at random."""
        return self.tells and self.beaten >= TO_BEAT

    def as_json(self) -> dict[str, object]:
        """The figures under their public names."""
        return {
            "score": round(self.base, 6),
            "hottest_covered": round(self.covered, 6),
            "random_covered": round(self.random, 6),
            "draws_beaten": self.beaten,
            "draws": DRAWS,
            "passed": self.passed if self.tells else None,
        }


def best_map(
    asked: ExplainedNet, picture: Tensor, question: Question, maps: Sequence[HeatMap]
) -> HeatMap | None:
    """Of several maps that whose hottest places matter most, painted over in one colour.

    That is the mean colour of the picture, so that a map is not chosen by the very test that it is
    then put to. None of none.
    """
    if not maps:
        return None
    plain = picture.mean((2, 3), keepdim=True)
    painted = [
        torch.where(_as_mask(hottest(each.at_size(), question)), plain, picture) for each in maps
    ]
    return maps[int(asked.scores(torch.cat(painted), question).argmin())]


def deletion(
    asked: ExplainedNet,
    picture: Tensor,
    question: Question,
    found: HeatMap,
    *,
    soft: Tensor | None = None,
) -> Deletion:
    """Cover the hottest places, and as many at random.

    Args:
        picture: 1×3×H×W float32 in [0, 1].
        soft: the picture blurred, if that was made before.
    """
    hot = hottest(found.at_size(), question)
    generator = np.random.default_rng(0)
    place = _place(question, hot.shape)
    covers = [hot, *(_at_random(hot.shape, place, int(hot.sum()), generator) for _ in range(DRAWS))]
    soft = blurred(picture) if soft is None else soft
    made = torch.cat([picture, *(torch.where(_as_mask(c), soft, picture) for c in covers)])
    base, covered, *random = asked.scores(made, question).tolist()
    beaten = sum(covered < each - _ROUNDING for each in random)
    return Deletion(base, covered, float(np.mean(random)), beaten)


def moves_as_far(
    scrambled: ExplainedNet, picture: Tensor, question: Question, other: HeatMap, tested: Deletion
) -> bool:
    """Whether a map's hottest places move the score little more than a scrambled net's do.

    Compared are odds, as a score in the middle has more room to move than one at an end.

    Args:
        other: the scrambled net's map.
    """
    places = _as_mask(hottest(other.at_size(), question))
    made = torch.cat([picture, torch.where(places, blurred(picture), picture)])
    base, covered = scrambled.scores(made, question).tolist()
    moved = _odds(tested.base) - _odds(tested.covered)
    return moved <= _FURTHER * (_odds(base) - _odds(covered))


def _odds(score: float) -> float:
    kept = min(max(score, _ROUNDING), 1 - _ROUNDING)
    return math.log(kept / (1 - kept))


def alikeness(found: HeatMap, other: HeatMap) -> float | None:
    """The rank correlation of a map with the scrambled net's; None where one is flat."""
    first, second = _ranks(found.heat), _ranks(other.heat)
    first, second = first - first.mean(), second - second.mean()
    length = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum() / length) if length else None


def shows_the_picture(likeness: float | None) -> bool:
    """Whether a map would be much the same had the net learnt nothing."""
    return likeness is not None and likeness >= _ALIKE


def hottest(heat: Heat, question: Question) -> NDArray[np.bool_]:
    """H×W, true for the hottest places, or for fewer where fewer have any heat.

    Of a whole picture they are a tenth; of a box as many as a tenth of its surroundings.
    """
    rows, columns = _place(question, heat.shape)
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    count = min(max(1, round(SHARE * area)), int((heat > 0).sum()))
    order = np.argsort(-heat, axis=None, kind="stable")[:count]
    found = np.zeros(heat.size, np.bool_)
    found[order] = True
    return found.reshape(heat.shape)


def _place(question: Question, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of what a question is about: the picture, or a box grown by half."""
    height, width = shape
    if question.box is None:
        return slice(0, height), slice(0, width)
    x1, y1, x2, y2 = question.box
    across, down = _GROWN / 2 * (x2 - x1), _GROWN / 2 * (y2 - y1)
    left, top = (max(0, int(edge)) for edge in (x1 - across, y1 - down))
    # Of a box that lies at the picture's end a place is left all the same.
    left, top = min(left, width - 1), min(top, height - 1)
    right, bottom = min(width, int(x2 + across) + 1), min(height, int(y2 + down) + 1)
    return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))


def _at_random(
    shape: tuple[int, ...],
    place: tuple[slice, slice],
    area: int,
    generator: np.random.Generator,
) -> NDArray[np.bool_]:
    """H×W, true in patches of a place drawn at random, at least so many pixels."""
    whole = np.zeros(shape, np.bool_)
    found = whole[place]
    height, width = found.shape
    side = max(1, min(height, width) // _PATCHES)
    rows, columns = -(-height // side), -(-width // side)
    for number in generator.permutation(rows * columns).tolist():
        if found.sum() >= area:
            break
        top, left = side * (number // columns), side * (number % columns)
        found[top : top + side, left : left + side] = True
    return whole


def _as_mask(places: NDArray[np.bool_]) -> Tensor:
    return torch.from_numpy(places)[None, None]


def _ranks(heat: Heat) -> NDArray[np.float64]:
    """Each place's rank, from 0; equal ones share the mean of theirs."""
    _, places, counts = np.unique(heat, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: NDArray[np.float64] = ends - (counts + 1) / 2
    return means[places.ravel()]
