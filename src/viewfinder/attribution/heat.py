"""Heat maps: which places of a picture an answer comes from.

Of a class: Grad-CAM (Selvaraju et al., "Grad-CAM: visual explanations from deep networks", 2017,
equations 1 and 2): the channels of a layer, each weighted by the mean of its gradient. Of a place:
LayerCAM (Jiang et al., "LayerCAM: exploring hierarchical class activation maps for localization",
2021, equations 6 to 8): each value weighted by its own gradient where that is positive. HiResCAM
(Draelos, Carin: "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural
networks", 2020): by its own gradient, whatever its sign, and the sum of all channels where that is
positive. Which says most differs from net to net, so all that suit a question are made. And
occlusion, which asks nothing of the net but answers (Zeiler, Fergus: "Visualizing and understanding
convolutional networks", 2013, section 4.2).
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.attribution.asking import ExplainedNet
from viewfinder.tasks.question import Question

Heat = NDArray[np.float64]
"""h×w, 0 or more: how much an answer depends on each place."""

GRAD_CAM, LAYER_CAM, HIRES_CAM = "Grad-CAM", "LayerCAM", "HiResCAM"
OCCLUSION = "occlusion"

# A map with fewer places than this on a side, or on which fewer say anything, shows no place.
_LEAST_SIDE, _LEAST_PLACES = 2, 3
# Windows that are covered, on the shorter side, and how many of them overlap at each place.
_WINDOWS, _STEPS = 6, 2
# Of the shorter side, this is how far a blur reaches.
_SOFT = 8


@dataclass(frozen=True, eq=False)
class HeatMap:
    """Where an answer comes from, as one layer sees it.

    Attributes:
        layer: its name in the net; of pixels that they are; of occlusion how pictures were covered.
        method: what the map was made by.
        heat: at the layer's own size.
        size: width and height of the picture.
    """

    layer: str
    method: str
    heat: Heat
    size: tuple[int, int]

    def at_size(self) -> Heat:
        """H×W, at the picture's size, in [0, 1]."""
        width, height = self.size
        grown = F.interpolate(
            torch.from_numpy(self.heat)[None, None],
            (height, width),
            mode="bilinear",
            align_corners=False,
        )
        found: Heat = grown[0, 0].numpy()
        return found / found.max() if found.max() > 0 else found


@dataclass(frozen=True, eq=False)
class Looked:
    """What a layer made of a picture.

    Attributes:
        maps: 1×C×h×w.
    """

    layer: str
    maps: Tensor


def look(
    net: nn.Module,
    ready: Tensor,
    forward: Callable[[Tensor], object],
    *,
    only: str | None = None,
) -> list[Looked]:
    """Give a net one picture, 1×3×H×W, and keep every map that its layers make, in their order, or
    that of the `only` one."""
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, object, object], Tensor | None]:
        def hook(_: nn.Module, __: object, made: object) -> Tensor | None:
            if not isinstance(made, Tensor) or made.ndim != 4 or len(made) != 1 or name in found:
                return None
            if min(made.shape[2:]) < _LEAST_SIDE or not made.is_floating_point():
                return None
            found[name] = made
            # What follows may change its input in place, and gradients are asked of what was.
            return made.clone()

        return hook

    with contextlib.ExitStack() as hooks:
        for name, module in net.named_modules():
            if name and only in (None, _own_name(name)):
                hooks.callback(module.register_forward_hook(keep(name)).remove)
        forward(ready)
    return [Looked(_own_name(name), maps) for name, maps in found.items()]


def _own_name(name: str) -> str:
    """A layer's name in the net itself, which what makes its answers holds."""
    return name.removeprefix("net.")


def layers(asked: ExplainedNet, picture: Tensor) -> list[str]:
    """The names of the layers that make maps of a picture, 1×3×H×W, in their order."""
    if not asked.whole:
        return []
    with torch.no_grad():
        return [each.layer for each in look(asked.net, asked.ready(picture), asked.net)]


def heat_maps(asked: ExplainedNet, picture: Tensor, question: Question) -> list[HeatMap]:
    """Maps of each of a net's stages, the last layer at each size, the finest first.

    Empty where the net cannot be looked into, or makes no maps, as a transformer does not.

    Args:
        picture: 1×3×H×W float32 in [0, 1].
    """
    if not asked.whole:
        return []
    pairs = _with_gradients(asked, picture, question)
    size = (picture.shape[3], picture.shape[2])
    if question.encoder and pairs:
        pairs = pairs[: _last_smallest([each for each, _ in pairs]) + 1]
    stages: dict[tuple[int, ...], list[HeatMap]] = {}
    for each, gradient in reversed(pairs):
        if tuple(each.maps.shape[2:]) in stages:
            continue
        if found := _heats(each, gradient, question, size):
            stages[found[0].heat.shape] = found
    every = [found for stage in stages.values() for found in stage]
    return sorted(every, key=lambda found: -found.heat.size)


