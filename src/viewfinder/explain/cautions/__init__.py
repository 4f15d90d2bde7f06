"""What runs and is wrong all the same: weights that will not train, numbers out of order.

Each is told only where it was seen in this pass, with the layer that it lies in.
"""

from collections.abc import Callable

from torch import nn

from viewfinder.explain.cautions.batches import lost_items
from viewfinder.explain.cautions.gradients import overwritten, unreached
from viewfinder.explain.cautions.modes import active_dropout, switched
from viewfinder.explain.cautions.orders import (
    across,
    heads,
    many_answers,
    parted,
    patches,
    widths,
)
from viewfinder.explain.cautions.regrouping import scrambled
from viewfinder.explain.cautions.sequels import alone, biases, doubled, losses
from viewfinder.explain.cautions.weights import made_anew, unregistered, unused
from viewfinder.explain.scoring import Scored
from viewfinder.explain.traces import Trace


def cautions(
    module: nn.Module,
    seen: Trace,
    twice: Trace | None,
    stretched: Callable[[str], Trace | None],
) -> tuple[str, ...]:
    """Warnings of a pass that ran.

    Args:
        module: the net itself, whose attributes are looked at.
        seen: the pass.
        twice: the pass with twice the batch, where the first dimension is the batch.
        stretched: gives the pass with twice the height, width, depth or time, where there is one.
    """
    found = [*unregistered(module)]
    if seen.failure is None:
        if seen.result is None:
            found.append("forward returns None: what it works out is lost; end it with return x")
        found += [*made_anew(seen), *biases(seen), *doubled(seen)]
        found += [
            *scrambled(seen, twice, stretched),
            *patches(seen),
            *unused(seen),
            *unreached(seen),
        ]
        found += [*switched(module, seen), *active_dropout(module, seen)]
        found += [*widths(seen), *heads(seen, stretched), *losses(seen)]
        if twice is not None and twice.failure is None:
            found += [*across(seen, twice), *many_answers(seen, twice), *parted(seen, twice)]
            found += [*lost_items(seen, twice), *alone(seen, twice)]
    elif isinstance(module, Scored) and twice is not None:
        # The net ran, and its loss may have stopped for what it answered.
        found += [*lost_items(seen, twice)]
    found += [*overwritten(seen)]
    return tuple(dict.fromkeys(found))
