"""YOLOv3 against a program that runs Darknet's own .cfg files and shares no code with it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.nets.darknet import load_weights, read_config, write_weights

Section = tuple[str, dict[str, str]]
CONFIGS = ["yolov3-tiny.cfg", "yolov3-tiny-mask123.cfg", "yolov3.cfg", "yolov3-spp.cfg"]


def sections_of(config: Path) -> list[Section]:
    """The layers of a .cfg, [net] left out."""
    sections: list[Section] = []
    for line in config.read_text().splitlines():
        line = line.replace(" ", "")
        if line.startswith("["):
            sections.append((line.strip("[]"), {}))
        elif line and not line.startswith("#"):
            key, value = line.split("=")
            sections[-1][1][key] = value
    return sections[1:]


class Interpreter:
    """Runs a .cfg layer by layer, taking from a stream of values as Darknet takes from a file."""

    def __init__(self, config: Path, values: np.ndarray) -> None:
        self.sections = sections_of(config)
        self.values = torch.from_numpy(values)
        self.used = 0

    def take(self, *shape: int) -> Tensor:
        count = int(np.prod(shape))
        self.used += count
        return self.values[self.used - count : self.used].double().reshape(shape)

    def convolve(self, x: Tensor, options: dict[str, str]) -> Tensor:
        out, size = int(options["filters"]), int(options["size"])
        bias = self.take(out)
        normalised = options.get("batch_normalize") == "1"
        scale, mean, variance = (self.take(out) for _ in range(3)) if normalised else [None] * 3
        weight = self.take(out, x.shape[1], size, size)
        padding = size // 2 if options["pad"] == "1" else 0
        x = functional.conv2d(x, weight, stride=int(options["stride"]), padding=padding)
        if normalised:
            each = (1, -1, 1, 1)
            x = (x - mean.view(each)) / (variance + 1e-5).sqrt().view(each) * scale.view(each)
        x = x + bias.view(1, -1, 1, 1)
        return torch.where(x > 0, x, 0.1 * x) if options["activation"] == "leaky" else x

    def pool(self, x: Tensor, options: dict[str, str]) -> Tensor:
        size, stride = int(options["size"]), int(options["stride"])
        padding = size - 1
        left = padding // 2
        x = functional.pad(x, (left, padding - left) * 2, value=-torch.inf)
        return functional.max_pool2d(x, size, stride)

    def run(self, x: Tensor) -> list[Tensor]:
        layers: list[Tensor] = []
        outputs: list[Tensor] = []
        for kind, options in self.sections:
            if kind == "convolutional":
                x = self.convolve(x, options)
            elif kind == "maxpool":
                x = self.pool(x, options)
            elif kind == "shortcut":
                x = x + layers[int(options["from"])]
            elif kind == "route":
                places = [int(place) for place in options["layers"].split(",")]
                x = torch.cat([layers[place] for place in places], dim=1)
            elif kind == "upsample":
                x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
            else:
                assert kind == "yolo"
                outputs.append(x)
            layers.append(x)
        assert self.used == len(self.values)
        return outputs


def random_values(config: Path) -> np.ndarray:
    """Values for a file of this .cfg's length, of a size that no layer blows up."""
    random = np.random.default_rng(0)
    parts: list[np.ndarray] = []
    channels = [3]
    for kind, options in sections_of(config):
        last = channels[-1]
        if kind == "convolutional":
            out, size = int(options["filters"]), int(options["size"])
            parts.append(random.normal(0, 0.1, out))
            if options.get("batch_normalize"):
                parts.append(random.uniform(0.3, 0.8, out))
                parts.append(random.normal(0, 0.1, out))
                parts.append(random.uniform(0.5, 1.5, out))
            weight = random.standard_normal(out * last * size**2, np.float32)
            parts.append(weight * (2 / (last * size**2)) ** 0.5)
            last = out
        elif kind == "route":
            places = [int(place) for place in options["layers"].split(",")]
            last = sum(channels[place if place < 0 else place + 1] for place in places)
        channels.append(last)
    return np.concatenate([part.astype("<f4") for part in parts])


