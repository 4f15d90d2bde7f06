"""What is inside a net as pictures: the filters of its first layer, and the maps of each stage."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.attribution.asking import ExplainedNet
from viewfinder.attribution.heat import Looked, look
from viewfinder.pictures.resampling import at_side

# Channels of a stage, and filters, that are shown; and their longer side on a page.
_CHANNELS, _FILTERS = 8, 64
_MAP_SIDE, _FILTER_SIDE = 96, 40


@dataclass(frozen=True, eq=False)
class Stage:
    """The most active channels of the last layer at one size.

    Attributes:
        channels: how many the layer has.
        size: width and height of its maps.
        shown: the numbers of the channels that are shown, and their maps as pictures.
    """

    layer: str
    channels: int
    size: tuple[int, int]
    shown: tuple[tuple[int, NDArray[np.uint8]], ...]


def stages(asked: ExplainedNet, picture: Tensor) -> list[Stage]:
    """What each stage of a net makes of a picture, 1×3×H×W in [0, 1], the finest first."""
    if not asked.whole:
        return []
    with torch.no_grad():
        looked = look(asked.net, asked.ready(picture), asked.net)
    last = {tuple(each.maps.shape[2:]): each for each in looked}
    found = sorted(last.values(), key=lambda each: -each.maps.shape[2] * each.maps.shape[3])
    return [_stage(each) for each in found]


def filters(net: nn.Module) -> list[NDArray[np.uint8]]:
    """What the first layer looks for, if it sees red, green and blue: K×K filters as pictures."""
    first = next((m for m in net.modules() if isinstance(m, nn.Conv2d)), None)
    if first is None or first.in_channels != 3 or first.groups != 1 or first.kernel_size[0] < 3:
        return []
    weights = first.weight.detach().float().cpu().numpy()[:_FILTERS]  # N×3×K×K
    return [_enlarged(_levels(each.transpose(1, 2, 0), middle=True)) for each in weights]


def _stage(looked: Looked) -> Stage:
    maps = looked.maps[0].float().cpu()
    active = maps.abs().mean((1, 2)).argsort(descending=True)[:_CHANNELS].tolist()
    shown = [(channel, _grey(maps[channel].numpy())) for channel in active]
    return Stage(looked.layer, len(maps), (maps.shape[2], maps.shape[1]), tuple(shown))


def _grey(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    levels = _levels(values, middle=False)
    return at_side(np.repeat(levels[..., None], 3, axis=2), _MAP_SIDE)


def _levels(values: NDArray[np.float32], *, middle: bool) -> NDArray[np.uint8]:
    """Values as 0 to 255: from the least to the greatest, or with 0 in the middle."""
    low, high = float(values.min()), float(values.max())
    if middle:
        high = max(abs(low), abs(high))
        low = -high
    return np.asarray(255 * (values - low) / max(high - low, 1e-12), np.uint8)


def _enlarged(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Each pixel as a square, since a filter has few."""
    times = max(1, _FILTER_SIDE // len(small))
    return np.kron(small, np.ones((times, times, 1), np.uint8)).astype(np.uint8)
