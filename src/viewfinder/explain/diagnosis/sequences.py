"""Mistakes at recurrent layers and attention: the state's layout, masks, batch first."""

from torch import Tensor, nn

from viewfinder.explain.calls import tensors_in
from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.explanation import Mistake, shape_text


def state(case: Case) -> Mistake | None:
    """A recurrent layer's state of another layout than layers × batch × features."""
    module, frame = case.module, case.failure.frame
    if not isinstance(module, nn.RNNBase) or not frame.args:
        return None
    given = frame.args[1] if len(frame.args) > 1 else frame.kwargs.get("hx")
    first = next(tensors_in(frame.args[:1]), None)
    if given is None or first is None or first.dim() != 3:
        return None
    directions = 2 if module.bidirectional else 1
    batch = int(first.shape[0 if module.batch_first else 1])
    hidden = module.proj_size or module.hidden_size
    wanted = (module.num_layers * directions, batch, hidden)
    got = [tuple(map(int, part.shape)) for part in tensors_in(given)]
    if all(shape == wanted for shape in got):
        return None
    ways = "2 directions" if module.bidirectional else "1 direction"
    return case.mistake(
        f"the state is layers·directions × batch × features, batch_first or not: "
        f"{module.num_layers}·{directions} ({ways}) × {batch} × {hidden}, and it is "
        f"{shape_text(got[0])}",
        f"a state of {', '.join(map(shape_text, got))}",
        shape_text(wanted),
    )


def masks(case: Case) -> Mistake | None:
    """Attention's masks: pairs of tokens, or tokens of each of the batch."""
    module, frame = case.module, case.failure.frame
    given = list(tensors_in(frame.args[:3]))
    if isinstance(module, nn.TransformerEncoder):
        return _left_tokens(case)
    if not isinstance(module, nn.MultiheadAttention) or len(given) < 3 or given[0].dim() != 3:
        return None
    seq = 1 if module.batch_first else 0
    batch, tokens = int(given[0].shape[1 - seq]), int(given[0].shape[seq])
    keys = int(given[1].shape[seq])
    pairs = ((tokens, keys), (batch * module.num_heads, tokens, keys))
    wanted = {"attn_mask": pairs, "key_padding_mask": ((batch, keys),)}
    for name, position in (("key_padding_mask", 3), ("attn_mask", 5)):
        mask = frame.args[position] if len(frame.args) > position else frame.kwargs.get(name)
        if isinstance(mask, Tensor) and tuple(mask.shape) not in wanted[name]:
            layout = "queries × keys" if name == "attn_mask" else "batch × keys"
            order = "batch, tokens" if module.batch_first else "tokens, batch"
            return case.mistake(
                f"{name} is {layout}, here {shape_text(wanted[name][0])} (this layer reads its "
                f"input as {order}, features), and it is {shape_text(tuple(mask.shape))}",
                f"query {shape_text(tuple(given[0].shape))}, mask {shape_text(tuple(mask.shape))}",
                " or ".join(map(shape_text, wanted[name])),
            )
    return None


def _left_tokens(case: Case) -> Mistake | None:
    """A padding mask of an encoder that is laid out otherwise than its tokens."""
    frame = case.failure.frame
    mask = frame.args[2] if len(frame.args) > 2 else frame.kwargs.get("src_key_padding_mask")
    tokens = next(tensors_in(frame.args[:1]), None)
    if not isinstance(mask, Tensor) or tokens is None or mask.shape == tokens.shape[:2]:
        return None
    wanted, got = (shape_text(tuple(map(int, one.shape[:2]))) for one in (tokens, mask))
    return case.mistake(
        f"src_key_padding_mask is batch × tokens, here {wanted}, and it is {got}",
        f"tokens {shape_text(tuple(map(int, tokens.shape)))}, mask {got}",
        wanted,
    )
