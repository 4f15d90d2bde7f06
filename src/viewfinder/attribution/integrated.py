"""Which pixels a class comes from: the gradient of its probability, gathered along a path.

Integrated gradients (Sundararajan, Taly, Yan: "Axiomatic attribution for deep networks", 2017,
equation 3): the picture emerges from its mean colour, and each pixel is given its difference from
that colour times the mean gradient on the way, so that all pixels together have what the score
gained. Neighbouring pixels share what they have, as single ones are too fine to be looked at.

A class is a matter of the whole picture, where the maps of late layers are too coarse to say which
tenth matters most. Of the score of one box the maps of layers say it better, which is measured
(docs/why.md), and are quicker.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from viewfinder.attribution.asking import ExplainedNet
from viewfinder.attribution.heat import HeatMap, heat_maps, heats_of
from viewfinder.tasks.answering import in_batches
from viewfinder.tasks.question import Question

INTEGRATED = "integrated gradients"
LAYER = "the picture itself"

# Steps of the path, and how many are asked about at once.
_STEPS, _AT_ONCE = 8, 4
# Of the picture's shorter side, this is how far pixels share.
_SOFT = 32


def integrated(asked: ExplainedNet, picture: Tensor, question: Question) -> HeatMap | None:
    """The map of a class; None of a place, of a net that cannot be looked into, or without heat.

    Args:
        picture: 1×3×H×W float32 in [0, 1].
    """
    if question.local or not asked.whole:
        return None
    start = picture.mean((2, 3), keepdim=True).expand_as(picture)
    # The middles of equal steps.
    shares = (torch.arange(_STEPS).to(picture) + 0.5)[:, None, None, None] / _STEPS
    gathered = torch.zeros_like(picture)
    for part in in_batches(_STEPS, _AT_ONCE):
        between = (start + shares[list(part)] * (picture - start)).requires_grad_()
        with torch.enable_grad():
            scores = question.scores(asked.net(asked.ready(between)))
            (slopes,) = torch.autograd.grad(scores.sum(), between)
        gathered += slopes.sum(0, keepdim=True)
    gains = ((picture - start) * gathered / _STEPS).sum((0, 1)).double().cpu().numpy()
    size = (picture.shape[3], picture.shape[2])
    heat = np.maximum(cv2.GaussianBlur(gains, (0, 0), max(0.5, min(size) / _SOFT)), 0)
    if not np.isfinite(heat).all() or not heat.max() > 0:
        return None
    return HeatMap(LAYER, INTEGRATED, heat, size)


def every_map(asked: ExplainedNet, picture: Tensor, question: Question) -> list[HeatMap]:
    """All maps that a net itself makes: of its stages, and of a class of the pixels."""
    pixels = integrated(asked, picture, question)
    return heat_maps(asked, picture, question) + ([] if pixels is None else [pixels])


def same_kind(
    asked: ExplainedNet, picture: Tensor, question: Question, found: HeatMap
) -> HeatMap | None:
    """The map that another net makes of the same layer by the same method; None without one."""
    if found.method == INTEGRATED:
        return integrated(asked, picture, question)
    others = heats_of(asked, picture, question, found.layer)
    return next((each for each in others if each.method == found.method), None)
