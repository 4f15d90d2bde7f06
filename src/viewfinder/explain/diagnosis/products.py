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
    if one[-1] != inner:
        mends = []
        if len(two) > 1 and one[-1] == two[-1]:
            mends.append(f"a @ b.mT: {_matrix(one)}·{_matrix((*two[:-2], two[-1], two[-2]))}")
        if len(one) > 1 and one[-2] == inner:
            mends.append(f"a.mT @ b: {_matrix((*one[:-2], one[-1], one[-2]))}·{_matrix(two)}")
        return case.mistake(
            "a matrix product needs as many columns on the left as rows on the right: "
            f"{_matrix(one)}·{_matrix(two)}, {one[-1]} ≠ {inner}",
            f"{case.operand(0)} and {case.operand(1)}",
            f"a right side of {one[-1]} rows",
            *(mends or [f"a layer that brings one side to the other's {inner} features"]),
        )
    return case.mistake(
        f"the dimensions before the matrix must be equal (or 1): {shape_text(one[:-2]) or 'none'} "
        f"and {shape_text(two[:-2]) or 'none'}",
        f"{case.operand(0)} and {case.operand(1)}",
        "the same batch on both sides",
        "bring both to one batch and one number of heads before the product",
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
    fitting = max(n for n in range(1, heads + 1) if got % n == 0)
    mends = [f"{case.name} = nn.MultiheadAttention({got}, {fitting}), {got}/{fitting} a head"]
    if size in tensor.shape:
        at = list(tensor.shape).index(size)
        mends.append(f"or x = x.transpose({at}, -1): dimension {at} is the one of that size")
    mends.append(f"or a nn.Linear({got}, {size}) before it")
    return case.mistake(
        f"{case.name} splits {size} features into {heads} heads of {size // heads}, and its "
        f"{name} has {got}",
        f"{name} {shape_text(tuple(tensor.shape))}",
        f"a last dimension of {size}",
        *mends,
    )


def _attention_shapes(case: Case) -> Mistake | None:
    query, key, value = case.shapes[:3]
    if key[-2] != value[-2]:
        rule = f"each key needs its value: {key[-2]} keys ≠ {value[-2]} values"
        mend = "keys and values made from the same tokens"
    elif query[-1] != key[-1]:
        rule = f"a query meets a key feature by feature: {query[-1]} ≠ {key[-1]}"
        mend = "the same head size for queries and keys"
    else:
        rule = (
            "queries, keys and values need the same batch and heads: "
            f"{shape_text(query[:-2])}, {shape_text(key[:-2])}, {shape_text(value[:-2])}"
        )
        mend = "split all three into the same heads; dimension 1 holds the heads"
    return case.mistake(
        rule,
        f"query {shape_text(query)}, key {shape_text(key)}, value {shape_text(value)}",
        "N×heads×tokens×features each, tokens equal for key and value",
        mend,
    )


def _matrix(shape: Shape) -> str:
    return f"({shape_text(shape[-2:])})"
