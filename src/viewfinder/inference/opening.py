"""Whatever answers pictures, opened by its path: a run, Darknet's weights, or an ONNX file."""

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.datasets.formats.rgbd.reading import CLASSES as SUBJECT_CLASSES
from viewfinder.datasets.framing import DARKNET, STRETCHED, USUAL, Framing
from viewfinder.inference.onnx_files import LEAST_SCORE, Arrays, OnnxFile
from viewfinder.pictures.reading import BITS
from viewfinder.runs.run import Run, open_run
from viewfinder.tasks import recipe_of
from viewfinder.tasks.answering import Answering
from viewfinder.tasks.manifest import Manifest
from viewfinder.tasks.normalisation import IMAGENET, PLAIN, Normalisation
from viewfinder.tasks.recipe import LARGEST_SIZE

Reader = Callable[[OnnxFile, Tensor], Any]
"""From a file and N×3×H×W pictures to what its task's `portable` gives."""


class OnnxNet(Answering):
    """A network in an ONNX file, and how its outputs are read."""

    def __init__(self, file: OnnxFile, read: Reader) -> None:
        super().__init__()
        self._file, self._read = file, read

    def forward(self, pictures: Tensor) -> Any:  # N×3×H×W
        found = self._read(self._file, pictures)
        parts = found if isinstance(found, tuple) else (found,)
        moved = tuple(part.to(pictures.device) for part in parts)
        return moved if isinstance(found, tuple) else moved[0]


def open_any(path: str | Path) -> Run:
    """A run's folder, a Darknet `.weights` file, or an ONNX file, as a run that answers.

    An ONNX file that `viewfinder export` wrote is of the task, classes and size in its metadata.
    Any other is taken for a saliency network such as u2netp: it takes one 1×3×H×W picture,
    normalised as for ImageNet, and its first output is the map, of any range, which is brought to
    [0, 1]; where H and W are open, 320 is taken.

    Raises:
        InputError: there is no such file, or it is none of these.
    """
    file = Path(path).expanduser()
    if file.suffix.lower() != ".onnx" or file.is_dir():
        return open_run(path)
    opened = OnnxFile(file)
    run = _exported(opened) if "task" in opened.metadata else _of_subjects(opened)
    # Once on nothing, so that what cannot answer is told before a thousand pictures are read.
    width, height = opened.size
    run.net()(torch.full((1, 3, height, width), 0.5))
    return run


def _run_of(
    opened: OnnxFile,
    task: str,
    classes: tuple[str, ...],
    read: Reader,
    *,
    colours: Normalisation = PLAIN,
    framing: Framing = USUAL,
    bits: int = BITS[-1],
    least: float = 0.0,
) -> Run:
    manifest = Manifest(
        task=task,
        net="onnx",
        classes=classes,
        size=opened.size,
        options={},
        mean=colours.mean,
        std=colours.std,
        recipe=recipe_of(task).from_json({}),
        versions={},
        data={"source": str(opened.file), LEAST_SCORE: least},
        device="",
        precision={},
        bits=bits,
    )
    net = OnnxNet(opened, read).eval()
    return Run(opened.file, manifest, opened.file, framing, net)


def _exported(opened: OnnxFile) -> Run:
    """A file that `viewfinder export` wrote.

    Raises:
        InputError: its metadata contradict it, or it gives raw outputs.
    """
    told = opened.metadata
    task, answers = told["task"], told.get("answers", "")
    key = (task, "final" if answers == "final" else "decoded")
    if answers == "raw" or key not in _READERS:
        opened.refuse(
            f"gives {answers[:20] or 'unknown'} answers of the task {task[:20]!r}, of which boxes, "
            "classes or maps cannot be made here: export it again without --answers raw"
        )
    try:
        classes, size = json.loads(told["classes"]), json.loads(told["size"])
        framing, bits = _framing(told["pictures"]), _bits(told["pictures"])
        least = float(told.get(LEAST_SCORE, 0))
    except (KeyError, ValueError, RecursionError):
        opened.refuse("does not say what classes, size or pictures it has: export the run again")
    if not _are_names(classes) or not _is_size(size):
        opened.refuse("has metadata of no classes or size that can be: export the run again")
    opened.resize((size[0], size[1]))
    read = partial(_READERS[key], classes=len(classes))
    return _run_of(opened, task, tuple(classes), read, framing=framing, bits=bits, least=least)


def _are_names(classes: Any) -> bool:
    names = isinstance(classes, list) and all(isinstance(name, str) for name in classes)
    return names and 1 <= len(classes) == len(set(classes))


def _is_size(size: Any) -> bool:
    sides = isinstance(size, list) and len(size) == 2
    return sides and all(type(side) is int and 1 <= side <= LARGEST_SIZE for side in size)


