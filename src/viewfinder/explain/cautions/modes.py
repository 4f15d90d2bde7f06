"""Training and evaluation: what is in the wrong one."""

from collections.abc import Iterator

from torch import nn

from viewfinder.explain.calls import Call
from viewfinder.explain.cautions.naming import ends, first_few, homes
from viewfinder.explain.traces import Trace

DROPOUTS = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout")


def switched(net: nn.Module, seen: Trace) -> Iterator[str]:
    """Layers that forward itself puts into training or into evaluation."""
    now = dict(seen.module.named_modules())
    moved = [
        path or type(one).__name__
        for path, one in net.named_modules()
        if path in now and one.training != now[path].training and _minds(one)
    ]
    if moved:
        mode = "evaluation" if net.training else "training"
        yield (
            f"forward puts {first_few(moved)} into {mode}, where it stays: leave that to "
            "net.train() and net.eval()"
        )


def _minds(module: nn.Module) -> bool:
    """Whether a module works otherwise in training, and its weights are not frozen."""
    norm = isinstance(module, nn.modules.batchnorm._BatchNorm)
    frozen = norm and not any(one.requires_grad for one in module.parameters())
    return isinstance(module, nn.modules.dropout._DropoutNd) or (norm and not frozen)


def active_dropout(net: nn.Module, seen: Trace) -> Iterator[str]:
    """What goes on in evaluation although it belongs to training, and what comes last."""
    names = homes(seen)
    own = {id(one) for one in seen.module.modules()}
    for call in seen.calls:
        if call.base not in (*DROPOUTS, "batch_norm") or net.training:
            continue
        row = next((row for row in seen.rows if call in row.calls), None)
        if row is not None and row.module is not None and id(row.module) in own:
            # A layer that was itself put into training, such as dropout to sample by.
            continue
        name = names.get(call.index, call.operation)
        if call.base in DROPOUTS and _drops(call):
            yield (
                f"{name} drops numbers in evaluation too, so that answers change from time to "
                "time: training=self.training"
            )
        if call.base == "batch_norm" and call.argument("training") and _has_statistics(call):
            yield (
                f"{name} measures its batch in evaluation too, so that each answer depends on "
                "the others: training=self.training"
            )
    for call in ends(seen):
        if call.base in DROPOUTS:
            yield f"{names.get(call.index)} comes last: in training it sets answers to 0"


def _drops(call: Call) -> bool:
    training = call.kwargs.get("training", call.args[2] if len(call.args) > 2 else True)
    share = call.kwargs.get("p", call.args[1] if len(call.args) > 1 else 0.5)
    return bool(training and share)


def _has_statistics(call: Call) -> bool:
    return call.argument("running_mean") is not None
