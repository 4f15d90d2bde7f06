"""The layers of an explanation: against real passes, torch's own counters, and autograd."""

import re
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.explain import ExplainedLayer, Sample, explain


class Net(nn.Module):
    def __init__(self, run: Callable[..., object], **layers: nn.Module) -> None:
        super().__init__()
        self.run = run
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, *inputs: Tensor) -> object:
        return self.run(self, *inputs)


def only(module: nn.Module, *shape: int) -> ExplainedLayer:
    (layer,) = explain(module, shape).layers
    return layer


pair = st.tuples(st.integers(1, 5), st.integers(1, 5))


@given(
    size=st.tuples(st.integers(6, 24), st.integers(6, 24)),
    window=pair,
    stride=pair,
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
)
@settings(max_examples=60)
def test_convolution_in_two_dimensions(
    size: tuple[int, int],
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
) -> None:
    conv = nn.Conv2d(1, 2, window, stride, padding, dilation)
    nn.init.ones_(conv.weight)
    if any(w + 2 * p < d * (f - 1) + 1 for w, p, d, f in zip(size, padding, dilation, window)):  # noqa: B905
        assert explain(conv, (1, 1, *size)).mistake is not None
        return
    layer = only(conv, 1, 1, *size)
    picture = torch.ones(1, 1, *size, requires_grad=True)
    output = conv(picture)
    assert layer.outputs == (tuple(output.shape),)
    output.sum().backward()
    assert picture.grad is not None
    touched = picture.grad[0, 0]
    assert layer.dropped.rows == tuple((touched.sum(1) == 0).nonzero().flatten().tolist())
    assert layer.dropped.columns == tuple((touched.sum(0) == 0).nonzero().flatten().tolist())
    ends = [int(line.split("= ")[-1]) for line in layer.formula[:-1]]
    assert (ends * 2)[:2] == list(output.shape[2:])


@pytest.mark.parametrize(
    ("size", "window", "stride", "padding", "row"),
    [(224, 11, 4, 0, (223,)), (56, 3, 2, 0, (55,)), (7, 3, 3, 0, (6,)), (224, 11, 4, 2, ())],
)
def test_what_the_remainder_drops(
    size: int, window: int, stride: int, padding: int, row: tuple[int, ...]
) -> None:
    layer = only(nn.Conv2d(3, 8, window, stride, padding), 1, 3, size, size)
    assert layer.dropped.rows == layer.dropped.columns == row
    words = "; ".join(layer.dropped.words)
    if row:
        assert words == (f"remainder 1: row and column {row[0]} of the input are never read")
    else:
        assert words == (
            "remainder 1: the last padded row and column are never read, the input itself is "
            "read whole"
        )


def test_a_strided_shortcut_never_reads_every_other_row() -> None:
    layer = only(nn.Conv2d(3, 8, 1, stride=2), 1, 3, 56, 56)
    assert layer.dropped.rows == tuple(range(1, 56, 2))
    assert layer.dropped.words[0].endswith(
        "rows and columns 1, 3, … 55 of the input are never read"
    )


def test_height_and_width_apart() -> None:
    layer = only(nn.Conv2d(1, 4, (3, 5), stride=(2, 1), padding=(0, 2)), 1, 1, 20, 30)
    assert layer.formula[:2] == (
        "H = ⌊(20 − 3 + 2·0)/2⌋ + 1 = ⌊8.5⌋ + 1 = 9",
        "W = (30 − 5 + 2·2)/1 + 1 = 30",
    )
    assert layer.dropped.rows == (19,)
    assert layer.dropped.columns == ()


@pytest.mark.parametrize(
    ("module", "shape", "formula"),
    [
        (nn.MaxPool2d(3, 2, ceil_mode=True), (1, 4, 112, 112), "⌈54.5⌉ + 1 = 56"),
        (nn.ConvTranspose2d(4, 2, 4, 2, 1), (1, 4, 7, 7), "(7 − 1)·2 + 4 − 2·1 = 14"),
        (nn.AdaptiveAvgPool2d(6), (1, 4, 13, 13), "3 wide → 6"),
        (nn.AdaptiveAvgPool2d(1), (1, 4, 7, 7), "N = all 7 → 1"),
        (nn.ZeroPad2d((1, 2, 1, 2)), (1, 3, 224, 224), "N = 224 + 1 + 2 = 227"),
        (nn.Upsample(scale_factor=2), (1, 3, 7, 7), "N = 7·2 = 14"),
        (nn.Flatten(), (1, 32, 5, 5), "32·5·5 = 800"),
        (nn.Linear(800, 120), (1, 800), "(800 + 1)·120 = 96,120 params"),
        (nn.Conv2d(3, 6, 5, padding=2, padding_mode="reflect"), (1, 3, 9, 9), "(9 − 5 + 2·2)/1"),
        (nn.Conv1d(3, 6, 3, padding="same", dilation=2), (1, 3, 9), "(9 − (2·(3 − 1) + 1) + 2·2)"),
        (nn.Conv3d(1, 2, 3), (1, 1, 5, 6, 6), "D = (5 − 3 + 2·0)/1 + 1 = 3"),
        (nn.Embedding(50, 8), (2, 4), "50·8 = 400 params"),
    ],
)
def test_formulas(module: nn.Module, shape: tuple[int, ...], formula: str) -> None:
    kind = torch.int64 if isinstance(module, nn.Embedding) else torch.float32
    explanation = explain(module, Sample(shape, kind))
    assert explanation.mistake is None
    (layer,) = explanation.layers
    assert any(formula in line for line in layer.formula), layer.formula
    real = module(torch.zeros(shape, dtype=kind))
    assert layer.outputs == (tuple(real.shape),)


