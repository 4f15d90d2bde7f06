"""A2dele: a depth stream that teaches, and an RGB stream that needs no depth once it has learnt.

Piao, Rong, Zhang, Ren, Lu: "A2dele: adaptive and attentive depth distiller for efficient RGB-D
salient object detection", 2020.

Layout: both streams are the convolutions of VGG-16 with batch norms, tapped at strides 4, 8 and 16,
and a decoder that adds and concatenates the three maps and ends in two logits a pixel, background
and subject. The RGB stream brings each tap to 32 channels by a 1×1 convolution and multiplies it by
the sigmoid of an attention map; the depth stream brings it there by a receptive-field block, whose
branches see 1, 3 and 5 pixels and more by dilation. State-dict names are those of the authors'
program, whose checkpoints load. `profile="upstream"` computes what that program computes; the
default, `"mended"`, has the same names and shapes, and departs from it in these points:
  - depth in [0, 1] is brought to the range of ImageNet's pictures, where upstream divides it by 255
    once more than it means to;
  - maps are enlarged about the centres of their pixels, where upstream stretches their outermost
    pixels onto the edge and so moves what lies off the middle, by an amount that hangs on the size;
  - the decoder's two layers that nothing uses are frozen, so that no optimiser and no exchange of
    gradients waits for theirs.
Both take pictures of any size: these are continued at their right and lower edge to a multiple of
16, and the maps are cut back to the picture.

Weights are drawn as by He et al. (2015), see `blocks.draw_weights`, where upstream draws
N(0, 0.01²); the layers that make logits keep that. `a2dele_weights.py` reads the authors' files
and starts the backbone from VGG-16's weights.

| net | input | parameters | MACs |
|---|---|---|---|
| a2dele | 3×256×256 | 15,014,917 | 20,601,610,240 |
| a2dele(profile="upstream") | 3×256×256 | 15,014,917 | 20,601,610,240 |
| a2dele(width=0.25) | 3×256×256 | 941,509 | 1,309,272,064 |
| a2dele-depth | 1×256×256 | 15,326,338 | 21,099,446,272 |
| a2dele-depth(width=0.25) | 1×256×256 | 961,186 | 1,340,096,512 |

MACs are the multiply-adds of convolutions and matrix products for one picture; the parameters
count the 120,128 of the layers that nothing uses.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viewfinder.errors import InputError
from viewfinder.nets.blocks import draw_weights, scaled
from viewfinder.nets.facts import IMAGENET

Profile = Literal["mended", "upstream"]

# VGG-16's stages: the channels and the number of convolutions of each.
STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
SIDE_CHANNELS = 32
# The last tap lies behind four halvings, which must come out even.
_STRIDE = 16

# ImageNet's colours, which the weights that may start the backbone have learnt to expect.
_MEAN, _DEVIATION = IMAGENET


class A2deleLogits(NamedTuple):
    """What the RGB stream returns, each at the picture's size.

    The logits are N×2×H×W, background and subject; the attention maps, N×1×H×W, are the logits of
    the gates at strides 4, 8 and 16, enlarged.
    """

    logits: Tensor
    attention4: Tensor
    attention8: Tensor
    attention16: Tensor


class Enlarge(nn.Module):
    """Bilinear enlargement by a whole factor, as the profile has it."""

    def __init__(self, factor: int, *, profile: Profile) -> None:
        super().__init__()
        self.factor = factor
        self.align_corners = profile == "upstream"

    def forward(self, x: Tensor) -> Tensor:  # N×C×H×W
        return F.interpolate(
            x, scale_factor=float(self.factor), mode="bilinear", align_corners=self.align_corners
        )  # N×C×factor·H×factor·W


class Decoder(nn.Module):
    """Three maps of equal channels at strides 16, 8 and 4 to two logits a pixel at stride 4."""

    def __init__(self, channels: int, *, profile: Profile) -> None:
        super().__init__()
        self.conv_upsample1 = _conv_norm(channels, channels, 3, padding=1)
        self.conv_upsample2 = _conv_norm(channels, channels, 3, padding=1)
        self.conv_upsample3 = _conv_norm(channels, channels, 3, padding=1)
        self.conv_upsample4 = _conv_norm(channels, channels, 3, padding=1)
        self.conv_upsample5 = _conv_norm(channels, channels, 3, padding=1)
        # The checkpoints hold these two, and no path leads through them.
        self.conv_concat2 = _conv_norm(2 * channels, 2 * channels, 3, padding=1)
        self.conv_concat3 = _conv_norm(3 * channels, 3 * channels, 3, padding=1)
        self.conv4 = _conv_norm(3 * channels, 3 * channels, 3, padding=1)
        self.conv5 = nn.Conv2d(3 * channels, 2, 1)
        self.enlarge = Enlarge(2, profile=profile)
        if profile == "mended":
            self.conv_concat2.requires_grad_(False)
            self.conv_concat3.requires_grad_(False)

    def forward(self, x16: Tensor, x8: Tensor, x4: Tensor) -> Tensor:  # N×C at strides 16, 8, 4
        x16_at_8 = self.enlarge(x16)  # N×C×H/8×W/8
        x16_at_4 = self.enlarge(x16_at_8)  # N×C×H/4×W/4
        sum8 = self.conv_upsample1(x16_at_8) + x8  # N×C×H/8×W/8
        # What comes up from stride 8 into the sum is the map itself, without what joined it there.
        sum4 = self.conv_upsample2(x16_at_4) + self.conv_upsample3(self.enlarge(x8)) + x4
        together = torch.cat(
            (sum4, self.conv_upsample4(x16_at_4), self.conv_upsample5(self.enlarge(sum8))), dim=1
        )  # N×3C×H/4×W/4
        logits: Tensor = self.conv5(self.conv4(together))  # N×2×H/4×W/4
        return logits


class ReceptiveFieldBlock(nn.Module):
    """Three branches on the same map that see ever more of it, and a shortcut (Liu et al., 2018).

    The only ReLU stands behind their sum.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.branch0 = nn.Sequential(_conv_norm(in_channels, channels, 1))
        self.branch1 = _branch(in_channels, channels, reach=3)
        self.branch2 = _branch(in_channels, channels, reach=5)
        self.conv_cat = _conv_norm(3 * channels, channels, 3, padding=1)
        self.conv_res = _conv_norm(in_channels, channels, 1)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:  # N×in_channels×H×W
        branches = torch.cat((self.branch0(x), self.branch1(x), self.branch2(x)), dim=1)
        total: Tensor = self.relu(self.conv_cat(branches) + self.conv_res(x))  # N×channels×H×W
        return total


