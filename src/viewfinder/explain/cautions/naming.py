"""What the layers and functions of a pass are called, and which calls follow which."""

from collections.abc import Iterable, Iterator

from viewfinder.explain.calls import Call
from viewfinder.explain.traces import Row, Trace

_MOVES = ("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "permute", "mT", "T")
_KEEPS = ("getitem", "transpose", "contiguous", "float", "to")


def named(row: Row) -> str:
    """A layer by its path, a function by its name."""
    return row.path or (type(row.module).__name__ if row.module else row.calls[0].operation)


def homes(seen: Trace) -> dict[int, str]:
    """What the layer or function of each call is called."""
    return {call.index: named(row) for row in seen.rows for call in row.calls}


def users(calls: Iterable[Call]) -> dict[int, list[Call]]:
    """The calls that take what each call gave."""
    found: dict[int, list[Call]] = {}
    for call in calls:
        for producer in call.producers:
            if isinstance(producer, Call):
                found.setdefault(producer.index, []).append(call)
    return found


def before(call: Call, *, over_moves: bool = False) -> Call | None:
    """The call whose result is the first tensor; views and types may lie between."""
    producer = call.producers[0] if call.producers else None
    while over_moves and isinstance(producer, Call) and producer.base in (*_MOVES, *_KEEPS):
        producer = producer.producers[0] if producer.producers else None
    return producer if isinstance(producer, Call) else None


def first_few(names: Iterable[str]) -> str:
    """Up to three names, and a sign that there are more."""
    every = list(dict.fromkeys(names))
    return ", ".join(every[:3]) + (", …" if len(every) > 3 else "")


def ends(seen: Trace) -> Iterator[Call]:
    """The calls whose results come out of the net."""
    outputs = {id(tensor) for tensor in seen.outputs}
    for call in seen.calls:
        if any(id(tensor) in outputs for tensor in call.outputs):
            yield call