def heats_of(asked: ExplainedNet, picture: Tensor, question: Question, layer: str) -> list[HeatMap]:
    """The maps of one layer, as `heat_maps` makes them; none where they say nothing.

    Raises:
        KeyError: the net has no layer of this name that makes maps.
    """
    pairs = _with_gradients(asked, picture, question, only=layer)
    if not pairs:
        raise KeyError(layer)
    return _heats(*pairs[0], question, (picture.shape[3], picture.shape[2]))


def occlusion(
    asked: ExplainedNet, picture: Tensor, question: Question, *, soft: Tensor | None = None
) -> HeatMap:
    """How far the score falls where a window of the picture is blurred: slow, and honest.

    Args:
        picture: 1×3×H×W float32 in [0, 1].
        soft: the picture blurred, if that was made before.
    """
    height, width = picture.shape[2:]
    window = max(1, min(height, width) // _WINDOWS)
    step = max(1, window // _STEPS)
    soft = blurred(picture) if soft is None else soft
    tops = range(0, max(1, height - window + step), step)
    lefts = range(0, max(1, width - window + step), step)
    (base,) = asked.scores(picture, question)
    fallen, times = np.zeros((height, width)), np.zeros((height, width))
    for top in tops:
        places = [(slice(top, top + window), slice(left, left + window)) for left in lefts]
        covered = picture.repeat(len(places), 1, 1, 1)
        for number, (rows, columns) in enumerate(places):
            covered[number, :, rows, columns] = soft[0, :, rows, columns]
        for place, score in zip(places, asked.scores(covered, question), strict=True):
            fallen[place] += base - score
            times[place] += 1
    heat = np.maximum(fallen / np.maximum(times, 1), 0)
    return HeatMap(f"windows of {window} pixels", OCCLUSION, heat, (width, height))


def blurred(picture: Tensor) -> Tensor:
    """A picture, 1×3×H×W, so soft that nothing is known on it, with the colours where they were."""
    shorter = min(picture.shape[2:])
    pixels = picture[0].permute(1, 2, 0).cpu().numpy()
    soft = cv2.GaussianBlur(pixels, (0, 0), max(1.0, shorter / _SOFT))
    return torch.from_numpy(soft).permute(2, 0, 1)[None].to(picture)


def _with_gradients(
    asked: ExplainedNet, picture: Tensor, question: Question, *, only: str | None = None
) -> list[tuple[Looked, Tensor]]:
    """Every layer's maps, or those of the `only` one, and the gradient there of the logarithm of
    the score asked about."""
    net = asked.in_double
    ready = asked.ready(picture).double().requires_grad_()
    score: list[Tensor] = []

    def forward(pictures: Tensor) -> None:
        score.append(question.scores(net(pictures))[0])

    with torch.enable_grad():
        seen = look(net, ready, forward, only=only)
        looked = [each for each in seen if each.maps.requires_grad]
        if not looked:
            return []
        slope = torch.log(score[0].clamp_min(1e-30))
        gradients = torch.autograd.grad(slope, [each.maps for each in looked], allow_unused=True)
    pairs = zip(looked, gradients, strict=True)
    return [(each, gradient) for each, gradient in pairs if gradient is not None]


def _last_smallest(looked: Sequence[Looked]) -> int:
    areas = [each.maps.shape[2] * each.maps.shape[3] for each in looked]
    return max(number for number, area in enumerate(areas) if area == min(areas))


def _heats(
    looked: Looked, gradient: Tensor, question: Question, size: tuple[int, int]
) -> list[HeatMap]:
    """What a layer's values and their gradients say, by each method; none where too little."""
    maps = looked.maps.detach()
    if maps.shape[2] > size[1] or maps.shape[3] > size[0]:
        return []
    made = {
        LAYER_CAM: (gradient.clamp(min=0) * maps).sum(1),
        HIRES_CAM: (gradient * maps).sum(1),
    }
    if not question.local:
        made = {GRAD_CAM: (gradient.mean((2, 3), keepdim=True) * maps).sum(1)} | made
    found: dict[str, Heat] = {
        method: heat[0].clamp(min=0).cpu().numpy() for method, heat in made.items()
    }
    return [
        HeatMap(looked.layer, method, heat, size)
        for method, heat in found.items()
        if np.isfinite(heat).all() and (heat > 0).sum() >= _LEAST_PLACES
    ]
