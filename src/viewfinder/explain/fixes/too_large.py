"""Fixes at windows that do not fit into their map, and at padding that is larger than it."""

from collections.abc import Iterator

from torch import nn

from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.layers import resized
from viewfinder.explain.fixes.scene import Scene

_POOLS = (
    nn.modules.pooling._MaxPoolNd,
    nn.modules.pooling._AvgPoolNd,
    nn.modules.pooling._LPPoolNd,
)


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At convolutions, pooling and padding by reflection."""
    layer = scene.layer
    if isinstance(layer, (nn.modules.conv._ConvNd, *_POOLS)):
        yield from _too_large(scene, layer)
    elif scene.case.in_layer and isinstance(layer, nn.modules.padding._ReflectionPadNd):
        yield from _reflected(scene, layer)


def _too_large(scene: Scene, layer: nn.Module) -> Iterator[Candidate]:
    """A window that does not fit into its map: padding, a smaller window, larger pictures."""
    if not scene.given or not hasattr(layer, "kernel_size"):
        return
    window = layer.kernel_size
    spatial = len(window) if isinstance(window, tuple) else _spatial(layer)
    sizes = tuple(map(int, scene.given[0].shape[-spatial:]))
    kernel = window if isinstance(window, tuple) else (window,) * spatial
    dilation = getattr(layer, "dilation", 1)
    dilation = dilation if isinstance(dilation, tuple) else (dilation,) * spatial
    padding = getattr(layer, "padding", 0)
    if isinstance(padding, str) or isinstance(layer, nn.modules.conv._ConvTransposeNd):
        return
    both = padding if isinstance(padding, tuple) else (padding,) * spatial
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    fits = [s + 2 * p >= span for s, p, span in zip(sizes, both, spans, strict=True)]
    half = [2 * p <= k for k, p in zip(kernel, both, strict=True)]
    if all(fits) and (all(half) or not isinstance(layer, _POOLS)):
        return
    if all(fits):
        yield from scene.replace(scene.path, 0.1, padding=min(kernel) // 2)
        return
    side = max(-(-(span - s) // 2) for s, span in zip(sizes, spans, strict=True))
    if not isinstance(layer, _POOLS) or side <= min(kernel) // 2:
        yield from scene.replace(scene.path, 0.6, padding=side)
    small = min(min(kernel), *(s + 2 * p for s, p in zip(sizes, both, strict=True)))
    if max(dilation) > 1:
        yield from scene.replace(scene.path, 0.3, dilation=1)
    each = tuple(max(1, min(k, s + 2 * p)) for k, s, p in zip(kernel, sizes, both, strict=True))
    gone = [k for k, fit in zip(each, fits, strict=True) if not fit]
    if isinstance(layer, _POOLS) and any(fits) and set(gone) == {1}:
        # One is left there: of four frames less is left than of their sides.
        yield from scene.replace(scene.path, 0.3, kernel_size=each)
    yield from scene.replace(scene.path, 0.7, kernel_size=max(small, 1))
    yield from _larger(scene)


def _spatial(layer: nn.Module) -> int:
    return int(next((c for c in type(layer).__name__ if c in "123"), "2"))


def _larger(scene: Scene) -> Iterator[Candidate]:
    inputs = scene.case.failure.trace.inputs
    if not inputs or inputs[0].dim() != 4 or not scene.lab.inputs.batch:
        return
    height, width = map(int, inputs[0].shape[-2:])
    for at, factor in enumerate((1.25, 1.5, 2, 3, 4, 6, 8)):
        sizes = [-(-int(n * factor) // 8) * 8 for n in (height, width)]
        yield resized(sizes[0], sizes[1], 0.5 + at / 100)


def _reflected(scene: Scene, layer: nn.Module) -> Iterator[Candidate]:
    rank = _spatial(layer)
    sizes = [int(n) for n in scene.given[0].shape[-rank:]]
    most = min(sizes) - 1
    if most > 0:
        yield from scene.replace(scene.path, 0.3, padding=most)
    yield from _larger(scene)
