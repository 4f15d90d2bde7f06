"""EfficientNet-lite: inverted bottlenecks of depthwise convolutions, made for phones.

Tan and Le: "EfficientNet: rethinking model scaling for convolutional neural networks", 2019. The
lite variants are its authors' own of 2020: no squeeze-and-excitation, ReLU6 instead of swish, and a
stem and a head that do not grow with the width.

Layout: a 3×3 stem, sixteen to twenty-three blocks in seven stages, a 1×1 head, the mean over the
map, one linear layer. A block (Sandler et al., MobileNetV2, 2018) widens its channels by a 1×1
convolution, filters each by itself, narrows by a 1×1 without activation, and adds its input where
the sizes allow it. Width and depth scale the first table of the paper: channels are rounded to
multiples of 8, repeats are rounded up, and the first and the last stage are not repeated more.

Padding is TensorFlow's "same", with which the published weights were trained: what stride 2 needs
is laid mostly after the map, so `padding=1` would give other numbers. Their colours are
(255·x − 127)/128 of x in [0, 1].

| net | input | parameters | MACs |
|---|---|---|---|
| efficientnet-lite0 | 3×224×224 | 4,652,008 | 385,187,552 |
| efficientnet-lite1 | 3×240×240 | 5,416,680 | 600,185,232 |
| efficientnet-lite2 | 3×260×260 | 6,092,072 | 859,736,272 |

MACs are the multiply-adds of convolutions and matrix products for one picture.
"""

import math
from functools import partial
from typing import ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from viewfinder.errors import InputError
from viewfinder.nets.blocks import Feature, draw_weights, dropout_layer

# Table 1 of the paper: repeats, kernel, stride, factor that a block widens by, channels out.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM, _HEAD = 32, 1280
# Of the last block; a block's rate grows with its place (Huang et al., Stochastic depth, 2016).
_DROP_PATH = 0.2


class ConvNorm(nn.Module):
    """Convolution with padding "same", then batch normalisation, then (mostly) ReLU6.

    Args:
        groups: 1, or as many as channels for a depthwise convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        activate: bool = True,
    ) -> None:
        super().__init__()
        # At stride 1 "same" is as much before as after, which a convolution does by itself.
        padding = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(
            *(in_channels, out_channels, kernel),
            stride=stride,
            padding=padding,
            groups=groups,
            bias=False,
        )
        self.norm = nn.BatchNorm2d(out_channels, eps=1e-3, momentum=0.01)
        self.activation = nn.ReLU6(inplace=True) if activate else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:  # N×in_channels×H×W
        if self.conv.stride != (1, 1):
            top, bottom = _same(x.shape[2], self.conv.kernel_size[0], self.conv.stride[0])
            left, right = _same(x.shape[3], self.conv.kernel_size[1], self.conv.stride[1])
            x = functional.pad(x, (left, right, top, bottom))
        if self.conv.groups > 1 and x.dtype == torch.bfloat16 and x.device.type == "cpu":
            # The gradients of depthwise convolutions take oneDNN up to nine times as long in
            # bfloat16 as in float32: half of a whole net's step.
            with torch.autocast("cpu", enabled=False):
                return self._filtered(x.float())
        return self._filtered(x)

    def _filtered(self, x: Tensor) -> Tensor:
        filtered: Tensor = self.norm(self.conv(x))  # N×out_channels×⌈H/stride⌉×⌈W/stride⌉
        activated: Tensor = self.activation(filtered)
        return activated


def fold_norms(net: nn.Module) -> nn.Module:
    """A net in evaluation mode with the norms of this file's layers within their convolutions.

    It is changed, and answers the same but for rounding, in two thirds of the time on a CPU. Other
    layers stay as they are.
    """
    for module in net.modules():
        if isinstance(module, ConvNorm) and isinstance(module.norm, nn.BatchNorm2d):
            module.conv = fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()  # type: ignore[assignment]
    return net


class Block(nn.Module):
    """Widen, filter each channel, narrow: an inverted bottleneck.

    Args:
        widening: the factor from the block's channels to those within; 1 leaves this step out.
        drop: the share of pictures for which training leaves a block with a shortcut out.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel: int,
        stride: int,
        widening: int,
        drop: float,
    ) -> None:
        super().__init__()
        inner = in_channels * widening
        self.expand = nn.Identity() if widening == 1 else ConvNorm(in_channels, inner, kernel=1)
        self.depthwise = ConvNorm(inner, inner, kernel=kernel, stride=stride, groups=inner)
        self.project = ConvNorm(inner, out_channels, kernel=1, activate=False)
        self.halves = stride == 2
        self.shortcut = stride == 1 and in_channels == out_channels
        self.drop = drop

    def forward(self, x: Tensor) -> Tensor:  # N×in_channels×H×W
        branch: Tensor = self.expand(x)  # N×widening·in_channels×H×W
        branch = self.depthwise(branch)  # N×widening·in_channels×⌈H/stride⌉×⌈W/stride⌉
        branch = self.project(branch)  # N×out_channels×⌈H/stride⌉×⌈W/stride⌉
        if not self.shortcut:
            return branch
        if self.training and self.drop:
            # One number a picture: 0, or what keeps the mean.
            kept = functional.dropout(branch.new_ones(len(branch), 1, 1, 1), self.drop)
            branch = branch * kept
        return branch + x


