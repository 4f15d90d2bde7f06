"""Fixes at convolutions and pooling: channels, dimensions, groups, windows that are too large."""

from collections.abc import Iterator
from math import isqrt

from torch import nn

from viewfinder.explain.calls import Call
from viewfinder.explain.diagnosis.case import from_a_map, path_as_code
from viewfinder.explain.edits import Around, InsertedCall
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes import functionals
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.layers import gives_other, resized
from viewfinder.explain.fixes.names import SPATIAL
from viewfinder.explain.fixes.scene import Scene

_OVER_TIME = (nn.RNNBase, nn.MultiheadAttention, nn.Conv1d, nn.Conv3d)


def candidates(scene: Scene) -> Iterator[Candidate]:
    """By the kind of layer that failed."""
    layer = scene.layer
    if isinstance(layer, nn.modules.conv._ConvNd):
        if scene.given:
            yield from _convolution(scene, layer)
            yield from _output_padding(scene, layer)
    elif isinstance(layer, nn.PixelShuffle):
        yield from _shuffled(scene, layer)
    elif isinstance(layer, nn.PixelUnshuffle):
        yield from _unshuffled(scene, layer)
    if scene.call is not None and not scene.case.in_layer:
        yield from functionals.convolutions(scene, scene.call)
    if scene.call is not None and scene.call.base in ("interpolate", "upsample"):
        yield from functionals.resizing(scene, scene.call)
    if scene.call is not None and scene.call.base in ("fold", "col2im"):
        yield from functionals.folded(scene, scene.call)


def _convolution(scene: Scene, layer: nn.modules.conv._ConvNd) -> Iterator[Candidate]:
    shape = tuple(map(int, scene.given[0].shape))
    spatial = layer.weight.dim() - 2
    names = scene.given_names()
    yield from _dimensions(scene, layer, shape, spatial)
    if len(shape) != spatial + 2 or shape[1] == layer.in_channels:
        yield from _groups(scene, layer)
        return
    wanted, got = layer.in_channels, shape[1]
    from_input = isinstance(scene.case.producer(), int)
    kept = from_a_map(scene.case)
    if shape[-1] == wanted and got != wanted and not kept and not (from_input and spatial > 1):
        last = ops.transpose(1, 2) if spatial == 1 else ops.channels_first(len(shape))
        yield scene.before(last, 0.0)
    if spatial > 1 and shape[2] == wanted and got != wanted and shape[-1] != wanted and not kept:
        yield scene.before(ops.transpose(1, 2), 0.2)
    if from_input and (wanted, got) == (3, 1):
        yield scene.before(ops.expand(-1, 3, *([-1] * spatial)), 0.35)
    if from_input and (wanted, got) == (1, 3):
        yield scene.before(ops.mean(1, keep=True), 0.35)
    if from_input and got > wanted and (wanted, got) != (1, 3):
        yield scene.before(ops.first_of(wanted, 1), 0.4)
    if len(names) > 1 and names[1] not in SPATIAL and "batch" not in names[1]:
        groups = layer.groups
        if groups == layer.in_channels and layer.out_channels % got == 0:
            groups = got
        elif got % groups:
            groups = 1
        if layer.out_channels % groups == 0:
            yield from scene.replace(scene.path, 0.3, in_channels=got, groups=groups)
        yield from _branches(scene, layer, got)
        if layer.groups > 1:
            yield from scene.replace(scene.path, 0.5, in_channels=got, out_channels=got, groups=got)
    yield from gives_other(scene, wanted, got)
    yield from _through_norm(scene, wanted, got)


