"""YOLOv3: every object of a picture in one pass, on three scales or, in the tiny net, on two.

Redmon, Farhadi: "YOLOv3: an incremental improvement", 2018; the pyramid of pools in `yolov3-spp`
from He, Zhang, Ren, Sun: "Spatial pyramid pooling in deep convolutional networks", 2014.

Layout: that of Darknet's `yolov3.cfg`, `yolov3-spp.cfg` and `yolov3-tiny.cfg`, whose weights load
(`darknet/`): the convolutions are created in the order in which those files hold them.
It departs from Darknet in these points:
  - a norm's running statistics move by a tenth of the way in each step of training, not by a
    hundredth, which would take longer to settle than a small set is trained;
  - objectness begins at 0.01 everywhere, as nearly all of a picture holds no object (Lin et al.,
    Focal loss for dense object detection, 2017, section 4.1); Darknet begins at 0.5.

The default anchors and masks are those of the published COCO weights. For the tiny net's finer
scale these are the anchors 1, 2, 3, though Darknet's own file has said 0, 1, 2 since.

A picture's sides must be multiples of 32, as its map shrinks by 32 and is doubled again to meet
those of the layers before; else any size works, and anchors stay what they are in pixels.

Weights are drawn as by He et al. (2015); see `blocks.draw_weights`.

| net | input | parameters | MACs |
|---|---|---|---|
| yolov3 | 3×416×416 | 61,949,149 | 32,932,037,632 |
| yolov3-spp | 3×416×416 | 62,998,749 | 33,109,246,976 |
| yolov3-tiny | 3×416×416 | 8,852,366 | 2,782,480,896 |
| yolov3(classes=20) | 3×416×416 | 61,626,049 | 32,713,987,072 |
| yolov3(classes=20, width=0.25) | 3×416×416 | 3,887,065 | 2,089,694,464 |
| yolov3-tiny(classes=3, width=0.5) | 3×320×320 | 2,174,968 | 414,720,000 |

MACs are the multiply-adds of convolutions for one picture.
"""

from collections import OrderedDict
from functools import partial

import torch
from torch import Tensor, nn

from viewfinder.nets.blocks import draw_weights, scaled
from viewfinder.nets.yolo import BOX_VALUES, YOLO, Anchors, Masks, draw_predictors, scales_of

# Widths and heights in pixels of the net's input, from small to large; and which of them each
# scale predicts, from the coarsest scale to the finest.
ANCHORS = (
    (10, 13), (16, 30), (33, 23),
    (30, 61), (62, 45), (59, 119),
    (116, 90), (156, 198), (373, 326),
)  # fmt: skip
MASKS = ((6, 7, 8), (3, 4, 5), (0, 1, 2))
TINY_ANCHORS = ((10, 14), (23, 27), (37, 58), (81, 82), (135, 169), (344, 319))
TINY_MASKS = ((3, 4, 5), (1, 2, 3))


class Residual(nn.Module):
    """A 1×1 convolution that narrows, a 3×3 that widens again, and the input added to it."""

    def __init__(self, channels: int, narrow: int) -> None:
        super().__init__()
        self.reduce = _unit(channels, narrow, kernel=1)
        self.expand = _unit(narrow, channels, kernel=3)

    def forward(self, x: Tensor) -> Tensor:  # N×channels×H×W
        total: Tensor = x + self.expand(self.reduce(x))
        return total


