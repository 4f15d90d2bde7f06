"""Mistakes of what a module gave: several outputs where one is wanted, or none at all."""

from torch import Tensor

from viewfinder.explain.calls import tensors_in
from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.explanation import Mistake, shape_text


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
