"""Fixes of the masks that torch's layers of attention are given."""

import inspect
from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from viewfinder.explain.diagnosis.case import path_as_code
from viewfinder.explain.edits import InsertedCall, renamed
from viewfinder.explain.explanation import Shape
from viewfinder.explain.fixes import operations as ops
from viewfinder.explain.fixes.candidate import Candidate
from viewfinder.explain.fixes.scene import Scene

_SPOTS: Mapping[str, int] = {"key_padding_mask": 3, "attn_mask": 5}
# What a transformer of torch calls the masks of its attention.
_WHOSE = {"multihead_attn": "memory"}
_STACKS = (
    nn.TransformerEncoderLayer,
    nn.TransformerDecoderLayer,
    nn.TransformerEncoder,
    nn.TransformerDecoder,
    nn.Transformer,
)


def candidates(
    scene: Scene, layer: nn.MultiheadAttention, given: tuple[Tensor, ...]
) -> Iterator[Candidate]:
    """At nn.MultiheadAttention, where it is given a mask."""
    frame = scene.case.failure.frame
    seq = 1 if layer.batch_first and given[0].dim() == 3 else 0
    tokens, keys = int(given[0].shape[seq]), int(given[1].shape[seq])
    batch = int(given[0].shape[1 - seq]) if given[0].dim() == 3 else 0
    found = {}
    for name, position in _SPOTS.items():
        at_place = len(frame.args) > position
        mask = frame.args[position] if at_place else frame.kwargs.get(name)
        if isinstance(mask, Tensor):
            found[name] = (position if at_place else name, tuple(map(int, mask.shape)))
    for name, (argument, size) in found.items():
        if len(found) == 1:
            yield from _the_other(scene, name, size, batch, (tokens, keys))
        if name == "attn_mask":
            yield from _pairs(scene, layer, argument, size, (tokens, keys), seq)
        elif len(size) == 2:
            turned = InsertedCall("{}.T", lambda m: m.T)
            yield scene.before(turned, 0.2, argument=argument)
        yield scene.before(ops.LEFT_OUT, 0.8, argument=argument)


def of_encoder(scene: Scene) -> Iterator[Candidate]:
    """At nn.TransformerEncoder itself, which lays out the tokens that its mask leaves."""
    frame = scene.case.failure.frame
    at_place = len(frame.args) > 2
    argument: int | str = 2 if at_place else "src_key_padding_mask"
    mask = frame.args[2] if at_place else frame.kwargs.get("src_key_padding_mask")
    if not isinstance(mask, Tensor) or not scene.given or scene.given[0].dim() != 3:
        return
    batch, tokens = (int(size) for size in scene.given[0].shape[:2])
    size = tuple(map(int, mask.shape))
    if size == (tokens, batch):
        yield scene.before(InsertedCall("{}.T", lambda m: m.T), 0.0, argument=argument)
    if size == (tokens, tokens):
        order = list(inspect.signature(nn.TransformerEncoder.forward).parameters)[1:]
        says = f"mask= instead of src_key_padding_mask= in the call of {path_as_code(scene.path)}"
        yield Candidate((renamed(scene.path, "src_key_padding_mask", "mask", order),), says, 0.0)


def _pairs(
    scene: Scene,
    layer: nn.MultiheadAttention,
    argument: int | str,
    size: Shape,
    wanted: Shape,
    seq: int,
) -> Iterator[Candidate]:
    """A mask of pairs of tokens that is longer than they are, or that all heads have in common."""
    tokens, keys = wanted
    if len(size) == 2 and size[0] >= tokens and size[1] >= keys:
        code = f"{{0}}[:{{1}}.size({seq}), :{{1}}.size({seq})]"

        def fit(mask: Tensor, x: Tensor) -> Tensor:
            return mask[: x.size(seq), : x.size(seq)]

        if tokens == keys:
            yield scene.before(InsertedCall(code, fit, other=0), 0.1, argument=argument)
        cut = InsertedCall(f"{{}}[:{tokens}, :{keys}]", lambda m: m[:tokens, :keys])
        yield scene.before(cut, 0.15, argument=argument)
    if len(size) == 3 and size[1:] == wanted:
        heads = layer.num_heads
        each = InsertedCall(
            f"{{}}.repeat_interleave({heads}, 0)", lambda m: m.repeat_interleave(heads, 0)
        )
        yield scene.before(each, 0.1, argument=argument)


def _the_other(
    scene: Scene, name: str, size: Shape, batch: int, wanted: Shape
) -> Iterator[Candidate]:
    """A mask of each item's tokens given as one of pairs of tokens, or the other way round."""
    padding = name == "attn_mask" and size == (batch, wanted[1])
    pairs = name == "key_padding_mask" and size == wanted and size != (batch, wanted[1])
    if not padding and not pairs:
        return
    path, whose, plain = _outermost(scene)
    kinds = [f"{whose}key_padding_mask", plain]
    old, new = kinds if pairs else reversed(kinds)
    module = scene.net.get_submodule(path)
    order = list(inspect.signature(type(module).forward).parameters)[1:]
    says = f"{new}= instead of {old}= in the call of {path_as_code(path)}"
    yield Candidate((renamed(path, old, new, order),), says, 0.0)


def _outermost(scene: Scene) -> tuple[str, str, str]:
    """The module of torch's that the user calls, and what it calls the masks of this attention."""
    path, attention = scene.path, scene.path.rpartition(".")[2]
    whose, plain, outer = "", "attn_mask", path
    while outer:
        outer = outer.rpartition(".")[0]
        module = scene.net.get_submodule(outer)
        if isinstance(module, _STACKS):
            decodes = isinstance(module, nn.TransformerDecoderLayer)
            if not whose:
                whose = f"{_WHOSE.get(attention, 'tgt' if decodes else 'src')}_"
            plain = "mask" if isinstance(module, nn.TransformerEncoder) else f"{whose}mask"
            path = outer
        elif not isinstance(module, nn.ModuleList):
            break
    return path, whose, plain
