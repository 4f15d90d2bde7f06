"""Layers by their names: misspelt, never named, or given to a net that has no such layer."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from viewfinder.explain import explain


class Backbone(nn.Module):
    """A net of others, with a head for training alone."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3)
        self.aside = nn.Linear(4, 2)
        self.classifier = nn.Sequential(nn.Dropout(0.1), nn.Linear(4, 10))
        for module in self.modules():
            module.extra_repr()

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).mean((2, 3))
        if self.training:
            return self.aside(x)
        return self.classifier(x)


class Spare(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 8)
        nn.init.zeros_(self.b.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.a(self.a(x))


class Drawing(Spare):
    """What another method uses is no spare layer."""

    def draw(self, x: Tensor) -> Tensor:
        return self.b(x)


class Cut(nn.Module):
    """Of a net of others, its stem alone."""

    def __init__(self):
        super().__init__()
        self.backbone = Backbone()

    def forward(self, x: Tensor) -> Tensor:
        return self.backbone.stem(x).mean((2, 3))


def given_a_head() -> nn.Module:
    net = Backbone()
    net.fc = nn.Linear(4, 5)
    return net


PICTURE, ROW = (1, 3, 8, 8), (3, 8)


def test_a_head_that_the_net_does_not_have_is_told_with_the_one_that_it_has() -> None:
    assert explain(given_a_head().eval(), PICTURE).warnings == (
        "fc is never used (25 weights): Backbone has no layer called fc: "
        "its last layer is classifier[1]",
    )


def test_a_layer_that_no_line_calls_is_told() -> None:
    (told,) = explain(Spare(), ROW).warnings
    assert told.startswith("b is made and never used (72 weights)")


@pytest.mark.parametrize(("net", "shape"), [(Backbone, PICTURE), (Drawing, ROW), (Cut, PICTURE)])
def test_what_is_named_or_cut_off_is_not(net: type[nn.Module], shape: tuple[int, ...]) -> None:
    assert explain(net().eval(), shape).warnings == ()


class Misspelt(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = nn.Linear(8, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.outt(self.hiden(x))


def test_misspelt_layers_are_found_by_their_names() -> None:
    mistake = explain(Misspelt(), ROW).mistake
    assert mistake is not None
    # `self.outt` is looked up before its argument is worked out.
    assert mistake.rule == "Misspelt has no outt: did you mean out?"
    assert "then, at Misspelt, self.hidden instead of self.hiden" in mistake.fixes[0]
    assert mistake.fixes[0].endswith("then the whole net runs")


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (lambda x: x.flaten(1), "a tensor has no flaten: did you mean flatten"),
        (lambda x: F.maxpool1d(x, 2), "torch.nn.functional has no maxpool1d: did you mean max_p"),
    ],
)
def test_misspelt_functions_are_told_with_those_that_there_are(run, says: str) -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return run(x)

    mistake = explain(Net(), ROW).mistake
    assert mistake is not None
    assert mistake.rule.startswith(says)


def test_a_mask_of_a_decoder_is_not_asked_for_its_numbers() -> None:
    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            layer = nn.TransformerDecoderLayer(8, 2, 8, batch_first=True)
            self.decoder = nn.TransformerDecoder(layer, 1)

        def forward(self, x: Tensor, memory: Tensor) -> Tensor:
            mask = nn.Transformer.generate_square_subsequent_mask(x.size(1))
            return self.decoder(x, memory, tgt_mask=mask)

    explanation = explain(Decoder().eval(), (1, 5, 8), (1, 7, 8))
    assert explanation.mistake is None
    assert explanation.outputs == ((1, 5, 8),)
    assert torch.nn.modules.transformer._detect_is_causal_mask.__module__.startswith("torch")
