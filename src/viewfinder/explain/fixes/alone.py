"""A fix at the very call, or the very layer, that failed, tried there alone: no pass is needed."""

import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensor

from viewfinder.explain.calls import Call, tensors_in
from viewfinder.explain.edits import Around, Edit, Replace, Rewrite, changed
from viewfinder.explain.shadow import unlogged
from viewfinder.explain.traces import Failure, looks_at_numbers


def refused_alone(failure: Failure, edits: Sequence[Edit]) -> bool:
    """Whether the call or the layer that failed fails with these edits too; False if unknown."""
    if len(edits) != 1:
        return False
    attempt = _attempt(failure, edits[0])
    if attempt is None:
        return False
    with unlogged(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            attempt()
        except Exception as error:
            return not looks_at_numbers(Failure(error, failure.frame, None, failure.trace))
    return False


def _attempt(failure: Failure, edit: Edit) -> Callable[[], object] | None:
    call, frame = failure.call, failure.frame
    if isinstance(edit, Rewrite):
        if call is None or call.place is None or call.function is None or frame.row is not None:
            return None
        if edit.of_variables:
            return None
        key = (*call.place[:2], call.operation)
        if edit.key != key or any(_key(one) == key for one in failure.trace.calls):
            return None
        function = call.function
        return lambda: edit.run(function, call.args, call.kwargs)
    if frame.row is None or not isinstance(edit, Around | Replace) or edit.path != frame.path:
        return None
    if frame.module is not frame.row.module or _ran_before(failure):
        return None
    if isinstance(edit, Replace):
        return lambda: _other_layer(failure, edit)
    if edit.side == "after":
        return None

    def run() -> object:
        args, kwargs = changed(edit.operation, edit.argument, frame.args, frame.kwargs)
        return frame.module.forward(*args, **kwargs)

    return run


def _key(call: Call) -> object:
    return (*call.place[:2], call.operation) if call.place is not None else None


def _ran_before(failure: Failure) -> bool:
    """Whether the layer went well at an earlier call, which a change of it would change too."""
    path = failure.frame.path
    return any(row.path == path for row in failure.trace.rows)


def _other_layer(failure: Failure, edit: Replace) -> object:
    frame = failure.frame
    given = list(tensors_in((frame.args, dict(frame.kwargs))))
    fake = next((one.fake_mode for one in given if isinstance(one, FakeTensor)), None)
    held = (*frame.module.parameters(), *given)
    device = next((one.device for one in held), torch.device("cpu"))
    with fake or nullcontext(), device:
        new = edit.make()
        if isinstance(new, nn.Module):
            kinds = {p.dtype for p in frame.module.parameters() if p.is_floating_point()}
            if len(kinds) == 1 and kinds != {torch.get_default_dtype()}:
                new.to(kinds.pop())
            return new.train(frame.module.training).forward(*frame.args, **frame.kwargs)
    return None
