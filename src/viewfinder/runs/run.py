"""The folder that a training writes and that everything after it takes.

run.json             task, net, classes, recipe, versions, data, device, precision and why
weights.safetensors  the best weights, averaged
state.ckpt           what is needed to go on exactly
history.csv          a row an epoch
scores.json          scores on the pictures that were never trained on
report.html          curves, scores by class, pictures, what to do next
tensorboard/         the history, for TensorBoard
"""

import contextlib
import errno
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.console import note
from viewfinder.datasets.framing import USUAL, Framing
from viewfinder.errors import InputError
from viewfinder.files import explained_writing, is_empty, replacing, write_bytes, write_json
from viewfinder.nets.darknet import load_weights
from viewfinder.pictures.geometry import Size
from viewfinder.pictures.reading import BITS
from viewfinder.runs.history import append_row, keep_rows, read_rows, sync_rows, write_rows
from viewfinder.tasks import recipe_of
from viewfinder.tasks.detect.foreign import describe_weights
from viewfinder.tasks.normalisation import PLAIN, Normalisation
from viewfinder.tasks.recipe import LARGEST_SIZE, Recipe
from viewfinder.tasks.task import Setting

_MANIFEST, _WEIGHTS, _STATE = "run.json", "weights.safetensors", "state.ckpt"
_HISTORY, _SCORES, _REPORT = "history.csv", "scores.json", "report.html"
_SCHEMA = 2
# Bytes beyond which a `run.json` is no training's: it must not fill the memory.
_LARGEST_MANIFEST = 1 << 26


@dataclass(frozen=True)
class Manifest:
    """What `run.json` says.

    Attributes:
        size: width and height in pixels of what the net is given.
        options: what the net is created with, beside its classes.
        mean, std: of red, green and blue in [0, 1], subtracted and divided before the net.
        versions: of Python, Viewfinder and the libraries that computed.
        data: the training set's source, layout, fingerprint and pictures a side.
        device: what computed, in words.
        precision: the chosen arithmetic, and each candidate's time and loss.
        bits: how many the values of 16-bit pictures fill; see `Dataset.bits`.
        threads: of each process that computed on the CPU, on which the last digits depend; None of
            a run that does not say.
    """

    task: str
    net: str
    classes: tuple[str, ...]
    size: Size
    options: dict[str, Any]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    recipe: Recipe
    versions: dict[str, str]
    data: dict[str, Any]
    device: str
    precision: dict[str, Any]
    bits: int = 16
    threads: int | None = None


@dataclass(frozen=True)
class Run:
    """A trained net and all that is known of its training.

    Attributes:
        foreign: the file of weights that another program wrote, of what is no folder of ours.
        framing: how a detector's net is given pictures.
        opened: the net itself, where the foreign file is one that computes.
    """

    folder: Path
    manifest: Manifest
    foreign: Path | None = None
    framing: Framing = USUAL
    opened: nn.Module | None = None

    @property
    def weights_file(self) -> Path:
        return self.foreign or self.folder / _WEIGHTS

    @property
    def state_file(self) -> Path:
        return self.folder / _STATE

    @property
    def history_file(self) -> Path:
        return self.folder / _HISTORY

    @property
    def scores_file(self) -> Path:
        return self.folder / _SCORES

    @property
    def report_file(self) -> Path:
        return self.folder / _REPORT

    def net(self) -> nn.Module:
        """The network with the run's best weights, in evaluation mode.

        Raises:
            InputError: no weights yet, or weights that are not this network's.
        """
        if self.opened is not None:
            return self.opened
        manifest = self.manifest
        net = new_net(manifest.net, len(manifest.classes), manifest.options)
        if self.foreign is not None:
            load_weights(net, self.foreign)  # type: ignore[arg-type]
            return net.eval()
        try:
            state = safetensors.torch.load_file(self.weights_file)
            net.load_state_dict(state)
        except FileNotFoundError as error:
            raise InputError(
                f"{self.folder} has no weights yet: its training stopped before the first epoch "
                "ended; go on with the same command and --resume"
            ) from error
        except (SafetensorError, RuntimeError, OSError) as error:
            raise InputError(
                f"{self.weights_file} does not hold the weights of this run's {self.manifest.net}: "
                "the file is damaged or from another run"
            ) from error
        return net.eval()

    def setting(self) -> Setting:
        """What the run's task asks for again and again."""
        manifest = self.manifest
        colours = Normalisation(manifest.mean, manifest.std)
        return Setting(
            manifest.recipe,
            manifest.classes,
            manifest.size,
            colours,
            manifest.options,
            self.framing,
            manifest.data,
            manifest.bits,
        )

    def save_weights(self, state: dict[str, Tensor]) -> None:
        """Replace the run's weights."""
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
        write_bytes(self.weights_file, safetensors.torch.save(tensors))

    def save_state(self, tensors: Mapping[str, Any], progress: Mapping[str, Any]) -> None:
        """Replace what is needed to go on; the rows of the epochs that it has passed stay first."""
        sync_rows(self.history_file)
        # Straight into the file: a copy in memory would be as large as the net, thrice.
        with replacing(self.state_file) as file:
            torch.save({**tensors, "progress": dict(progress)}, file)

    def save_history(self, rows: list[dict[str, Any]]) -> None:
        """Replace the history: a row an epoch, numbers to seven digits."""
        write_rows(self.history_file, rows)

    def append_history(self, row: dict[str, Any]) -> None:
        """Add an epoch's row to the history."""
        append_row(self.history_file, row)

    def keep_history(self, epochs: int) -> None:
        """Drop what the history has of epochs after the first so many: they are trained again."""
        if len(keep_rows(self.history_file, epochs)) < epochs:
            note(f"{self.history_file} lacks some of the {epochs:,} epochs that have passed")

    def history(self) -> list[dict[str, float]]:
        """The history's rows; empty before the first epoch's end.

        Raises:
            InputError: the file holds something that no training wrote.
        """
        return read_rows(self.history_file)

    def save_scores(self, scores: dict[str, Any]) -> None:
        """Replace the run's scores."""
        write_json(self.scores_file, scores)


