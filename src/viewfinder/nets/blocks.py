"""What two papers share: convolution–norm–ReLU, shrinking, dropout, the first weights, maps to
build on, and the arithmetic of sizes through a stack of layers."""

import itertools
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, Protocol

from torch import Tensor, nn

from viewfinder.errors import InputError

Downsampling = Literal["pool", "stride"]


class Feature(NamedTuple):
    """One of the maps that a net makes on its way: pixels between its cells, and its channels."""

    stride: int
    channels: int


class FeatureNet(Protocol):
    """A net on whose maps another one can be built, as a detector on a classifier's.

    Attributes:
        feature_info: of each map of `feature_maps`, from the finest to the coarsest.
    """

    feature_info: tuple[Feature, ...]

    def feature_maps(self, x: Tensor) -> tuple[Tensor, ...]:
        """N×3×H×W to the last map of each stride: N×channels×⌈H/stride⌉×⌈W/stride⌉ each."""
        ...


def conv_norm_relu(
    in_channels: int,
    out_channels: int,
    *,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    bias: bool = False,
    eps: float = 1e-5,
) -> nn.Sequential:
    """Convolution, then batch normalisation, then ReLU: the order of Ioffe and Szegedy (2015).

    The norm stands before the ReLU so that it centres what the ReLU cuts. It subtracts the mean,
    and any bias of the convolution with it, so `bias` is of use only to read weights that have one.
    """
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=padding, bias=bias)
    norm = nn.BatchNorm2d(out_channels, eps=eps)
    return nn.Sequential(OrderedDict(conv=conv, bn=norm, relu=nn.ReLU()))


def downsampling(how: Downsampling, channels: int, *, kernel: int, stride: int) -> nn.Module:
    """A layer that shrinks a map by `stride`, by either of two windows of the same geometry.

    `pool` keeps each window's maximum; `stride` learns what to keep: a strided convolution with
    as many channels out as in, and a ReLU (Springenberg et al., Striving for simplicity: the all
    convolutional net, 2015).

    Raises:
        InputError: `how` is neither.
    """
    if how == "pool":
        return nn.MaxPool2d(kernel, stride=stride)
    if how == "stride":
        return nn.Sequential(nn.Conv2d(channels, channels, kernel, stride=stride), nn.ReLU())
    raise InputError(f"downsample is {how!r}: it must be 'pool' or 'stride'")


def dropout_layer(rate: float, *, option: str = "dropout") -> nn.Dropout:
    """Dropout of a share `rate` of the values, 0 ≤ rate < 1.

    Raises:
        InputError: the rate is outside that range; `option` is what the message calls it.
    """
    if not isinstance(rate, int | float) or not 0 <= rate < 1:
        raise InputError(f"{option} is {rate!r}: it must be at least 0 and less than 1")
    return nn.Dropout(rate)


def scaled(channels: int, width: float) -> int:
    """`channels` × `width`, rounded, at least 1.

    Raises:
        InputError: the width is not above zero.
    """
    if not isinstance(width, int | float) or not 0 < width < float("inf"):
        raise InputError(f"width is {width!r}: it must be a number above 0; 1 is the paper's")
    return max(1, round(channels * width))


def draw_weights(
    net: nn.Module, *, heads: Iterable[nn.Linear | nn.Conv2d], gain: float = 2.0
) -> None:
    """Draw a net's weights anew: N(0, gain/n) for a layer of n inputs, biases zero, norms 1 and 0.

    A gain of 2 keeps the signal's mean square through layers of ReLUs at any depth (He et al.,
    Delving deep into rectifiers, 2015, eq. 10). The `heads`, whose outputs are logits, get
    N(0, 0.01²), so that the first predictions are near uniform and the first loss near ln(classes).
    """
    heads = set(heads)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
        elif isinstance(module, nn.Conv2d | nn.Linear):
            fan_in = module.weight[0].numel()
            nn.init.normal_(module.weight, std=0.01 if module in heads else (gain / fan_in) ** 0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def size_after(
    layers: Iterable[nn.Module], size: int | Sequence[int], *, net: str
) -> tuple[int, int]:
    """The (height, width) of the map that `layers` make of pictures of `size`.

    Each window leaves ⌊(N − F + P) / S⌋ + 1 of N pixels: F the kernel, S the stride, P the padding
    of both sides together (Dumoulin and Visin, A guide to convolution arithmetic, 2016).

    Args:
        layers: convolutions, pools, zero pads and Sequentials of them; others keep the size.
        size: the side of square pictures, or (height, width), in pixels.
        net: whose layers they are, for the message.

    Raises:
        InputError: the pictures are too small, with the sum that shows it.
    """
    stack = [leaf for layer in layers for leaf in layer.modules()]
    sides = tuple(size) if isinstance(size, Sequence) else (size, size)
    if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
        raise InputError(
            f"size is {size!r}: it must be pixels, as 32, or height and width, (24, 32)"
        )
    height, width = sides
    return _side_after(stack, height, axis=0, net=net), _side_after(stack, width, axis=1, net=net)


def _side_after(stack: list[nn.Module], side: int, *, axis: int, net: str) -> int:
    sums = _sums(stack, side, axis=axis)
    left = sums[-1][1] if sums else side
    if left < 1:
        smallest = next(n for n in itertools.count(1) if _sums(stack, n, axis=axis)[-1][1] >= 1)
        raise InputError(
            f"{net} cannot take pictures of size {side}: {sums[-1][0]} leaves nothing; "
            f"its smallest size is {smallest} pixels"
        )
    return left


def _sums(stack: list[nn.Module], side: int, *, axis: int) -> list[tuple[str, int]]:
    """Each window's sum, written out, and what it leaves; ends at the first that leaves none."""
    sums: list[tuple[str, int]] = []
    pad = 0
    for layer in stack:
        if isinstance(layer, nn.ZeroPad2d):
            # Its padding is (left, right, top, bottom): axis 0, the height, is the later pair.
            pad = sum(layer.padding[2:] if axis == 0 else layer.padding[:2])
        elif isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            kernel, stride = _pair(layer.kernel_size)[axis], _pair(layer.stride)[axis]
            pad += 2 * _pair(layer.padding)[axis]
            left = (side - kernel + pad) // stride + 1
            kind = "convolution" if isinstance(layer, nn.Conv2d) else "pool"
            text = f"the {kernel}×{kernel} {kind} ⌊({side} − {kernel} + {pad})/{stride}⌋ + 1"
            sums.append((f"{text} = {left}", left))
            if left < 1:
                break
            side, pad = left, 0
    return sums


def _pair(value: object) -> tuple[int, int]:
    """torch's one-or-two convention as (vertical, horizontal)."""
    if isinstance(value, tuple):
        return value
    assert isinstance(value, int)
    return value, value