def _branches(scene: Scene, layer: nn.modules.conv._ConvNd, got: int) -> Iterator[Candidate]:
    """All convolutions of a block that were made for as many channels, as its branches are."""
    home = scene.path.rpartition(".")[0]
    while home and isinstance(scene.net.get_submodule(home), nn.Sequential):
        home = home.rpartition(".")[0]
    if not home or layer.groups > 1:
        return
    whole = scene.replace(scene.path, 0.25, in_channels=got)
    for name, one in scene.net.get_submodule(home).named_modules():
        path = f"{home}.{name}"
        alike = isinstance(one, nn.modules.conv._ConvNd) and one.in_channels == layer.in_channels
        if alike and path != scene.path and whole:
            whole = [whole[0].and_(two) for two in scene.replace(path, 0.0, in_channels=got)]
    if whole and len(whole[0].edits) > 1:
        yield from whole


def _through_norm(scene: Scene, wanted: int, got: int) -> Iterator[Candidate]:
    """The convolution and the norm before both give what this layer was made for."""
    found = scene.case.back(scene.case.producer())
    norm = scene.case.producer()
    while isinstance(norm, Call) and norm.base not in ("batch_norm",) and norm.producers:
        norm = norm.producers[0]
        if norm is found:
            return
    if not isinstance(found, Call) or not isinstance(norm, Call):
        return
    if not found.module or not norm.module:
        return
    before = scene.net.get_submodule(found.module)
    if isinstance(before, nn.modules.conv._ConvNd) and before.out_channels == got:
        for one in scene.replace(found.module, 0.5, out_channels=wanted):
            for two in scene.replace(norm.module, 0.5, num_features=wanted):
                yield one.and_(two)


