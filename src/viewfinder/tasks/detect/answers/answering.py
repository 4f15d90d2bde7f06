"""What a detector finds: in framed pictures, in several views of them, and in tiles."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.datasets.framing import frame, frame_matrix
from viewfinder.events import track
from viewfinder.pictures.geometry import (
    Size,
    clip_boxes,
    horizontal_flip,
    inverse,
    transform_boxes,
)
from viewfinder.tasks.answering import Answering, in_batches, outputs, several_tensors
from viewfinder.tasks.calibration import CALIBRATION
from viewfinder.tasks.detect.answers.fusing import fused
from viewfinder.tasks.detect.answers.platt import Platt
from viewfinder.tasks.detect.answers.suppression import suppress
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.heads import head_of_net
from viewfinder.tasks.detect.opinion.second import OPINION, Opinion
from viewfinder.tasks.detect.tiling.tiles import cut_tile, merge, tiles_of
from viewfinder.tasks.model import ModelConfig, Threshold
from viewfinder.tasks.views import several, sized, times

THRESHOLD = 0.25
"""What is shown scores more than this, unless another is asked for."""

# AP sums over every score; below this there is nothing left to sum.
_LOWEST = 0.001
BATCH = 16
"""Pictures, or tiles, that are answered at once."""
# The other size of pictures that are asked about several times.
_LARGER = 1.25
# Pictures of more tiles than this take long enough to be report of.
_MANY_TILES = 32


def _found(
    net: nn.Module, pictures: Tensor, config: ModelConfig, device: torch.device
) -> list[Detections]:
    boxes, scores = several_tensors(outputs(net, pictures, config.normalisation, device))
    return suppress(boxes, scores, threshold=_LOWEST)


def _other_views(
    net: nn.Module,
    pictures: Tensor,
    config: ModelConfig,
    device: torch.device,
    stride: int | None,
) -> list[list[Detections]]:
    """What is found in pictures mirrored, and larger, and both, in pixels of the pictures.

    Args:
        stride: of which sides are multiples; None of a file that may take one size alone.
    """
    size = (pictures.shape[3], pictures.shape[2])
    shown = [(pictures.flip(3), True)]
    if stride is not None:
        large = sized(pictures, times(size, _LARGER, stride))
        shown += [(large, False), (large.flip(3), True)]
    views = []
    for view, mirrored in shown:
        way = np.diag([view.shape[3] / size[0], view.shape[2] / size[1], 1.0])
        if mirrored:
            way = horizontal_flip(view.shape[3]) @ way
        found = _found(net, view, config, device)
        views.append([replace(f, boxes=transform_boxes(inverse(way), f.boxes)) for f in found])
    return views


def confident(found: Detections, threshold: Threshold | None) -> Detections:
    """Those that score more than a threshold, of each class if it has several."""
    least = np.asarray(THRESHOLD if threshold is None else threshold)
    if isinstance(threshold, tuple):
        least = least[found.labels]
    return found.take(found.scores > least)


def placed(found: Detections, config: ModelConfig, *, of: Size) -> Detections:
    """Detections in a prepared picture as those in the picture of size `of` itself."""
    way = frame_matrix(config.framing, of, config.size)
    boxes = transform_boxes(inverse(way), found.boxes)
    return Detections(clip_boxes(boxes, of), found.scores, found.labels)


def found_in_framed(
    net: nn.Module, pictures: Tensor, config: ModelConfig, device: torch.device
) -> list[Detections]:
    """What is found in N×3×H×W framed pictures, in their pixels, down to very low scores."""
    answering = net if isinstance(net, Answering) else head_of_net(net).decoded(net)
    found = _found(answering, pictures, config, device)
    if several(config):
        stride = None if isinstance(net, Answering) else head_of_net(net).stride
        views = [found, *_other_views(answering, pictures, config, device, stride)]
        found = [fused(each) for each in zip(*views, strict=True)]
    opinion, platt = config.habits.get(OPINION), config.habits.get(CALIBRATION)
    if isinstance(opinion, Opinion):
        found = opinion.on(found, pictures, device)
    return [platt.on(each) for each in found] if isinstance(platt, Platt) else found


def found_by_tiles(
    net: nn.Module,
    picture: NDArray[np.uint8],
    config: ModelConfig,
    device: torch.device,
    *,
    report: bool = False,
) -> Detections:
    """What is found in a picture, a batch of its tiles at a time."""
    tiles = tiles_of(config)
    assert tiles is not None
    of = (picture.shape[1], picture.shape[0])
    if not tiles.cuts(of, config.size):
        return _found_in_parts(net, [picture], config, device, of=of)[0]
    places, tile = tiles.places(of, config.size), tiles.tile(config.size)
    found: list[Detections] = []
    batches: Iterable[range] = in_batches(len(places), BATCH)
    if report and len(places) > _MANY_TILES:
        batches = track(batches, total=-(-len(places) // BATCH), description="tiles")
    for numbers in batches:
        cut = [
            cut_tile(picture, places[number], tile, grey=config.framing.grey) for number in numbers
        ]
        found += _found_in_parts(net, cut, config, device, of=tile)
    return merge(found, places, tile, of)


def _found_in_parts(
    net: nn.Module,
    parts: Sequence[NDArray[np.uint8]],
    config: ModelConfig,
    device: torch.device,
    *,
    of: Size,
) -> list[Detections]:
    """What is found in pictures of one size, in their own pixels."""
    framed = np.stack([frame(each, config.framing, config.size, of=of) for each in parts])
    pixels = torch.from_numpy(framed).permute(0, 3, 1, 2)
    replies = found_in_framed(net, pixels, config, device)
    return [placed(each, config, of=of) for each in replies]
