"""Arguments with which a layer can be made, where torch refused those that were given."""

import ast
import difflib
import inspect
from collections.abc import Callable
from math import gcd
from typing import Any

from torch import nn

from viewfinder.explain.constructions import DROPPED, Construction, Refused, SameArgument
from viewfinder.explain.fixes.containers import containers
from viewfinder.explain.passed import Kwargs

_SIZES = (
    "in_channels", "out_channels", "in_features", "out_features", "num_features",
    "num_channels", "num_embeddings", "embedding_dim", "embed_dim", "d_model", "input_size",
    "hidden_size", "num_layers", "num_groups", "num_heads", "nhead", "dim_feedforward",
    "groups", "kernel_size", "stride", "padding", "dilation", "normalized_shape",
    "output_padding",
)  # fmt: skip


def refused(made: Construction) -> Refused:
    """The rule that a layer's arguments break, and others that keep it."""
    values = made.values
    for rule in _RULES:
        found = rule(made, values)
        if found is not None:
            return found
    said = (str(made.error).strip().splitlines() or [""])[0]
    return Refused(f"{type(made.error).__name__}: {said}", "", ())


def _names(made: Construction, values: Kwargs) -> Refused | None:
    """An argument that the layer does not have."""
    unknown = [name for name in made.kwargs if name not in made.names]
    takes_any = issubclass(made.kind, nn.RNNBase)
    if not unknown or (not isinstance(made.error, TypeError) and not takes_any):
        return None
    name = unknown[0]
    free = [own for own in made.names[len(made.args) :] if own not in made.kwargs]
    close = [_OTHERS[name]] if _OTHERS.get(name) in free else []
    close += difflib.get_close_matches(name, free, n=1, cutoff=0.5)
    changes = [{name: DROPPED, other: made.kwargs[name]} for other in dict.fromkeys(close)]
    return Refused(
        f"nn.{made.kind.__name__} has no argument called {name}",
        f"one of {', '.join(made.names[:8])}",
        (*changes, {name: DROPPED}),
    )


# Sizes of which there is at least one.
_ABOVE_ZERO = {
    "stride", "groups", "num_groups", "num_heads", "nhead", "num_layers", "dilation",
    "hidden_size", "kernel_size", "d_model", "embed_dim", "input_size",
}  # fmt: skip
_OTHERS = {
    "filters": "out_channels",
    "units": "out_features",
    "strides": "stride",
    "dilation_rate": "dilation",
    "heads": "num_heads",
    "rate": "p",
    "n_layers": "num_layers",
}


def _types(made: Construction, values: Kwargs) -> Refused | None:
    """Sizes that are no whole numbers: a quotient, or text."""
    changes: dict[str, object] = {}
    for name in _SIZES:
        value: Any = values.get(name)
        text = isinstance(value, str) and value.strip().isdigit()
        if isinstance(value, float) or text:
            changes[name] = int(value)
        elif isinstance(value, tuple | list) and any(isinstance(one, float) for one in value):
            changes[name] = tuple(map(int, value))
    if not changes:
        return None
    name, new = next(iter(changes.items()))
    kind = "text" if isinstance(values[name], str) else "a fraction"
    hint = ": / gives fractions, // whole numbers" if kind == "a fraction" else ""
    return Refused(
        f"{name} is a whole number, and {values[name]!r} is {kind}{hint}",
        f"{name}={new!r}",
        (changes,),
    )


def _negative(made: Construction, values: dict[str, object]) -> Refused | None:
    """Sizes below zero, or zero where there must be one."""
    for name in _SIZES:
        value = values.get(name)
        if type(value) is not int or value > 0 or (value == 0 and name not in _ABOVE_ZERO):
            continue
        others = [v for key, v in values.items() if key in _SIZES and type(v) is int and v > 0]
        fitting = abs(value) or (1 if name not in ("hidden_size", "input_size") else 0)
        tried = dict.fromkeys([fitting or max(others, default=1), 1])
        return Refused(
            f"{name} must be at least {0 if name not in _ABOVE_ZERO else 1}, and it is {value}",
            f"a positive {name}",
            tuple({name: size} for size in tried),
        )
    return None


