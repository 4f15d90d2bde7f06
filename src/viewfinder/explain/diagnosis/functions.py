"""Mistakes at single functions, each of which asks for one thing more than most."""

from collections.abc import Callable
from math import prod

from torch import Tensor, nn

from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.explanation import Mistake, shape_text
from viewfinder.wording import counted

_INSTANCE = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
_RANKS = {"t": 2, "dot": 1, "outer": 1, "mv": 2, "diag_embed": 1}
_BATCHED = {"t": "mT", "dot": "(a * b).sum(-1)", "outer": "a[..., :, None] * b[..., None, :]"}


def single(case: Case) -> Mistake | None:
    """By the function that failed."""
    rule = _RULES.get(case.operation)
    found = rule(case) if rule is not None and case.shapes else None
    if found is None and case.call is None and isinstance(case.module, _INSTANCE):
        return _instances(case, case.module)
    if found is None and isinstance(case.module, nn.ModuleList | nn.ModuleDict) and not case.call:
        kind = type(case.module).__name__
        return case.mistake(
            f"{case.name} is an nn.{kind}, which keeps layers and cannot be called: go through "
            "them, or make it an nn.Sequential",
            f"a call of an nn.{kind}",
            "a call of each of its layers",
        )
    return found


def _instances(case: Case, layer: nn.modules.instancenorm._InstanceNorm) -> Mistake | None:
    given = case.failure.frame.args[0] if case.failure.frame.args else None
    if not isinstance(given, Tensor):
        return None
    rank = _INSTANCE.index(type(layer)) + 3 if type(layer) in _INSTANCE else given.dim()
    shape = tuple(map(int, given.shape))
    if given.dim() in (rank - 1, rank) and shape[1 - rank] != layer.num_features:
        return case.mistake(
            f"{case.name} is made for {counted(layer.num_features, 'channel')} and is given "
            f"{shape[1 - rank]}",
            shape_text(shape),
            counted(layer.num_features, "channel"),
        )
    return None


