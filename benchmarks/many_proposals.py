"""How long keeping, reading and accepting many proposals takes.

    uv run python benchmarks/many_proposals.py              100,000 pictures, 5 proposals each
    uv run python benchmarks/many_proposals.py 10000        other numbers of pictures

Each proposal has a mask of 40 run lengths. The pictures themselves are not looked at.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from viewfinder.datasets.opening import read_boxes
from viewfinder.labelling.accepting import accept, take_back
from viewfinder.labelling.proposals import Proposals, joined, read_proposals, write_proposals
from viewfinder.tasks.detect.detections import Detections

T = TypeVar("T")
EACH, SIZE, RUNS = 5, (640, 480), 40


def main() -> None:
    for count in [int(word) for word in sys.argv[1:]] or [100_000]:
        print(f"{count:,} pictures, {EACH * count:,} proposals")
        with tempfile.TemporaryDirectory() as place:
            data = Path(place)
            proposals = some(count)
            timed("  kept", lambda data=data, given=proposals: write_proposals(data, given))
            read = timed("  read", lambda data=data: read_proposals(data))
            timed("  joined with as many new ones", lambda read=read: joined(read, read))
            done = timed("  accepted", lambda data=data: accept(data, above=0.9))
            print(f"    {done.boxes:,} boxes in {done.pictures:,} pictures")
            timed("  labels read", lambda data=data: read_boxes(data))
            timed("  taken back", lambda data=data: take_back(data))
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB")


def some(count: int) -> Proposals:
    random = np.random.default_rng(0)
    low = random.uniform(0, 200, (EACH * count, 2)).round(2)
    high = (low + random.uniform(20, 200, low.shape)).round(2)
    step = SIZE[0] * SIZE[1] // RUNS
    mask = {"size": [SIZE[1], SIZE[0]], "counts": [step] * RUNS}
    pictures = np.repeat(np.arange(count), EACH)
    return Proposals(
        tuple(f"frame_{number:06}.jpg" for number in range(count)),
        np.tile(np.array(SIZE, np.int64), (count, 1)),
        ("mug", "bowl"),
        pictures,
        Detections(
            np.concatenate([low, high], axis=1),
            # Nine pictures in ten have none below 0.9.
            np.where(pictures % 10 == 0, 0.5, 0.95),
            random.integers(0, 2, len(pictures)),
        ),
        ("plate: empty.png",) * len(pictures),
        dict.fromkeys(range(len(pictures)), mask),
    )


def timed(what: str, work: Callable[[], T]) -> T:
    start = time.perf_counter()
    result = work()
    print(f"{what}: {time.perf_counter() - start:.1f} s", flush=True)
    return result


if __name__ == "__main__":
    main()