def _padding(made: Construction, values: dict[str, object]) -> Refused | None:
    """`padding="same"` with a stride, and words that are none."""
    padding = values.get("padding")
    if not issubclass(made.kind, nn.modules.conv._ConvNd) or not isinstance(padding, str):
        return None
    spatial = int(next(c for c in made.kind.__name__ if c.isdigit()))
    kernel, dilation = (_tuple(values.get(n, 1), spatial) for n in ("kernel_size", "dilation"))
    halves = tuple(d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True))
    half: object = halves[0] if len(set(halves)) == 1 else halves
    strided = set(_tuple(values.get("stride", 1), spatial)) != {1}
    if padding == "same" and strided:
        return Refused(
            'padding="same" keeps the size of the map, which a stride divides',
            f"padding={half!r} (half the kernel), or stride=1",
            ({"padding": half}, {"stride": 1}),
        )
    if padding in ("same", "valid") and "ConvTranspose" not in made.kind.__name__:
        return None
    close = difflib.get_close_matches(padding, ("same", "valid"), n=1, cutoff=0.4)
    words = [{"padding": word} for word in close if "Transpose" not in made.kind.__name__]
    return Refused(
        f'padding is a number, "same" or "valid", and not {padding!r}',
        f"padding={half!r}",
        (*words, {"padding": half}),
    )


