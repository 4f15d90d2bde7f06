"""A run, Darknet's weights, an ONNX file or a net of torchvision's in the place of answers.

Answers are kept in the cache by the contents of the model and of the pictures.
"""

import contextlib
import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.boxes import gather_boxes
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.digests import of_files
from viewfinder.devices import pick_device
from viewfinder.errors import InputError
from viewfinder.evaluation.judging import judge_examples
from viewfinder.files import cache_folder, new_folder, write_bytes
from viewfinder.inference.answers import Predictor
from viewfinder.inference.opening import open_model
from viewfinder.nets.facts import TORCHVISION
from viewfinder.nets.published import COCO, COCO_FILE
from viewfinder.pictures.writing import write_map
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.model import Model
from viewfinder.tasks.run_files import MANIFEST
from viewfinder.tasks.saliency.depth_input import sees_depth
from viewfinder.tasks.saliency.maps import Subject
from viewfinder.wording import some

# Named anew where what is kept of a model's answers changes.
_KEPT = "answers-2"
_FILES = (".onnx", ".weights")

Read = TypeVar("Read")


def is_model(path: Path) -> bool:
    """Whether a path is a run's folder, Darknet's weights or an ONNX file, or the name of a net of
    torchvision's, and not answers."""
    if path == COCO_FILE or str(path).startswith(TORCHVISION):
        return True
    return (path / MANIFEST).is_file() or (path.is_file() and path.suffix.lower() in _FILES)


def read_each(answers: Mapping[str, Path], read: Callable[[Path], Read]) -> dict[str, Read]:
    """What each method says; files before models, which take longer than the refusal of a file."""
    found = {
        name: read(answers[name])
        for name in sorted(answers, key=lambda name: is_model(answers[name]))
    }
    return {name: found[name] for name in answers}


def named_model(word: str) -> Path | None:
    """What stands for the detector that comes with the package, where nothing else is so called,
    or for a classifier of torchvision's."""
    if word.startswith(TORCHVISION):
        return Path(word)
    return COCO_FILE if word == COCO and not Path(word).exists() else None


def opened(path: Path) -> Model:
    """The model of a path of which `is_model` is true.

    Raises:
        InputError: it cannot be read.
    """
    return open_model(COCO if path == COCO_FILE else path)


def asked_file(model: Model, examples: Dataset, index: int) -> Path:
    """What a model is asked about: a picture, or for a net that reads depth its depth map."""
    if sees_depth(model.config):
        return examples.root / examples.depths[index]
    return examples.file(index)


def maps_by(
    path: Path,
    masks: tuple[str, ...],
    pictures: Mapping[str, Path],
    depths: Mapping[str, Path],
    *,
    of: str,
) -> Path:
    """A folder with a map for each mask, each under the mask's own name.

    Args:
        pictures: of each mask.
        depths: of each mask, for a net that reads depth maps and no pictures.
        of: the set's name, for errors.

    Raises:
        InputError: the model has another task, a mask's picture or depth map is not known or cannot
            be read, or the cache cannot be written.
    """
    model = opened(path)
    if model.config.task != "saliency":
        raise InputError(
            f"{path} is a model of the task {model.config.task}: only saliency has maps"
        )
    deep = sees_depth(model.config)
    asked = depths if deep else pictures
    if alone := [mask for mask in masks if mask not in asked]:
        what, where = ("depth maps", "depth") if deep else ("pictures", "RGB")
        raise InputError(
            f"{path} is asked about the {what} of {of}, and some are not found ({some(alone)}): "
            f"name the set's folder, which holds {where} beside GT"
        )
    digests = of_files([*_files_of(path, model), *(asked[mask] for mask in masks)])
    key = hashlib.sha256(b"".join(digests) + "\0".join(masks).encode()).hexdigest()[:32]
    folder = cache_folder() / "maps" / key
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    predictor = Predictor(model, device=pick_device("auto"))
    prepared = (predictor.prepare_file(asked[mask]) for mask in masks)
    with new_folder(folder) as out:
        answers = predictor.answers(prepared, len(masks))
        for mask, answer in zip(masks, answers, strict=True):
            assert isinstance(answer.value, Subject), "a saliency model's answer is a subject"
            file = (out / mask).with_suffix(".png")
            file.parent.mkdir(parents=True, exist_ok=True)
            write_map(file, answer.value.map.at_own_size())
    return folder


