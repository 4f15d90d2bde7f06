"""Weights that are none of the net's, or that nothing depends on."""

from collections.abc import Iterator

from torch import Tensor, nn

from viewfinder.explain.calls import Call, tensors_in
from viewfinder.explain.cautions.naming import first_few, homes, named
from viewfinder.explain.traces import NOWHERE, Trace


def unregistered(net: nn.Module) -> Iterator[str]:
    """Layers and parameters in plain lists and dictionaries."""
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


def _modules_in(value: object) -> Iterator[nn.Module]:
    if isinstance(value, nn.Module):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _modules_in(item)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from _modules_in(item)


def _parameters_in(value: object) -> Iterator[nn.Parameter]:
    for tensor in tensors_in(value):
        if isinstance(tensor, nn.Parameter):
            yield tensor


def made_anew(seen: Trace) -> Iterator[str]:
    """Weights that forward makes, and tensors that want a gradient and are no parameters."""
    known = {id(one) for one in (*seen.module.parameters(), *seen.module.buffers())}
    held = {id(one): (path, name) for path, name, one in _attributes(seen.module)}
    listed = {id(one) for one in _in_containers(seen.module)}
    names = homes(seen)
    told: set[int] = set()
    for call in seen.calls:
        if not call.graph or call.operation.endswith("_"):
            # What is drawn or filled is not yet used.
            continue
        for tensor, producer in zip(call.tensors, call.producers, strict=False):
            if not tensor.requires_grad or id(tensor) in known | listed | told:
                continue
            # What forward makes comes from the call that fills it first.
            if producer != NOWHERE and not isinstance(tensor, nn.Parameter):
                continue
            told.add(id(tensor))
            home = names.get(call.index, call.operation)
            if id(tensor) in held:
                path, name = held[id(tensor)]
                yield (
                    f"{path}.{name}".lstrip(".") + f", which {home} takes, is no nn.Parameter: its "
                    f"{tensor.numel():,} numbers are none of the net's weights and will not train"
                )
            elif isinstance(tensor, nn.Parameter):
                place = f" (line {call.source[1]})" if call.source else ""
                yield (
                    f"{home} has weights that forward makes{place}: new ones in each pass, which "
                    "never train; make the layer in __init__"
                )


def _attributes(net: nn.Module) -> Iterator[tuple[str, str, Tensor]]:
    for path, module in net.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, Tensor):
                yield path, name, value


def _in_containers(net: nn.Module) -> Iterator[Tensor]:
    for module in net.modules():
        for name, value in vars(module).items():
            if name.startswith("_") or not isinstance(value, list | tuple | dict | set):
                continue
            yield from tensors_in(value)
            for layer in _modules_in(value):
                yield from layer.parameters()
                yield from layer.buffers()


def unused(seen: Trace) -> Iterator[str]:
    """Layers whose results nothing that comes out depends on."""
    made = {id(tensor): call for call in seen.calls for tensor in call.outputs}
    last = [made[id(tensor)] for tensor in seen.outputs if id(tensor) in made]
    if not last or len(last) != len(seen.outputs):
        return
    needed: set[int] = set()
    waiting = list(last)
    while waiting:
        call = waiting.pop()
        if call.index not in needed:
            needed.add(call.index)
            waiting += [one for one in call.producers if isinstance(one, Call)]
    dead = [
        named(row)
        for row in seen.rows
        if row.module is not None
        and any(True for _ in row.module.parameters())
        and not any(call.index in needed for call in row.calls)
    ]
    if dead:
        yield f"nothing that comes out depends on {first_few(dead)}: worked out and never used"
