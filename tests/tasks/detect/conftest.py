"""A small set of boxes for tests of what detectors learn from."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from viewfinder.datasets.boxes import gather_boxes
from viewfinder.datasets.dataset import Dataset
from viewfinder.pictures.writing import write_picture

Box = tuple[float, float, float, float]


def write_boxes(
    root: Path,
    pictures: Sequence[np.ndarray],
    boxes: Sequence[Sequence[Box]],
    *,
    labels: Sequence[Sequence[int]] | None = None,
    classes: tuple[str, ...] = ("cat", "图"),
    names: Sequence[str] | None = None,
    **columns: Any,
) -> Dataset:
    """A dataset of these pictures, as PNG, and their boxes; `columns` go to `gather_boxes`."""
    names = names or [f"{index}.png" for index in range(len(pictures))]
    for name, picture in zip(names, pictures, strict=True):
        write_picture(root / name, picture)
    of_each = [len(row) for row in boxes]
    flat = [label for row in labels for label in row] if labels else [0] * sum(of_each)
    return Dataset(
        root=root,
        layout="boxes by hand",
        classes=classes,
        paths=tuple(names),
        labels=np.full(len(pictures), -1, np.int64),
        splits=np.zeros(len(pictures), np.int8),
        boxes=gather_boxes(
            np.repeat(np.arange(len(pictures)), of_each),
            len(pictures),
            corners=np.array([box for row in boxes for box in row], np.float64).reshape(-1, 4),
            classes=np.array(flat, np.int64),
            **columns,
        ),
    )


@pytest.fixture
def boxes_set(tmp_path: Path) -> Callable[..., Dataset]:
    """`write_boxes` into this test's own folder."""
    return lambda *given, **options: write_boxes(tmp_path / "set", *given, **options)


@pytest.fixture(scope="module")
def module_boxes_set() -> Callable[..., Dataset]:
    """`write_boxes` itself, for sets that the tests of a module share."""
    return write_boxes
