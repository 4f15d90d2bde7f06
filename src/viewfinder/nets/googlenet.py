"""GoogLeNet: nine Inception modules, each four branches side by side, and two auxiliary heads.

Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich: "Going deeper with
convolutions", 2014.

Layout: torchvision's, with its state-dict names, so that its weights load. It departs from the
paper in these points:
  - a batch norm (ε = 0.001) after every convolution instead of local response normalisation;
  - the branch that the paper gives 5×5 windows has 3×3 ones. That is a slip of the port, kept
    because the published weights were trained with it;
  - the auxiliary heads average their maps to 4×4 whatever the size of the picture;
  - dropout before the last layer is 0.2, the paper's is 0.4.

In training the net returns `GoogLeNetLogits`, main and auxiliary; in evaluation the main logits.
Pictures of any size from 15 pixels on work.

Weights are drawn as by He et al. (2015); see `blocks.draw_weights`.

| net | input | parameters | MACs |
|---|---|---|---|
| googlenet | 3×224×224 | 13,004,888 | 1,498,376,192 |
| googlenet(auxiliary=False) | 3×224×224 | 6,624,904 | 1,498,376,192 |

MACs are the multiply-adds of convolutions and matrix products for one picture in evaluation,
where the auxiliary heads are at rest; the parameters count the heads wherever the net has them.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from viewfinder.nets.blocks import conv_norm_relu, draw_weights, dropout_layer
from viewfinder.nets.facts import IMAGENET

# The published weights of torchvision expect pixels in [-1, 1]; this takes a picture normalised
# by ImageNet's mean and deviation there: (x · deviation + mean − 0.5) / 0.5, a channel each.
_SCALE = tuple(deviation / 0.5 for deviation in IMAGENET.std)
_SHIFT = tuple((mean - 0.5) / 0.5 for mean in IMAGENET.mean)


class GoogLeNetLogits(NamedTuple):
    """What GoogLeNet returns in training, each N×classes; the heads in the order of depth."""

    logits: Tensor
    auxiliary1: Tensor
    auxiliary2: Tensor


class Inception(nn.Module):
    """Four branches on the same map, concatenated in depth, so that each scale has its channels.

    Args:
        one: channels of the 1×1 branch.
        three: channels of the 3×3 branch, first those it is reduced to by a 1×1 convolution.
        five: the same of the branch the paper calls 5×5.
        pool: channels to which the pooled map is projected.
    """

    def __init__(
        self, channels: int, *, one: int, three: tuple[int, int], five: tuple[int, int], pool: int
    ) -> None:
        super().__init__()
        self.branch1 = _unit(channels, one, kernel=1)
        self.branch2 = nn.Sequential(
            _unit(channels, three[0], kernel=1), _unit(three[0], three[1], kernel=3, padding=1)
        )
        self.branch3 = nn.Sequential(
            _unit(channels, five[0], kernel=1), _unit(five[0], five[1], kernel=3, padding=1)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), _unit(channels, pool, kernel=1)
        )
        self.out_channels = one + three[1] + five[1] + pool

    def forward(self, x: Tensor) -> Tensor:  # N×channels×H×W
        branches = (
            self.branch1(x),  # N×one×H×W
            self.branch2(x),  # N×three[1]×H×W
            self.branch3(x),  # N×five[1]×H×W
            self.branch4(x),  # N×pool×H×W
        )
        return torch.cat(branches, dim=1)  # N×(one + three[1] + five[1] + pool)×H×W


class AuxiliaryHead(nn.Module):
    """A small classifier half-way up, which brings the gradient to the layers below it."""

    def __init__(self, channels: int, classes: int, *, dropout: float) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(4)
        self.conv = _unit(channels, 128, kernel=1)
        self.fc1 = nn.Linear(128 * 4 * 4, 1024)
        self.relu = nn.ReLU()
        self.dropout = dropout_layer(dropout, option="auxiliary_dropout")
        self.fc2 = nn.Linear(1024, classes)

    def forward(self, x: Tensor) -> Tensor:  # N×channels×14×14
        x = self.conv(self.avgpool(x))  # N×128×4×4
        x = x.flatten(1)  # N×2048
        x = self.dropout(self.relu(self.fc1(x)))  # N×1024
        logits: Tensor = self.fc2(x)  # N×classes
        return logits


class GoogLeNet(nn.Module):
    """N×3×H×W pictures to N×classes logits; in training to `GoogLeNetLogits`.

    Args:
        auxiliary: whether to build the auxiliary heads; without them training returns the main
            logits alone. The paper counts each head's loss 0.3 beside the main one.
        dropout: the share of the values before the last layer that training leaves out.
        auxiliary_dropout: the same within the auxiliary heads.
        transform_input: take pictures normalised as for every other net to the [-1, 1] that
            torchvision's published weights were trained on. Needed for their predictions as they
            stand; of little matter to fine-tuning, where the first batch norm adapts.
    """

    def __init__(
        self,
        *,
        classes: int = 1000,
        auxiliary: bool = True,
        dropout: float = 0.2,
        auxiliary_dropout: float = 0.7,
        transform_input: bool = False,
    ) -> None:
        super().__init__()
        self.transform_input = transform_input
        self.conv1 = _unit(3, 64, kernel=7, stride=2, padding=3)
        self.maxpool1 = _halve(3)
        self.conv2 = _unit(64, 64, kernel=1)
        self.conv3 = _unit(64, 192, kernel=3, padding=1)
        self.maxpool2 = _halve(3)
        self.inception3a = Inception(192, one=64, three=(96, 128), five=(16, 32), pool=32)
        self.inception3b = Inception(256, one=128, three=(128, 192), five=(32, 96), pool=64)
        self.maxpool3 = _halve(3)
        self.inception4a = Inception(480, one=192, three=(96, 208), five=(16, 48), pool=64)
        self.inception4b = Inception(512, one=160, three=(112, 224), five=(24, 64), pool=64)
        self.inception4c = Inception(512, one=128, three=(128, 256), five=(24, 64), pool=64)
        self.inception4d = Inception(512, one=112, three=(144, 288), five=(32, 64), pool=64)
        self.inception4e = Inception(528, one=256, three=(160, 320), five=(32, 128), pool=128)
        self.maxpool4 = _halve(2)
        self.inception5a = Inception(832, one=256, three=(160, 320), five=(32, 128), pool=128)
        self.inception5b = Inception(832, one=384, three=(192, 384), five=(48, 128), pool=128)
        self.aux1: AuxiliaryHead | None = None
        self.aux2: AuxiliaryHead | None = None
        if auxiliary:
            self.aux1 = AuxiliaryHead(512, classes, dropout=auxiliary_dropout)
            self.aux2 = AuxiliaryHead(528, classes, dropout=auxiliary_dropout)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = dropout_layer(dropout)
        self.fc = nn.Linear(1024, classes)
        heads = [self.fc, *(aux.fc2 for aux in (self.aux1, self.aux2) if aux is not None)]
        draw_weights(self, heads=heads)

    def forward(self, x: Tensor) -> Tensor | GoogLeNetLogits:  # N×3×224×224
        if self.transform_input:
            x = x * x.new_tensor(_SCALE).view(3, 1, 1) + x.new_tensor(_SHIFT).view(3, 1, 1)
        x = self.maxpool1(self.conv1(x))  # N×64×56×56
        x = self.maxpool2(self.conv3(self.conv2(x)))  # N×192×28×28
        x = self.inception3b(self.inception3a(x))  # N×480×28×28
        x = self.inception4a(self.maxpool3(x))  # N×512×14×14
        auxiliary1 = self.aux1(x) if self.training and self.aux1 is not None else None
        x = self.inception4d(self.inception4c(self.inception4b(x)))  # N×528×14×14
        auxiliary2 = self.aux2(x) if self.training and self.aux2 is not None else None
        x = self.inception4e(x)  # N×832×14×14
        x = self.inception5b(self.inception5a(self.maxpool4(x)))  # N×1024×7×7
        x = self.avgpool(x).flatten(1)  # N×1024
        logits: Tensor = self.fc(self.dropout(x))  # N×classes
        if auxiliary1 is not None and auxiliary2 is not None:
            return GoogLeNetLogits(logits, auxiliary1, auxiliary2)
        return logits


def _unit(
    in_channels: int, out_channels: int, *, kernel: int, stride: int = 1, padding: int = 0
) -> nn.Sequential:
    return conv_norm_relu(
        in_channels, out_channels, kernel=kernel, stride=stride, padding=padding, eps=0.001
    )


def _halve(kernel: int) -> nn.MaxPool2d:
    """A pool of stride 2 whose last window may reach over the edge: 112 → 56, 56 → 28, 28 → 14."""
    return nn.MaxPool2d(kernel, stride=2, ceil_mode=True)


googlenet = GoogLeNet
