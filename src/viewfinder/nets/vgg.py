"""VGG-16: thirteen 3×3 convolutions in five stages, three fully connected layers.

Simonyan, Zisserman: "Very deep convolutional networks for large-scale image recognition", 2014.

Layout: the paper's configuration D, with a batch norm after every convolution, which lets it be
trained in one go where the paper starts from a shallower trained net. Before the fully connected
layers an adaptive average makes 7×7 of any map, so that pictures of any size from 32 pixels on
work; at 224 it changes nothing. State-dict names are those of torchvision's `vgg16_bn`.

Weights are drawn as by He et al. (2015); see `blocks.draw_weights`.

| net | input | parameters | MACs |
|---|---|---|---|
| vgg16 | 3×224×224 | 138,365,992 | 15,470,264,320 |
| vgg16(downsample="stride") | 3×224×224 | 140,808,680 | 16,343,728,128 |

MACs are the multiply-adds of convolutions and matrix products for one picture.
"""

import itertools

from torch import Tensor, nn

from viewfinder.nets.blocks import (
    Downsampling,
    Feature,
    conv_norm_relu,
    downsampling,
    draw_weights,
    dropout_layer,
)

# Configuration D: the channels of each stage's convolutions. Two 3×3 windows see 5×5 and three
# see 7×7, with fewer weights than one such window and a ReLU between.
_STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


class VGG(nn.Module):
    """N×3×H×W pictures to N×classes logits.

    Args:
        downsample: "pool", or "stride" for strided convolutions of the same geometry.
        dropout: the share of the two hidden layers' values that training leaves out.
    """

    def __init__(
        self,
        *,
        classes: int = 1000,
        downsample: Downsampling = "pool",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential()
        self._ends: list[int] = []  # Where a stage's map is whole: before what halves it.
        self.feature_info = tuple(
            Feature(2**stage, channels[-1]) for stage, channels in enumerate(_STAGES)
        )
        channels = 3
        for stage in _STAGES:
            for out_channels in stage:
                # The norm makes the bias idle, but the published weights hold one.
                self.features.extend(
                    conv_norm_relu(channels, out_channels, kernel=3, padding=1, bias=True)
                )
                channels = out_channels
            self._ends.append(len(self.features))
            self.features.append(downsampling(downsample, channels, kernel=2, stride=2))
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        head = nn.Linear(4096, classes)
        self.classifier = nn.Sequential(
            nn.Linear(channels * 7 * 7, 4096),
            nn.ReLU(),
            dropout_layer(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            dropout_layer(dropout),
            head,
        )
        draw_weights(self, heads=[head])

    def feature_maps(self, x: Tensor) -> tuple[Tensor, ...]:  # N×3×H×W
        """What each of the five stages gives, at strides 1 to 16; see `blocks.FeatureNet`."""
        maps = []
        for start, end in itertools.pairwise((0, *self._ends)):
            x = self.features[start:end](x)  # … N×512×H/16×W/16
            maps.append(x)
        return tuple(maps)

    def forward(self, x: Tensor) -> Tensor:  # N×3×224×224
        x = self.features(x)  # N×512×7×7
        x = self.avgpool(x)
        x = x.flatten(1)  # N×25088
        logits: Tensor = self.classifier(x)  # N×classes
        return logits


vgg16 = VGG
