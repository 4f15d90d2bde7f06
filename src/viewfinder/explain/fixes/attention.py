"""Fixes at torch's own layers of attention: their features and order."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch import nn

from viewfinder.explain.edits import InsertedCall
from viewfinder.explain.fixes import masks
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.modules import made
from viewfinder.explain.fixes.names import SPATIAL
from viewfinder.explain.fixes.scene import Scene

Written = tuple[str, Callable[[], nn.Module]]
# A layer of torch's transformers for other features, heads and order: its path, and its making.
Rebuild = Callable[[int | None, int | None, bool | None], tuple[str, Written]]


def candidates(scene: Scene) -> Iterator[Candidate]:
    """At nn.MultiheadAttention, also within a transformer's layer, and at nn.Transformer."""
    if isinstance(scene.case.module, nn.MultiheadAttention):
        yield from _attention(scene, scene.case.module)
    if isinstance(scene.case.module, nn.TransformerEncoder) and scene.path:
        yield from masks.of_encoder(scene)
    if isinstance(scene.case.module, nn.Transformer) and scene.path:
        yield from _transformer(scene, scene.case.module)


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
    seq = 1 if layer.batch_first else 0
    sequences = given[1].dim() == given[2].dim() == 3
    if sequences and given[1].shape[seq] != given[2].shape[seq] and key == layer.vdim:
        yield scene.before(InsertedCall("{1}", lambda v, k: k, other=1), 0.0, argument=2)
    yield from masks.candidates(scene, layer, given)


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
    scene: Scene, operation: InsertedCall, chosen: Sequence[int] = (0, 1, 2)
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
    operation = InsertedCall(f"{code}({{}})", lambda x: make()(x))
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