@pytest.mark.parametrize("name", CONFIGS)
def test_equal_to_darknets_layers_one_by_one(shared: Path, tmp_path: Path, name: str) -> None:
    path = shared / "golden/darknet" / name
    values = random_values(path)
    content = np.array([0, 2, 0, 64_000, 0], "<i4").tobytes() + values.tobytes()
    (tmp_path / "a.weights").write_bytes(content)

    config = read_config(path)
    net = nets.create(
        config.net, classes=config.classes, anchors=config.anchors, masks=config.masks
    )
    header = load_weights(net, tmp_path / "a.weights").header
    write_weights(net, tmp_path / "b.weights", header=header)
    assert (tmp_path / "b.weights").read_bytes() == content

    picture = torch.rand(1, 3, 64, 96, dtype=torch.float64)
    with torch.no_grad():
        found = net.eval().double()(picture)
        expected = Interpreter(path, values).run(picture)
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert theirs.std() > 0.01
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "billions"), [("yolov3", 65.86), ("yolov3-tiny", 5.56), ("yolov3-spp", 141.45)]
)
def test_operations_are_those_that_darknet_prints(name: str, billions: float) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    side = 608 if name == "yolov3-spp" else 416
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        nets.create(name)(torch.empty(1, 3, side, side))
    assert counter.get_total_flops() / 1e9 == pytest.approx(billions, abs=0.005)


@pytest.mark.parametrize("name", nets.names("detect"))
def test_a_new_net_believes_in_one_object_in_a_hundred(name: str) -> None:
    narrow = {"width": 0.125} if "width" in nets.options(name) else {}
    net = nets.create(name, classes=3, **narrow)
    with torch.no_grad():
        for each, scale in zip(net(torch.rand(2, 3, 64, 64)), net.scales, strict=True):
            values = each.view(2, len(scale.anchors), 8, -1).sigmoid()
            torch.testing.assert_close(values[:, :, 4].mean().item(), 0.01, atol=0.003, rtol=0)
            torch.testing.assert_close(values[:, :, 5:].mean().item(), 0.5, atol=0.05, rtol=0)


def test_scales_hold_their_share_of_the_anchors() -> None:
    anchors = ((3, 4), (5, 6), (7.5, 8))
    net = nets.create("yolov3-tiny", classes=2, anchors=anchors, masks=((2,), (1, 0)), width=0.125)
    coarse, fine = net.scales
    assert (coarse.stride, coarse.anchors) == (32, ((7.5, 8),))
    assert (fine.stride, fine.anchors) == (16, ((5, 6), (3, 4)))
    with torch.no_grad():
        shapes = [tuple(each.shape) for each in net(torch.rand(1, 3, 64, 32))]
    assert shapes == [(1, 7, 2, 1), (1, 14, 4, 2)]


@pytest.mark.parametrize("name", ["yolov3", "yolov3-tiny"])
def test_learns_a_batch_by_heart(name: str) -> None:
    net = nets.create(name, classes=2, width=0.125)
    pictures = torch.rand(4, 3, 64, 64)
    truth = [(each > 0.5).float() for each in (torch.rand(m.shape) for m in net(pictures))]
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.003)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        loss = sum(map(nn.functional.binary_cross_entropy_with_logits, net(pictures), truth))
        losses.append(loss.item())
        loss.backward()
        optimiser.step()
    assert losses[-1] < 0.5 * losses[0]


def test_reach_is_that_of_every_scale() -> None:
    net = nets.create("yolov3", classes=2, width=0.125, reach=2.0)
    assert [scale.reach for scale in net.scales] == [2.0] * 3
    assert {scale.reach for scale in nets.create("yolov3-tiny", width=0.125).scales} == {1.0}


@pytest.mark.parametrize("reach", [0.5, 0, -1, float("nan"), float("inf"), "far", None])
def test_no_reach_below_a_cell(reach: object) -> None:
    with torch.device("meta"), pytest.raises(InputError, match=f"reach is {reach!r}.*or more"):
        nets.create("yolov3-spp", reach=reach)
