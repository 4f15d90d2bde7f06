"""A view that gives each picture no row of its own: torch runs it, and the answers are nobody's."""

import re
from math import isqrt, prod

from torch import nn

from viewfinder.explain.calls import Call, shape_of
from viewfinder.explain.diagnosis.case import Case, Retry
from viewfinder.explain.explanation import Mistake, Shape
from viewfinder.explain.tracing import Failure, Frame, Trace
from viewfinder.wording import counted


def mixed_rows(trace: Trace, retry: Retry) -> Mistake | None:
    """The first view of a pass that ran whose rows are not those of the pictures.

    The trace is cut off there, as if torch had refused.
    """
    call = find_mixed(trace)
    if call is None:
        return None
    row = next(row for row in trace.rows if call in row.calls)
    module = trace.module.get_submodule(row.path) if row.path else trace.module
    frame = Frame(module, row.path, (), {}, None, False)
    trace.failure = Failure(ValueError("rows of other pictures"), frame, call, trace)
    trace.rows = [each for each in trace.rows if each.calls[0].index < call.index]
    trace.outputs = ()
    case = Case(trace.failure, retry)
    shape, (rows, width) = call.input_shapes[0], call.output_shapes[0]
    pictures, own = shape[0], prod(shape[1:])
    what = "a row has numbers of several pictures" if own % width else "a picture has several rows"
    return case.mistake(
        f"{call.operation} makes {pictures} × {own} numbers into {rows} rows of {width}: {what}, "
        f"so that {rows} answers come out for {counted(pictures, 'picture')}",
        case.operand(0),
        f"a row for each picture: {pictures}×{own}",
        *row_mends(case, shape, width),
    )


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
    if len(shape) < 2 or shape[0] != batch or len(out) != 2 or out[0] == batch or not prod(out):
        return False
    own, width = prod(shape[1:]), out[1]
    if own % width and width % own:
        return True
    # Rows of whole dimensions, such as a pixel's channels, are cut out on purpose.
    whole = {prod(shape[at:]) for at in range(2, len(shape) + 1)}
    return len(shape) == 4 and width not in whole


def row_mends(case: Case, shape: Shape, width: int) -> list[str]:
    """A row for each picture, with the linear layer that this takes, or other pictures."""
    call = case.call
    own = prod(shape[1:])
    way = "view" if call and call.tensors[0].is_contiguous() else "reshape"
    row = f"x = x.{way}(x.size(0), -1): {shape[0]}×{own}, whatever the map"
    if found := _linear_of(case, width):
        name, out = found
        row += f"; and {name} = nn.Linear({own}, {out})"
    return [row, *other_picture(case, shape[1:], width)]


def _linear_of(case: Case, width: int) -> tuple[str, int] | None:
    """The one linear layer that takes rows of this width, and what it gives."""
    path = case.failure.frame.path
    found = [
        (f"{path}.{name}" if path else name, module.out_features)
        for name, module in case.module.named_modules()
        if isinstance(module, nn.Linear) and module.in_features == width
    ]
    if not found:
        return None
    name, out = found[0]
    return re.sub(r"^(\d+)", r"net[\1]", re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", name)), out


def other_picture(case: Case, source: Shape, wanted: int) -> list[str]:
    """The picture size at which the map comes out as the layer wants it, tried out."""
    inputs = case.failure.trace.inputs
    if len(source) != 3 or wanted % source[0] or inputs[0].dim() != 4:
        return []
    side = isqrt(wanted // source[0])
    if side * side * source[0] != wanted:
        return []
    height = shape_of(inputs[0])[-2]
    step_down = max(1, round(height / source[1]))
    middle = side * step_down
    near = range(max(1, middle - 2 * step_down), middle + 3 * step_down)
    # Round numbers first, since several sizes may lead to the same map.
    order = sorted(near, key=lambda n: (-(n & -n) if n % 8 == 0 else 0, abs(n - middle)))
    for size in order[:24]:
        if case.retry(size, size):
            return [f"or pictures of {size}×{size}, whose map is {source[0]}×{side}×{side}"]
    return []
