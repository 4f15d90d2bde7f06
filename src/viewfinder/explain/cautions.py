"""What runs and is wrong all the same: weights that will not train, numbers out of order.

Each is told only where it was seen in this pass, with the layer that it lies in.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor, nn

from viewfinder.explain.calls import Call, tensors_in
from viewfinder.explain.explanation import Shape, shape_text
from viewfinder.explain.pointwise import ACTIVATIONS
from viewfinder.explain.traces import Row, Trace
from viewfinder.wording import counted

_VIEWS = ("view", "reshape")
_ONCE = (
    ACTIVATIONS
    - {"dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"}
    - {"feature_dropout"}
)
_DROPOUTS = {"dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"}
_MAPS = ("conv1d", "conv2d", "conv3d", "batch_norm", "max_pool2d", "avg_pool2d")


def cautions(module: nn.Module, seen: Trace, twice: Trace | None = None) -> tuple[str, ...]:
    """Warnings of a pass that ran.

    Args:
        module: the net itself, whose attributes are looked at.
        seen: the pass.
        twice: the pass with twice the batch, where the first dimension is the batch.
    """
    found = [*_unregistered(module)]
    if seen.failure is None:
        if seen.result is None:
            found.append("forward returns None: what it works out is lost; end it with return x")
        found += [*_biases(seen), *_doubled(seen), *_scrambled(seen), *_unused(seen)]
        found += [*_dropped(seen), *_widths(seen), *_losses(seen)]
        if twice is not None:
            found += [*_across(seen, twice)]
    found += [*_overwritten(seen)]
    return tuple(dict.fromkeys(found))


def _unregistered(net: nn.Module) -> Iterator[str]:
    known = {id(parameter) for parameter in net.parameters()}
    for path, module in net.named_modules():
        for name, value in vars(module).items():
            if name.startswith("_") or not isinstance(value, list | tuple | dict | set):
                continue
            layers = [one for one in _modules_in(value) if any(True for _ in one.parameters())]
            lost = {id(p): p.numel() for one in layers for p in one.parameters()}
            lost |= {id(p): p.numel() for p in _parameters_in(value)}
            count = sum(size for key, size in lost.items() if key not in known)
            if count:
                home = f"{path}.{name}" if path else name
                kind = type(value).__name__
                better = "nn.ModuleDict" if isinstance(value, dict) else "nn.ModuleList"
                if not layers:
                    better = better.replace("Module", "Parameter")
                yield (
                    f"{home} is a plain {kind}: its {count:,} weights are none of the net's, so "
                    f"that they will not train, move or be saved with it: {better}"
                )


def _modules_in(value: Any) -> Iterator[nn.Module]:
    if isinstance(value, nn.Module):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _modules_in(item)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from _modules_in(item)


def _parameters_in(value: Any) -> Iterator[nn.Parameter]:
    for tensor in tensors_in(value):
        if isinstance(tensor, nn.Parameter):
            yield tensor


def _named(row: Row) -> str:
    return row.path or (type(row.module).__name__ if row.module else row.calls[0].operation)


def _homes(seen: Trace) -> dict[int, str]:
    """What the layer or function of each call is called."""
    return {call.index: _named(row) for row in seen.rows for call in row.calls}


def _biases(seen: Trace) -> Iterator[str]:
    homes, users = _homes(seen), _users(seen.calls)
    vain = []
    for call in seen.calls:
        if call.base != "batch_norm" or not isinstance(call.producers[0], Call):
            continue
        before = call.producers[0]
        bias = before.argument("bias") if before.base.startswith(("conv", "linear")) else None
        if isinstance(bias, Tensor) and len(users.get(before.index, ())) == 1:
            vain.append((homes.get(before.index, before.operation), bias.numel()))
    vain = list(dict.fromkeys(vain))
    if vain:
        names = ", ".join(name for name, _ in vain[:3]) + (", …" if len(vain) > 3 else "")
        total = sum(size for _, size in vain)
        yield (
            f"batch norm takes away what a bias before it adds: bias=False in {names} saves "
            f"{counted(total, 'weight')}"
        )


def _users(calls: Sequence[Call]) -> dict[int, list[Call]]:
    users: dict[int, list[Call]] = {}
    for call in calls:
        for producer in call.producers:
            if isinstance(producer, Call):
                users.setdefault(producer.index, []).append(call)
    return users


def _doubled(seen: Trace) -> Iterator[str]:
    homes = _homes(seen)
    for call in seen.calls:
        before = call.producers[0] if call.producers else None
        if not isinstance(before, Call) or call.base != before.base:
            continue
        if call.base in _ONCE or call.base in ("softmax", "log_softmax"):
            # A clipped number is clipped already; others are squeezed twice.
            vain = "does nothing more" if call.base in ("relu", "relu6") else "squeezes them again"
            yield (
                f"{homes.get(call.index)}: {call.base} of what {call.base} gave "
                f"({homes.get(before.index)}) {vain}: leave one out"
            )


def _scrambled(seen: Trace) -> Iterator[str]:
    homes = _homes(seen)
    for call in seen.calls:
        if call.base not in _VIEWS or not call.input_shapes or not call.output_shapes:
            continue
        one, two = call.input_shapes[0], call.output_shapes[0]
        if len(one) == len(two) > 2 and _turned(one, two):
            yield (
                f"{homes.get(call.index)} makes {shape_text(one)} into {shape_text(two)}: it reads "
                "the numbers in the order that they lie in and scrambles the picture; permute or "
                "transpose turns dimensions"
            )


def _turned(one: Shape, two: Shape) -> bool:
    """The same sizes in another order."""
    large, other = ([size for size in shape if size != 1] for shape in (one, two))
    return large != other and sorted(large) == sorted(other) and len(large) > 2


def _unused(seen: Trace) -> Iterator[str]:
    made = {id(tensor): call for call in seen.calls for tensor in call.outputs}
    ends = [made[id(tensor)] for tensor in seen.outputs if id(tensor) in made]
    if not ends or len(ends) != len(seen.outputs):
        return
    needed: set[int] = set()
    waiting = list(ends)
    while waiting:
        call = waiting.pop()
        if call.index not in needed:
            needed.add(call.index)
            waiting += [one for one in call.producers if isinstance(one, Call)]
    dead = [
        _named(row)
        for row in seen.rows
        if row.module is not None
        and any(True for _ in row.module.parameters())
        and not any(call.index in needed for call in row.calls)
    ]
    if dead:
        names = ", ".join(dead[:3]) + (", …" if len(dead) > 3 else "")
        yield f"nothing that comes out depends on {names}: worked out and never used"


def _dropped(seen: Trace) -> Iterator[str]:
    homes = _homes(seen)
    for call in seen.calls:
        if call.base not in _DROPOUTS:
            continue
        training = call.kwargs.get("training", call.args[2] if len(call.args) > 2 else True)
        share = call.kwargs.get("p", call.args[1] if len(call.args) > 1 else 0.5)
        if training and share and not seen.module.training:
            name = homes.get(call.index)
            yield (
                f"{name} drops numbers in evaluation too, so that answers change from time to "
                "time: training=self.training"
            )
    last = [c for c in seen.calls if any(t is o for t in c.outputs for o in seen.outputs)]
    if last and last[-1].base in _DROPOUTS:
        yield f"{homes.get(last[-1].index)} comes last: in training it sets answers to 0"


def _widths(seen: Trace) -> Iterator[str]:
    homes = _homes(seen)
    for call in seen.calls:
        before = call.producers[0] if call.producers else None
        while isinstance(before, Call) and before.base in ACTIVATIONS and before.producers:
            before = before.producers[0]
        if call.base != "linear" or not isinstance(before, Call):
            continue
        if before.base in _MAPS and len(call.input_shapes[0]) == 4:
            yield (
                f"{homes.get(call.index)} works on the last dimension alone, the width of a map "
                f"{shape_text(call.input_shapes[0])}: x.flatten(1) before it takes all of it"
            )


def _losses(seen: Trace) -> Iterator[str]:
    homes = _homes(seen)
    for call in seen.calls:
        before = call.producers[0] if call.producers else None
        if not isinstance(before, Call):
            continue
        pair = (call.base, before.base)
        twice = {("cross_entropy", "softmax"), ("cross_entropy", "log_softmax")}
        twice |= {("binary_cross_entropy_with_logits", "sigmoid")}
        if pair in twice:
            yield (
                f"{call.base} has its own {before.base.removeprefix('log_')}: without "
                f"{homes.get(before.index)} before it, gradients are as they should be"
            )
        if pair == ("nll_loss", "softmax"):
            yield f"nll_loss wants logarithms: log_softmax instead of {homes.get(before.index)}"


def _across(seen: Trace, twice: Trace) -> Iterator[str]:
    """Layers that read the batch as their steps, and softmax over the batch."""
    for row in seen.rows:
        layer = row.module
        if isinstance(layer, nn.RNNBase | nn.MultiheadAttention) and not layer.batch_first:
            first = row.calls[0]
            other = twice.by_index.get(first.index)
            if other is None or not row.inputs or row.inputs[0].dim() != 3:
                continue
            mine = row.input_shapes[0]
            theirs = [shape for shape in other.input_shapes if len(shape) == 3]
            if theirs and theirs[0][0] == 2 * mine[0] and theirs[0][1:] == mine[1:]:
                yield (
                    f"{_named(row)} reads {shape_text(mine)} as steps × batch × features, and the "
                    "batch comes first: it mixes the items of a batch: batch_first=True"
                )
    homes = _homes(seen)
    for call in seen.calls:
        if call.base not in ("softmax", "log_softmax") or len(call.input_shapes[0]) < 2:
            continue
        dim = call.argument("dim")
        other = twice.by_index.get(call.index)
        if type(dim) is int and other is not None and other.input_shapes:
            one, two = call.input_shapes[0][dim], other.input_shapes[0][dim]
            if two == 2 * one and dim % len(call.input_shapes[0]) == 0:
                yield f"{homes.get(call.index)}: softmax over the batch: dim=1 or dim=-1"


def _overwritten(seen: Trace) -> Iterator[str]:
    homes = _homes(seen)
    for kept, writer in seen.overwritten:
        at = homes.get(kept.index, kept.operation)
        by = homes.get(writer.index, writer.operation) if writer else "a call in place"
        yield (
            f"{by} writes over what the backward pass of {at} needs: training stops there; "
            "without the in-place form (x = x + y for x += y) it does not"
        )
