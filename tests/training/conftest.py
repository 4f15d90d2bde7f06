"""Small sets of pictures that a net can learn in seconds."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from viewfinder.pictures.writing import write_picture

# What tells the classes apart: the mean of red, green and blue.
COLOURS = {"amber": (200, 140, 30), "blue": (40, 70, 200), "green": (50, 170, 60)}

MakeSet = Callable[..., Path]


@pytest.fixture
def make_set(tmp_path: Path) -> MakeSet:
    """A function that writes class folders of noisy coloured pictures and returns their root.

    With `told_apart=False` the labels say nothing about the pictures.
    """

    def make(
        *, train: int = 12, val: int = 6, test: int = 6, size: int = 32, told_apart: bool = True
    ) -> Path:
        random = np.random.default_rng(0)
        root = tmp_path / "set"
        colours = list(COLOURS.values())
        for side, count in (("train", train), ("val", val), ("test", test)):
            for name, colour in COLOURS.items():
                for number in range(count):
                    mean = colour if told_apart else colours[random.integers(len(colours))]
                    noise = random.normal(0, 40, (size, size, 3))
                    picture = np.clip(np.array(mean) + noise, 0, 255).astype(np.uint8)
                    write_picture(root / side / name / f"{number:03}.png", picture)
        return root

    return make
