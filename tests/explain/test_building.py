"""Layers that cannot be built: why, and other arguments with which the net is built and runs."""

import pytest
import torch
from torch import Tensor, nn

from viewfinder.cli.explain import Flags, run
from viewfinder.explain import Sample
from viewfinder.explain.building import explain_building

CASES = {
    "groups": (
        lambda: nn.Conv2d(32, 48, 3, groups=5),
        "groups must share out the channels evenly: 32/5 = 6.4 input channels a group",
        "nn.Conv2d(32, 48, 3, groups=4)",
    ),
    "depthwise": (
        lambda: nn.Conv2d(32, 32, 3, padding=1, groups=3),
        "groups must share out the channels evenly: 32/3 = 10.67 input channels a group",
        "nn.Conv2d(32, 32, 3, padding=1, groups=32)",
    ),
    "pointwise": (
        lambda: nn.Conv2d(32, 80, 1, groups=32),
        "groups must share out the channels evenly: 80/32 = 2.5 output channels a group",
        "nn.Conv2d(32, 80, 1, groups=1)",
    ),
    "num_groups": (
        lambda: nn.GroupNorm(32, 48),
        "groups must share out the channels evenly: 48/32 = 1.5",
        "nn.GroupNorm(24, 48)",
    ),
    "turned": (
        lambda: nn.GroupNorm(64, 8),
        "groups must share out the channels evenly: 8/64 = 0.125",
        "nn.GroupNorm(8, 64)",
    ),
    "same": (
        lambda: nn.Conv2d(3, 8, 5, stride=2, padding="same"),
        'padding="same" keeps the size of the map, which a stride divides',
        "nn.Conv2d(3, 8, 5, stride=2, padding=2)",
    ),
    "heads": (
        lambda: nn.MultiheadAttention(50, 4),
        "heads must share out the features evenly: 50/4 = 12.5",
        "nn.MultiheadAttention(50, 5)",
    ),
    "per cent": (
        lambda: nn.LSTM(8, 16, 2, dropout=20),
        "dropout is a probability, from 0 to 1, and it is 20",
        "nn.LSTM(8, 16, 2, dropout=0.2)",
    ),
    "negative": (
        lambda: nn.Linear(8, -4),
        "out_features must be at least 0, and it is -4",
        "nn.Linear(8, 4)",
    ),
    "quotient": (
        lambda: nn.Linear(8, 9 / 3),
        "out_features is a whole number, and 3.0 is a fraction: "
        "/ gives fractions, // whole numbers",
        "nn.Linear(8, 9 // 3)",
    ),
    "misspelt": (
        lambda: nn.Conv2d(3, 8, 3, strides=2),
        "nn.Conv2d has no argument called strides",
        "nn.Conv2d(3, 8, 3, stride=2)",
    ),
    "list": (
        lambda: nn.Sequential([nn.Linear(3, 4), nn.ReLU()]),
        "nn.Sequential takes its layers one by one, and is given a list of them",
        "nn.Sequential(*[nn.Linear(3, 4), nn.ReLU()])",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_layer_that_cannot_be_built_is_explained_with_arguments_that_work(name: str) -> None:
    build, rule, fix = CASES[name]
    with pytest.raises((AssertionError, RuntimeError, TypeError, ValueError)) as caught:
        build()
    explanation = explain_building(caught.value, build)
    assert explanation is not None
    assert explanation.mistake is not None
    assert explanation.mistake.rule == rule
    assert explanation.mistake.fixes[0].startswith(f"{fix} instead of nn.")
    assert explanation.mistake.fixes[0].endswith("then it can be built")
    assert isinstance(eval(fix, {"nn": nn}), nn.Module)


class Two(nn.Module):
    """Two layers that cannot be built, in a class with arguments."""

    def __init__(self, width: int = 30) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(4, width)
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x.mT).mT
        return self.attention(x, x, x)[0]


def test_a_second_layer_is_mended_behind_the_first_and_the_net_is_run() -> None:
    with pytest.raises(ValueError, match="divisible") as caught:
        Two()
    explanation = explain_building(caught.value, Two, lambda net: (Sample((2, 6, 30)),))
    first = explanation.mistake.fixes[0]
    assert "nn.GroupNorm(3, width) instead of nn.GroupNorm(4, width); then, at " in first
    assert "nn.MultiheadAttention(width, 3, batch_first=True) instead of " in first
    assert first.endswith("then the whole net runs")
    # Nothing of the trial is left behind in torch.
    with pytest.raises(ValueError, match="divisible"):
        nn.GroupNorm(4, 30)


class Shared(nn.Module):
    """A norm of 30 channels that cannot be shared out by 8."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 30, 3), nn.GroupNorm(8, 30), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def test_no_fix_of_a_layer_is_undone_by_the_next() -> None:
    with pytest.raises(ValueError, match="divisible") as caught:
        Shared()
    explanation = explain_building(caught.value, Shared, lambda net: (Sample((2, 3, 9, 9)),))
    assert explanation is not None
    assert explanation.mistake is not None
    fixes = explanation.mistake.fixes
    assert fixes[0].startswith("nn.GroupNorm(6, 30) instead of nn.GroupNorm(8, 30); then the whole")
    assert all(fix.count("GroupNorm(6, 30)") < 1 for fix in fixes[1:])


def test_a_class_without_its_beginning_is_told_how_to_begin() -> None:
    class Forgot(nn.Module):
        def __init__(self) -> None:
            self.f = nn.Linear(3, 4)

    with pytest.raises(AttributeError) as caught:
        Forgot()
    mistake = explain_building(caught.value, Forgot).mistake
    assert mistake.fixes == ("super().__init__() first in Forgot.__init__; then it can be built",)


def test_errors_that_no_layer_raised_are_not_explained() -> None:
    def build() -> nn.Module:
        return nn.Linear(3, [4][1])

    with pytest.raises(IndexError) as caught:
        build()
    assert explain_building(caught.value, build) is None


def test_the_command_explains_a_net_that_cannot_be_built(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "unbuilt.py").write_text(
        "from torch import nn\n"
        "def net():\n"
        "    return nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding='same'), nn.ReLU())\n"
    )
    assert run(Flags("unbuilt.py:net", input=("3x16x16",))) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "nn.Conv2d(3, 8, 3, stride=2, padding=1) instead of " in said
    assert "then the whole net runs" in said


def test_the_same_layers_are_made_as_before() -> None:
    torch.manual_seed(0)
    before = nn.Linear(3, 4).weight
    torch.manual_seed(0)
    assert torch.equal(nn.Linear(3, 4).weight, before)
