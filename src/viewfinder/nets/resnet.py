"""ResNet: stages of blocks that add to their input, 18 to 152 layers deep.

He, Zhang, Ren, Sun: "Deep residual learning for image recognition", 2015.

Layout: the paper's table 1, shortcuts of kind B (a 1×1 convolution where the size changes). It
departs from the paper in one point: in the bottleneck of 50 layers and more, the stride stands on
the 3×3 convolution instead of the 1×1 before it, which would throw three of four values away.
State-dict names are those of torchvision, whose weights load. Pictures of any size work.

`stem="small"` is for pictures of about 32×32, where the paper's stem would leave 8×8 of 32×32
before the first block: a 3×3 convolution of stride 1 and no pool, as in the paper's section 4.2.

Weights are drawn as by He et al. (2015); see `blocks.draw_weights`.

| net | input | parameters | MACs |
|---|---|---|---|
| resnet18 | 3×224×224 | 11,689,512 | 1,814,073,344 |
| resnet34 | 3×224×224 | 21,797,672 | 3,663,761,408 |
| resnet50 | 3×224×224 | 25,557,032 | 4,089,184,256 |
| resnet101 | 3×224×224 | 44,549,160 | 7,801,405,440 |
| resnet152 | 3×224×224 | 60,192,808 | 11,513,626,624 |
| resnet18(classes=10, stem="small") | 3×32×32 | 11,173,962 | 555,422,720 |
| resnet18(classes=10, stem="small", width=0.5) | 3×32×32 | 2,797,610 | 139,299,328 |

MACs are the multiply-adds of convolutions and matrix products for one picture.
"""

from functools import partial
from typing import Literal

from torch import Tensor, nn

