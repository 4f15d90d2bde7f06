"""What the teacher's map covers before and after its dilation, and what students' gates shut off.

    uv run python benchmarks/saliency_gates.py DATA TEACHER RUN…

Of the teacher's map on the training pictures, at the size of the net's input: which share of the
subject it covers (recall), and which share of what it covers is subject (precision). Of each run's
gates on the test pictures: how far they are open on the subject and elsewhere, and the share of the
subject at which a gate is less than half open.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from viewfinder.datasets.opening import open_dataset
from viewfinder.files import cache_folder
from viewfinder.runs.run import open_run
from viewfinder.tasks.saliency.examples import open_examples
from viewfinder.tasks.saliency.losses import attention_target
from viewfinder.tasks.saliency.teacher import read_teacher

DILATIONS = (1, 3, 11)
STRIDES = (4, 8, 16)


def taken(dataset, side: str, size: tuple[int, int], *, depth: bool):
    """All of a side: pictures in [0, 1], masks, depths."""
    examples = open_examples(dataset.split(side), size, cache=cache_folder(), depth=depth)
    pictures, masks, depths = examples.take(range(len(examples)))
    return pictures.float() / 255, masks.bool(), depths


def tell_teacher(dataset, path: str, size: tuple[int, int]) -> None:
    _, masks, depths = taken(dataset, "train", size, depth=True)
    seen = depths.amax((1, 2, 3)) > depths.amin((1, 2, 3))
    logits, masks = read_teacher(path, size)(depths[seen]), masks[seen]
    for dilation in DILATIONS:
        found = attention_target(logits, dilation=dilation)[:, 0] >= 0.5
        hits = (found & masks).sum((1, 2))
        recall = hits / masks.sum((1, 2)).clamp(min=1)
        precision = hits / found.sum((1, 2)).clamp(min=1)
        print(
            f"teacher, dilated by {dilation:>2}: recall {recall.mean():.3f} (below ½ in "
            f"{(recall < 0.5).float().mean():.1%} of {len(recall)} pictures), precision "
            f"{precision.mean():.3f}"
        )


def gates_of(run, pictures: Tensor) -> list[Tensor]:
    """How far each gate is open: N×H×W in [0, 1] for each stride."""
    answer = run.net()(run.model.config.normalisation.apply(pictures))
    return [gate.sigmoid()[:, 0] for gate in answer[1:]]


@torch.no_grad()
def main() -> None:
    dataset, teacher = open_dataset(Path(sys.argv[1])), sys.argv[2]
    runs = [open_run(name) for name in sys.argv[3:]]
    size = runs[0].model.config.size
    tell_teacher(dataset, teacher, size)
    pictures, masks, _ = taken(dataset, "test", size, depth=False)
    rows = []
    for run in runs:
        gates = gates_of(run, pictures)
        rows.append(
            [
                (gate[masks].mean(), gate[~masks].mean(), (gate[masks] < 0.5).float().mean())
                for gate in gates
            ]
        )
    for stride, (subject, rest, shut) in zip(STRIDES, np.mean(rows, axis=0), strict=True):
        print(
            f"gate at stride {stride:>2}, mean of {len(runs)} runs: open {subject:.3f} on the "
            f"subject, {rest:.3f} elsewhere; shut on {shut:.1%} of the subject"
        )


if __name__ == "__main__":
    main()
