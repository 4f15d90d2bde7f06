"""Fixes of branches that grow too small: padding that keeps the size of their maps."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from torch import nn

from viewfinder.explain.calls import Call
from viewfinder.explain.edits import Replace
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.fixes.ways import (
    CONVOLUTION,
    exclusive,
    side_by_side,
    together,
)


def is_padded(scene: Scene, call: Call, position: int) -> bool:
    """Whether a convolution that only this operand came through pads its sequence."""
    for one in exclusive(call, position):
        layer = scene.net.get_submodule(one.module) if one.module else None
        if isinstance(layer, CONVOLUTION) and layer.padding not in ("valid", (0,)):
            return True
    return False


def padded(scene: Scene, call: Call) -> Iterator[Candidate]:
    """Windows in the branches padded so that they keep their map's size."""
    changes: list[Candidate] = []
    seen: set[str] = set()
    for position in range(len(call.producers)):
        for one in exclusive(call, position):
            if not one.module or one.module in seen or not one.base.startswith("conv"):
                continue
            seen.add(one.module)
            layer = scene.net.get_submodule(one.module)
            if isinstance(layer, CONVOLUTION) and "transpose" not in one.base:
                changes += _keeping(scene, one.module, layer)
    some = [_rates(scene, call, seen, list(together(changes)))]
    if len(changes) > 1:
        # Others pad by themselves, as a reflection does: the last, or all but it, may suffice.
        some += [list(together(changes[:1])), list(together(changes[1:]))]
    for change in (change for found in some for change in found):
        yield from _everywhere(scene, call, change)
        yield change
    if len(call.input_shapes[0]) == 3:
        yield from _causal(scene, sorted(seen))


def _rates(scene: Scene, call: Call, paths: set[str], whole: list[Candidate]) -> list[Candidate]:
    """Windows of a list that look at one map at several rates: nothing else is as likely."""
    if call.base == "cat" and len(call.input_shapes[0]) == 4 and side_by_side(scene, call):
        return [replace(one, cost=-0.05) for one in whole]
    homes = {path.rpartition(".")[0] for path in paths}
    listed = len(homes) == 1 and isinstance(scene.net.get_submodule(homes.pop()), nn.ModuleList)
    alike = listed and all(
        getattr(scene.net.get_submodule(path), "padding", None) in ((0,), (0, 0)) for path in paths
    )
    return [replace(one, cost=-0.05) for one in whole] if alike and len(paths) > 1 else whole


def _everywhere(scene: Scene, call: Call, change: Candidate) -> Iterator[Candidate]:
    """The same layers padded in every block of a kind of which the net has several."""
    owner = scene.net.get_submodule(call.module)
    homes = [name for name, one in scene.net.named_modules() if type(one) is type(owner)]
    edits = list(change.edits)
    for home in homes if call.module else ():
        for edit in change.edits:
            if home == call.module or not isinstance(edit, Replace):
                continue
            path = home + edit.path.removeprefix(call.module)
            try:
                layer = scene.net.get_submodule(path)
            except AttributeError:
                continue
            for one in _keeping(scene, path, layer) if isinstance(layer, CONVOLUTION) else ():
                edits += one.edits
    if len(edits) > len(change.edits):
        words = f"{change.says}; and so in every {type(owner).__name__}"
        yield replace(change, edits=tuple(edits), says=words)


def _causal(scene: Scene, paths: Sequence[str]) -> Iterator[Candidate]:
    """Padding by all that a window reaches back, where the end is cut off afterwards."""
    changes: list[Candidate] = []
    for path in paths:
        layer = scene.net.get_submodule(path)
        if isinstance(layer, CONVOLUTION) and not isinstance(layer.padding, str):
            span = tuple(
                d * (k - 1) for k, d in zip(layer.kernel_size, layer.dilation, strict=True)
            )
            if any(span) and tuple(layer.padding) != span:
                changes += scene.replace(path, 0.05, padding=span)
    yield from together(changes)


def _keeping(scene: Scene, path: str, layer: nn.modules.conv._ConvNd) -> list[Candidate]:
    spans = [d * (k - 1) for k, d in zip(layer.kernel_size, layer.dilation, strict=True)]
    if isinstance(layer.padding, str):
        return []
    if any(span % 2 for span in spans):
        if set(layer.stride) == {1}:
            return scene.replace(path, 0.2, padding="same")
        odd = tuple(k + (k % 2 == 0) for k in layer.kernel_size)
        return scene.replace(path, 0.3, kernel_size=odd, padding=tuple(k // 2 for k in odd))
    halves = tuple(span // 2 for span in spans)
    if tuple(layer.padding) == halves:
        return []
    return scene.replace(path, 0.2, padding=halves)
