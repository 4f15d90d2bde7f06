"""How long `viewfinder score` takes: METHODS methods on a set of PICTURES, everything from PNG.

    uv run python benchmarks/score_maps.py               20 methods, 1,000 pictures of 400×300
    uv run python benchmarks/score_maps.py 5 200

Prints the time of the first run, of a second (all scores are kept), and of one method more, and how
much of the processor each took, which others on the machine change less.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

_SIZE = (300, 400)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("methods", type=int, nargs="?", default=20)
    parser.add_argument("pictures", type=int, nargs="?", default=1000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        os.environ["VIEWFINDER_CACHE"] = str(root / "cache")
        _draw(root, given.methods + 1, given.pictures)
        maps = [f"{path.name}={path}" for path in sorted((root / "maps").iterdir())]
        _timed("first run", root, maps[:-1])
        _timed("again", root, maps[:-1])
        _timed("one method more", root, maps)


def _timed(name: str, root: Path, maps: list[str]) -> None:
    # Here, as the command does: each process that scores reads this file again.
    from viewfinder.scoring.comparing import compare
    from viewfinder.scoring.page import write_comparison
    from viewfinder.scoring.reading import asked, contests

    start, before = time.perf_counter(), _of_processor()
    read = contests(asked(root / "GT", maps, []))
    scored = time.perf_counter()
    found = compare(read)
    compared = time.perf_counter()
    write_comparison(root / "out", found, command="benchmarks/score_maps.py")
    end = time.perf_counter()
    print(
        f"{name}: {len(maps)} methods, {found.sets[0].images} pictures: "
        f"{end - start:.1f} s (scores {scored - start:.1f}, intervals and pairs "
        f"{compared - scored:.1f}, page, tables and figures {end - compared:.1f}); "
        f"{_of_processor() - before:.1f} s of the processor",
        flush=True,
    )


def _of_processor() -> float:
    """Seconds of all cores, of this process and those that it waited for."""
    return sum(os.times()[:4])


def _draw(root: Path, methods: int, pictures: int) -> None:
    """Soft ellipses, less like their mask the later the method."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[: _SIZE[0], : _SIZE[1]].astype(np.float32)
    for picture in range(pictures):
        row, column = random.uniform(80, 220), random.uniform(100, 300)
        high, wide = random.uniform(30, 90), random.uniform(30, 110)
        far = ((y - row) / high) ** 2 + ((x - column) / wide) ** 2
        _write(root / "GT" / f"{picture:04d}.png", far < 1)
        for method in range(methods):
            off = 1 + random.normal(0, 0.05 + method / 200)
            soft = 1 / (1 + np.exp(np.clip((5 + method / 5) * (far * off - 1), -40, 40)))
            _write(root / "maps" / f"m{method:02d}" / f"{picture:04d}.png", soft)


def _write(file: Path, values: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), (255 * values).astype(np.uint8))


if __name__ == "__main__":
    main()
