"""What a run learnt from, in one small file beside its weights: `learnt.safetensors`."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from viewfinder.datasets.digests import of_files
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.features.own import Layers
from viewfinder.files import write_bytes
from viewfinder.inference.learnt.space import Space
from viewfinder.reading import refuse_special
from viewfinder.values import as_list, as_text

FILE = "learnt.safetensors"
_LARGEST = 1 << 28


@dataclass(frozen=True, eq=False)
class LearntObjects:
    """M labelled objects of the pictures.

    Attributes:
        pictures: M, the number of the picture that each lies in.
        boxes: M×4 in pixels of that picture.
        labels: M class indices.
    """

    space: Space
    pictures: NDArray[np.int64]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LearntPictures:
    """N pictures that a run learnt from, as its net sees them.

    Attributes:
        layers: where the vectors were taken.
        root: the folder that `paths` start from.
        labels: N class indices; -1 where only objects have classes, or nothing has.
        masks: the files of their subjects' masks, relative to `root`; nothing where there are none.
        held_out: H×2, how far the pictures that the run was chosen by lie from these, as
            `Space.distances` gives it; none of a run that held out none.
        objects: None of a net that sees no boxes.
    """

    layers: Layers
    root: Path
    paths: tuple[str, ...]
    labels: NDArray[np.int64]
    space: Space
    held_out: NDArray[np.float64]
    objects: LearntObjects | None = None
    masks: tuple[str, ...] = ()


def keep_learnt(folder: Path, weights: Path, found: LearntPictures) -> None:
    """Keep it in a run's folder, under the digest of its weights; where that cannot be written, say
    so and go on."""
    metadata = {
        "weights": _digest(weights),
        "linear": found.layers.linear,
        "maps": json.dumps(found.layers.maps),
        "root": str(found.root),
        "paths": json.dumps(found.paths),
        "masks": json.dumps(found.masks),
    }
    arrays: dict[str, NDArray[np.generic]] = {"labels": found.labels, "held_out": found.held_out}
    arrays |= _of_space("pictures", found.space)
    if (objects := found.objects) is not None:
        arrays |= _of_space("objects", objects.space)
        arrays |= {
            "object_pictures": objects.pictures,
            "object_boxes": objects.boxes,
            "object_labels": objects.labels,
        }
    whole = {name: np.ascontiguousarray(of) for name, of in arrays.items()}
    try:
        write_bytes(folder / FILE, safetensors.numpy.save(whole, metadata=metadata))
    except InputError as error:
        note(f"not kept, so it is looked at anew next time: {error}")


def read_learnt(folder: Path, weights: Path) -> LearntPictures | None:
    """What was kept; None where nothing was, or of other weights, or what no training wrote."""
    file = folder / FILE
    try:
        refuse_special(file)
        if file.stat().st_size > _LARGEST:
            return None
        with safe_open(file, framework="numpy") as opened:
            metadata = dict(opened.metadata() or {})
            if metadata.get("weights") != _digest(weights):
                return None
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        return _read(metadata, arrays)
    except (OSError, SafetensorError, InputError, KeyError, ValueError, TypeError):
        return None


def _read(metadata: dict[str, str], arrays: dict[str, NDArray[np.generic]]) -> LearntPictures:
    paths = tuple(as_text(each) for each in as_list(json.loads(metadata["paths"])))
    maps = tuple(as_text(each) for each in as_list(json.loads(metadata["maps"])))
    masks = tuple(as_text(each) for each in as_list(json.loads(metadata["masks"])))
    _require(len(masks) in (0, len(paths)))
    space = _space("pictures", arrays, len(paths))
    held_out = np.asarray(arrays["held_out"], np.float64)
    objects = None
    if "object_labels" in arrays:
        count = len(arrays["object_labels"])
        pictures = _whole(arrays["object_pictures"], count, below=len(paths))
        boxes = np.asarray(arrays["object_boxes"], np.float32)
        _require(boxes.shape == (count, 4) and bool(np.isfinite(boxes).all()))
        labels = _whole(arrays["object_labels"], count, below=1 << 31)
        objects = LearntObjects(_space("objects", arrays, count), pictures, boxes, labels)
    _require(held_out.ndim == 2 and held_out.shape[1] == 2 and bool(np.isfinite(held_out).all()))
    return LearntPictures(
        layers=Layers(metadata["linear"], maps),
        root=Path(metadata["root"]),
        paths=paths,
        labels=_whole(arrays["labels"], len(paths), below=1 << 31),
        space=space,
        held_out=held_out,
        objects=objects,
        masks=masks,
    )


def _of_space(name: str, space: Space) -> dict[str, NDArray[np.generic]]:
    # Half precision moves a likeness by a few ten-thousandths.
    vectors = space.vectors.astype(np.float16)
    return {f"{name}_mean": space.mean, f"{name}_axes": space.axes, f"{name}_vectors": vectors}


def _space(name: str, arrays: dict[str, NDArray[np.generic]], count: int) -> Space:
    mean, axes, vectors = (
        np.asarray(arrays[f"{name}_{part}"], np.float32) for part in ("mean", "axes", "vectors")
    )
    _require(mean.ndim == 1 and axes.ndim == 2 and axes.shape[1] == len(mean))
    _require(vectors.shape == (count, len(axes)) and count > 0)
    _require(all(bool(np.isfinite(each).all()) for each in (mean, axes, vectors)))
    return Space(mean, axes, vectors)


def _whole(values: NDArray[np.generic], count: int, *, below: int) -> NDArray[np.int64]:
    _require(values.shape == (count,) and values.dtype.kind in "iu")
    found = values.astype(np.int64)
    _require(math.prod(found.shape) == 0 or (found.min() >= -1 and found.max() < below))
    return found


def _require(true: bool) -> None:
    if not true:
        raise ValueError("nothing that was kept here")


def _digest(file: Path) -> str:
    return of_files([file])[0].hex()
