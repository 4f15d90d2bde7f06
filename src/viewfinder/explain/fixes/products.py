"""Fixes at matrix products and attention."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any

import torch
from torch import Tensor, nn

from viewfinder.explain.calls import Call
from viewfinder.explain.edits import Operation
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.modules import made
from viewfinder.explain.fixes.names import SPATIAL
from viewfinder.explain.fixes.scene import Candidate, Scene

_TURNED = Operation("{}.mT", lambda x: x.mT)
Written = tuple[str, Callable[[], nn.Module]]
# A layer of torch's transformers for other features, heads and order: its path, and its making.
Rebuild = Callable[[int | None, int | None, bool | None], tuple[str, Written]]
# Functions for one vector or matrix, and how a batch of them is written.
_FOR_ONE: dict[str, tuple[str, Callable[[Sequence[Tensor]], Tensor]]] = {
    "dot": ("({0} * {1}).sum(-1)", lambda t: (t[0] * t[1]).sum(-1)),
    "vdot": ("({0} * {1}).sum(-1)", lambda t: (t[0] * t[1]).sum(-1)),
    "outer": ("{0}[..., None] * {1}[..., None, :]", lambda t: t[0][..., None] * t[1][..., None, :]),
    "ger": ("{0}[..., None] * {1}[..., None, :]", lambda t: t[0][..., None] * t[1][..., None, :]),
    "mv": ("({0} @ {1}[..., None]).squeeze(-1)", lambda t: (t[0] @ t[1][..., None]).squeeze(-1)),
    "t": ("{0}.mT", lambda t: t[0].mT),
    "trace": (
        "{0}.diagonal(dim1=-2, dim2=-1).sum(-1)",
        lambda t: t[0].diagonal(dim1=-2, dim2=-1).sum(-1),
    ),
    "diag": ("{0}.diagonal(dim1=-2, dim2=-1)", lambda t: t[0].diagonal(dim1=-2, dim2=-1)),
}


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At products in the user's own code, and at torch's attention."""
    call = scene.call
    if isinstance(scene.case.module, nn.MultiheadAttention):
        yield from _attention(scene, scene.case.module)
    if isinstance(scene.case.module, nn.Transformer) and scene.path:
        yield from _transformer(scene, scene.case.module)
    if call is None or scene.case.in_layer:
        return
    if call.base in ("matmul", "mm", "bmm", "mv", "rmatmul") and len(call.tensors) == 2:
        yield from _product(scene, call)
    elif call.base == "einsum":
        yield from _einsum(scene, call)
    elif call.base == "scaled_dot_product_attention":
        yield from _scaled(scene, call)
    elif call.base == "linear":
        yield from _linear(scene, call)
    elif call.base in _FOR_ONE and call.input_shapes:
        code, run = _FOR_ONE[call.base]
        yield from scene.instead(call, code, run, 0.1)


def _product(scene: Scene, call: Call) -> Iterator[Candidate]:
    one, two = call.input_shapes
    if len(one) != len(two) or call.base in ("mm", "bmm", "mv"):
        yield from scene.instead(call, "{0} @ {1}", lambda t: t[0] @ t[1], 0.1)
    if len(two) > 1 and one and one[-1] == two[-1]:
        yield from scene.operate(1, _TURNED, 0.0)
    if len(one) > 1 and len(two) > 1 and one[-2] == two[-2]:
        yield from scene.operate(0, _TURNED, 0.05)
    if len(one) == 4 and len(two) == 3:
        yield from scene.operate(1, ops.unsqueeze(1), 0.2)
    if len(one) == 3 and len(two) == 4:
        yield from scene.operate(0, ops.unsqueeze(1), 0.2)
    if len(two) == 2 and len(one) == 3:
        yield from scene.operate(1, ops.unsqueeze(-1), 0.4)
    if len(one) == 2 and len(two) == 3:
        yield from scene.operate(0, ops.unsqueeze(1), 0.5)
    if len(one) == 4 and len(two) == 4:
        for position in (1, 0):
            yield from scene.operate(position, ops.transpose(1, 2), 0.4)
    if len(one) > 1 and len(two) > 1 and two[-1] == one[-2]:
        yield from scene.instead(call, "{1} @ {0}", lambda t: t[1] @ t[0], 0.3)
    yield from _weights(scene, call)
    if len(one) == 3 and len(two) == 3:
        yield from _turns(scene, call)


