"""Small objects in large pictures: AP50 and time in tiles, beside pictures that are shrunk whole.

    uv run python benchmarks/large_pictures.py RUN DATA [RUN DATA …]
    uv run python benchmarks/large_pictures.py RUN DATA [RUN DATA …] --train 4

Pictures of 2,560 × 2,048 are composed of the pictures of every DATA, each as large as its RUN's net
sees it, side by side in random order: so the objects are as large as the runs know them, and an
eighth of that where the whole is shrunk. Of a set with sides, val's pictures make those to be
scored and train's those to learn; of another, its pictures in turn. Each RUN is scored on the boxes
of its own classes. COCO counts 100 objects of a class in a picture, so --most of the 64 places are
given to each DATA, and the rest to the last. With --train, a net is trained for so many minutes, in
the tiles that it takes by itself and with --tiles none.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from viewfinder.api import Run, open_run, train
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.opening import open_dataset
from viewfinder.inference.tiling import WantedTiles
from viewfinder.pictures.geometry import letterbox, stretch, transform_boxes
from viewfinder.pictures.resampling import resample
from viewfinder.pictures.writing import write_picture
from viewfinder.values import as_number

CANVAS = (2560, 2048)


def parts_of(data: Dataset, cell: tuple[int, int]) -> list[tuple[np.ndarray, np.ndarray, list]]:
    """Each picture letterboxed to a cell, with its boxes and the names of their classes."""
    assert data.boxes is not None, "a set of boxes"
    found = []
    for index in range(len(data)):
        picture = data.picture(index)
        of = (picture.shape[1], picture.shape[0])
        rows = data.boxes.of(index)
        names = [data.classes[label] for label in data.boxes.classes[rows]]
        matrix = letterbox(of, cell) @ stretch(of, of)
        boxes = transform_boxes(matrix, data.boxes.corners[rows])
        found.append((resample(picture, matrix, cell, fill=114), boxes, names))
    return found


def side_of(data: Dataset, side: str) -> Dataset:
    if data.has_split("val"):
        return data.split(side)
    return data.select(np.arange(side == "train", len(data), 2))


def compose(root: Path, side: str, sets: list[list], cell, count: int, most: int) -> None:
    """So many composed pictures as a COCO set's side."""
    random = np.random.default_rng(0 if side == "val" else 1)
    columns, rows = CANVAS[0] // cell[0], CANVAS[1] // cell[1]
    classes = sorted({name for parts in sets for _, _, names in parts for name in names})
    images, annotations = [], []
    for number in range(1, count + 1):
        canvas = np.full((CANVAS[1], CANVAS[0], 3), 114, np.uint8)
        last = columns * rows - most * (len(sets) - 1)
        chosen = np.repeat(np.arange(len(sets)), [most] * (len(sets) - 1) + [last])
        for place, which in enumerate(random.permutation(chosen).tolist()):
            picture, boxes, names = sets[which][random.integers(len(sets[which]))]
            x, y = place % columns * cell[0], place // columns * cell[1]
            canvas[y : y + cell[1], x : x + cell[0]] = picture
            for (x1, y1, x2, y2), name in zip(boxes.tolist(), names, strict=True):
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": number,
                        "category_id": classes.index(name) + 1,
                        "bbox": [x + x1, y + y1, x2 - x1, y2 - y1],
                        "area": (x2 - x1) * (y2 - y1),
                        "iscrowd": 0,
                    }
                )
        name = f"{side}-{number}.jpg"
        write_picture(root / side / name, canvas)
        images.append({"id": number, "file_name": name, "width": CANVAS[0], "height": CANVAS[1]})
    categories = [{"id": i, "name": name} for i, name in enumerate(classes, start=1)]
    document = {"images": images, "annotations": annotations, "categories": categories}
    file = root / "annotations" / f"instances_{side}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document), encoding="utf-8")


def only(root: Path, classes: tuple[str, ...], new: Path) -> Path:
    """The same val pictures with the boxes of some classes alone."""
    document = json.loads((root / "annotations" / "instances_val.json").read_text())
    kept = {c["id"] for c in document["categories"] if c["name"] in classes}
    for key, wanted in (("annotations", "category_id"), ("categories", "id")):
        document[key] = [each for each in document[key] if each[wanted] in kept]
    (new / "annotations").mkdir(parents=True)
    (new / "val").symlink_to(root / "val")
    (new / "annotations" / "instances_val.json").write_text(json.dumps(document))
    return new


def tell(name: str, run: Run, data: Path, tiles: WantedTiles, overlap: float | None) -> None:
    start = time.perf_counter()
    judged = run.evaluate(data, split="val", tiles=tiles, overlap=overlap)
    ap50, ap = (as_number(dict(judged)[name]) for name in ("ap50", "ap"))
    pixels = judged["images"] * CANVAS[0] * CANVAS[1] / 1e6
    seconds = time.perf_counter() - start
    how = "whole" if tiles == "none" else f"tiles {tiles or 'as learnt'}, overlap {overlap or 0.2}"
    print(
        f"{name:24s} {how:28s} AP50 {ap50:.3f}  AP {ap:.3f}  {seconds / pixels:.2f} s/megapixel",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("given", nargs="+")
    parser.add_argument("--pictures", type=int, default=6)
    parser.add_argument("--most", type=int, default=7)
    parser.add_argument("--train", type=float)
    parser.add_argument("--overlaps", type=float, nargs="*", default=[0.2])
    given = parser.parse_args()
    runs = [open_run(path) for path in given.given[::2]]
    data = [open_dataset(path) for path in given.given[1::2]]
    cell = tuple(max(run.model.config.size[axis] for run in runs) for axis in (0, 1))
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "large"
        for side in ("val", "train"):
            if side == "train" and given.train is None:
                break
            sides = [side_of(each, side) for each in data]
            count = given.pictures if side == "val" else 4 * given.pictures
            compose(root, side, [parts_of(each, cell) for each in sides], cell, count, given.most)
        for number, run in enumerate(runs):
            known = only(root, run.classes, Path(place) / str(number))
            tell(run.folder.name, run, known, "none", None)
            for overlap in given.overlaps:
                tell(run.folder.name, run, known, max(cell), overlap)
        if given.train is not None:
            for tiles in ("auto", "none"):
                recipe = {"minutes": given.train, "size": max(cell), "tiles": tiles}
                run = train("detect", root, out=Path(place) / f"run-{tiles}", **recipe)
                tell(f"trained, --tiles {tiles}", run, root, None, None)


if __name__ == "__main__":
    main()
