"""A view that gives each picture no row of its own: torch runs it, and the answers are nobody's."""

from math import prod

from viewfinder.explain.calls import Call, shape_of
from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.explanation import Mistake
from viewfinder.explain.traces import Failure, Trace, TracedFrame
from viewfinder.wording import counted


class MixedRows(ValueError):
    """A view that torch carries out, and that gives no picture a row of its own."""


class LostBatch(ValueError):
    """A call that torch carries out, after which the batch is no dimension of its own."""


def refuse_mixed(trace: Trace) -> None:
    """Cut off a pass that ran at the first view whose rows are not those of the pictures."""
    call = find_mixed(trace)
    if call is None:
        return
    row = next(row for row in trace.rows if call in row.calls)
    module = trace.module.get_submodule(row.path) if row.path else trace.module
    frame = TracedFrame(module, row.path, (), {}, None, False)
    cut(trace, Failure(MixedRows("rows of other pictures"), frame, call, trace), call.index)


def cut(trace: Trace, failure: Failure, index: int) -> None:
    """End a pass before the call with this number, as if torch had refused it."""
    trace.failure = failure
    trace.rows = [row for row in trace.rows if row.calls[0].index < index]
    trace.outputs = ()
    trace.__dict__.pop("calls", None)
    trace.__dict__.pop("by_index", None)


def mixed_rows(case: Case) -> Mistake | None:
    """A view that runs, so that more or fewer answers than pictures come out."""
    call = case.call
    if call is None or not isinstance(case.failure.error, MixedRows):
        return None
    shape, (rows, *rest) = call.input_shapes[0], call.output_shapes[0]
    width = prod(rest)
    pictures, own = shape[0], prod(shape[1:])
    what = "a row has numbers of several pictures" if own % width else "a picture has several rows"
    return case.mistake(
        f"{call.operation} makes {pictures} × {own} numbers into {rows} rows of {width}: {what}, "
        f"so that {rows} answers come out for {counted(pictures, 'picture')}",
        case.operand(0),
        f"a row for each picture: {pictures}×{own}",
    )


def lost_batch(case: Case) -> Mistake | None:
    """A call that runs with any batch, and whose result has no row for each item of it."""
    call = case.call
    if call is None or not isinstance(case.failure.error, LostBatch):
        return None
    return case.mistake(str(case.failure.error), case.operand(0), "a row for each of the batch")


def find_mixed(trace: Trace) -> Call | None:
    """The first view of pictures' maps to rows that are not one a picture, if there is one."""
    if trace.failure is not None or not trace.inputs or trace.inputs[0].dim() != 4:
        return None
    batch = shape_of(trace.inputs[0])[0]
    calls = (call for row in trace.rows for call in row.calls)
    seen = sorted((call for call in calls if call.base in ("view", "reshape")), key=_order)
    return next((call for call in seen if _mixes(call, batch)), None)


def _order(call: Call) -> int:
    return call.index


def _mixes(call: Call, batch: int) -> bool:
    if not call.input_shapes or len(call.output_shapes) != 1:
        return False
    shape, out = call.input_shapes[0], call.output_shapes[0]
    if len(shape) == 2 and len(out) == 4 and shape[0] == batch and 0 < out[0] < batch:
        # Rows made into fewer maps.
        return True
    if len(shape) < 2 or shape[0] != batch or len(out) != 2 or out[0] == batch or not prod(out):
        return False
    own, width = prod(shape[1:]), out[1]
    if own % width and width % own:
        return True
    # Rows of whole dimensions, such as a pixel's channels, are cut out on purpose.
    whole = {prod(shape[at:]) for at in range(2, len(shape) + 1)}
    return len(shape) == 4 and width not in whole