def _turns(scene: Scene, call: Call) -> Iterator[Candidate]:
    yield from scene.instead(call, "{0}.mT @ {1}.mT", lambda t: t[0].mT @ t[1].mT, 0.7)


def _weights(scene: Scene, call: Call) -> Iterator[Candidate]:
    """A product with a parameter of another size."""
    owned = {id(p): name for name, p in scene.net.named_parameters()}
    got = call.input_shapes[0][-1] if call.input_shapes[0] else 1
    two = call.input_shapes[1]
    name = owned.get(id(call.tensors[1]))
    if name is None or len(two) != 2 or not _free(scene, 0):
        return
    shape = (got, two[1])
    code = f"nn.Parameter(torch.randn({got}, {two[1]}))"
    yield scene.put(name, code, lambda: nn.Parameter(torch.randn(*shape)), 0.5)


def _free(scene: Scene, position: int) -> bool:
    names = scene.called(position)
    return bool(names) and names[-1] not in SPATIAL and "batch" not in names[-1]


def _linear(scene: Scene, call: Call) -> Iterator[Candidate]:
    shape, weight = call.input_shapes[0], call.argument("weight")
    if not isinstance(weight, Tensor) or weight.dim() != 2 or not shape:
        return
    wanted = int(weight.shape[1])
    if int(weight.shape[0]) == shape[-1] and len(call.tensors) == 2:
        yield from scene.operate(1, ops.method("t"), 0.1)
    if len(shape) < 3:
        return
    if scene.lab.inputs.batch:
        yield from scene.operate(0, ops.flatten(1), 0.2)
    for dim in range(1, len(shape) - 1):
        if shape[dim] == wanted:
            yield from scene.operate(0, ops.transpose(dim, -1), 0.3)


def _einsum(scene: Scene, call: Call) -> Iterator[Candidate]:
    """The letters of one operand in another order."""
    equation = next((value for value in call.args if isinstance(value, str)), None)
    if equation is None or "..." in equation:
        return
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    yield from _one_more(scene, call, terms, right)
    for position in reversed(range(len(terms))):
        for order in permutations(terms[position]):
            changed = [*terms]
            changed[position] = "".join(order)
            text = ",".join(changed) + arrow + right
            if text == equation or len(order) > 5:
                continue
            names = ", ".join(f"{{{at}}}" for at in range(len(call.tensors)))
            code = f"torch.einsum({text!r}, {names})"

            def run(t: Sequence[Tensor], text: str = text) -> Tensor:
                return torch.einsum(text, *t)

            moved = sum(a != b for a, b in zip(order, terms[position], strict=True))
            yield from scene.instead(call, code, run, 0.2 + moved / 10)


def _one_more(scene: Scene, call: Call, terms: Sequence[str], right: str) -> Iterator[Candidate]:
    """A letter more, such as that of the heads, in every term that lacks one."""
    lacking = [
        len(shape) - len(term) for shape, term in zip(call.input_shapes, terms, strict=False)
    ]
    if set(lacking) - {0, 1} or 1 not in lacking or not right:
        return
    letter = next(one for one in "hgnmkabc" if one not in "".join((*terms, right)))
    for far, at in enumerate((1, 0, 2)):
        changed = [
            term[:at] + letter + term[at:] if less else term
            for term, less in zip(terms, lacking, strict=True)
        ]
        text = f"{','.join(changed)}->{right[:at]}{letter}{right[at:]}"
        names = ", ".join(f"{{{n}}}" for n in range(len(call.tensors)))

        def run(t: Sequence[Tensor], text: str = text) -> Tensor:
            return torch.einsum(text, *t)

        yield from scene.instead(call, f"torch.einsum({text!r}, {names})", run, 0.1 + far / 100)


