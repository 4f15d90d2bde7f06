"""Mistakes at matrix products and attention."""

from torch import Tensor, nn

from viewfinder.explain.calls import tensors_in
from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.explanation import Mistake, Shape, shape_text


def matrix_product(case: Case) -> Mistake | None:
    """A matrix product whose inner or batch dimensions differ."""
    if case.operation not in ("matmul", "mm", "bmm", "mv") or len(case.shapes) != 2:
        return None
    one, two = case.shapes
    if not one or not two:
        return None
    inner = two[-2] if len(two) > 1 else two[-1]
    ranked = case.operation not in ("bmm", "mm", "mv") or len(one) == len(two)
    if one[-1] != inner and ranked:
        return case.mistake(
            "a matrix product needs as many columns on the left as rows on the right: "
            f"{_matrix(one)}·{_matrix(two)}, {one[-1]} ≠ {inner}",
            f"{case.operand(0)} and {case.operand(1)}",
            f"a right side of {one[-1]} rows",
        )
    if case.operation in ("bmm", "mm", "mv"):
        ranks = {"bmm": (3, 3), "mm": (2, 2), "mv": (2, 1)}[case.operation]
        if (len(one), len(two)) != ranks:
            return case.mistake(
                f"{case.operation} multiplies {ranks[0]} dimensions by {ranks[1]}, and is given "
                f"{len(one)} and {len(two)}; torch.matmul takes any",
                f"{case.operand(0)} and {case.operand(1)}",
                f"{ranks[0]} and {ranks[1]} dimensions",
            )
    if not _unequal(one[:-2], two[:-2]):
        return None
    return case.mistake(
        f"the dimensions before the matrix must be equal (or 1): {shape_text(one[:-2]) or 'none'} "
        f"and {shape_text(two[:-2]) or 'none'}",
        f"{case.operand(0)} and {case.operand(1)}",
        "the same batch on both sides",
    )


def attention(case: Case) -> Mistake | None:
    """Attention over features it was not made for, or keys and values that differ in length."""
    module = case.module
    if case.operation == "scaled_dot_product_attention":
        return _attention_shapes(case)
    if not isinstance(module, nn.MultiheadAttention):
        return None
    given = list(tensors_in((case.failure.frame.args, dict(case.failure.frame.kwargs))))[:3]
    names = ("query", "key", "value")
    wanted = (module.embed_dim, module.kdim, module.vdim)
    for name, tensor, size in zip(names, given, wanted, strict=False):
        if tensor.shape[-1] != size:
            return _attention_features(case, name, tensor, size)
    return None


def _attention_features(case: Case, name: str, tensor: Tensor, size: int) -> Mistake:
    module = case.module
    assert isinstance(module, nn.MultiheadAttention)
    heads, got = module.num_heads, int(tensor.shape[-1])
    return case.mistake(
        f"{case.name} splits {size} features into {heads} heads of {size // heads}, and its "
        f"{name} has {got}",
        f"{name} {shape_text(tuple(tensor.shape))}",
        f"a last dimension of {size}",
    )


def _attention_shapes(case: Case) -> Mistake | None:
    query, key, value = case.shapes[:3]
    got = f"query {shape_text(query)}, key {shape_text(key)}, value {shape_text(value)}"
    expected = "N×heads×tokens×features each, tokens equal for key and value"
    if query[-1] != key[-1]:
        rule = f"a query meets a key feature by feature: {query[-1]} ≠ {key[-1]}"
    elif key[-2] != value[-2]:
        rule = f"each key needs its value: {key[-2]} keys ≠ {value[-2]} values"
    elif len({query[:-2], key[:-2], value[:-2]}) > 1:
        before = (shape_text(shape[:-2]) for shape in (query, key, value))
        rule = f"queries, keys and values need the same batch and heads: {', '.join(before)}"
    else:
        return _mask_shape(case, query, key)
    return case.mistake(rule, got, expected)


def _mask_shape(case: Case, query: Shape, key: Shape) -> Mistake | None:
    mask = case.argument("attn_mask")
    wanted = (*query[:-1], key[-2])
    if not isinstance(mask, Tensor) or _broadcasts(tuple(mask.shape), wanted):
        return None
    return case.mistake(
        f"the mask says of each of {query[-2]} queries which of {key[-2]} keys it may see: it "
        f"must be {query[-2]}×{key[-2]}, or with batch and heads before: "
        f"{shape_text(tuple(mask.shape))}",
        f"a mask of {shape_text(tuple(mask.shape))}",
        f"a mask that repeats to {shape_text(wanted)}",
    )


def _broadcasts(shape: Shape, wanted: Shape) -> bool:
    if len(shape) > len(wanted):
        return False
    return all(a in (1, b) for a, b in zip(reversed(shape), reversed(wanted), strict=False))


def _unequal(one: Shape, two: Shape) -> bool:
    pairs = zip(reversed(one), reversed(two), strict=False)
    return any(a != b and 1 not in (a, b) for a, b in pairs)


def _matrix(shape: Shape) -> str:
    return f"({shape_text(shape[-2:])})"