def new_net(name: str, classes: int, options: Mapping[str, Any]) -> nn.Module:
    """A network with fresh weights.

    Raises:
        InputError: no such network or option, or pictures too small for it.
    """
    # A net that finds the one salient subject has no classes to count.
    counted = {"classes": classes} if "classes" in nets.options(name) else {}
    return nets.create(name, **counted, **options)


def refuse_taken(folder: Path) -> None:
    """See that a run can be begun in a folder, before anything slow is done for it.

    Raises:
        InputError: there is something in that folder already, or it cannot be written.
    """
    with explained_writing(folder):
        if folder.exists() and not is_empty(folder):
            raise InputError(
                f"{folder} exists already: give --resume to go on with it, or another --out"
            )
        place = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
        if not place.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "")
        if not os.access(place, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "")


def holds_progress(folder: Path) -> bool:
    """Whether a training in this folder got far enough to be used or gone on with."""
    return (folder / _WEIGHTS).exists() or (folder / _STATE).exists()


def create_run(folder: Path, manifest: Manifest) -> Run:
    """Begin a run in a new or empty folder.

    Raises:
        InputError: there is something in that folder already, or it cannot be written.
    """
    refuse_taken(folder)
    document = asdict(manifest) | {"schema": _SCHEMA, "recipe": manifest.recipe.as_json()}
    with explained_writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        write_json(folder / _MANIFEST, document)
    except BaseException:
        with contextlib.suppress(OSError):  # what a killed training left may be there still
            folder.rmdir()
        raise
    return Run(folder, manifest)


def open_run(path: str | Path) -> Run:
    """Read a run's folder back, or take a Darknet `.weights` file for one.

    Raises:
        InputError: no such folder, no run in it, or a run that this version cannot read.
    """
    folder = Path(path).expanduser()
    if folder.suffix == ".weights" and not folder.is_dir():
        return _open_weights(folder)
    file = folder / _MANIFEST
    if not file.is_file():
        what = "is not a run" if folder.exists() else "does not exist"
        raise InputError(
            f"{folder} {what}: give the folder that `viewfinder train` wrote, with a {_MANIFEST}"
        )
    try:
        if file.stat().st_size > _LARGEST_MANIFEST:
            raise ValueError("it is larger than any that Viewfinder writes")
        document = json.loads(file.read_text(encoding="utf-8"))
        if document.pop("schema") != _SCHEMA:
            raise InputError(f"{file} was written by another version of Viewfinder")
        return Run(folder, _read_manifest(document))
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{file} is damaged: {error}") from error


def _open_weights(file: Path) -> Run:
    """A detector of Darknet's; tells what was assumed of it."""
    found = describe_weights(file)
    for told in found.notes:
        note(told)
    config = found.config
    anchors = [list(anchor) for anchor in config.anchors]
    masks = [list(mask) for mask in config.masks]
    manifest = Manifest(
        task="detect",
        net=config.net,
        classes=found.classes,
        size=(config.size[1], config.size[0]),
        options={"anchors": anchors, "masks": masks},
        mean=PLAIN.mean,
        std=PLAIN.std,
        recipe=recipe_of("detect").from_json({"net": config.net}),
        versions={},
        data={"source": str(file)},
        device="",
        precision={},
    )
    return Run(file.parent, manifest, foreign=file, framing=found.framing)


def _read_manifest(document: dict[str, Any]) -> Manifest:
    """What `run.json` says, if it is what a training could have written.

    Raises:
        ValueError, KeyError, TypeError: it is not.
    """
    recipe = recipe_of(document["task"]).from_json(document["recipe"])
    lists = {name: tuple(document[name]) for name in ("classes", "size", "mean", "std")}
    if not all(isinstance(document[name], list) for name in lists):
        raise ValueError("classes, size, mean and std must be lists")
    manifest = Manifest(**{**document, **lists, "recipe": recipe})
    texts = (manifest.task, manifest.net, manifest.device, *manifest.classes)
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("task, net, device and classes must be words")
    if len(set(manifest.classes)) != len(manifest.classes) or len(manifest.classes) < 2:
        raise ValueError("there must be two classes or more, each once")
    threads = manifest.threads
    if threads is not None and not (type(threads) is int and threads > 0):
        raise ValueError("threads must be a number of them")
    sides = manifest.size
    if len(sides) != 2 or not all(type(s) is int and 1 <= s <= LARGEST_SIZE for s in sides):
        raise ValueError(f"size must be a width and a height in pixels up to {LARGEST_SIZE}")
    colours = (*manifest.mean, *manifest.std)
    if len(manifest.mean) != 3 or len(manifest.std) != 3 or not all(map(math.isfinite, colours)):
        raise ValueError("mean and std must be three numbers each")
    if min(manifest.std) <= 0:
        raise ValueError("std must be more than 0")
    tables = (manifest.options, manifest.versions, manifest.data, manifest.precision)
    if not all(isinstance(table, dict) for table in tables):
        raise ValueError("options, versions, data and precision must be tables")
    if manifest.bits not in BITS:
        raise ValueError(f"bits must be one of {', '.join(map(str, BITS))}")
    return manifest
