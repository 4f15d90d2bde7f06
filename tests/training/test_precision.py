"""The arithmetic is chosen by timing on this machine, among those that learn the same."""

import copy
import json
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from viewfinder.cpu import cpu_features
from viewfinder.errors import InputError
from viewfinder.tasks.normalisation import Normalisation
from viewfinder.training import arrangement, precision
from viewfinder.training.arrangement import Arrangement, Choice, asked_for, candidates
from viewfinder.training.precision import choose, seconds_of_step, still_agrees

CPU = torch.device("cpu")
PLAIN = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def cross_entropy(forward, inputs):
    pictures, labels = inputs
    return {"cross_entropy": functional.cross_entropy(forward(pictures).float(), labels)}


class Clock:
    """Time that passes only when a net says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Behaving(nn.Module):
    """A tiny net that is slow, wrong or no number at will, by the arithmetic it runs in.

    `seconds(kind, count)` are those that its step number `count`, of all that it took, takes.
    """

    def __init__(self, clock=None, seconds=lambda kind, count: 1.0, *, wrong=(), nan=()):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.drop = nn.Dropout(0.2)
        self.wrong, self.nan = wrong, nan
        self.told = {"clock": clock, "seconds": seconds, "steps": []}

    def __deepcopy__(self, memo):
        # Copies tell of their steps to who made the first.
        copied = Behaving(wrong=self.wrong, nan=self.nan)
        copied.load_state_dict(self.state_dict())
        copied.told = self.told
        return copied.train(self.training)

    def forward(self, x):
        kind = "bf16" if torch.is_autocast_enabled("cpu") else "32"
        kind += " contiguous" if x.is_contiguous() else " channels_last"
        if torch.is_grad_enabled() and self.told["clock"]:
            self.told["clock"].now += self.told["seconds"](kind, len(self.told["steps"]))
            self.told["steps"].append(kind)
        logits = self.drop(self.conv(x).mean((2, 3)))
        if {kind, kind.split()[0]} & set(self.wrong):
            logits = logits * 20
        if {kind, kind.split()[0]} & set(self.nan):
            logits = logits * float("nan")
        return logits


@pytest.fixture(autouse=True)
def able(monkeypatch):
    """A processor that multiplies bfloat16, whatever it is."""
    known = replace(cpu_features(), bf16=True)
    monkeypatch.setattr(arrangement, "cpu_features", lambda: known)


@pytest.fixture
def clock(monkeypatch):
    made_up = Clock()
    monkeypatch.setattr(precision, "perf_counter", made_up)
    return made_up


@pytest.fixture
def batches():
    random = torch.Generator().manual_seed(0)
    return [
        (torch.randn(4, 3, 8, 8, generator=random), torch.tensor([0, 1, 2, 3])) for _ in range(2)
    ]


def chosen(net, batches, **named):
    arrangements, named = candidates("auto", CPU), {"loss": cross_entropy, **named}
    return choose(net, batches, arrangements, colours=PLAIN, device=CPU, **named)


EVERY = ["32 contiguous", "bf16 channels_last", "32 channels_last", "bf16 contiguous"]


@pytest.mark.parametrize("best", EVERY)
def test_the_fastest_that_agrees_is_kept(clock, batches, best):
    net = Behaving(clock, lambda kind, _: 1.0 if kind == best else 1.5)
    choice = chosen(net, batches)
    assert str(choice.arrangement) == best
    assert [trial.verdict for trial in choice.trials] == ["agrees"] * 4
    assert "1.5 times as fast as the slowest of the 4 that agree" in choice.why
    assert choice.promise == pytest.approx(1.0 / batches[0][0].numel())
    assert [t.milliseconds == pytest.approx(1000) for t in choice.trials] == [
        name == best for name in EVERY
    ]


def test_a_little_faster_is_not_worth_another_arithmetic(clock, batches):
    net = Behaving(clock, lambda kind, _: 1.0 if kind == "32 contiguous" else 0.97)
    assert str(chosen(net, batches).arrangement) == "32 contiguous"


@pytest.mark.parametrize("begins", range(0, 24, 2))
def test_another_program_for_a_while_does_not_change_what_is_chosen(clock, batches, begins):
    """It made each of ten steps ten times as slow, among them every first one of a candidate."""
    speeds = {"32 contiguous": 3.2, "32 channels_last": 1.4, "bf16 contiguous": 2.0}

    def seconds(kind, count):
        return speeds.get(kind, 1.0) * (10 if begins <= count < begins + 10 else 1)

    choice = chosen(Behaving(clock, seconds), batches)
    assert str(choice.arrangement) == "bf16 channels_last"
    assert "3.2 times as fast" in choice.why


def test_a_busy_machine_tries_every_candidate_and_as_many_steps(clock, batches):
    taken = []
    for slowness in (1e-3, 1e3):
        net = Behaving(clock, lambda kind, _, slowness=slowness: slowness)
        assert all(trial.milliseconds for trial in chosen(net, batches).trials)
        taken.append(net.told["steps"])
    assert taken[0] == taken[1]
    assert len(taken[0]) <= 30
    # After the first steps they take turns.
    assert taken[0][12:20] == EVERY * 2


@pytest.mark.parametrize(("steps", "tried"), [(20, 2), (150, 4), (1000, 4), (10_000, 4)])
def test_measuring_is_a_small_share_of_the_training(clock, batches, steps, tried):
    """But for one step of each of two candidates, and the last that was begun."""
    speeds = {"32 contiguous": 3.2, "32 channels_last": 1.4, "bf16 contiguous": 2.0}
    net = Behaving(clock, lambda kind, _: speeds.get(kind, 1.0))
    choice = chosen(net, batches, course=lambda step: steps * step)
    assert str(choice.arrangement) == "bf16 channels_last"
    assert len(choice.trials) == tried
    assert clock.now <= max(3.2 + 1.0, 0.05 * steps + sum(speeds.values()))
    assert choice.thorough is (steps >= 1000)


def test_steps_that_become_quicker_and_quicker_end_some_time(clock, batches):
    net = Behaving(clock, lambda kind, count: 0.9**count)
    chosen(net, batches)
    assert len(net.told["steps"]) < 100


def test_the_fastest_that_disagrees_is_not_kept(clock, batches):
    net = Behaving(clock, lambda kind, _: 2.0 if "32" in kind else 1.0, wrong=["bf16"])
    choice = chosen(net, batches)
    assert choice.arrangement.arithmetic == "32"
    verdicts = {t.arithmetic: t.verdict for t in choice.trials}
    assert verdicts == {"32": "agrees", "bf16": "loss differs from float32"}
    # What cannot be chosen takes no more steps than tell that.
    assert net.told["steps"].count("bf16 channels_last") == 3


def test_a_candidate_whose_loss_is_no_number_is_not_kept_and_can_be_written_down(batches):
    choice = chosen(Behaving(nan=["bf16"]), batches)
    assert choice.arrangement.arithmetic == "32"
    text = json.dumps(choice.as_json(), allow_nan=False)
    assert Choice.from_json(json.loads(text)) == choice


def test_float32_is_kept_where_even_its_loss_is_no_number(batches):
    """The training itself will say so, with advice; the choice must not stop it."""
    choice = chosen(Behaving(nan=["32", "bf16"]), batches)
    assert str(choice.arrangement) == "32 contiguous"
    json.dumps(choice.as_json(), allow_nan=False)


def test_what_was_chosen_before_is_compared_with_float32_again(batches):
    def still(net, name):
        arrangement = Arrangement(name, "channels_last")
        return still_agrees(
            net, batches, arrangement, loss=cross_entropy, colours=PLAIN, device=CPU
        )

    assert still(Behaving(), "bf16")
    assert not still(Behaving(wrong=["bf16"]), "bf16")
    assert not still(Behaving(nan=["bf16"]), "bf16")
    assert still(Behaving(wrong=["bf16"]), "32")


def test_the_net_and_the_random_numbers_are_left_as_they_were(batches):
    net = Behaving().eval()
    before = copy.deepcopy(net.state_dict())
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    chosen(net, batches)
    assert torch.equal(torch.rand(3), expected)
    assert not net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


def test_a_step_is_timed_without_the_optimisers_that_import_a_compiler(batches, monkeypatch):
    monkeypatch.setattr(torch.optim, "SGD", None)
    seconds = seconds_of_step(
        *(Behaving(), batches, Arrangement("32", "contiguous")),
        loss=cross_entropy,
        colours=PLAIN,
        settle=lambda net: None,
    )
    assert seconds > 0


@pytest.mark.parametrize("wanted", ["32", "bf16", "16"])
def test_a_precision_that_is_asked_for_is_not_timed(wanted):
    (arrangement,) = candidates(wanted, CPU)
    choice = asked_for(arrangement, CPU)
    assert choice.arrangement.arithmetic == wanted
    assert (choice.why, choice.trials, choice.promise) == ("as asked for", (), None)


def test_what_the_processor_has_no_instructions_for_is_not_tried(monkeypatch):
    """It would be mimicked: once, a noisy timing chose it all the same."""
    known = replace(cpu_features(), bf16=False)
    monkeypatch.setattr(arrangement, "cpu_features", lambda: known)
    assert [str(each) for each in candidates("auto", CPU)] == ["32 contiguous", "32 channels_last"]
    (asked,) = candidates("bf16", CPU)
    assert "no instructions for bfloat16" in asked_for(asked, CPU).why
    assert asked_for(asked, torch.device("cuda")).why == "as asked for"


@pytest.mark.parametrize(
    ("arithmetic", "dtype"),
    [("32", torch.float32), ("bf16", torch.bfloat16), ("16", torch.float16)],
)
def test_the_forward_pass_runs_in_its_arithmetic_and_the_weights_stay_float32(arithmetic, dtype):
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 2))
    seen = []
    for layer in (net[0], net[2]):
        layer.register_forward_hook(lambda module, inputs, out: seen.append(out.dtype))
    arrangement = Arrangement(arithmetic, "channels_last")
    with arrangement.autocast(CPU):
        net(torch.zeros(1, 3, 8, 8)).float().sum().backward()
    assert seen == [dtype, dtype]
    assert {p.dtype for p in net.parameters()} == {torch.float32}
    assert {p.grad.dtype for p in net.parameters()} == {torch.float32}


def test_the_memory_is_laid_out_as_said():
    picture = torch.zeros(2, 3, 4, 4)
    last = picture.contiguous(memory_format=Arrangement("32", "channels_last").memory_format)
    assert last.stride() == (48, 1, 12, 3)
    plain = last.contiguous(memory_format=Arrangement("32", "contiguous").memory_format)
    assert plain.stride() == (48, 16, 4, 1)


def test_the_candidates_of_each_device(monkeypatch):
    def names(wanted, device):
        return [str(each) for each in candidates(wanted, torch.device(device))]

    def both(*low):
        last = [f"{a} channels_last" for a in (*low, "32")]
        return ["32 contiguous", *last, *(f"{a} contiguous" for a in low)]

    assert names("auto", "cpu") == both("bf16")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert names("auto", "cuda") == both("bf16", "16")
    assert names("bf16", "cuda") == ["bf16 channels_last"]
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert names("auto", "cuda") == both("16")
    assert names("16", "cuda") == ["16 channels_last"]
    with pytest.raises(InputError, match=r"--precision bf16: this GPU .* use 16 or 32"):
        names("bf16", "cuda")
