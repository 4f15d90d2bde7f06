"""Whatever answers pictures, opened by its path or name: a run, or what others trained."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from viewfinder.datasets.framing import DARKNET, STRETCHED, USUAL, Framing
from viewfinder.errors import InputError
from viewfinder.inference.handed_nets import open_torchvision
from viewfinder.inference.onnx_files import LEAST_SCORE, SCORES, OnnxFile
from viewfinder.nets.facts import TORCHVISION
from viewfinder.pictures.reading import BITS
from viewfinder.tasks import NAMES, find
from viewfinder.tasks.answering import Answering
from viewfinder.tasks.detect.tiling.tiles import TILES, tiles_from_json
from viewfinder.tasks.model import Model, ModelConfig
from viewfinder.tasks.normalisation import PLAIN
from viewfinder.tasks.portable import Outputs
from viewfinder.tasks.recipe import LARGEST_SIZE
from viewfinder.tasks.run_files import MANIFEST
from viewfinder.tasks.run_weights import open_trained

ONNX = "onnx"
"""What the net in an ONNX file is called."""


class OnnxNet(Answering):
    """A network in an ONNX file, and how its outputs are read."""

    def __init__(self, file: OnnxFile, outputs: Outputs, config: ModelConfig) -> None:
        super().__init__()
        self._file, self._outputs, self._config = file, outputs, config

    def forward(self, pictures: Tensor) -> Tensor | tuple[Tensor, ...]:  # N×3×H×W
        if self._outputs == "unmarked":
            # One by one, since many files that leave the number of pictures open were made for one.
            maps = [self._read(each[None], at_once=1) for each in pictures]
            return torch.cat([each for each in maps if isinstance(each, Tensor)])
        return self._read(pictures)

    def _read(self, pictures: Tensor, *, at_once: int | None = None) -> Tensor | tuple[Tensor, ...]:
        found = self._file.run(pictures.cpu().numpy(), at_once=at_once)
        task = find(self._config.task)
        try:
            read = task.read_portable(found, self._config, len(pictures), self._outputs)
        except ValueError as error:
            self._file.refuse(str(error))
        if isinstance(read, Tensor):
            return read.to(pictures.device)
        return tuple(part.to(pictures.device) for part in read)


@dataclass(frozen=True, eq=False)
class OnnxWeights:
    """`tasks.model.Weights` in an ONNX file."""

    opened: OnnxFile
    outputs: Outputs

    @property
    def file(self) -> Path:
        return self.opened.file

    def load(self, config: ModelConfig) -> nn.Module:
        """The network in the file."""
        return OnnxNet(self.opened, self.outputs, config).eval()


def open_model(path: str | Path) -> Model:
    """A run's folder, a Darknet `.weights` file, an ONNX file, or `coco`, as a model that answers.

    Raises:
        InputError: there is no such file, or it is none of these.
    """
    return open_foreign(path) or open_trained(Path(path).expanduser())


def refuse_calibrated(model: Model) -> None:
    """See that the net's own scores can be had, as an ONNX file may calibrate them within.

    Raises:
        InputError: it does.
    """
    weights = model.weights
    if isinstance(weights, OnnxWeights) and weights.opened.metadata.get(SCORES) == "calibrated":
        raise InputError(
            f"--scores own: {model.source} calibrates its scores itself, and the network's are not "
            "in it: ask the run, or export it with --scores own"
        )


def open_foreign(path: str | Path) -> Model | None:
    """As `open_model` what no training of ours wrote; None where a path can only be a run's.

    `torchvision:resnet50` is a classifier of torchvision's with its best weights. An ONNX file that
    `viewfinder export` wrote is of the task, classes and size in its metadata. Any other is taken
    for a saliency network such as u2netp: it takes one 1×3×H×W picture, normalised as for ImageNet,
    and its first output is the map, of any range, which is brought to [0, 1]; where H and W are
    open, 320 is taken.

    Raises:
        InputError: it cannot be read, or nothing says what it is.
    """
    if str(path).startswith(TORCHVISION):
        return open_torchvision(str(path))
    file = Path(path).expanduser()
    if (file / MANIFEST).is_file():
        return None
    if file.suffix.lower() == ".onnx" and not file.is_dir():
        return _open_onnx(file)
    return next((m for name in NAMES if (m := find(name).open_foreign(file)) is not None), None)


def _open_onnx(file: Path) -> Model:
    opened = OnnxFile(file)
    model = _exported(opened) if "task" in opened.metadata else _unmarked(opened)
    # Once on nothing, so that what cannot answer is reported before a thousand pictures are read.
    width, height = opened.size
    model.load()(torch.full((1, 3, height, width), 0.5))
    return model


def _exported(opened: OnnxFile) -> Model:
    """A file that `viewfinder export` wrote.

    Raises:
        InputError: its metadata contradict it, or it gives raw outputs.
    """
    metadata = opened.metadata
    task, answers = metadata["task"], metadata.get("answers", "")
    outputs: Outputs = "final" if answers == "final" else "decoded"
    if answers == "raw" or task not in NAMES or outputs not in find(task).portables:
        opened.refuse(
            f"gives {answers[:20] or 'unknown'} answers of the task {task[:20]!r}, of which boxes, "
            "classes or maps cannot be made here: export it again without --answers raw"
        )
    try:
        classes, size = json.loads(metadata["classes"]), json.loads(metadata["size"])
        framing, bits = _framing(metadata["pictures"]), _bits(metadata["pictures"])
        least = float(metadata.get(LEAST_SCORE, 0))
        tiles = {TILES: tiles_from_json(json.loads(metadata[TILES]))} if TILES in metadata else {}
    except (KeyError, ValueError, RecursionError, InputError):
        opened.refuse("does not say what classes, size or pictures it has: export the run again")
    if not _are_names(classes) or not _is_size(size):
        opened.refuse("has metadata of no classes or size that can be: export the run again")
    opened.resize((size[0], size[1]))
    config = ModelConfig(
        task,
        ONNX,
        tuple(classes),
        opened.size,
        PLAIN,
        framing=framing,
        bits=bits,
        habits=tiles if find(task).finds_boxes else {},
        least_score=least,
    )
    return Model(opened.file, OnnxWeights(opened, outputs), config)


def _unmarked(opened: OnnxFile) -> Model:
    """A file that says nothing of itself, as of the task that takes such files."""
    for name in NAMES:
        task = find(name)
        if (taken := task.unmarked) is not None:
            config = ModelConfig(
                name, ONNX, taken.classes, opened.size, taken.normalisation, framing=task.framing
            )
            return Model(opened.file, OnnxWeights(opened, "unmarked"), config)
    raise AssertionError("one task takes files of which nothing is stated")


def _are_names(classes: object) -> bool:
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        return False
    return 1 <= len(classes) == len(set(classes))


def _is_size(size: object) -> bool:
    if not isinstance(size, list) or len(size) != 2:
        return False
    return all(type(side) is int and 1 <= side <= LARGEST_SIZE for side in size)


def _framing(words: str) -> Framing:
    """The framing that the metadata describe in words.

    Raises:
        ValueError: none is known by these words.
    """
    for framing in (DARKNET, STRETCHED, USUAL, Framing("stretch")):
        if str(framing) in words:
            return framing
    raise ValueError(words)


def _bits(words: str) -> int:
    """How many bits of 16-bit files are filled, by the greatest value that the metadata name.

    Raises:
        ValueError: as many never are.
    """
    greatest = re.search(r"divided by ([0-9]{1,9})", words)
    bits = int(greatest[1]).bit_length() if greatest else BITS[-1]
    if bits not in BITS:
        raise ValueError(words)
    return bits
