"""First fixes of mistakes where several changes run and one of them is what people mean."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viewfinder.explain import Mistake, Sample, explain
from viewfinder.explain.scoring import Scored


def first(net: nn.Module, *inputs: object) -> str:
    mistake: Mistake | None = explain(net.eval(), *inputs, batched=True).mistake
    assert mistake is not None
    offer = mistake.offers[0]
    assert offer.whole
    assert not offer.means
    return offer.text.partition("; then")[0]


class Segmenter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 5, 1))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.net(x)
        return F.cross_entropy(y, mask)


def test_scores_are_enlarged_to_their_masks() -> None:
    mistake = explain(Segmenter(), (2, 3, 16, 16), Sample((2, 16, 16), torch.int64)).mistake
    assert mistake is not None
    assert "scores for 8×8 places, and class numbers for 16×16" in mistake.rule
    one, two = mistake.fixes[:2]
    assert one.startswith('F.interpolate(y, size=mask.shape[-2:], mode="bilinear") instead of y')
    assert two.startswith('nn.Upsample(scale_factor=2, mode="bilinear") behind net[2]')


def test_scores_are_enlarged_before_a_loss_given_by_name() -> None:
    net = Scored(nn.Sequential(nn.Conv2d(3, 5, 3, 2, 1)), "cross_entropy")
    said = first(net, (2, 3, 16, 16), Sample((2, 16, 16), torch.int64))
    assert said.startswith("input = F.interpolate(input, size=target.shape[-2:]")


class Block(nn.Module):
    def __init__(self, less: int, more: int, stride: int = 1) -> None:
        super().__init__()
        self.a = nn.Conv2d(less, more, 3, stride, 1)
        self.b = nn.Conv2d(more, more, 3, 1, 1)
        self.short = nn.Conv2d(less, more, 1) if less != more else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.b(F.relu(self.a(x)))
        return F.relu(y + self.short(x))


def test_a_shortcut_that_lacks_its_stride_gets_it_in_every_block_at_once() -> None:
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3), Block(8, 8), Block(8, 16, 2), Block(16, 24, 2), Block(24, 32, 2)
    )
    said = first(net, (2, 3, 34, 34))
    assert said == (
        "net[2].short = nn.Conv2d(8, 16, 1, stride=2), net[3].short = nn.Conv2d(16, 24, 1, "
        "stride=2) and 1 more: in every Block its own"
    )


class Masked(nn.Module):
    def __init__(self, how: str) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
        self.how = how
        if how == "encoder":
            self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        elif how == "memory":
            self.decoder = nn.TransformerDecoderLayer(16, 4, 32, batch_first=True)
        else:
            self.attention = nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        pad = torch.zeros(x.shape[:2])
        if self.how == "encoder":
            y: Tensor = self.encoder(x, pad)
        elif self.how == "memory":
            y = self.decoder(x[:, :3], x, memory_mask=pad)
        elif self.how == "pairs":
            y = self.attention(x, x, x, key_padding_mask=torch.zeros(x.size(1), x.size(1)))[0]
        else:
            y = self.attention(x, x, x, None, True, pad)[0]
        return y


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("attention", "key_padding_mask= instead of attn_mask= in the call of attention"),
        ("pairs", "attn_mask= instead of key_padding_mask= in the call of attention"),
        ("encoder", "src_key_padding_mask= instead of mask= in the call of encoder"),
        ("memory", "memory_key_padding_mask= instead of memory_mask= in the call of decoder"),
    ],
)
def test_masks_are_given_as_what_they_are(how: str, says: str) -> None:
    assert first(Masked(how), (2, 9, 16)) == says


class Translator(nn.Module):
    def __init__(self, wide: int) -> None:
        super().__init__()
        self.reader = nn.GRU(8, 16, 2, batch_first=True, bidirectional=True)
        self.writer = nn.GRU(8, wide, 2, batch_first=True)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        _, h = self.reader(x)
        out: Tensor = self.writer(y, h)[0]
        return out


@pytest.mark.parametrize(
    ("wide", "says"),
    [(16, ".sum(1)"), (32, ".transpose(1, 2).flatten(2)")],
)
def test_states_of_both_directions_go_to_a_decoder_of_one(wide: int, says: str) -> None:
    assert (
        first(Translator(wide), (2, 7, 8), (2, 5, 8))
        == f"h = h.unflatten(0, (-1, 2)){says} before writer"
    )


class Numpy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return y


def test_what_follows_a_quotient_is_said_of_all_of_it() -> None:
    said = first(Numpy(), Sample((2, 9, 9, 3), torch.uint8))
    assert said == "x = (x.float() / 255).permute(0, 3, 1, 2) before conv"


class Frames(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cnn, self.rnn = nn.Conv2d(3, 4, 3, 2), nn.GRU(16, 8, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        f = self.cnn(x)
        y, _ = self.rnn(f.flatten(2))
        last: Tensor = y[:, -1]
        return last


def test_frames_go_through_a_net_for_pictures_and_stay_steps() -> None:
    said = first(Frames(), (2, 5, 3, 6, 6))
    assert said == "cnn(x.flatten(0, 1)).unflatten(0, (-1, 5)): each frame by itself"


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(8, 16, 2, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(32, 2)

    def forward(self, x: Tensor) -> Tensor:
        _, (h, _) = self.rnn(x)
        y: Tensor = self.fc(h[-1])
        return y


def test_the_last_states_of_both_directions_are_joined() -> None:
    assert first(Reader(), (2, 7, 8)) == "torch.cat((h[-2], h[-1]), 1) instead of h[-1]"


def test_rows_of_noise_are_made_maps_of_one_place() -> None:
    generator = nn.Sequential(nn.ConvTranspose2d(16, 8, 4), nn.ConvTranspose2d(8, 1, 4, 2, 1))
    mistake = explain(generator, (6, 16)).mistake
    assert mistake is not None
    assert mistake.fixes[0].startswith("x = x[:, :, None, None] before net[0]")


class Verdicts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 2)

    def forward(self, x: Tensor, truth: Tensor) -> Tensor:
        y = self.fc(x)
        return F.binary_cross_entropy_with_logits(y, truth)


def test_two_numbers_for_one_verdict_become_one() -> None:
    assert first(Verdicts(), (3, 8), (3,)).startswith("fc = nn.Linear(8, 1); and y.squeeze(1)")
