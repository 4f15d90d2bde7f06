"""Which net a file of weights looks like."""

from collections.abc import Iterable, Mapping
from functools import partial

from torch import Tensor

from viewfinder import nets
from viewfinder.nets.building import shapes_alone
from viewfinder.nets.weight_files import as_named_in

# Share of a net's tensors, and of a file's, that are the other's too.
_MOST = 0.9


def net_that_fits(state: Mapping[str, Tensor], first: Iterable[str] = ()) -> str | None:
    """The net whose layout tensors have by name and shape, but for how many classes they tell
    apart; None where there is none, or the net has other options.

    Args:
        first: nets that are asked before all others.
    """
    likely = list(first)
    asked = [*likely, *(name for name in nets.names() if name not in likely)]
    shares = {}
    for name in asked:
        shares[name] = _share(state, name)
        if name in likely and shares[name] >= _MOST:
            return name
    best = max(asked, key=partial(shares.__getitem__))
    return best if shares[best] >= _MOST else None


def _share(state: Mapping[str, Tensor], name: str) -> float:
    """Of the tensors of a net, or of a file if it has more, the share that both have."""
    with shapes_alone():
        layout = nets.create(name)
    ours = {key: each for key, each in layout.state_dict().items() if each.is_floating_point()}
    theirs = {key: t for key, t in as_named_in(layout, state).items() if t.is_floating_point()}
    # The first side of a last layer counts classes.
    same = [key for key, each in ours.items() if key in theirs and _fits(theirs[key], each)]
    return len(same) / max(len(ours), len(theirs), 1)


def _fits(theirs: Tensor, ours: Tensor) -> bool:
    return theirs.dim() == ours.dim() and theirs.shape[1:] == ours.shape[1:]
