"""One small set of boxes, written as many tools write such sets, for the tests to read back."""

import json
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 40, 20
NAMES = ("red", "blue")
# Of each picture the class and the corners of its boxes.
TRUTH = {
    "0": [(0, (4, 2, 14, 12)), (1, (20, 5, 36, 15))],
    "1": [(1, (0, 0, 30, 18))],
    "2": [(0, (10, 10, 40, 20))],
    "3": [(0, (2, 3, 12, 9)), (0, (22, 3, 32, 9))],
}


def picture(path: Path, *, size: tuple[int, int] = (WIDTH, HEIGHT), turned: int = 1) -> None:
    """A picture like no other; `turned` is the EXIF orientation that its file states."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = sum(map(ord, path.stem)) + 7
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = turned
    kind = "PNG" if path.suffix.lower() == ".png" else "JPEG"
    Image.fromarray(pixels).save(path, kind, exif=exif)


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def yolo_lines(stem: str) -> str:
    lines = []
    for label, (x1, y1, x2, y2) in TRUTH[stem]:
        x, y, w, h = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
        lines.append(f"{label} {x / WIDTH} {y / HEIGHT} {w / WIDTH} {h / HEIGHT}\n")
    return "".join(lines)


def voc_page(stem: str, filename: str | None = None, *, zero: bool = False) -> str:
    objects = "".join(
        f"<object><name>{NAMES[label]}</name><bndbox><xmin>{x1 + 1 - zero}</xmin>"
        f"<ymin>{y1 + 1 - zero}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
        for label, (x1, y1, x2, y2) in TRUTH[stem]
    )
    return (
        f"<annotation><filename>{filename or stem + '.jpg'}</filename><size>"
        f"<width>{WIDTH}</width><height>{HEIGHT}</height></size>{objects}</annotation>"
    )


def coco_document(
    names: dict[str, str], *, first: int = 1, only: int | None = None
) -> dict[str, list[dict[str, object]]]:
    """COCO of pictures by stem and file name; numbers count from `first`; `only` one class."""
    images, annotations = [], []
    for number, (stem, name) in enumerate(names.items(), first):
        images.append({"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT})
        for label, (x1, y1, x2, y2) in TRUTH[stem]:
            if only is None or label == only:
                annotations.append(
                    {
                        "id": first + len(annotations),
                        "image_id": number,
                        "category_id": label + 1,
                        "bbox": [x1, y1, x2 - x1, y2 - y1],
                    }
                )
    categories: list[dict[str, object]] = [
        {"id": i, "name": name} for i, name in enumerate(NAMES, 1)
    ]
    return {"images": images, "annotations": annotations, "categories": categories}


def coco(path: Path, names: dict[str, str], **options: int) -> None:
    text(path, json.dumps(coco_document(names, **options)))


def said(dataset) -> dict[str, list[tuple[str, tuple[float, ...]]]]:
    """What a set says of each picture, by its stem; boxes by class and place."""
    told = {}
    for index, path in enumerate(dataset.paths):
        rows = dataset.boxes.of(index)
        labels = [dataset.classes[label] for label in dataset.boxes.classes[rows]]
        corners = [tuple(np.round(box, 4).tolist()) for box in dataset.boxes.corners[rows]]
        told[PurePosixPath(path).stem] = sorted(zip(labels, corners, strict=True))
    return told


def truth(*stems: str) -> dict[str, list[tuple[str, tuple[float, ...]]]]:
    return {
        stem: sorted((NAMES[label], tuple(map(float, box))) for label, box in TRUTH[stem])
        for stem in stems or TRUTH
    }
