"""What any net makes of pictures, as vectors: of each picture, and of each box in one.

A classifier's are what its last linear layer is asked of (Donahue et al., "DeCAF", 2014). Of any
other net, the means of its widest maps at the two smallest sizes, its answer left out.
"""

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.pictures.geometry import BoxArray

Vectors = NDArray[np.float32]

# Sizes that count, and by how many times the second has more places.
_SIZES, _LARGER = 2, 2


@dataclass(frozen=True)
class Layers:
    """Where a net's vectors are taken.

    Attributes:
        linear: the layer whose inputs they are; empty of a net that ends in maps.
        maps: the layers whose maps they are the means of.
    """

    linear: str
    maps: tuple[str, ...]

    def __str__(self) -> str:
        return self.linear or "+".join(self.maps)


@dataclass(frozen=True, eq=False)
class Watched:
    """What a net made of the pictures that it was given, a batch after another.

    Attributes:
        seen: by layer, N×D inputs or N×C×h×w maps.
    """

    layers: Layers
    seen: dict[str, list[Tensor]] = field(default_factory=dict)

    def pictures(self, count: int) -> Vectors:
        """A vector for each of the first `count` pictures, of length 1 or 0."""
        if self.layers.linear:
            return _at_length_one(self._rows(self.layers.linear, count).flatten(1))
        means = [self._rows(name, count).mean((2, 3)) for name in self.layers.maps]
        return np.concatenate([_at_length_one(each) for each in means], axis=1)

    def boxes(self, picture: int, boxes: BoxArray, size: tuple[int, int]) -> Vectors:
        """A vector for each of M×4 boxes of a picture: the means of the maps over each.

        Args:
            size: width and height of what the net is given, in whose pixels the boxes are.
        """
        parts = []
        for name in self.layers.maps:
            maps = self._rows(name, picture + 1)[picture]
            height, width = maps.shape[1:]
            across = _shares(boxes[:, [0, 2]] * (width / size[0]), width).to(maps)
            down = _shares(boxes[:, [1, 3]] * (height / size[1]), height).to(maps)
            parts.append(_at_length_one(torch.einsum("chw,mh,mw->mc", maps, down, across)))
        return np.concatenate(parts, axis=1)

    def _rows(self, name: str, count: int) -> Tensor:
        return torch.cat(self.seen[name])[:count].float()


def layers_of(net: nn.Module, ask: Callable[[], object]) -> Layers | None:
    """Where the vectors of a net in evaluation mode are taken; None where it has no layers to see.

    Args:
        ask: gives the net one picture, and returns its answer.
    """
    made: dict[str, Tensor] = {}
    linear: set[str] = set()

    def keep(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(module: nn.Module, _: object, output: object) -> None:
            if isinstance(output, Tensor):
                made[name] = output
                if isinstance(module, nn.Linear):
                    linear.add(name)

        return hook

    with contextlib.ExitStack() as hooks, torch.no_grad():
        for name, module in net.named_modules():
            if name:
                hooks.callback(module.register_forward_hook(keep(name)).remove)
        answer = {each.data_ptr() for each in _tensors(ask())}
    last = [name for name in made if name in linear and made[name].data_ptr() in answer]
    if last:
        return Layers(last[-1], ())
    maps = [n for n in made if made[n].ndim == 4 and made[n].data_ptr() not in answer]
    return _of_maps({name: made[name] for name in maps}) if maps else None


def _of_maps(made: Mapping[str, Tensor]) -> Layers:
    """At the smallest size, and the smallest that is clearly larger, the last of the widest."""
    widest: dict[tuple[int, ...], str] = {}
    for name, output in made.items():
        size = tuple(output.shape[2:])
        if size not in widest or output.shape[1] >= made[widest[size]].shape[1]:
            widest[size] = name
    chosen: list[tuple[int, ...]] = []
    for size in sorted(widest, key=math.prod):
        if not chosen or math.prod(size) >= _LARGER * math.prod(chosen[-1]):
            chosen.append(size)
    return Layers("", tuple(widest[size] for size in chosen[:_SIZES]))


@contextlib.contextmanager
def watching(net: nn.Module, layers: Layers) -> Iterator[Watched]:
    """Keep what the layers of a net make of the pictures that it is given meanwhile."""
    watched = Watched(layers)

    def note(name: str, values: object) -> None:
        assert isinstance(values, Tensor)
        # What follows may change it in place.
        watched.seen.setdefault(name, []).append(values.detach().clone())

    with contextlib.ExitStack() as hooks:
        if layers.linear:
            module = net.get_submodule(layers.linear)
            hooks.callback(
                module.register_forward_pre_hook(
                    lambda _, given: note(layers.linear, given[0])
                ).remove
            )
        for name in layers.maps:
            module = net.get_submodule(name)
            hooks.callback(
                module.register_forward_hook(
                    lambda _, __, output, name=name: note(name, output)
                ).remove
            )
        yield watched


def _at_length_one(vectors: Tensor) -> Vectors:
    lengths = vectors.norm(dim=1, keepdim=True).clamp(min=1e-12)
    return np.asarray((vectors / lengths).cpu().numpy(), np.float32)


def _shares(edges: NDArray[np.floating], cells: int) -> Tensor:
    """M×cells: how much of each span, M×2 in cells, lies in each cell; adding up to 1."""
    starts = np.arange(cells)
    low = np.clip(edges[:, :1], 0, cells - 1e-3)
    high = np.clip(np.maximum(edges[:, 1:], low + 1e-3), low + 1e-3, cells)
    shared = np.clip(np.minimum(high, starts + 1) - np.maximum(low, starts), 0, None)
    return torch.from_numpy(shared / shared.sum(axis=1, keepdims=True))


def _tensors(answer: object) -> Iterator[Tensor]:
    if isinstance(answer, Tensor):
        yield answer
    elif isinstance(answer, Sequence):
        for part in answer:
            yield from _tensors(part)