def detections_by(path: Path, truth: Dataset) -> tuple[tuple[str, ...], list[Detections]]:
    """A model's classes, and its detections of every picture, down to very low scores.

    Raises:
        InputError: the model has another task, or a picture cannot be read.
    """
    model = model_to(path, "detect")
    file = _kept_file(path, model, truth)
    if (kept := _kept(file)) is None:
        nothing = gather_boxes(
            np.zeros(0, np.int64), len(truth), corners=np.zeros((0, 4)),
            classes=np.zeros(0, np.int64),
        )  # fmt: skip
        unlabelled = replace(truth, boxes=nothing)
        judged = judge_examples(model, unlabelled, device=pick_device("auto"))
        found: list[Detections] = judged.answers
        kept = {
            "ends": np.cumsum([len(each.scores) for each in found]),
            "boxes": np.concatenate([np.zeros((0, 4), np.float32), *(e.boxes for e in found)]),
            "scores": np.concatenate([np.zeros(0, np.float32), *(e.scores for e in found)]),
            "labels": np.concatenate([np.zeros(0, np.int64), *(e.labels for e in found)]),
        }
        _keep(file, kept)
    ends = kept["ends"].tolist()
    rows = [slice(low, high) for low, high in zip([0, *ends], ends, strict=False)]
    return model.config.classes, [
        Detections(kept["boxes"][row], kept["scores"][row], kept["labels"][row]) for row in rows
    ]


def probabilities_by(path: Path, truth: Dataset) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """A model's classes, and their probabilities in every picture, N×C.

    Raises:
        InputError: the model has another task, or a picture cannot be read.
    """
    model = model_to(path, "classify")
    file = _kept_file(path, model, truth)
    if (kept := _kept(file)) is None:
        # Of some class that it knows, since the truth is no matter here.
        plain = replace(truth, classes=model.config.classes, labels=np.zeros(len(truth), np.int64))
        judged = judge_examples(model, plain, device=pick_device("auto"))
        kept = {"probabilities": np.asarray(judged.answers)}
        _keep(file, kept)
    return model.config.classes, kept["probabilities"].astype(np.float64)


def model_to(path: Path, task: str) -> Model:
    """The model of a path of which `is_model` is true.

    Raises:
        InputError: it cannot be read, or is of another task.
    """
    model = opened(path)
    if model.config.task != task:
        raise InputError(
            f"{path} is a model of the task {model.config.task}, and the set is of the task {task}"
        )
    return model


def _files_of(path: Path, model: Model) -> list[Path]:
    """What a model is made of."""
    return [model.weights.file, *([path / MANIFEST] if path.is_dir() else ())]


def _kept_file(path: Path, model: Model, truth: Dataset) -> Path:
    files = [*_files_of(path, model), *(truth.file(index) for index in range(len(truth)))]
    key = hashlib.sha256(_KEPT.encode() + b"".join(of_files(files)))
    # What a model is asked for may follow more than its files: its size, framing and bits.
    key.update(repr((model.config, truth.bits)).encode())
    return cache_folder() / "answers" / f"{key.hexdigest()[:32]}.npz"


def _kept(file: Path) -> dict[str, NDArray[Any]] | None:
    try:
        with np.load(file, allow_pickle=False) as found:
            return dict(found)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None


def _keep(file: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """A cache that cannot be written is no reason to stop."""
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays)
    with contextlib.suppress(InputError, OSError):
        write_bytes(file, out.getvalue())
