"""Darknet's .weights files: read, written to the byte, and refused with numbers."""

import contextlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.nets.checkpoints import load_matching
from viewfinder.nets.darknet import (
    WeightsHeader,
    load_weights,
    read_config,
    read_weights,
    write_weights,
)

WIDE, NARROW = WeightsHeader((0, 2, 0), 32_013_312), WeightsHeader((0, 1, 0), 6400, wide=False)


def small(name: str = "yolov3-tiny", **options: Any) -> nn.Module:
    return nets.create(name, **{"classes": 3, "width": 0.125} | options)


def trained(name: str = "yolov3-tiny", **options: Any) -> nn.Module:
    """A small net whose every value is another, as if it had been trained."""
    net = small(name, **options)
    for tensor_name, tensor in net.state_dict().items():
        if tensor.is_floating_point():
            tensor.uniform_(0.1, 1) if "var" in tensor_name else tensor.normal_()
    return net


def assert_same(found: nn.Module, expected: nn.Module) -> None:
    state = found.state_dict()
    for name, tensor in expected.state_dict().items():
        if tensor.is_floating_point():
            assert torch.equal(state[name], tensor), name


def content_of(net: nn.Module, path: Path, **options: Any) -> bytes:
    write_weights(net, path, **options)
    return path.read_bytes()


@pytest.mark.parametrize("name", ["yolov3", "yolov3-spp", "yolov3-tiny"])
@pytest.mark.parametrize(
    ("header", "head"),
    [
        (WIDE, struct.pack("<iiiQ", 0, 2, 0, 32_013_312)),
        (WeightsHeader((0, 2, 5), 2**40), struct.pack("<iiiQ", 0, 2, 5, 2**40)),
        (NARROW, struct.pack("<iiii", 0, 1, 0, 6400)),
        (WeightsHeader((0, 2, 0), 6400, wide=False), struct.pack("<iiii", 0, 2, 0, 6400)),
        (WeightsHeader((1000, 2, 0), -3, wide=False), struct.pack("<iiii", 1000, 2, 0, -3)),
    ],
)
def test_round_trip_to_the_byte(
    tmp_path: Path, name: str, header: WeightsHeader, head: bytes
) -> None:
    net, other = trained(name), small(name)
    content = content_of(net, tmp_path / "a.weights", header=header)
    assert content.startswith(head)
    found = load_weights(other, tmp_path / "a.weights")
    assert (found.header, found.classes) == (header, 3)
    assert_same(other, net)
    assert content_of(other, tmp_path / "b.weights", header=found.header) == content


def test_published_weights_round_trip_to_the_byte(shared: Path, tmp_path: Path) -> None:
    path = shared / "weights/yolov3-tiny.weights"
    net = nets.create("yolov3-tiny")
    found = load_weights(net, path)
    assert (found.header, found.classes, found.convolutions) == (WIDE, 80, (13, 13))
    assert content_of(net, tmp_path / "a.weights", header=found.header) == path.read_bytes()


