"""Mistakes in what a forward was given: how many inputs, which types, which devices."""

import inspect

import torch
from torch import Tensor, nn

from viewfinder.explain.calls import tensors_in
from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.explanation import Mistake, shape_text

_PRODUCTS = ("conv", "linear", "matmul", "mm", "bmm", "batch_norm")


def arguments(case: Case) -> Mistake | None:
    """A forward called with too few or too many inputs."""
    frame = case.failure.frame
    if case.call is not None or not isinstance(case.failure.error, TypeError):
        return None
    signature = inspect.signature(frame.module.forward)
    try:
        signature.bind(*frame.args, **frame.kwargs)
    except TypeError:
        pass
    else:
        return None
    positional = [p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_OR_KEYWORD,)]
    needed = [p.name for p in positional if p.default is p.empty]
    name = type(frame.module).__name__
    given = [shape_text(tuple(t.shape)) for t in tensors_in((frame.args, frame.kwargs))]
    count = len(frame.args) + len(frame.kwargs)
    listed = f" ({', '.join(given)})" if given else ""
    got = f"{_inputs(count)}{listed}"
    hint = " (on the command line, one --input for each)" if count < len(needed) else ""
    inside = f"inside {frame.path}, " if frame.path else ""
    return case.mistake(
        f"{inside}{name}.forward takes {_takes(needed, positional)}, and it was called with "
        f"{_inputs(count)}",
        got,
        f"{name}.forward{signature}{'' if frame.path else hint}",
    )


def devices(case: Case) -> Mistake | None:
    """Tensors on two devices in one call."""
    tensors = case.call.tensors if case.call else ()
    places = list(dict.fromkeys(str(t.device) for t in tensors if t.dim()))
    if len(places) < 2:
        return None
    first, second = places[:2]
    weights = {id(p) for p in (*case.module.parameters(), *case.module.buffers())}
    owner = next((str(t.device) for t in tensors if id(t) in weights), second)
    other = first if owner == second else second
    what = f"the weights of {case.name} are" if case.in_layer else "the other operand is"
    return case.mistake(
        f"all tensors of one call must be on one device: {first} met {second}",
        f"a tensor on {other}, while {what} on {owner}",
        f"everything on {owner}, or everything on {other}; tensors that are not parameters move "
        "with a net only if they are registered with register_buffer",
    )


def index_type(case: Case) -> Mistake | None:
    """An embedding that is asked for row 0.5."""
    if case.operation != "embedding" or case.call is None:
        return None
    index = case.call.tensors[0]
    if index.dtype in (torch.int32, torch.int64):
        return None
    kind, sizes = _name(index.dtype), "x".join(map(str, index.shape[1:]))
    return case.mistake(
        f"an embedding looks rows up by number, so its input must be whole numbers of type int64 "
        f"or int32, not {kind}",
        f"{case.operand(0)}, {kind}",
        f"int64 (torch.long); on the command line: --input {sizes}:int64",
    )


def number_type(case: Case) -> Mistake | None:
    """uint8 or float64 numbers against float32 weights."""
    call = case.call
    if call is None or not call.base.startswith(_PRODUCTS) or len(call.tensors) < 2:
        return None
    first = call.tensors[0]
    second = case.weight() if case.weight() is not None else call.tensors[1]
    if not isinstance(second, Tensor) or first.dtype == second.dtype:
        return None
    got, wanted = _name(first.dtype), _name(second.dtype)
    who = f"{case.name} multiplies its input by its weights"
    if not case.in_layer:
        who = f"{call.base} multiplies its operands"
    return case.mistake(
        f"{who}, and torch wants both of one type: {got} met {wanted}",
        f"{case.operand(0)}, {got}",
        wanted,
    )


def recurrent_size(case: Case) -> Mistake | None:
    """A recurrent layer whose input's last dimension is not its input_size."""
    module = case.module
    if not isinstance(module, nn.RNNBase) or not case.failure.frame.args:
        return None
    given = next(tensors_in(case.failure.frame.args), None)
    if given is None or given.dim() not in (2, 3) or given.shape[-1] == module.input_size:
        return None
    shape = tuple(given.shape)
    return case.mistake(
        f"the last dimension must be {case.name}'s input_size: {shape[-1]} ≠ {module.input_size}",
        shape_text(shape),
        f"(…, …, {module.input_size})",
    )


def _inputs(count: int) -> str:
    return f"{count} input" if count == 1 else f"{count} inputs"


def _takes(needed: list[str], positional: list[inspect.Parameter]) -> str:
    names = f" ({', '.join(needed)})" if needed else ""
    if len(positional) > len(needed):
        return f"{len(needed)} to {len(positional)} inputs{names}"
    return f"{_inputs(len(needed))}{names}"


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