def _scaled(scene: Scene, call: Call) -> Iterator[Candidate]:
    query, key = call.input_shapes[:2]
    mask = call.argument("attn_mask")
    if isinstance(mask, Tensor) and len(call.tensors) > 3:
        tokens, keys = query[-2], key[-2]
        size = tuple(map(int, mask.shape))
        if len(size) >= 2 and size[-2] >= tokens and size[-1] >= keys:
            cut = "{3}[..., :{0}.size(-2), :{1}.size(-2)]"

            def run(t: Sequence[Tensor]) -> Tensor:
                return t[3][..., : t[0].size(-2), : t[1].size(-2)]

            yield from scene.on_operand(3, cut, run, 0.1)
        if len(size) == 2 and size[-1] == keys:
            spread = Operation("{}[:, None, None, :]", lambda m: m[:, None, None, :])
            yield from scene.operate(3, spread, 0.05)
        if len(size) == 3:
            yield from scene.operate(3, ops.unsqueeze(1), 0.1)
        if not mask.dtype.is_floating_point and mask.dtype != torch.bool:
            yield from scene.operate(3, ops.method("bool"), 0.1)
    for position in range(3):
        if len(call.input_shapes[position]) == 4:
            yield from scene.operate(position, ops.transpose(1, 2), 0.3)
        if len(call.input_shapes[position]) == 3:
            yield from scene.operate(position, _TURNED, 0.4)


def _attention(scene: Scene, layer: nn.MultiheadAttention) -> Iterator[Candidate]:
    given = scene.given
    if len(given) < 3:
        return
    query, key, value = (int(tensor.shape[-1]) for tensor in given[:3])
    names = scene.given_names()
    if not layer.batch_first and scene.lab.inputs.batch:
        yield from _batch_first(scene, layer)
    width = layer.embed_dim
    if query == width and (key, value) != (layer.kdim, layer.vdim):
        yield from scene.replace(scene.path, 0.1, kdim=key, vdim=value)
    maps = [at for at in range(3) if given[at].dim() == 4]
    if maps and all(given[at].shape[1] == width for at in maps):
        tokens = ops.then(ops.flatten(2), ops.transpose(1, 2))
        yield from _all_three(scene, tokens, maps)
    if query != width:
        for dim in range(1, given[0].dim() - 1):
            if given[0].shape[dim] == width:
                yield from _all_three(scene, ops.transpose(dim, -1))
        if names[-1:] and names[-1] not in SPATIAL:
            yield from _wider(scene, layer, query, key, value)
        yield from _projected(scene, layer, query)
    yield from _masks(scene, layer, given)


def _transformer(scene: Scene, whole: nn.Transformer) -> Iterator[Candidate]:
    """nn.Transformer read with the batch first, or with the features that it is given."""
    encoder: Any = whole.encoder
    decoder: Any = whole.decoder
    layer = encoder.layers[0]
    sizes = (len(encoder.layers), len(decoder.layers), layer.linear1.out_features)
    features = {int(tensor.shape[-1]) for tensor in scene.given[:2]}
    for first in (True, False):
        for width in (whole.d_model, *features):
            heads = max(n for n in range(1, whole.nhead + 1) if width % n == 0)
            options = {"batch_first": True} if first else {}
            code, make = made("Transformer", width, heads, *sizes, **options)
            other = (width != whole.d_model) + (first != whole.batch_first)
            if other and (first or not whole.batch_first):
                yield scene.put(scene.path, code, make, 0.1 * other)


def _wider(
    scene: Scene, layer: nn.MultiheadAttention, query: int, key: int, value: int
) -> Iterator[Candidate]:
    heads = max(n for n in range(1, layer.num_heads + 1) if query % n == 0)
    outer = _outer(scene)
    if outer is not None:
        path, (code, make) = outer(query, heads, None)
        yield scene.put(path, code, make, 0.3)
        return
    changes: dict[str, object] = {"embed_dim": query, "num_heads": heads}
    changes["kdim"] = None if key == query else key
    changes["vdim"] = None if value == query else value
    yield from scene.replace(scene.path, 0.4, **changes)


def _batch_first(scene: Scene, layer: nn.MultiheadAttention) -> Iterator[Candidate]:
    outer = _outer(scene)
    if outer is not None:
        path, (code, make) = outer(None, None, True)
        yield scene.put(path, code, make, 0.2)
    else:
        yield from scene.replace(scene.path, 0.2, batch_first=True)


def _all_three(
    scene: Scene, operation: Operation, chosen: Sequence[int] = (0, 1, 2)
) -> Iterator[Candidate]:
    """The same for query, key and value."""
    edits = [scene.before(operation, 0.05, argument=at) for at in chosen]
    same = len({id(scene.given[at]) for at in chosen}) == 1
    code = operation.code.replace("{0}", "{}").format("x")
    which = " and ".join(("query", "key", "value")[at] for at in chosen)
    which = which.replace("query and key and value", "query, key and value")
    says = f"x = {code} before {scene.case.name}, for {which}"
    parts = tuple(edit for one in edits for edit in one.edits)
    yield Candidate(parts, says, 0.05 if same else 0.15, only_here=True)


