"""Which dimension of the inputs is their batch, where nobody says."""

from torch import Tensor, nn

from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes.variants import Inputs, all_samples, first_use
from viewfinder.explain.traces import Trace


def with_batch(seen: Trace, given: tuple[object, ...], batched: bool | None) -> Inputs:
    """The inputs with their batch: the first dimension, unless the net takes it for more.

    Args:
        seen: the pass with them.
        given: the inputs as samples.
        batched: whether the first dimension is the batch, where that is known.
    """
    shapes = [sample.shape for sample in all_samples(given)]
    if batched is False or not shapes or not shapes[0]:
        return Inputs(given, 0)
    if batched:
        return Inputs(given, shapes[0][0])
    if len(shapes[0]) == 1 or _is_one_picture(seen, shapes[0]) or _is_one_item(seen, shapes):
        return Inputs(given, 0)
    if _has_steps_first(seen, shapes[0]):
        return Inputs(given, shapes[0][1], steps_first=True)
    return Inputs(given, shapes[0][0])


def _is_one_picture(seen: Trace, shape: Shape) -> bool:
    """Whether the first layer, a convolution, reads an input as a single picture or sequence."""
    call = first_use(seen)
    weight = call.argument("weight") if call is not None and call.base[:4] == "conv" else None
    if call is None or not isinstance(weight, Tensor):
        return False
    wanted = weight.shape[0 if "transpose" in call.base else 1] * call.argument("groups", 1)
    if len(shape) == weight.dim() - 2 and (shape[-1] != wanted or wanted == 1):
        return True
    return len(shape) == weight.dim() - 1 and shape[0] == wanted and wanted > 1


def _is_one_item(seen: Trace, shapes: list[Shape]) -> bool:
    """Whether the first input is one sequence, one graph or one set of points."""
    first = shapes[0]
    if len(first) != 2:
        return False
    read = _first_read(seen)
    if read is not None and read[1] == first:
        return True
    graph = any(shape == (first[0], first[0]) for shape in shapes[1:])
    # A single row of answers for many rows.
    pooled = len(seen.outputs) == 1 and seen.outputs[0].dim() == 1
    return graph or (pooled and seen.outputs[0].shape[0] != first[0])


def _has_steps_first(seen: Trace, shape: Shape) -> bool:
    """Whether a layer reads an input as steps × batch, and the answers do not say otherwise."""
    read = _first_read(seen)
    if read is None or read[0].batch_first or len(read[1]) != 3 or not seen.outputs:
        return False
    steps, batch = shape[0], shape[1]
    answer = tuple(seen.outputs[0].shape)
    # Answers of which each belongs to a row: the rows were no steps.
    by_row = answer[:1] == (steps,) and batch not in answer
    return read[1][:2] == (steps, batch) and steps > 1 and not by_row


def _first_read(seen: Trace) -> tuple[nn.RNNBase | nn.MultiheadAttention, Shape] | None:
    """The first layer that takes steps after each other, and the shape that it is given."""
    for row in seen.rows:
        if isinstance(row.module, nn.RNNBase | nn.MultiheadAttention) and row.input_shapes:
            return row.module, row.input_shapes[0]
    return None
