"""What answers claim: that they are right, so surely."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

# Fewer answers than this tell nothing of scores.
_FEW = 30


@dataclass(frozen=True, eq=False)
class Claims:
    """N answers with their scores, in [0, 1], and whether each is right.

    Attributes:
        of: what they are called, in the plural.
        fitted: where the scores were fitted on others of the same pictures, what these are.
    """

    scores: NDArray[np.float64]
    right: NDArray[np.bool_]
    of: str
    fitted: str = ""

    def joined(self, others: "Claims") -> "Claims":
        """These and others of their kind."""
        return replace(
            self,
            scores=np.concatenate([self.scores, others.scores]),
            right=np.concatenate([self.right, others.right]),
        )

    @property
    def enough(self) -> bool:
        """Whether there are enough to tell anything by."""
        return len(self.scores) >= _FEW
