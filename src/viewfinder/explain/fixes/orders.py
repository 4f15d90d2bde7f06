"""Fixes by order alone: a list called, or walked from the wrong end; two layers exchanged."""

from collections.abc import Iterator

from torch import nn

from viewfinder.explain.diagnosis.case import path_as_code
from viewfinder.explain.edits import InLine, Reordered
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.scene import Scene


def candidates(scene: Scene) -> Iterator[Candidate]:
    """Where the layer that failed stands in a list or in a Sequential, or is itself a list."""
    if isinstance(scene.case.failure.error, NotImplementedError):
        failed = scene.case.module
        if isinstance(failed, nn.ModuleList) and scene.path:
            name = path_as_code(scene.path)
            words = f"{name} = nn.Sequential(*{name}), for a list cannot be called"
            yield Candidate((InLine(scene.path),), words, 0.0)
        return
    parts = scene.path.split(".")
    for depth, name in enumerate(parts):
        path = ".".join(parts[:depth])
        if not name.isdigit():
            continue
        layers = scene.net.get_submodule(path)
        if isinstance(layers, nn.ModuleList) and int(name) == 0 and len(layers) > 1:
            order = tuple(reversed(range(len(layers))))
            words = path_as_code(path)
            yield Candidate((Reordered(path, order),), f"reversed({words}) for {words}", 0.25)
        elif isinstance(layers, nn.Sequential) and depth == len(parts) - 1:
            yield from _exchanged(layers, path, int(name))


def _exchanged(layers: nn.Sequential, path: str, at: int) -> Iterator[Candidate]:
    """A norm that stands before the layer whose maps it was made for."""
    if at + 1 >= len(layers) or not _normalises(layers[at]) or _normalises(layers[at + 1]):
        return
    order = list(range(len(layers)))
    order[at : at + 2] = at + 1, at
    one, two = (path_as_code(f"{path}.{n}".lstrip(".")) for n in (at, at + 1))
    says = f"{two} before {one}: the norm behind its layer"
    yield Candidate((Reordered(path, tuple(order)),), says, 0.2)


def _normalises(layer: nn.Module) -> bool:
    norms = nn.modules.batchnorm._NormBase | nn.LayerNorm | nn.GroupNorm
    return isinstance(layer, norms)