def test_values_stand_where_darknet_puts_them(tmp_path: Path) -> None:
    net = small(width=0.0625, classes=1)  # Its first convolution has one channel: 3×3×3 weights.
    size = len(content_of(net, tmp_path / "a.weights"))
    values = np.arange((size - 20) // 4, dtype="<f4")
    (tmp_path / "a.weights").write_bytes(WIDE.pack() + values.tobytes())
    load_weights(net, tmp_path / "a.weights")
    norm = net.conv1.bn
    parts = (norm.bias, norm.weight, norm.running_mean, norm.running_var)
    assert [part.item() for part in parts] == [0, 1, 2, 3]
    assert net.conv1.conv.weight.flatten().tolist() == list(range(4, 31))
    assert net.conv1.conv.weight[0, 1, 0, 2] == 4 + 9 + 2
    # The last: a bias for each of 3 anchors' 6 values, then as many times 16 weights.
    last = net.head16.predict
    assert last.bias.tolist() == values[-18 * 17 : -18 * 16].tolist()
    assert last.weight.flatten().tolist() == values[-18 * 16 :].tolist()


def test_a_net_in_half_precision_is_written_in_full(tmp_path: Path) -> None:
    net = trained()
    half = content_of(net.bfloat16(), tmp_path / "a.weights")
    assert half == content_of(net.float(), tmp_path / "b.weights")


@pytest.mark.parametrize(
    ("name", "convolutions", "size"),
    [
        ("yolov3-tiny", 9, 30_973_396),  # yolov3-tiny.conv.15
        ("yolov3", 52, 162_482_580),  # darknet53.conv.74
        ("yolov3-spp", 52, 162_482_580),
    ],
)
def test_backbones_have_their_published_length(name: str, convolutions: int, size: int) -> None:
    with torch.device("meta"):
        layers = [
            module
            for module in nets.create(name).modules()
            if isinstance(module, nn.Conv2d | nn.BatchNorm2d)
        ]
    count = 0
    for module in layers[: 2 * convolutions]:
        count += sum(weight.numel() for weight in module.parameters())
        if isinstance(module, nn.BatchNorm2d):
            count += 2 * module.num_features
    assert 20 + 4 * count == size


@pytest.mark.parametrize("header", [WIDE, NARROW])
@pytest.mark.parametrize(("name", "convolutions"), [("yolov3-tiny", 9), ("yolov3", 52)])
def test_backbone(tmp_path: Path, header: WeightsHeader, name: str, convolutions: int) -> None:
    net = trained(name)
    options = {"header": header, "convolutions": convolutions}
    content = content_of(net, tmp_path / "a.conv.15", **options)
    other = trained(name, classes=5)
    before = {key: tensor.clone() for key, tensor in other.state_dict().items()}
    found = load_weights(other, tmp_path / "a.conv.15")
    assert found.classes is None
    assert found.convolutions == (convolutions, 13 if name == "yolov3-tiny" else 75)
    loaded = set(found.state)
    assert len(loaded) == 6 * convolutions
    for key, tensor in other.state_dict().items():
        if tensor.is_floating_point():
            assert torch.equal(tensor, net.state_dict()[key] if key in loaded else before[key]), key
    assert content_of(other, tmp_path / "b", **options) == content


def test_a_backbone_serves_both_larger_nets(tmp_path: Path) -> None:
    net, other = trained("yolov3"), small("yolov3-spp")
    write_weights(net, tmp_path / "darknet53.conv.74", convolutions=52)
    load_weights(other, tmp_path / "darknet53.conv.74")
    assert_same(other.backbone, net.backbone)


@pytest.mark.parametrize("convolutions", [0, 14, -1])
def test_not_so_many_convolutions(tmp_path: Path, convolutions: int) -> None:
    with pytest.raises(InputError, match=rf"convolutions is {convolutions}: .*1 to 13"):
        write_weights(small(), tmp_path / "a", convolutions=convolutions)
    assert not list(tmp_path.iterdir())


def test_another_count_of_classes_is_named(tmp_path: Path) -> None:
    write_weights(trained(classes=80), tmp_path / "a.weights")
    net = trained(classes=20)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with pytest.raises(InputError, match=r"80 classes apart and this net 20: .*classes=80"):
        load_weights(net, tmp_path / "a.weights")
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_another_count_of_classes_loads_what_fits(tmp_path: Path) -> None:
    source, net = trained(classes=80), trained(classes=20)
    write_weights(source, tmp_path / "a.weights")
    found = read_weights(tmp_path / "a.weights", net)
    assert found.classes == 80
    report = load_matching(net, found.state)
    assert {each.name for each in report.different} == {
        f"head{stride}.predict.{kind}" for stride in (32, 16) for kind in ("weight", "bias")
    }
    assert (report.missing, report.unexpected) == ((), ())
    assert torch.equal(net.head16.unit.conv.weight, source.head16.unit.conv.weight)
    assert found.state["head16.predict.bias"].shape == (255,)


@pytest.mark.parametrize("header", [WIDE, NARROW, WeightsHeader((0, 2, 0), 5, wide=False)])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-4], "the file ends within convolution 13 of 13"),
        (lambda data: data[:200], "the file ends within convolution 1 of 13"),
        (lambda data: data + bytes(12), "3 too many"),
    ],
)
def test_wrong_length(tmp_path: Path, header: WeightsHeader, change: Any, message: str) -> None:
    net = trained()
    content = change(content_of(net, tmp_path / "a.weights", header=header))
    (tmp_path / "a.weights").write_bytes(content)
    held = (len(content) - header.length) // 4
    whole = (len(content_of(net, tmp_path / "b.weights")) - 20) // 4
    numbers = rf"holds {held:,} values .* yolov3-tiny with 3 classes has {whole:,}: .*{message}"
    with pytest.raises(InputError, match=numbers):
        load_weights(small(), tmp_path / "a.weights")


