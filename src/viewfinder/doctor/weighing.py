"""Write `workload.json` from the networks: `python -m viewfinder.doctor.weighing`."""

import math
from collections import Counter, defaultdict
from dataclasses import asdict
from typing import Any

import torch

from viewfinder import nets
from viewfinder.doctor.workload import FILE, Convolution, Workload
from viewfinder.explain.explaining import explain
from viewfinder.explain.explanation import Layer
from viewfinder.files import write_json

# What only looks at numbers in another way.
_VIEWS = {"flatten()", "view()", "getitem()", "Dropout"}
_FLOAT = 4


def main() -> None:
    """Weigh every network and write the table."""
    spent: dict[str, Counter[Convolution]] = defaultdict(Counter)
    rows = {}
    for name in nets.names():
        work, convolutions = weigh(name)
        rows[name] = as_table(work)
        for each in convolutions:
            spent[each.kind][each] += each.macs
    samples = [asdict(of.most_common(1)[0][0]) for _, of in sorted(spent.items())]
    write_json(FILE, {"nets": rows, "samples": samples})
    print(f"{FILE}: {len(rows)} networks, {len(samples)} kinds of convolutions")


def weigh(name: str) -> tuple[Workload, list[Convolution]]:
    """What a picture costs a network, and its convolutions."""
    side = nets.input_size(name)[0]
    with torch.device("meta"):
        net = nets.create(name)
    channels = 1 if name.endswith("-depth") else 3
    told = explain(net, (1, channels, side, side))
    convolutions: list[Convolution] = []
    macs: Counter[str] = Counter()
    dense = pointwise = 0
    for layer in told.layers:
        if layer.kind == "Conv2d":
            convolutions.append(_convolution(layer))
            macs[convolutions[-1].kind] += layer.macs
        elif layer.macs:
            dense += layer.macs
        elif layer.kind not in _VIEWS:
            pointwise += _FLOAT * sum(map(math.prod, layer.outputs))
    totals = told.totals
    work = Workload(
        name, side, totals.params, dict(macs), dense, pointwise, totals.activation_bytes
    )
    return work, convolutions


def _convolution(layer: Layer) -> Convolution:
    (_, channels, height, _), (_, filters, rows, columns) = layer.inputs[0], layer.outputs[0]
    each = layer.macs / (channels * filters * rows * columns)
    # Less than one product for each pair of channels: each channel is convolved by itself.
    groups = channels if each < 1 else 1
    kernel = round(math.sqrt(each * groups))
    return Convolution(kernel, channels, filters, max(1, round(height / rows)), height, groups)


def as_table(work: Workload) -> dict[str, Any]:
    """A row of the table."""
    return {key: value for key, value in asdict(work).items() if key != "net"}


if __name__ == "__main__":
    main()
