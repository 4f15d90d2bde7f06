"""What few bits do to a step is seen beside float32, and what is unusual is said."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from viewfinder.tasks.normalisation import PLAIN
from viewfinder.training.arrangement import Arrangement
from viewfinder.training.rounding import Rounding, measure, says_of_skipped

PICTURES = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    """One layer, what it gives times a factor, and what another says of that beside nothing."""

    def __init__(self, factor: float = 1.0, back: float = 1.0, offset: float = 0.0):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(192, 16), nn.Linear(16, 4)
        self.factor, self.back, self.offset = factor, back, offset

    def forward(self, pictures):  # N×3×8×8
        found = self.first(pictures.flatten(1)) * self.factor
        nothing = torch.zeros_like(found) + self.offset
        return (self.last(found + self.offset) - self.last(nothing)) * self.back


def squared(forward, inputs):
    """A loss as a task gives it, and a term that is only shown."""
    return {"apart": mse_loss(forward(inputs).float(), torch.ones(4, 4)), "_shown": torch.ones(())}


def seen(net, arithmetic, scale=1.0):
    arrangement = Arrangement(arithmetic, "contiguous")
    return measure(net, PICTURES, arrangement, loss=squared, colours=PLAIN, scale=scale)


@pytest.mark.parametrize("arithmetic", ["bf16", "16"])
def test_an_ordinary_step_is_nothing_to_speak_of(arithmetic):
    found = seen(Net(), arithmetic, scale=1024.0)
    assert found.says() is None
    assert 0 < found.error < 0.1
    assert found.loss == pytest.approx(found.exact, rel=0.02)


def test_float32_beside_itself_differs_in_nothing():
    assert seen(Net(), "32") == Rounding("32", *2 * (seen(Net(), "32").exact,), 0.0, ())


def test_the_net_and_the_dice_are_left_as_they_were():
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(72, 4))
    net.append(nn.Dropout())
    before, dice = copy.deepcopy(net.state_dict()), torch.get_rng_state()
    seen(net, "bf16")
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert all(each.grad is None for each in net.parameters())
    assert torch.equal(dice, torch.get_rng_state())


def test_an_overflow_is_told():
    said = seen(Net(factor=1e6), "16").says()
    assert said is not None
    assert said.startswith("16 overflows: the last step's loss is no number in it, and ")
    assert said.endswith("train with --precision 32 to be sure")


def test_gradients_that_vanish_are_told_by_parameter():
    net = Net(factor=1e-3, back=1e-6)
    said = seen(net, "16").says()
    assert said is not None
    assert "in 16 the gradients of" in said
    assert "first.weight" in said
    # A larger scale is what float16 has against it; bfloat16 has float32's range.
    assert seen(net, "16", scale=1e9).vanished == ()
    assert seen(net, "bf16").vanished == ()


def test_numbers_that_cancel_drift():
    found = seen(Net(offset=3000.0), "bf16")
    assert found.error > 0.3
    assert found.says() is not None
    said = Rounding("bf16", 2.5, 2.0, 0.5, ()).says()
    assert said is not None
    assert said.startswith(
        "bf16 drifts from float32: the last step's gradients are 50 % off, its loss is 2.5 and 2 in"
    )


def test_few_skipped_steps_are_usual_and_many_are_told():
    assert says_of_skipped(0, 0) is None
    assert says_of_skipped(3, 100) is None
    said = says_of_skipped(30, 100)
    assert said is not None
    assert said.startswith("30 of 100 steps overflowed in float16 and were skipped")
