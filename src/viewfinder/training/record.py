"""What a run's manifest says of the libraries that made it, and of the pictures it learnt from."""

import platform
from dataclasses import asdict
from importlib.metadata import version

from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.tasks.manifest_tables import DataRecord
from viewfinder.tasks.recipe import Recipe
from viewfinder.training.resumable import digests_of_inputs


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
    depth = {folder: asdict(scale) for folder, scale in dataset.depth_by_folder().items()}
    record: DataRecord = {
        "source": source,
        "root": str(dataset.root.resolve()),
        "layout": dataset.layout,
        "fingerprint": dataset.fingerprint(),
        "inputs": digests_of_inputs(recipe),
        "images": splits,
        "per_class": dataset.split("train").counts(),
    }
    return {**record, "depth": depth} if depth else record