def _framing(told: str) -> Framing:
    """The framing that the metadata describe in words; of a saliency network it is its task's.

    Raises:
        ValueError: none is known by these words.
    """
    for framing in (DARKNET, STRETCHED, USUAL):
        if str(framing) in told:
            return framing
    if "stretched" in told:
        return USUAL
    raise ValueError(told)


def _bits(told: str) -> int:
    """How many bits of 16-bit files are filled, by the greatest value that the metadata name.

    Raises:
        ValueError: as many never are.
    """
    greatest = re.search(r"divided by ([0-9]{1,9})", told)
    bits = int(greatest[1]).bit_length() if greatest else BITS[-1]
    if bits not in BITS:
        raise ValueError(told)
    return bits


def _of_subjects(opened: OnnxFile) -> Run:
    return _run_of(opened, "saliency", SUBJECT_CLASSES, _read_any_maps, colours=IMAGENET)


def _read_any_maps(opened: OnnxFile, pictures: Tensor) -> Tensor:
    """N×H×W: the first output, each map brought to [0, 1].

    One by one, since many files that leave the number of pictures open were made for one.
    """
    height, width = pictures.shape[2:]
    maps = []
    for picture in pictures.cpu().numpy():
        values = opened.run(picture[None], at_once=1)[0]
        if values.size != height * width or values.dtype.kind != "f":
            opened.refuse(
                f"does not answer with one map of {width}×{height}, as a saliency network does, "
                "and is no detector that `viewfinder export` wrote"
            )
        if not np.isfinite(values).all():
            opened.refuse("answers with values that are no numbers")
        one = values.astype(np.float32).reshape(height, width)
        spread = max(float(one.max() - one.min()), 1e-6)
        maps.append(np.clip((one - one.min()) / spread, 0, 1))
    return torch.from_numpy(np.stack(maps))


def _read_probabilities(opened: OnnxFile, pictures: Tensor, *, classes: int) -> Tensor:
    (found,) = _outputs(opened, pictures, 1)
    return _float(opened, found, (len(pictures), classes))


def _read_maps(opened: OnnxFile, pictures: Tensor, *, classes: int) -> Tensor:
    (found,) = _outputs(opened, pictures, 1)
    return _float(opened, found, (len(pictures), *pictures.shape[2:]))


def _read_boxes(opened: OnnxFile, pictures: Tensor, *, classes: int) -> tuple[Tensor, Tensor]:
    boxes, scores = _outputs(opened, pictures, 2)
    places = boxes.shape[1] if boxes.ndim == 3 else 0
    return (
        _float(opened, boxes, (len(pictures), places, 4)),
        _float(opened, scores, (len(pictures), places, classes)),
    )


def _read_objects(opened: OnnxFile, pictures: Tensor, *, classes: int) -> tuple[Tensor, Tensor]:
    """Objects that were chosen already, a row each, as boxes and scores of each picture."""
    owners, labels, scores, boxes = _outputs(opened, pictures, 4)
    count = len(scores)
    found, sure = _float(opened, boxes, (count, 4)), _float(opened, scores, (count,))
    for numbers, end in ((owners, len(pictures)), (labels, classes)):
        if numbers.shape != (count,) or numbers.dtype.kind != "i" or not _within(numbers, end):
            opened.refuse("answers with objects of pictures or classes that there are none of")
    most = int(np.bincount(owners, minlength=1).max())
    all_boxes = torch.zeros(len(pictures), most, 4)
    all_scores = torch.zeros(len(pictures), most, classes)
    for picture in range(len(pictures)):
        rows = torch.from_numpy(np.flatnonzero(owners == picture))
        places = torch.arange(len(rows))
        all_boxes[picture, places] = found[rows]
        all_scores[picture, places, torch.from_numpy(labels)[rows]] = sure[rows]
    return all_boxes, all_scores


def _within(numbers: NDArray[Any], end: int) -> bool:
    return bool(((numbers >= 0) & (numbers < end)).all())


def _outputs(opened: OnnxFile, pictures: Tensor, count: int) -> Arrays:
    found = opened.run(pictures.cpu().numpy())
    if len(found) != count:
        opened.refuse(f"has {len(found)} outputs where its metadata promise {count}")
    return found


def _float(opened: OnnxFile, values: NDArray[Any], shape: tuple[int, ...]) -> Tensor:
    if values.shape != shape or values.dtype != np.float32 or not np.isfinite(values).all():
        opened.refuse(
            f"answers with {values.shape} {values.dtype} where its metadata promise {shape}"
        )
    return torch.from_numpy(values)


_READERS: dict[tuple[str, str], Callable[..., Any]] = {
    ("classify", "decoded"): _read_probabilities,
    ("saliency", "decoded"): _read_maps,
    ("detect", "decoded"): _read_boxes,
    ("detect", "final"): _read_objects,
}
