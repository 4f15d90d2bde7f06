"""Receptive fields against the support of real gradients: nothing outside, and exact for chains."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from viewfinder.explain import ExplainedLayer, explain


class Net(nn.Module):
    """A net of a function over named layers."""

    def __init__(self, run: Callable[..., Tensor], **layers: nn.Module) -> None:
        super().__init__()
        self.run = run
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.run(self, *inputs)


def support(output: Tensor, picture: Tensor) -> tuple[range, range]:
    """The rows and columns of the picture that a number of the output has a gradient to."""
    (gradient,) = torch.autograd.grad(output, picture, retain_graph=True, allow_unused=True)
    if gradient is None:
        return range(0), range(0)
    touched = (gradient[0].abs().sum(0) > 0).nonzero()
    if not len(touched):
        return range(0), range(0)
    low, high = touched.min(0).values.tolist(), touched.max(0).values.tolist()
    return range(low[0], high[0] + 1), range(low[1], high[1] + 1)


def check_contained(net: nn.Module, *shape: int, exact: bool = False) -> ExplainedLayer:
    """Hold the last layer's receptive field against gradients at corners, edges and middle."""
    layer = explain(net, shape).layers[-1]
    picture = torch.rand(shape, requires_grad=True)
    output = net(picture)
    field = layer.receptive_field
    assert field is not None
    rows, columns = output.shape[-2:] if output.dim() > 2 else (1, 1)
    for i in {0, 1, rows // 2, rows - 1} & set(range(rows)):
        for j in {0, columns // 3, columns - 1}:
            number = output[0, :, i, j].sum() if output.dim() > 2 else output[0].sum()
            for axis, (at, seen) in enumerate(zip((i, j), support(number, picture), strict=True)):
                first = field.offset[axis] + at * field.stride[axis]
                last = first + field.size[axis] - 1
                told = range(max(0, int(first)), min(shape[axis + 2] - 1, int(last)) + 1)
                if exact:
                    assert told == seen
                if len(seen):
                    assert first <= seen[0]
                    assert seen[-1] <= last
                    assert not field.whole or len(seen) <= shape[axis + 2]
    return layer


steps = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 3), st.integers(1, 2)),
    min_size=1,
    max_size=5,
)


@given(steps)
@settings(max_examples=40)
def test_a_chain_of_convolutions_sees_exactly_this(settings_: list[tuple[int, ...]]) -> None:
    layers, size = [], 45
    for window, stride, padding, dilation in settings_:
        slack = size + 2 * padding - dilation * (window - 1) - 1
        if slack < 0:
            break
        size = slack // stride + 1
        layer = nn.Conv2d(1, 1, window, stride, padding, dilation, bias=False)
        nn.init.ones_(layer.weight)
        layers.append(layer)
    if not layers:
        return
    # Padding is part of a window but not of the picture, so that ends may be cut short by it.
    exact = not any(layer.padding[0] for layer in layers)
    check_contained(nn.Sequential(*layers), 1, 1, 45, 45, exact=exact)


def residual(net: Net, x: Tensor) -> Tensor:
    return F.relu(net.b(F.relu(net.a(x))) + net.short(x))


def unet(net: Net, x: Tensor) -> Tensor:
    skip = net.down(x)
    low = net.middle(F.max_pool2d(skip, 2))
    return torch.cat([F.interpolate(low, size=skip.shape[2:], mode="bilinear"), skip], 1)


def squeeze(net: Net, x: Tensor) -> Tensor:
    y = net.a(x)
    return y * torch.sigmoid(y.mean((2, 3), keepdim=True))


def reordered(net: Net, x: Tensor) -> Tensor:
    y = net.a(x).permute(0, 2, 3, 1)
    y = F.layer_norm(y, (4,))
    return y.permute(0, 3, 1, 2)[:, :, 1::2, 2:]


