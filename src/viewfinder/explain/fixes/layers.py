"""Fixes at layers with weights: features and channels that do not fit, norms of another rank."""

import re
from collections.abc import Iterator
from dataclasses import replace
from math import isqrt, prod

import torch
from torch import Tensor, nn

from viewfinder.explain.calls import Call
from viewfinder.explain.diagnosis.case import PASSING, path_as_code
from viewfinder.explain.edits import Around, Replace
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.modules import made
from viewfinder.explain.fixes.names import SPATIAL
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.input_edits import Resized
from viewfinder.explain.sources import class_source

_PLACES = (("positions",), ("time",))
_POOLS = nn.modules.pooling
_OF_MAPS = (
    *(_POOLS._AdaptiveAvgPoolNd, _POOLS._AdaptiveMaxPoolNd, _POOLS._AvgPoolNd, _POOLS._MaxPoolNd),
    *(nn.BatchNorm2d, nn.Conv2d, nn.Upsample),
)
_FLATTENING = ("flatten", "view", "reshape")


def candidates(scene: Scene) -> Iterator[Candidate]:
    """By the kind of layer that failed."""
    layer = scene.layer
    if isinstance(layer, nn.Linear):
        yield from _linear(scene, layer)
    elif isinstance(layer, nn.PReLU):
        shape = scene.given[0].shape
        if len(shape) > 1:
            yield from scene.replace(scene.path, 0.3, num_parameters=int(shape[1]))
        yield from scene.replace(scene.path, 0.5, num_parameters=1)
    elif isinstance(layer, nn.Bilinear):
        for position, name in enumerate(("in1_features", "in2_features")):
            got = int(scene.given[position].shape[-1])
            if got != getattr(layer, name):
                yield from scene.replace(scene.path, 0.3, **{name: got})


def _linear(scene: Scene, layer: nn.Linear) -> Iterator[Candidate]:
    if scene.call is None or not scene.given:
        return
    shape = tuple(map(int, scene.given[0].shape))
    names = scene.given_names()
    wanted, got = layer.in_features, shape[-1] if shape else 1
    if got == wanted:
        return
    lead = 1 if scene.lab.inputs.batch else 0
    for start in range(lead, len(shape) - 1):
        if prod(shape[start:]) == wanted:
            yield scene.before(ops.flatten(start), 0.0 if start == lead else 0.6)
    yield from _below_each_other(scene, wanted)
    yield from _pooled(scene, shape, names, wanted)
    if len(shape) == 4 and shape[1] == wanted and _map_follows(scene):
        yield scene.put(scene.path, *made("Conv2d", wanted, layer.out_features, 1), -0.05)
    if len(shape) == 3 and shape[1] == wanted and lead:
        yield from patches(scene)
    for dim in range(lead, len(shape) - 1):
        if shape[dim] == wanted:
            order = (0, 2, 3, 1) if (len(shape), dim) == (4, 1) else None
            turned = ops.permute(*order) if order else ops.transpose(dim, -1)
            yield scene.before(turned, 0.8)
    if lead and len(shape) == 3 and shape[1] == wanted and names[1:2] in _PLACES:
        yield from _across(scene)
    if are_features(names, shape):
        for fitted in scene.replace(scene.path, 0.5, in_features=got):
            yield _as_product(scene, fitted, got)
        yield from _alike(scene, layer, got)
    yield from _flattened(scene, shape, layer)
    yield from gives_other(scene, wanted, got)
    yield from _sizes(scene, wanted)


def _as_product(scene: Scene, fitted: Candidate, got: int) -> Candidate:
    """`nn.Linear(48 * 22 * 22, 90)`, where the user's own line has a product too."""
    flat, (owner, _, name) = _flattening(scene), scene.path.rpartition(".")
    sides = flat.input_shapes[0][1:] if flat is not None else ()
    source = class_source(type(scene.net.get_submodule(owner)))  # type: ignore[arg-type]
    written = re.search(rf"self\.{re.escape(name)}\s*=\s*nn\.Linear\([^,()]*\*", source)
    edit = fitted.edits[0]
    if len(sides) < 2 or prod(sides) != got or not written or not isinstance(edit, Replace):
        return fitted
    old, new = f"nn.Linear({got},", f"nn.Linear({' * '.join(map(str, sides))},"
    edit = replace(edit, code=edit.code.replace(old, new, 1))
    return replace(fitted, edits=(edit,), says=fitted.says.replace(old, new, 1))


