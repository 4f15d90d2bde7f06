"""A COCO set of any size: one small picture under many names."""

import json
import os
import shutil
from pathlib import Path

import numpy as np

from viewfinder.pictures.writing import write_picture


def make(folder: Path, pictures: int, boxes: int) -> Path:
    """A COCO set of `pictures` names for one picture, with `boxes` boxes of ten classes."""
    root = folder / "set"
    first = root / "images" / "000000.png"
    random = np.random.default_rng(0)
    write_picture(first, random.integers(0, 256, (48, 64, 3)).astype(np.uint8))
    names = [f"images/{number:06}.png" for number in range(pictures)]
    for number, name in enumerate(names[1:]):
        # A file has as many names as 65,000 on some disks.
        if number % 20_000 == 19_999:
            shutil.copyfile(first, root / name)
            first = root / name
        else:
            os.link(first, root / name)
    corners = random.uniform(0, 30, (boxes, 2)).round(2).tolist()
    document = {
        "images": [
            {"id": n + 1, "file_name": name, "width": 64, "height": 48}
            for n, name in enumerate(names)
        ],
        "categories": [{"id": n + 1, "name": f"class {n}"} for n in range(10)],
        "annotations": [
            {"id": n + 1, "image_id": n % pictures + 1, "category_id": n % 10 + 1,
             "bbox": [x, y, 12.5, 10.25]}
            for n, (x, y) in enumerate(corners)
        ],
    }  # fmt: skip
    (root / "annotations.json").write_text(json.dumps(document))
    return root
