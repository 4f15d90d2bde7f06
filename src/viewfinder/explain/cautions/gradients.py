"""Where the gradient stops: what was written over, and what was cut off."""

from collections.abc import Iterator, Sequence

from torch import Tensor, nn
from torch.autograd.graph import Node

from viewfinder.explain.cautions.naming import first_few, homes, named
from viewfinder.explain.cautions.weights import unused
from viewfinder.explain.traces import Trace
from viewfinder.wording import counted

# Calls that cut a result off from what it was made of on purpose.
_CUTS = ("detach",)


def overwritten(seen: Trace) -> Iterator[str]:
    """Calls in place that destroy what the backward pass needs."""
    names = homes(seen)
    harmed: dict[str, list[str]] = {}
    for kept, writer in seen.overwritten:
        by = names.get(writer.index, writer.operation) if writer else "a call in place"
        harmed.setdefault(by, []).append(names.get(kept.index, kept.operation))
    for by, at in harmed.items():
        yield (
            f"{by} writes over what the backward pass of {first_few(at)} needs: training stops "
            "there; without the in-place form (x = x + y for x += y) it does not"
        )


def unreached(seen: Trace) -> Iterator[str]:
    """Weights that are used, want a gradient, and get none from anything that comes out."""
    roots = [one.grad_fn for one in seen.outputs if one.grad_fn is not None]
    if not roots:
        return
    reached = _leaves(roots)
    wanting = {id(one): one for one in seen.module.parameters() if one.requires_grad}
    lost: dict[str, int] = {}
    for row in seen.rows:
        for call in row.calls:
            if not call.graph:
                # Under no_grad: meant.
                continue
            for tensor in call.tensors:
                if id(tensor) in wanting and id(tensor) not in reached:
                    lost[named(row)] = lost.get(named(row), 0) + tensor.numel()
                    reached.add(id(tensor))
    if lost and not list(unused(seen)) and not _is_cut(seen):
        yield (
            f"no gradient reaches {first_few(lost)} ({counted(sum(lost.values()), 'weight')}): "
            "between there and what comes out a call has none, such as argmax, round, a "
            "comparison or .data"
        )


def _is_cut(seen: Trace) -> bool:
    """Whether the net cuts gradients off in words: detach, or weights that it freezes."""
    return any(call.base in _CUTS for call in seen.calls)


def _leaves(roots: Sequence[Node | None]) -> set[int]:
    """The tensors that a backward pass from these nodes fills."""
    found: set[int] = set()
    waiting = list(roots)
    met: set[Node] = set()
    while waiting:
        node = waiting.pop()
        if node is None or node in met:
            continue
        met.add(node)
        variable = getattr(node, "variable", None)
        if isinstance(variable, Tensor | nn.Parameter):
            found.add(id(variable))
        waiting += [following for following, _ in node.next_functions]
    return found
