"""Fixes make the real net run, with every batch; and none is offered that mixes meanings."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from viewfinder.explain import explain
from viewfinder.explain.edits import Around, InsertedCall, Replace
from viewfinder.explain.fixes.alone import refused_alone
from viewfinder.explain.rendering.terminal import mistake_lines
from viewfinder.explain.running import explained
from viewfinder.explain.traces import Sample
from viewfinder.explain.tracing import trace

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def script(name: str) -> ModuleType:
    """A benchmark, or a set of its nets."""
    if str(BENCHMARKS) not in sys.path:
        sys.path.append(str(BENCHMARKS))
    return importlib.import_module(name)


NAMES = [
    "flatten forgotten",
    "flatten of everything, one picture",
    "view of a batch of 64",
    "squeeze that eats the batch",
    "text without channel",
    "sequence with features last",
    "batch norm over time steps",
    "noise into a generator",
    "keys of other features",
    "transposed 3×3, sums",
    "squeeze and excite, not flat",
    "view after channels_last",
    "state with the batch first",
    "softmax of a missing dimension",
    "expand of a token",
    "forward without return",
    "class target as a column",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_every_fix_that_is_offered_makes_the_real_net_run(name: str) -> None:
    fixes = script("explain_fixes")
    wrong = script("explain_nets.wrong").CASES[name]
    samples = [fixes.parse(text, wrong.batch) for text in wrong.inputs]
    mistake = explain(wrong.build().train(wrong.training), *samples, batched=True).mistake
    assert mistake is not None
    assert mistake.offers
    for offer in mistake.offers:
        assert fixes.judge(wrong, offer) == "", offer.text


class Steps(nn.Module):
    """Batch norm over features that come last."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.norm = nn.Linear(8, 16), nn.BatchNorm1d(16)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.fc(x))


def test_no_layer_is_made_for_time_steps_a_width_or_the_batch() -> None:
    (fix,) = explain(Steps(), (2, 10, 8)).mistake.fixes
    assert fix == "x = norm(x.transpose(1, 2)).transpose(1, 2); then the whole net runs"
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Linear(99, 2))
    assert not any("nn.Linear(14" in fix for fix in explain(net, (2, 3, 16, 16)).mistake.fixes)


