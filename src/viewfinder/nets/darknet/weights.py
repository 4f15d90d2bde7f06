"""Darknet's `.weights` files: a header, and every convolution's numbers one after the other.

After the header come, for each convolution in the order of the `.cfg`, little-endian float32 values
(pjreddie/darknet, src/parser.c): with a batch norm its bias, scale, running mean and running
variance, without one the convolution's own bias; and the weights, out × in × height × width.
Nothing in the file says what net it is for: only its length does.

A backbone (`darknet53.conv.74`, `yolov3-tiny.conv.15`) is such a file that ends after the first
convolutions.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viewfinder.errors import InputError
from viewfinder.files import replacing
from viewfinder.nets.building import shapes_alone
from viewfinder.nets.darknet.config import MOST_CLASSES, PUBLISHED_HEADER
from viewfinder.nets.darknet.header import WeightsHeader, read_header
from viewfinder.nets.yolo import BOX_VALUES
from viewfinder.nets.yolov3 import (
    TINY_ANCHORS,
    YOLOv3,
    YOLOv3Tiny,
    yolov3,
    yolov3_spp,
    yolov3_tiny,
)

Detector = YOLOv3 | YOLOv3Tiny

_BUILDERS: dict[str, Callable[..., Detector]] = {
    "yolov3": yolov3,
    "yolov3-spp": yolov3_spp,
    "yolov3-tiny": yolov3_tiny,
}
_NAMES = {75: "yolov3", 76: "yolov3-spp", 13: "yolov3-tiny"}  # by their convolutions


@dataclass(frozen=True, eq=False)
class DarknetWeights:
    """What a file holds.

    Attributes:
        classes: how many the file's net tells apart; None of a backbone without any output.
        convolutions: how many convolutions it holds, and how many the whole net has.
        state: tensors by the names that they have in the net's state dict.
    """

    header: WeightsHeader
    classes: int | None
    convolutions: tuple[int, int]
    state: dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class _Convolution:
    """A convolution of a net, by name; `anchors` is that of an output's, 0 of any other."""

    name: str
    conv: nn.Conv2d
    norm_name: str
    norm: nn.BatchNorm2d | None
    anchors: int

    def shape(self, classes: int) -> tuple[int, ...]:
        out, *window = self.conv.weight.shape
        return (self.anchors * (BOX_VALUES + classes) if self.anchors else out, *window)

    def tensors(self, classes: int) -> list[tuple[str, tuple[int, ...]]]:
        """Names and shapes as they follow each other in a file."""
        shape = self.shape(classes)
        names = [f"{self.name}.bias"]
        if self.norm is not None:
            parts = ("bias", "weight", "running_mean", "running_var")
            names = [f"{self.norm_name}.{part}" for part in parts]
        return [*((name, shape[:1]) for name in names), (f"{self.name}.weight", shape)]

    def count(self, classes: int) -> int:
        return sum(math.prod(shape) for _, shape in self.tensors(classes))


def read_weights(path: str | Path, net: Detector) -> DarknetWeights:
    """The numbers of a file for a net of this layout, with any count of classes, or its backbone.

    The net is not changed; `checkpoints.load_matching` loads of the state what fits.

    Raises:
        InputError: the file cannot be read, its length fits no count of classes and no number of
            convolutions, or it holds values that no trained net has.
    """
    path = Path(path)
    convolutions = _convolutions(net)
    header, length = read_header(path)
    count_of_values = (length - header.length) // 4
    fit = _fit(convolutions, count_of_values, net.classes)
    if fit is None:
        _refuse_length(path, count_of_values, convolutions, net.classes)
    count, classes = fit
    try:
        values = np.fromfile(path, "<f4", offset=header.length)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if values.size != count_of_values:
        raise InputError(f"{path} changed while it was read: try again when it is written")
    values = values.astype(np.float32, copy=False)
    state = dict(_tensors(path, convolutions[:count], classes, values))
    heads = any(each.anchors for each in convolutions[:count])
    return DarknetWeights(header, classes if heads else None, (count, len(convolutions)), state)


def load_weights(net: Detector, path: str | Path) -> DarknetWeights:
    """Load a file into `net`: all of it, or of a backbone what it has.

    Raises:
        InputError: as `read_weights`; or the file has another count of classes than the net; or it
            is the published yolov3-tiny, and the net has other masks than it was trained with.
    """
    found = read_weights(path, net)
    if found.classes is not None and found.classes != net.classes:
        raise InputError(
            f"{path} tells {found.classes} classes apart and this net {net.classes}: create the "
            f"net with classes={found.classes}, or load only the layers that fit"
        )
    _check_masks(net, path, found)
    net.load_state_dict(found.state, strict=False)
    return found