def _map_follows(scene: Scene) -> bool:
    """Whether the next layer but activations takes a map, as pooling does."""
    home, _, name = scene.path.rpartition(".")
    above = scene.net.get_submodule(home)
    if not isinstance(above, nn.Sequential) or not name.isdigit():
        return False
    for layer in list(above)[int(name) + 1 :]:
        if not isinstance(layer, nn.ReLU | nn.GELU | nn.Dropout | nn.LeakyReLU | nn.SiLU):
            return isinstance(layer, _OF_MAPS)
    return False


def _below_each_other(scene: Scene, wanted: int) -> Iterator[Candidate]:
    """Features joined along the batch, or along places, that belong beside each other."""
    joined = scene.case.producer()
    if not isinstance(joined, Call) or joined.base != "cat":
        return
    shapes, dim = joined.input_shapes, joined.argument("dim", 0)
    rank = len(shapes[0])
    alike = all(shape[:-1] == shapes[0][:-1] for shape in shapes)
    if not alike or dim % rank == rank - 1 or sum(shape[-1] for shape in shapes) != wanted:
        return
    last = 1 if rank == 2 else -1
    if len(shapes) <= 6:
        code = f"torch.cat([{', '.join(f'{{{at}}}' for at in range(len(shapes)))}], {last})"
        yield from scene.instead(joined, code, lambda t: torch.cat(list(t), last), 0.0)


def _across(scene: Scene) -> Iterator[Candidate]:
    """Layers that mix the steps, or the patches: turned before them, and back behind them."""
    path, turn = scene.path, ops.transpose(1, 2)
    while path.endswith(".0") and isinstance(scene.parent(path), nn.Sequential):
        path = path.rpartition(".")[0]
    name = path_as_code(path)
    edits = (Around(path, turn, "before"), Around(path, turn, "after"))
    says = f"{name}(x.transpose(1, 2)).transpose(1, 2): {name} mixes places"
    yield Candidate(edits, says, 0.4, only_here=True)


def _alike(scene: Scene, layer: nn.Linear, got: int) -> Iterator[Candidate]:
    """Several layers made for what this one was made for, as two heads are: all of them."""
    same = [
        path
        for path, one in scene.net.named_modules()
        if type(one) is nn.Linear and one.in_features == layer.in_features and path != scene.path
    ]
    whole = scene.replace(scene.path, 0.5, in_features=got)
    for path in same[:3] if whole else ():
        for one in scene.replace(path, 0.0, in_features=got):
            whole = [whole[0].and_(one)]
    if same:
        yield from whole


def are_features(names: tuple[str, ...], shape: Shape) -> bool:
    """The last dimension is no place and no batch, so that a layer may be made for it."""
    if not names or len(names) != len(shape):
        return False
    return names[-1] not in SPATIAL and "batch" not in names[-1]


