"""Operations on a tensor, each made together with how it is written."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from viewfinder.explain.edits import InsertedCall


def method(name: str, *args: object, layer: str = "") -> InsertedCall:
    """`x.name(args)`: a method of tensors."""
    written = ", ".join(map(repr, args))
    return InsertedCall(f"{{}}.{name}({written})", lambda x: getattr(x, name)(*args), layer)


def flatten(start: int, end: int = -1) -> InsertedCall:
    layer = (
        f"nn.Flatten({'' if (start, end) == (1, -1) else start}{'' if end == -1 else f', {end}'})"
    )
    return method("flatten", *((start,) if end == -1 else (start, end)), layer=layer)


def unsqueeze(dim: int) -> InsertedCall:
    return method("unsqueeze", dim)


def squeeze(dim: int) -> InsertedCall:
    return method("squeeze", dim)


def transpose(one: int, two: int) -> InsertedCall:
    return method("transpose", one, two)


def permute(*order: int) -> InsertedCall:
    return method("permute", *order)


def channels_first(rank: int) -> InsertedCall:
    """`x.permute(0, 3, 1, 2)`: the last dimension behind the batch."""
    return permute(0, rank - 1, *range(1, rank - 1))


def reshape(*sizes: int) -> InsertedCall:
    """`x.reshape(x.size(0), …)`: every item of the batch keeps a row of its own."""
    written = ", ".join(map(str, sizes))
    return InsertedCall(
        f"{{0}}.reshape({{0}}.size(0), {written})", lambda x: x.reshape(x.size(0), *sizes)
    )


def unflatten(dim: int, sizes: tuple[int, ...]) -> InsertedCall:
    return method("unflatten", dim, sizes, layer=f"nn.Unflatten({dim}, {sizes})")


def to_type(dtype: torch.dtype) -> InsertedCall:
    short = {torch.float32: "float", torch.int64: "long", torch.float16: "half"}.get(dtype)
    if short:
        return method(short)
    return InsertedCall(f"{{}}.to({dtype})", lambda x: x.to(dtype))


def to_device(device: torch.device) -> InsertedCall:
    return InsertedCall(f'{{}}.to("{device}")', lambda x: x.to(device))


def item(index: int) -> InsertedCall:
    """`x[0]`: one of several outputs."""
    return InsertedCall(f"{{}}[{index}]", lambda x: x[index])


def new_axes(own: int, after: int) -> InsertedCall:
    """`x[:, :, None, None]`: a number for each channel, to meet a map."""
    index = (*[slice(None)] * own, *[None] * after)
    written = ", ".join([":"] * own + ["None"] * after)
    return InsertedCall(f"{{}}[{written}]", lambda x: x[index])


def first_of(count: int, dim: int) -> InsertedCall:
    """`x[:, :count]`: the first along a dimension."""
    lead = ", ".join([":"] * dim + [f":{count}"])
    return InsertedCall(f"{{}}[{lead}]", lambda x: x.narrow(dim, 0, count))


def last_of(dim: int) -> InsertedCall:
    """`x[:, -1]`: the last along a dimension."""
    lead = ", ".join([":"] * dim + ["-1"])
    return InsertedCall(f"{{}}[{lead}]", lambda x: x.select(dim, -1), drops=dim)


def expand(*sizes: int) -> InsertedCall:
    return method("expand", *sizes)


def mean(dim: int, *, keep: bool) -> InsertedCall:
    kept = ", keepdim=True" if keep else ""
    return InsertedCall(f"{{}}.mean({dim}{kept})", lambda x: x.mean(dim, keepdim=keep), drops=dim)


def pool_to(size: int, rank: int) -> InsertedCall:
    """Adaptive average pooling of a map to a side."""

    pools = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)
    pool: Callable[..., Tensor] = pools[rank - 1]
    return InsertedCall(
        f"F.adaptive_avg_pool{rank}d({{}}, {size})",
        lambda x: pool(x, size),
        f"nn.AdaptiveAvgPool{rank}d({size})",
    )


def then(*operations: InsertedCall) -> InsertedCall:
    """One after the other, as one expression."""

    def run(x: object) -> object:
        for operation in operations:
            x = operation.run(x)
        return x

    code = "{}"
    for operation in operations:
        # What is done to a quotient is done to all of it.
        value = f"({code})" if " / " in code else code
        code = operation.code.replace("{0}", "{}").replace("{}", value)
    layers = [operation.layer for operation in operations]
    return InsertedCall(code, run, ", ".join(layers) if all(layers) else "")


LEFT_OUT = InsertedCall("leave it out: {}", lambda x: None)
"""The argument is not given at all."""
