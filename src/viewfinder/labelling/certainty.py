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

PLATE: Curve = (
    (0.0, 0.446),
    (0.254, 0.558),
    (0.578, 0.746),
    (0.738, 0.793),
    (0.827, 0.856),
    (0.894, 0.9),
    (0.939, 0.939),
    (0.972, 0.961),
    (0.992, 0.969),
    (1.0, 0.979),
)
SALIENCY: Curve = (
    (0.0, 0.293),
    (0.127, 0.366),
    (0.31, 0.594),
    (0.451, 0.701),
    (0.531, 0.729),
    (0.598, 0.797),
    (0.667, 0.827),
    (0.724, 0.858),
    (0.762, 0.873),
    (0.814, 0.915),
    (1.0, 0.915),
)
LINEAR: Curve = (
    (0.0, 0.522),
    (0.685, 0.652),
    (0.795, 0.764),
    (0.866, 0.819),
    (0.902, 0.861),
    (0.93, 0.867),
    (0.957, 0.885),
    (0.979, 0.889),
    (0.998, 0.989),
    (1.0, 1.0),
)
FLOW: Curve = (
    (0.0, 0.631),
    (0.618, 0.789),
    (0.776, 0.914),
    (0.879, 0.95),
    (0.979, 0.99),
    (0.995, 0.993),
    (1.0, 0.998),
)


def expected_iou(sure: float, curve: Curve) -> float:
    """The IoU to be expected of a proposal, in a straight line between a curve's points."""
    figures, overlaps = zip(*curve, strict=True)
    return float(np.interp(sure, figures, overlaps))