from viewfinder.errors import InputError
from viewfinder.nets.blocks import Feature, draw_weights, dropout_layer, scaled


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: y = ReLU(f(x) + x)."""

    expansion = 1  # Channels out of the block for each channel within.

    def __init__(self, in_channels: int, channels: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        self.downsample = _shortcut(in_channels, channels, stride=stride)

    @property
    def last_norm(self) -> nn.BatchNorm2d:
        return self.bn2

    def forward(self, x: Tensor) -> Tensor:  # N×in_channels×H×W
        branch = self.relu(self.bn1(self.conv1(x)))  # N×channels×H/stride×W/stride
        branch = self.bn2(self.conv2(branch))
        total: Tensor = self.relu(branch + self.downsample(x))
        return total


class Bottleneck(nn.Module):
    """A 3×3 convolution between a 1×1 that narrows and a 1×1 that widens, and a shortcut."""

    expansion = 4

    def __init__(self, in_channels: int, channels: int, *, stride: int) -> None:
        super().__init__()
        out_channels = self.expansion * channels
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU()
        self.downsample = _shortcut(in_channels, out_channels, stride=stride)

    @property
    def last_norm(self) -> nn.BatchNorm2d:
        return self.bn3

    def forward(self, x: Tensor) -> Tensor:  # N×in_channels×H×W
        branch = self.relu(self.bn1(self.conv1(x)))  # N×channels×H×W
        branch = self.relu(self.bn2(self.conv2(branch)))  # N×channels×H/stride×W/stride
        branch = self.bn3(self.conv3(branch))  # N×4·channels×H/stride×W/stride
        total: Tensor = self.relu(branch + self.downsample(x))
        return total


Block = BasicBlock | Bottleneck


class ResNet(nn.Module):
    """N×3×H×W pictures to N×classes logits.

    Args:
        block: the kind of block, one for all stages.
        depths: how many blocks each of the four stages has.
        stem: "imagenet", or "small" for pictures of about 32×32.
        width: the factor on the channels of every convolution.
        dropout: the share of the values before the last layer that training leaves out.
        zero_residual: start each block as its shortcut alone, by a last norm of zeros (Goyal et
            al., Accurate, large minibatch SGD, 2017): steadier first epochs in deep nets.
    """

    def __init__(
        self,
        block: type[Block],
        depths: tuple[int, int, int, int],
        /,
        *,
        classes: int = 1000,
        stem: Literal["imagenet", "small"] = "imagenet",
        width: float = 1.0,
        dropout: float = 0.0,
        zero_residual: bool = False,
    ) -> None:
        super().__init__()
        c1, c2, c3, c4 = (scaled(channels, width) for channels in (64, 128, 256, 512))
        self.conv1, self.maxpool = _stem(stem, c1)
        self.bn1 = nn.BatchNorm2d(c1)
        self.relu = nn.ReLU()
        out1, out2, out3, out4 = (block.expansion * channels for channels in (c1, c2, c3, c4))
        self.layer1 = _stage(block, depths[0], c1, c1, stride=1)
        self.layer2 = _stage(block, depths[1], out1, c2, stride=2)
        self.layer3 = _stage(block, depths[2], out2, c3, stride=2)
        self.layer4 = _stage(block, depths[3], out3, c4, stride=2)
        first = 1 if stem == "small" else 4
        self.feature_info = tuple(
            Feature(first * 2**stage, channels)
            for stage, channels in enumerate((out1, out2, out3, out4))
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = dropout_layer(dropout)
        self.fc = nn.Linear(out4, classes)
        draw_weights(self, heads=[self.fc])
        if zero_residual:
            for module in self.modules():
                if isinstance(module, Block):
                    nn.init.zeros_(module.last_norm.weight)

    def feature_maps(self, x: Tensor) -> tuple[Tensor, ...]:  # N×3×224×224
        """What each of the four stages gives; see `blocks.FeatureNet`."""
        x = self.relu(self.bn1(self.conv1(x)))  # N×64×112×112
        x = self.maxpool(x)  # N×64×56×56
        x4 = self.layer1(x)  # N×64·expansion×56×56
        x8 = self.layer2(x4)  # N×128·expansion×28×28
        x16 = self.layer3(x8)  # N×256·expansion×14×14
        x32 = self.layer4(x16)  # N×512·expansion×7×7
        return x4, x8, x16, x32

    def forward(self, x: Tensor) -> Tensor:  # N×3×224×224
        *_, x = self.feature_maps(x)  # N×512·expansion×7×7
        x = self.avgpool(x).flatten(1)  # N×512·expansion
        logits: Tensor = self.fc(self.dropout(x))  # N×classes
        return logits


def _stem(stem: str, channels: int) -> tuple[nn.Conv2d, nn.Module]:
    if stem == "imagenet":
        conv = nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False)
        return conv, nn.MaxPool2d(3, stride=2, padding=1)
    if stem == "small":
        return nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.Identity()
    raise InputError(f"stem is {stem!r}: it must be 'imagenet' or 'small'")


def _stage(
    block: type[Block], depth: int, in_channels: int, channels: int, *, stride: int
) -> nn.Sequential:
    """`depth` blocks, of which the first takes the stride and the change of channels."""
    first = block(in_channels, channels, stride=stride)
    rest = (block(block.expansion * channels, channels, stride=1) for _ in range(depth - 1))
    return nn.Sequential(first, *rest)


def _shortcut(in_channels: int, out_channels: int, *, stride: int) -> nn.Module:
    """The input itself where the sum allows it, else a 1×1 convolution that makes it fit."""
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False),
        nn.BatchNorm2d(out_channels),
    )


# Table 1 of the paper.
resnet18 = partial(ResNet, BasicBlock, (2, 2, 2, 2))
resnet34 = partial(ResNet, BasicBlock, (3, 4, 6, 3))
resnet50 = partial(ResNet, Bottleneck, (3, 4, 6, 3))
resnet101 = partial(ResNet, Bottleneck, (3, 4, 23, 3))
resnet152 = partial(ResNet, Bottleneck, (3, 8, 36, 3))
