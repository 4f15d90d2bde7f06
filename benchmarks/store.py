"""The studio's store at size: 100,000 pictures with 500,000 boxes.

    python benchmarks/store.py [PICTURES] [BOXES] [FOLDER]

Makes a COCO set of small pictures (one file, under many names), takes it in, opens it again, and
times what a person waits for. Prints a table; asserts nothing.
"""

import json
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from viewfinder.datasets.opening import read_boxes
from viewfinder.pictures.writing import write_picture
from viewfinder.studio.store import Filter, MergeClass, Operation, PutBox, SetState, open_store


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


def timed(name, work, *, times=1):
    """Print how long `work` takes: once, or the median and the 95th of a hundred."""
    spent = []
    for number in range(times):
        start = time.perf_counter()
        result = work(number)
        spent.append((time.perf_counter() - start) * 1000)
    middle, late = np.percentile(spent, [50, 95])
    said = f"{middle:,.1f} ms" + (f", 95 % within {late:,.1f} ms" if times > 1 else "")
    print(f"| {name} | {said} |", flush=True)
    return result


def main() -> None:
    pictures, boxes = (int(word) for word in (sys.argv[1:3] or ("100000", "500000")))
    with tempfile.TemporaryDirectory(dir=sys.argv[3] if len(sys.argv) > 3 else None) as folder:
        root = make(Path(folder), pictures, boxes)
        print(f"{pictures:,} pictures, {boxes:,} boxes\n\n| what | time |\n|---|---|")
        measure(root, pictures)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| memory, most, with making the set | {peak:,.0f} MB |")


def measure(root: Path, pictures: int) -> None:
    start = time.perf_counter()
    store = open_store(root)
    while not store.pictures(count=1).total:
        time.sleep(0.01)
    print(f"| first picture listed | {(time.perf_counter() - start) * 1000:,.0f} ms |", flush=True)
    store.wait()
    print(f"| everything taken in | {time.perf_counter() - start:,.1f} s |", flush=True)
    store.close()
    size = (root / ".viewfinder" / "labels.db").stat().st_size / 1e6
    print(f"| size on disk | {size:,.0f} MB |")

    def again(_):
        with open_store(root) as opened:
            return opened.pictures(count=100).total

    timed("opened again, first page", again)
    with open_store(root) as store:
        ids = [each.id for each in store.classes()]
        timed("one picture", lambda n: store.picture(1 + n * 37 % pictures), times=100)
        timed("next to do", lambda n: store.next_picture(1 + n, Filter(state="todo")), times=100)
        timed("a page in the middle", lambda n: store.pictures(start=pictures // 2 + n), times=20)
        timed("a page of one class", lambda n: store.pictures(Filter(label=ids[n % 10])), times=10)
        timed("counts", lambda n: store.counts(), times=5)
        timed("an edit acknowledged", lambda n: store.apply(
            Operation(f"o{n}", (PutBox(f"n{n}", 1 + n, ids[0], (0, 0, 9, 9), 0),
                                SetState(1 + n, "done", 1)), "ann")), times=300)  # fmt: skip
        timed("undo", lambda n: store.undo(f"u{n}", "ann"), times=100)
        timed("merge of a class", lambda n: store.apply(
            Operation("merge", (MergeClass(ids[1], ids[2], 1),), "ann")))  # fmt: skip
        timed("restore to the beginning", lambda n: store.restore("back", 0, "ann"))
        timed("look at the disk", lambda n: store.look_at_disk())
        timed("a backup", lambda n: store.backup(root.parent / "copy.db"))
    timed("read by train (read_boxes)", lambda n: read_boxes(root))


if __name__ == "__main__":
    main()