def patches(net: Net, x: Tensor) -> Tensor:
    y = net.a(x)
    n, c, h, w = y.shape
    y = y.reshape(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4)
    return y.reshape(n, c * 4, h // 2, w // 2)


def written(net: Net, x: Tensor) -> Tensor:
    y = net.a(x)
    y[:, :2] = net.b(x)[:, :2]
    return y * 1


def inplace(net: Net, x: Tensor) -> Tensor:
    y = net.a(x)
    total = net.b(F.relu_(y))
    total += y
    return total


def conv(inner: int, outer: int, window: int, stride: int = 1, **more: object) -> nn.Conv2d:
    return nn.Conv2d(inner, outer, window, stride, window // 2, **more)  # type: ignore[arg-type]


BRANCHES = {
    "residual": Net(residual, a=conv(3, 4, 3, 2), b=conv(4, 4, 5), short=conv(3, 4, 1, 2)),
    "unet": Net(unet, down=conv(3, 4, 3), middle=conv(4, 4, 3)),
    "squeeze": Net(squeeze, a=conv(3, 4, 3, 2)),
    "permute and slice": Net(reordered, a=conv(3, 4, 3)),
    "patches by reshape": Net(patches, a=conv(3, 4, 3)),
    "written into": Net(written, a=conv(3, 4, 3), b=conv(3, 4, 7)),
    "in place": Net(inplace, a=conv(3, 4, 3), b=conv(4, 4, 3)),
    "transposed": Net(
        lambda net, x: net.b(net.a(x)), a=conv(3, 4, 3, 2), b=nn.ConvTranspose2d(4, 4, 4, 2, 1)
    ),
    "odd transposed": Net(
        lambda net, x: net.b(net.a(x)),
        a=conv(3, 4, 3, 2),
        b=nn.ConvTranspose2d(4, 2, 3, 3, 1, output_padding=1, dilation=2),
    ),
    "pixel shuffle": Net(lambda net, x: F.pixel_shuffle(net.a(x), 2), a=conv(3, 4, 3, 2)),
    "reflected": Net(lambda net, x: net.a(x), a=conv(3, 4, 5, 2, padding_mode="reflect")),
    "replicated": Net(lambda net, x: net.a(x), a=conv(3, 4, 5, 1, padding_mode="replicate")),
    "circular": Net(lambda net, x: net.a(x), a=conv(3, 4, 5, 1, padding_mode="circular")),
    "same": Net(lambda net, x: net.a(x), a=nn.Conv2d(3, 4, 4, padding="same")),
    "adaptive": Net(lambda net, x: F.adaptive_avg_pool2d(net.a(x), (5, 3)), a=conv(3, 4, 3)),
    "nearest": Net(lambda net, x: F.interpolate(net.a(x), scale_factor=1.7), a=conv(3, 4, 3, 2)),
    "shrunk": Net(lambda net, x: F.interpolate(x, scale_factor=0.4, mode="bilinear")),
    "antialiased": Net(
        lambda net, x: F.interpolate(x, size=(7, 9), mode="bilinear", antialias=True)
    ),
    "group norm": Net(lambda net, x: F.group_norm(net.a(x), 2), a=conv(3, 4, 3)),
    "attention over rows": Net(lambda net, x: (x @ x.mT).softmax(-1) @ x),
    "flattened": Net(lambda net, x: net.a(x).flatten(1), a=conv(3, 4, 3, 2)),
    "transposed axes": Net(lambda net, x: net.a(x.transpose(2, 3)).mT, a=conv(3, 4, 3, 2)),
    "chunks joined": Net(
        lambda net, x: torch.cat([half * 2 for half in net.a(x).chunk(2, 1)], 1), a=conv(3, 4, 3)
    ),
    "rows joined": Net(lambda net, x: torch.cat([net.a(x), net.a(x)], 2), a=conv(3, 4, 3)),
    "flip": Net(lambda net, x: net.a(x).flip(3), a=conv(3, 4, 3)),
    "roll": Net(lambda net, x: torch.roll(net.a(x), 3, 2), a=conv(3, 4, 3)),
    "unfold": Net(lambda net, x: net.a(x).unfold(3, 3, 2)[..., 1], a=conv(3, 4, 3)),
    "strided padding": Net(lambda net, x: net.a(F.pad(x, (3, 0, -2, 1))), a=conv(3, 4, 3, 2)),
    "weights from the input": Net(
        lambda net, x: F.conv2d(net.a(x), x.mean((2, 3)).reshape(3, 1, 1, 1).expand(3, 4, 3, 3)),
        a=conv(3, 4, 3),
    ),
    "split and joined": Net(
        lambda net, x: net.a(x).unflatten(2, (6, 4)).flatten(2, 3) + net.b(x),
        a=conv(3, 4, 3),
        b=conv(3, 4, 5),
    ),
    "expanded": Net(lambda net, x: x[:, :, :1].expand(-1, -1, 12, -1)),
    "squeezed": Net(lambda net, x: net.a(x).squeeze(0).unsqueeze(0), a=conv(3, 4, 3)),
}


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("name", BRANCHES)
def test_nothing_is_seen_outside_the_field(name: str) -> None:
    check_contained(BRANCHES[name].eval(), 1, 3, 24, 20)


@given(
    st.lists(
        st.sampled_from(["conv", "stride", "pool", "up", "branch", "adaptive", "reflect"]),
        min_size=1,
        max_size=6,
    ),
    st.integers(18, 33),
)
@settings(max_examples=40)
def test_nothing_is_seen_outside_the_field_of_random_nets(kinds: list[str], size: int) -> None:
    def run(net: Net, x: Tensor) -> Tensor:
        for kind in kinds:
            if kind == "up":
                x = F.interpolate(x, scale_factor=2, mode="nearest")
            elif kind == "pool" and min(x.shape[2:]) > 2:
                x = F.avg_pool2d(x, 3, 2, 1)
            elif kind == "adaptive":
                x = F.adaptive_avg_pool2d(x, (max(1, x.shape[2] * 2 // 3), x.shape[3]))
            elif kind == "branch":
                x = net.conv(x) + F.max_pool2d(x, 3, 1, 1)
            elif kind == "stride":
                x = net.stride(x)
            elif kind == "reflect":
                x = net.conv(F.pad(x, (1, 1, 1, 1), mode="replicate"))
            else:
                x = net.conv(x)
        return x * 1

    layers = {"conv": conv(2, 2, 3), "stride": conv(2, 2, 5, 2)}
    check_contained(Net(run, **layers), 1, 2, size, size + 3)


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "mobilenet_v3_small", "convnext_tiny"])
def test_nothing_is_seen_outside_the_field_of_known_nets(name: str) -> None:
    options = {"init_weights": False} if name == "googlenet" else {}
    net = torchvision.models.get_model(name, weights=None, **options).eval()
    layers = [layer for layer in explain(net, (1, 3, 96, 96)).layers if layer.receptive_field]
    assert layers[-1].receptive_field is not None
    assert layers[-1].receptive_field.whole


def test_textbook_values() -> None:
    layers = {
        layer.name: layer
        for layer in explain(torchvision.models.resnet50().eval(), (1, 3, 224, 224)).layers
    }
    field = layers["layer4.2.add"].receptive_field
    assert field is not None
    # Stride in the 3×3 convolution, as torchvision has it: 427 = 1 + Σ (F − 1)·step.
    assert (field.size, field.stride) == ((427, 427), (32.0, 32.0))
    vgg = explain(torchvision.models.vgg16().eval(), (1, 3, 224, 224)).layers
    last = next(layer for layer in vgg if layer.name == "features.30").receptive_field
    assert last is not None
    assert (last.size, last.stride) == ((212, 212), (32.0, 32.0))


def test_the_widest_of_several_inputs_is_told() -> None:
    net = Net(lambda net, a, b: net.a(a) + net.b(b), a=conv(3, 4, 3), b=conv(1, 4, 7))
    field = explain(net, (1, 3, 20, 20), (1, 1, 20, 20)).layers[-1].receptive_field
    assert field is not None
    assert (field.input, field.size) == (1, (7, 7))
