"""Scenes and class pictures a second, rendered and written by two processes.

uv run python benchmarks/tabletop_rendering.py
"""

import tempfile
import time
from pathlib import Path

from viewfinder import tabletop

SCENES, PICTURES = 200, 150


def main() -> None:
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        counts = tabletop.SplitCounts(train=SCENES, val=0, test=0)
        tabletop.write_scenes(Path(out) / "scenes", counts=counts, processes=2)
        seconds = time.perf_counter() - start
        print(f"scenes 256×256: {SCENES / seconds:.1f} a second, start of the processes included")
        start = time.perf_counter()
        counts = tabletop.SplitCounts(train=PICTURES, val=0, test=0)
        tabletop.write_classes(Path(out) / "classes", counts=counts, processes=2)
        count = PICTURES * len(tabletop.CLASSES)
        print(f"class pictures 64×64: {count / (time.perf_counter() - start):.0f} a second")


if __name__ == "__main__":
    main()
