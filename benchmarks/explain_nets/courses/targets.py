"""Losses: masks, one-hot rows, verdicts, distances, and answers of another size."""

# ruff: noqa: E501 - as learners write it
# mypy: disable-error-code="operator, index, list-item"

import torch
import torch.nn.functional as F
from torch import nn

from explain_nets.mended import Mended  # type: ignore[import-not-found]

case = Mended()
CASES = case.cases


@case(
    "3x32x32",
    "32x32:int64",
    mend={
        "F.cross_entropy(y, masks)": 'F.cross_entropy(F.interpolate(y, size=masks.shape[-2:], mode="bilinear"), masks)'
    },
)
class MasksLargerThanTheAnswer(nn.Module):
    """A net that pools twice and never grows again."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(32, 4, 1),
        )

    def forward(self, pictures, masks):
        y = self.net(pictures)
        return F.cross_entropy(y, masks)


@case(
    "3x32x32",
    "1x32x32",
    mend={
        "binary_cross_entropy_with_logits(y, mask)": 'binary_cross_entropy_with_logits(F.interpolate(y, size=mask.shape[-2:], mode="bilinear"), mask)'
    },
)
class MaskOfOneClassLarger(nn.Module):
    """A decoder that lacks its last step."""

    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU()
        )
        self.up = nn.Sequential(nn.ConvTranspose2d(32, 16, 2, 2), nn.ReLU(), nn.Conv2d(16, 1, 1))

    def forward(self, picture, mask):
        y = self.up(self.down(picture))
        return F.binary_cross_entropy_with_logits(y, mask)


@case(
    "3x24x24",
    "1x24x24:int64",
    mend={"F.cross_entropy(y, mask)": "F.cross_entropy(y, mask.squeeze(1))"},
)
class MaskWithAChannel(nn.Module):
    """Masks of class numbers with a channel, as ToTensor gives them."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 5, 1))

    def forward(self, picture, mask):
        y = self.net(picture)
        return F.cross_entropy(y, mask)


@case(
    "3x24x24",
    "24x24x5",
    mend={"F.cross_entropy(y, mask)": "F.cross_entropy(y, mask.permute(0, 3, 1, 2))"},
)
class OneHotMaskLast(nn.Module):
    """Masks of shares whose classes come last."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 5, 1))

    def forward(self, picture, mask):
        y = self.net(picture)
        return F.cross_entropy(y, mask)


@case(
    "3x24x24", "24x24:int64", mend={"F.one_hot(mask, 4)": "F.one_hot(mask, 4).permute(0, 3, 1, 2)"}
)
class DiceOfOneHot(nn.Module):
    """one_hot puts the classes last."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 1))

    def forward(self, picture, mask):
        shares = self.net(picture).softmax(1)
        truth = F.one_hot(mask, 4).float()
        both = (shares * truth).sum((2, 3))
        return 1 - (2 * both / (shares.sum((2, 3)) + truth.sum((2, 3)) + 1e-6)).mean()


@case(
    "3x32x32",
    "",
    mend={
        "binary_cross_entropy_with_logits(y, real)": "binary_cross_entropy_with_logits(y.flatten(), real)"
    },
)
class VerdictOfAMap(nn.Module):
    """A discriminator of convolutions alone ends in a map of one."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 16, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(16, 32, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(32, 1, 8),
        )

    def forward(self, x, real):
        y = self.net(x)
        return F.binary_cross_entropy_with_logits(y, real)


@case(
    "12",
    "",
    mend={
        "nn.Linear(32, 2)": "nn.Linear(32, 1)",
        "binary_cross_entropy_with_logits(y, truth)": "binary_cross_entropy_with_logits(y.squeeze(1), truth)",
    },
)
class TwoAnswersForOneVerdict(nn.Module):
    """Two numbers come out, and one verdict is known."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, x, truth):
        y = self.net(x)
        return F.binary_cross_entropy_with_logits(y, truth)


@case(
    "12",
    "1:int64",
    mend={
        "binary_cross_entropy_with_logits(y, truth)": "binary_cross_entropy_with_logits(y, truth.float())"
    },
)
class WholeVerdicts(nn.Module):
    """Verdicts as whole numbers."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x, truth):
        y = self.net(x)
        return F.binary_cross_entropy_with_logits(y, truth)


@case("12", ":int32", mend={"F.cross_entropy(y, kind)": "F.cross_entropy(y, kind.long())"})
class ClassesOfNumpy(nn.Module):
    """Class numbers of 32 bits."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 3))

    def forward(self, x, kind):
        y = self.net(x)
        return F.cross_entropy(y, kind)


@case(
    "20:int64",
    "20:int64",
    mend={"F.cross_entropy(y, following)": "F.cross_entropy(y.transpose(1, 2), following)"},
)
class NextWords(nn.Module):
    """Scores of words come last, and the loss wants them second."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 16)
        self.rnn = nn.LSTM(16, 32, batch_first=True)
        self.fc = nn.Linear(32, 50)

    def forward(self, words, following):
        y = self.fc(self.rnn(self.embed(words))[0])
        return F.cross_entropy(y, following)


@case(
    "3x32x32",
    "3x32x32",
    "1:float32",
    mend={"cosine_embedding_loss(a, b, same)": "cosine_embedding_loss(a, b, same.squeeze(1))"},
)
class SamePairs(nn.Module):
    """Whether two are the same, with a dimension too many."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(16, 8),
        )

    def forward(self, one, two, same):
        a, b = self.body(one), self.body(two)
        return F.cosine_embedding_loss(a, b, same)


@case("1x28x28", mend={"nn.Linear(32, 128)": "nn.Linear(16, 128)"})
class SampledHalf(nn.Module):
    """A decoder made for the mean and the spread together."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 32)
        )
        self.decode = nn.Sequential(
            nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 784), nn.Sigmoid()
        )

    def forward(self, x):
        mean, spread = self.encode(x).chunk(2, dim=1)
        z = mean + torch.randn_like(spread) * (0.5 * spread).exp()
        y = self.decode(z)
        return (
            F.binary_cross_entropy(y, x.flatten(1))
            - 0.5 * (1 + spread - mean**2 - spread.exp()).mean()
        )
