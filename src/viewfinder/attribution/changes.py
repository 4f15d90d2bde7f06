"""What would have changed an answer: the picture moved, lighter, or with its reason covered."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from viewfinder.attribution.asking import ExplainedNet
from viewfinder.attribution.heat import HeatMap
from viewfinder.attribution.trials import Deletion, hottest
from viewfinder.pictures.geometry import Matrix, horizontal_flip, scaling, translation
from viewfinder.pictures.resampling import resample
from viewfinder.tasks.question import Question

AS_IT_IS = "as it is"
"""The first of the changes, none."""
_GREY = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)


@dataclass(frozen=True)
class Change:
    """A changed picture, and what becomes of the score that is asked about."""

    what: str
    score: float

    def as_json(self) -> dict[str, object]:
        """`change, score`."""
        return {"change": self.what, "score": round(self.score, 6)}


def changes(
    asked: ExplainedNet,
    picture: Tensor,
    question: Question,
    heat: HeatMap,
    tested: Deletion,
    *,
    soft: Tensor,
) -> list[Change]:
    """The score as it is, and after each of a dozen changes, the furthest fall first.

    Args:
        picture: 1×3×H×W float32 in [0, 1].
        tested: what covering the hottest places does.
        soft: the picture `heat.blurred`.
    """
    hot = torch.from_numpy(hottest(heat.at_size(), question))[None, None]
    repainted = {
        "all but the hottest places blurred": torch.where(hot, picture, soft),
        "half as bright": picture * 0.5,
        "half again as bright": (picture * 1.5).clamp(max=1),
        "half the contrast": picture.mean() + (picture - picture.mean()) / 2,
        "without colour": (picture * _GREY.to(picture)).sum(1, keepdim=True).expand_as(picture),
    }
    scores = asked.scores(torch.cat(list(repainted.values())), question)
    found = {AS_IT_IS: tested.base, "the hottest places blurred": tested.covered}
    found |= dict(zip(repainted, scores.tolist(), strict=True))
    for what, way in _moves(picture.shape[3], picture.shape[2]).items():
        if question.moved is not None:
            (found[what],) = asked.scores(_moved(picture, soft, way), question.moved(way)).tolist()
    parts = [Change(what, score) for what, score in found.items()]
    return sorted(parts, key=lambda change: (change.what != AS_IT_IS, change.score))


def _moves(width: int, height: int) -> dict[str, Matrix]:
    """Ways to move a picture about its middle, by what they are called."""
    x, y = width / 8, height / 8

    def about(factor: float) -> Matrix:
        middle, origin = translation(width / 2, height / 2), translation(-width / 2, -height / 2)
        return np.asarray(middle @ scaling(factor) @ origin)

    return {
        "an eighth to the left": translation(-x, 0),
        "an eighth to the right": translation(x, 0),
        "an eighth up": translation(0, -y),
        "an eighth down": translation(0, y),
        "a quarter larger": about(1.25),
        "a quarter smaller": about(0.75),
        "mirrored": horizontal_flip(width),
    }


def _moved(picture: Tensor, soft: Tensor, way: Matrix) -> Tensor:
    """A picture moved, over a soft copy of itself where nothing is left."""
    pixels = picture[0].permute(1, 2, 0).cpu().numpy()
    height, width = pixels.shape[:2]
    there = resample(np.ones((height, width), np.float32), way, (width, height))
    moved = resample(pixels, way, (width, height))
    below = soft[0].permute(1, 2, 0).cpu().numpy()
    share = there[..., None]
    # Beyond its edge `resample` fades to 0, and so does the share of the picture.
    mixed = np.clip(moved + (1 - share) * below, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(mixed)).permute(2, 0, 1)[None].to(picture)
