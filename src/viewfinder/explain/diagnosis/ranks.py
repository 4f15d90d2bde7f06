"""Mistakes of a tensor with more or fewer dimensions than what takes it, and of unequal batches."""

import re

from torch import Tensor, nn

from viewfinder.explain.calls import shape_of, tensors_in
from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.explanation import Mistake, shape_text
from viewfinder.wording import counted

_LETTERS = {1: "C×L", 2: "C×H×W", 3: "C×D×H×W"}
_WINDOWS = re.compile(
    r"(?:(conv)|(conv_transpose)|(?:adaptive_)?(?:max_|avg_|lp_)(pool))([123])d(?:_with_indices)?"
)
_RESIZED = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}


def windows(case: Case) -> Mistake | None:
    """Convolutions and pooling over another number of dimensions."""
    found = _WINDOWS.fullmatch(case.operation)
    if found is None or not case.shapes:
        return None
    rank, shape = int(found[4]), case.shapes[0]
    if len(shape) in (rank + 1, rank + 2):
        return _kernels(case, rank)
    what = "convolution" if found[1] else "transposed convolution" if found[2] else "pooling"
    return case.mistake(
        f"a {rank}D {what} takes N×{_LETTERS[rank]}, {rank + 2} dimensions (or {rank + 1} without "
        f"the batch), and this has {len(shape)}",
        case.operand(0),
        f"N×{_LETTERS[rank]}",
    )


def _kernels(case: Case, rank: int) -> Mistake | None:
    """The kernels of F.conv2d and its like, which are tensors of the user's own."""
    weight = case.weight()
    if weight is None or weight.dim() == rank + 2 or "conv" not in case.operation:
        return None
    sides = _LETTERS[rank].partition("×")[2].replace("L", "length")
    return case.mistake(
        f"the kernels of a {rank}D convolution are out × in × {sides}, {rank + 2} dimensions, and "
        f"these have {weight.dim()}",
        f"{case.operand(0)}, kernels of {shape_text(shape_of(weight))}",
        f"kernels of {rank + 2} dimensions",
    )


def resizing(case: Case) -> Mistake | None:
    """F.interpolate with a mode for other maps."""
    if case.operation not in ("interpolate", "upsample") or not case.shapes:
        return None
    mode = case.argument("mode", "nearest")
    wanted, got = _RESIZED.get(mode, 0), len(case.shapes[0])
    if not wanted or wanted == got:
        return None
    fitting = [name for name, rank in _RESIZED.items() if rank == got]
    return case.mistake(
        f'mode="{mode}" is for N×{_LETTERS[wanted - 2]}, {wanted} dimensions, and this has {got}',
        case.operand(0),
        f'mode="{fitting[0]}"' if fitting else f"{wanted} dimensions",
    )


def sequences(case: Case) -> Mistake | None:
    """Recurrent layers over another number of dimensions, or with a state of another."""
    module, frame = case.module, case.failure.frame
    if not isinstance(module, nn.RNNBase | nn.RNNCellBase) or not frame.args:
        return None
    given = frame.args[0]
    if not isinstance(given, Tensor):
        return None
    cell = isinstance(module, nn.RNNCellBase)
    steps = "batch × time" if getattr(module, "batch_first", False) else "time × batch"
    taken = f"{'batch' if cell else steps} × features"
    whole = 2 if cell else 3
    if given.dim() not in (whole - 1, whole):
        return case.mistake(
            f"{case.name} takes {taken}, {whole} dimensions (or {whole - 1} without the batch), "
            f"and is given {given.dim()}",
            shape_text(shape_of(given)),
            taken,
        )
    passed = frame.args[1] if len(frame.args) > 1 else frame.kwargs.get("hx")
    if isinstance(module, nn.LSTM | nn.LSTMCell) and isinstance(passed, Tensor):
        got = f"one tensor of {shape_text(shape_of(passed))}"
        return case.mistake("an LSTM's state is a pair, h and c", got, "a pair (h, c)")
    state = next(tensors_in(passed), None)
    if cell or state is None or given.dim() == state.dim():
        return None
    return case.mistake(
        f"{case.name} is given {counted(given.dim(), 'dimension')} and a state of {state.dim()}: "
        "either both have a batch or neither has",
        f"{shape_text(shape_of(given))} and a state of {shape_text(shape_of(state))}",
        f"{taken}, and a state of layers × batch × features",
    )


def batches(case: Case) -> Mistake | None:
    """nn.Transformer and attention whose inputs have unequal batches or lengths."""
    module, frame = case.module, case.failure.frame
    if not isinstance(module, nn.Transformer | nn.MultiheadAttention):
        return None
    names = ("source", "target")
    if isinstance(module, nn.MultiheadAttention):
        names = ("query", "key", "value")  # type: ignore[assignment]
    given = [one for one in frame.args[: len(names)] if isinstance(one, Tensor)]
    if len(given) < 2 or given[0].dim() not in (2, 3):
        return None
    shapes = [shape_of(one) for one in given]
    got = ", ".join(f"{n} {shape_text(s)}" for n, s in zip(names, shapes, strict=False))
    for name, shape in zip(names[1:], shapes[1:], strict=False):
        if len(shape) != len(shapes[0]):
            return case.mistake(
                f"{names[0]} and {name} have equally many dimensions: {len(shapes[0])} ≠ "
                f"{len(shape)}",
                got,
                f"{len(shapes[0])} dimensions each",
            )
        dim = 0 if _first(module) else 1
        if len(shape) == 3 and shape[dim] != shapes[0][dim]:
            return case.mistake(
                f"{names[0]} and {name} need the same batch, which {case.name} reads in dimension "
                f"{dim} (batch_first={_first(module)}): {shapes[0][dim]} ≠ {shape[dim]}",
                got,
                "the same batch",
            )
    if isinstance(module, nn.Transformer):
        return _features(case, module.d_model, names, shapes, got)
    if len(shapes) == 3 and shapes[1][:-1] != shapes[2][:-1]:
        keys, values = map(shape_text, shapes[1:3])
        rule = f"each key needs its value: keys of {keys}, values of {values}"
        return case.mistake(rule, got, "keys and values of one length")
    return None


def _first(module: nn.Module) -> bool:
    return bool(getattr(module, "batch_first", False))


def _features(
    case: Case, width: int, names: tuple[str, ...], shapes: list[tuple[int, ...]], got: str
) -> Mistake | None:
    for name, shape in zip(names, shapes, strict=False):
        if shape[-1] != width:
            rule = f"{case.name} is made for {width} features, and its {name} has {shape[-1]}"
            return case.mistake(rule, got, f"a last dimension of {width}")
    return None
