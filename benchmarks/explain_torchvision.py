"""Hold `explain` against the figures that torchvision publishes for its classification models.

    python benchmarks/explain_torchvision.py            every model
    python benchmarks/explain_torchvision.py resnet50   some

Each model is built, without weights where its constructor allows, and explained at the picture
size of its default weights; parameters and multiply–accumulates must equal the `num_params` and
`_ops` of those weights' metadata. Below the table: the time of one explanation of ResNet-50 and of
ViT-H/14 with a batch of 64, the best of five, and the memory that they add.
"""

import resource
import sys
import time

import torch
import torchvision
from torch import nn
from torchvision import models

from viewfinder.explain import explain


def build(name: str, size: int) -> nn.Module:
    """The model on the meta device, or with real weights where it looks at numbers when built."""
    options: dict[str, object] = {}
    if name in ("googlenet", "inception_v3"):
        options = {"init_weights": False}
    elif name.startswith("vit_"):
        options = {"image_size": size}
    try:
        with torch.device("meta"):
            return models.get_model(name, weights=None, **options).eval()
    except (RuntimeError, NotImplementedError):
        return models.get_model(name, weights=None, **options).eval()


def compare(name: str) -> tuple[bool, bool]:
    """Print one row; whether parameters and multiply–accumulates are equal."""
    weights = models.get_model_weights(name).DEFAULT
    size = weights.transforms().crop_size[0]
    began = time.perf_counter()
    net = build(name, size)
    built = time.perf_counter()
    totals = explain(net, (1, 3, size, size)).totals
    seconds = time.perf_counter() - built
    same_params = totals.params == weights.meta["num_params"]
    same_macs = round(totals.macs / 1e9, 3) == weights.meta["_ops"]
    notes = []
    if not same_params:
        used = totals.params - totals.unused_params
        notes.append(f"published {weights.meta['num_params']:,}; {used:,} take part")
    if not same_macs:
        notes.append(f"published {weights.meta['_ops']}")
    print(
        f"{name:<20}{size:>4} {totals.params:>13,} {'=' if same_params else '≠'} "
        f"{totals.macs / 1e9:>9.3f} {'=' if same_macs else '≠'} {seconds:>7.3f}  "
        f"{'; '.join(notes)}{'' if seconds < 10 else f' built in {built - began:.1f} s'}",
        flush=True,
    )
    return same_params, same_macs


def clock(name: str, batch: int, size: int) -> None:
    """Print the best of five times of one explanation, and the memory that it added."""
    net = build(name, size)
    explain(net, (batch, 3, size, size))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        explain(net, (batch, 3, size, size))
        seconds.append(time.perf_counter() - began)
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"{name}, batch {batch}: {min(seconds):.3f} s (best of 5, worst {max(seconds):.3f} s), "
        f"peak memory +{added:.0f} MB"
    )


def main() -> None:
    torch.set_num_threads(1)
    clock("resnet50", 1, 224)
    clock("vit_h_14", 64, 224)
    names = sys.argv[1:] or models.list_models(module=models)
    print(f"\ntorch {torch.__version__}, torchvision {torchvision.__version__}")
    print(f"{'model':<20}size        params        GMACs   seconds")
    equal = [compare(name) for name in names]
    params, macs = (sum(column) for column in zip(*equal, strict=True))
    print(f"\nof {len(names)} models, parameters equal in {params}, MACs equal in {macs}")


if __name__ == "__main__":
    main()
