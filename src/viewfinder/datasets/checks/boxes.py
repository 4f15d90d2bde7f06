"""Every fault of a set of boxes, each with its file and a fix; `checks` does sets of classes."""

import shlex
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from viewfinder.datasets.boxes import finite, no_size
from viewfinder.datasets.checks.duplicates import duplicates
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.measuring import Fitting, fitting
from viewfinder.datasets.splits import TRAIN
from viewfinder.datasets.tidying import ROUNDING, box_limits
from viewfinder.errors import InputError
from viewfinder.events import track
from viewfinder.pictures.reading import look_at_picture
from viewfinder.wording import counted, some


def check_boxes(dataset: Dataset) -> list[Fault]:
    """Open every picture and look at every box, as the files have them.

    Args:
        dataset: what `read_boxes` gives, which fixes nothing by itself.
    """
    how = fitting(dataset)
    assert dataset.sizes is not None
    # What was marked on a picture of another size or turned is looked at as it was marked.
    stated = (dataset.sizes > 0).all(1, keepdims=True) & (dataset.layout != "YOLO")
    seen = replace(
        dataset, sizes=np.where(stated & ~how.restated, dataset.sizes, how.measures.sizes)
    )
    return [
        *dataset.faults,
        *_picture_faults(dataset),
        *_size_faults(dataset, how),
        *_box_faults(seen),
        *_class_faults(dataset),
    ]


@dataclass(frozen=True)
class _Look:
    """What a picture's file is found to be; `trouble` says why it cannot be read."""

    digest: str = ""
    trouble: str = ""
    missing: bool = False


def _look(dataset: Dataset, index: int) -> _Look:
    file = dataset.file(index)
    if not file.exists():
        return _Look(trouble="the labels name this picture, and it is not there", missing=True)
    try:
        digest, _ = look_at_picture(file, name=dataset.paths[index])
    except (InputError, OSError) as error:
        return _Look(trouble=str(error))
    return _Look(digest)


def _picture_faults(dataset: Dataset) -> Iterator[Fault]:
    """Pictures missing, unreadable, of another size than the labels say, or there twice."""
    same: dict[str, list[int]] = defaultdict(list)
    # OpenCV decodes outside Python's lock, so threads use every core.
    with ThreadPoolExecutor() as pool:
        looks = pool.map(lambda index: _look(dataset, index), range(len(dataset)))
        bar = track(looks, total=len(dataset), description="reading pictures")
        for index, look in enumerate(bar):
            path = dataset.paths[index]
            if look.missing:
                yield Fault("missing", path, look.trouble, "bring it back, or remove its labels")
            elif look.trouble:
                yield Fault("unreadable", path, look.trouble, "replace the file, or remove it")
            else:
                same[look.digest].append(index)
    yield from duplicates(dataset, same.values())


def _size_faults(dataset: Dataset, how: Fitting) -> Iterator[Fault]:
    """Pictures that are not as they were when their boxes were marked."""
    assert dataset.sizes is not None
    groups = (
        (how.turned, "marked as stored, before EXIF turns them", "reading turns their boxes too"),
        (how.scaled, "scaled since they were labelled", "reading scales their boxes too"),
    )
    for chosen, detail, fix in groups:
        if names := [dataset.paths[index] for index in np.flatnonzero(chosen).tolist()]:
            fix += ", and `viewfinder convert` writes them so"
            yield Fault("size", some(names), f"{counted(len(names), 'picture')} {detail}", fix)
    for index in np.flatnonzero(how.misshapen).tolist():
        stated, size = dataset.sizes[index].tolist(), how.measures.sizes[index].tolist()
        detail = f"the labels say {stated[0]}×{stated[1]}, the picture is {size[0]}×{size[1]}"
        fix = "it was cut or turned after it was labelled, and is left out: put the first one back"
        yield Fault("size", dataset.paths[index], detail, fix)
    if names := [dataset.paths[index] for index in np.flatnonzero(how.unsure).tolist()]:
        detail = (
            f"{counted(len(names), 'picture')} that EXIF turns, and nothing says whether boxes were"
            " marked before or after: LabelImg, VoTT, Yolo_mark and Darknet mark them unturned"
        )
        fix = "look at one; if boxes are off, `viewfinder convert` with --stored turns them"
        yield Fault("turned", some(names), detail, fix)


