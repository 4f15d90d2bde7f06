"""Boxes from the difference to the empty stand, against the true ones of rendered turntables.

    uv run python benchmarks/plate_proposals.py            seeds 300 to 304, four minutes
    uv run python benchmarks/plate_proposals.py 7 8 9      others
    uv run python benchmarks/plate_proposals.py --video FILE    frames a second of `frames`

Each turn has camera noise of 3 grey levels, an exposure that wanders by 5 % to either side, shadows
of a light that gives 60 % of what there is, and a camera that shifts by 2 pixels to either side.
Frames are taken as rendered, and once more after VP9 at the rate that `write_video` uses.
"""

import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.labelling.frames import frames_per_second, write_frames
from viewfinder.labelling.plate import find_on_stand
from viewfinder.pictures.geometry import BoxArray, iou
from viewfinder.pictures.video import read_video
from viewfinder.pictures.video_writing import write_video
from viewfinder.tabletop import CLASSES, TurntableOptions, render_turntable

FRAMES = 12
OPTIONS = TurntableOptions(noise=3, drift=0.05, shadow=0.6, shake=2)
SURE = 0.9


def main() -> None:
    cv2.setNumThreads(1)
    if sys.argv[1:2] == ["--video"]:
        frame_speed(Path(sys.argv[2]))
        return
    seeds = [int(word) for word in sys.argv[1:]] or list(range(300, 305))
    rows: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    seconds, count = 0.0, 0
    for seed in seeds:
        for label, name in enumerate(CLASSES):
            table = render_turntable(label, seed=seed, frames=FRAMES, options=OPTIONS)
            for kind, frames in (("rendered", table.frames), ("VP9", through_video(table.frames))):
                for frame, true in zip(frames, table.boxes, strict=True):
                    # The time of this process, whatever else the machine is doing.
                    start = time.process_time()
                    found = judged(frame, table.empty, true)
                    seconds += time.process_time() - start
                    count += 1
                    rows[kind][name].append(found)
    for kind, classes in rows.items():
        report(kind, classes, len(seeds))
    print(f"{count / seconds:.1f} pictures of 256×256 a second of one core")


def through_video(frames: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "turn.mp4"
        write_video(file, frames)
        return [frame.picture for frame in read_video(file)]


def judged(
    frame: NDArray[np.uint8], empty: NDArray[np.uint8], true: BoxArray
) -> tuple[float, float]:
    """IoU with the true box, and the score; both 0 where nothing was found."""
    found = next(iter(find_on_stand(frame, empty)), None)
    if found is None:
        return 0.0, 0.0
    return float(iou(found.box[None], true[None])[0, 0]), found.score


def report(kind: str, classes: dict[str, list[tuple[float, float]]], seeds: int) -> None:
    means = {name: float(np.mean([row[0] for row in found])) for name, found in classes.items()}
    worst = min(means, key=lambda name: means[name])
    overlaps, scores = np.array([row for found in classes.values() for row in found]).T
    sure = overlaps[scores >= SURE]
    print(f"{kind}: {seeds} seeds × {len(classes)} classes × {FRAMES} frames")
    print("  " + ", ".join(f"{name} {mean:.3f}" for name, mean in means.items()))
    print(f"  mean IoU {np.mean(list(means.values())):.3f}; worst class {worst} {means[worst]:.3f}")
    print(f"  below 0.7: {(overlaps < 0.7).mean():.1%}; nothing found: {(scores == 0).mean():.1%}")
    print(
        f"  score of {SURE} or more: {len(sure) / len(scores):.0%} of the frames, mean IoU "
        f"{sure.mean():.3f}, least {sure.min():.2f}, below 0.7: {(sure < 0.7).mean():.2%}"
    )


def frame_speed(video: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        (done,) = write_frames([video], Path(folder) / "frames")
        speed = frames_per_second([done], start)
    print(f"{video.name}: {len(done.written)} of {done.read} frames, {speed:.0f} read a second")


if __name__ == "__main__":
    main()
