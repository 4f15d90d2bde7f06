"""Mistakes where branches meet again: sums and concatenations."""

from viewfinder.explain.arithmetic import Transposed, Window
from viewfinder.explain.calls import Call
from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.explanation import Mistake, Shape, shape_text
from viewfinder.explain.geometry import axes
from viewfinder.explain.traces import ancestors

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
    )


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
    return case.mistake(
        f"{case.operation} joins tensors that differ {only}: {differ}",
        f"{case.operand(0)} and {case.operand(position)}{_split(case)}",
        f"{shape_text(first)} but for dimension {along}"
        if along is not None
        else shape_text(first),
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
    return case.mistake(
        f"{case.title(down)} met an odd size on the way down, {axis.formula()}, and "
        f"{case.title(rising)} gives {shape_text(tuple(size))}, not {shape_text(tuple(target))}: "
        "halving drops what doubling cannot bring back",
        f"{case.operand(0)} and {case.operand(1)}",
        f"{shape_text(tuple(target))} from both",
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
