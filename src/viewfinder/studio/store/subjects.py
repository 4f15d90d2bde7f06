"""Saliency sets in the store: each mask is a box with its outline, and goes out as a mask again."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.converting import linked, refuse_secret
from viewfinder.datasets.dataset import SPLITS, Dataset
from viewfinder.datasets.depth import SIDE_FILE
from viewfinder.datasets.formats.rgbd.reading import read_nearness, read_saliency, read_subject
from viewfinder.datasets.formats.stored_dataset import outline
from viewfinder.datasets.split_names import split_of_path
from viewfinder.errors import InputError
from viewfinder.files import explained_writing, new_folder
from viewfinder.pictures.masks import box_around, decode, encode
from viewfinder.pictures.writing import write_depth, write_mask
from viewfinder.reading import read_bytes
from viewfinder.studio.store.applying import mask_text
from viewfinder.studio.store.records import Box, Export, OnePicture
from viewfinder.wording import counted

_SCALE = "near_is_bright = true\nlowest = 0\nhighest = 65535\n"
# Of depth in [0, 1]: what 16 bits may lose.
_CLOSE = 2e-5
Mask = NDArray[np.bool_]


def subject_box(dataset: Dataset, index: int, size: tuple[int, int]) -> dict[str, object] | None:
    """The columns of the box that a picture's mask becomes; None where it shows nothing.

    Raises:
        InputError: the mask cannot be used.
    """
    mask = read_subject(dataset, index)
    if mask.shape != (size[1], size[0]):
        pixels = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        mask = pixels > 0
    if not mask.any():
        return None
    x1, y1, x2, y2 = map(float, box_around(mask))
    place = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return place | {"mask": mask_text(encode(mask)), "area": float(mask.sum())}


def mask_of(boxes: tuple[Box, ...], size: tuple[int, int]) -> Mask:
    """All that the outlines of a picture's boxes show; of one without an outline, its rectangle."""
    mask = np.zeros((size[1], size[0]), np.bool_)
    for box in boxes:
        if box.mask is not None:
            mask |= decode(outline(mask_text(box.mask)), size)
            continue
        x1, y1, x2, y2 = (max(0, round(each)) for each in box.corners)
        mask[y1:y2, x1:x2] = True
    return mask


def export_masks(
    data: Path,
    pictures: Mapping[str, OnePicture],
    out: Path,
    *,
    unread: Collection[str] = (),
    bare: int = 0,
) -> Export:
    """Write pictures, masks and depth maps as `RGB`, `GT` and `depth`, in a folder a split.

    What was written is read again as `train saliency` reads it, and compared.

    Args:
        pictures: by their path below `data`, those that have labels.
        unread: of these, those without a box whose mask, if there is one, was never made a box.
        bare: how many others there are, that are still to do.

    Raises:
        InputError: there is nothing to write, `out` exists or cannot be written, or what was read
            back is not what was written.
    """
    dataset = read_saliency(data)
    rows = {} if dataset is None else {path: row for row, path in enumerate(dataset.paths)}
    wanted: dict[str, tuple[Path, Mask, NDArray[np.float32] | None]] = {}
    missing = kept = boxes = late = 0
    for path, one in pictures.items():
        file, row = data / path, rows.get(path)
        if not file.is_file():
            missing += 1
            continue
        refuse_secret(file, data.resolve())
        side, nearness = _side(dataset, row, path), None
        late += row is None
        if dataset is not None and row is not None and dataset.depths and dataset.depths[row]:
            nearness = read_nearness(dataset, row)
        mask = mask_of(one.boxes, (one.picture.width, one.picture.height))
        if dataset is not None and row is not None and path in unread:
            mask = read_subject(dataset, row)
            kept += 1
        wanted[_free(wanted, side, path)] = file, mask, nearness
        boxes += len(one.boxes)
    if not wanted:
        raise InputError("no picture has a mask yet: there is nothing to export")
    with new_folder(out) as folder:
        for name, (file, mask, nearness) in wanted.items():
            _write(folder, name, file, mask, nearness)
        _compare(folder, {_rgb(name): each for name, each in wanted.items()})
    lost = {"pictures that are missing": missing} if missing else {}
    return Export(
        str(out), "masks", len(wanted), boxes, lost, tuple(_notes(dataset, kept, late, bare))
    )


def _side(dataset: Dataset | None, row: int | None, path: str) -> str:
    """What a picture is for; of one that came later, which no list has yet, by its folder."""
    split = split_of_path(path) if dataset is None or row is None else int(dataset.splits[row])
    return SPLITS[split] if split >= 0 else ""


def _notes(dataset: Dataset | None, kept: int, late: int, bare: int) -> Iterator[str]:
    """What is to be known of an export, in sentences."""
    if kept:
        yield f"{counted(kept, 'mask')} as the files have them: nothing was drawn there"
    if late and dataset is not None and dataset.depths:
        yield f"{counted(late, 'picture')} that came later: without a map of depth here"
    if bare:
        yield f"{counted(bare, 'picture')} still to do, without a mask: left out"


def _free(taken: Mapping[str, object], side: str, path: str) -> str:
    """`SIDE/NAME.SUFFIX`, which no other has."""
    given = PurePosixPath(path)
    side = f"{side}/" if side else ""
    name, number = f"{side}{given.name}", 2
    stems = {str(PurePosixPath(each).with_suffix("")).casefold() for each in taken}
    while str(PurePosixPath(name).with_suffix("")).casefold() in stems:
        name, number = f"{side}{given.stem}-{number}{given.suffix}", number + 1
    return name


def _rgb(name: str) -> str:
    side, _, file = name.rpartition("/")
    return f"{side}/RGB/{file}" if side else f"RGB/{file}"


def _write(
    folder: Path, name: str, file: Path, mask: Mask, nearness: NDArray[np.float32] | None
) -> None:
    picture = folder / _rgb(name)
    top, stem = picture.parent.parent, picture.stem
    with explained_writing(picture):
        for part in ("RGB", "GT"):
            (top / part).mkdir(parents=True, exist_ok=True)
        if not linked(file, picture):
            picture.write_bytes(read_bytes(file))
    write_mask(top / "GT" / f"{stem}.png", mask)
    if nearness is None:
        return
    depth = top / "depth"
    with explained_writing(depth):
        depth.mkdir(exist_ok=True)
        (depth / SIDE_FILE).write_text(_SCALE)
    write_depth(depth / f"{stem}.png", nearness)


def _compare(
    folder: Path, wanted: Mapping[str, tuple[Path, Mask, NDArray[np.float32] | None]]
) -> None:
    """Read what was written, as `train saliency` does.

    Raises:
        InputError: it is not what was to be written.
    """
    back = read_saliency(folder)
    if back is None or sorted(back.paths) != sorted(wanted):
        raise InputError("the export is not what the labels are, and was removed")
    for row, path in enumerate(back.paths):
        _, mask, nearness = wanted[path]
        same = bool((read_subject(back, row) == mask).all())
        if nearness is not None:
            same &= bool(np.allclose(read_nearness(back, row), nearness, rtol=0, atol=_CLOSE))
        if not same:
            raise InputError(f"the export is not what the labels are, and was removed: {path}")