class Deep(nn.Module):
    """Two mistakes, one behind the other."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(8, 16), nn.Linear(12, 4), nn.BatchNorm1d(5)

    def forward(self, x: Tensor) -> Tensor:
        return self.c(self.b(self.a(x)))


def test_the_next_mistake_is_mended_too() -> None:
    first = explain(Deep(), (2, 8)).mistake.fixes[0]
    assert first == (
        "b = nn.Linear(16, 4); then, at c, c = nn.BatchNorm1d(4); then the whole net runs"
    )


def test_where_nothing_works_nothing_is_offered() -> None:
    class Impossible(nn.Module):
        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            return torch.linalg.solve(a, b)

    assert explain(Impossible(), (2, 5, 6), (2, 5, 3)).mistake.fixes == ()


def test_a_second_batch_is_no_mistake_of_a_net_that_refuses_it_itself() -> None:
    class One(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            if x.size(0) != 1:
                raise ValueError("one at a time, please")
            return x.relu()

    assert explain(One(), (1, 3, 8, 8)).mistake is None


def test_an_error_of_a_running_script_is_explained_with_its_tensors() -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(100, 10))
    with pytest.raises(RuntimeError) as caught:
        net(torch.zeros(4, 3, 16, 16))
    explanation = explained(caught.value)
    assert explanation is not None
    assert explanation.inputs == ((4, 3, 16, 16),)
    first = explanation.mistake.fixes[0]
    assert first == "net[2] = nn.Linear(1568, 10); then the whole net runs, with 16×16 only"


def test_a_fix_says_where_it_fits_one_size_only() -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(100, 10))
    fixes = explain(net, (2, 3, 16, 16)).mistake.fixes
    assert fixes[0].endswith("then the whole net runs, with 16×16 only")
    wide = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(4, 8, 3))
    assert "only" not in explain(wide, (2, 3, 16, 16)).mistake.fixes[0]


def test_what_was_not_tried_in_a_net_that_takes_long_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("viewfinder.explain.fixes.lab.ENOUGH", 120)
    ends = nn.Conv2d(3, 8, 3), nn.Conv2d(4, 8, 3)
    quick = nn.Sequential(ends[0], nn.Hardshrink(), ends[1])
    assert explain(quick, (2, 3, 16, 16)).mistake.untried == 0
    long = nn.Sequential(ends[0], *(nn.Hardshrink() for _ in range(40)), ends[1])
    mistake = explain(long, (2, 3, 16, 16)).mistake
    assert mistake.fixes[0].endswith("then the whole net runs")
    assert mistake.untried > 0
    assert "not tried" in " ".join(line.plain for line in mistake_lines(mistake))


def test_a_state_of_more_layers_gives_its_last() -> None:
    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.e = nn.GRU(8, 12, 2, batch_first=True)
            self.d = nn.GRU(8, 12, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            _, h = self.e(x)
            return self.d(x, h)[0]

    first = explain(Decoder(), (3, 5, 8)).mistake.fixes[0]
    assert first == "h = h[-1:] before d; then the whole net runs"


UNSEEN = [
    "module list walked forwards",
    "shortcut's convolution without its stride",
    "group norm of one number",
    "a function in Sequential",
    "output padding without a stride",
    "position map of another size",
    "heads joined to 64",
    "conditional generator's label as a number",
    "discriminator's verdicts against flat labels",
    "grid of a YOLO head for another stride",
    "channel-last volumes with time",
]


@pytest.mark.parametrize("name", UNSEEN)
@pytest.mark.filterwarnings("ignore")
def test_mistakes_of_another_hand(name: str) -> None:
    fixes = script("explain_fixes")
    wrong = script("explain_nets.unseen").CASES[name]
    mistake = fixes.explained(wrong)
    assert mistake is not None
    assert mistake.offers
    for offer in mistake.offers:
        assert not fixes.judge(wrong, offer), offer.text


def first_fix(name: str, module: str) -> str:
    mistake = script("explain_fixes").explained(script(module).CASES[name])
    assert mistake is not None
    return str(mistake.fixes[0])


def test_the_first_fix_is_the_one_that_keeps_the_meaning() -> None:
    # The coarser level of a pyramid is made larger, not the finer one smaller.
    pyramid = first_fix("pyramid level not enlarged", "explain_nets.newest")
    assert pyramid.startswith("F.interpolate(self.l2(b)")
    # Three pictures in a row are three pictures, and no channels.
    assert first_fix("triplet of pictures in one tensor", "explain_nets.newest").startswith(
        "net(x.flatten(0, 1)).unflatten(0, (-1, 3))"
    )
    # Channels that a convolution gave stand where they are, though a side has their number.
    stages = first_fix("stages that do not follow", "explain_nets.unseen")
    assert stages.startswith("net[2].conv1 = nn.Conv2d(16, 64")


GENERAL = {
    "cut along the tokens": "self.qkv(x).chunk(3, dim=-1) instead of self.qkv(x).chunk(3, dim=1)",
    "patches flattened with their features": "self.patch(x).flatten(2).transpose(1, 2) instead of",
    "three pieces of two": "f = nn.Linear(10, 24)",
    "query without steps": "query = query[:, None, :] before attn",
    "places of 64 beside words of 32": "places = nn.Parameter(torch.zeros(1, 128, 32))",
}


@pytest.mark.parametrize("name", GENERAL)
def test_what_no_rule_knows_is_found_by_trying_what_is_near(name: str) -> None:
    assert first_fix(name, "explain_nets.forum").startswith(GENERAL[name])


MEANT = {
    "learners": {
        "MixerBlock": "tokens(x.transpose(1, 2)).transpose(1, 2)",
        "MaskForEachItem": "attn_mask=mask.repeat_interleave(4, 0)",
        "HiddenBatchFirst": "h0 = h0.transpose(0, 1).contiguous()",
        "LayerByHand": "x @ self.weight instead of torch.mm(self.weight, x)",
        "ListIsCalled": "layers = nn.Sequential(*layers)",
        "LabelsNotEmbedded": "self.label_emb(labels) instead of labels",
        "ThetaNotAMatrix": "theta.view(-1, 2, 3)",
        "TemporalBlock": "conv = nn.Conv1d(2, 16, 3, padding=8, dilation=4)",
        "UnpooledToOdd": "self.unpool(x, i, output_size=(33, 33))",
        "PairsInTwoColumns": "F.cosine_similarity(a, b).view(-1, 1)",
    },
    "classmates": {
        "EinsumWithoutHeads": "torch.einsum('bhqd,bhkd->bhqk', q, k)",
        "CtcBatchFirst": "log_probs.transpose(0, 1)",
        "BatchFirstForgotten": "lstm = nn.LSTM(8, 32, num_layers=2, batch_first=True)",
        "StateOfFixedBatch": "torch.zeros(x.size(0), 24) instead of torch.zeros(16, 24)",
        "DiceOfClasses": "F.one_hot(y, 4).movedim(-1, 1).float() instead of y.float()",
        "CoefficientsLast": "x = x.transpose(1, 2) before conv1",
        "MaskOfKeys": "mask[:, None, :] instead of mask",
        "PackedIntoLinear": "packed = nn.utils.rnn.pad_packed_sequence(packed, ",
    },
}


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in MEANT.items() for name in names]
)
@pytest.mark.filterwarnings("ignore")
def test_the_first_fix_is_what_was_meant(module: str, name: str) -> None:
    fixes, wrong = script("explain_fixes"), script(f"explain_nets.{module}").CASES[name]
    mistake = fixes.explained(wrong)
    assert mistake.fixes[0].startswith(MEANT[module][name])
    assert not fixes.judge(wrong, mistake.offers[0])
    assert not fixes.otherwise(wrong, mistake.offers[0])


def test_a_smaller_map_is_not_repeated_to_fill_a_layer() -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.Flatten(), nn.Linear(8 * 16 * 16, 5))
    mistake = explain(net, (2, 3, 32, 32)).mistake
    assert mistake is not None
    assert not any("adaptive_avg_pool2d" in fix for fix in mistake.fixes)


def test_queries_that_were_learned_are_repeated_for_the_batch() -> None:
    fix = first_fix("latents not repeated", "explain_nets.later")
    assert fix.startswith("self.attn(self.latents.unsqueeze(0).expand(tokens.size(0), -1, -1)")


def test_a_fix_refused_at_the_call_alone_is_refused_in_the_whole_net() -> None:
    """What is tried at the failed layer by itself never rejects what a pass would take."""
    net = nn.Sequential(nn.Linear(4, 8), nn.Linear(9, 2))
    seen = trace(net, (Sample((3, 4)),), costs=False)
    fits, other = (Replace("1", "", lambda n=n: nn.Linear(n, 2)) for n in (8, 7))
    assert seen.failure is not None
    assert not refused_alone(seen.failure, [fits])
    assert refused_alone(seen.failure, [other])
    before = Around("1", InsertedCall("", lambda x: x.new_zeros(3, 9)))
    assert not refused_alone(seen.failure, [before])
    # A layer that ran before, and so gave what it now is given, is not judged alone.
    shared = nn.Linear(4, 8)
    again = trace(nn.Sequential(shared, shared), (Sample((3, 4)),), costs=False).failure
    assert again is not None
    assert not refused_alone(again, [Replace("0", "", lambda: nn.Linear(4, 3))])


def test_a_net_on_the_meta_device_is_mended_there() -> None:
    with torch.device("meta"):
        net = nn.Sequential(nn.Linear(4, 8), nn.Linear(9, 2))
    mistake = explain(net, (3, 4), batched=True).mistake
    assert mistake is not None
    assert mistake.fixes[0].startswith("net[1] = nn.Linear(8, 2)")