def _box_faults(dataset: Dataset) -> Iterator[Fault]:
    """Boxes that hold nothing, lie outside, have no class, or stand there twice."""
    boxes, sizes = dataset.boxes, dataset.sizes
    assert boxes is not None
    assert sizes is not None
    corners, limits = boxes.corners, box_limits(boxes, sizes)
    known = finite(corners)
    # YOLO's shares of a picture that cannot be measured are no pixels; that is told of the picture.
    endless = ~known & np.asarray((sizes > 0).all(1))[boxes.pictures()]
    x1, y1, x2, y2 = corners.T
    inverted = known & ((x2 < x1) | (y2 < y1))
    empty = known & ~inverted & no_size(corners)
    whole = known & ~inverted & ~empty
    over = whole & ((corners < -ROUNDING) | (corners > limits + ROUNDING)).any(1)
    away = over & no_size(np.clip(corners, 0, limits))
    found = [
        ("unknown-class", boxes.classes < 0, "has a class that the set does not name", "name it"),
        (
            "not-finite",
            endless,
            "has a coordinate that is no finite number",
            "draw it again",
        ),
        ("inverted", inverted, "ends before it begins", "exchange its corners"),
        ("zero-size", empty, "has no width or no height", "remove it, or draw it again"),
        ("outside", away, "lies outside the picture", "remove it, or draw it again"),
        ("outside", over & ~away, "reaches outside the picture", "reading clips it; fix the file"),
        ("duplicate-box", _repeated(dataset), "is there twice, to the last digit", "remove one"),
    ]
    pictures = boxes.pictures()
    for kind, wrong, detail, fix in found:
        for row in np.flatnonzero(wrong).tolist():
            where = int(pictures[row])
            # Of a picture that cannot be measured, shares of it are no pixels.
            at = ", ".join(f"{value:.6g}" for value in corners[row].tolist())
            at = f" ({at})" if known[row] or kind == "not-finite" else ""
            label = int(boxes.classes[row])
            name = f" of {dataset.classes[label]}" if label >= 0 else ""
            place = row - boxes.of(where).start + 1
            size = f" of {sizes[where][0]}×{sizes[where][1]}" if kind == "outside" else ""
            says = f"its box {place}{name}{at} {detail}{size}"
            yield Fault(kind, dataset.paths[where], says, fix)


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
    yield from _similar_names(dataset.classes)
    for index, (name, count) in enumerate(dataset.counts().items()):
        if not count:
            fix = "label some, or take the class out with `viewfinder classes`"
            yield Fault("no-boxes", name, "no box is of this class", fix)
        elif in_train.any() and index not in taught:
            detail = f"it has {counted(count, 'box')}, none of them to train on"
            yield Fault("not-in-train", name, detail, f"add pictures of {name} to the split train")


def _similar_names(classes: Sequence[str]) -> Iterator[Fault]:
    """Classes whose names differ in case, accents or the signs between words alone."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name in classes:
        plain = unicodedata.normalize("NFKD", name).casefold()
        alike["".join(sign for sign in plain if sign.isalnum()) or name].append(name)
    for names in alike.values():
        if len(names) > 1:
            listed = ", ".join(map(repr, names))
            detail = f"the classes {listed} differ in case, accents or spaces alone"
            merge = shlex.join(["merge", *names, names[0]])
            fix = f"if they are one: `viewfinder classes DATA {merge}`"
            yield Fault("similar-classes", names[0], detail, fix)
