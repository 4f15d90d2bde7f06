"""A copy of a module that costs no memory, so that the user's own module is never touched.

Every parameter, buffer and tensor attribute of the copy is a fake tensor: it has a shape, a type
and a device, and no numbers. Hooks, training flags and counters are the copy's own.
"""

import copy
import gc
import logging
import random
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter
from torch.utils._mode_utils import no_dispatch

from viewfinder.errors import InputError

# Values that no copy can tell from themselves.
_PLAIN = frozenset((bool, int, float, str, type(None)))


def shadow(module: nn.Module, fake: FakeTensorMode | None) -> nn.Module:
    """A copy of `module` over fake tensors, or over copies of its own where `fake` is None.

    Raises:
        InputError: the module is compiled to TorchScript, whose Python is gone.
    """
    root = getattr(module, "_orig_mod", module)
    modules: list[nn.Module] = list(root.modules())
    for child in modules:
        if isinstance(child, torch.jit.ScriptModule):
            raise InputError(
                f"{type(root).__name__} holds TorchScript, which hides the Python that is to be "
                "explained: give the module it was scripted from"
            )
    memo: dict[int, Any] = {id(child): _blank(child) for child in modules}
    for child in modules:
        for tensor in (*child._parameters.values(), *child._buffers.values()):
            if tensor is not None and id(tensor) not in memo:
                memo[id(tensor)] = _copy_tensor(tensor, fake)
    with _tensors_copied(fake):
        for child in modules:
            _fill(memo[id(child)], child, memo)
            _let_grow(memo[id(child)])
            if fake:
                vars(memo[id(child)])["_apply"] = partial(_converted, memo[id(child)])
    return memo[id(root)]  # type: ignore[no-any-return]


def _blank(module: nn.Module) -> nn.Module:
    return type(module).__new__(type(module))


def _fill(blank: nn.Module, module: nn.Module, memo: dict[int, Any]) -> None:
    """Give `blank` its own copy of each attribute; what cannot be copied is shared."""
    for name, value in vars(module).items():
        if type(value) in _PLAIN or (type(value) in (dict, OrderedDict) and not value):
            blank.__dict__[name] = value if type(value) in _PLAIN else type(value)()
            continue
        try:
            blank.__dict__[name] = copy.deepcopy(value, memo)
        except Exception:
            blank.__dict__[name] = value


def _let_grow(module: nn.Module) -> None:
    """Lazy parameters take their size at the first pass: put the sized one in their place."""
    stores: tuple[dict[str, Any], ...] = (module._parameters, module._buffers)
    for store in stores:
        for name, tensor in store.items():
            if isinstance(tensor, UninitializedParameter | UninitializedBuffer):
                tensor.materialize = partial(_grow, store, name)  # type: ignore[method-assign]


def _grow(
    store: dict[str, Any], name: str, shape: Any, device: Any = None, dtype: Any = None
) -> None:
    blank, sized = store[name], torch.empty(shape, device=device, dtype=dtype)
    lasting = isinstance(blank, nn.Parameter)
    store[name] = nn.Parameter(sized, requires_grad=blank.requires_grad) if lasting else sized


def _copy_tensor(tensor: Tensor, fake: FakeTensorMode | None) -> Tensor:
    if isinstance(tensor, UninitializedParameter | UninitializedBuffer):
        blank: Tensor = type(tensor)(requires_grad=tensor.requires_grad)
        return blank
    twin = _imagined(tensor, fake) if fake else tensor.detach().clone()
    if isinstance(tensor, nn.Parameter):
        if type(twin) is FakeTensor:
            return _as_parameter(twin, tensor.requires_grad)
        return nn.Parameter(twin, requires_grad=tensor.requires_grad)
    return twin.requires_grad_(tensor.requires_grad) if tensor.is_floating_point() else twin


def _as_parameter(twin: Tensor, requires_grad: bool) -> Tensor:
    """What nn.Parameter makes of a fake tensor, without asking torch to detach it first."""
    twin._is_param = True
    return twin.requires_grad_(requires_grad)


def _converted(
    module: nn.Module, change: Callable[[Tensor], Tensor], recurse: bool = True
) -> object:
    """`module.to(…)` and its like; torch's own swaps tensors, which fake ones often refuse."""
    for child in module.children() if recurse else ():
        child._apply(change)  # type: ignore[no-untyped-call]
    stores: tuple[dict[str, Any], ...] = (module._parameters, module._buffers)
    for store in stores:
        for name, tensor in store.items():
            if tensor is None:
                continue
            with torch.no_grad():
                new = change(tensor)
            if new is not tensor and isinstance(tensor, nn.Parameter):
                new = _as_parameter(new, tensor.requires_grad)
            store[name] = new
    return module


def _imagined(tensor: Tensor, fake: FakeTensorMode) -> Tensor:
    if tensor.layout is not torch.strided or tensor.is_quantized:
        return fake.from_tensor(tensor.detach())
    # Many times faster than from_tensor, which also looks for views and symbolic sizes.
    with no_dispatch():
        blank = torch.empty_strided(
            tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta"
        )
    return FakeTensor(fake, blank, tensor.device)


class _tensors_copied(torch.overrides.TorchFunctionMode):
    """Within, `deepcopy` of a tensor attribute gives its twin instead of its numbers."""

    def __init__(self, fake: FakeTensorMode | None) -> None:
        super().__init__()
        self.fake = fake

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        if function in (Tensor.__deepcopy__, nn.Parameter.__deepcopy__):
            tensor, memo = args
            if id(tensor) not in memo:
                memo[id(tensor)] = _copy_tensor(tensor, self.fake)
            return memo[id(tensor)]
        return function(*args, **(kwargs or {}))


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put back afterwards what a forward pass may move outside the module: random states, logs."""
    python = random.getstate()
    try:
        with unlogged(), torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            yield
    finally:
        random.setstate(python)


@contextmanager
def masks_unread() -> Iterator[None]:
    """torch's transformers look at a mask's numbers, but only for a faster way to the same."""

    def is_causal(mask: object, is_causal: bool | None = None, size: int | None = None) -> bool:
        return is_causal is True

    home: Any = nn.modules.transformer
    own = home._detect_is_causal_mask
    home._detect_is_causal_mask = is_causal
    try:
        yield
    finally:
        home._detect_is_causal_mask = own


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for garbage meanwhile: a pass makes many small things, and nearly all are kept.

    Of a pass on shapes that search is a quarter of the time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def unlogged() -> Iterator[None]:
    """torch logs a page of traceback at each mistake, which is what is about to be explained."""
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
