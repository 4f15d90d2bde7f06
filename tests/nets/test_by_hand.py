"""LeNet and AlexNet against their layers computed in NumPy, window by window."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn

from viewfinder import nets
from viewfinder.errors import InputError

Array = np.ndarray[Any, np.dtype[np.float64]]


def convolve(
    x: Array, layer: nn.Conv2d, *, stride: int = 1, pad: tuple[int, int] = (0, 0)
) -> Array:
    """Convolution as one matrix product over all windows; `pad` is (before, after)."""
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    x = np.pad(x, ((0, 0), (0, 0), pad, pad))
    windows = sliding_window_view(x, weight.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwij,ocij->nohw", windows, weight, optimize=True) + bias[:, None, None]


def pool(x: Array, kernel: int, stride: int) -> Array:
    windows = sliding_window_view(x, (kernel, kernel), axis=(2, 3))
    return windows[:, :, ::stride, ::stride].max(axis=(4, 5))


def linear(x: Array, layer: nn.Linear) -> Array:
    return x @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()


def relu(x: Array) -> Array:
    return x.clip(min=0)


def lenet_by_hand(net: Any, x: Array) -> Array:
    x = pool(relu(convolve(x, net.conv1)), 2, 2)
    x = pool(relu(convolve(x, net.conv2)), 2, 2)
    x = relu(linear(x.reshape(len(x), -1), net.fc1))
    return linear(relu(linear(x, net.fc2)), net.fc3)


def alexnet_by_hand(net: Any, x: Array, *, pad: tuple[int, int] = (1, 2)) -> Array:
    x = pool(relu(convolve(x, net.conv1, stride=4, pad=pad)), 3, 2)
    x = pool(relu(convolve(x, net.conv2, pad=(2, 2))), 3, 2)
    for layer in (net.conv3, net.conv4, net.conv5):
        x = relu(convolve(x, layer, pad=(1, 1)))
    x = pool(x, 3, 2)
    x = relu(linear(x.reshape(len(x), -1), net.fc6))
    return linear(relu(linear(x, net.fc7)), net.fc8)


def biased(net: nn.Module) -> nn.Module:
    """The net in double precision with biases that show when one is forgotten."""
    for name, weight in net.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(weight, std=0.1)
    return net.double().eval()


def answer(net: nn.Module, x: Array) -> Array:
    with torch.no_grad():
        return net(torch.from_numpy(x)).numpy()


@pytest.mark.parametrize("size", [32, (16, 33), (64, 47)])
def test_lenet(size: int | tuple[int, int]) -> None:
    net = biased(nets.create("lenet", size=size))
    height, width = (size, size) if isinstance(size, int) else size
    x = np.random.default_rng(0).normal(size=(2, 3, height, width))
    np.testing.assert_allclose(answer(net, x), lenet_by_hand(net, x), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(("width", "size"), [(1.0, 224), (0.5, 224), (0.25, (67, 100))])
def test_alexnet(width: float, size: int | tuple[int, int]) -> None:
    net = biased(nets.create("alexnet", classes=5, width=width, size=size))
    x = np.random.default_rng(0).normal(
        size=(1, 3, *((size, size) if isinstance(size, int) else size))
    )
    np.testing.assert_allclose(answer(net, x), alexnet_by_hand(net, x), rtol=1e-9, atol=1e-10)


def test_alexnet_pads_one_before_and_two_after() -> None:
    """Two on each side give the same sizes, and one pixel's shift: the numbers differ."""
    net = biased(nets.create("alexnet", classes=5, width=0.25))
    x = np.random.default_rng(0).normal(size=(1, 3, 224, 224))
    ours, shifted = answer(net, x), alexnet_by_hand(net, x, pad=(2, 2))
    assert shifted.shape == ours.shape
    assert np.abs(ours - shifted).max() > 0.01 * np.abs(ours).max()
    np.testing.assert_allclose(shifted, alexnet_by_hand(net, x, pad=(2, 1)))
    assert [layer.kernel_size for layer in net.modules() if isinstance(layer, nn.MaxPool2d)] == [
        3, 3, 3,
    ]  # fmt: skip


