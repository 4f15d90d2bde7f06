"""A run, or an ONNX file, in the place of a folder of maps: its answers to a set's pictures.

Maps are kept in the cache by the contents of the model and of the pictures.
"""

import hashlib
from pathlib import Path

from viewfinder.datasets.digests import of_files
from viewfinder.devices import pick_device
from viewfinder.errors import InputError
from viewfinder.files import cache_folder, new_folder
from viewfinder.inference.answers import Predictor
from viewfinder.inference.opening import open_model
from viewfinder.pictures.writing import write_map
from viewfinder.tasks.manifest import MANIFEST
from viewfinder.tasks.saliency.maps import Subject
from viewfinder.wording import some


def is_model(path: Path) -> bool:
    """Whether a path is a run's folder or an ONNX file, and not a folder of maps."""
    return (path / MANIFEST).is_file() or (path.is_file() and path.suffix.lower() == ".onnx")


def maps_by(path: Path, masks: tuple[str, ...], pictures: dict[str, Path], *, of: str) -> Path:
    """A folder with a map for each mask, each under the mask's own name.

    Args:
        pictures: of each mask.
        of: the set's name, for errors.

    Raises:
        InputError: the model has another task, a mask's picture is not known or cannot be read, or
            the cache cannot be written.
    """
    model = open_model(path)
    if model.config.task != "saliency":
        raise InputError(f"{path} is a model to {model.config.task}: only saliency has maps")
    if alone := [mask for mask in masks if mask not in pictures]:
        raise InputError(
            f"{path} is asked about the pictures of {of}, and some are not found ({some(alone)}): "
            "name the set's folder, which holds RGB beside GT"
        )
    about = path / MANIFEST if path.is_dir() else path
    digests = of_files([model.weights.file, about, *(pictures[mask] for mask in masks)])
    key = hashlib.sha256(b"".join(digests) + "\0".join(masks).encode()).hexdigest()[:32]
    folder = cache_folder() / "maps" / key
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    predictor = Predictor(model, device=pick_device("auto"))
    prepared = (predictor.prepare_file(pictures[mask]) for mask in masks)
    with new_folder(folder) as out:
        answers = predictor.answers(prepared, len(masks))
        for mask, answer in zip(masks, answers, strict=True):
            assert isinstance(answer.value, Subject), "a saliency model's answer is a subject"
            file = (out / mask).with_suffix(".png")
            file.parent.mkdir(parents=True, exist_ok=True)
            write_map(file, answer.value.map.at_own_size())
    return folder
