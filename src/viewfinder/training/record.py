"""What a run's manifest says of the libraries that made it, and of the pictures it learnt from."""

import platform
from dataclasses import asdict
from importlib.metadata import version

import numpy as np

from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.datasets.depth import scales_by_folder
from viewfinder.datasets.measuring import longer_sides, sized_objects
from viewfinder.tasks.manifest_tables import DataRecord
from viewfinder.tasks.recipe import Recipe
from viewfinder.training.resumable import digests_of_inputs

# Training pictures that tell how large they are.
_MEASURED = 500


def versions() -> dict[str, str]:
    """Of Python, and of the libraries that decide what a training comes to."""
    libraries = ("viewfinder", "torch", "torchvision", "lightning-fabric", "numpy")
    return {"python": platform.python_version()} | {name: version(name) for name in libraries}


def data_record(dataset: Dataset, recipe: Recipe, source: str) -> DataRecord:
    """What it was trained on: where it lies, what is in it, and digests that tell a changed set.

    Args:
        source: what the set was opened by.
    """
    splits = {name: int((dataset.splits == index).sum()) for index, name in enumerate(SPLITS)}
    depth = {
        folder: asdict(scale)
        for folder, scale in scales_by_folder(dataset.depths, dataset.depth_scales).items()
    }
    record: DataRecord = {
        "source": source,
        "root": str(dataset.root.resolve()),
        "layout": dataset.layout,
        "fingerprint": dataset.fingerprint(),
        "inputs": digests_of_inputs(recipe),
        "images": splits,
        "per_class": dataset.split("train").counts(),
    }
    if depth:
        record["depth"] = depth
    train = dataset.split("train")
    some = train.select(np.arange(0, len(train), max(1, len(train) // _MEASURED)))
    if sides := _longer_sides(some):
        record["longer_side"] = sides
    if shares := _object_shares(some):
        record["object_share"] = shares
    return record


def _longer_sides(some: Dataset) -> dict[str, int]:
    """How large pictures are; nothing where none can be measured."""
    sides = longer_sides(some)
    known = sides[sides > 0]
    if not len(known):
        return {}
    return {"median": round(np.median(known)), "most": round(np.quantile(known, 0.95))}


def _object_shares(some: Dataset) -> dict[str, float]:
    """How large objects are against their pictures; nothing where none can be measured."""
    of_each = [shares for side, shares in sized_objects(some) if side > 0]
    if not of_each:
        return {}
    shares = np.concatenate(of_each)
    return {"median": float(np.median(shares)), "low": float(np.quantile(shares, 0.1))}
