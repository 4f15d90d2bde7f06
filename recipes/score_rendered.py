"""What recipes/score-rendered.toml scores: two sets of rendered scenes, and three methods' maps.

    python recipes/score_rendered.py OUT [PICTURES]

No method learns anything: what stands out of the table (by depth), what differs in colour from the
picture's border, and what is in the middle.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.reading import read_depth, read_picture
from viewfinder.pictures.writing import write_map
from viewfinder.tabletop import SceneOptions, SplitCounts, write_scenes

_SETS = {"tidy": 0.2, "cluttered": 0.9}


def main(out: Path, pictures: int) -> None:
    counts = SplitCounts(train=0, val=0, test=pictures)
    for seed, (name, clutter) in enumerate(_SETS.items()):
        options = SceneOptions(size=128, subject=True, clutter=clutter)
        write_scenes(out / name, options=options, counts=counts, seed=seed, processes=1)
        test = out / name / "test"
        for file in sorted((test / "RGB").iterdir()):
            picture = read_picture(file)
            depth = read_depth(test / "depth" / f"{file.stem}.png")
            maps = {
                "raised": raised(depth),
                "contrast": contrast(picture),
                "centre": centre(picture),
            }
            for method, values in maps.items():
                write_map(out / "maps" / method / name / f"{file.stem}.png", values)
    shutil.copyfile(Path(__file__).with_name("score-rendered.toml"), out / "table.toml")


def raised(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much nearer than most of its row, of the largest: the table is as far along a row."""
    above = np.maximum(depth - np.median(depth, axis=1, keepdims=True), 0)
    return np.asarray(above / max(float(above.max()), 1e-6), np.float32)


def contrast(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Distance from the mean colour of the picture's border, of the largest."""
    colours = picture.astype(np.float32)
    edge = np.concatenate([colours[0], colours[-1], colours[:, 0], colours[:, -1]])
    far = np.linalg.norm(colours - edge.mean(axis=0), axis=2)
    return np.asarray(far / max(float(far.max()), 1.0), np.float32)


def centre(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A bell over the middle, a quarter of the sides wide."""
    down, across = (np.linspace(-2, 2, side) for side in picture.shape[:2])
    return np.exp(-(down[:, None] ** 2 + across**2) / 2).astype(np.float32)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40)
