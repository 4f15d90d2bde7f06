"""The proof that an ONNX file answers as its run does, on some of the run's own pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.errors import InputError
from viewfinder.inference.onnx_files import open_session
from viewfinder.tasks.detect.answers.suppression import suppress
from viewfinder.wording import counted

# The largest difference, as a share of the largest value: float32 sums in another order.
_AGREEMENT = 1e-4


@dataclass(frozen=True)
class Parity:
    """How far the file's answers are from the run's.

    Attributes:
        pictures: how many were answered by both.
        differences: of each output, the largest absolute difference.
        scales: of each output, the largest absolute value of the run's.
    """

    pictures: int
    differences: dict[str, float]
    scales: dict[str, float]

    def __str__(self) -> str:
        text = ", ".join(
            f"{name} within {difference:.1e} of values up to {self.scales[name]:.4g}"
            for name, difference in self.differences.items()
        )
        return f"onnxruntime answers {counted(self.pictures, 'picture')} as the run does: {text}"


def compared(
    module: nn.Module, model: bytes, names: Sequence[str], batch: Tensor, size: tuple[int, int]
) -> Parity:
    """Both answers to the same pictures, in one batch and one by one.

    Boxes are compared within the picture, as that is what is ever shown of them: where a net finds
    nothing they may be a million pixels wide.

    Raises:
        InputError: they differ by more than rounding.
    """
    session = open_session(model)
    with torch.no_grad():
        answer = module(batch)
    expected = [tensor.numpy() for tensor in (answer if isinstance(answer, tuple) else (answer,))]
    together = session.run(None, {"pictures": batch.numpy()})
    single = [session.run(None, {"pictures": batch[i : i + 1].numpy()}) for i in range(len(batch))]
    alone = [np.concatenate(parts) for parts in zip(*single, strict=True)]
    bounds = {"boxes": np.tile(np.array(size, np.float32), 2)}
    together, alone, expected = (
        [
            each.clip(0, bounds[name]) if name in bounds else each
            for name, each in zip(names, answers, strict=True)
        ]
        for answers in (together, alone, expected)
    )
    differences = {
        name: max(_difference(one, mine), _difference(other, mine))
        for name, one, other, mine in zip(names, together, alone, expected, strict=True)
    }
    scales = {name: float(np.abs(mine).max()) for name, mine in zip(names, expected, strict=True)}
    for name, difference in differences.items():
        if not difference <= _AGREEMENT * max(1.0, scales[name]):
            raise InputError(
                f"the export does not answer as the run does: {name} differs by {difference:.3g}, "
                f"of values up to {scales[name]:.3g}; nothing was written"
            )
    return Parity(len(batch), differences, scales)


def prove_objects(
    module: nn.Module, model: bytes, batch: Tensor, threshold: float, *, overlap: float
) -> None:
    """See that the file chooses the objects that the run does.

    Raises:
        InputError: it does not.
    """
    session = open_session(model)
    pictures, labels, scores, boxes = session.run(None, {"pictures": batch.numpy()})
    with torch.no_grad():
        expected = suppress(*module(batch), threshold=threshold, overlap=overlap, most=None)
    for number, mine in enumerate(expected):
        rows = np.flatnonzero(pictures == number)
        rows = rows[np.lexsort((labels[rows], -scores[rows]))]
        order = np.lexsort((mine.labels, -mine.scores))
        same = (
            len(rows) == len(order)
            and np.array_equal(labels[rows], mine.labels[order])
            and np.allclose(scores[rows], mine.scores[order], atol=_AGREEMENT)
            and np.allclose(boxes[rows], mine.boxes[order], rtol=_AGREEMENT, atol=0.05)
        )
        if not same:
            raise InputError(
                f"the export chooses other objects than the run in picture {number + 1} of "
                f"{len(expected)}, {len(rows)} where the run has {len(order)}; nothing was written"
            )


def _difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.abs(one - other).max()) if one.shape == other.shape else float("inf")