def _tuple(value: Any, spatial: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * spatial


def _mode(made: Construction, values: dict[str, object]) -> Refused | None:
    modes = ("zeros", "reflect", "replicate", "circular")
    given = values.get("padding_mode")
    if not isinstance(given, str) or given in modes:
        return None
    close = difflib.get_close_matches(given, modes, n=1, cutoff=0.3) or ["zeros"]
    return Refused(
        f"padding_mode is one of {', '.join(modes)}, and not {given!r}",
        f"padding_mode={close[0]!r}",
        ({"padding_mode": close[0]},),
    )


def _groups(made: Construction, values: Kwargs) -> Refused | None:
    """Groups that do not share out the channels of a convolution."""
    names = ("groups", "in_channels", "out_channels")
    if not all(type(values.get(n)) is int and values[n] > 0 for n in names):
        return None
    groups, inner, outer = (int(values[n]) for n in names)
    if inner % groups == 0 and outer % groups == 0:
        return None
    which, count = ("input", inner) if inner % groups else ("output", outer)
    changes: list[Kwargs] = [{"groups": _divisor(gcd(inner, outer), groups)}, {"groups": 1}]
    if inner % groups == 0:
        changes.insert(1, {"out_channels": -(-outer // groups) * groups})
    if groups == inner and set(_tuple(values.get("kernel_size"), 1)) == {1}:
        # The pointwise half of a separable convolution, with the groups of the other half.
        changes.insert(0, changes.pop())
    elif inner == outer and not _cardinality(made, groups):
        # A depthwise convolution: as many groups as channels.
        changes.insert(0, {"groups": SameArgument("in_channels")})
    return Refused(
        f"groups must share out the channels evenly: {count}/{groups} = {count / groups:.4g} "
        f"{which} channels a group",
        f"groups that divide {inner} and {outer}",
        tuple(changes),
    )


def _cardinality(made: Construction, groups: int) -> bool:
    """Whether a number of groups is one that is usual for itself, such as ResNeXt's 32."""
    given = next((k.value for k in made.node.keywords if k.arg == "groups"), None)
    if given is None or isinstance(given, ast.Constant):
        return groups & (groups - 1) == 0
    return any(word in ast.unparse(given).lower() for word in ("group", "card"))


def _divisor(number: int, most: int) -> int:
    """The largest divisor of a number that is not above `most`."""
    return max(n for n in range(1, max(most, 1) + 1) if number % n == 0)


def _near(number: int, wanted: int) -> int:
    """The divisor of a number that is nearest to the one wanted."""
    fitting = (n for n in range(1, number + 1) if number % n == 0)
    return min(fitting, key=lambda n: (abs(n - wanted), n))


def _shared(whole: str, parts: str, words: str) -> Callable[..., Refused | None]:
    """Parts (groups, heads) that must divide a whole (channels, features)."""

    def rule(made: Construction, values: Kwargs) -> Refused | None:
        number, count = values.get(whole), values.get(parts)
        if type(number) is not int or type(count) is not int or number < 1 or count < 1:
            return None
        if number % count == 0:
            return None
        changes = [{parts: _near(number, count)}, {whole: -(-number // count) * count}]
        if count > number and count % number == 0 and parts == "num_groups":
            # The arguments were given the wrong way round.
            changes.insert(0, {parts: number, whole: count})
        return Refused(
            f"{words}: {number}/{count} = {number / count:.4g}",
            f"a {parts} that divides {number}",
            tuple(changes),
        )

    return rule


def _probability(made: Construction, values: dict[str, object]) -> Refused | None:
    """A dropout given in per cent."""
    name = "p" if "Dropout" in made.kind.__name__ else "dropout"
    p = values.get(name)
    if not isinstance(p, int | float) or 0 <= p <= 1:
        return None
    fitting = p / 100 if 1 < p <= 100 else 0.5
    return Refused(
        f"{name} is a probability, from 0 to 1, and it is {p:g}",
        f"{name}={fitting:g}",
        ({name: fitting},),
    )


def _index(made: Construction, values: dict[str, object]) -> Refused | None:
    rows, at = values.get("num_embeddings"), values.get("padding_idx")
    if type(rows) is not int or type(at) is not int or -rows <= at < rows:
        return None
    return Refused(
        f"padding_idx is one of the rows 0 to {rows - 1}, and it is {at}",
        f"padding_idx={rows - 1}",
        ({"num_embeddings": at + 1} if at > 0 else {"padding_idx": 0}, {"padding_idx": 0}),
    )


# What is usual for an argument, where it is no size of what goes in or comes out.
_USUAL = {
    "kernel_size": 3, "num_heads": 1, "nhead": 1, "num_layers": 1, "scale_factor": 2,
    "upscale_factor": 2, "downscale_factor": 2, "output_size": 1, "padding": 1,
}  # fmt: skip


def _left_out(made: Construction, values: dict[str, object]) -> Refused | None:
    """Arguments without which the layer cannot be: what is usual, or the size that is known."""
    parameters = inspect.signature(made.kind.__init__).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty and p.name in made.names]
    if issubclass(made.kind, nn.RNNBase):
        needed = ["input_size", "hidden_size"]
    lacking = [name for name in needed if name not in values]
    sizes = [v for v in (*made.args, *made.kwargs.values()) if type(v) is int and v > 0]
    if not lacking or len(made.args) > len(made.names):
        return None
    # Where nothing is known of a size, those of the layers beside it are tried.
    likely = dict.fromkeys([max(sizes)] if sizes else made.nearby)
    if made.kind is nn.Unflatten:
        return None
    changes = [{name: _USUAL.get(name, size) for name in lacking} for size in list(likely)[:6]]
    if made.kind is nn.GroupNorm and lacking == ["num_channels"]:
        # The only number was most likely meant for the channels.
        channels = max(sizes)
        changes.append({"num_groups": _near(channels, 8), "num_channels": channels})
    words = " and ".join(lacking)
    return Refused(
        f"nn.{made.kind.__name__} needs {words}, which {'is' if len(lacking) == 1 else 'are'} "
        "not given",
        f"{', '.join(needed)}",
        tuple(changes),
    )


_RULES: tuple[Callable[[Construction, dict[str, object]], Refused | None], ...] = (
    containers,
    _names,
    _left_out,
    _types,
    _negative,
    _padding,
    _mode,
    _groups,
    _shared("num_channels", "num_groups", "groups must share out the channels evenly"),
    _shared("embed_dim", "num_heads", "heads must share out the features evenly"),
    _shared("d_model", "nhead", "heads must share out the features evenly"),
    _probability,
    _index,
)
