"""Heads of attention that stand behind the steps, where attention reads what is behind the batch.

`x.view(batch, steps, heads, features)` alone leaves the heads where attention looks for its steps:
it runs, and each step's heads attend to each other.
"""

from viewfinder.explain.calls import Call

_VIEWS = ("view", "reshape", "unflatten")
_PARTS = ("unbind", "getitem", "select", "chunk", "split")
_TURNS = ("transpose", "permute", "mT", "T", "movedim", "moveaxis", "adjoint")


def unturned(call: Call, position: int) -> Call | None:
    """The view that parted features into heads which nothing turned since.

    Args:
        position: which tensor of the call is followed.
    """
    shape = call.input_shapes[position] if position < len(call.input_shapes) else ()
    maker = call.producers[position] if position < len(call.producers) else None
    if len(shape) != 4:
        return None
    while isinstance(maker, Call) and maker.base not in _TURNS and maker.input_shapes:
        one = maker.input_shapes[0]
        if maker.base in _VIEWS and len(one) == 3:
            parted = maker.output_shapes[0]
            kept = parted[:2] == one[:2] == shape[:2] and parted[-2:] == shape[-2:]
            return maker if kept and one[2] % (shape[2] * shape[3]) == 0 else None
        part = maker.base in _PARTS and len(one) == 5 and one[:2] == shape[:2]
        if not part and one != shape:
            return None
        maker = maker.producers[0] if maker.producers else None
    return None


def attends_over_heads(call: Call) -> Call | None:
    """The view of the query, where a call is attention from heads to heads."""
    views = [unturned(call, at) for at in (0, 1)]
    if call.base == "scaled_dot_product_attention":
        return views[0] if views[1] is not None else None
    key = call.producers[1] if call.base == "matmul" and len(call.producers) > 1 else None
    if not isinstance(key, Call) or key.base not in ("transpose", "mT") or views[0] is None:
        return None
    shape = key.input_shapes[0]
    last = len(shape) == 4 and key.output_shapes[0] == (*shape[:2], shape[3], shape[2])
    turned = key.base == "mT" or {dim % 4 for dim in key.args[1:] if type(dim) is int} == {2, 3}
    return views[0] if last and turned and unturned(key, 0) is not None else None
