"""What a training knows of itself beside its tensors: the loop changes it, the journal tells it."""

import math
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Progress:
    """How far a training is: all of its state that is not tensors.

    Attributes:
        epoch, step: the next step to take, both from 0.
        updates: steps taken since the start.
        seconds: time spent training, over all sittings.
        sums: the loss and its terms over the `seen` pictures of the epoch so far.
        skipped: float16 steps whose gradients overflowed.
        best_score: of any epoch.
        kept_epoch: of the weights that are kept, the latest of those that are as good as the best.
        risen_epoch: when the score last rose, which is what patience counts from.
    """

    epoch: int = 0
    step: int = 0
    updates: int = 0
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    seen: int = 0
    skipped: int = 0
    best_score: float = -math.inf
    kept_epoch: int = -1
    risen_epoch: int = -1
    rows: list[dict[str, Any]] = field(default_factory=list)