def strided_by_hand(net: Any, x: Array) -> Array:
    x = relu(convolve(relu(convolve(x, net.conv1)), net.down1[0], stride=2))
    x = relu(convolve(relu(convolve(x, net.conv2)), net.down2[0], stride=2))
    x = relu(linear(x.reshape(len(x), -1), net.fc1))
    return linear(relu(linear(x, net.fc2)), net.fc3)


def test_lenet_with_strides_for_pools() -> None:
    net = biased(nets.create("lenet", size=37, downsample="stride"))
    x = np.random.default_rng(0).normal(size=(2, 3, 37, 37))
    np.testing.assert_allclose(answer(net, x), strided_by_hand(net, x), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", ["lenet", "alexnet", "vgg16"])
@pytest.mark.parametrize("larger", [0, 1, 2, 3])
def test_strides_have_the_geometry_and_channels_of_the_pools(name: str, larger: int) -> None:
    """Layer by layer: same shapes out, no pool left, the same parameters beside them."""
    side = nets.input_size(name)[0] + larger
    options = {"size": side} if "size" in nets.options(name) else {}

    def shapes(net: nn.Module) -> list[torch.Size]:
        found: list[torch.Size] = []
        windows = (nn.MaxPool2d, nn.Conv2d)
        for module in net.modules():
            if isinstance(module, windows):
                module.register_forward_hook(lambda _, __, output: found.append(output.shape))
        net(torch.empty(2, 3, side, side))
        return found

    with torch.device("meta"):
        pooled = nets.create(name, downsample="pool", **options)
        strided = nets.create(name, downsample="stride", **options)
        assert shapes(pooled) == shapes(strided)
    assert not any(isinstance(module, nn.MaxPool2d) for module in strided.modules())
    kept = {key: value.shape for key, value in pooled.state_dict().items()}
    assert kept.items() <= {key: value.shape for key, value in strided.state_dict().items()}.items()


@pytest.mark.parametrize(
    ("name", "smallest", "sums"),
    [
        ("lenet", 16, r"the 2×2 pool ⌊\(1 − 2 \+ 0\)/2⌋ \+ 1 = 0 leaves nothing"),
        ("alexnet", 64, r"the 3×3 pool ⌊\(2 − 3 \+ 0\)/2⌋ \+ 1 = 0 leaves nothing"),
    ],
)
def test_smallest_size(name: str, smallest: int, sums: str) -> None:
    net = nets.create(name, size=smallest, classes=2).eval()
    assert net(torch.zeros(1, 3, smallest, smallest)).shape == (1, 2)
    for size in (smallest - 1, (smallest, smallest - 1), (smallest - 1, 300)):
        message = rf"{name} cannot take .* {smallest - 1}: {sums}; .* {smallest} pixels"
        with pytest.raises(InputError, match=message):
            nets.create(name, size=size)
    with pytest.raises(InputError, match="leaves nothing"):
        nets.create(name, size=1)


def test_zero_residual_starts_each_block_as_its_shortcut() -> None:
    net = nets.create("resnet18", stem="small", zero_residual=True).eval()
    x = torch.rand(1, 64, 8, 8)
    assert torch.equal(net.layer1(x), x)
    assert not torch.equal(nets.create("resnet18").eval().layer1(x), x)


def test_resnet_small_stem_keeps_the_size() -> None:
    with torch.device("meta"):
        net = nets.create("resnet50", stem="small", width=0.5)
        x = torch.empty(1, 3, 32, 32)
        assert net.maxpool(net.conv1(x)).shape == (1, 32, 32, 32)
        assert net.layer4[-1].conv3.out_channels == 1024
