"""Mistakes at convolutions and pooling: channels, layout, batch, groups, windows too large."""

from viewfinder.explain.arithmetic import Transposed, Window
from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.explanation import Mistake, Shape, shape_text
from viewfinder.explain.geometry import axes


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
    mends = ["x = x.unsqueeze(0) adds a dimension of size 1 in front"]
    if rank == 2 and len(shape) == 2 and channels == 1:
        mends = ["x = x[None, None] makes it one picture of one channel"]
    return case.mistake(
        f"a {rank}D convolution takes N×{letters}, {rank + 2} dimensions (or {rank + 1} without "
        f"the batch), and this has {len(shape)}",
        case.operand(0),
        f"N×{letters} with C = {channels}",
        *mends,
    )


def channel_last(case: Case) -> Mistake | None:
    """A picture as OpenCV and PIL give it, H×W×C, where torch wants C×H×W."""
    if not _is_convolution(case):
        return None
    rank, channels, _, _ = _setting(case)
    shape = case.shapes[0]
    if rank != 2 or len(shape) not in (3, 4) or shape[-1] != channels or shape[-3] == channels:
        return None
    order = "0, 3, 1, 2" if len(shape) == 4 else "2, 0, 1"
    moved = (*shape[:-3], shape[-1], *shape[-3:-1])
    return case.mistake(
        f"torch keeps the channels before the rows, and here they come last: {case.name} looks "
        f"for its {channels} channels in dimension {len(shape) - 3} and finds {shape[-3]}",
        case.operand(0),
        shape_text(moved),
        f"x = x.permute({order}) gives {shape_text(moved)}",
        "reshape or view to that shape would run but scramble the picture",
    )


def channels(case: Case) -> Mistake | None:
    """A convolution made for another number of channels."""
    if not _is_convolution(case):
        return None
    rank, wanted, out, transposed = _setting(case)
    shape = case.shapes[0]
    got = shape[-rank - 1]
    if got == wanted:
        return None
    kind = f"nn.ConvTranspose{rank}d" if transposed else f"nn.Conv{rank}d"
    kernel = _kernel(case.shapes[1][-rank:])
    groups = case.argument("groups", 1)
    grouped = f", groups={groups}" if groups > 1 else ""
    mends = [f"{case.name} = {kind}({got}, {out}, {kernel}{grouped}, …)"]
    before = case.back(case.producer())
    if not isinstance(before, int) and before is not None and before.base.startswith("conv"):
        mends.append(f"or let {case.title(before)} give {wanted} channels instead of {got}")
    if isinstance(before, int) and (wanted, got) == (3, 1):
        mends.append("or repeat the grey picture: x = x.expand(-1, 3, -1, -1)")
    if isinstance(before, int) and (wanted, got) == (3, 4):
        mends.append("or drop the picture's transparency: x = x[:, :3]")
    if len(shape) == rank + 1 and shape[0] != got:
        mends.append("or add the batch dimension: x = x.unsqueeze(0)")
    return case.mistake(
        f"{case.name} is made for {wanted} input channels and is given {got}",
        case.operand(0),
        f"{wanted} channels, dimension {len(shape) - rank - 1}",
        *mends,
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
    options = [g for g in range(groups, 0, -1) if out % g == 0 and got % g == 0][:1]
    return case.mistake(
        f"groups must share out the channels evenly: {count}/{groups} = {count / groups:.4g} "
        f"{which} channels a group",
        f"{got} channels in, {out} out, {groups} groups",
        f"channels in and out that {groups} divides",
        f"groups={options[0]}, which divides {got} and {out}",
        f"or {which} channels = {-(-count // groups) * groups}",
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
                f"less padding than {axis.padding}, or a larger input",
            )
    return None


def _too_large(case: Case, axis: Window, name: str) -> Mistake:
    padded = axis.size + axis.before + axis.after
    sum_text = f"{axis.size} + {axis.before} + {axis.after} = {padded}"
    span = f"{axis.window}"
    if axis.dilation > 1:
        span = f"{axis.dilation}·({axis.window} − 1) + 1 = {axis.span}"
    side = -(-(axis.span - axis.size) // 2)
    mends = [f"a kernel of at most {padded} here"]
    if "pool" not in case.operation or side <= axis.window // 2:
        mends.append(f"or padding={side}")
    mends.append("or a larger picture, or one pooling or stride less on the way down")
    if axis.dilation > 1:
        mends.insert(0, f"dilation=1: the window then spans {axis.window}")
    return case.mistake(
        f"the window must fit into the padded input: its {name} is {span}, the input's {sum_text}",
        case.operand(0),
        f"a {name} of at least {axis.span - axis.before - axis.after}",
        *mends,
    )


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
                f"padding={axis.window // 2}",
                f"or a window of at least {2 * axis.before}",
            )
    return None


def _kernel(shape: Shape) -> str:
    return str(shape[0]) if len(set(shape)) == 1 else f"({', '.join(map(str, shape))})"
