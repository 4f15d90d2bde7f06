"""How much a net's answer and features change when the subject moves by a few pixels: measured.

The whole picture moves, right and down, by whole pixels, so that nothing is resampled; what comes
in at the left or the top is the picture's own border, reflected. A layer with stride s that
followed the subject exactly (equivariance) would hold, after a move by k·s pixels, its old features
k positions along; what is left after moving them along is the layer's own error. The protocol is
near that of Azulay and Weiss, "Why do deep convolutional networks generalize so poorly to small
image transformations?" (2019), and of Zhang, "Making Convolutional Networks Shift-Invariant
Again" (2019).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from viewfinder.errors import InputError

DIRECTIONS = ("right", "down")

# Pictures in a pass: features of a chunk are kept while the chunk is moved.
_CHUNK = 32


@dataclass(frozen=True)
class ComparedStage:
    """A module whose features are compared.

    Attributes:
        name: its path in the net.
        stride: pixels of the picture between neighbours of its map, (down, right); None where
            its features have no place in the picture.
    """

    name: str
    stride: tuple[float, float] | None


@dataclass(frozen=True)
class FeatureChange:
    """Relative L2 distance ‖moved − before‖ / ‖before‖ of one stage's features, 0 for no change.

    Attributes:
        in_place: each feature against what stood at the same position before.
        along: against the old features moved along with the picture, where the shift is a whole
            number of strides, over the positions that both maps hold: the equivariance error.
    """

    in_place: float
    along: float | None


@dataclass(frozen=True)
class ShiftStep:
    """What one shift does, over all pictures and both directions.

    Attributes:
        shift: pixels.
        output: relative L2 distance of the net's output (the logits of a classifier).
        probability: mean share of the probability that goes to other classes, 0 to 1 (total
            variation distance of the softmax); None for a net whose output is not N×classes.
        flips: share of the pictures whose likeliest class changes; None likewise.
        accuracy: share of right answers; None where the truth was not given.
        features: one for each stage, in their order.
    """

    shift: int
    output: float
    probability: float | None
    flips: float | None
    accuracy: float | None
    features: tuple[FeatureChange, ...]


@dataclass(frozen=True)
class Sensitivity:
    """Steps from shift 0, of `pictures` pictures of `size` (height, width)."""

    pictures: int
    size: tuple[int, int]
    stages: tuple[ComparedStage, ...]
    steps: tuple[ShiftStep, ...]


def shifted(pictures: Tensor, shift: int, direction: str) -> Tensor:
    """N×C×H×W pictures moved `right` or `down` by whole pixels, the border reflected behind them.

    Raises:
        InputError: the shift is negative, or not smaller than the picture.
    """
    axis = 3 if direction == "right" else 2
    if not 0 <= shift < pictures.shape[axis]:
        raise InputError(
            f"a shift of {shift} pixels does not fit pictures of {pictures.shape[3]}×"
            f"{pictures.shape[2]}: it must be at least 0 and less than their side"
        )
    pads = [shift, 0, 0, 0] if direction == "right" else [0, 0, shift, 0]
    return functional.pad(pictures, pads, mode="reflect").narrow(axis, 0, pictures.shape[axis])


def measure_position(
    module: nn.Module,
    pictures: Tensor,
    *,
    stages: Sequence[ComparedStage],
    largest: int,
    labels: Tensor | None = None,
) -> Sensitivity:
    """Compare the module's output and stages on pictures moved by 0 to `largest` pixels.

    The module runs in evaluation mode and without gradients, and is afterwards as it was.

    Args:
        pictures: N×3×H×W, as the module takes them (normalised).
        stages: modules by path, each called once a pass and giving one tensor.
        labels: N class indices, for the accuracy after each shift.

    Raises:
        InputError: a shift as large as the picture, or a stage that gives no tensor.
    """
    shifted(pictures[:1], largest, "right"), shifted(pictures[:1], largest, "down")
    sums = [_Sums(len(stages)) for _ in range(largest + 1)]
    with _evaluating(module), torch.no_grad():
        for start in range(0, len(pictures), _CHUNK):
            chunk = pictures[start : start + _CHUNK]
            truth = None if labels is None else labels[start : start + _CHUNK]
            before = _run(module, chunk, stages)
            for shift, total in enumerate(sums):
                for direction in DIRECTIONS:
                    after = _run(module, shifted(chunk, shift, direction), stages)
                    total.add(before, after, stages, shift, direction, truth)
    size = (pictures.shape[2], pictures.shape[3])
    steps = tuple(total.step(shift) for shift, total in enumerate(sums))
    return Sensitivity(len(pictures), size, tuple(stages), steps)


class _Distance:
    """‖difference‖ / ‖reference‖ over everything that was added."""

    def __init__(self) -> None:
        self.difference = self.reference = 0.0
        self.count = 0

    def add(self, before: Tensor, after: Tensor) -> None:
        self.difference += float((after - before).double().square().sum())
        self.reference += float(before.double().square().sum())
        self.count += 1

    def value(self) -> float:
        if self.difference == 0:
            return 0.0
        # Features that were all zero have no size to compare with: any change of them is whole.
        return (self.difference / self.reference) ** 0.5 if self.reference else 1.0


class _Sums:
    """What adds up, chunk by chunk and direction by direction, for one shift."""

    def __init__(self, stages: int) -> None:
        self.output = _Distance()
        self.in_place = [_Distance() for _ in range(stages)]
        self.along = [_Distance() for _ in range(stages)]
        self.moved = self.flipped = self.right = 0.0
        self.answers = self.truths = 0

    def add(
        self,
        before: list[Tensor],
        after: list[Tensor],
        stages: Sequence[ComparedStage],
        shift: int,
        direction: str,
        truth: Tensor | None,
    ) -> None:
        *features, output = zip(before, after, strict=True)
        self.output.add(*output)
        self._answers(*output, truth)
        for index, (old, new) in enumerate(features):
            self.in_place[index].add(old, new)
            aligned = _aligned(old, new, stages[index], shift, direction)
            if aligned is not None:
                self.along[index].add(*aligned)

    def _answers(self, before: Tensor, after: Tensor, truth: Tensor | None) -> None:
        if before.dim() != 2 or before.shape[1] < 2:
            return
        self.answers += len(before)
        self.moved += float((after.softmax(1) - before.softmax(1)).abs().sum()) / 2
        self.flipped += int((after.argmax(1) != before.argmax(1)).sum())
        if truth is not None:
            self.truths += len(truth)
            self.right += int((after.argmax(1) == truth).sum())

    def step(self, shift: int) -> ShiftStep:
        return ShiftStep(
            shift=shift,
            output=self.output.value(),
            probability=self.moved / self.answers if self.answers else None,
            flips=self.flipped / self.answers if self.answers else None,
            accuracy=self.right / self.truths if self.truths else None,
            features=tuple(
                FeatureChange(one.value(), two.value() if two.count else None)
                for one, two in zip(self.in_place, self.along, strict=True)
            ),
        )


def _aligned(
    old: Tensor, new: Tensor, stage: ComparedStage, shift: int, direction: str
) -> tuple[Tensor, Tensor] | None:
    """The old map moved along, and the new one, where both are known; None where they never are."""
    if stage.stride is None or old.dim() != 4:
        return None
    dim = 3 if direction == "right" else 2
    steps = shift / stage.stride[dim - 2]
    kept = old.shape[dim] - int(steps)
    if steps != int(steps) or kept < 1:
        return None
    return old.narrow(dim, 0, kept), new.narrow(dim, int(steps), kept)


def _run(module: nn.Module, pictures: Tensor, stages: Sequence[ComparedStage]) -> list[Tensor]:
    """Each stage's features, and last the module's output."""
    caught: dict[str, Tensor] = {}
    hooks = [
        module.get_submodule(stage.name).register_forward_hook(partial(_keep, caught, stage.name))
        for stage in stages
    ]
    try:
        # A net that draws random numbers draws the same ones in every pass.
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            torch.manual_seed(0)
            output = first_tensor(module(pictures))
    finally:
        for hook in hooks:
            hook.remove()
    if output is None:
        raise InputError(f"{type(module).__name__} gives no tensor: nothing can be compared")
    return [*(caught[stage.name] for stage in stages), output.detach().float()]


def _keep(
    caught: dict[str, Tensor], name: str, module: nn.Module, _: object, output: object
) -> None:
    if not isinstance(output, Tensor):
        raise InputError(f"{name} gives no single tensor: leave it out of the stages")
    # Cloned, since the next layer may write into the same memory.
    caught[name] = output.detach().float().clone()


def first_tensor(output: object) -> Tensor | None:
    """The output itself, or the first tensor in it, however it is nested."""
    if isinstance(output, Tensor):
        return output
    if isinstance(output, dict):
        output = list(output.values())
    parts = output if isinstance(output, list | tuple) else []
    return next((found for part in parts if (found := first_tensor(part)) is not None), None)


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    modes = {child: child.training for child in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for child, training in modes.items():
            child.training = training
