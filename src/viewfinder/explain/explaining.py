"""One net, one pass, one explanation."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    UnsupportedFakeTensorException,
    UnsupportedOperatorException,
)

from viewfinder.errors import InputError
from viewfinder.explain.assembling import assemble, source_code, source_text
from viewfinder.explain.diagnosis import diagnose
from viewfinder.explain.diagnosis.rows import find_mixed, mixed_rows
from viewfinder.explain.explanation import Explanation
from viewfinder.explain.tracing import Failure, Sample, trace

_NEEDS_NUMBERS = (
    DataDependentOutputException,
    DynamicOutputShapeException,
    UnsupportedFakeTensorException,
    UnsupportedOperatorException,
)
_READING = {"item", "tolist", "numpy", "__bool__", "__int__", "__float__", "__array__", "__index__"}


def explain(
    module: nn.Module, *inputs_or_shapes: Any, name: str | None = None, real: bool = False
) -> Explanation:
    """The arithmetic of every layer of `module` for these inputs, or why they do not fit.

    The pass runs on tensors without numbers, over a copy of the module without weights: nothing
    is allocated, and the module is afterwards as it was. Training or evaluation is as it is set.

    Args:
        module: any net.
        inputs_or_shapes: one for each input: a tensor, or a shape with its batch, such as
            (1, 3, 224, 224); lists and dictionaries of them for nested inputs.
        name: what to call the net; its class if left out.
        real: run on random numbers and a copy of the weights, for a net that looks at values.

    Raises:
        InputError: the net looks at the numbers of its tensors, and `real` is not set.
    """
    arguments = tuple(_sample(value) for value in inputs_or_shapes)
    seen = trace(module, arguments, real=real)
    mistake = None
    if seen.failure is not None:
        if not real and _looks_at_numbers(seen.failure):
            raise InputError(_numbers_wanted(seen.failure))
        index = seen.failure.call.index if seen.failure.call else 0
        mistake = diagnose(seen.failure, _retry(module, arguments, index))
    else:
        mistake = mixed_rows(seen, _retry(module, arguments, 0))
    return assemble(seen, name or type(module).__name__, mistake)


def _sample(value: Any) -> Any:
    if isinstance(value, tuple | list) and value and all(type(size) is int for size in value):
        return Sample(tuple(value))
    if isinstance(value, list | tuple):
        return type(value)(_sample(item) for item in value)
    if isinstance(value, dict):
        return {key: _sample(item) for key, item in value.items()}
    return value


def _retry(module: nn.Module, arguments: tuple[Any, ...], index: int) -> Callable[[int, int], bool]:
    def gets_beyond(height: int, width: int) -> bool:
        resized = tuple(_resized(value, height, width) for value in arguments)
        seen = trace(module, resized)
        if seen.failure is None:
            return find_mixed(seen) is None
        return seen.failure.call is not None and seen.failure.call.index > index

    return gets_beyond


def _resized(value: Any, height: int, width: int) -> Any:
    if isinstance(value, Tensor):
        value = Sample(tuple(value.shape), value.dtype)
    if isinstance(value, Sample) and len(value.shape) == 4:
        return replace(value, shape=(*value.shape[:2], height, width))
    return value


def _looks_at_numbers(failure: Failure) -> bool:
    reads = failure.call is not None and failure.call.operation in _READING
    return reads or isinstance(failure.error, _NEEDS_NUMBERS)


def _numbers_wanted(failure: Failure) -> str:
    source = failure.call.source if failure.call else None
    line = f" at {source_text(source)} ({source_code(source)})" if source else ""
    return (
        f"{failure.frame.path or type(failure.frame.module).__name__} looks at the numbers in a "
        f"tensor{line}, and an explanation has shapes only: add real=True (--real) to run it "
        "once on random numbers"
    )
