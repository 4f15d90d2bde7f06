"""Networks after well-known designs, explained and run: is all equal, and is no warning given?

    python benchmarks/explain_known_nets.py

Parameters and the shapes of what comes out are held against a real pass on the CPU, in evaluation
and in training, and multiply–accumulates against torch's own counter of operations, which knows no
LSTM: nets with one are not held to it. The nets are those of `tests/helpers/known_nets.py`.
"""

import sys
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from viewfinder.explain import explain
from viewfinder.explain.calls import shape_of, tensors_in
from viewfinder.explain.traces import Sample
from viewfinder.explain.tracing import trace

sys.path.insert(0, str(Path(__file__).parent.parent / "tests/helpers"))
from known_nets import KNOWN


def differences(name: str, *, training: bool) -> list[str]:
    """What an explanation says that is not so, or that is warned of a right net."""
    build, inputs = KNOWN[name]
    net = build().train(training)
    told = explain(net, *inputs, batched=True)
    samples = tuple(one if isinstance(one, Tensor) else Sample(one) for one in inputs)
    seen = [shape_of(one) for one in trace(net, samples, costs=False).outputs]
    with warnings.catch_warnings(), FlopCounterMode(display=False) as counter:
        warnings.simplefilter("ignore")
        given = [one.clone() if isinstance(one, Tensor) else torch.rand(one) for one in inputs]
        made = [shape_of(one) for one in tensors_in(net(*given))]
    found = list(told.warnings)
    if told.mistake is not None:
        found.append(f"stops: {told.mistake.rule}")
    if made != seen:
        found.append(f"shapes {seen}, really {made}")
    params = sum(one.numel() for one in net.parameters())
    if told.totals.params != params:
        found.append(f"{told.totals.params} parameters, really {params}")
    macs = counter.get_total_flops() // 2
    if told.totals.macs != macs and not any(isinstance(one, nn.LSTM) for one in net.modules()):
        found.append(f"{told.totals.macs:,} MACs, counted {macs:,}")
    return found


def main() -> None:
    torch.set_num_threads(1)
    right = 0
    for name in KNOWN:
        for training in (False, True):
            found = differences(name, training=training)
            right += not found
            for words in found:
                print(f"{name} in {'training' if training else 'evaluation'}: {words}")
    print(f"{right} of {2 * len(KNOWN)} passes of {len(KNOWN)} nets: all equal, nothing warned of")


if __name__ == "__main__":
    main()
