"""Every argument of the layer that failed, and of the layers before it, with other values."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from viewfinder.explain.calls import Call
from viewfinder.explain.diagnosis.case import PASSING
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.general import origins
from viewfinder.explain.fixes.lab import LEFT_OUT
from viewfinder.explain.fixes.layouts import LAST
from viewfinder.explain.fixes.modules import made, settings
from viewfinder.explain.fixes.scene import Scene

_TAKEN = {
    "in_features", "in_channels", "input_size", "num_features", "num_channels", "embed_dim",
    "normalized_shape", "num_parameters", "in1_features", "in2_features", "d_model", "kdim", "vdim",
}  # fmt: skip
_GIVEN = {"out_features", "out_channels", "hidden_size", "embedding_dim", "unflattened_size"}
_WINDOWS = {
    "kernel_size", "stride", "padding", "output_padding", "dilation", "scale_factor", "size",
    "output_size", "upscale_factor", "downscale_factor",
}  # fmt: skip
_DIMS = {"dim", "start_dim", "end_dim"}
_FLAGS = {"batch_first", "bidirectional"}
_COUNTS = {"groups", "num_layers", "num_heads", "num_groups"}
# Operations between layers that hand the channels on.
_ON = PASSING | {
    "dropout", "dropout2d", "feature_dropout", "max_pool1d", "max_pool2d", "max_pool3d", "pad",
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool2d", "interpolate", "layer_norm",
    "instance_norm", "add", "mul",
}  # fmt: skip
_NEAR = 8


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At the layer that failed first, then at the layers before it, the nearest first."""
    yield from _tables(scene)
    if origins.in_module(scene) and scene.path:
        layer = scene.case.module
        yield from _arguments(scene, scene.path, layer, None, LAST)
        yield from _other_rank(scene, scene.path, layer)
        yield from _left_out(scene, scene.path, layer)
    for at, (path, layer, call) in enumerate(origins.layers_before(scene)):
        if at >= _NEAR:
            break
        yield from _arguments(scene, path, layer, call, LAST + 0.1 + at / 20)


def _tables(scene: Scene) -> Iterator[Candidate]:
    """Parameters and buffers of the net's own that meet others, in another size."""
    owned = dict(scene.net.named_parameters()) | dict(scene.net.named_buffers())
    names = {id(tensor): name for name, tensor in owned.items()}
    near = [call for call, _ in zip(origins.written_calls(scene), range(_NEAR), strict=False)]
    failed = [] if scene.case.in_layer or scene.call is None else [scene.call]
    tables = {id(one): one for call in (*failed, *near) for one in call.tensors if id(one) in names}
    for key, table in tables.items():
        shape = tuple(map(int, table.shape))
        for sizes in _met(scene, table, shape):
            yield scene.put(names[key], *_table(table, sizes), LAST + 0.1)
        for dim, old in enumerate(shape):
            for new, far in origins.values(old, origins.widths(scene), origins.pairs(scene)):
                sizes = (*shape[:dim], new, *shape[dim + 1 :])
                yield scene.put(names[key], *_table(table, sizes), LAST + 0.05 + far)


