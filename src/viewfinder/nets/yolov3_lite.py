"""YOLOv3's three scales on the maps of EfficientNet-lite: a detector that starts from ImageNet.

Redmon, Farhadi: "YOLOv3: an incremental improvement", 2018, for the scales and what they predict;
Lin et al.: "Feature pyramid networks for object detection", 2017, for the way from coarse to fine;
Tan, Le: "EfficientNet", 2019, for the backbone, whose ImageNet weights come with the installation
(`--init imagenet`): where there are few labels, features that others learnt are worth more than a
larger net.

Layout, ours: the backbone's maps of strides 32, 16 and 8 are brought to `neck` channels by 1×1
convolutions; each coarser one is doubled, set beside the next finer, and both are mixed by a 3×3.
A scale predicts by a 3×3 and a 1×1. Anchors, cells and reach are those of `yolov3.py`; a picture's
sides must be multiples of 32.

Weights are drawn as by He et al. (2015); see `blocks.draw_weights`.

| net | input | parameters | MACs |
|---|---|---|---|
| yolov3-lite0 | 3×416×416 | 3,660,509 | 2,219,659,520 |
| yolov3-lite0(classes=3) | 3×320×320 | 3,593,288 | 1,266,838,400 |

MACs are the multiply-adds of convolutions for one picture.
"""

from collections import OrderedDict
from functools import partial

import torch
from torch import Tensor, nn

from viewfinder.nets.blocks import conv_norm_relu, draw_weights
from viewfinder.nets.efficientnet_lite import Trunk
from viewfinder.nets.yolo import BOX_VALUES, YOLO, Anchors, Masks, draw_predictors, scales_of
from viewfinder.nets.yolov3 import ANCHORS, MASKS


class YOLOv3Lite(YOLO):
    """N×3×H×W pictures to three maps, N×A·(5 + classes)×H/s×W/s for s = 32, 16, 8; see `nets.yolo`.

    Args:
        width: the backbone's factor on channels.
        depth: the backbone's factor on repeats.
        anchors: (width, height) of each anchor in pixels of the net's input.
        masks: for each scale, from stride 32 to 8, the indices of its anchors.
        reach: how far a centre may lie from its cell; see `yolov3.YOLOv3`.
        neck: channels of the maps that the scales predict from.
        still: how many of the backbone's blocks do not learn; see `efficientnet_lite.Trunk`.
    """

    def __init__(
        self,
        width: float,
        depth: float,
        /,
        *,
        classes: int = 80,
        anchors: Anchors = ANCHORS,
        masks: Masks = MASKS,
        reach: float = 1.0,
        neck: int = 96,
        still: int = 0,
    ) -> None:
        super().__init__()
        self.classes = classes
        self.scales = scales_of((32, 16, 8), anchors, masks, reach)
        out32, out16, out8 = (len(s.anchors) * (BOX_VALUES + classes) for s in self.scales)
        self.backbone = Trunk(width, depth, still=still)
        c8, c16, c32 = (feature.channels for feature in self.backbone.feature_info[-3:])
        self.narrow32 = conv_norm_relu(c32, neck, kernel=1)
        self.narrow16 = conv_norm_relu(c16, neck, kernel=1)
        self.narrow8 = conv_norm_relu(c8, neck, kernel=1)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")
        self.mix16 = conv_norm_relu(2 * neck, neck, kernel=3, padding=1)
        self.mix8 = conv_norm_relu(2 * neck, neck, kernel=3, padding=1)
        self.head32 = _head(neck, out32)
        self.head16 = _head(neck, out16)
        self.head8 = _head(neck, out8)
        draw_weights(self, heads=[])
        draw_predictors(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # N×3×416×416
        fine, middle, coarse = self.backbone.feature_maps(x)[-3:]  # strides 8, 16, 32
        x32 = self.narrow32(coarse)  # N×96×13×13
        x16 = torch.cat([self.upsample(x32), self.narrow16(middle)], dim=1)  # N×192×26×26
        x16 = self.mix16(x16)  # N×96×26×26
        x8 = torch.cat([self.upsample(x16), self.narrow8(fine)], dim=1)  # N×192×52×52
        x8 = self.mix8(x8)  # N×96×52×52
        return self.head32(x32), self.head16(x16), self.head8(x8)


def _head(channels: int, out_channels: int) -> nn.Sequential:
    """A 3×3 convolution, and the 1×1 that predicts."""
    unit = conv_norm_relu(channels, channels, kernel=3, padding=1)
    return nn.Sequential(OrderedDict(unit=unit, predict=nn.Conv2d(channels, out_channels, 1)))


yolov3_lite0 = partial(YOLOv3Lite, 1.0, 1.0)