def write_weights(
    net: Detector,
    path: str | Path,
    *,
    header: WeightsHeader | None = None,
    convolutions: int | None = None,
) -> None:
    """Write a net as Darknet does; a file that was read comes out with the same bytes.

    Args:
        header: the version and the pictures seen; version 0.2.0 and none where it is left out.
        convolutions: how many to write, from the first on, for a backbone: 52 for
            `darknet53.conv.74`, 9 for `yolov3-tiny.conv.15`. All where it is left out.

    Raises:
        InputError: there are not so many convolutions, or the file cannot be written.
    """
    header = header or WeightsHeader()
    every = _convolutions(net)
    count = len(every) if convolutions is None else convolutions
    if not 1 <= count <= len(every):
        raise InputError(f"convolutions is {count}: {_name(every)} has 1 to {len(every)} to write")
    state = net.state_dict()
    with replacing(Path(path)) as file:
        file.write(header.pack())
        for each in every[:count]:
            for name, _ in each.tensors(net.classes):
                values = state[name].detach().to("cpu", torch.float32).contiguous().numpy()
                file.write(values.astype("<f4", copy=False).tobytes())


def _convolutions(net: Detector) -> list[_Convolution]:
    """The net's convolutions in the order of the file, which is that of their creation."""
    modules = list(net.named_modules())
    heads = iter(net.scales)
    found = []
    for place, (name, module) in enumerate(modules):
        if isinstance(module, nn.Conv2d):
            norm_name, norm = modules[place + 1] if module.bias is None else ("", None)
            assert norm is None or isinstance(norm, nn.BatchNorm2d)
            anchors = len(next(heads).anchors) if norm is None else 0
            found.append(_Convolution(name, module, norm_name, norm, anchors))
    return found


def _name(convolutions: list[_Convolution]) -> str:
    return _NAMES[len(convolutions)]


def _fit(convolutions: list[_Convolution], values: int, classes: int) -> tuple[int, int] | None:
    """How many convolutions and which count of classes make so many values, if any do."""
    fixed = sum(each.count(0) for each in convolutions)
    each_class = sum(each.count(1) for each in convolutions) - fixed
    others, rest = divmod(values - fixed, each_class)
    if rest == 0 and 1 <= others <= MOST_CLASSES:
        return len(convolutions), others
    total = 0
    for count, each in enumerate(convolutions, start=1):
        total += each.count(classes)
        if total == values:
            return count, classes
    return None


def _tensors(
    path: Path, convolutions: list[_Convolution], classes: int, values: NDArray[np.float32]
) -> Iterator[tuple[str, Tensor]]:
    """Names and tensors of a file's values, each a part of the one array."""
    start = 0
    for number, each in enumerate(convolutions, start=1):
        for name, shape in each.tensors(classes):
            part = values[start : start + math.prod(shape)]
            start += part.size
            is_variance = name.endswith("running_var")
            if not np.isfinite(part).all() or (is_variance and part.min() < 0):
                fault = "values that are no numbers" if not is_variance else "variances below 0"
                raise InputError(
                    f"{path} holds {fault} in {name}, of convolution {number}: it is damaged, of "
                    "another net, or its training went astray; take another file"
                )
            yield name, torch.from_numpy(part.reshape(shape))
        if each.norm is not None:
            # Darknet does not count batches, and this count matters to no norm here.
            yield f"{each.norm_name}.num_batches_tracked", torch.tensor(0)


def _refuse_length(
    path: Path, values: int, convolutions: list[_Convolution], classes: int
) -> NoReturn:
    counts = [each.count(classes) for each in convolutions]
    total, name = sum(counts), _name(convolutions)
    if values > total:
        where = f"{values - total:,} too many"
    else:
        ends = list(itertools.accumulate(counts))
        number = next(number for number, end in enumerate(ends, start=1) if end > values)
        where = f"so the file ends within convolution {number} of {len(counts)}"
    raise InputError(
        f"{path} holds {values:,} values after its header, {name} with {classes} classes has "
        f"{total:,}: {where}, and it fits no other count of classes; {_fix(values, name)}"
    )


def _fix(values: int, name: str) -> str:
    """What to do about a file of so many values that is not this net's: name the net if known."""
    for other, create in _BUILDERS.items():
        with shapes_alone():
            convolutions = _convolutions(create())
        fit = _fit(convolutions, values, 80)
        if other != name and fit is not None:
            count, classes = fit
            whole = count == len(convolutions)
            what = f"with {classes} classes" if whole else f"to its convolution {count}"
            return f"it is as long as {other} {what}: create that net for it"
    return "fetch the file again, or give the .cfg that belongs to it"


def _check_masks(net: Detector, path: str | Path, found: DarknetWeights) -> None:
    """Refuse the published yolov3-tiny where its finer scale's anchors would be the wrong ones.

    The file was trained with the anchors 1, 2, 3 there. Darknet's own .cfg now says 0, 1, 2, with
    which all loads well and every box of that scale comes out too small.
    """
    whole = found.convolutions[0] == found.convolutions[1]
    published = whole and found.classes == 80 and found.header == PUBLISHED_HEADER
    if not published or net.scales[-1].anchors != tuple(TINY_ANCHORS[:3]):
        return
    raise InputError(
        f"{path} is the published yolov3-tiny, trained with mask = 1,2,3 on its scale of stride 16 "
        "(anchors 23,27, 37,58, 81,82), but this net has mask = 0,1,2 there (10,14, 23,27, 37,58), "
        "so its boxes would be too small: write mask = 1,2,3 in the last [yolo] section of the "
        ".cfg, or create the net with masks=((3, 4, 5), (1, 2, 3))"
    )
