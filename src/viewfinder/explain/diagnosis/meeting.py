"""Mistakes where branches meet again: sums and concatenations."""

from viewfinder.explain.arithmetic import Transposed, Window
from viewfinder.explain.calls import Call
from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.explanation import Mistake, Shape, shape_text
from viewfinder.explain.geometry import axes
from viewfinder.explain.tracing import ancestors

_SUMS = {"add", "sub", "rsub", "mul", "div", "maximum", "minimum", "pow", "true_divide"}
_WORDS = {"add": "a sum", "sub": "a difference", "mul": "an elementwise product"}


def branches(case: Case) -> Mistake | None:
    """Residual branches that differ in channels, in size, or in both."""
    if case.operation not in _SUMS or len(case.shapes) != 2:
        return None
    one, two = case.shapes
    wrong = _mismatched(one, two)
    if not wrong:
        return None
    if len(one) == len(two) == 4 and (skip := _odd_size(case, (2, 3))):
        return skip
    what = _WORDS.get(case.operation, "an elementwise operation")
    differ = "; ".join(
        f"{_dimension(dim, max(len(one), len(two)))} {one[dim]} ≠ {two[dim]}" for dim in wrong
    )
    return case.mistake(
        f"{what} needs the same size in every dimension (or 1, which is repeated): {differ}",
        f"{case.operand(0)} and {case.operand(1)}{_split(case)}",
        "two tensors of one shape",
        *_projections(case, one, two, wrong),
    )


