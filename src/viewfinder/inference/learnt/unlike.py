"""Pictures that are unlike all that a run learnt from, by what its own net makes of them.

A picture's distance is the mean over its nearest training pictures (after Sun et al.,
"Out-of-distribution detection with deep nearest neighbors", 2022, who take the k-th), by place or
by direction from the middle of all, whichever is further beyond what is usual; and the limit is
what all but a chosen share of the held-out pictures stay within.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.inference.answers import Predictor
from viewfinder.inference.asked_scores import refuse_no_share
from viewfinder.inference.learnt.kept import LearntPictures
from viewfinder.inference.learnt.nearest import learnt_by, seen_by
from viewfinder.inference.tiling import whole
from viewfinder.runs.run import RunFolder
from viewfinder.tasks.detect.tiling.tiles import tiles_of
from viewfinder.tasks.model import Model
from viewfinder.wording import counted

_LEAST = 1e-6


@dataclass(frozen=True, eq=False)
class Familiarity:
    """What is familiar to a run.

    Attributes:
        usual: 2, of each kind of distance that which all but a share of its held-out pictures lie
            within.
        limit: of both together, in these.
    """

    learnt: LearntPictures
    usual: NDArray[np.float64]
    limit: float

    def distances(self, predictor: Predictor, pixels: torch.Tensor) -> NDArray[np.float64]:
        """Of N×3×H×W prepared pictures, in limits: above 1 a picture is unlike what was learnt."""
        made = seen_by(predictor, self.learnt, pixels).pictures(len(pixels))
        space = self.learnt.space
        return _together(space.distances(space.place(made)), self.usual) / self.limit


def _together(distances: NDArray[np.float64], usual: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((distances / usual).max(axis=1), np.float64)


def limit_of(held_out: NDArray[np.float64], share: float) -> float:
    """The distance that no more than a share of such pictures as were held out go beyond.

    Args:
        held_out: their distances.
        share: above 0, below 1.

    Raises:
        ValueError: they are too few.
    """
    # Fractions such as 0.05 lie a last bit beside what they are meant to be.
    beyond = math.floor((len(held_out) + 1) * share + 1e-9)
    if beyond < 1:
        raise ValueError("too few")
    return max(_LEAST, float(np.sort(held_out)[-min(beyond, len(held_out))]))


def familiarity_of(
    run: RunFolder | None, model: Model, share: float | None, *, device: torch.device
) -> Familiarity | None:
    """What is familiar to a run, by a share of the held-out pictures that may be refused; None of
    None.

    Raises:
        InputError: it is no share, no training of ours is known, what was learnt is gone, or too
            few pictures were held out.
    """
    if share is None:
        return None
    refuse_no_share("--refuse-unlike", share, "0.05")
    if run is None:
        raise InputError(
            f"--refuse-unlike asks what a run learnt from, and {model.source} is no run that "
            "Viewfinder trained"
        )
    if tiles_of(model.config) is not None:
        raise InputError(
            "--refuse-unlike looks at pictures whole, and this run answers in tiles: give --tiles "
            "none, or leave it out"
        )
    learnt = learnt_by(run, Predictor(whole(run.model), device=device))
    count = len(learnt.held_out)
    try:
        usual = np.array([limit_of(each, share) for each in learnt.held_out.T])
        limit = limit_of(_together(learnt.held_out, usual), share)
    except ValueError as error:
        needed = math.ceil((1 - share) / share - 1e-9)
        raise InputError(
            f"--refuse-unlike {share:g} needs {needed:,} validation pictures or more, and this run "
            f"has {count:,}: give a larger share, or train with more in val (a larger --val-share, "
            "where the set has no val of its own)"
        ) from error
    note(
        f"unlike what was learnt is what lies farther from it than all but {share:.0%} of such "
        f"pictures as were held out ({counted(count, 'picture')})"
    )
    return Familiarity(learnt, usual, limit)
