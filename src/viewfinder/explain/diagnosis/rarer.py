"""Mistakes at functions that are met more rarely, each of which asks for one thing."""

from collections.abc import Callable

from torch import Tensor

from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.explanation import Mistake, Shape, shape_text
from viewfinder.wording import counted

_SQUARE = ("linalg_inv", "inverse", "linalg_det", "det", "linalg_eigh", "cholesky", "logdet")


def single(case: Case) -> Mistake | None:
    """By the function that failed."""
    rule = _RULES.get(case.operation)
    return rule(case) if rule is not None and case.shapes else None


def _given(case: Case, position: int, name: str, default: object = None) -> object:
    """An argument by its place or name, where `Call.argument` does not know the function."""
    if case.call is None:
        return default
    args = case.call.args
    return case.call.kwargs.get(name, args[position] if position < len(args) else default)


def _selected(case: Case) -> Mistake | None:
    index = _given(case, 2, "index")
    if not isinstance(index, Tensor) or index.dim() < 2:
        return None
    shape = shape_text(tuple(map(int, index.shape)))
    return case.mistake(
        f"index_select takes one row of places for the whole tensor, and is given {shape}; "
        "gather takes others for each item",
        f"{case.operand(0)} and an index of {shape}",
        "an index of 1 dimension",
    )


def _class_each(case: Case) -> Mistake | None:
    answer, target = (*case.shapes[:2], ())[:2]
    if len(answer) != 2 or target == answer[:1]:
        return None
    return case.mistake(
        f"{case.operation} takes one class number for each item: {shape_text(answer[:1])}, and "
        f"its target is {shape_text(target)}",
        f"an answer of {case.operand(0)}, a target of {case.operand(1)}",
        f"a target of {shape_text(answer[:1])}",
    )


def _shuffled(case: Case) -> Mistake | None:
    groups, shape = _given(case, 1, "groups"), case.shapes[0]
    if type(groups) is not int or len(shape) < 3 or shape[1] % groups == 0:
        return None
    return case.mistake(
        f"channel_shuffle parts the channels into {groups} groups: {shape[1]}/{groups} = "
        f"{shape[1] / groups:.4g}",
        case.operand(0),
        f"channels that {groups} divides",
    )


def _patches(case: Case) -> Mistake | None:
    if len(case.shapes[0]) in (3, 4):
        return None
    return case.mistake(
        "unfold cuts patches out of maps, N×C×H×W, 4 dimensions (or 3 without the batch), and "
        f"this has {len(case.shapes[0])}",
        case.operand(0),
        "N×C×H×W",
    )


def _padded(case: Case) -> Mistake | None:
    sides, shape = case.argument("pad"), case.shapes[0]
    if not isinstance(sides, list | tuple):
        return None
    count, mode = len(sides) // 2, case.argument("mode", "constant")
    if mode == "constant" and count > len(shape):
        rule = f"pad is told of {counted(count, 'dimension')}, two numbers each, and this has"
        return case.mistake(f"{rule} {len(shape)}", case.operand(0), f"at most {2 * len(shape)}")
    if mode != "constant" and len(shape) not in (count + 1, count + 2):
        return case.mistake(
            f'mode="{mode}" with {len(sides)} numbers pads {counted(count, "dimension")} of maps '
            f"of {count + 2} (or {count + 1} without the batch), and this has {len(shape)}",
            case.operand(0),
            f"{count + 2} dimensions",
        )
    return None


def _squares(case: Case) -> Mistake | None:
    rows = case.shapes[0][-2:]
    if len(rows) == 2 and rows[0] == rows[1]:
        return None
    return case.mistake(
        f"{case.operation} takes square matrices, and is given {shape_text(rows)}",
        case.operand(0),
        "as many rows as columns",
    )


def _crossed(case: Case) -> Mistake | None:
    dim = _given(case, 2, "dim", -1)
    sizes = [shape[dim] for shape in case.shapes[:2] if type(dim) is int]
    if sizes == [3, 3]:
        return None
    return case.mistake(
        f"a cross product is of vectors of 3 numbers, and dimension {dim} has "
        f"{' and '.join(map(str, sizes))}",
        f"{case.operand(0)} and {case.operand(1)}",
        "3 numbers each",
    )


def _contracted(case: Case) -> Mistake | None:
    count, (one, two) = _given(case, 2, "dims", 2), case.shapes[:2]
    if type(count) is not int or one[len(one) - count :] == two[:count]:
        return None
    left, right = shape_text(one[len(one) - count :]), shape_text(two[:count])
    return case.mistake(
        f"tensordot adds up over the last {counted(count, 'dimension')} of the first and the "
        f"first of the second, which must be equal: {left} ≠ {right}",
        f"{case.operand(0)} and {case.operand(1)}",
        "equal sizes there",
    )


def _added_product(case: Case) -> Mistake | None:
    """addmm and baddbmm: a product, and what is added to it."""
    if len(case.shapes) < 3:
        return None
    base, one, two = case.shapes[:3]
    rank = 2 if case.operation == "addmm" else 3
    if len(one) != rank or len(two) != rank:
        return None
    if one[-1] != two[-2]:
        return case.mistake(
            "a matrix product needs as many columns on the left as rows on the right: "
            f"{shape_text(one[-2:])}·{shape_text(two[-2:])}, {one[-1]} ≠ {two[-2]}",
            f"{case.operand(1)} and {case.operand(2)}",
            f"a right side of {one[-1]} rows",
        )
    made = (*one[:-1], two[-1])
    if _repeats(base, made):
        return None
    return case.mistake(
        f"what is added to a product has its shape, or repeats to it: {shape_text(base)} ≠ "
        f"{shape_text(made)}",
        case.operand(0),
        shape_text(made),
    )


def _repeats(shape: Shape, whole: Shape) -> bool:
    pairs = zip(reversed(shape), reversed(whole), strict=False)
    return len(shape) <= len(whole) and all(one in (1, all_) for one, all_ in pairs)


def _put(case: Case) -> Mistake | None:
    """Numbers written to places of which there are more or fewer."""
    value = _given(case, 2, "values")
    places = _given(case, 1, "indices")
    if not isinstance(value, Tensor) or not isinstance(places, list | tuple):
        return None
    index = [tuple(map(int, one.shape)) for one in places if isinstance(one, Tensor)]
    if len(index) != len(places) or not index:
        return None
    asked = (*max(index, key=len), *case.shapes[0][len(index) :])
    given = tuple(map(int, value.shape))
    if _repeats(given, asked):
        return None
    return case.mistake(
        f"{case.operation} writes to {shape_text(asked)} places, and is given {shape_text(given)}",
        f"{case.operand(0)} and values of {shape_text(given)}",
        f"values of {shape_text(asked)}",
    )


_RULES: dict[str, Callable[[Case], Mistake | None]] = {
    "index_select": _selected,
    "multi_margin_loss": _class_each,
    "channel_shuffle": _shuffled,
    "unfold": _patches,
    "pad": _padded,
    **dict.fromkeys(_SQUARE, _squares),
    **dict.fromkeys(("cross", "linalg_cross"), _crossed),
    "tensordot": _contracted,
    **dict.fromkeys(("addmm", "baddbmm"), _added_product),
    "index_put": _put,
}
