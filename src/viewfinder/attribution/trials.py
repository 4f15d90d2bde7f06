"""A heat map is tested, not believed.

Deletion: where the hottest tenth of a picture is blurred, the score must fall further than where as
much is blurred elsewhere (after Petsiuk et al., "RISE", 2018, section 4.2). Scrambled weights: the
map of a net that knows nothing must differ, or the map shows the picture and not what was learnt
(Adebayo et al., "Sanity checks for saliency maps", 2018).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.attribution.asking import Asked
from viewfinder.attribution.heat import Heat, HeatMap, blurred, heat_of
from viewfinder.tasks.question import Question

SHARE = 0.1
"""Of a picture, that is covered."""
DRAWS = 20
"""Covers at random that a map is held against."""
# By less than this an unsure score falls by chance too; one that is sure has no room to fall.
_LEAST_FALL, _SURE = 0.01, 0.8
_ALIKE = 0.5
"""A rank correlation with the map of a scrambled net from which on a map shows the picture."""

# Patches on the shorter side, of which a cover at random is made.
_PATCHES = 14


@dataclass(frozen=True)
class Deletion:
    """What covering the hottest tenth does.

    Attributes:
        base: the score of the picture as it is.
        covered: with the hottest places blurred.
        random: the mean with as much blurred at random.
        beaten: of `DRAWS` covers at random, those that lower the score less.
    """

    base: float
    covered: float
    random: float
    beaten: int

    @property
    def tells(self) -> bool:
        """Whether the score depends on the picture enough for a map to be tested."""
        fall = self.base - min(self.covered, self.random)
        return self.base >= _SURE or fall >= _LEAST_FALL

    @property
    def passed(self) -> bool:
        """Whether the hottest places matter more than places at random."""
        return self.tells and self.covered < self.random

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
    asked: Asked, picture: Tensor, question: Question, maps: Sequence[HeatMap]
) -> HeatMap | None:
    """Of several maps that whose hottest tenth matters most, painted over in one colour.

    That is the mean colour of the picture, so that a map is not chosen by the very test that it is
    then put to. None of none.
    """
    if not maps:
        return None
    plain = picture.mean((2, 3), keepdim=True)
    painted = [torch.where(_as_mask(hottest(each.at_size())), plain, picture) for each in maps]
    return maps[int(asked.scores(torch.cat(painted), question).argmin())]


def deletion(asked: Asked, picture: Tensor, question: Question, found: HeatMap) -> Deletion:
    """Cover the hottest places, and as many at random.

    Args:
        picture: 1×3×H×W float32 in [0, 1].
    """
    hot = hottest(found.at_size())
    generator = np.random.default_rng(0)
    covers = [hot, *(_at_random(hot.shape, int(hot.sum()), generator) for _ in range(DRAWS))]
    soft = blurred(picture)
    made = torch.cat([picture, *(torch.where(_as_mask(c), soft, picture) for c in covers)])
    base, covered, *random = asked.scores(made, question).tolist()
    beaten = sum(covered < each for each in random)
    return Deletion(base, covered, float(np.mean(random)), beaten)


def alikeness(
    scrambled: Asked, picture: Tensor, question: Question, found: HeatMap
) -> float | None:
    """The rank correlation of a layer's map with that of the scrambled net; None without one."""
    other = heat_of(scrambled, picture, question, found.layer)
    if other is None:
        return None
    first, second = _ranks(found.heat), _ranks(other.heat)
    first, second = first - first.mean(), second - second.mean()
    length = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum() / length) if length else None


def shows_the_picture(likeness: float | None) -> bool:
    """Whether a map would be much the same had the net learnt nothing."""
    return likeness is not None and likeness >= _ALIKE


def hottest(heat: Heat) -> NDArray[np.bool_]:
    """H×W, true for the hottest tenth of the places, or for fewer where fewer have any heat."""
    count = min(max(1, round(SHARE * heat.size)), int((heat > 0).sum()))
    order = np.argsort(-heat, axis=None, kind="stable")[:count]
    found = np.zeros(heat.size, np.bool_)
    found[order] = True
    return found.reshape(heat.shape)


def _at_random(
    shape: tuple[int, ...], area: int, generator: np.random.Generator
) -> NDArray[np.bool_]:
    """H×W, true in patches drawn at random, at least so many places."""
    height, width = shape
    side = max(1, min(height, width) // _PATCHES)
    rows, columns = -(-height // side), -(-width // side)
    found = np.zeros(shape, np.bool_)
    for number in generator.permutation(rows * columns).tolist():
        if found.sum() >= area:
            break
        top, left = side * (number // columns), side * (number % columns)
        found[top : top + side, left : left + side] = True
    return found


def _as_mask(places: NDArray[np.bool_]) -> Tensor:
    return torch.from_numpy(places)[None, None]


def _ranks(heat: Heat) -> NDArray[np.float64]:
    """Each place's rank, from 0; equal ones share the mean of theirs."""
    _, places, counts = np.unique(heat, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: NDArray[np.float64] = ends - (counts + 1) / 2
    return means[places.ravel()]
