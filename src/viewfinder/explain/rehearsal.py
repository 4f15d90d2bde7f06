"""A call made for real, in miniature, since shapes alone let pass some that torch refuses.

The functions of torch that work out shapes do not look at everything that the real ones look at, at
types least of all. So each kind of call is made once, on small tensors of the same types, and what
torch says of it is kept.
"""

import re
import warnings
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import is_dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from viewfinder.explain.calls import shape_of, tensors_in
from viewfinder.explain.explanation import Shape
from viewfinder.explain.passed import Args

# Numbers in all tensors of a call, up to which it is made at its own sizes.
_SMALL = 1 << 15
# And up to which any rehearsal goes: what comes out may have more than what goes in.
_LARGE = 1 << 18
# Sizes up to this stay in a miniature; of larger ones the smallest becomes 11, the next 13, …
_KEPT, _STANDINS = 8, (11, 13, 17, 19, 23, 29, 31, 37)
_NUMBERS = (int, float, bool, str, complex, type(None), type(...))
_PLAIN = (*_NUMBERS, torch.dtype, torch.device, torch.layout, torch.memory_format)
_ERRORS = (RuntimeError, IndexError, ValueError, TypeError, AssertionError)
# What torch says of types, or of dimensions, whatever the sizes: of a miniature this alone counts.
_SIZELESS = re.compile(
    "not implemented for|dtype|scalar type|not supported|must be of type|same type|"
    "[Bb]ool|[Ii]nteger|[Ff]loating|Long|[Cc]omplex|[Dd]imension out of range|reduction dim"
)
# Types that a processor may lack and a GPU has.
_NARROW = re.compile("'(Half|BFloat16)'")
_known: dict[Hashable, Exception | None] = {}


class Unrehearsed(Exception):
    """A call that cannot be made in miniature."""


class _Tensor(NamedTuple):
    shape: Shape
    dtype: torch.dtype


class _Plain(NamedTuple):
    kind: type
    value: object


class _Many(NamedTuple):
    kind: type
    names: tuple[str, ...]
    items: Args


def rehearse(
    function: Callable[..., object], args: object, kwargs: object, result: object
) -> Exception | None:
    """What torch says to a call on the CPU, whatever the numbers in its tensors.

    Args:
        result: what the call gave on tensors without numbers.

    Raises:
        Unrehearsed: it cannot be told: tensors are large and their sizes hang on numbers among
            the arguments, they lie on another device, or arguments may be anything.
    """
    given, made = tuple(tensors_in((args, kwargs))), tuple(tensors_in(result))
    if any(tensor.device.type not in ("cpu", "meta") for tensor in (*given, *made)):
        raise Unrehearsed
    for sizes, scalars in _scales(given, made):
        try:
            call = _described((args, kwargs), sizes, scalars)
            key = (function, call)
            if key not in _known:
                if len(_known) > 20_000:
                    _known.clear()
                _known[key] = _said(function, call, miniature=bool(sizes))
        except (Unrehearsed, TypeError):
            # A TypeError tells of an argument that cannot be compared with those of other calls.
            continue
        return _known[key]
    raise Unrehearsed


def _scales(
    given: Sequence[Tensor], made: Sequence[Tensor]
) -> Iterator[tuple[dict[int, int], bool]]:
    """Which sizes stand for which, and whether for numbers among the arguments too."""
    if sum(map(Tensor.numel, given)) <= _SMALL and sum(map(Tensor.numel, made)) <= _LARGE:
        yield {}, False
        return
    shapes = [shape_of(tensor) for tensor in given]
    every = {size for shape in shapes for size in shape}
    channels = {shape[min(1, len(shape) - 1)] for shape in shapes if shape}
    for kept in (set(), channels):
        large = sorted(size for size in every - kept if size > _KEPT)
        if large and len(large) <= len(_STANDINS):
            sizes = dict(zip(large, _STANDINS, strict=False))
            yield sizes, True
            yield sizes, False


def _described(value: object, sizes: dict[int, int], scalars: bool) -> object:
    """Arguments as what can be compared and built anew."""
    if isinstance(value, Tensor):
        if value.layout is not torch.strided or value.is_quantized:
            raise Unrehearsed
        return _Tensor(tuple(sizes.get(size, size) for size in shape_of(value)), value.dtype)
    if isinstance(value, dict):
        items = tuple(_described(one, sizes, scalars) for one in value.values())
        return _Many(dict, tuple(value), items)
    if isinstance(value, slice):
        parts = (value.start, value.stop, value.step)
        return _Many(slice, (), tuple(_described(one, sizes, False) for one in parts))
    if isinstance(value, list | tuple) and type(value) in (list, tuple, torch.Size):
        kind = list if type(value) is list else tuple
        return _Many(kind, (), tuple(_described(one, sizes, scalars) for one in value))
    options = is_dataclass(value) and type(value).__module__.startswith("torch.")
    if not isinstance(value, _PLAIN) and not options:
        raise Unrehearsed
    return _Plain(type(value), sizes.get(value, value) if scalars and type(value) is int else value)


def _built(call: object, fill: float, device: str) -> object:
    if isinstance(call, _Tensor):
        number = fill if call.dtype.is_floating_point or call.dtype.is_complex else int(fill)
        return torch.full(call.shape, number, dtype=call.dtype, device=device)
    if isinstance(call, _Plain):
        return call.value
    assert isinstance(call, _Many)
    items = [_built(one, fill, device) for one in call.items]
    if call.kind is dict:
        return dict(zip(call.names, items, strict=True))
    return slice(*items) if call.kind is slice else call.kind(items)


def _rebuilt(call: object, fill: float, device: str) -> tuple[Args, dict[str, object]]:
    """The arguments of a call, by place and by name."""
    assert isinstance(call, _Many)
    args, kwargs = (_built(one, fill, device) for one in call.items)
    assert isinstance(args, tuple)
    assert isinstance(kwargs, dict)
    return args, kwargs


def _said(function: Callable[..., object], call: object, *, miniature: bool) -> Exception | None:
    with (
        _disable_current_modes(),
        torch._C.DisableTorchFunction(),
        torch.no_grad(),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        if miniature:
            _fits(function, call)
        said: Exception | None = None
        # Twice, with other numbers: what is refused for its numbers is none of ours.
        for fill in (0.5, 1.0):
            args, kwargs = _rebuilt(call, fill, "cpu")
            try:
                function(*args, **kwargs)
            except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
                return None
            except _ERRORS as error:
                said = said or error.with_traceback(None)
            else:
                return None
    words = str(said)
    counts = not _NARROW.search(words) and (not miniature or _SIZELESS.search(words))
    return said if counts else None


def _fits(function: Callable[..., object], call: object) -> None:
    """Whether a miniature keeps to the shapes that the call asks for."""
    args, kwargs = _rebuilt(call, 0.5, "meta")
    try:
        made = function(*args, **kwargs)
    except Exception as error:
        raise Unrehearsed from error
    if sum(tensor.numel() for tensor in (*tensors_in((args, kwargs, made)),)) > _LARGE:
        raise Unrehearsed
