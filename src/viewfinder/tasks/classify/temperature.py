"""A classifier's probabilities, made as sure as they turned out to be right: one temperature.

Guo et al., "On calibration of modern neural networks", 2017, section 4.2: logits are divided by one
number T. It is taken here of the logarithms of what is answered, which differ from the logits by a
constant, so that the mean over a picture and its mirror image, and an exported file, are treated
alike. No picture's likeliest class changes, and it is given no more than held-out pictures speak
for (`tasks.supported`).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.tasks.supported import limited_rows, read_limit
from viewfinder.values import as_number, as_table

# Beyond these, what was fitted on is no evidence.
LEAST, LARGEST = 0.05, 20.0
_TINY = torch.finfo(torch.float32).tiny


@dataclass(frozen=True)
class Temperature:
    """Probabilities p become p^(1/T), divided by their sum.

    Attributes:
        value: T; above 1 where the net is surer than it is right.
        most: the highest probability that a class may have.
    """

    value: float
    most: float = 1.0

    def of(self, probabilities: Tensor) -> Tensor:
        """N×C of N×C."""
        found = (probabilities.clamp(min=_TINY).log() / self.value).softmax(dim=1)
        return found if self.most == 1 else limited_rows(found, self.most)

    def of_array(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """N×C of N×C."""
        return np.asarray(self.of(torch.from_numpy(probabilities)).numpy(), np.float32)

    def as_json(self) -> dict[str, object]:
        """`temperature, most`."""
        return {"temperature": self.value, "most": self.most}


def read_temperature(value: object) -> Temperature | None:
    """From `calibration.json`; None of null.

    Raises:
        ValueError, KeyError: it is no temperature.
    """
    if value is None:
        return None
    table = as_table(value)
    number = as_number(table["temperature"])
    if not (math.isfinite(number) and LEAST <= number <= LARGEST):
        raise ValueError("no temperature")
    # Those of earlier versions have no limit.
    return Temperature(number, read_limit(table.get("most", 1)))
