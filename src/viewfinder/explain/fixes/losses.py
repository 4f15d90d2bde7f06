"""Fixes between an answer and its target, at a loss."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viewfinder.explain.calls import Call
from viewfinder.explain.edits import InsertedCall
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes import branches
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.meanings import STRETCHED
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.traces import ancestors

_PLAIN = {"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div", "poisson_nll_loss"}
_BINARY = {"binary_cross_entropy", "binary_cross_entropy_with_logits"}
_CLASSES = {"cross_entropy", "nll_loss"}
LOSSES = _PLAIN | _BINARY | _CLASSES | {"ctc_loss"}


def candidates(scene: Scene, call: Call) -> Iterator[Candidate]:
    """Dimensions, sizes and types of answer and target brought together."""
    if len(call.tensors) < 2:
        return
    answer, target = call.input_shapes[:2]
    if call.base == "ctc_loss" and len(answer) == 3 and answer[0] == target[0]:
        # The steps come first there, and the batch second.
        yield from scene.operate(0, ops.transpose(0, 1), 0.0)
    if call.base in _CLASSES:
        yield from _classes(scene, call)
    if call.base in _PLAIN | _BINARY:
        if not call.tensors[1].is_floating_point():
            yield from scene.operate(1, ops.to_type(torch.float32), 0.1)
        if len(answer) == len(target) + 1:
            for dim in [d for d in range(1, len(answer)) if answer[d] == 1]:
                yield from scene.operate(1, ops.unsqueeze(dim), 0.05)
                if not call.tensors[1].is_floating_point():
                    both = ops.then(ops.unsqueeze(dim), ops.to_type(torch.float32))
                    yield from scene.operate(1, both, 0.04)
                yield from scene.operate(0, ops.squeeze(dim), 0.1)
        if len(target) == len(answer) + 1:
            for dim in [d for d in range(1, len(target)) if target[d] == 1]:
                yield from scene.operate(1, ops.squeeze(dim), 0.1)
        if len(answer) == len(target) == 4 and answer[:2] == target[:2]:
            yield from _sized(scene, call)
            yield from branches.all_transposed(scene, call.producers[0])
        yield from _flat(scene, answer, target)
        yield from _whole_map(scene, call, answer, target)
        yield from _one_verdict(scene, call, answer, target)
        yield from _one_step(scene, answer, target)
    yield from _both(scene, call, answer, target)
    yield from _next_steps(scene, call, answer, target)
    yield from _made_alike(scene, call)


def _next_steps(scene: Scene, call: Call, answer: Shape, target: Shape) -> Iterator[Candidate]:
    """Targets of every step but the first, where the answers leave out the last."""
    made = call.producers[1]
    if not isinstance(made, Call) or made.base not in ("reshape", "view", "flatten"):
        return
    before = made.input_shapes[0]
    if len(target) == 1 and len(before) == 2 and before[0] * (before[1] - 1) == answer[0]:
        code = "{0}[:, 1:].reshape(-1)"
        yield from scene.instead(made, code, lambda t: t[0][:, 1:].reshape(-1), 0.0)


def _made_alike(scene: Scene, call: Call) -> Iterator[Candidate]:
    """Targets of ones or zeros, as a discriminator has them: as many as there are answers."""
    made = call.producers[1]
    if scene.case.in_layer or not isinstance(made, Call) or made.base not in ("ones", "zeros"):
        return
    if call.base in ("cross_entropy", "nll_loss"):

        def numbers(t: Sequence[Tensor]) -> Tensor:
            like: Tensor = getattr(torch, f"{made.base}_like")(t[0][:, 0], dtype=torch.long)
            return like

        code = f"torch.{made.base}_like({{0}}[:, 0], dtype=torch.long)"
        yield from scene.on_operand(1, code, numbers, 0.1)
        return

    def run(t: Sequence[Tensor]) -> Tensor:
        like: Tensor = getattr(torch, f"{made.base}_like")(t[0])
        return like

    yield from scene.on_operand(1, f"torch.{made.base}_like({{0}})", run, 0.0)


def _one_step(scene: Scene, answer: Shape, target: Shape) -> Iterator[Candidate]:
    """An answer of the last step against a target of every step, or the other way round."""
    for position, (one, two) in enumerate(((answer, target), (target, answer))):
        if len(one) == len(two) + 1 and len(one) > 2 and (one[0], *one[2:]) == two:
            yield from scene.operate(position, ops.last_of(1), 0.4)


def _flat(scene: Scene, answer: Shape, target: Shape) -> Iterator[Candidate]:
    """A flat answer against maps of as many numbers, or the other way round."""
    if answer == target or answer[:1] != target[:1] or prod(answer) != prod(target):
        return
    if len(answer) == 2:
        yield from scene.operate(1, ops.flatten(1), 0.1)
    if len(target) == 2:
        yield from scene.operate(0, ops.flatten(1), 0.1)
    if len(target) == 1 and len(answer) > 2:
        # One verdict for each item, as a convolution gives it.
        yield from scene.operate(0, ops.flatten(0), 0.1)
    if len(answer) == 1 and len(target) > 2:
        yield from scene.operate(1, ops.flatten(0), 0.1)
    if len(answer) == 2 and not scene.case.in_layer:
        yield from scene.on_operand(0, "{0}.view_as({1})", lambda t: t[0].reshape(t[1].shape), 0.15)


def _whole_map(scene: Scene, call: Call, answer: Shape, target: Shape) -> Iterator[Candidate]:
    """A last convolution that left several answers an item: a window over all of its map."""
    if len(answer) != 1 or len(target) != 1 or answer[0] <= target[0] or answer[0] % target[0]:
        return
    first = call.producers[0]
    for made in ancestors(first) if isinstance(first, Call) else ():
        layer = scene.net.get_submodule(made.module) if made.module else None
        if not isinstance(layer, nn.modules.conv._ConvNd):
            continue
        out, given = made.output_shapes[0], made.input_shapes[0]
        if out[1] == 1 and prod(out[2:]) * target[0] == answer[0]:
            window = given[2] if len(set(given[2:])) == 1 else given[2:]
            yield from scene.replace(made.module, 0.1, kernel_size=window, stride=1, padding=0)
        return


def _one_verdict(scene: Scene, call: Call, answer: Shape, target: Shape) -> Iterator[Candidate]:
    """Several numbers for each item, and one truth: a last layer of one, or classes instead."""
    if len(answer) != 2 or len(target) != 1 or answer[0] != target[0] or answer[1] < 2:
        return
    made = scene.case.back(call.producers[0])
    layer = scene.net.get_submodule(made.module) if isinstance(made, Call) and made.module else None
    if isinstance(made, Call) and isinstance(layer, nn.Linear):
        for fitted in scene.replace(made.module, 0.1, out_features=1):
            for flat in scene.operate(0, ops.squeeze(1), 0.0):
                yield fitted.and_(flat)
    if call.base == "binary_cross_entropy_with_logits" and not scene.case.in_layer:

        def run(t: Sequence[Tensor]) -> Tensor:
            return F.cross_entropy(t[0], t[1].long())

        yield from scene.instead(call, "F.cross_entropy({0}, {1}.long())", run, 0.2)


def _sized(scene: Scene, call: Call) -> Iterator[Candidate]:
    """The answer brought to the size of the target, where the loss takes both or behind its layer.

    Scores change smoothly between places; what is measured, such as depth, keeps its numbers.
    """
    answer, target = call.input_shapes[0][2:], call.input_shapes[1][-2:]
    mode = ', mode="bilinear"' if call.base in _CLASSES | _BINARY else ""
    how = "bilinear" if mode else "nearest"

    def fit(x: Tensor, y: Tensor) -> Tensor:
        return F.interpolate(x, size=y.shape[-2:], mode=how)

    code = f"F.interpolate({{0}}, size={{1}}.shape[-2:]{mode})"
    if scene.case.in_layer:
        found = [scene.before(InsertedCall(code, fit, other=1), 0.2)]
    else:
        found = scene.on_operand(0, code, lambda t: fit(t[0], t[1]), 0.2)
    for one in found:
        yield replace(one, means=STRETCHED) if _odd(answer, target) else one
    factors = {large // small for small, large in zip(answer, target, strict=True)}
    made = call.producers[0]
    whole = all(large % small == 0 for small, large in zip(answer, target, strict=True))
    if whole and len(factors) == 1 and max(factors) > 1 and isinstance(made, Call) and made.module:
        factor = max(factors)

        def grow(x: Tensor) -> Tensor:
            return F.interpolate(x, scale_factor=factor, mode=how)

        code = f"F.interpolate({{}}, scale_factor={factor}{mode})"
        layer = f"nn.Upsample(scale_factor={factor}{mode})"
        yield scene.after(InsertedCall(code, grow, layer), 0.3, made.module)


def _odd(answer: Shape, target: Shape) -> bool:
    """Whether sizes are no multiples of each other, and further apart than rounding brings them."""
    for one, two in zip(answer, target, strict=True):
        small, large = sorted((one, two))
        if large - small > 3 and large % max(small, 1):
            return True
    return False


def _classes(scene: Scene, call: Call) -> Iterator[Candidate]:
    answer, target = call.input_shapes[:2]
    kind = call.tensors[1].dtype
    if len(target) == len(answer) and len(target) > 1 and target[1] == 1:
        squeezed = ops.squeeze(1)
        if kind != torch.int64:
            squeezed = ops.then(squeezed, ops.to_type(torch.int64))
        yield from scene.operate(1, squeezed, 0.0)
    if target == answer and not kind.is_floating_point:
        yield from scene.operate(1, ops.to_type(torch.float32), 0.1)
        yield from scene.operate(1, ops.method("argmax", 1), 0.2)
    if target == answer and len(target) > 1 and call.base == "nll_loss":
        yield from scene.operate(1, ops.method("argmax", 1), 0.0)
    if kind != torch.int64:
        yield from scene.operate(1, ops.to_type(torch.int64), 0.1)
    yield from _weighted(scene, call, answer)
    if len(target) == 1 and len(answer) == 4 and answer[0] == target[0]:
        pooled = [] if answer[2:] == (1, 1) else [ops.pool_to(1, 2)]
        yield from scene.operate(0, ops.then(*pooled, ops.flatten(1)), 0.1)
    if len(target) == 1 and len(answer) == 3 and answer[0] == target[0]:
        yield from scene.operate(0, ops.last_of(1), 0.2)
        yield from scene.operate(0, ops.mean(1, keep=False), 0.25)
    if len(answer) == 3 and len(target) == 2 and answer[:2] == target:
        yield from scene.operate(0, ops.transpose(1, 2), 0.05)
    if len(answer) == 4 and len(target) == 3 and answer[1:3] == target[1:] != answer[2:]:
        yield from scene.operate(0, ops.channels_first(4), 0.05)
    elif len(answer) == 4 and len(target) == 3 and answer[2:] != target[1:]:
        yield from _sized(scene, call)


def _weighted(scene: Scene, call: Call, answer: Shape) -> Iterator[Candidate]:
    """Weights of another number of classes than the net answers."""
    weight = call.argument("weight", call.args[2] if len(call.args) > 2 else None)
    classes = answer[1] if len(answer) > 1 else 0
    if not isinstance(weight, Tensor) or weight.dim() != 1 or int(weight.shape[0]) == classes:
        return
    made = scene.case.back(call.producers[0])
    layer = scene.net.get_submodule(made.module) if isinstance(made, Call) and made.module else None
    if isinstance(made, Call) and isinstance(layer, nn.Linear) and layer.out_features == classes:
        yield from scene.replace(made.module, 0.05, out_features=int(weight.shape[0]))
    if isinstance(made, Call) and isinstance(layer, nn.Conv2d) and layer.out_channels == classes:
        yield from scene.replace(made.module, 0.05, out_channels=int(weight.shape[0]))
    named = dict(scene.net.named_parameters()) | dict(scene.net.named_buffers())
    for name in (name for name, one in named.items() if one is weight):
        yield scene.put(name, f"torch.ones({classes})", lambda: torch.ones(classes), 0.2)


def _both(
    scene: Scene, call: Call, answer: tuple[int, ...], target: tuple[int, ...]
) -> Iterator[Candidate]:
    """The target with as many columns as the answer, where only they differ."""
    if call.base in _CLASSES or len(answer) != len(target) or not answer:
        return
    if answer[:-1] == target[:-1] and answer[-1] != target[-1]:
        producer = scene.case.back(call.producers[0])
        if isinstance(producer, Call) and producer.module:
            module = scene.net.get_submodule(producer.module)
            if getattr(module, "out_features", None) == answer[-1]:
                yield from scene.replace(producer.module, 0.2, out_features=target[-1])
