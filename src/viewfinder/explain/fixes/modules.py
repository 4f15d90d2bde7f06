"""A layer of torch.nn as one would write it, with some of its arguments changed."""

import inspect
from collections.abc import Callable

import torch
from torch import nn

_RECURRENT = [
    "input_size",
    "hidden_size",
    "num_layers",
    "bias",
    "batch_first",
    "dropout",
    "bidirectional",
]
_DEFAULTS = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0}
_SKIPPED = {"self", "device", "dtype", "mode"}


def written(module: nn.Module, **changes: object) -> tuple[str, Callable[[], nn.Module]] | None:
    """Code that builds a layer like `module` but for the `changes`, and what it builds.

    None for a module that is not torch's own, whose arguments are not known.
    """
    found = _arguments(module)
    if found is None:
        return None
    home, values = found
    for name, value in changes.items():
        if name in values:
            values[name] = (value, values[name][1])
        else:
            values[name] = (value, inspect.Parameter.empty)
    return build(home, values)


def settings(module: nn.Module) -> dict[str, object] | None:
    """The arguments with which a layer of torch.nn was made, by name; None for other modules."""
    # A transformer keeps few of its arguments.
    found = None if type(module).__module__.endswith("transformer") else _arguments(module)
    return None if found is None else {name: value for name, (value, _) in found[1].items()}


def _arguments(
    module: nn.Module,
) -> tuple[type[nn.Module], dict[str, tuple[object, object]]] | None:
    """torch's class of a layer, and each argument with its default."""
    home = next(
        (c for c in type(module).__mro__ if c.__module__.startswith("torch.nn.modules")), None
    )
    if home is None or home is nn.Module or home.__module__.endswith("container"):
        return None
    # Lazy layers become what they stand for once they have run.
    home = getattr(home, "cls_to_become", None) or home
    values = _recurrent(module) if isinstance(module, nn.RNNBase) else _settings(module, home)
    return None if values is None else (home, values)


def made(name: str, *args: object, **kwargs: object) -> tuple[str, Callable[[], nn.Module]]:
    """`nn.Name(args)` and what it builds."""
    kind = getattr(nn, name)
    words = [*map(_text, args), *(f"{key}={_text(value)}" for key, value in kwargs.items())]
    return f"nn.{name}({', '.join(words)})", lambda: kind(*args, **kwargs)


def build(
    kind: type[nn.Module], values: dict[str, tuple[object, object]]
) -> tuple[str, Callable[[], nn.Module]]:
    positional: list[object] = []
    named: dict[str, object] = {}
    for name, (value, default) in values.items():
        value = _short(value)
        if default is inspect.Parameter.empty and not named:
            positional.append(value)
        elif not _equal(value, default):
            named[name] = value
    return made(kind.__name__, *positional, **named)


def _settings(module: nn.Module, home: type[nn.Module]) -> dict[str, tuple[object, object]] | None:
    values: dict[str, tuple[object, object]] = {}
    for name, parameter in inspect.signature(home.__init__).parameters.items():
        if name in _SKIPPED and not (name == "mode" and hasattr(module, "mode")):
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if name == "num_parameters":
            value: object = module.num_parameters
        elif name == "bias":
            value = _has_bias(module)
        elif name in ("kdim", "vdim") and getattr(module, name, 0) == module.embed_dim:
            value = None
        elif not hasattr(module, name):
            if parameter.default is parameter.empty:
                return None
            continue
        else:
            value = getattr(module, name)
        # A pool's stride is its window unless said otherwise.
        if name == "stride" and parameter.default is None and value == module.kernel_size:
            value = None
        values[name] = (value, parameter.default)
    return values


def _has_bias(module: nn.Module) -> bool:
    if isinstance(module, nn.MultiheadAttention):
        return module.in_proj_bias is not None
    return getattr(module, "bias", None) is not None


def _recurrent(module: nn.RNNBase) -> dict[str, tuple[object, object]]:
    values: dict[str, tuple[object, object]] = {
        name: (getattr(module, name), _DEFAULTS.get(name, inspect.Parameter.empty))
        for name in _RECURRENT
    }
    values["bidirectional"] = (module.bidirectional, False)
    if module.proj_size:
        values["proj_size"] = (module.proj_size, 0)
    return values


def _short(value: object) -> object:
    """A pair of equal numbers as one number, as it was most likely written."""
    if isinstance(value, torch.Size):
        value = tuple(value)
    if isinstance(value, tuple) and value and all(type(v) is int for v in value):
        return value[0] if len(set(value)) == 1 else value
    return value


def _equal(one: object, two: object) -> bool:
    return (type(one) is type(two) and one == two) or (one == two and not isinstance(one, bool))


def _text(value: object) -> str:
    return repr(value)
