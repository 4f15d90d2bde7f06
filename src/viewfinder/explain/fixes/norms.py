"""Fixes at norms: other channels, another rank, dimensions in another order."""

from collections.abc import Iterator
from math import prod

from torch import nn

from viewfinder.explain.edits import Around, InsertedCall
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.layers import are_features, gives_other, patches
from viewfinder.explain.fixes.modules import made
from viewfinder.explain.fixes.names import SPATIAL
from viewfinder.explain.fixes.scene import Scene


def candidates(scene: Scene) -> Iterator[Candidate]:
    """By the kind of norm that failed."""
    layer = scene.layer
    if isinstance(layer, nn.modules.batchnorm._NormBase):
        yield from _norm(scene, layer)
    elif isinstance(layer, nn.LayerNorm | nn.RMSNorm):
        yield from _layer_norm(scene, layer)
    elif isinstance(layer, nn.GroupNorm):
        yield from _group_norm(scene, layer)


def _norm(scene: Scene, layer: nn.modules.batchnorm._NormBase) -> Iterator[Candidate]:
    if not scene.given:
        return
    shape = tuple(map(int, scene.given[0].shape))
    names = scene.given_names()
    family = "BatchNorm" if "BatchNorm" in type(layer).__name__ else "InstanceNorm"
    count, lead = layer.num_features, 1 if scene.lab.inputs.batch else 0
    rank = len(shape) - lead - 1
    if rank in (0, 1, 2, 3) and shape[lead] == count:
        name = f"{family}{max(rank, 1)}d"
        if name != type(layer).__name__:
            yield scene.put(scene.path, *made(name, count), 0.1)
    if len(shape) == 3 and shape[-1] == count and lead:
        yield _turned_around(scene, ops.transpose(1, 2), ops.transpose(1, 2), 0.1)
    if len(shape) == 4 and shape[-1] == count and lead:
        yield _turned_around(scene, ops.permute(0, 3, 1, 2), ops.permute(0, 2, 3, 1), 0.1)
    if lead and len(shape) > 2 and prod(shape[1:]) == count:
        yield scene.before(ops.flatten(1), 0.2)
    if len(shape) > lead and _own_channels(scene, names, lead) and shape[lead] != count:
        yield from scene.replace(scene.path, 0.3, num_features=shape[lead])
    if rank == 0 and family == "BatchNorm":
        yield scene.put(scene.path, *made("BatchNorm1d", shape[lead]), 0.4)
    yield from gives_other(scene, count, shape[lead] if len(shape) > lead else 0)


def _own_channels(scene: Scene, names: tuple[str, ...], lead: int) -> bool:
    return len(names) > lead and names[lead] not in SPATIAL and "batch" not in names[lead]


def _turned_around(
    scene: Scene, before: InsertedCall, after: InsertedCall, cost: float
) -> Candidate:
    """The dimensions in a layer's own order before it, and back behind it."""
    name, path = scene.case.name, scene.path
    code = f"{name}({before.code.format('x')})"
    edits = (Around(path, before, "before"), Around(path, after, "after"))
    return Candidate(edits, f"x = {after.code.format(code)}", cost)


def _layer_norm(scene: Scene, layer: nn.LayerNorm | nn.RMSNorm) -> Iterator[Candidate]:
    if not scene.given:
        return
    shape, names = tuple(map(int, scene.given[0].shape)), scene.given_names()
    wanted = tuple(layer.normalized_shape)
    if len(wanted) == 1 and len(shape) == 4 and shape[1] == wanted[0]:
        yield _turned_around(scene, ops.permute(0, 2, 3, 1), ops.permute(0, 3, 1, 2), 0.0)
        yield scene.put(scene.path, *made("GroupNorm", 1, wanted[0]), 0.2)
    if len(wanted) == 1 and len(shape) == 3 and shape[1] == wanted[0]:
        yield from patches(scene)
        yield _turned_around(scene, ops.transpose(1, 2), ops.transpose(1, 2), 0.0)
    if len(wanted) == 1 and prod(shape[1:]) == wanted[0]:
        yield scene.before(ops.flatten(1), 0.2)
    if are_features(names, shape) or len(wanted) > 1:
        size = shape[-len(wanted) :]
        fitted = size[0] if len(size) == 1 else list(size)
        code, make = made(type(layer).__name__, fitted)
        yield scene.put(scene.path, code, make, 0.3)


def _group_norm(scene: Scene, layer: nn.GroupNorm) -> Iterator[Candidate]:
    if not scene.given or scene.given[0].dim() < 2:
        return
    shape = tuple(map(int, scene.given[0].shape))
    if shape[1] != layer.num_channels and shape[-1] == layer.num_channels and len(shape) > 2:
        order = (0, len(shape) - 1, *range(1, len(shape) - 1))
        back = (0, *range(2, len(shape)), 1)
        yield _turned_around(scene, ops.permute(*order), ops.permute(*back), 0.1)
    channels = shape[1]
    groups = max(n for n in range(1, min(layer.num_groups, channels) + 1) if channels % n == 0)
    yield from scene.replace(scene.path, 0.3, num_groups=groups, num_channels=channels)
