"""The studio's store at size: 100,000 pictures with 500,000 boxes.

    python benchmarks/store.py [PICTURES] [BOXES] [FOLDER]

Makes a COCO set of small pictures (one file, under many names), takes it in, opens it again, and
times what a person waits for. Prints a table; asserts nothing.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from large_set import make

from viewfinder.datasets.opening import read_boxes
from viewfinder.studio.store import Filter, MergeClass, Operation, PutBox, SetState, open_store


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
