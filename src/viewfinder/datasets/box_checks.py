"""Every fault of a set of boxes, each with its file and a mend; `checks` does sets of classes."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from viewfinder.console import track
from viewfinder.datasets.boxes import no_size
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.faults import Fault, duplicates
from viewfinder.datasets.splits import TRAIN
from viewfinder.datasets.tidying import ROUNDING, box_limits
from viewfinder.datasets.yolo import label_file
from viewfinder.errors import InputError
from viewfinder.pictures.reading import decode_picture


def check_boxes(dataset: Dataset) -> list[Fault]:
    """Open every picture and look at every box, as the files have them.

    Args:
        dataset: what `read_boxes` gives, which mends nothing by itself.
    """
    return [
        *_picture_faults(dataset),
        *_labels_alone(dataset),
        *_box_faults(dataset),
        *_class_faults(dataset),
    ]


@dataclass(frozen=True)
class _Look:
    """What a picture's file is found to be; `trouble` says why it cannot be read."""

    digest: str = ""
    size: tuple[int, int] = (0, 0)
    trouble: str = ""
    missing: bool = False


def _look(dataset: Dataset, index: int) -> _Look:
    try:
        data = dataset.file(index).read_bytes()
        height, width = decode_picture(data, name=dataset.paths[index]).shape[:2]
    except FileNotFoundError:
        return _Look(trouble="the labels name this picture, and it is not there", missing=True)
    except (InputError, OSError) as error:
        return _Look(trouble=str(error))
    return _Look(hashlib.sha256(data).hexdigest(), (width, height))


def _picture_faults(dataset: Dataset) -> Iterator[Fault]:
    """Pictures missing, unreadable, of another size than the labels say, or there twice."""
    assert dataset.sizes is not None
    same: dict[str, list[int]] = defaultdict(list)
    # OpenCV decodes outside Python's lock, so threads use every core.
    with ThreadPoolExecutor() as pool:
        looks = pool.map(lambda index: _look(dataset, index), range(len(dataset)))
        bar = track(looks, total=len(dataset), description="reading pictures")
        for index, look in enumerate(bar):
            path, stated = dataset.paths[index], tuple(dataset.sizes[index].tolist())
            if look.missing:
                yield Fault("missing", path, look.trouble, "bring it back, or remove its labels")
            elif look.trouble:
                yield Fault("unreadable", path, look.trouble, "replace the file, or remove it")
            else:
                same[look.digest].append(index)
                if 0 not in stated and look.size != stated:
                    yield _another_size(path, stated, look.size)
    yield from duplicates(dataset, same.values())


def _another_size(path: str, stated: tuple[int, ...], size: tuple[int, int]) -> Fault:
    says = f"the labels say {stated[0]}×{stated[1]}, the picture is {size[0]}×{size[1]}"
    if stated == size[::-1]:
        mend = "it was turned after it was labelled: export its labels again, or turn it back"
    else:
        mend = "it was scaled or cut after it was labelled: put the first picture back"
    return Fault("size", path, says, mend)


def _labels_alone(dataset: Dataset) -> Iterator[Fault]:
    """YOLO's files of labels whose picture is not there; other formats name the picture."""
    if dataset.layout != "YOLO":
        return
    known = {label_file(dataset.root, path) for path in dataset.paths}
    for file in sorted((dataset.root / "labels").rglob("*.txt")):
        if file not in known and file.name != "classes.txt":
            name = file.relative_to(dataset.root).as_posix()
            detail = "these labels belong to no picture of the set"
            yield Fault("missing", name, detail, "bring the picture back, or remove the file")


def _box_faults(dataset: Dataset) -> Iterator[Fault]:
    """Boxes that hold nothing, lie outside, have no class, or stand there twice."""
    boxes, sizes = dataset.boxes, dataset.sizes
    assert boxes is not None
    assert sizes is not None
    corners, limits = boxes.corners, box_limits(boxes, sizes)
    finite = np.isfinite(corners).all(1)
    x1, y1, x2, y2 = corners.T
    inverted = finite & ((x2 < x1) | (y2 < y1))
    empty = finite & ~inverted & no_size(corners)
    whole = finite & ~inverted & ~empty
    over = whole & ((corners < -ROUNDING) | (corners > limits + ROUNDING)).any(1)
    away = over & no_size(np.clip(corners, 0, limits))
    found = [
        ("unknown-class", boxes.classes < 0, "has a class that the set does not name", "name it"),
        ("not-finite", ~finite, "has a coordinate that is no finite number", "draw it again"),
        ("inverted", inverted, "ends before it begins", "exchange its corners"),
        ("zero-size", empty, "has no width or no height", "remove it, or draw it again"),
        ("outside", away, "lies outside the picture", "remove it, or draw it again"),
        ("outside", over & ~away, "reaches outside the picture", "reading clips it; mend the file"),
        ("duplicate-box", _repeated(dataset), "is there twice, to the last digit", "remove one"),
    ]
    pictures = boxes.pictures()
    for kind, wrong, detail, mend in found:
        for row in np.flatnonzero(wrong).tolist():
            where = int(pictures[row])
            box = ", ".join(f"{value:.6g}" for value in corners[row].tolist())
            label = int(boxes.classes[row])
            name = f" of {dataset.classes[label]}" if label >= 0 else ""
            place = row - boxes.of(where).start + 1
            size = f" of {sizes[where][0]}×{sizes[where][1]}" if kind == "outside" else ""
            says = f"its box {place}{name} ({box}) {detail}{size}"
            yield Fault(kind, dataset.paths[where], says, mend)


def _repeated(dataset: Dataset) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """M bool: boxes equal to an earlier one of the same picture and class."""
    boxes = dataset.boxes
    assert boxes is not None
    columns = [boxes.pictures(), boxes.classes, *boxes.corners.T]
    order = np.lexsort(columns[::-1])
    rows = np.stack(columns, axis=1)[order]
    repeated = np.zeros(len(boxes), np.bool_)
    # The sort is stable: of equal boxes the first stays first.
    repeated[order[1:]] = (rows[1:] == rows[:-1]).all(1)
    return repeated


def _class_faults(dataset: Dataset) -> Iterator[Fault]:
    """Classes that nothing can be learnt of."""
    boxes = dataset.boxes
    assert boxes is not None
    in_train = (dataset.splits == TRAIN)[boxes.pictures()]
    taught = set(boxes.classes[in_train].tolist())
    for index, (name, count) in enumerate(dataset.counts().items()):
        if not count:
            mend = "label some, or take the class out with `viewfinder classes`"
            yield Fault("no-boxes", name, f"no box is of the class {name}", mend)
        elif in_train.any() and index not in taught:
            detail = f"{name} has {count} boxes, none of them to train on"
            yield Fault("not-in-train", name, detail, f"add pictures of {name} to the side train")
