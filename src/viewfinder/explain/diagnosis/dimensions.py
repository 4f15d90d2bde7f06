"""Mistakes of a dimension that a tensor does not have, and of permutations and expansions."""

from collections.abc import Iterator

from torch import Tensor, nn

from viewfinder.explain.diagnosis.case import Case, times
from viewfinder.explain.explanation import Mistake, shape_text

_NAMED = ("dim", "dims", "axis", "dim0", "dim1", "start_dim", "end_dim")
# Functions whose whole numbers behind the tensor are dimensions.
_PLACED = {
    "softmax",
    "log_softmax",
    "softmin",
    "mean",
    "sum",
    "prod",
    "amax",
    "amin",
    "argmax",
    "argmin",
    "max",
    "min",
    "median",
    "mode",
    "all",
    "any",
    "cumsum",
    "cumprod",
    "logcumsumexp",
    "logsumexp",
    "std",
    "var",
    "transpose",
    "squeeze",
    "flatten",
    "flip",
    "sort",
    "argsort",
    "unbind",
    "movedim",
    "select",
    "unsqueeze",
    "cummax",
    "cummin",
    "nanmean",
    "nansum",
    "count_nonzero",
    "glu",
}


def out_of_range(case: Case) -> Mistake | None:
    """A dimension beyond those that the tensor has."""
    call = case.call
    if call is None or not case.shapes or call.base in ("permute", "view", "reshape"):
        return None
    rank = len(case.shapes[0])
    beyond = rank + 1 if call.base in ("unsqueeze", "stack") else max(rank, 1)
    for dim in _dims(case):
        if not -beyond <= dim < beyond:
            return case.mistake(
                f"{call.base} is told dimension {dim}, and this tensor's {rank} dimensions are "
                f"counted from 0 to {beyond - 1} (or −{beyond} to −1)",
                case.operand(0),
                f"a dimension from −{beyond} to {beyond - 1}",
            )
    return None


def _dims(case: Case) -> Iterator[int]:
    call = case.call
    assert call is not None
    if isinstance(case.module, nn.Module) and case.in_layer:
        own = getattr(case.module, "dim", None)
        if type(own) is int:
            yield own
    values: list[object] = [call.kwargs[key] for key in _NAMED if key in call.kwargs]
    if call.base in _PLACED:
        placed = list(call.args[1:])
        # select takes the place within the dimension second, which is no dimension.
        values += placed[:1] if call.base in ("select", "sort", "argsort") else placed
    if call.base in ("cat", "stack") and len(call.args) > 1:
        values.append(call.args[1])
    for value in values:
        for one in value if isinstance(value, tuple | list) else (value,):
            if type(one) is int:
                yield one


def permutation(case: Case) -> Mistake | None:
    """A permutation that does not name each dimension once."""
    call = case.call
    if call is None or call.base != "permute" or not case.shapes:
        return None
    rank = len(case.shapes[0])
    order = call.args[1:] or tuple(call.kwargs.values())
    flat = order[0] if len(order) == 1 and isinstance(order[0], tuple | list) else order
    if len(flat) == rank and len({dim % rank for dim in flat if -rank <= dim < rank}) == rank:
        return None
    return case.mistake(
        f"permute names every dimension once: this tensor has {rank}, and "
        f"({', '.join(map(str, flat))}) are {len(flat)}",
        case.operand(0),
        f"an order of 0 to {rank - 1}",
    )


def expansion(case: Case) -> Mistake | None:
    """Expanding a dimension that is not of size 1."""
    call = case.call
    if call is None or call.base not in ("expand", "repeat") or not case.shapes:
        return None
    sizes = call.args[1:] or tuple(call.kwargs.values())
    flat = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], tuple | list) else sizes
    shape, extra = case.shapes[0], len(flat) - len(case.shapes[0])
    if extra < 0:
        return case.mistake(
            f"{call.base} needs a number for each of {len(shape)} dimensions and is given "
            f"{len(flat)}",
            case.operand(0),
            f"at least {len(shape)} numbers",
        )
    wrong = [
        (have, want)
        for have, want in zip(shape, flat[extra:], strict=True)
        if call.base == "expand" and want not in (-1, have) and have != 1
    ]
    if not wrong:
        return None
    have, want = wrong[0]
    return case.mistake(
        f"expand repeats only dimensions of size 1, and {have} cannot become {want}; −1 leaves a "
        "dimension as it is",
        case.operand(0),
        shape_text(tuple(flat)),
    )


def shuffled(case: Case) -> Mistake | None:
    """Pixel shuffle of channels that r² does not divide."""
    call = case.call
    if call is None or call.base not in ("pixel_shuffle", "pixel_unshuffle") or not case.shapes:
        return None
    shape = case.shapes[0]
    if call.base == "pixel_unshuffle":
        factor = call.argument("downscale_factor")
        rest = [size for size in shape[-2:] if size % factor]
        if not rest:
            return None
        return case.mistake(
            f"pixel_unshuffle cuts the map into {factor}×{factor} tiles: {rest[0]}/{factor} = "
            f"{rest[0] / factor:.4g}",
            case.operand(0),
            f"a height and width that {factor} divides",
        )
    factor = call.argument("upscale_factor")
    if len(shape) < 3 or shape[-3] % factor**2 == 0:
        return None
    return case.mistake(
        f"pixel_shuffle makes {factor}·{factor} pixels of as many channels: {shape[-3]}/"
        f"{factor**2} = {shape[-3] / factor**2:.4g}",
        case.operand(0),
        f"channels that {times((factor, factor))} divides",
    )


def beyond(case: Case) -> Mistake | None:
    """A place in a dimension that is shorter than that."""
    call = case.call
    if call is None or call.base not in ("getitem", "select", "narrow") or not case.shapes:
        return None
    index = call.args[1] if len(call.args) > 1 else None
    places = index if isinstance(index, tuple) else (index,)
    if call.base != "getitem" or any(isinstance(p, Tensor) or p in (None, ...) for p in places):
        return None
    shape = case.shapes[0]
    if len(places) > len(shape):
        return case.mistake(
            f"{len(places)} indices for a tensor of {len(shape)} dimensions",
            case.operand(0),
            f"at most {len(shape)} indices",
        )
    for dim, (place, size) in enumerate(zip(places, shape, strict=False)):
        if type(place) is int and not -size <= place < size:
            return case.mistake(
                f"dimension {dim} has {size} places, 0 to {size - 1}, and {place} is asked for",
                case.operand(0),
                f"a place from −{size} to {size - 1}",
            )
    return None
