"""What Sequential and ModuleList are given: lists for layers, classes and functions for layers."""

import inspect
from collections.abc import Sequence

from torch import nn

from viewfinder.explain.constructions import Construction, Refused
from viewfinder.explain.passed import Kwargs


def containers(made: Construction, values: Kwargs) -> Refused | None:
    """Sequential takes its layers one by one, ModuleList takes a list."""
    first = made.args[0] if made.args else None
    listed = first if made.kind is nn.ModuleList and isinstance(first, list | tuple) else made.args
    if made.kind in (nn.Sequential, nn.ModuleList) and (found := _no_layers(listed)):
        return found
    if made.kind is nn.Sequential and isinstance(first, list | tuple):
        # The stars are written by `changed`'s caller, for they are no value.
        return Refused(
            "nn.Sequential takes its layers one by one, and is given a list of them",
            "nn.Sequential(*layers)",
            ({"*": tuple(first)},),
        )
    if (
        made.kind is nn.ModuleList
        and made.args
        and all(isinstance(one, nn.Module) for one in made.args)
    ):
        return Refused(
            f"nn.ModuleList takes a list of layers, and is given {len(made.args)} of them",
            "nn.ModuleList([…])",
            ({"[]": list(made.args)},),
        )
    return None


_LAYERS = {
    "relu": "ReLU", "relu_": "ReLU", "gelu": "GELU", "silu": "SiLU", "elu": "ELU",
    "selu": "SELU", "leaky_relu": "LeakyReLU", "sigmoid": "Sigmoid", "tanh": "Tanh",
    "softplus": "Softplus", "mish": "Mish", "hardswish": "Hardswish", "flatten": "Flatten",
    "dropout": "Dropout", "logsigmoid": "LogSigmoid",
}  # fmt: skip


def _no_layers(given: Sequence[object]) -> Refused | None:
    """A class or a function among the layers: `nn.ReLU` or `F.relu` for `nn.ReLU()`."""
    layers: dict[int, str] = {}
    for at, one in enumerate(given):
        name = one.__name__ if isinstance(one, type) else ""
        if not isinstance(one, type | nn.Module) and callable(one):
            name = _LAYERS.get(getattr(one, "__name__", ""), "")
        if name and _made_alone(name):
            layers[at] = name
    if not layers:
        return None
    at, name = next(iter(layers.items()))
    what = f"nn.{name} is a class" if isinstance(given[at], type) else "a function is no layer"
    return Refused(
        f"what is put in line must be layers, and number {at + 1} is none: {what}",
        f"nn.{name}()",
        ({"()": layers},),
    )


def _made_alone(name: str) -> bool:
    """Whether a layer of torch.nn can be made without arguments."""
    kind = getattr(nn, name, None)
    if not isinstance(kind, type) or not issubclass(kind, nn.Module):
        return False
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return all(p.default is not p.empty or p.kind in variable for p in parameters)