def _met(scene: Scene, table: Tensor, shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """A table as large as what it meets, in every dimension but those of 1."""
    for one in origins.operands(scene) if not origins.in_module(scene) else ():
        other = one.shape[len(one.shape) - len(shape) :]
        if not one.constant and len(other) == len(shape) <= len(one.shape):
            sizes = tuple(1 if old == 1 else new for old, new in zip(shape, other, strict=True))
            if sizes != shape and not any("batch" in name for name in one.names[-len(shape) :]):
                yield sizes


def _table(table: Tensor, sizes: tuple[int, ...]) -> tuple[str, Callable[[], Tensor]]:
    """Code for a table of zeros, and what it makes."""
    code = f"torch.zeros({', '.join(map(str, sizes))})"
    if isinstance(table, nn.Parameter):
        return f"nn.Parameter({code})", lambda: nn.Parameter(torch.zeros(*sizes))
    return code, partial(torch.zeros, *sizes)


def _arguments(
    scene: Scene, path: str, layer: nn.Module, call: Call | None, cost: float
) -> Iterator[Candidate]:
    """Each argument of one layer; `call` is that of a layer before the failure."""
    met = origins.pairs(scene)
    for name, value in (settings(layer) or {}).items():
        if type(value) is bool:
            if name in _FLAGS:
                yield from scene.replace(path, cost + 0.2, **{name: not value})
        elif name in _WINDOWS:
            for new, extra in _windows(name, value, scene, here=call is None):
                rare = 0.05 if name == "dilation" else 0.0
                yield from scene.replace(path, cost + extra + rare, **{name: new})
        elif type(value) is not int:
            continue
        elif name in _DIMS:
            for dim in (1, 2, -1, -2):
                if dim != value:
                    yield from scene.replace(path, cost + 0.1, **{name: dim})
        elif name in (_TAKEN if call is None else _GIVEN) | _COUNTS:
            extra = 0.4 if name in _COUNTS else 0.0
            for size, far in origins.values(value, origins.widths(scene), met):
                yield from _sized(scene, path, call, name, value, size, cost + far + extra)


def _sized(
    scene: Scene, path: str, call: Call | None, name: str, old: int, new: int, cost: float
) -> Iterator[Candidate]:
    """One size of a layer, with the norms behind it that were made for the old one."""
    changes: dict[str, object] = {name: new}
    layer = scene.net.get_submodule(path)
    if isinstance(layer, nn.modules.conv._ConvNd) and layer.groups == old and name != "groups":
        changes["groups"] = new
    for one in scene.replace(path, cost, **changes):
        for norm in _norms(scene, call, old) if call is not None and name in _GIVEN else ():
            sized = settings(scene.net.get_submodule(norm)) or {}
            kind = next(key for key in _TAKEN if sized.get(key) in (old, (old,)))
            for two in scene.replace(norm, 0.0, **{kind: new}):
                one = one.and_(two)
        yield one


def _norms(scene: Scene, call: Call, width: int) -> list[str]:
    """The norms through which the maps of a call go before another layer takes them."""
    reached, found = {call.index}, []
    for later in scene.case.failure.trace.calls:
        through = any(isinstance(p, Call) and p.index in reached for p in later.producers)
        if not through or later.index in reached or later.base not in _ON:
            continue
        reached.add(later.index)
        if later.module and later.base.endswith("_norm"):
            sized = settings(scene.net.get_submodule(later.module)) or {}
            if any(sized.get(key) in (width, (width,)) for key in _TAKEN):
                found.append(later.module)
    return list(dict.fromkeys(found))


def _windows(
    name: str, value: object, scene: Scene, *, here: bool
) -> Iterator[tuple[object, float]]:
    """Other windows, strides and paddings: the usual ones, and those that sizes in play give."""
    parts = value if isinstance(value, tuple | list) else (value,)
    if not all(type(part) is int for part in parts):
        if not isinstance(value, float):
            return
        parts = (int(value),) if value == int(value) else ()
    sizes, met = origins.every_size(scene), origins.pairs(scene)
    usual = {"padding": (0, 1, 2, 3), "output_padding": (0, 1), "stride": (1, 2, 4)}
    # A window of 1 is none; at the layer that failed it may be all that is left.
    common = usual.get(name, (1, 2, 3, 4) if here else (2, 3, 4))
    if name in ("output_size", "size"):
        # Most likely that of the pictures.
        for picture in scene.case.failure.trace.inputs:
            sides = tuple(map(int, picture.shape[2:]))
            if len(parts) in (1, len(sides)) and sides and sides != tuple(parts):
                yield sides if len(parts) > 1 else sides[0], 0.0
    for at, part in enumerate(parts):
        for new, far in (*origins.values(part, sizes, met), *((n, 0.2) for n in common)):
            far_off = new > 1024 or (name == "padding" and new > 4)
            if new == part or far_off or (name == "kernel_size" and new == 1 and not here):
                continue
            one = (*parts[:at], new, *parts[at + 1 :])
            if len(parts) == 1 or at == 0:
                yield (new if len(parts) == 1 else (new,) * len(parts)), 0.25 + far
            if len(parts) > 1:
                yield one, 0.3 + far


def _other_rank(scene: Scene, path: str, layer: nn.Module) -> Iterator[Candidate]:
    """The same layer for sequences, maps or volumes: nn.MaxPool1d for nn.MaxPool2d."""
    name, given = type(layer).__name__, settings(layer)
    rank = scene.given[0].dim() - (2 if scene.lab.inputs.batch else 1) if scene.given else 0
    other = f"{name[:-2]}{rank}d"
    if name[-1] != "d" or not 1 <= rank <= 3 or other == name or not hasattr(nn, other):
        return
    short = {key: _one(value) for key, value in (given or {}).items()}
    kept = {k: v for k, v in short.items() if v is not None and k in _TAKEN | _GIVEN | _WINDOWS}
    yield scene.put(path, *made(other, **kept), LAST + 0.2)


def _one(value: object) -> object:
    """One number where all of a tuple are alike, None where they are not."""
    if isinstance(value, tuple | list):
        return value[0] if len(set(value)) == 1 else None
    return value


def _left_out(scene: Scene, path: str, layer: nn.Module) -> Iterator[Candidate]:
    """Without a layer that has no weights, or that only evens numbers out."""
    weights: Sequence[nn.Parameter] = list(layer.parameters())
    if not weights or all(one.dim() == 1 for one in weights):
        yield scene.put(path, LEFT_OUT, nn.Identity, LAST + 0.9)