def test_words_beside_common_choices() -> None:
    def run(net: Net, x: Tensor) -> Tensor:
        return net.pool(net.conv(x)).flatten(start_dim=1).view(1, -1)

    explanation = explain(Net(run, conv=nn.Conv2d(3, 4, 3), pool=nn.MaxPool2d(2)), (1, 3, 9, 9))
    words = " / ".join(note for layer in explanation.layers for note in layer.notes)
    assert "dilation 1: the taps are neighbours, there is no hole" in words
    assert (
        "the stride equals the window, which is max pooling's default when none is given" in words
    )
    assert "start_dim=1 leaves the batch dimension alone" in words
    assert "view never copies, so it needs the memory in order; reshape copies where" in words


def test_functional_calls_are_rows_with_the_line_that_made_them() -> None:
    def run(net: Net, x: Tensor) -> Tensor:
        y = F.relu(net.conv(x))
        return torch.cat([y + x, x], 1)

    explanation = explain(Net(run, conv=nn.Conv2d(3, 3, 1)), (1, 3, 4, 4))
    assert [layer.kind for layer in explanation.layers] == ["Conv2d", "relu()", "+", "cat()"]
    assert [layer.parents for layer in explanation.layers] == [(-1,), (0,), (1, -1), (2, -1)]
    assert explanation.layers[3].code == "return torch.cat([y + x, x], 1)"
    assert re.fullmatch(r"test_layers\.py:\d+", explanation.layers[3].source)
    assert explanation.layers[3].formula == ("3 + 3 = 6 channels",)


def test_nested_inputs_and_outputs() -> None:
    def run(net: Net, pair: dict[str, list[Tensor]]) -> object:
        first, second = pair["both"]
        return {"sum": first + second, "each": (first * 2, [second])}

    explanation = explain(Net(run), {"both": [(1, 3, 4, 4), torch.zeros(1, 3, 4, 1)]})
    assert explanation.mistake is None
    assert explanation.inputs == ((1, 3, 4, 4), (1, 3, 4, 1))
    assert explanation.outputs == ((1, 3, 4, 4), (1, 3, 4, 4), (1, 3, 4, 1))


def test_shared_layers_count_once() -> None:
    def run(net: Net, x: Tensor) -> Tensor:
        return net.fc(net.fc(x))

    explanation = explain(Net(run, fc=nn.Linear(8, 8)), (1, 8))
    assert [(layer.name, layer.params) for layer in explanation.layers] == [("fc", 72), ("fc#2", 0)]
    assert explanation.totals.params == 72