def _dimensions(
    scene: Scene, layer: nn.modules.conv._ConvNd, shape: Shape, spatial: int
) -> Iterator[Candidate]:
    """A dimension too few or too many for this convolution."""
    wanted, batched = layer.in_channels, bool(scene.lab.inputs.batch)
    rank = len(shape)
    if rank == spatial + 2:
        return
    if batched and rank == 2 and shape[1] == wanted:
        yield scene.before(ops.new_axes(2, spatial), 0.0)
    if batched and rank == spatial + 1 and wanted == 1:
        yield scene.before(ops.unsqueeze(1), 0.0)
    if batched and rank == 3 and spatial == 2 and shape[-1] == wanted:
        turned = ops.then(ops.transpose(1, 2), ops.unsqueeze(-1))
        yield scene.before(turned, 0.7)
    if batched and rank == 3 and spatial == 2 and shape[1] == wanted:
        yield scene.before(ops.unsqueeze(-1), 0.6)
    if batched and rank == 2 and shape[1] % wanted == 0:
        side = isqrt(shape[1] // wanted)
        if spatial == 2 and side * side * wanted == shape[1]:
            yield scene.before(ops.reshape(wanted, side, side), 0.1)
        if spatial == 1:
            sizes = (wanted, shape[1] // wanted)
            yield scene.before(ops.reshape(*sizes), 0.2)
    if batched and rank > spatial + 2:
        for dim in range(1, rank):
            if shape[dim] == 1:
                yield scene.before(ops.squeeze(dim), 0.2)
        if rank == spatial + 3 and shape[1] == wanted != shape[2]:
            yield scene.before(ops.flatten(spatial + 1), 0.4)
    if batched and rank == spatial + 3 and shape[2] == wanted:
        yield from _frames(scene, shape[1])
    if rank in (spatial, spatial + 1):
        yield scene.before(ops.unsqueeze(0), 0.5)
        if rank == spatial:
            both = InsertedCall("{}[None, None]", lambda x: x[None, None])
            yield scene.before(both, 0.4)
        if batched and rank == spatial + 1 and wanted != 1:
            for one in scene.replace(scene.path, 0.6, in_channels=1):
                yield scene.before(ops.unsqueeze(1), 0.5).and_(one)


def _frames(scene: Scene, steps: int) -> Iterator[Candidate]:
    """Clips into layers for pictures: every frame by itself, and back into its clip."""
    parts = scene.path.split(".")
    for depth in range(len(parts), -1, -1):
        path = ".".join(parts[:depth])
        above = scene.parent(path) if path else None
        if depth and isinstance(above, nn.Sequential):
            continue
        if any(isinstance(one, _OVER_TIME) for one in scene.net.get_submodule(path).modules()):
            # What reads the frames of a clip is not to be given one at a time.
            continue
        back = InsertedCall(
            f"{{}}.unflatten(0, (-1, {steps}))", lambda x: x.unflatten(0, (-1, steps))
        )
        edits = (Around(path, ops.flatten(0, 1), "before"), Around(path, back, "after"))
        name = path_as_code(path) or "net"
        says = f"{name}(x.flatten(0, 1)).unflatten(0, (-1, {steps})): each frame by itself"
        yield Candidate(edits, says, 0.4 - depth / 20)


def _output_padding(scene: Scene, layer: nn.modules.conv._ConvNd) -> Iterator[Candidate]:
    """Rows added to an enlarged map must be fewer than its stride, or its dilation."""
    added = layer.output_padding
    most = [max(s, d) - 1 for s, d in zip(layer.stride, layer.dilation, strict=True)]
    if not any(a > m for a, m in zip(added, most, strict=True)):
        return
    fitted = tuple(min(a, m) for a, m in zip(added, most, strict=True))
    yield from scene.replace(scene.path, 0.1, output_padding=fitted)
    yield from scene.replace(scene.path, 0.2, stride=max(added) + 1)


def _groups(scene: Scene, layer: nn.modules.conv._ConvNd) -> Iterator[Candidate]:
    got, out = layer.in_channels, layer.out_channels
    if got % layer.groups == 0 and out % layer.groups == 0:
        return
    groups = max(g for g in range(1, layer.groups + 1) if got % g == 0 and out % g == 0)
    yield from scene.replace(scene.path, 0.2, groups=groups)


def _shuffled(scene: Scene, layer: nn.PixelShuffle) -> Iterator[Candidate]:
    """Channels that r² does not divide: the convolution before must give r² times as many."""
    channels, factor = int(scene.given[0].shape[-3]), layer.upscale_factor
    producer = scene.case.back(scene.case.producer())
    if isinstance(producer, Call) and producer.module:
        before = scene.net.get_submodule(producer.module)
        if isinstance(before, nn.modules.conv._ConvNd):
            near = _near(channels, factor**2, before, _colours(scene))
            for at, out in enumerate(dict.fromkeys(near)):
                yield from scene.replace(producer.module, 0.2 + at / 10, out_channels=out)
    for other in range(2, 9):
        if channels % other**2 == 0:
            yield from scene.replace(scene.path, 0.5, upscale_factor=other)


def _colours(scene: Scene) -> int:
    """The channels of the pictures, which come out again as many."""
    inputs = scene.case.failure.trace.inputs
    return int(inputs[0].shape[1]) if inputs and inputs[0].dim() == 4 else 0


def _near(channels: int, square: int, before: nn.modules.conv._ConvNd, colours: int) -> list[int]:
    up = -(-channels // square) * square
    if colours in (1, 3) and any(colours * n * n == channels for n in range(2, 9)):
        # Made for pictures of these colours, and another factor.
        return [colours * square, up]
    return [before.in_channels * square if before.in_channels <= 4 else up, up]


def _unshuffled(scene: Scene, layer: nn.PixelUnshuffle) -> Iterator[Candidate]:
    height, width = map(int, scene.given[0].shape[-2:])
    for factor in range(layer.downscale_factor, 1, -1):
        if height % factor == 0 and width % factor == 0:
            yield from scene.replace(scene.path, 0.5, downscale_factor=factor)
    for other in (2, 4):
        if height % other == 0 and width % other == 0:
            yield from scene.replace(scene.path, 0.6, downscale_factor=other)
    factor = layer.downscale_factor
    inputs = scene.case.failure.trace.inputs
    if inputs and inputs[0].dim() == 4:
        sizes = [-(-int(n) // factor) * factor for n in inputs[0].shape[-2:]]
        yield resized(sizes[0], sizes[1], 0.2)
