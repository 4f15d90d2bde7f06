"""How well a click finds an object, and how many clicks it takes, beside drawing its box.

    uv run python benchmarks/click_outlines.py ../shared/data/bccd     BCCD's boxes too; minutes
    uv run python benchmarks/click_outlines.py --count 100             of rendered scenes alone

The first click is at the middle of the box. Where the outline is known (rendered scenes, every
object that shows at least half of itself within its box), each further click is at the middle of
the largest mistake, as is usual for interactive segmentation; where boxes alone are known, it is
halfway between the outermost point that is missing and the middle, or just beyond the box on the
side that goes too far. Drawing is 1.5 actions a box: a drag, and a class's key for half of them.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.opening import open_dataset
from viewfinder.labelling.outlining import Outlined, Stroke, outline
from viewfinder.pictures.geometry import iou
from viewfinder.pictures.reading import read_picture
from viewfinder.tabletop import SceneOptions
from viewfinder.tabletop.scenes import render_scene

ENOUGH, MOST = 0.8, 5
DRAWING = 1.5
SMALLEST = 12
Picture = NDArray[np.uint8]
Next = Callable[[Outlined], tuple[float, Stroke]]
"""Of what was found: how good it is, and the click that follows."""


def main() -> None:
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("boxes", nargs="*", type=Path, help="sets of boxes")
    parser.add_argument("--count", type=int, default=300, help="objects of each set")
    parser.add_argument("--size", type=int, default=256, help="side of rendered scenes")
    given = parser.parse_args()
    print("set                  objects  IoU  >=.5  >=.7  >=.8  clicks to .8 (never)  ms p50 p95")
    report(f"scenes {given.size}, masks", rendered(given.size), given.count)
    for folder in given.boxes:
        report(folder.name + ", boxes", boxed(folder), given.count)


def rendered(size: int) -> Iterator[tuple[Picture, tuple[float, float], Next]]:
    index = 0
    while True:
        scene = render_scene(seed=77, index=index, options=SceneOptions(size=size))
        index += 1
        assert scene.instances is not None
        assert scene.boxes is not None
        for number in range(len(scene.boxes)):
            truth = scene.instances == number + 1
            x1, y1, x2, y2 = scene.boxes[number].tolist()
            if min(x2 - x1, y2 - y1) < SMALLEST:
                continue
            middle = (x1 + x2) / 2, (y1 + y2) / 2
            if truth[int(middle[1]), int(middle[0])]:
                yield scene.picture, middle, by_mask(truth)


def by_mask(truth: NDArray[np.bool_]) -> Next:
    def next_click(found: Outlined) -> tuple[float, Stroke]:
        mask = found.mask
        good = float((mask & truth).sum() / (mask | truth).sum())
        deepest, where, adds = 0.0, (0, 0), True
        for wrong, adding in ((truth & ~mask, True), (mask & ~truth, False)):
            depth = cv2.distanceTransform(np.pad(wrong.astype(np.uint8), 1), cv2.DIST_L2, 5)
            y, x = np.unravel_index(int(depth.argmax()), depth.shape)
            if depth[y, x] > deepest:
                deepest, where, adds = float(depth[y, x]), (int(x) - 1, int(y) - 1), adding
        return good, Stroke(((where[0] + 0.5, where[1] + 0.5),), adds)

    return next_click


def boxed(folder: Path) -> Iterator[tuple[Picture, tuple[float, float], Next]]:
    dataset = open_dataset(folder)
    assert dataset.boxes is not None
    random = np.random.default_rng(0)
    for number in random.permutation(len(dataset)).tolist():
        rows = dataset.boxes.corners[dataset.boxes.of(number)]
        if not len(rows):
            continue
        picture = read_picture(dataset.file(number))
        for row in random.permutation(len(rows))[:3]:
            x1, y1, x2, y2 = rows[row].tolist()
            if min(x2 - x1, y2 - y1) >= SMALLEST:
                yield picture, ((x1 + x2) / 2, (y1 + y2) / 2), by_box((x1, y1, x2, y2))


def by_box(box: tuple[float, float, float, float]) -> Next:
    truth = np.array([box], np.float32)
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2

    def next_click(found: Outlined) -> tuple[float, Stroke]:
        good = float(iou(np.array([found.box], np.float32), truth)[0, 0])
        # By how much each side goes too far; the worst is mended.
        beyond = np.array([-1, -1, 1, 1]) * (np.array(found.box) - truth[0])
        side = int(np.abs(beyond).argmax())
        point = list(middle)
        if beyond[side] > 0:
            point[side % 2] = box[side] + (-2.0, -2.0, 2.0, 2.0)[side]
        else:
            point[side % 2] = middle[side % 2] + 0.9 * (box[side] - middle[side % 2])
        return good, Stroke((tuple(point),), bool(beyond[side] <= 0))  # type: ignore[arg-type]

    return next_click


def report(
    name: str, objects: Iterator[tuple[Picture, tuple[float, float], Next]], count: int
) -> None:
    first, clicks, seconds = [], [], []
    for (picture, middle, next_click), _ in zip(objects, range(count), strict=False):
        strokes, needed = [Stroke((middle,))], MOST + 1
        for number in range(1, MOST + 1):
            start = time.thread_time()
            found = outline(picture, strokes)
            seconds.append(time.thread_time() - start)
            good, click = next_click(found)
            if number == 1:
                first.append(good)
            if good >= ENOUGH:
                needed = number
                break
            strokes.append(click)
        clicks.append(needed)
    one, needed_clicks = np.array(first), np.array(clicks)
    reached = needed_clicks <= MOST
    shares = "  ".join(f"{(one >= least).mean():.2f}" for least in (0.5, 0.7, 0.8))
    mean = needed_clicks[reached].mean() if reached.any() else np.nan
    p50, p95 = np.percentile(np.array(seconds) * 1000, [50, 95])
    print(
        f"{name:<20} {len(one):>7} {one.mean():.2f}  {shares}  {mean:.2f} ({(~reached).mean():.0%})"
        f"  {p50:.0f} {p95:.0f}",
        flush=True,
    )
    # A click and a key that keeps it; where that is not enough, the box is drawn after all.
    ways = [2 + DRAWING * float((one < least).mean()) for least in (0.7, 0.8)]
    print(
        f"  actions a box, a click and a key, and drawn where that fails: {ways[0]:.2f} at 0.7, "
        f"{ways[1]:.2f} at 0.8; drawing alone {DRAWING}, which gives no outline",
        flush=True,
    )


if __name__ == "__main__":
    main()
