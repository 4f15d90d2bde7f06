"""LeNet: two convolutions, two halvings, three fully connected layers.

LeCun, Bottou, Bengio, Haffner: "Gradient-based learning applied to document recognition", 1998.

Layout: the form in which LeNet-5 is taught today, for small colour pictures such as CIFAR-10's.
It departs from the paper in these points:
  - three colour channels in, 16 and 32 feature maps instead of 6 and 16;
  - ReLU instead of a scaled tanh, and maximum pooling instead of a trained average;
  - every map of the second convolution sees all maps of the first (the paper's table leaves gaps);
  - a linear last layer, trained by cross-entropy, instead of radial basis functions.

Weights are drawn as by He et al. (2015); see `blocks.draw_weights`.

| net | input | parameters | MACs |
|---|---|---|---|
| lenet | 3×32×32 | 121,182 | 2,327,720 |
| lenet(downsample="stride") | 3×32×32 | 126,350 | 2,630,824 |
| lenet(size=64) | 3×64×64 | 674,142 | 13,632,680 |

Ten classes. MACs are the multiply-adds of convolutions and matrix products for one picture.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from viewfinder.nets.blocks import (
    Downsampling,
    downsampling,
    draw_weights,
    dropout_layer,
    size_after,
)


class LeNet(nn.Module):
    """N×3×H×W pictures to N×classes logits, H×W being `size`.

    Args:
        size: the side of square pictures, or (height, width); at least 16 pixels.
        downsample: "pool", or "stride" for strided convolutions of the same geometry.
        dropout: the share of the two hidden layers' values that training leaves out.
    """

    def __init__(
        self,
        *,
        classes: int = 10,
        size: int | Sequence[int] = 32,
        downsample: Downsampling = "pool",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 5)
        self.down1 = downsampling(downsample, 16, kernel=2, stride=2)
        self.conv2 = nn.Conv2d(16, 32, 5)
        self.down2 = downsampling(downsample, 32, kernel=2, stride=2)
        height, width = size_after(self.children(), size, net="lenet")
        self.fc1 = nn.Linear(32 * height * width, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)
        self.relu = nn.ReLU()
        self.dropout = dropout_layer(dropout)
        draw_weights(self, heads=[self.fc3])

    def forward(self, x: Tensor) -> Tensor:  # N×3×32×32
        x = self.relu(self.conv1(x))  # N×16×28×28
        x = self.down1(x)  # N×16×14×14
        x = self.relu(self.conv2(x))  # N×32×10×10
        x = self.down2(x)  # N×32×5×5
        x = x.flatten(1)  # N×800
        x = self.dropout(self.relu(self.fc1(x)))  # N×120
        x = self.dropout(self.relu(self.fc2(x)))  # N×84
        logits: Tensor = self.fc3(x)  # N×classes
        return logits


lenet = LeNet