def _projections(case: Case, one: Shape, two: Shape, wrong: list[int]) -> list[str]:
    if len(one) != 4 or len(two) != 4 or -4 in wrong:
        return ["bring both to one shape, or check which dimension each layer before works on"]
    short, main = _shortcut(case)
    sizes = (one, two) if short == 0 else (two, one)
    (_, c_in, *map_in), (_, c_out, *map_out) = sizes
    if map_in == map_out:
        return [
            f"a 1×1 projection on the shortcut: nn.Conv2d({c_in}, {c_out}, kernel_size=1)",
            f"or let {case.title(_producer(case, main))} give {c_in} channels",
        ]
    strides = [a / b for a, b in zip(map_in, map_out, strict=True)]
    stride = round(strides[0])
    down = all(-(-a // stride) == b for a, b in zip(map_in, map_out, strict=True)) if stride else 0
    if stride > 1 and down:
        return [
            f"a 1×1 projection on the shortcut: nn.Conv2d({c_in}, {c_out}, kernel_size=1, "
            f"stride={stride})",
            f"or stride=1 in the branch, so that it stays {shape_text(tuple(map_in))}",
        ]
    growing = all(b % a == 0 for a, b in zip(map_in, map_out, strict=True))
    if growing:
        factor = map_out[0] // map_in[0]
        mends = [f"enlarge the smaller map: F.interpolate(x, scale_factor={factor})"]
    else:
        mends = [
            f"padding in the branch, so that {shape_text(tuple(map_in))} stays: a window of F "
            "keeps the size with padding (F − 1)/2",
            f"or F.interpolate(x, size={tuple(map_out)})",
        ]
    if c_in != c_out:
        mends.append(f"and nn.Conv2d({c_in}, {c_out}, kernel_size=1) for the channels")
    return mends


def concatenation(case: Case) -> Mistake | None:
    """A concatenation whose parts differ elsewhere than in its dimension."""
    if case.operation not in ("cat", "stack") or case.call is None or len(case.shapes) < 2:
        return None
    first = case.shapes[0]
    rank = len(first)
    along = case.argument("dim", 0)
    along = along % rank if case.operation == "cat" and rank else None
    if along == 1 and rank == 4 and (skip := _odd_size(case, (2, 3))):
        return skip
    for position, shape in enumerate(case.shapes[1:], start=1):
        if len(shape) != rank:
            return case.mistake(
                f"{case.operation} joins tensors of equally many dimensions: {rank} ≠ {len(shape)}",
                f"{case.operand(0)} and {case.operand(position)}",
                f"{rank} dimensions each",
                "unsqueeze or flatten the one that differs",
            )
        wrong = [dim for dim in range(rank) if dim != along and first[dim] != shape[dim]]
        if wrong:
            return _uneven(case, position, wrong, along)
    return None


def _uneven(case: Case, position: int, wrong: list[int], along: int | None) -> Mistake:
    first, shape = case.shapes[0], case.shapes[position]
    rank = len(first)
    differ = "; ".join(f"{_dimension(d - rank, rank)} {first[d]} ≠ {shape[d]}" for d in wrong)
    only = f"only in dimension {along}" if along is not None else "nowhere"
    mends = []
    if along is not None and len(wrong) == 1 and first[along] == shape[along]:
        mends.append(f"torch.cat(…, dim={wrong[0]}), if that is the dimension to grow")
    if rank == 4 and set(wrong) <= {2, 3}:
        mends.append(
            f"F.interpolate(x, size={first[2:]}) on {case.title(_producer(case, position))}"
        )
        mends.append("or the same stride and padding on every branch")
    return case.mistake(
        f"{case.operation} joins tensors that differ {only}: {differ}",
        f"{case.operand(0)} and {case.operand(position)}{_split(case)}",
        f"{shape_text(first)} but for dimension {along}"
        if along is not None
        else shape_text(first),
        *(mends or ["bring the parts to one size in every other dimension"]),
    )


def _odd_size(case: Case, dims: tuple[int, int]) -> Mistake | None:
    """A decoder that misses its skip by one, since an odd size was halved on the way down."""
    one, two = case.shapes[:2]
    if len(one) != 4 or len(two) != 4 or one[0] != two[0]:
        return None
    gaps = [abs(one[d] - two[d]) for d in dims]
    producers = [_producer(case, 0), _producer(case, 1)]
    for small in (0, 1):
        up = case.back(producers[small])
        start = producers[small]
        if not isinstance(start, Call) or not any(gaps):
            continue
        rising = next((c for c in ancestors(start) if _enlarges(c)), None)
        lowered = next(
            (found for c in ancestors(start) for found in [_halved(c)] if found is not None), None
        )
        if rising is None or lowered is None or max(gaps) > lowered[1].stride or up is None:
            continue
        if any(case.shapes[small][d] > case.shapes[1 - small][d] for d in dims):
            continue
        return _missed(case, small, rising, lowered)
    return None


def _missed(case: Case, small: int, rising: Call, lowered: tuple[Call, Window]) -> Mistake:
    down, axis = lowered
    target = case.shapes[1 - small][2:]
    size = case.shapes[small][2:]
    inputs = case.failure.trace.inputs[0].shape
    multiple = 1
    for call in ancestors(rising):
        window = next((a for a in axes(call) if isinstance(a, Window)), None)
        multiple *= window.stride if window else 1
    rounded = tuple(-(-int(n) // multiple) * multiple for n in inputs[-2:])
    mends = []
    if rising.base.startswith("conv_transpose"):
        gaps = tuple(a - b for a, b in zip(target, size, strict=True))
        extra = gaps if len(set(gaps)) > 1 else gaps[0]
        mends.append(f"output_padding={extra} in {case.title(rising)} here")
    mends += [
        f"F.interpolate(x, size={tuple(target)}) instead of a fixed factor: it meets any skip",
        f"or pictures whose sides are multiples of {multiple}: {shape_text(rounded)}",
    ]
    return case.mistake(
        f"{case.title(down)} met an odd size on the way down, {axis.formula()}, and "
        f"{case.title(rising)} gives {shape_text(tuple(size))}, not {shape_text(tuple(target))}: "
        "halving drops what doubling cannot bring back",
        f"{case.operand(0)} and {case.operand(1)}",
        f"{shape_text(tuple(target))} from both",
        *mends,
    )


def _enlarges(call: Call) -> bool:
    found = axes(call) if call.outputs else ()
    return any(isinstance(a, Transposed) for a in found) or call.base in ("interpolate", "upsample")


def _halved(call: Call) -> tuple[Call, Window] | None:
    for axis in axes(call):
        if isinstance(axis, Window) and axis.stride > 1 and axis.size % axis.stride:
            return call, axis
    return None


def _producer(case: Case, position: int) -> Call | int:
    producer = case.producer(position)
    return producer if producer is not None else -1


def _shortcut(case: Case) -> tuple[int, int]:
    """Which operand took the shorter way, (shortcut, main)."""
    lengths = []
    for position in (0, 1):
        producer = _producer(case, position)
        lengths.append(sum(1 for _ in ancestors(producer)) if isinstance(producer, Call) else 0)
    return (0, 1) if lengths[0] < lengths[1] else (1, 0)


def _split(case: Case) -> str:
    """Where the two branches last were one."""
    first, second = _producer(case, 0), _producer(case, 1)
    if not isinstance(first, Call) and not isinstance(second, Call):
        return ""
    ways = [list(ancestors(p)) if isinstance(p, Call) else [] for p in (first, second)]
    common = {call.index for call in ways[0]} & {call.index for call in ways[1]}
    latest = next((call for call in (*ways[0], *ways[1]) if call.index in common), None)
    return f"; the branches split after {case.title(latest if latest else -1)}"


def _mismatched(one: Shape, two: Shape) -> list[int]:
    shared = range(-min(len(one), len(two)), 0)
    return [d for d in shared if one[d] != two[d] and 1 not in (one[d], two[d])]


def _dimension(dim: int, rank: int) -> str:
    if rank == 4:
        return ("batch", "channels", "height", "width")[dim + 4]
    return f"dimension {dim + rank}"
