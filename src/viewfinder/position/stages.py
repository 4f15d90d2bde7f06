"""Which layers of a net stand for its stages: where its map shrinks or grows, and what comes of it.

For each stride that the net's maps have, the layer that first has it, and the last of the outermost
modules with it (a whole `layer2` rather than what lies in it); then, of the layers whose features
have no place in the picture, the first and the last before the output. Modules that neither weigh
nor change the stride, such as activations, are passed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from viewfinder.explain.explanation import Explanation
from viewfinder.position.sensitivity import ComparedStage

# More rows than this are a listing and no summary.
MOST_STAGES = 12
# A map with its padding covers at most this many times the picture's side.
_MOST_PADDED = 1.5


@dataclass(frozen=True)
class _Candidate:
    """A module that ran once and gave one tensor: its path and the row of the table it ends in."""

    name: str
    row: int
    stride: tuple[float, float] | None


def choose_stages(
    module: nn.Module, explanation: Explanation, pictures: Tensor
) -> tuple[ComparedStage, ...]:
    """The stages of `module`, which runs once on `pictures`, in evaluation mode as it is.

    Args:
        explanation: of this module, for inputs of the pictures' size.
    """
    ends = _ends(explanation)
    found: list[_Candidate] = []
    before: tuple[float, float] | None = (1.0, 1.0)
    for name, shape in _single_calls(module, pictures).items():
        row = ends.get(name)
        # The last row is the output, which is compared anyway.
        if row is None or row == len(explanation.layers) - 1:
            continue
        stride = _stride(explanation, row, shape, pictures.shape[2:])
        if stride != before or any(True for _ in module.get_submodule(name).parameters()):
            found.append(_Candidate(name, row, stride))
        before = stride
    chosen: dict[int, _Candidate] = {}
    for stride in dict.fromkeys(one.stride for one in found):
        alike = [one for one in found if one.stride == stride]
        outermost = min(one.name.count(".") for one in alike)
        last = [one for one in alike if one.name.count(".") == outermost][-1]
        for one in (alike[0], last):
            chosen.setdefault(one.row, one)
    ordered = [chosen[row] for row in sorted(chosen)]
    return tuple(ComparedStage(one.name, one.stride) for one in _thinned(ordered))


def _ends(explanation: Explanation) -> dict[str, int]:
    """The last row of each module's path, containers included."""
    ends = {}
    for row, layer in enumerate(explanation.layers):
        parts = layer.name.partition("#")[0].split(".")
        for count in range(1, len(parts) + 1):
            ends[".".join(parts[:count])] = row
    return ends


def _single_calls(module: nn.Module, pictures: Tensor) -> dict[str, torch.Size]:
    """The output's shape of each module that runs exactly once and gives one tensor, in order."""
    shapes: dict[str, torch.Size | None] = {}

    def note(name: str, _: nn.Module, __: object, output: object) -> None:
        once = name not in shapes
        shapes[name] = output.shape if once and isinstance(output, Tensor) else None

    hooks = [
        child.register_forward_hook(partial(note, name))
        for name, child in module.named_modules()
        if name
    ]
    try:
        with torch.no_grad():
            module(pictures)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: shape for name, shape in shapes.items() if shape is not None}


def _stride(
    explanation: Explanation, row: int, shape: torch.Size, size: torch.Size
) -> tuple[float, float] | None:
    """The stride of a layer's N×C×H×W map; None for features that are no such map."""
    if len(shape) != 4 or max(shape[2:]) < 2:
        return None
    field = explanation.layers[row].receptive_field
    if field is not None and len(field.stride) == 2 and min(field.stride) > 0:
        down, right = field.stride
    else:
        # Where all positions have mixed, as in squeeze and excitation, sizes tell the stride.
        down, right = (pixels / count for pixels, count in zip(size, shape[2:], strict=True))
        if down != int(down) or right != int(right):
            return None
    # A map with its channels last would be far larger than the picture; padding adds a little.
    spans = ((shape[2] - 1) * down / size[0], (shape[3] - 1) * right / size[1])
    return (down, right) if max(spans) < _MOST_PADDED else None


def _thinned(ordered: Sequence[_Candidate]) -> Sequence[_Candidate]:
    if len(ordered) <= MOST_STAGES:
        return ordered
    last = len(ordered) - 1
    return [ordered[round(k * last / (MOST_STAGES - 1))] for k in range(MOST_STAGES)]
