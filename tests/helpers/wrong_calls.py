"""Calls of torch with one argument wrong: what torch says of them, and what an explanation does."""

import copy
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from viewfinder.explain.recording import Recorder
from viewfinder.explain.shadow import shadow
from viewfinder.explain.traces import Failure, Trace, TracedFrame, looks_at_numbers

ERRORS = (RuntimeError, IndexError, ValueError, TypeError, AssertionError, NotImplementedError)


def wrong(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """How, positional and named arguments, with one of them made wrong in each way."""
    for at, value in enumerate(args):
        for how, other in changed(value):
            yield f"argument {at} {how}", (*args[:at], other, *args[at + 1 :]), kwargs
    for name, value in kwargs.items():
        for how, other in changed(value):
            yield f"{name} {how}", args, {**kwargs, name: other}


def changed(value: Any) -> Iterator[tuple[str, Any]]:
    """A number, a tensor, or a list of either, made wrong in each way."""
    if type(value) is int:
        yield "too large", value + 7
        yield "too small", -9
    elif isinstance(value, Tensor):
        yield from _other_tensors(value)
    elif isinstance(value, list | tuple) and value and isinstance(value[0], Tensor):
        for how, other in changed(value[0]):
            yield f"first {how}", type(value)([other, *value[1:]])
    elif isinstance(value, list | tuple) and value and all(type(one) is int for one in value):
        kind = tuple if isinstance(value, tuple) else list
        yield "one number too large", kind((value[0] + 7, *value[1:]))
        yield "one number less", kind(value[1:])
        yield "one number more", kind((*value, 1))


def _other_tensors(value: Tensor) -> Iterator[tuple[str, Tensor]]:
    yield "with a dimension more", value.unsqueeze(0)
    if value.dim() and value.shape[0]:
        yield "with a dimension less", value[0]
    for dim in range(value.dim()):
        if value.shape[dim]:
            yield f"longer in {dim}", torch.cat([value, value.narrow(dim, 0, 1)], dim)
    kind = value.dtype
    yield "of whole numbers", value.to(torch.int32 if kind == torch.int64 else torch.int64)
    yield "of doubles", value.to(torch.float64 if kind != torch.float64 else torch.float32)
    if kind != torch.bool:
        yield "of truths", value.to(torch.bool)


def tried(function: Callable[..., Any], args: Any, kwargs: Any) -> Exception | None:
    """What the real call on the CPU raises."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            run = copy.deepcopy(function) if isinstance(function, nn.Module) else function
            run(*_copied(args), **_copied(kwargs))
        except ERRORS as error:
            return error
    return None


def told(fake: FakeTensorMode, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """What a pass on tensors without numbers raises; "numbers" where it asks for numbers."""
    run = shadow(function, fake) if isinstance(function, nn.Module) else function
    with fake, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given, named = _imagined(fake, args), _imagined(fake, kwargs)
        recorder = Recorder(Trace(nn.Identity(), ()), fake=fake)
        try:
            with recorder:
                run(*given, **named)
        except Exception as error:
            frame = TracedFrame(nn.Identity(), "", (), {}, None, False)
            call = recorder.failed[0] if recorder.failed else None
            failure = Failure(error, frame, call, recorder.trace)
            return "numbers" if looks_at_numbers(failure) else error
    return None


def plain(value: Any) -> Any:
    """The same shapes with other numbers: whole ones 0, others a half, all truths false."""
    if isinstance(value, Tensor):
        part = 0.5 if value.is_floating_point() or value.is_complex() else 0
        return torch.full_like(value, part)
    return _each(value, plain)


def _copied(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, Tensor) else _each(value, _copied)


def _imagined(fake: FakeTensorMode, value: Any) -> Any:
    if isinstance(value, Tensor):
        return fake.from_tensor(value.detach())
    return _each(value, lambda one: _imagined(fake, one))


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    if type(value) in (list, tuple):
        return type(value)(map(change, value))
    if type(value) is dict:
        return {key: change(one) for key, one in value.items()}
    return value
