"""Composed scenes as ordinary files: a COCO set of one side, `train`, that everything opens.

There is no `val` or `test` among them, since a net is to be judged by real pictures.

Composing uses several processes, so a script that calls `write_composed` must do so under
`if __name__ == "__main__":`.
"""

import functools
import math
import pickle
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.composing.backgrounds import read_backgrounds, tabletop_backgrounds
from viewfinder.composing.captures import open_captures
from viewfinder.composing.composition import Composition
from viewfinder.composing.source import Composed, check_request, composed
from viewfinder.datasets.box_files import picture_folder, write_coco
from viewfinder.datasets.boxes import gather_boxes
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.formats.coco.writing import COMPOSED
from viewfinder.datasets.opening import TABLETOP
from viewfinder.datasets.splits import TRAIN
from viewfinder.files import new_folder
from viewfinder.pictures.geometry import BoxArray
from viewfinder.pictures.masks import Segmentation, encode
from viewfinder.pictures.writing import write_picture
from viewfinder.tabletop.parallel import in_parallel

QUALITY = 95
# So many rendered tables are enough for any number of scenes, each of which shows another part.
_TABLES = 32

_Truth = tuple[BoxArray, NDArray[np.int64], list[Segmentation], list[int]]


def write_composed(
    captures: Path,
    out: Path,
    *,
    backgrounds: Path | str,
    count: int,
    size: tuple[int, int],
    settings: Composition | None = None,
    seed: int = 0,
    processes: int | None = None,
) -> Dataset:
    """Write `count` scenes to `images/train/` and their truth to `annotations/`; returns the set.

    Args:
        captures: what `open_captures` reads.
        backgrounds: a folder of pictures of places, or the word `tabletop`.
        size: width and height of a scene.

    Raises:
        InputError: nothing to cut out, no backgrounds, or `out` exists or cannot be written.
    """
    check_request(size, count, seed)
    settings = settings or Composition()
    with new_folder(out) as folder:
        found = open_captures(captures, longest=math.ceil(settings.scale[1] * min(size)))
        places = (
            tabletop_backgrounds(min(count, _TABLES), size, seed=seed, processes=processes)
            if str(backgrounds) == TABLETOP
            else read_backgrounds(Path(backgrounds), size, apart_from=found.datasets)
        )
        source = composed(
            found.cutouts, places, size=size, count=count, settings=settings, seed=seed
        )
        kept = folder / ".source"  # goes with the folder, should this be killed
        kept.write_bytes(pickle.dumps(source))
        names = [f"scene_{number:05}.jpg" for number in range(count)]
        pictures = folder / picture_folder("coco", TRAIN)
        jobs = [(kept, number, pictures / name) for number, name in enumerate(names)]
        work = in_parallel(_write_scene, jobs, processes=processes, description="Composing")
        with closing(work):
            truth = list(work)
        _loaded.cache_clear()
        kept.unlink()
        dataset = _dataset(out, found.classes, names, size, truth)
        write_coco(dataset, names, folder)
    return dataset


def _write_scene(job: tuple[Path, int, Path]) -> _Truth:
    """Write one scene's picture; returns its boxes, labels, outlines and areas."""
    kept, number, path = job
    picture, boxes, labels, masks = _loaded(kept).scene(number)
    write_picture(path, picture, quality=QUALITY)
    outlines: list[Segmentation] = [encode(mask) for mask in masks]
    return boxes, labels, outlines, masks.sum(axis=(1, 2)).tolist()


@functools.lru_cache(maxsize=1)
def _loaded(kept: Path) -> Composed:
    """What scenes are composed of, once in each process."""
    source: Composed = pickle.loads(kept.read_bytes())
    return source


def _dataset(
    root: Path,
    classes: tuple[str, ...],
    names: list[str],
    size: tuple[int, int],
    truth: list[_Truth],
) -> Dataset:
    outlines = [outline for _, _, found, _ in truth for outline in found]
    boxes = gather_boxes(
        np.repeat(np.arange(len(truth)), [len(labels) for _, labels, _, _ in truth]),
        len(truth),
        corners=np.concatenate([corners for corners, _, _, _ in truth]).astype(np.float64),
        classes=np.concatenate([labels for _, labels, _, _ in truth]),
        areas=np.array([area for _, _, _, areas in truth for area in areas], np.float64),
        segmentations=dict(enumerate(outlines)),
    )
    folder = picture_folder("coco", TRAIN)
    return Dataset(
        root=root,
        layout="COCO",
        classes=classes,
        paths=tuple(f"{folder}/{name}" for name in names),
        labels=np.full(len(names), -1, np.int64),
        splits=np.full(len(names), TRAIN, np.int8),
        boxes=boxes,
        notes=(COMPOSED,),
        sizes=np.tile(np.array(size, np.int64), (len(names), 1)),
    )