def _projected(scene: Scene, layer: nn.MultiheadAttention, query: int) -> Iterator[Candidate]:
    if _outer(scene) is not None:
        return
    code, make = made("Linear", query, layer.embed_dim)
    operation = Operation(f"{code}({{}})", lambda x: make()(x))
    edits = [scene.before(operation, 0.3, argument=at) for at in range(3)]
    yield Candidate(
        tuple(edit for one in edits for edit in one.edits),
        f"a layer {code} before {scene.case.name}, for query, key and value",
        0.9,
    )


def _outer(scene: Scene) -> Rebuild | None:
    """The torch.nn Transformer part around an attention, and how to build it anew."""
    path = scene.path
    while path:
        path = path.rpartition(".")[0]
        module = scene.net.get_submodule(path)
        kind = type(module).__name__
        if not type(module).__module__.startswith("torch.nn"):
            return None
        if kind in ("TransformerEncoderLayer", "TransformerDecoderLayer"):
            layer, layer_path, stack = module, path, None
            above = path.rpartition(".")[0].rpartition(".")[0]
            if path.count(".") >= 2 or path.split(".")[-2:-1] == ["layers"]:
                outer = scene.net.get_submodule(above)
                if type(outer).__name__ in ("TransformerEncoder", "TransformerDecoder"):
                    stack, layer_path = outer, above
            return lambda d, h, b: (layer_path, _layer_code(layer, stack, d, h, b))
    return None


def _layer_code(
    layer: nn.Module,
    stack: nn.Module | None,
    width: int | None,
    heads: int | None,
    first: bool | None,
) -> Written:
    attention: Any = layer.self_attn
    hidden: Any = layer.linear1
    width = width or attention.embed_dim
    heads = heads or attention.num_heads
    first = attention.batch_first if first is None else first
    kind = type(layer).__name__
    options: dict[str, object] = {"batch_first": True} if first else {}
    code, make = made(kind, width, heads, hidden.out_features, **options)
    if stack is None:
        return code, make
    many, outer = len(stack.layers), type(stack).__name__  # type: ignore[arg-type]
    return f"nn.{outer}({code}, {many})", lambda: getattr(nn, outer)(make(), many)


def _masks(
    scene: Scene, layer: nn.MultiheadAttention, given: tuple[Tensor, ...]
) -> Iterator[Candidate]:
    frame = scene.case.failure.frame
    seq = 1 if layer.batch_first and given[0].dim() == 3 else 0
    tokens, keys = int(given[0].shape[seq]), int(given[1].shape[seq])
    spots: Mapping[str, int] = {"key_padding_mask": 3, "attn_mask": 5}
    for name, position in spots.items():
        argument: int | str = position if len(frame.args) > position else name
        mask = frame.args[position] if len(frame.args) > position else frame.kwargs.get(name)
        if not isinstance(mask, Tensor):
            continue
        size = tuple(map(int, mask.shape))
        if name == "attn_mask" and len(size) == 2 and size[0] >= tokens and size[1] >= keys:
            code = f"{{0}}[:{{1}}.size({seq}), :{{1}}.size({seq})]"

            def fit(mask: Tensor, x: Tensor) -> Tensor:
                return mask[: x.size(seq), : x.size(seq)]

            if tokens == keys:
                yield scene.before(Operation(code, fit, other=0), 0.1, argument=argument)
            cut = Operation(f"{{}}[:{tokens}, :{keys}]", lambda m: m[:tokens, :keys])
            yield scene.before(cut, 0.15, argument=argument)
        if name == "attn_mask" and len(size) == 3 and size[1:] == (tokens, keys):
            heads = layer.num_heads
            each = Operation(
                f"{{}}.repeat_interleave({heads}, 0)",
                lambda m, heads=heads: m.repeat_interleave(heads, 0),
            )
            yield scene.before(each, 0.1, argument=argument)
        if name == "key_padding_mask" and len(size) == 2:
            turned = Operation("{}.T", lambda m: m.T)
            yield scene.before(turned, 0.2, argument=argument)
        yield scene.before(ops.LEFT_OUT, 0.8, argument=argument)
