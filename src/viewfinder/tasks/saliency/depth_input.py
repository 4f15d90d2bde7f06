"""Depth maps as the depth stream is given them: read with the scale that its run was trained with.

The direction and range of depth stand in the run (`data.depth` of `run.json`), so that a set whose
near is dark is turned over in answering exactly as it was in training. A `depth.toml` beside the
maps, or in a folder above them, says otherwise, as it does in training.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from viewfinder.datasets.depth import DepthScale, nearest_scale, scales_of
from viewfinder.datasets.formats.rgbd.folders import files_of
from viewfinder.datasets.formats.rgbd.stored import stored_depth
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.pictures.arrays import is_array
from viewfinder.pictures.finding import is_picture, walk
from viewfinder.pictures.geometry import Size, stretch
from viewfinder.pictures.resampling import resample
from viewfinder.tasks.answering import picture_files
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.saliency.recipe import DEPTH_NET

_DEEPEST = np.iinfo(np.uint16).max
# Folders above a depth map in which a `depth.toml` is looked for.
_ABOVE = 8


def sees_depth(config: ModelConfig) -> bool:
    """Whether the net is the depth stream, which is asked about depth and not about pictures."""
    return config.net == DEPTH_NET


def kept_depth(depth: NDArray[np.float32], size: Size) -> NDArray[np.uint16]:
    """H×W depth in [0, 1] as it is kept: at another size, in 65,536 steps.

    Training, validation, `evaluate` and `predict` all come through here.
    """
    stretched = np.asarray(resample(depth, stretch(depth.shape[::-1], size), size))
    return np.asarray(np.rint(stretched * _DEEPEST).astype(np.uint16))


def given_depth(kept: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Kept depth as the net is given it, in [0, 1]."""
    return kept.astype(np.float32) / np.float32(_DEEPEST)


def depth_maps_below(folder: Path) -> list[Path]:
    """The depth maps in a folder: of an RGB-D set those in its folders of depth, else all files."""
    found = files_of(folder, "depth")
    if found is not None:
        return [folder / path for path in found]
    return [
        folder / place.within(name)
        for place in walk(folder)
        for name in place.files
        if is_picture(name) or is_array(Path(name))
    ]


def pictures_to_ask(folder: Path) -> list[Path]:
    """The pictures in a folder, without the masks and depth maps that may lie beside them."""
    found = files_of(folder, "picture")
    return picture_files(folder) if found is None else [folder / path for path in found]


def read_depth_map(file: Path, data: Mapping[str, object]) -> NDArray[np.float32]:
    """H×W depth in [0, 1], near = bright, by the scale that holds for this file.

    Args:
        data: what the run says of the set that it was trained on.

    Raises:
        InputError: the file cannot be read or is in colour, or the run was trained on maps of
            several scales and none of them is this file's.
    """
    return scale_for(file, data).apply(stored_depth(file))


def depth_of_frames(frames: Tensor, data: Mapping[str, object]) -> Tensor:
    """N×1×H×W depth in [0, 1] of a video's frames, N×3×H×W uint8.

    Raises:
        InputError: they are in colour, or the run was trained on maps of several scales.
    """
    if not (frames == frames[:, :1]).all():
        raise InputError(
            f"this run is of {DEPTH_NET}, which reads depth maps, and was given a picture in "
            "colour: ask a run of a2dele, or give depth"
        )
    shares = frames[:, :1].float() / 255
    return 1 - shares if _of_run(Path(), data).near_is_bright is False else shares


def scale_for(file: Path, data: Mapping[str, object]) -> DepthScale:
    """What a depth file's numbers mean: what a `depth.toml` states, else what the run knows.

    Raises:
        InputError: the `depth.toml` is damaged; or the run knows several scales, and none of the
            folders that it was trained on holds this file.
    """
    folder = file.resolve().parent
    above = [folder, *folder.parents][:_ABOVE]
    # Training looks no higher than the set's own folder.
    root = Path(str(data.get("root") or folder)).resolve()
    inside = [place for place in above if place.is_relative_to(root)]
    stated = nearest_scale(folder, inside or above)
    if stated is not None and stated.near_is_bright is not None:
        return stated
    known = _of_run(folder, data)
    return known if stated is None else replace(stated, near_is_bright=known.near_is_bright)


def _of_run(folder: Path, data: Mapping[str, object]) -> DepthScale:
    scales = scales_of(data.get("depth", {}))
    if not scales:
        # A run that says nothing learnt from depth whose near is bright, or is not a training's.
        return DepthScale(near_is_bright=True)
    if len(set(scales.values())) == 1:
        (only,) = set(scales.values())
        _note_scale(only.near_is_bright)
        return only
    root = Path(str(data.get("root", ""))).resolve()
    own = folder.resolve()
    for place in (own, *own.parents):
        if place.is_relative_to(root) and (scale := scales.get(_inside(place, root))):
            return scale
    raise InputError(
        f"{folder}: this run was trained on depth maps of several scales, and none is known for "
        "these: state `near_is_bright` in a depth.toml beside them"
    )


def _inside(place: Path, root: Path) -> str:
    return place.relative_to(root).as_posix()


@lru_cache(maxsize=2)
def _note_scale(near_is_bright: bool | None) -> None:
    """Said once, since nothing in the files themselves says it."""
    if near_is_bright is False:
        note(
            "depth is read as in this run's training: near is dark, and turned over (a depth.toml "
            "beside the maps may say otherwise)"
        )