def _pooled(scene: Scene, shape: Shape, names: tuple[str, ...], wanted: int) -> Iterator[Candidate]:
    """A classifier behind a map that nobody pooled."""
    if len(shape) == 4 and shape[1] == wanted:
        yield scene.before(ops.then(ops.pool_to(1, 2), ops.flatten(1)), 0.2)
    if len(shape) == 3 and shape[1] == wanted:
        yield scene.before(ops.mean(-1, keep=False), 1.2)
    flat = _flattening(scene)
    if flat is None:
        return
    before = flat.input_shapes[0]
    if len(before) == 4 and wanted % before[1] == 0 and len(shape) == 2:
        side = isqrt(wanted // before[1])
        # A map that is smaller would only be repeated.
        if side * side * before[1] == wanted and side <= min(before[2:]):
            yield from _pool_before(scene, flat, side)
        if side * side * before[1] == wanted:
            yield from _pooled_otherwise(scene, flat, side)


def _pool_before(scene: Scene, flat: Call, side: int) -> Iterator[Candidate]:
    pooled = ops.then(ops.pool_to(side, 2), ops.flatten(1))
    path = flat.module
    # What is left of a published net is pooled there, as in the whole net.
    cost = 0.1 if side == 1 and _is_published(scene, flat) else 1.0
    try:
        module = scene.net.get_submodule(path)
    except AttributeError:
        return
    if isinstance(module, nn.Flatten):
        yield scene.before(ops.pool_to(side, 2), cost, path)
    else:
        code = pooled.code.replace("{}", "{0}")
        yield from scene.instead(flat, code, lambda t: pooled.run(t[0]), cost)


def _pooled_otherwise(scene: Scene, flat: Call, side: int) -> Iterator[Candidate]:
    """Adaptive pooling, as right before the vector, to the side that the layer was made for."""
    pool = flat.producers[0] if flat.producers else None
    if not isinstance(pool, Call) or not pool.module:
        return
    layer = scene.net.get_submodule(pool.module)
    adaptive = isinstance(layer, _POOLS._AdaptiveAvgPoolNd | _POOLS._AdaptiveMaxPoolNd)
    # A map that is smaller would only be repeated.
    if adaptive and side <= min(pool.input_shapes[0][2:]):
        yield from scene.replace(pool.module, 0.55, output_size=side)


def _is_published(scene: Scene, flat: Call) -> bool:
    """Whether a map comes out of a part of one of torchvision's nets."""
    made = flat.producers[0] if flat.producers else None
    path = made.module if isinstance(made, Call) else ""
    while path:
        if type(scene.net.get_submodule(path)).__module__.startswith("torchvision."):
            return True
        path = path.rpartition(".")[0]
    return False


def _flattening(scene: Scene) -> Call | None:
    """The flatten or view that made the vector, behind activations and dropout."""
    producer = scene.case.back(scene.case.producer())
    return producer if isinstance(producer, Call) and producer.base in _FLATTENING else None


def _flattened(scene: Scene, shape: Shape, layer: nn.Linear) -> Iterator[Candidate]:
    """A map straight into a linear layer of another size: flatten it, and fit the layer."""
    if len(shape) != 4 or not scene.lab.inputs.batch:
        return
    total = prod(shape[1:])
    if total != layer.in_features:
        for fitted in scene.replace(scene.path, 0.5, in_features=total):
            yield scene.before(ops.flatten(1), 0.5).and_(fitted)


def gives_other(scene: Scene, wanted: int, got: int) -> Iterator[Candidate]:
    """The layer before gives what this one was made for."""
    producer = scene.case.producer()
    if scene.call is not None and scene.call.tensors:
        producer = scene.call.producers[0]
    while isinstance(producer, Call) and producer.base in PASSING - {"batch_norm", "group_norm"}:
        producer = producer.producers[0] if producer.producers else None
    if not isinstance(producer, Call) or not producer.module:
        return
    module = scene.net.get_submodule(producer.module)
    if isinstance(module, nn.Linear) and module.out_features == got:
        yield from scene.replace(producer.module, 0.9, out_features=wanted)
    elif isinstance(module, nn.modules.conv._ConvNd) and module.out_channels == got:
        yield from scene.replace(producer.module, 0.9, out_channels=wanted)


def _sizes(scene: Scene, wanted: int) -> Iterator[Candidate]:
    """Pictures of the size at which the map comes out as the layer wants it."""
    flat = _flattening(scene)
    inputs = scene.case.failure.trace.inputs
    if flat is None or not inputs or inputs[0].dim() != 4 or not scene.lab.inputs.batch:
        return
    source = flat.input_shapes[0]
    if len(source) != 4 or wanted % source[1]:
        return
    side = isqrt(wanted // source[1])
    if side * side * source[1] != wanted:
        return
    step = max(1, round(int(inputs[0].shape[-2]) / max(source[2], 1)))
    middle = side * step
    near = range(max(1, middle - 2 * step), middle + 3 * step)
    # Round numbers first, since several sizes may lead to the same map.
    order = sorted(near, key=lambda n: (-(n & -n) if n % 8 == 0 else 0, abs(n - middle)))
    for at, size in enumerate(order[:12]):
        yield resized(size, size, 1.9 + at / 1000)


def resized(height: int, width: int, cost: float) -> Candidate:
    """Pictures of another size."""

    def resize(position: int, value: Tensor) -> Tensor:
        if value.dim() != 4:
            return value
        return value.new_empty((*value.shape[:2], height, width))

    words = f"pictures of {height}×{width}"
    return Candidate((Resized(words, resize),), words, cost, only_here=True)


def patches(scene: Scene) -> Iterator[Candidate]:
    """A map flattened to channels × places, where what follows wants places × channels."""
    flat = scene.case.producer()
    if isinstance(flat, Call) and flat.base == "flatten" and len(flat.input_shapes[0]) == 4:
        turned = ops.then(ops.flatten(2), ops.transpose(1, 2))
        code = turned.code.replace("{}", "{0}")
        yield from scene.instead(flat, code, lambda t: turned.run(t[0]), -0.05)
