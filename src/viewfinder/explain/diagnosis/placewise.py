"""Mistakes at calls that take their tensors place by place, letter by letter or row by row."""

from collections.abc import Sequence
from math import prod

from torch import Tensor

from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.explanation import Mistake, Shape, shape_text

_PLACEWISE = {
    "masked_fill", "masked_scatter", "where", "lerp", "addcmul", "addcdiv", "eq", "ne", "lt", "le",
    "gt", "ge", "__eq", "__ne", "__and", "__or", "__xor", "logical_and",
    "logical_or", "logical_xor",
    "atan2", "cosine_similarity", "pairwise_distance", "triplet_margin_loss", "kl_div",
    "binary_cross_entropy_with_logits", "binary_cross_entropy", "expand_as", "gaussian_nll_loss",
    "cosine_embedding_loss", "margin_ranking_loss", "hinge_embedding_loss", "soft_margin_loss",
    "poisson_nll_loss", "multilabel_soft_margin_loss", "multilabel_margin_loss", "clamp", "clip",
    "clamp_min", "clamp_max", "fmod", "remainder", "hypot", "logaddexp", "isclose", "copysign",
}  # fmt: skip
_SIGNS = {"__eq": "==", "__ne": "!=", "__and": "&", "__or": "|", "__xor": "^"}
_ROWS = {"gather", "scatter", "scatter_add", "take_along_dim"}


def broadcasting(case: Case) -> Mistake | None:
    """Tensors that no repetition brings to one shape."""
    if case.operation not in _PLACEWISE:
        return None
    for position, shape in enumerate(case.shapes):
        for other in range(position):
            wrong = _apart(case.shapes[other], shape)
            if wrong is None:
                continue
            one, two = case.shapes[other][wrong], shape[wrong]
            where = "the last dimension" if wrong == -1 else f"dimension −{-wrong}"
            return case.mistake(
                f"{_SIGNS.get(case.operation, case.operation)} goes place by place, with sizes "
                f"that are equal or 1 from the last dimension on: in {where} {one} ≠ {two}",
                f"{case.operand(other)} and {case.operand(position)}",
                f"shapes that repeat to one, as {shape_text(_widest(case.shapes))}",
            )
    return None


def _widest(shapes: Sequence[Shape]) -> Shape:
    return max(shapes, key=lambda shape: (len(shape), prod(shape)))


def _apart(one: Shape, two: Shape) -> int | None:
    for dim in range(-1, -min(len(one), len(two)) - 1, -1):
        if one[dim] != two[dim] and 1 not in (one[dim], two[dim]):
            return dim
    return None


def letters(case: Case) -> Mistake | None:
    """einsum, whose letters stand for one size each."""
    equation = case.call.args[0] if case.call is not None and case.call.args else None
    if case.operation != "einsum" or not isinstance(equation, str):
        return None
    terms = equation.replace(" ", "").partition("->")[0].split(",")
    sizes: dict[str, tuple[int, str]] = {}
    got = " and ".join(map(case.operand, range(len(case.shapes))))
    for term, shape in zip(terms, case.shapes, strict=False):
        if "." in term:
            continue
        if len(term) != len(shape):
            rule = f'einsum is told "{term}" of a tensor of {len(shape)} dimensions'
            return case.mistake(rule, got, f"{len(shape)} letters for {shape_text(shape)}")
        for letter, size in zip(term, shape, strict=True):
            known, home = sizes.setdefault(letter, (size, term))
            if size != known and 1 not in (size, known):
                return case.mistake(
                    f'a letter of einsum stands for one size: {letter} is {known} in "{home}" and '
                    f'{size} in "{term}"',
                    got,
                    f"{letter} of one size",
                )
    return None


def rows(case: Case) -> Mistake | None:
    """gather and scatter, whose index has the dimensions of what it picks from."""
    at, name = (1, "indices") if case.operation == "take_along_dim" else (2, "index")
    given = case.call.args[at] if case.call and len(case.call.args) > at else 0
    index = case.argument(name, given)
    if case.operation not in _ROWS or not isinstance(index, Tensor) or not case.shapes:
        return None
    if index.dim() == len(case.shapes[0]):
        return None
    return case.mistake(
        f"{case.operation} takes an index with as many dimensions as its tensor has: "
        f"{index.dim()} ≠ {len(case.shapes[0])}",
        f"{case.operand(0)} and an index of {shape_text(tuple(map(int, index.shape)))}",
        f"an index of {len(case.shapes[0])} dimensions",
    )


def distances(case: Case) -> Mistake | None:
    """cdist and bilinear layers over unequal features."""
    if case.operation == "cdist" and len(case.shapes) == 2:
        one, two = (shape[-1] for shape in case.shapes)
        if one != two:
            return case.mistake(
                f"cdist compares rows of equally many features: {one} ≠ {two}",
                f"{case.operand(0)} and {case.operand(1)}",
                f"rows of {one} features",
            )
        ranks, leads = [len(shape) for shape in case.shapes], [s[:-2] for s in case.shapes]
        if min(ranks) < 2 or _apart(*leads) is not None:
            sorts = "two tables of rows" if min(ranks) < 2 else "batches of one size"
            return case.mistake(
                f"cdist compares each row of one with each row of the other, of {sorts}: "
                f"{shape_text(case.shapes[0])} and {shape_text(case.shapes[1])}",
                f"{case.operand(0)} and {case.operand(1)}",
                "rows × features of both, or batch × rows × features",
            )
    if case.operation == "bilinear" and len(case.shapes) > 2:
        for position in (0, 1):
            got, wanted = case.shapes[position][-1], case.shapes[2][position + 1]
            if got != wanted:
                return case.mistake(
                    f"{case.name} expects {wanted} features of input {position + 1} and is given "
                    f"{got}",
                    f"{case.operand(0)} and {case.operand(1)}",
                    f"a last dimension of {wanted}",
                )
    return None
