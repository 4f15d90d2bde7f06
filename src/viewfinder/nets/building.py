"""Making a net whose weights come from elsewhere, or of which shapes alone are asked.

As a stranger's file says it is made in no more memory than the weights beside it fill.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn
from torch.overrides import TorchFunctionMode

from viewfinder.errors import InputError

# What a net may hold beside its weights, such as the counters of its normalisations.
_SLACK = 1 << 20


@contextmanager
def shapes_alone() -> Iterator[None]:
    """Nets made within have shapes and no numbers: they lie on torch's meta device."""
    with torch.device("meta"), _Undrawn():
        yield


@contextmanager
def undrawn() -> Iterator[None]:
    """Nets made within have weights that mean nothing, until others are loaded."""
    with _Undrawn():
        yield


def numbers_in(weights: Path) -> int:
    """How many numbers a `.safetensors` file holds, by its header alone."""
    with safe_open(weights, framework="pt") as file:
        shapes = [file.get_slice(name).get_shape() for name in file.keys()]  # noqa: SIM118
    return sum(map(math.prod, shapes))


def build(make: Callable[[], nn.Module], *, numbers: int) -> nn.Module:
    """What `make` makes, if it has no more parameters than there are numbers to fill them.

    Its weights mean nothing, until others are loaded.

    Raises:
        InputError: it has more, and their memory is not taken; or no net can be made so.
    """
    try:
        with _Counted(numbers + _SLACK), _Undrawn():
            return make()
    except InputError:
        raise
    except Exception as error:  # Options of strangers may break a net's making in any way.
        why = " ".join(str(error).split())
        raise InputError(f"no net can be made with these options ({why:.100})") from error


class _Undrawn(TorchFunctionMode):
    """Leaves out the drawing of weights: half of what making a net takes; and on the meta device
    it imports torch's compiler, which takes seconds."""

    _DRAWS = frozenset(
        (nn.init.normal_, nn.init.uniform_, nn.init.kaiming_uniform_, nn.init.constant_)
    )

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        if func in self._DRAWS:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


class _Counted(TorchFunctionMode):
    """Counts what parameters are made of: each begins as an empty tensor."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        if func is torch.empty and args:
            sizes: Sequence[object] = args[0] if isinstance(args[0], (tuple, list)) else args
            self.left -= math.prod(side for side in sizes if isinstance(side, int))
            if self.left < 0:
                raise InputError("the net would be larger than its weights")
        return func(*args, **(kwargs or {}))