class Darknet53(nn.Module):
    """52 convolutions in five stages: N×3×H×W pictures to the maps of strides 8, 16 and 32."""

    def __init__(self, *, width: float) -> None:
        super().__init__()
        c1, c2, c3, c4, c5, c6 = (scaled(c, width) for c in (32, 64, 128, 256, 512, 1024))
        self.conv = _unit(3, c1, kernel=3)
        self.stage1 = _stage(c1, c2, narrow=c1, depth=1)
        self.stage2 = _stage(c2, c3, narrow=c2, depth=2)
        self.stage3 = _stage(c3, c4, narrow=c3, depth=8)
        self.stage4 = _stage(c4, c5, narrow=c4, depth=8)
        self.stage5 = _stage(c5, c6, narrow=c5, depth=4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # N×3×H×W
        x = self.conv(x)  # N×32×H×W
        x = self.stage1(x)  # N×64×H/2×W/2
        x = self.stage2(x)  # N×128×H/4×W/4
        fine = self.stage3(x)  # N×256×H/8×W/8
        middle = self.stage4(fine)  # N×512×H/16×W/16
        coarse = self.stage5(middle)  # N×1024×H/32×W/32
        return fine, middle, coarse


class PyramidPooling(nn.Module):
    """The map beside its maxima over 13×13, 9×9 and 5×5 cells: near and wide at every cell."""

    def __init__(self) -> None:
        super().__init__()
        self.pool13 = nn.MaxPool2d(13, stride=1, padding=6)
        self.pool9 = nn.MaxPool2d(9, stride=1, padding=4)
        self.pool5 = nn.MaxPool2d(5, stride=1, padding=2)

    def forward(self, x: Tensor) -> Tensor:  # N×C×H×W
        return torch.cat([self.pool13(x), self.pool9(x), self.pool5(x), x], dim=1)  # N×4C×H×W


class YOLOv3(YOLO):
    """N×3×H×W pictures to three maps, N×A·(5 + classes)×H/s×W/s for s = 32, 16, 8.

    A map's channels are, for each of its A anchors in turn: x, y, width, height, objectness and
    the classes, all of them raw; `tasks.detect.heads.yolo` makes boxes and scores of them.

    Args:
        spp: whether the coarsest scale has the pyramid of pools.
        anchors: (width, height) of each anchor in pixels of the net's input.
        masks: for each scale, from stride 32 to 8, the indices of its anchors.
        width: the factor on the channels of every convolution but the last of each scale.
        reach: how far a centre may lie from its cell: within a square of so many cells' sides
            around the cell's middle. At 1, a centre on the cell's edge takes an infinite x; above,
            it does not (Bochkovskiy et al., YOLOv4, 2020, section 4.3, "eliminate grid
            sensitivity"), and with 2 a cell reaches half-way into its neighbours. Published
            weights are of reach 1.
    """

    def __init__(
        self,
        spp: bool,
        /,
        *,
        classes: int = 80,
        anchors: Anchors = ANCHORS,
        masks: Masks = MASKS,
        width: float = 1.0,
        reach: float = 1.0,
    ) -> None:
        super().__init__()
        self.classes = classes
        self.scales = scales_of((32, 16, 8), anchors, masks, reach)
        c2, c3, c4, c5 = (scaled(channels, width) for channels in (128, 256, 512, 1024))
        out32, out16, out8 = (len(s.anchors) * (BOX_VALUES + classes) for s in self.scales)
        self.backbone = Darknet53(width=width)
        self.neck32 = _neck(c5, c4, c5, spp=spp)
        self.head32 = _head(c4, c5, out32)
        self.up16 = _up(c4, c3)
        self.neck16 = _neck(c3 + c4, c3, c4)
        self.head16 = _head(c3, c4, out16)
        self.up8 = _up(c3, c2)
        self.neck8 = _neck(c2 + c3, c2, c3)
        self.head8 = _head(c2, c3, out8)
        draw_weights(self, heads=[])
        draw_predictors(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # N×3×416×416
        fine, middle, coarse = self.backbone(x)  # N×256×52×52, N×512×26×26, N×1024×13×13
        x32 = self.neck32(coarse)  # N×512×13×13
        x16 = self.neck16(torch.cat([self.up16(x32), middle], dim=1))  # N×256×26×26
        x8 = self.neck8(torch.cat([self.up8(x16), fine], dim=1))  # N×128×52×52
        return self.head32(x32), self.head16(x16), self.head8(x8)


class YOLOv3Tiny(YOLO):
    """N×3×H×W pictures to two maps, N×A·(5 + classes)×H/s×W/s for s = 32, 16; see `YOLOv3`.

    Args:
        anchors: (width, height) of each anchor in pixels of the net's input.
        masks: for each scale, stride 32 before 16, the indices of its anchors.
        width: the factor on the channels of every convolution but the last of each scale.
        reach: how far a centre may lie from its cell; see `YOLOv3`.
    """

    def __init__(
        self,
        *,
        classes: int = 80,
        anchors: Anchors = TINY_ANCHORS,
        masks: Masks = TINY_MASKS,
        width: float = 1.0,
        reach: float = 1.0,
    ) -> None:
        super().__init__()
        self.classes = classes
        self.scales = scales_of((32, 16), anchors, masks, reach)
        c1, c2, c3, c4, c5, c6, c7 = (scaled(16 * 2**i, width) for i in range(7))
        out32, out16 = (len(s.anchors) * (BOX_VALUES + classes) for s in self.scales)
        self.conv1 = _unit(3, c1, kernel=3, halve=True)
        self.conv2 = _unit(c1, c2, kernel=3, halve=True)
        self.conv3 = _unit(c2, c3, kernel=3, halve=True)
        self.conv4 = _unit(c3, c4, kernel=3, halve=True)
        self.conv5 = _unit(c4, c5, kernel=3)
        self.conv6 = _unit(c5, c6, kernel=3)
        self.conv7 = _unit(c6, c7, kernel=3)
        self.neck32 = _unit(c7, c5, kernel=1)
        self.head32 = _head(c5, c6, out32)
        self.up16 = _up(c5, c4)
        self.head16 = _head(c4 + c5, c5, out16)
        self.halve = nn.MaxPool2d(2, stride=2)
        # Each cell with its right and lower neighbour. The last column and row are doubled, which
        # changes no maximum, so that the map keeps its size.
        self.pad = nn.ReplicationPad2d((0, 1, 0, 1))
        self.pool = nn.MaxPool2d(2, stride=1)
        draw_weights(self, heads=[])
        draw_predictors(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # N×3×416×416
        x = self.conv1(x)  # N×16×208×208
        x = self.conv2(x)  # N×32×104×104
        x = self.conv3(x)  # N×64×52×52
        x = self.conv4(x)  # N×128×26×26
        middle = self.conv5(x)  # N×256×26×26
        x = self.conv6(self.halve(middle))  # N×512×13×13
        x = self.conv7(self.pool(self.pad(x)))  # N×1024×13×13
        x32 = self.neck32(x)  # N×256×13×13
        x16 = torch.cat([self.up16(x32), middle], dim=1)  # N×384×26×26
        return self.head32(x32), self.head16(x16)


def _unit(
    in_channels: int, out_channels: int, *, kernel: int, stride: int = 1, halve: bool = False
) -> nn.Sequential:
    """Convolution that keeps the size but for its stride, batch norm, leaky ReLU of slope 0.1.

    With `halve` the 2×2 maxima of that. They are taken before the leaky ReLU, which then has a
    quarter of the work: as it rises everywhere, it gives of a maximum the maximum of what it gives.
    """
    conv = nn.Conv2d(
        in_channels, out_channels, kernel, stride=stride, padding=kernel // 2, bias=False
    )
    # In place, as the norm before it needs its input and not its output for the gradient.
    leaky = nn.LeakyReLU(0.1, inplace=True)
    norm = nn.BatchNorm2d(out_channels)
    if halve:
        pool = nn.MaxPool2d(2, stride=2)
        return nn.Sequential(OrderedDict(conv=conv, bn=norm, pool=pool, leaky=leaky))
    return nn.Sequential(OrderedDict(conv=conv, bn=norm, leaky=leaky))


def _stage(in_channels: int, channels: int, *, narrow: int, depth: int) -> nn.Sequential:
    """A convolution that halves the map, and `depth` residuals."""
    halve = _unit(in_channels, channels, kernel=3, stride=2)
    return nn.Sequential(halve, *(Residual(channels, narrow) for _ in range(depth)))


def _neck(in_channels: int, narrow: int, wide: int, *, spp: bool = False) -> nn.Sequential:
    """Five convolutions, 1×1 and 3×3 in turn; with `spp` the pyramid after the third of them."""
    pyramid = [PyramidPooling(), _unit(4 * narrow, narrow, kernel=1)] if spp else []
    return nn.Sequential(
        _unit(in_channels, narrow, kernel=1),
        _unit(narrow, wide, kernel=3),
        _unit(wide, narrow, kernel=1),
        *pyramid,
        _unit(narrow, wide, kernel=3),
        _unit(wide, narrow, kernel=1),
    )


def _head(in_channels: int, wide: int, out_channels: int) -> nn.Sequential:
    """A 3×3 convolution, and the 1×1 that predicts."""
    predict = nn.Conv2d(wide, out_channels, 1)
    return nn.Sequential(OrderedDict(unit=_unit(in_channels, wide, kernel=3), predict=predict))


def _up(in_channels: int, channels: int) -> nn.Sequential:
    """A map narrowed and doubled, to stand beside a finer one."""
    return nn.Sequential(
        _unit(in_channels, channels, kernel=1), nn.Upsample(scale_factor=2, mode="nearest")
    )


yolov3 = partial(YOLOv3, False)
yolov3_spp = partial(YOLOv3, True)
yolov3_tiny = YOLOv3Tiny
