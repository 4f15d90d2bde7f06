"""First fixes where a call, a layer or a block was made for other dimensions than it meets."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viewfinder.explain import Mistake, explain


def first_fix(net: nn.Module, *inputs: object) -> str:
    mistake: Mistake | None = explain(net, *inputs).mistake
    assert mistake is not None
    offer = mistake.offers[0]
    assert offer.whole
    assert not offer.means
    return offer.text.partition(" instead of ")[0].partition("; then")[0]


class Positions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(100, 32), nn.Embedding(64, 32)

    def forward(self, x: Tensor) -> Tensor:
        return self.words(x) + self.places(torch.arange(x.size(0)))


class Boxes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.anchors = nn.Conv2d(3, 4, 4, 4), nn.Buffer(torch.ones(64, 4))

    def forward(self, x: Tensor) -> Tensor:
        boxes = self.conv(x).flatten(2).transpose(1, 2)
        return boxes[:, :2] * self.anchors[:, 2:]


class Views(nn.Module):
    def forward(self, one: Tensor, two: Tensor) -> Tensor:
        n = one.size(0)
        z = torch.cat([one, two])
        return z @ z.T - torch.eye(n)


class OneHot(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        y = F.one_hot(y, 4)
        return (x * y).sum() / (x + y).sum()


class Pairs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(32, 4)

    def forward(self, one: Tensor, two: Tensor) -> Tensor:
        return self.fc(torch.cat([one, two]))


class Tokens(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(32, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.transpose(1, 2).reshape(x.size(0), 32, 4, 4))


class Patches(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        cut = F.unfold(x, 6, stride=3)
        return F.fold(cut, (24, 24), 6, stride=6)


class Levels(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 16, 3, 8, 1), nn.Conv2d(16, 24, 3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        one = self.a(x)
        both = torch.cat([one, self.b(one)], 1)
        return both.view(x.size(0), -1, 4)


class Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.deep = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
        self.up = nn.ConvTranspose2d(16, 8, 2, 2)
        self.out = nn.Sequential(nn.Conv2d(16, 2, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        skip = self.down(x)
        return self.out(self.up(self.deep(F.max_pool2d(skip, 2))))


@pytest.mark.parametrize(
    ("net", "inputs", "fix"),
    [
        (Positions(), (torch.zeros(4, 16, dtype=torch.int64),), "torch.arange(x.size(1))"),
        (Boxes(), ((2, 3, 32, 32),), "boxes[..., :2]"),
        (Views(), ((4, 32), (4, 32)), "torch.eye(2 * n)"),
        (
            OneHot(),
            ((3, 4, 16, 16), torch.zeros(3, 16, 16, dtype=torch.int64)),
            "F.one_hot(y, 4).permute(0, 3, 1, 2)",
        ),
        (Pairs(), ((4, 16), (4, 16)), "torch.cat([one, two], 1)"),
        (Tokens(), ((4, 17, 32),), "x.transpose(1, 2)[:, :, 1:]"),
        (Decoder(), ((2, 3, 16, 16),), "x = torch.cat([x, skip], 1) before out"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_what_was_meant_is_offered_first(
    net: nn.Module, inputs: tuple[object, ...], fix: str
) -> None:
    assert first_fix(net, *inputs) == fix


def test_patches_are_put_together_as_they_were_cut() -> None:
    assert "stride=3" in first_fix(Patches(), (2, 1, 24, 24))


def test_levels_become_rows_of_what_the_view_asks_for() -> None:
    assert "permute(0, 2, 3, 1).flatten(1).unflatten(1, (-1, 4))" in first_fix(
        Levels(), (2, 3, 64, 64)
    )


class Cut(nn.Module):
    def __init__(self, order: tuple[int, ...]) -> None:
        super().__init__()
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        patches = x.unfold(2, 8, 8).unfold(3, 8, 8).permute(self.order)
        return patches.reshape(x.size(0), 16, -1)


class Uncut(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.unfold(2, 8, 8).unfold(3, 8, 8).reshape(x.size(0), 16, -1)


def test_patches_that_mix_channels_and_places_are_warned_of() -> None:
    assert any(
        "permute(0, 2, 3, 1, 4, 5)" in one for one in explain(Uncut(), (2, 3, 32, 32)).warnings
    )
    assert not explain(Cut((0, 2, 3, 1, 4, 5)), (2, 3, 32, 32)).warnings
    assert not explain(Uncut(), (2, 1, 32, 32)).warnings


class Scores(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.classes, self.head = 20, nn.Conv2d(8, 6 * 21, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x).permute(0, 2, 3, 1).reshape(x.size(0), -1, self.classes)


def test_rows_of_answers_share_out_the_channels_of_a_place() -> None:
    assert first_fix(Scores(), (2, 8, 19, 19)).endswith("reshape(x.size(0), -1, 21)")
