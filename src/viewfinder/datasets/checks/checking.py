"""Every fault of a dataset, each with its file and a way to fix it.

`checks.boxes` does sets of boxes, and `checks.rgbd` those of masks.
"""

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from viewfinder.datasets.bit_depth import with_bits_found
from viewfinder.datasets.checks.boxes import check_boxes
from viewfinder.datasets.checks.duplicates import duplicates
from viewfinder.datasets.checks.rgbd import check_saliency
from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.formats.box_labels import has_boxes
from viewfinder.datasets.formats.class_folders.layouts import alike_classes, passed_over, some_of
from viewfinder.datasets.formats.class_folders.reading import empty_class_folders
from viewfinder.datasets.formats.label_server import server_of
from viewfinder.datasets.formats.label_store import store_file
from viewfinder.datasets.formats.other_tools import refuse_other_tools
from viewfinder.datasets.formats.stored_dataset import LAYOUT
from viewfinder.datasets.formats.stored_rows import LEFT_OUT
from viewfinder.datasets.opening import open_dataset, read_box_files, read_boxes
from viewfinder.datasets.splits import TRAIN
from viewfinder.datasets.survey import survey
from viewfinder.errors import InputError
from viewfinder.events import track
from viewfinder.pictures.finding import pictures_below
from viewfinder.pictures.reading import look_at_picture
from viewfinder.wording import counted

# A class with fewer than this share of the largest class's pictures is called unbalanced.
_IMBALANCE = 0.1


def is_unbalanced(count: int, largest: int) -> bool:
    """Whether a class of `count` training pictures has far fewer than the largest one."""
    return 0 < count < _IMBALANCE * largest


def check(source: str | Path) -> tuple[Dataset, list[Fault]]:
    """Read a set of any layout whole, every picture too, and find all that can be wrong with it.

    Args:
        source: as `open_dataset` takes it.

    Raises:
        InputError: there is no set to be read.
    """
    boxes = _with_faults_of_now(source, read_boxes(source))
    dataset = with_bits_found(open_dataset(source) if boxes is None else boxes)
    return dataset, check_dataset(dataset) if boxes is None else check_boxes(dataset)


def _with_faults_of_now(source: str | Path, boxes: Dataset | None) -> Dataset | None:
    """A set without what was wrong with its files when the studio read them, and is so no more."""
    if boxes is None or boxes.layout != LAYOUT or all(fault.labels for fault in boxes.faults):
        return boxes
    try:
        files = read_box_files(source)
    except InputError:
        return boxes
    now = {(fault.kind, fault.file) for fault in files.faults} if files is not None else set()
    now |= {(LEFT_OUT, path) for path in _lacking(files, boxes)} if files is not None else set()
    faults = (each for each in boxes.faults if each.labels or (each.kind, each.file) in now)
    return replace(boxes, faults=tuple(faults))


def _lacking(files: Dataset, stored: Dataset) -> Iterator[str]:
    """The pictures whose files say more boxes, good or not, than the studio has."""
    if files.boxes is None or stored.boxes is None:
        return
    counts = np.diff(stored.boxes.offsets).tolist()
    there = dict(zip(stored.paths, counts, strict=True))
    for path, count in zip(files.paths, np.diff(files.boxes.offsets).tolist(), strict=True):
        if there.get(path, count) < count:
            yield path


def check_pictures(folder: str | Path) -> tuple[Dataset, list[Fault]] | None:
    """The pictures below a folder without any labels, and those of them that cannot be read or are
    copies, byte for byte; None where it has labels, or no pictures."""
    root = Path(folder).expanduser()
    if not root.is_dir() or not (paths := tuple(pictures_below(root))):
        return None
    seen = survey(root)
    if has_boxes(seen):
        return None
    refuse_other_tools(seen)
    none = np.full(len(paths), -1)
    alone = Dataset(root, "pictures without labels", (), paths, none, none.astype(np.int8))
    dataset = with_bits_found(alone)
    return dataset, list(_file_faults(dataset))


def check_dataset(dataset: Dataset) -> list[Fault]:
    """Open every picture and look for all that can be wrong with a set of classes or of masks."""
    if dataset.masks:
        return [*dataset.faults, *check_saliency(dataset)]
    return [
        *dataset.faults,
        *_file_faults(dataset),
        *_passed_over(dataset),
        *_class_faults(dataset),
    ]


