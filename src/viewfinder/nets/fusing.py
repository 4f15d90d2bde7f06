"""A net's forward pass as a processor computes it fastest: fewer passes over the same numbers.

In evaluation mode a batch norm is a factor and a summand a channel: both go into the convolution
before it (torch's `fuse_conv_bn_eval`). An activation that rises everywhere goes into it too, where
oneDNN applies it to values that are still in registers, and a pool of maxima between the two
changes places with it, as what rises gives of a maximum the maximum of what it gives. Weights are
kept in oneDNN's own order, which torch otherwise makes anew at each call. The answers are the same
but for rounding.
"""

from collections.abc import Sequence
from copy import copy

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from viewfinder.nets.efficientnet_lite import ConvNorm

Unary = tuple[str, tuple[float, ...]]
"""An activation as oneDNN knows it: its name, and its numbers."""

_NOTHING: Unary = ("none", ())


def fused_forward(net: nn.Module) -> nn.Module | None:
    """What `net`, in evaluation mode, answers to N×3×H×W float32 on the CPU.

    The net is left as it was, and shares what was not folded. No gradients can be had of it. None
    where what it does depends on the numbers that it is given.
    """
    try:
        graph = _Tracer().trace(net)
    except (fx.proxy.TraceError, TypeError, AttributeError, RuntimeError):
        return None
    module = fx.GraphModule(net, graph)
    for number, node in enumerate(list(graph.nodes)):
        layer = _called(module, node)
        if isinstance(layer, ConvNorm):
            _replace(module, node, _fused_conv_norm(layer), number)
        elif type(layer) is nn.Conv2d and layer.padding_mode == "zeros":
            _replace(module, node, _fused_conv(module, node, layer), number)
    module.delete_all_unused_submodules()
    graph.lint()
    module.recompile()
    return module.eval().to(memory_format=torch.channels_last)


class _Tracer(fx.Tracer):
    """Sees every layer of torch's, and `ConvNorm`, whose padding depends on the picture's size."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, ConvNorm) or super().is_leaf_module(m, module_qualified_name)


class Kernel(nn.Conv2d):
    """A convolution with its activation in one call of oneDNN; its weights are packed once."""

    def __init__(self, conv: nn.Conv2d, unary: Unary) -> None:
        assert not isinstance(conv.padding, str)
        super().__init__(
            conv.in_channels,
            conv.out_channels,
            (conv.kernel_size[0], conv.kernel_size[1]),
            stride=(conv.stride[0], conv.stride[1]),
            padding=(int(conv.padding[0]), int(conv.padding[1])),
            dilation=(conv.dilation[0], conv.dilation[1]),
            groups=conv.groups,
            device="meta",
        )
        self.weight = nn.Parameter(conv.weight.detach(), requires_grad=False)
        bias = conv.bias if conv.bias is not None else torch.zeros(conv.out_channels)
        self.bias = nn.Parameter(bias.detach(), requires_grad=False)
        self.unary = unary
        self._packed: Tensor | None = None

    def __getstate__(self) -> dict[str, object]:
        # What is packed can be neither copied nor pickled; a copy packs its own.
        return self.__dict__ | {"_packed": None}

    def forward(self, input: Tensor) -> Tensor:  # N×in×H×W
        how = self.padding, self.stride, self.dilation, self.groups
        if self._packed is None:
            packed: Tensor = torch.ops.mkldnn._reorder_convolution_weight(
                self.weight, *how, list(input.shape)
            )
            self._packed = packed
        name, numbers = self.unary
        found: Tensor = torch.ops.mkldnn._convolution_pointwise(
            input, self._packed, self.bias, *how, name, numbers, ""
        )
        return found


def _has_kernels() -> bool:
    """Whether torch was built with oneDNN, and has the calls that Inductor makes of it too."""
    names = ("_convolution_pointwise", "_reorder_convolution_weight")
    built: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return built and all(hasattr(torch.ops.mkldnn, name) for name in names)


def _unary(layer: nn.Module | None) -> Unary | None:
    """The activation that a layer is, if it rises everywhere and oneDNN has it."""
    if type(layer) is nn.ReLU:
        return "relu", ()
    if type(layer) is nn.ReLU6:
        return "hardtanh", (0.0, 6.0)
    if type(layer) is nn.LeakyReLU and layer.negative_slope >= 0:
        return "leaky_relu", (float(layer.negative_slope),)
    return None


def _fused_conv_norm(layer: ConvNorm) -> nn.Module:
    """The same layer with its norm, and if it can be its activation, within its convolution."""
    quick = copy(layer)
    # A shallow copy shares the table of the layers within.
    quick._modules = dict(layer._modules)
    conv = fuse_conv_bn_eval(layer.conv, layer.norm)
    unary = _NOTHING if type(layer.activation) is nn.Identity else _unary(layer.activation)
    if unary is not None and _has_kernels():
        quick.add_module("activation", nn.Identity())
        conv = Kernel(conv, unary)
    quick.add_module("conv", conv)
    quick.add_module("norm", nn.Identity())
    return quick


def _fused_conv(module: fx.GraphModule, node: fx.Node, conv: nn.Conv2d) -> nn.Module:
    """A convolution with what follows it, as far as nothing else asks for what is between."""
    after = _only_user(node)
    norm = _called(module, after)
    if type(norm) is nn.BatchNorm2d and norm.running_mean is not None:
        conv = fuse_conv_bn_eval(conv, norm)
        after = _drop(after)
    if not _has_kernels() or isinstance(conv.padding, str):
        return conv
    if isinstance(_called(module, after), nn.MaxPool2d):
        after = _only_user(after)
    unary = _unary(_called(module, after))
    if unary is None:
        return Kernel(conv, _NOTHING)
    _drop(after)
    return Kernel(conv, unary)


def _only_user(node: fx.Node | None) -> fx.Node | None:
    """Who alone takes what a node gives."""
    users: Sequence[fx.Node] = list(node.users) if node is not None else ()
    return users[0] if len(users) == 1 else None


def _called(module: fx.GraphModule, node: fx.Node | None) -> nn.Module | None:
    """The layer that a node calls, if it calls one."""
    if node is None or node.op != "call_module":
        return None
    return module.get_submodule(str(node.target))


def _drop(node: fx.Node | None) -> fx.Node | None:
    """Leave a layer out of the pass; returns who alone took what it gave."""
    assert node is not None
    after, before = _only_user(node), node.args[0]
    assert isinstance(before, fx.Node)
    node.replace_all_uses_with(before)
    node.graph.erase_node(node)
    return after


def _replace(module: fx.GraphModule, node: fx.Node, layer: nn.Module, number: int) -> None:
    # Under a name of its own, since a layer may be called from several places.
    name = f"fused_{number}"
    module.add_submodule(name, layer)
    node.target = name
