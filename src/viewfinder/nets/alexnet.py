"""AlexNet: five convolutions and three fully connected layers.

Krizhevsky, Sutskever, Hinton: "ImageNet classification with deep convolutional neural networks",
2012.

Layout: the paper's channels, 96-256-384-384-256, on one device. `width=0.5` is one of the paper's
two halves, 48-128-192-192-128. It departs from the paper in these points:
  - fully connected layers of 2048, the share of one half, instead of 4096;
  - no groups: each convolution sees all maps of the one before;
  - no local response normalisation, which later work found to be of little use;
  - 224×224 pictures padded by one pixel before and two after, where the paper's 224 does not fit
    its own arithmetic: (224 − 11 + 3)/4 + 1 = 55.
torchvision's `alexnet` is another variant (Krizhevsky's of 2014: 64-192-384-256-256, 4096), so its
weights do not fit here.

Weights: the paper's N(0, 0.01²) with biases of one goes with its normalisation. Here a layer of n
inputs gets N(0, 1/n) (LeCun et al., Efficient backprop, 1998): a ReLU halves the signal's mean
square and overlapping maximum pools raise it again, so that with He's 2/n (2015) it would grow
until training diverges. He's is drawn where strided convolutions stand for the pools.

| net | input | parameters | MACs |
|---|---|---|---|
| alexnet | 3×224×224 | 28,868,968 | 1,101,750,816 |
| alexnet(width=0.5) | 3×224×224 | 16,630,440 | 311,191,824 |
| alexnet(downsample="stride") | 3×224×224 | 30,132,168 | 1,283,130,912 |

MACs are the multiply-adds of convolutions and matrix products for one picture.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from viewfinder.nets.blocks import (
    Downsampling,
    downsampling,
    draw_weights,
    dropout_layer,
    scaled,
    size_after,
)


class AlexNet(nn.Module):
    """N×3×H×W pictures to N×classes logits, H×W being `size`.

    Args:
        size: the side of square pictures, or (height, width); at least 64 pixels.
        width: the factor on the channels of every convolution.
        downsample: "pool", or "stride" for strided convolutions of the same geometry.
        dropout: the share of the two hidden layers' values that training leaves out.
    """

    def __init__(
        self,
        *,
        classes: int = 1000,
        size: int | Sequence[int] = 224,
        width: float = 1.0,
        downsample: Downsampling = "pool",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        c1, c2, c3, c4, c5 = (scaled(channels, width) for channels in (96, 256, 384, 384, 256))
        # padding=2 would give 55×55 too, yet other numbers. Of its 224 + 4 pixels a stride of 4
        # never reaches the last: it amounts to two before and one after, and every window lies
        # one pixel to the upper left of those of the paper's [1, 2].
        self.pad1 = nn.ZeroPad2d((1, 2, 1, 2))
        self.conv1 = nn.Conv2d(3, c1, 11, stride=4)
        self.down1 = downsampling(downsample, c1, kernel=3, stride=2)
        self.conv2 = nn.Conv2d(c1, c2, 5, padding=2)
        self.down2 = downsampling(downsample, c2, kernel=3, stride=2)
        self.conv3 = nn.Conv2d(c2, c3, 3, padding=1)
        self.conv4 = nn.Conv2d(c3, c4, 3, padding=1)
        self.conv5 = nn.Conv2d(c4, c5, 3, padding=1)
        self.down5 = downsampling(downsample, c5, kernel=3, stride=2)
        rows, columns = size_after(self.children(), size, net="alexnet")
        self.fc6 = nn.Linear(c5 * rows * columns, 2048)
        self.fc7 = nn.Linear(2048, 2048)
        self.fc8 = nn.Linear(2048, classes)
        self.relu = nn.ReLU()
        self.dropout = dropout_layer(dropout)
        draw_weights(self, heads=[self.fc8], gain=1.0 if downsample == "pool" else 2.0)

    def forward(self, x: Tensor) -> Tensor:  # N×3×224×224
        x = self.pad1(x)  # N×3×227×227
        x = self.relu(self.conv1(x))  # N×96×55×55
        x = self.down1(x)  # N×96×27×27
        x = self.relu(self.conv2(x))  # N×256×27×27
        x = self.down2(x)  # N×256×13×13
        x = self.relu(self.conv3(x))  # N×384×13×13
        x = self.relu(self.conv4(x))
        x = self.relu(self.conv5(x))  # N×256×13×13
        x = self.down5(x)  # N×256×6×6
        x = x.flatten(1)  # N×9216
        x = self.dropout(self.relu(self.fc6(x)))  # N×2048
        x = self.dropout(self.relu(self.fc7(x)))
        logits: Tensor = self.fc8(x)  # N×classes
        return logits


alexnet = AlexNet
