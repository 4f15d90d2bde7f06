"""Fixes at matrix products, and at attention in the user's own code."""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import permutations

import torch
from torch import Tensor, nn

from viewfinder.explain.calls import Call, tensors_in
from viewfinder.explain.edits import InsertedCall, Rewrite
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.meanings import ALL_PAIRS
from viewfinder.explain.fixes.names import SPATIAL
from viewfinder.explain.fixes.scene import Scene
from viewfinder.explain.heads import attends_over_heads
from viewfinder.explain.passed import Args, Kwargs
from viewfinder.explain.sources import expression, module_call

_TURNED = InsertedCall("{}.mT", lambda x: x.mT)
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
    """At products in the user's own code."""
    call = scene.call
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
    if (len(one), len(two)) == (3, 2) and (one[0], one[2]) == two and _of_batch(scene, 1):
        # A vector for each item of the batch.
        code = "({0} @ {1}.unsqueeze(-1)).squeeze(-1)"
        yield from scene.instead(
            call, code, lambda t: (t[0] @ t[1].unsqueeze(-1)).squeeze(-1), 0.05
        )
    if (len(one), len(two)) == (2, 3) and (one[0], one[1]) == two[:2] and _of_batch(scene, 0):
        code = "({0}.unsqueeze(1) @ {1}).squeeze(1)"
        yield from scene.instead(call, code, lambda t: (t[0].unsqueeze(1) @ t[1]).squeeze(1), 0.05)
    if len(one) != len(two) or call.base in ("mm", "bmm", "mv"):
        yield from scene.instead(call, "{0} @ {1}", lambda t: t[0] @ t[1], 0.1)
    pairs = len(one) == 2 and one == two and _of_batch(scene, 0) and _of_batch(scene, 1)
    if pairs:
        code, run = _FOR_ONE["dot"]
        yield from scene.instead(call, code, run, -0.01)
    if len(two) > 1 and one and one[-1] == two[-1]:
        for turned in scene.operate(1, _TURNED, 0.0):
            yield replace(turned, means=ALL_PAIRS) if pairs else turned
    if len(one) > 1 and len(two) > 1 and one[-2] == two[-2]:
        yield from scene.operate(0, _TURNED, 0.05)
    if len(one) == len(two) == 4 and one[0] == two[0]:
        yield from _shared_heads(scene, one, two)
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


def _shared_heads(scene: Scene, one: Shape, two: Shape) -> Iterator[Candidate]:
    """Keys and values of fewer heads, each for several of the queries'."""
    for position, (few, many) in enumerate(((one[1], two[1]), (two[1], one[1]))):
        if 1 < few < many and many % few == 0:
            each = many // few
            yield from scene.operate(position, ops.method("repeat_interleave", each, 1), 0.0)


def _of_batch(scene: Scene, position: int) -> bool:
    return scene.called(position)[:1] == ("batch",)


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
    yield from _lowest(scene, call, terms)
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


def _lowest(scene: Scene, call: Call, terms: Sequence[str]) -> Iterator[Candidate]:
    """As many frequencies as the net has weights for: the first of each dimension."""
    if len(terms) != len(call.tensors) or len(terms) != 2:
        return
    for position in (0, 1):
        shape, other = call.input_shapes[position], call.input_shapes[1 - position]
        sizes = dict(zip(terms[1 - position], other, strict=False))
        wrong = [d for d, a in enumerate(terms[position]) if shape[d] != sizes.get(a, shape[d])]
        more = all(shape[d] > sizes[terms[position][d]] for d in wrong)
        table = isinstance(call.tensors[1 - position], nn.Parameter)
        if not wrong or not more or not table or not call.tensors[position].is_complex():
            continue
        places = [terms[1 - position].index(terms[position][d]) for d in wrong]
        cut = [":"] * len(shape)
        for dim, place in zip(wrong, places, strict=True):
            cut[dim] = f":{{{1 - position}}}.size({place})"

        def run(
            t: Sequence[Tensor],
            p: int = position,
            wrong: Sequence[int] = tuple(wrong),
            places: Sequence[int] = tuple(places),
        ) -> Tensor:
            found = t[p]
            for dim, place in zip(wrong, places, strict=True):
                found = found.narrow(dim, 0, t[1 - p].size(place))
            return found

        yield from scene.on_operand(position, f"{{{position}}}[{', '.join(cut)}]", run, 0.0)


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
        heads = attends_over_heads(call) is not None
        if heads:
            yield from _heads_first(scene, call)
        if not heads and len(size) >= 2 and size[-2] >= tokens and size[-1] >= keys:
            cut = "{3}[..., :{0}.size(-2), :{1}.size(-2)]"

            def run(t: Sequence[Tensor]) -> Tensor:
                return t[3][..., : t[0].size(-2), : t[1].size(-2)]

            yield from scene.on_operand(3, cut, run, 0.1)
        if len(size) == 2 and size[-1] == keys:
            spread = InsertedCall("{}[:, None, None, :]", lambda m: m[:, None, None, :])
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


def _heads_first(scene: Scene, call: Call) -> Iterator[Candidate]:
    """Attention between steps: the heads, which stand behind the steps, before them and back."""
    found = expression(call.place, call.args, call.tensors, call.kwargs)
    node = module_call(call.place)
    if call.place is None or node is None:
        return
    words = [f"{{{at}}}.transpose(1, 2)" for at in range(3)]
    words += ["attn_mask={3}"]
    named = {name: value for name, value in call.kwargs.items() if type(value) in (bool, float)}
    words += [f"{name}={value!r}" for name, value in named.items()]
    code = f"{ast.unparse(node.func)}({', '.join(words)}).transpose(1, 2)"

    def run(function: Callable[..., object], args: Args, kwargs: Kwargs) -> object:
        tensors = list(tensors_in((args, dict(kwargs))))
        turned = (tensor.transpose(1, 2) for tensor in tensors[:3])
        attended = function(*turned, attn_mask=tensors[3], **named)
        assert isinstance(attended, Tensor)
        return attended.transpose(1, 2)

    edit = Rewrite(call.place[:2], call.operation, code, run)
    old = " ".join(found.text.split())
    yield Candidate((edit,), f"{code.format(*found.operands)} instead of {old}", 0.0)