def _reflected(case: Case) -> Mistake | None:
    """A reflection, or a circle, wider than what there is."""
    sides, mode = case.argument("pad"), case.argument("mode", "constant")
    if mode not in ("reflect", "circular") or not isinstance(sides, list | tuple):
        return None
    for at, width in enumerate(sides):
        size = case.shapes[0][-1 - at // 2]
        if width > size - (mode == "reflect"):
            return case.mistake(
                f'mode="{mode}" has only {size} places to take {counted(width, "place")} from',
                case.operand(0),
                f"at most {size - (mode == 'reflect')}",
            )
    return None


def _matrices(case: Case) -> Mistake | None:
    if case.shapes[0][1:] in ((2, 3), (3, 4)):
        return None
    return case.mistake(
        f"affine_grid takes a matrix for each picture, N×2×3, and is given "
        f"{shape_text(case.shapes[0])}",
        case.operand(0),
        "N×2×3 (of volumes N×3×4)",
    )


def _places(case: Case) -> Mistake | None:
    """grid_sample, whose grid ends in x and y."""
    shape, grid = case.shapes[0], case.shapes[1] if len(case.shapes) > 1 else ()
    if len(grid) != len(shape) or grid[-1] == len(shape) - 2:
        return None
    return case.mistake(
        f"a grid ends in the {len(shape) - 2} coordinates of each place, and this one ends in "
        f"{grid[-1]}",
        case.operand(1),
        f"a last dimension of {len(shape) - 2}",
    )


def _unpooled(case: Case) -> Mistake | None:
    if len(case.shapes) < 2 or case.shapes[0] == case.shapes[1]:
        return None
    one, two = map(shape_text, case.shapes[:2])
    return case.mistake(
        f"{case.name} puts each number back at the place that was kept of it: numbers {one}, "
        f"places {two}",
        f"{case.operand(0)} and {case.operand(1)}",
        "the places of the pooling that this undoes",
    )


def _laid(case: Case) -> Mistake | None:
    """Windows that fold lays on a map, of which it wants as many as fit."""
    names = ("output_size", "kernel_size", "dilation", "padding", "stride")
    args = case.call.args[1:] if case.call is not None else ()
    given = dict(zip(names, args, strict=False)) | dict(case.call.kwargs if case.call else {})
    if not {"output_size", "kernel_size"} <= set(given) or len(case.shapes[0]) not in (2, 3):
        return None
    pairs = {key: _pair(given.get(key, 0 if key == "padding" else 1)) for key in names}
    fitting = [
        (size + 2 * padding - dilation * (window - 1) - 1) // stride + 1
        for size, window, dilation, padding, stride in zip(*(pairs[n] for n in names), strict=True)
    ]
    if prod(fitting) == case.shapes[0][-1]:
        return None
    window, whole = shape_text(pairs["kernel_size"]), shape_text(pairs["output_size"])
    return case.mistake(
        f"fold lays windows of {window} on a map of {whole}: {fitting[0]}·{fitting[1]} = "
        f"{prod(fitting)} of them fit, and {case.shapes[0][-1]} are given",
        case.operand(0),
        f"a last dimension of {prod(fitting)}",
    )


def _pair(value: object) -> tuple[int, int]:
    one, two = value if isinstance(value, tuple | list) else (value, value)
    return int(one), int(two)


def _stretch(case: Case) -> Mistake | None:
    """A piece of a dimension that is not as long."""
    args = case.call.args[1:] if case.call is not None else ()
    if len(args) < 2 or not all(type(one) is int for one in args):
        return None
    dim, *numbers = args
    shape = case.shapes[0]
    if not -len(shape) <= dim < len(shape):
        return None
    last = {"select": numbers[0], "narrow": sum(numbers[:2]) - 1, "unfold": numbers[0] - 1}
    if -shape[dim] <= last[case.operation] < shape[dim]:
        return None
    return case.mistake(
        f"dimension {dim} has {counted(shape[dim], 'place')}, 0 to {shape[dim] - 1}, and "
        f"{case.operation} reaches to {last[case.operation]}",
        case.operand(0),
        f"at most {shape[dim] - 1}",
    )


def _slopes(case: Case) -> Mistake | None:
    channels, slopes = case.shapes[0][1:2], prod(case.shapes[1])
    if slopes == 1 or channels == (slopes,):
        return None
    return case.mistake(
        f"{case.name} keeps one slope for each of {counted(slopes, 'channel')} and is given "
        f"{shape_text(channels) or 'none'}",
        case.operand(0),
        f"{counted(slopes, 'channel')}, dimension 1",
    )


def _halves(case: Case) -> Mistake | None:
    dim = case.argument("dim", -1)
    size = case.shapes[0][dim if type(dim) is int else -1]
    if size % 2 == 0:
        return None
    rule = f"glu gates one half of a dimension by the other, and dimension {dim} has {size}"
    return case.mistake(rule, case.operand(0), "an even number")


def _largest(case: Case) -> Mistake | None:
    args = case.call.args if case.call is not None else ()
    count = case.argument("k", args[1] if len(args) > 1 else 0)
    shape = case.shapes[0]
    if not shape or type(count) is not int or count <= shape[-1]:
        return None
    rule = f"topk is asked for {count} of {shape[-1]}"
    return case.mistake(rule, case.operand(0), f"k of at most {shape[-1]}")


def _parts(case: Case) -> Mistake | None:
    args = case.call.args if case.call is not None else ()
    sizes = args[1] if len(args) > 1 else None
    dim = case.argument("dim", args[2] if len(args) > 2 else 0)
    if not isinstance(sizes, list | tuple) or sum(sizes) == case.shapes[0][dim]:
        return None
    added = " + ".join(map(str, sizes))
    return case.mistake(
        f"the parts of a split make up the whole: {added} = {sum(sizes)}, and dimension {dim} has "
        f"{case.shapes[0][dim]}",
        case.operand(0),
        f"sizes that add up to {case.shapes[0][dim]}",
    )


def _rank(case: Case) -> Mistake | None:
    wanted, got = _RANKS[case.operation], [len(shape) for shape in case.shapes]
    if max(got) <= wanted:
        return None
    other = f"; of a batch: {_BATCHED[case.operation]}" if case.operation in _BATCHED else ""
    return case.mistake(
        f"{case.operation} takes {counted(wanted, 'dimension')} and is given {max(got)}{other}",
        case.operand(0),
        counted(wanted, "dimension"),
    )


def _state(case: Case) -> Mistake | None:
    """The state of a cell, or the features that it reads."""
    given, state = case.shapes[:2]
    module = case.module
    if not isinstance(module, nn.RNNCellBase) or len(given) != 2:
        return None
    if given[1] != module.input_size:
        rule = f"{case.name} reads {module.input_size} features a step and is given {given[1]}"
        return case.mistake(rule, case.operand(0), f"a last dimension of {module.input_size}")
    if state == (given[0], module.hidden_size):
        return None
    return case.mistake(
        f"the state of {case.name} is batch × features, {given[0]}×{module.hidden_size}, and it is "
        f"{shape_text(state)}",
        f"{case.operand(0)} and a state of {shape_text(state)}",
        f"{given[0]}×{module.hidden_size}",
    )


def _verdicts(case: Case) -> Mistake | None:
    target = case.shapes[2] if len(case.shapes) > 2 else ()
    if len(target) < 2:
        return None
    rule = f"{case.operation} takes one verdict a pair, N, and its target is {shape_text(target)}"
    return case.mistake(rule, case.operand(2), f"a target of {target[0]}")


def _shares(case: Case) -> Mistake | None:
    """Weights of the classes of another loss."""
    weight = case.argument("weight")
    classes = case.shapes[0][1] if len(case.shapes[0]) > 1 else 0
    if not isinstance(weight, Tensor) or weight.numel() == classes:
        return None
    return case.mistake(
        f"{case.operation} weighs each class: there are {counted(classes, 'class')} and "
        f"{counted(weight.numel(), 'weight')}",
        case.operand(0),
        counted(classes, "weight"),
    )


def _lengths(case: Case) -> Mistake | None:
    first = bool(case.call and len(case.call.args) > 2 and case.call.args[2])
    dim = 0 if first else 1
    batch, given = case.shapes[0][dim], case.shapes[1][0] if len(case.shapes) > 1 else 0
    if batch == given:
        return None
    return case.mistake(
        f"packing takes a length for each sequence: with batch_first={first} there are {batch} "
        f"sequences, in dimension {dim}, and {counted(given, 'length')}",
        case.operand(0),
        counted(batch, "length"),
    )


_RULES: dict[str, Callable[[Case], Mistake | None]] = {
    "prelu": _slopes,
    "glu": _halves,
    "topk": _largest,
    "pad": _reflected,
    "fold": _laid,
    **dict.fromkeys(("max_unpool1d", "max_unpool2d", "max_unpool3d"), _unpooled),
    **dict.fromkeys(("select", "narrow", "unfold"), _stretch),
    "affine_grid": _matrices,
    "grid_sample": _places,
    "split": _parts,
    "split_with_sizes": _parts,
    **dict.fromkeys(_RANKS, _rank),
    **dict.fromkeys(("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"), _state),
    "cosine_embedding_loss": _verdicts,
    "cross_entropy": _shares,
    "nll_loss": _shares,
    "_pack_padded_sequence": _lengths,
}
