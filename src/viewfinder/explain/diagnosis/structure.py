"""Mistakes of what a module gave: several outputs where one is wanted, or none at all."""

import difflib
import re
from types import ModuleType

from torch import Tensor, nn

from viewfinder.explain.calls import tensors_in
from viewfinder.explain.diagnosis.case import Case, path_as_code
from viewfinder.explain.explanation import Mistake, shape_text
from viewfinder.wording import counted

_UNPACKED = r"(?:not enough|too many) values to unpack \(expected (\d+)(?:, got (\d+))?\)"


def nothing(case: Case) -> Mistake | None:
    """None, where a tensor is wanted: a forward without return."""
    frame, call = case.failure.frame, case.call
    values = list(call.args) if call else [*frame.args, *frame.kwargs.values()]
    if not values or values[0] is not None:
        return None
    return case.mistake(
        f"{case.path} is given None, which is what a forward without return gives",
        "None",
        "a tensor",
    )


def used_as_one(case: Case) -> Mistake | None:
    """What a layer or a function gave as several, taken for one tensor by the user's own code."""
    error, trace = case.failure.error, case.failure.trace
    if case.in_layer or not isinstance(error, TypeError | AttributeError):
        return None
    if "tuple" not in str(error) and "return_types" not in str(error):
        return None
    made = [row for row in trace.rows if len(row.output_shapes) > 1]
    if not made:
        return None
    last = made[-1]
    layer = isinstance(last.module, nn.RNNBase | nn.MultiheadAttention)
    name = path_as_code(last.path) if last.module is not None else last.calls[-1].operation
    what = "its output and its state" if layer else "several tensors"
    if isinstance(last.module, nn.MultiheadAttention):
        what = "its output and its weights"
    return case.mistake(
        f"{name} gives {what}, a tuple, which is used as one tensor",
        f"a tuple of {', '.join(map(shape_text, last.output_shapes))}",
        f"one of them, such as {name}(…)[0]",
    )


def unpacked(case: Case) -> Mistake | None:
    """More or fewer names than what is taken apart has parts."""
    error = case.failure.error
    words = re.fullmatch(_UNPACKED, str(error)) if isinstance(error, ValueError) else None
    if words is None or case.call is not None:
        return None
    parts = words[2] or "more"
    return case.mistake(
        f"the line has {counted(int(words[1]), 'name')}, and what it takes apart has {parts}",
        f"{parts} parts",
        f"{counted(int(words[1]), 'value')}",
    )


def misspelt(case: Case) -> Mistake | None:
    """A name that a module, a tensor or a part of torch does not have."""
    error = case.failure.error
    if not isinstance(error, AttributeError) or not error.name:
        return None
    thing = error.obj
    if isinstance(thing, dict):
        keys = ", ".join(map(repr, thing))
        return case.mistake(
            f"a dictionary of {keys} is used as one tensor: it has no {error.name}",
            f"a dictionary of {counted(len(thing), 'output')}",
            f"one of them, such as [{next(iter(thing), '')!r}]",
        )
    if isinstance(thing, nn.Module):
        kind = type(thing).__name__
    elif isinstance(thing, Tensor):
        kind = "a tensor"
    elif isinstance(thing, ModuleType):
        kind = thing.__name__
    else:
        return None
    near = nearest_names(thing, error.name)
    hint = f": did you mean {' or '.join(near)}?" if near else ""
    own = [name for name, _ in thing.named_children()] if isinstance(thing, nn.Module) else []
    known = f"one of its layers: {', '.join(own[:12])}" if own else "a name that it has"
    return case.mistake(f"{kind} has no {error.name}{hint}", error.name, known)


def nearest_names(thing: object, name: str) -> list[str]:
    """At most two names of a thing that are spelt nearly so; of a net, its own come first."""
    own = list(thing.__dict__) if isinstance(thing, nn.Module) else []
    if isinstance(thing, nn.Module):
        own += [*thing._modules, *thing._parameters, *thing._buffers]
        own += [each for each in vars(type(thing)) if not each.startswith("_")]
    known = [each for each in own or dir(thing) if not each.startswith("_")]
    lower = {each.lower(): each for each in known}
    close = difflib.get_close_matches(name.lower(), list(lower), n=2, cutoff=0.7)
    return [lower[each] for each in close]


def several(case: Case) -> Mistake | None:
    """A tuple, where one tensor is wanted: LSTM, GRU and attention give several."""
    call = case.call
    values = list(call.args) if call else list(case.failure.frame.args)
    if not values or not isinstance(values[0], tuple | list | dict):
        return None
    if call is not None and call.base in ("cat", "stack", "einsum", "meshgrid", "getitem"):
        return None
    inside = [shape_text(tuple(t.shape)) for t in tensors_in(values[0])]
    if call is not None and not inside and not any(isinstance(v, Tensor) for v in values):
        return None
    kind = "dictionary" if isinstance(values[0], dict) else "tuple"
    return case.mistake(
        f"{case.path} takes one tensor and is given a {kind} of {len(values[0])}: recurrent "
        "layers give their output and their state, attention its output and its weights",
        f"a {kind} of {', '.join(inside)}",
        "one tensor",
    )