class Trunk(nn.Module):
    """N×3×H×W pictures to maps: the stem and the blocks, on which other nets are built too.

    Args:
        width: the factor on the channels of the blocks.
        depth: the factor on the repeats of the inner stages.
        deepest: the stride of the last map; blocks beyond it are left out.
        still: so many blocks, and the stem before them, keep their weights and the statistics of
            their norms in training; 0 keeps none. What need not go back is most of a step, as the
            first maps are the largest.
    """

    # What published files call the parts: `weight_files` reads them under the names of this file.
    published_names: ClassVar[tuple[tuple[str, str], ...]] = (
        (r"(^|\.)_conv_stem\.", r"\1stem.conv."),
        (r"(^|\.)_conv_head\.", r"\1head.conv."),
        (r"(^|\.)_fc\.", r"\1fc."),
        (r"_blocks\.(\d+)\._(expand|depthwise|project)_conv\.", r"blocks.\1.\2.conv."),
        (r"_blocks\.(\d+)\._bn0\.", r"blocks.\1.expand.norm."),
        (r"_blocks\.(\d+)\._bn1\.", r"blocks.\1.depthwise.norm."),
        (r"_blocks\.(\d+)\._bn2\.", r"blocks.\1.project.norm."),
        (r"(^|\.)_bn0\.", r"\1stem.norm."),
        (r"(^|\.)_bn1\.", r"\1head.norm."),
    )

    def __init__(self, width: float, depth: float, *, deepest: int = 32, still: int = 0) -> None:
        super().__init__()
        rows = _rows(width, depth)
        if type(still) is not int or not 0 <= still <= len(rows):
            raise InputError(f"still is {still!r}: it must be a number of blocks, 0 to {len(rows)}")
        self.stem = ConvNorm(3, _STEM, kernel=3, stride=2)
        blocks, channels, info = [], _STEM, [Feature(2, _STEM)]
        for place, (kernel, stride, widening, out) in enumerate(rows):
            if stride == 2 and info[-1].stride == deepest:
                break
            drop = _DROP_PATH * place / len(rows)
            made = Block(channels, out, kernel=kernel, stride=stride, widening=widening, drop=drop)
            blocks.append(made)
            channels = out
            if stride == 2:
                info.append(Feature(2 * info[-1].stride, out))
            info[-1] = Feature(info[-1].stride, out)
        self.feature_info = tuple(info)
        self.blocks = nn.ModuleList(blocks)
        self._still = still
        for part in self._still_parts():
            part.requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        """As of every module; what is still stays in evaluation mode."""
        super().train(mode)
        for part in self._still_parts():
            part.eval()
        return self

    def _still_parts(self) -> list[nn.Module]:
        return [self.stem, *list(self.blocks)[: self._still]] if self._still else []

    def feature_maps(self, x: Tensor) -> tuple[Tensor, ...]:  # N×3×H×W
        """The last map of each stride of 2, 4, 8, 16 and 32; see `blocks.FeatureNet`."""
        maps = [self.stem(x)]  # N×32×H/2×W/2
        for block in self.blocks:
            x = block(maps[-1])  # … N×320×H/32×W/32
            if block.halves:
                maps.append(x)
            else:
                maps[-1] = x
        return tuple(maps)


class EfficientNetLite(Trunk):
    """N×3×H×W pictures to N×classes logits.

    Args:
        width: the factor on the channels of the blocks.
        depth: the factor on the repeats of the inner stages.
        dropout: the share of the values before the last layer that training leaves out.
    """

    def __init__(
        self, width: float, depth: float, /, *, classes: int = 1000, dropout: float = 0.2
    ) -> None:
        super().__init__(width, depth)
        self.head = ConvNorm(self.feature_info[-1].channels, _HEAD, kernel=1)
        self.dropout = dropout_layer(dropout)
        self.fc = nn.Linear(_HEAD, classes)
        draw_weights(self, heads=[self.fc])

    def features(self, x: Tensor) -> Tensor:  # N×3×H×W
        """N×1280: what the last layer is asked of, the mean of the head over the map."""
        x = self.head(self.feature_maps(x)[-1])  # N×1280×H/32×W/32
        return x.mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:  # N×3×224×224
        logits: Tensor = self.fc(self.dropout(self.features(x)))  # N×classes
        return logits


def _same(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after a side of `size` for ⌈size/stride⌉ windows; the smaller half first."""
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _rows(width: float, depth: float) -> list[tuple[int, int, int, int]]:
    """Kernel, stride, widening and channels out of every block."""
    rows = []
    for place, (repeats, kernel, stride, widening, channels) in enumerate(_STAGES):
        outer = place in (0, len(_STAGES) - 1)
        for repeat in range(repeats if outer else math.ceil(depth * repeats)):
            first = stride if repeat == 0 else 1
            rows.append((kernel, first, widening, _rounded(channels * width)))
    return rows


def _rounded(channels: float) -> int:
    """The nearest multiple of 8, but no less than 90 % of the channels asked for."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8


efficientnet_lite0 = partial(EfficientNetLite, 1.0, 1.0)
efficientnet_lite1 = partial(EfficientNetLite, 1.0, 1.1)
efficientnet_lite2 = partial(EfficientNetLite, 1.1, 1.2, dropout=0.3)
