"""A2dele's RGB stream on the maps of EfficientNet-lite0, whose ImageNet weights are installed.

Piao, Rong, Zhang, Ren, Lu: "A2dele: adaptive and attentive depth distiller for efficient RGB-D
salient object detection", 2020, for the gates and the decoder; Tan, Le: "EfficientNet", 2019, for
the backbone.

Layout: as in `a2dele.py`, with profile "mended", but for the backbone: the maps at strides 4, 8 and
16 are the last that EfficientNet-lite0 makes there, of 24, 40 and 112 channels; its blocks of
stride 32 are left out. It is taught by `a2dele-depth` as `a2dele` is. For who starts from
ImageNet's weights without fetching VGG-16's 500 MB, for a twenty-fifth of its multiply-adds.

Weights are drawn as by He et al. (2015); the layers that make logits get N(0, 0.01²).

| net | input | parameters | MACs |
|---|---|---|---|
| a2dele-lite0 | 3×256×256 | 957,221 | 825,618,432 |
| a2dele-lite0(width=0.25) | 3×256×256 | 100,277 | 97,433,600 |

MACs are the multiply-adds of convolutions for one picture; the parameters count the 120,128 of the
decoder's layers that nothing uses.
"""

from torch import Tensor, nn

from viewfinder.nets.a2dele import SIDE_CHANNELS, Gated
from viewfinder.nets.blocks import scaled
from viewfinder.nets.efficientnet_lite import Trunk

_STRIDES = (4, 8, 16)
_MOMENTUM = 0.1


class A2deleLite(Gated):
    """N×3×H×W pictures, in the colours of EfficientNet-lite's weights, to `A2deleLogits`.

    Args:
        width: the factor on the channels of every convolution; ImageNet's weights fit 1.
    """

    def __init__(self, *, width: float = 1.0) -> None:
        super().__init__()
        channels = scaled(SIDE_CHANNELS, width)
        self.backbone = Trunk(width, 1.0, deepest=_STRIDES[-1])
        # The published 0.01 suits millions of steps; in some hundred, statistics would stay
        # behind the weights, and answers with them.
        for module in self.backbone.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = _MOMENTUM
        taps = [feature.channels for feature in self.backbone.feature_info[1:]]
        self.make_gates(taps, channels, "mended")

    def taps(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # N×3×H×W
        """N×24, N×40 and N×112 at strides 4, 8 and 16."""
        _, x4, x8, x16 = self.backbone.feature_maps(x)
        return x4, x8, x16


a2dele_lite0 = A2deleLite