def test_parameters_that_take_no_part_are_told() -> None:
    class Unused(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.spare = nn.Linear(4, 4), nn.Linear(4, 2)
            self.scale = nn.Parameter(torch.ones(4))

        def forward(self, x: Tensor) -> Tensor:
            return self.used(x) * self.scale.exp()

    explanation = explain(Unused(), (1, 4))
    assert explanation.totals.unused_params == 10
    assert explanation.totals.unused == (("spare", 10),)
    assert sum(layer.params for layer in explanation.layers) == 24


def test_macs_equal_torchs_counter() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3, groups=1)
            self.up = nn.ConvTranspose2d(8, 4, 2, 2)
            self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
            self.gru = nn.GRU(4, 6, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            x = self.up(self.conv(x)).flatten(2).mT
            x = self.attention(x, x, x)[0]
            x = F.scaled_dot_product_attention(x, x, x)
            x = self.gru(x)[0]
            return torch.einsum("nij,nkj->nik", x, x)

    net = Mixed()
    with FlopCounterMode(display=False) as counter:
        net(torch.rand(2, 3, 9, 9))
    totals = explain(net, (2, 3, 9, 9)).totals
    assert totals.macs == counter.get_total_flops() / 2


def test_macs_of_an_lstm_by_hand() -> None:
    # Each step multiplies by both weight matrices of four gates: 4·6·(5 + 6) a step and sample.
    totals = explain(nn.LSTM(5, 6, batch_first=True), (2, 7, 5)).totals
    assert totals.macs == 2 * 7 * 4 * 6 * (5 + 6)


def saved_by_autograd(output: Tensor, module: nn.Module) -> int:
    """Bytes of distinct storages that the graph holds, read off its nodes."""
    own = {t.untyped_storage().data_ptr() for t in (*module.parameters(), *module.buffers())}
    storages: dict[int, int] = {}
    waiting, seen = [output.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        waiting += [parent for parent, _ in node.next_functions]
        for name in dir(node):
            if name.startswith("_saved_"):
                value = getattr(node, name)
                for tensor in value if isinstance(value, tuple | list) else [value]:
                    if isinstance(tensor, Tensor):
                        storage = tensor.untyped_storage()
                        storages[storage.data_ptr()] = storage.nbytes()
    return sum(size for pointer, size in storages.items() if pointer not in own)


@pytest.mark.parametrize("name", ["alexnet", "resnet18", "shufflenet_v2_x0_5", "squeezenet1_0"])
@pytest.mark.parametrize("training", [True, False])
def test_kept_bytes_equal_what_autograd_holds(name: str, training: bool) -> None:
    net = torchvision.models.get_model(name, weights=None).train(training)
    total = explain(net, (2, 3, 96, 96)).totals.activation_bytes
    assert total == saved_by_autograd(net(torch.rand(2, 3, 96, 96)), net)


def test_a_frozen_net_keeps_nothing() -> None:
    net = torchvision.models.resnet18().requires_grad_(False)
    assert explain(net, (2, 3, 64, 64)).totals.activation_bytes == 0


@pytest.mark.parametrize("name", nets.names("classify"))
def test_our_own_nets(name: str) -> None:
    height, width = nets.input_size(name)
    net = nets.create(name).eval()
    explanation = explain(net, (1, 3, height, width))
    assert explanation.mistake is None
    assert explanation.totals.params == sum(p.numel() for p in net.parameters())
    for layer in explanation.layers:
        for line in layer.formula:
            if line.startswith(("N = ", "H = ", "W = ")):
                assert int(line.split()[-1]) in layer.outputs[0]


METADATA = ["resnet18", "mobilenet_v2", "vit_b_16", "swin_t", "efficientnet_b0", "densenet121"]


@pytest.mark.parametrize("name", METADATA)
def test_figures_equal_torchvisions_metadata(name: str) -> None:
    meta = torchvision.models.get_model_weights(name).DEFAULT.meta
    net = torchvision.models.get_model(name, weights=None).eval()
    totals = explain(net, (1, 3, 224, 224)).totals
    assert totals.params == meta["num_params"]
    assert round(totals.macs / 1e9, 3) == meta["_ops"]


def test_a_net_that_looks_at_numbers() -> None:
    def run(net: Net, x: Tensor) -> Tensor:
        return x * 2 if x.sum() > 0 else x

    with pytest.raises(InputError, match=r"looks at the numbers in a tensor at test_layers.py:\d+"):
        explain(Net(run), (1, 3))
    explanation = explain(Net(run), (1, 3), real=True)
    assert [layer.kind for layer in explanation.layers][-1] == "×"


def test_nets_that_are_unusual() -> None:
    vmapped = explain(Net(lambda net, x: torch.vmap(lambda row: row * 2)(x)), (4, 3))
    assert vmapped.outputs == ((4, 3),)
    assert explain(Net(lambda net: torch.zeros(3))).outputs == ((3,),)
    assert explain(Net(lambda net, x: None), (1, 3)).layers == ()
    assert explain(nn.Conv2d(3, 4, 3), (0, 3, 8, 8)).totals.macs == 0
    channels_last = torch.rand(1, 3, 8, 8).to(memory_format=torch.channels_last)
    assert explain(nn.Conv2d(3, 4, 3), channels_last).outputs == ((1, 4, 6, 6),)

    def cast(net: Net, x: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return net.fc(x)

    assert explain(Net(cast, fc=nn.Linear(4, 2)), (1, 4)).mistake is None


def test_a_net_that_makes_tensors_and_holds_plain_ones() -> None:
    class Anchored(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.anchors = torch.ones(3, 1, 1)
            self.grids = [torch.zeros(1, 3, 4, 4)]

        def forward(self, x: Tensor) -> Tensor:
            return x * self.anchors + self.grids[0] + torch.arange(4)

    explanation = explain(Anchored(), (1, 3, 4, 4))
    assert [layer.kind for layer in explanation.layers] == ["×", "+", "+"]


def test_lazy_and_compiled_modules() -> None:
    lazy = nn.Sequential(nn.LazyConv2d(8, 3), nn.Flatten(), nn.LazyLinear(5))
    explanation = explain(lazy, (1, 3, 6, 6))
    assert explanation.outputs == ((1, 5),)
    assert explanation.totals.params == (27 + 1) * 8 + (128 + 1) * 5
    assert isinstance(lazy[0], nn.LazyConv2d)
    compiled = torch.compile(nn.Linear(4, 2))
    assert explain(compiled, (1, 4)).outputs == ((1, 2),)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_scripted_modules_are_refused() -> None:
    with pytest.raises(InputError, match="TorchScript"):
        explain(torch.jit.script(nn.Linear(4, 2)), (1, 4))