def _file_faults(dataset: Dataset) -> Iterator[Fault]:
    """Pictures that cannot be read, and the same bytes under two names."""
    same: dict[str, list[int]] = defaultdict(list)
    # OpenCV decodes outside Python's lock, so threads use every core.
    with ThreadPoolExecutor() as pool:
        results = pool.map(lambda index: _read(dataset, index), range(len(dataset)))
        bar = track(results, total=len(dataset), description="reading pictures")
        for index, (digest, trouble) in enumerate(bar):
            if trouble:
                fix = "replace the file, or remove it"
                yield Fault("unreadable", dataset.paths[index], trouble, fix)
            else:
                same[digest].append(index)
    yield from duplicates(dataset, same.values())


def _passed_over(dataset: Dataset) -> Iterator[Fault]:
    """Pictures that lie in no class's folder, and class folders with nothing in them."""
    loose = passed_over(pictures_below(dataset.root), dataset.paths)
    if server_of(dataset.root) is not None or store_file(dataset.root) is not None:
        for place, paths in loose.items():
            detail = f"{counted(len(paths), 'picture')} without a class: {some_of(paths)}"
            fix = "give each its class in the studio (`viewfinder label`), or skip it there"
            yield Fault("passed-over", paths[0] if len(paths) == 1 else place, detail, fix)
        loose = {}
    for place, paths in loose.items():
        if len(paths) == 1:
            fix = "move it into the folder of its class"
            yield Fault("passed-over", paths[0], "this picture lies in no class's folder", fix)
            continue
        detail = f"{len(paths):,} pictures lie in no class's folder: {some_of(paths)}"
        fix = "move them into folders of their classes, or name a split's folder train, val or test"
        yield Fault("passed-over", place, detail, fix)
    for files, count in dataset.unread.items():
        detail = f"{counted(count, 'file')} in class folders of a format that is not read"
        yield Fault("unread", files, detail, "store them as JPEG or PNG if they are pictures")
    for folder in empty_class_folders(dataset.root):
        fix = f"put pictures of {folder.name} into it, or remove it"
        name = folder.relative_to(dataset.root).as_posix()
        yield Fault("empty-class", name, "this folder holds no pictures", fix)


def _read(dataset: Dataset, index: int) -> tuple[str, str]:
    """The hash of a picture's bytes, and why it cannot be read, or nothing."""
    try:
        digest, _ = look_at_picture(dataset.file(index), name=dataset.paths[index])
    except (InputError, OSError) as error:
        return "", str(error)
    return digest, ""


def _class_faults(dataset: Dataset) -> Iterator[Fault]:
    """Classes with too few pictures to learn from, or to be judged by."""
    train = Counter(dataset.labels[dataset.splits == TRAIN].tolist())
    largest = max(train.values(), default=0)
    for names in alike_classes(dataset.classes):
        detail = f"{' and '.join(names)} differ in case, accents or spaces alone"
        merge = shlex.join(["merge", *names, names[0]])
        fix = f"if they are one class: viewfinder classes DATA {merge}"
        yield Fault("alike-classes", names[0], detail, fix)
    for index, name in enumerate(dataset.classes):
        count = train[index]
        everywhere = int((dataset.labels == index).sum())
        if everywhere == 1:
            only = dataset.paths[int(np.flatnonzero(dataset.labels == index)[0])]
            yield Fault("one-picture", only, f"the only picture of {name}", "add more, or drop it")
        elif count == 0 and largest:
            detail = f"it has {counted(everywhere, 'picture')}, none of them to train on"
            yield Fault("not-in-train", name, detail, f"add pictures of {name} to train/")
        elif is_unbalanced(count, largest):
            detail = f"it has {counted(count, 'training picture')}, the largest class {largest:,}"
            fix = f"add pictures of {name}, or train in steps with --balanced"
            yield Fault("imbalance", name, detail, fix)
    for split, split_name in enumerate(SPLITS):
        if split != TRAIN and (dataset.splits == split).any():
            present = set(dataset.labels[dataset.splits == split].tolist())
            missing = [n for i, n in enumerate(dataset.classes) if i not in present and train[i]]
            if missing:
                detail = f"it has no pictures of {', '.join(missing)}"
                fix = "add some: it says nothing about these classes"
                yield Fault(f"not-in-{split_name}", split_name, detail, fix)