def test_a_lost_value_is_no_older_header(tmp_path: Path) -> None:
    """Four bytes less are the length of a file with the short header, all values moved by one."""
    net = small()
    content = content_of(net, tmp_path / "a.weights", header=WIDE)
    (tmp_path / "a.weights").write_bytes(content[:-4])
    with pytest.raises(InputError, match="ends within convolution 13 of 13"):
        load_weights(small(), tmp_path / "a.weights")


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (248_007_048, "as long as yolov3 with 80 classes"),
        (252_209_544, "as long as yolov3-spp with 80 classes"),
        (246_714_648, "as long as yolov3 with 20 classes"),
        (162_482_580, "as long as yolov3 to its convolution 52"),
        (100_000_000, r"fetch the file again, or give the \.cfg"),
        (2**40, r"fetch the file again, or give the \.cfg"),
    ],
)
def test_files_of_other_nets_are_named(tmp_path: Path, size: int, message: str) -> None:
    with (tmp_path / "a.weights").open("wb") as file:
        file.write(WIDE.pack())
        file.truncate(size)
    with torch.device("meta"):
        net = nets.create("yolov3-tiny")
    with pytest.raises(InputError, match=message):
        load_weights(net, tmp_path / "a.weights")


def test_published_tiny_with_the_masks_of_the_newer_cfg(shared: Path) -> None:
    path = shared / "weights/yolov3-tiny.weights"
    config = read_config(shared / "golden/darknet/yolov3-tiny.cfg")
    net = nets.create(config.net, anchors=config.anchors, masks=config.masks)
    message = r"mask = 1,2,3 .*\(anchors 23,27, .*this net has mask = 0,1,2 .*\[yolo\] section"
    with pytest.raises(InputError, match=message):
        load_weights(net, path)
    # A net's own classes make a new head, which may have any masks.
    net = nets.create(config.net, classes=2, anchors=config.anchors, masks=config.masks)
    assert len(load_matching(net, read_weights(path, net).state).different) == 4


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, float("nan"), r"no numbers in conv1\.bn\.bias, of convolution 1"),
        # Of the first convolution's two channels come bias, scale, mean, and then the variance.
        (6, -0.5, r"variances below 0 in conv1\.bn\.running_var, of convolution 1"),
        (-1, float("inf"), r"no numbers in head16\.predict\.weight, of convolution 13"),
    ],
)
def test_values_of_no_trained_net(tmp_path: Path, place: int, value: float, message: str) -> None:
    content = content_of(trained(), tmp_path / "a.weights")
    values = np.frombuffer(content[20:], "<f4").copy()
    values[place] = value
    (tmp_path / "a.weights").write_bytes(content[:20] + values.tobytes())
    with pytest.raises(InputError, match=message):
        load_weights(small(), tmp_path / "a.weights")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has 0 bytes, which no Darknet weights have"),
        (bytes(16), "has 16 bytes"),
        (bytes(4003), "has 4,003 bytes"),
        (bytes(20), "holds 1 values after its header"),
        (struct.pack("<iii", 0, -2, 0) + bytes(88), r"version 0\.-2\.0, which cannot be"),
        (b"<html><body>Not found</body></html>\n", "values after its header"),
    ],
)
def test_what_is_no_weight_file(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.weights").write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_weights(small(), tmp_path / "a.weights")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read the weights .*none\.weights: No such file"):
        load_weights(small(), tmp_path / "none.weights")
    with pytest.raises(InputError, match="cannot read the weights"):
        load_weights(small(), tmp_path)


@given(
    places=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=6),
    cut=st.one_of(st.just(0), st.integers(0, 400)),
    more=st.binary(max_size=40),
)
def test_damaged_files_are_read_or_refused(
    places: list[tuple[int, int]],
    cut: int,
    more: bytes,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.weights"
    net = small(width=0.0625)
    content = bytearray(content_of(net, path, header=WIDE))
    for place, value in places:
        content[place] = value
    path.write_bytes(content[: len(content) - cut] + more)
    # Either a net of numbers or the one error: anything else that is raised fails the test.
    with contextlib.suppress(InputError):
        load_weights(net, path)
        assert all(tensor.isfinite().all() for tensor in net.state_dict().values())
