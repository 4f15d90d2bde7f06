"""Hold `explain` against the figures that torchvision publishes for its models; print its warnings.

    python benchmarks/explain_torchvision.py                      every model
    python benchmarks/explain_torchvision.py resnet50 raft_small  some

Each model is built, without weights where its constructor allows, and explained in evaluation at
the input size of its default weights; parameters and multiply–accumulates must equal the
`num_params` and `_ops` of those weights' metadata. (Those of optical flow do not say for which
size. Detectors choose boxes by numbers: they run on random ones, with one small picture. Of both,
parameters alone are compared, of detectors with those that they have, as norms without weights
have more.) Each is then explained in training, with a batch of two. What either pass warns of
stands below the row: a warning that is not true is a fault.
"""

import sys
import time
import warnings
from collections import Counter
from typing import Any

import torch
import torchvision
from torch import nn
from torchvision import models

from viewfinder.explain import Explanation, explain

KINDS = {
    "classification": models,
    "segmentation": models.segmentation,
    "video": models.video,
    "optical flow": models.optical_flow,
    "quantisable": models.quantization,
    "detection": models.detection,
}
SLOW = 3.0


def build(name: str, kind: str, size: int) -> nn.Module:
    """The model on the meta device, or with real weights where it looks at numbers when built."""
    options: dict[str, object] = {}
    if name.endswith(("googlenet", "inception_v3")):
        options["init_weights"] = False
    if name.startswith("vit_"):
        options["image_size"] = size
    if kind == "quantisable":
        options["quantize"] = False
    if kind == "segmentation" and not name.startswith("lraspp"):
        options["aux_loss"] = True
    if kind in ("detection", "segmentation"):
        options["weights_backbone"] = None
    if kind == "detection" and not name.startswith("ssd"):
        options |= {"min_size": 160, "max_size": 192}
    try:
        if kind == "detection":
            return models.get_model(name, weights=None, **options)
        with torch.device("meta"):
            return models.get_model(name, weights=None, **options)
    except (RuntimeError, NotImplementedError):
        return models.get_model(name, weights=None, **options)


def inputs(kind: str, size: int, batch: int) -> tuple[Any, ...]:
    """Shapes as the published figures are for."""
    if kind == "video":
        return ((batch, 3, 16, size, size),)
    if kind == "optical flow":
        return ((batch, 3, 520, 960), (batch, 3, 520, 960))
    if kind == "detection":
        return ([(3, 160, 192)] * batch,)
    return ((batch, 3, size, size),)


def side(kind: str, transforms: Any) -> int:
    """The side of the pictures that the default weights take."""
    if kind == "segmentation":
        return int(transforms.resize_size[0])
    return int(transforms.crop_size[0]) if hasattr(transforms, "crop_size") else 0


def passes(net: nn.Module, kind: str, size: int) -> tuple[Explanation, Explanation, float]:
    """The explanations in evaluation and in training, and the seconds of the first."""
    net.eval()
    real = kind == "detection"
    began = time.perf_counter()
    still = explain(net, *inputs(kind, size, 1), real=real, batched=not real)
    seconds = time.perf_counter() - began
    if real:
        return still, still, seconds
    return still, explain(net.train(), *inputs(kind, size, 2), batched=True), seconds


def compare(name: str, kind: str) -> dict[str, bool]:
    """Print one row with what is warned of; what was equal."""
    weights = models.get_model_weights(name).DEFAULT
    size = side(kind, weights.transforms())
    net = build(name, kind, size)
    still, training, seconds = passes(net, kind, size)
    totals, meta = still.totals, weights.meta
    count = meta["num_params"]
    if kind == "detection":
        count = sum(one.numel() for one in net.parameters())
    equal = {"parameters": totals.params == count}
    if kind not in ("detection", "optical flow"):
        equal["MACs"] = abs(totals.macs / 1e9 - meta["_ops"]) < 0.00051
    equal["no mistake"] = still.mistake is None and training.mistake is None
    equal[f"{SLOW:g} s or less"] = seconds <= SLOW
    notes = []
    if not equal["parameters"]:
        used = totals.params - totals.unused_params
        notes.append(f"published {count:,}; {used:,} take part")
    if not equal.get("MACs", True):
        notes.append(f"published {meta['_ops']}")
    marks = ["=" if equal.get(word, True) else "≠" for word in ("parameters", "MACs")]
    print(
        f"{name:<36}{size:>4} {totals.params:>13,} {marks[0]} {totals.macs / 1e9:>9.3f} "
        f"{marks[1]} {seconds:>7.3f}  {'; '.join(notes)}",
        flush=True,
    )
    for mode, explanation in (("eval", still), ("train", training)):
        if explanation.mistake is not None:
            print(f"    {mode} stops: {explanation.mistake.rule}")
        for warning in explanation.warnings:
            if mode == "eval" or warning not in still.warnings:
                print(f"    {mode} warns: {warning}")
    equal["no warning"] = not still.warnings and not training.warnings
    return equal


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}")
    for kind, home in KINDS.items():
        every = models.list_models(module=home)
        names = [name for name in every if name in sys.argv[1:] or not sys.argv[1:]]
        if not names:
            continue
        print(f"\n{kind:<36}size        params        GMACs   seconds")
        found: Counter[str] = Counter()
        for name in names:
            found.update(compare(name, kind))
        figures = ", ".join(f"{what} {count}" for what, count in found.items())
        print(f"of {len(names)}: {figures}", flush=True)


if __name__ == "__main__":
    main()
