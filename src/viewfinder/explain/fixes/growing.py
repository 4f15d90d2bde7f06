"""Layers of a list, each of which sees what all before it gave, made as wide as that comes to."""

from collections.abc import Iterator

from torch import nn

from viewfinder.explain.diagnosis.case import path_as_code
from viewfinder.explain.edits import Replace
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.modules import written
from viewfinder.explain.fixes.scene import Scene

_CONV = nn.modules.conv._ConvNd
_NORM = nn.modules.batchnorm._NormBase


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At a norm or a convolution within a list of blocks that are built alike."""
    layer, parts = scene.layer, scene.path.split(".")
    if not isinstance(layer, _CONV | _NORM) or not scene.given or scene.given[0].dim() < 3:
        return
    for depth, name in enumerate(parts):
        path = ".".join(parts[:depth])
        blocks = scene.net.get_submodule(path) if name.isdigit() else None
        if isinstance(blocks, nn.ModuleList) and depth + 1 <= len(parts):
            yield from _grown(scene, blocks, path, int(name), int(scene.given[0].shape[1]))


def _grown(
    scene: Scene, blocks: nn.ModuleList, path: str, at: int, got: int
) -> Iterator[Candidate]:
    own = [_first_layers(block) for block in list(blocks)[at:]]
    growth = _given(blocks[at])
    alike = len(own) > 1 and len({tuple(layers) for layers in own}) == 1
    if not alike or not growth or not own[0]:
        return
    edits, widths = [], []
    for number, layers in enumerate(own):
        width = got + number * growth
        widths.append(width)
        for name, layer in layers.items():
            key = "in_channels" if isinstance(layer, _CONV) else "num_features"
            built = written(layer, **{key: width})
            if getattr(layer, "groups", 1) > 1 or built is None:
                return
            where = ".".join(part for part in (path, str(at + number), name) if part)
            edits.append(Replace(where, *built))
    said = path_as_code(path) or "the list"
    first = f"{said}[i]" if not at else f"{said}[{at}:][i]"
    words = f"{first} made for {got} + i·{growth} channels ({', '.join(map(str, widths))})"
    yield Candidate(tuple(edits), f"{words}: each sees all that was joined before it", 0.1)


def _first_layers(block: nn.Module) -> dict[str, nn.Module]:
    """By name: what a block does to its input's channels, up to its first convolution."""
    found: dict[str, nn.Module] = {}
    for name, layer in block.named_modules():
        if isinstance(layer, _NORM | _CONV):
            found[name] = layer
            if isinstance(layer, _CONV):
                return found
    return {}


def _given(block: nn.Module) -> int:
    """The channels of what a block gives, by its last convolution."""
    layers = [layer for layer in block.modules() if isinstance(layer, _CONV)]
    return layers[-1].out_channels if layers else 0
