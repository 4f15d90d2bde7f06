"""Mistakes at convolutions and pooling: channels, layout, batch, groups, windows too large."""

from viewfinder.explain.arithmetic import Transposed, Window
from viewfinder.explain.diagnosis.case import Case, from_a_map
from viewfinder.explain.explanation import Mistake, shape_text
from viewfinder.explain.geometry import axes
from viewfinder.wording import counted


def _is_convolution(case: Case) -> bool:
    return case.operation.startswith("conv") and case.weight() is not None


def _setting(case: Case) -> tuple[int, int, int, bool]:
    """Spatial rank, input channels that the weights ask for, output channels, transposed."""
    weight = case.weight()
    assert weight is not None
    rank, transposed = weight.dim() - 2, "transpose" in case.operation
    groups = case.argument("groups", 1)
    if transposed:
        return rank, int(weight.shape[0]), int(weight.shape[1]) * groups, True
    return rank, int(weight.shape[1]) * groups, int(weight.shape[0]), False


def missing_dimension(case: Case) -> Mistake | None:
    """A picture without its batch, or a grey one without its channel."""
    if not _is_convolution(case):
        return None
    rank, channels, _, _ = _setting(case)
    shape = case.shapes[0]
    letters = {1: "C×L", 2: "C×H×W", 3: "C×D×H×W"}[rank]
    if len(shape) >= rank + 1:
        return None
    return case.mistake(
        f"a {rank}D convolution takes N×{letters}, {rank + 2} dimensions (or {rank + 1} without "
        f"the batch), and this has {len(shape)}",
        case.operand(0),
        f"N×{letters} with C = {channels}",
    )


def channel_last(case: Case) -> Mistake | None:
    """A picture as OpenCV and PIL give it, H×W×C, where torch wants C×H×W."""
    if not _is_convolution(case):
        return None
    rank, channels, _, _ = _setting(case)
    shape = case.shapes[0]
    if rank < 2 or len(shape) not in (rank + 1, rank + 2) or shape[-1] != channels:
        return None
    at = len(shape) - rank - 1
    if shape[at] == channels or from_a_map(case):
        return None
    moved = (*shape[:at], shape[-1], *shape[at:-1])
    return case.mistake(
        f"torch keeps the channels before the rows, and here they come last: {case.name} looks "
        f"for its {channels} channels in dimension {at} and finds {shape[at]}",
        case.operand(0),
        f"{shape_text(moved)}, by permute: reshape or view would run but scramble the picture",
    )


def channels(case: Case) -> Mistake | None:
    """A convolution made for another number of channels."""
    if not _is_convolution(case):
        return None
    rank, wanted, _, _ = _setting(case)
    shape = case.shapes[0]
    got = shape[-rank - 1]
    if got == wanted:
        return None
    return case.mistake(
        f"{case.name} is made for {counted(wanted, 'input channel')} and is given {got}",
        case.operand(0),
        f"{counted(wanted, 'channel')}, dimension {len(shape) - rank - 1}",
    )


def convolution_groups(case: Case) -> Mistake | None:
    """Groups that do not share out the channels evenly."""
    if not _is_convolution(case):
        return None
    groups, weight = case.argument("groups", 1), case.weight()
    assert weight is not None
    out, got = int(weight.shape[0]), case.shapes[0][1]
    if groups < 2 or (out % groups == 0 and got % groups == 0):
        return None
    which, count = ("output", out) if out % groups else ("input", got)
    return case.mistake(
        f"groups must share out the channels evenly: {count}/{groups} = {count / groups:.4g} "
        f"{which} channels a group",
        f"{got} channels in, {out} out, {groups} groups",
        f"channels in and out that {groups} divides",
    )


def window_too_large(case: Case) -> Mistake | None:
    """A kernel that is larger than its padded input."""
    if case.call is None or not case.shapes:
        return None
    if not ("_pool" in case.operation or case.operation.startswith("conv")):
        return None
    found = axes(case.call)
    names = ("height", "width") if len(found) == 2 else ("length",) * len(found)
    for axis, name in zip(found, names, strict=True):
        if isinstance(axis, Window) and axis.slack < 0:
            return _too_large(case, axis, name)
        if isinstance(axis, Transposed) and axis.output < 1:
            return case.mistake(
                f"the {name} would come out as {axis.formula()}",
                case.operand(0),
                f"a {name} of at least 1",
            )
    return None


def _too_large(case: Case, axis: Window, name: str) -> Mistake:
    padded = axis.size + axis.before + axis.after
    sum_text = f"{axis.size} + {axis.before} + {axis.after} = {padded}"
    span = f"{axis.window}"
    if axis.dilation > 1:
        span = f"{axis.dilation}·({axis.window} − 1) + 1 = {axis.span}"
    return case.mistake(
        f"the window must fit into the padded input: its {name} is {span}, the input's {sum_text}",
        case.operand(0),
        f"a {name} of at least {axis.span - axis.before - axis.after}",
    )


def output_padding(case: Case) -> Mistake | None:
    """More rows added to an enlarged map than its stride has room for."""
    added = case.argument("output_padding") if "transpose" in case.operation else None
    rank = len(case.shapes[0]) - 2 if case.shapes else 0
    if added is None or rank < 1:
        return None

    def each(name: str) -> tuple[int, ...]:
        value = case.argument(name, 1)
        return tuple(value) if isinstance(value, tuple | list) else (value,) * rank

    extra = each("output_padding")
    for most, stride, dilation in zip(extra, each("stride"), each("dilation"), strict=False):
        if most >= max(stride, dilation):
            return case.mistake(
                f"output_padding is below the stride or the dilation: {most} ≥ "
                f"{max(stride, dilation)}",
                case.operand(0),
                f"output_padding ≤ {max(stride, dilation) - 1}",
            )
    return None


def pooling_padding(case: Case) -> Mistake | None:
    """Pooling that is padded by more than half its window."""
    if case.call is None or "_pool" not in case.operation:
        return None
    for axis in axes(case.call):
        if isinstance(axis, Window) and 2 * axis.before > axis.window:
            return case.mistake(
                f"pooling may be padded by at most half its window, {axis.window}/2 = "
                f"{axis.window // 2}, or some windows would hold padding alone: padding "
                f"{axis.before}",
                case.operand(0),
                f"padding ≤ {axis.window // 2}",
            )
    return None