class Stream(nn.Module):
    """What both streams have: VGG-16's convolutions, under names without a common prefix."""

    def __init__(self, *, width: float, profile: Profile) -> None:
        super().__init__()
        if profile not in ("mended", "upstream"):
            raise InputError(f"profile is {profile!r}: it must be 'mended' or 'upstream'")
        channels = 3
        for stage, (base, depth) in enumerate(STAGES, start=1):
            for place in range(1, depth + 1):
                conv = nn.Conv2d(channels, scaled(base, width), 3, padding=1)
                self.add_module(f"conv{stage}_{place}", conv)
                channels = conv.out_channels
                self.add_module(f"bn{stage}_{place}", nn.BatchNorm2d(channels))
        self.profile = profile
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)

    def taps(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # N×3×H×W
        """The maps of stages 3, 4 and 5: N×256, N×512 and N×512 at strides 4, 8 and 16."""
        maps = []
        for stage, (_, depth) in enumerate(STAGES, start=1):
            if stage > 1:
                x = self.pool(x)
            for place in range(1, depth + 1):
                x = self.get_submodule(f"conv{stage}_{place}")(x)
                x = self.relu(self.get_submodule(f"bn{stage}_{place}")(x))
            maps.append(x)
        return maps[2], maps[3], maps[4]


class Gated(nn.Module):
    """What an RGB stream has behind its taps, maps at strides 4, 8 and 16: gates and a decoder."""

    def make_gates(self, taps: Sequence[int], channels: int, profile: Profile) -> None:
        """The layers, to be made last.

        Args:
            taps: the channels of the three maps.
            channels: those that each is brought to.
        """
        c4, c8, c16 = taps
        # The depth stream has other layers under these names.
        self.rfb2_1 = nn.Conv2d(c4, channels, 1)
        self.rfb3_1 = nn.Conv2d(c8, channels, 1)
        self.rfb4_1 = nn.Conv2d(c16, channels, 1)
        self.att_1 = nn.Conv2d(channels, 1, 3, padding=1)
        self.att_2 = nn.Conv2d(channels, 1, 3, padding=1)
        self.att_3 = nn.Conv2d(channels, 1, 3, padding=1)
        self.agg1 = Decoder(channels, profile=profile)
        self.enlarge4 = Enlarge(4, profile=profile)
        self.enlarge8 = Enlarge(8, profile=profile)
        self.enlarge16 = Enlarge(16, profile=profile)
        _draw_weights(self, heads=[self.att_1, self.att_2, self.att_3, self.agg1.conv5])

    def taps(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # N×3×H×W
        """The maps at strides 4, 8 and 16, of pictures whose sides are multiples of 16."""
        raise NotImplementedError

    def forward(self, pictures: Tensor) -> A2deleLogits:  # N×3×H×W
        tap4, tap8, tap16 = self.taps(_padded(pictures))
        x4, x8, x16 = self.rfb2_1(tap4), self.rfb3_1(tap8), self.rfb4_1(tap16)  # N×32
        a4, a8, a16 = self.att_1(x4), self.att_2(x8), self.att_3(x16)  # N×1
        logits = self.agg1(x16 * a16.sigmoid(), x8 * a8.sigmoid(), x4 * a4.sigmoid())
        return A2deleLogits(
            _cropped(self.enlarge4(logits), pictures),  # N×2×H×W
            _cropped(self.enlarge4(a4), pictures),  # N×1×H×W
            _cropped(self.enlarge8(a8), pictures),
            _cropped(self.enlarge16(a16), pictures),
        )


class A2dele(Stream, Gated):
    """N×3×H×W pictures, normalised by ImageNet's mean and deviation, to `A2deleLogits`.

    Args:
        width: the factor on the channels of every convolution.
        profile: "mended", or "upstream" for weights that the authors' program trained.
    """

    def __init__(self, *, width: float = 1.0, profile: Profile = "mended") -> None:
        super().__init__(width=width, profile=profile)
        taps = [scaled(base, width) for base, _ in STAGES[2:]]
        self.make_gates(taps, scaled(SIDE_CHANNELS, width), profile)


class A2deleDepth(Stream):
    """N×1×H×W depth in [0, 1], near = bright, to N×2×H×W logits, background and subject.

    Args:
        width: the factor on the channels of every convolution.
        profile: "mended", or "upstream" for weights that the authors' program trained.
    """

    def __init__(self, *, width: float = 1.0, profile: Profile = "mended") -> None:
        super().__init__(width=width, profile=profile)
        c4, c8, c16 = (scaled(base, width) for base, _ in STAGES[2:])
        channels = scaled(SIDE_CHANNELS, width)
        self.rfb2_1 = ReceptiveFieldBlock(c4, channels)
        self.rfb3_1 = ReceptiveFieldBlock(c8, channels)
        self.rfb4_1 = ReceptiveFieldBlock(c16, channels)
        self.agg1 = Decoder(channels, profile=profile)
        self.enlarge4 = Enlarge(4, profile=profile)
        _draw_weights(self, heads=[self.agg1.conv5])

    def forward(self, depth: Tensor) -> Tensor:  # N×1×H×W
        tap4, tap8, tap16 = self.taps(_padded(self._as_picture(depth)))
        logits = self.agg1(self.rfb4_1(tap16), self.rfb3_1(tap8), self.rfb2_1(tap4))
        return _cropped(self.enlarge4(logits), depth)  # N×2×H×W

    def _as_picture(self, depth: Tensor) -> Tensor:  # N×1×H×W
        if self.profile == "upstream":
            return (depth / 255).expand(-1, 3, -1, -1)  # N×3×H×W, in [0, 1/255]
        mean, deviation = depth.new_tensor(_MEAN), depth.new_tensor(_DEVIATION)
        return (depth - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)  # N×3×H×W


def _conv_norm(
    in_channels: int,
    out_channels: int,
    kernel: int | tuple[int, int],
    *,
    padding: int | tuple[int, int] = 0,
    dilation: int = 1,
) -> nn.Sequential:
    conv = nn.Conv2d(
        in_channels, out_channels, kernel, padding=padding, dilation=dilation, bias=False
    )
    return nn.Sequential(OrderedDict(conv=conv, bn=nn.BatchNorm2d(out_channels)))


def _branch(in_channels: int, channels: int, *, reach: int) -> nn.Sequential:
    """A window of reach×reach, as a row and a column, and then a 3×3 one dilated by as much."""
    middle = reach // 2
    return nn.Sequential(
        _conv_norm(in_channels, channels, 1),
        _conv_norm(channels, channels, (1, reach), padding=(0, middle)),
        _conv_norm(channels, channels, (reach, 1), padding=(middle, 0)),
        _conv_norm(channels, channels, 3, padding=reach, dilation=reach),
    )


def _draw_weights(net: nn.Module, *, heads: list[nn.Conv2d]) -> None:
    draw_weights(net, heads=[])
    for (
        head
    ) in heads:  # Their outputs are logits: the first are near zero, either answer as likely.
        nn.init.normal_(head.weight, std=0.01)


def _padded(x: Tensor) -> Tensor:  # N×C×H×W
    """Continued at the right and lower edge to whole multiples of the last tap's stride."""
    height, width = x.shape[2:]
    # Repeating the edge adds no contour, which zeros would.
    return F.pad(x, (0, -width % _STRIDE, 0, -height % _STRIDE), mode="replicate")


def _cropped(maps: Tensor, pictures: Tensor) -> Tensor:
    return maps[:, :, : pictures.shape[2], : pictures.shape[3]]


a2dele = A2dele
a2dele_depth = A2deleDepth
