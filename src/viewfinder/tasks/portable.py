"""Answers that come out of an ONNX file, held to what such a file is to give."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.tasks.normalisation import Normalisation

Outputs = Literal["raw", "decoded", "final", "unmarked"]
"""What a file answers: a net's own outputs; probabilities, boxes with scores, or maps; objects that
were chosen already; or whatever a file gives of which nothing is stated."""

Arrays = list[NDArray[np.generic]]


@dataclass(frozen=True)
class Unmarked:
    """What an ONNX file of which nothing is stated is taken for."""

    classes: tuple[str, ...]
    normalisation: Normalisation


def require_count(found: Arrays, count: int) -> Arrays:
    """See that there are as many outputs as there must be.

    Raises:
        ValueError: there are not.
    """
    if len(found) != count:
        raise ValueError(f"has {len(found)} outputs where its metadata promise {count}")
    return found


def as_floats(values: NDArray[np.generic], shape: tuple[int, ...]) -> Tensor:
    """An output as finite float32 of a shape.

    Raises:
        ValueError: it is not.
    """
    if values.shape != shape or values.dtype != np.float32 or not np.isfinite(values).all():
        raise ValueError(
            f"answers with {values.shape} {values.dtype} where its metadata promise {shape}"
        )
    return torch.from_numpy(values)


def as_numbers(values: NDArray[np.generic], count: int, end: int) -> NDArray[np.int64] | None:
    """An output as `count` whole numbers from 0 to below `end`; None if it is not."""
    if values.shape != (count,) or values.dtype.kind != "i":
        return None
    numbers = values.astype(np.int64)
    return numbers if bool(((numbers >= 0) & (numbers < end)).all()) else None
