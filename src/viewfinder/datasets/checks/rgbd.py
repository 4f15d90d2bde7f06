"""Every fault of a set of masks and depth maps, each with its file and a fix."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import numpy as np

from viewfinder.datasets.checks.duplicates import duplicates
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.depth import SIDE_FILE
from viewfinder.datasets.faults import Fault
from viewfinder.datasets.formats.rgbd.pairing import find_triples
from viewfinder.datasets.formats.rgbd.reading import same_shape
from viewfinder.datasets.formats.rgbd.stored import (
    brightest,
    looks_inverted,
    stored_depth,
    stored_mask,
)
from viewfinder.errors import InputError
from viewfinder.events import track
from viewfinder.pictures.reading import look_at_picture
from viewfinder.wording import counted, some


def check_saliency(dataset: Dataset) -> list[Fault]:
    """Open every picture, mask and depth map, and look for all that can be wrong with them."""
    return [*_left_over(dataset), *_file_faults(dataset), *_depth_faults(dataset)]


@dataclass
class _Look:
    """What the files of one picture are found to be."""

    digest: str = ""
    wide: bool = False
    inverted: bool = False
    faults: list[Fault] = field(default_factory=list)


def _left_over(dataset: Dataset) -> Iterator[Fault]:
    """Files that have no partner, and folders that nothing is read from."""
    pairing = find_triples(dataset.root)
    if pairing is None:
        return
    for path, reason in pairing.alone:
        fix = "give the files of one picture the same name, or remove this one"
        yield Fault("no-partner", path, reason, fix)
    for folder in pairing.unused:
        fix = "move it elsewhere, or rename it if its files are meant"
        yield Fault("passed-over", folder, "nothing is read from this folder", fix)
    for files, count in pairing.unread.items():
        detail = f"{counted(count, 'file')} with names of pictures, of a format that is not read"
        yield Fault("unread", files, detail, "store them as 16-bit PNG or .npy")


def _file_faults(dataset: Dataset) -> Iterator[Fault]:
    """What is wrong with single files, and the same picture there twice."""
    same: dict[str, list[int]] = defaultdict(list)
    inverted = 0
    wide: dict[str, list[str]] = defaultdict(list)
    misshapen: dict[str, list[Fault]] = defaultdict(list)
    # OpenCV decodes outside Python's lock, so threads use every core.
    with ThreadPoolExecutor() as pool:
        looks = pool.map(lambda index: _look(dataset, index), range(len(dataset)))
        bar = track(looks, total=len(dataset), description="reading pictures")
        for index, look in enumerate(bar):
            for fault in look.faults:
                if fault.kind == "size":
                    misshapen[str(PurePosixPath(fault.file).parent)].append(fault)
                else:
                    yield fault
            inverted += look.inverted
            if look.digest:
                same[look.digest].append(index)
            if look.wide and dataset.depth_scales[index].lowest is None:
                depth = dataset.depths[index]
                wide[str(PurePosixPath(depth).parent)].append(depth)
    for faults in misshapen.values():
        yield from _reported_once(faults)
    yield from duplicates(dataset, same.values())
    if 2 * inverted > len(dataset):
        detail = (
            f"in {inverted:,} of {len(dataset):,} masks the subject covers most of the picture and "
            "all of its border"
        )
        fix = "invert them if they are black where the subject is, and should be white"
        yield Fault("inverted-masks", str(PurePosixPath(dataset.masks[0]).parent), detail, fix)
    for folder, files in wide.items():
        detail = (
            f"{len(files):,} depth maps have 16 bits or more, and nothing says which values they "
            "use: each is stretched from its own least to its own greatest"
        )
        fix = f"state `lowest` and `highest` in a {SIDE_FILE} beside the set's folders"
        yield Fault("depth-range", folder, detail, fix)


def _reported_once(faults: Sequence[Fault]) -> Iterator[Fault]:
    """One fault of a folder's files of another size than their pictures, for each way to fix it."""
    by_fix: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults:
        by_fix[fault.fix].append(fault)
    for first, *others in by_fix.values():
        if others:
            names = some([fault.file for fault in others])
            more = f"; {counted(len(others), 'other')} like it: {names}"
            yield replace(first, detail=first.detail + more)
        else:
            yield first


def _look(dataset: Dataset, index: int) -> _Look:
    look = _Look()
    path = dataset.paths[index]
    size = None
    try:
        look.digest, size = look_at_picture(dataset.file(index), name=path)
    except (InputError, OSError) as error:
        look.faults.append(_unreadable(path, error))
    if dataset.masks[index]:
        _look_at_mask(dataset, index, size, look)
    if dataset.depths and dataset.depths[index]:
        _look_at_depth(dataset, index, size, look)
    return look


def _look_at_mask(dataset: Dataset, index: int, size: tuple[int, int] | None, look: _Look) -> None:
    path = dataset.masks[index]
    try:
        mask = stored_mask(dataset.root / path)
        share = brightest(dataset.root / path)
    except (InputError, OSError) as error:
        look.faults.append(_unreadable(path, error))
        return
    look.faults += _another_size(dataset.paths[index], size, path, mask.shape)
    look.inverted = looks_inverted(mask)
    if mask.all():
        fix = "draw the subject's outline, or remove the picture"
        look.faults.append(Fault("full-mask", path, "the whole picture is its subject", fix))
    elif not mask.any() and share:
        detail = f"it is nowhere brighter than {share:.1%} of white"
        fix = "make the subject white (255)"
        look.faults.append(Fault("dark-mask", path, detail, fix))
    elif not mask.any():
        fix = "draw the subject, or remove the picture"
        look.faults.append(Fault("empty-mask", path, "it shows no subject", fix))


def _look_at_depth(dataset: Dataset, index: int, size: tuple[int, int] | None, look: _Look) -> None:
    path = dataset.depths[index]
    try:
        values = stored_depth(dataset.root / path)
    except (InputError, OSError) as error:
        look.faults.append(_unreadable(path, error))
        return
    look.wide = values.dtype != np.uint8
    # A sensor of depth has fewer pixels than a camera, and its maps are brought to the pictures.
    if size is None or not same_shape(size, (values.shape[1], values.shape[0])):
        look.faults += _another_size(dataset.paths[index], size, path, values.shape)
    if values.min() == values.max():
        detail = f"every pixel is {values.flat[0]}, which says nothing of what is near"
        fix = "measure it again, or remove the file: the picture can be learnt from without it"
        look.faults.append(Fault("constant-depth", path, detail, fix))


def _unreadable(path: str, error: Exception) -> Fault:
    return Fault("unreadable", path, str(error), "replace the file, or remove it")


def _another_size(
    picture: str, size: tuple[int, int] | None, path: str, shape: tuple[int, ...]
) -> Iterator[Fault]:
    other = (shape[1], shape[0])
    if size is None or other == size:
        return
    detail = f"it is {other[0]}×{other[1]}, its picture {picture} {size[0]}×{size[1]}"
    if other == size[::-1]:
        fix = "one of the two was turned after it was saved: turn it back"
    else:
        fix = "one of the two was scaled or cut after it was saved: put the first file back"
    yield Fault("size", path, detail, fix)


def _depth_faults(dataset: Dataset) -> Iterator[Fault]:
    """Depth that the set itself calls wrong."""
    for index, state in enumerate(dataset.depth_faults):
        if state and (path := dataset.depths[index]):
            fix = "measure it again, or distil with a weight that adapts, which trusts it less"
            yield Fault("unreliable-depth", path, f"the set's manifest calls it {state}", fix)
