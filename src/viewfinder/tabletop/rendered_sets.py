"""Writing rendered sets into folders that any tool can read.

Pictures are JPEG of quality 95; depth and instances are PNG of 16 bits, exact. Masks in COCO files
are uncompressed run lengths (`{"size": [h, w], "counts": […]}`), since polygons can hold neither
the hole of a ring nor an object cut in two by another. A folder appears when it is whole, and the
files do not depend on the number of processes.

Rendering uses several processes, so a script that calls these functions must do so under
`if __name__ == "__main__":`.
"""

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.files import new_folder, write_json, write_text
from viewfinder.pictures.masks import Runs, encode
from viewfinder.pictures.video_writing import write_video
from viewfinder.pictures.writing import write_depth, write_instances, write_mask, write_picture
from viewfinder.tabletop.depth import depth_state
from viewfinder.tabletop.options import ClassOptions, SceneOptions, TurntableOptions
from viewfinder.tabletop.parallel import in_parallel
from viewfinder.tabletop.scenes import class_weights, render_scene
from viewfinder.tabletop.shapes import CLASSES
from viewfinder.tabletop.single import check_label, render_class_picture
from viewfinder.tabletop.turntable import render_turntable

QUALITY = 95


class _Annotation(TypedDict):
    """An object as COCO states it; numbered where it joins a file."""

    id: NotRequired[int]
    image_id: NotRequired[int]
    category_id: int
    bbox: list[float]
    area: int
    iscrowd: int
    segmentation: Runs


class _CocoFile(TypedDict):
    images: list[dict[str, object]]
    annotations: list[_Annotation]
    categories: list[dict[str, object]]


@dataclass(frozen=True, kw_only=True)
class SplitCounts:
    """How many pictures each split holds; for class pictures, of each class."""

    train: int = 150
    """Pictures to train on."""
    val: int = 30
    """Pictures to choose by while training."""
    test: int = 30
    """Pictures to score once, at the end."""

    def __post_init__(self) -> None:
        if min(self.train, self.val, self.test) < 0 or not self.train + self.val + self.test:
            raise InputError(
                f"a set needs at least one picture and no split may hold fewer than none, "
                f"not {self.train}, {self.val} and {self.test}"
            )

    def places(self) -> Iterator[tuple[str, int]]:
        """Each picture's split and its index, which counts on through the splits."""
        index = 0
        for split, count in asdict(self).items():
            for _ in range(count):
                yield split, index
                index += 1


def write_classes(
    out: Path,
    *,
    counts: SplitCounts | None = None,
    seed: int = 0,
    options: ClassOptions | None = None,
    processes: int | None = None,
) -> None:
    """Write class folders, `train/ball/ball_00000.jpg`, with `counts` pictures of each class.

    With an imbalance, later classes have fewer pictures to train on, but no fewer to be judged by.

    Raises:
        InputError: `out` exists already or cannot be written.
    """
    options, counts = options or ClassOptions(), counts or SplitCounts()
    weights = class_weights(options.imbalance)
    with new_folder(out) as folder:
        jobs = [
            (folder / split / name / f"{name}_{index:05}.jpg", label, seed, index, options)
            for split, index in counts.places()
            for label, name in enumerate(CLASSES)
            if split != "train" or index < max(1, round(counts.train * weights[label]))
        ]
        work = in_parallel(_write_class, jobs, processes=processes, description="Rendering")
        with closing(work):
            for _ in work:
                pass


def write_scenes(
    out: Path,
    *,
    counts: SplitCounts | None = None,
    seed: int = 0,
    options: SceneOptions | None = None,
    processes: int | None = None,
) -> None:
    """Write scenes with their truth and a `manifest.csv` that has a row for each.

    Scenes of many objects become `images/`, `masks/` (instances) and `depth/`, with a COCO file for
    each split, `annotations/instances_train.json`. Scenes of one subject become the three
    folders of the public RGB-D saliency sets, `train/RGB/`, `train/depth/` and `train/GT/`.
    Depth is near = bright; a scene whose depth is missing has no depth file.

    Raises:
        InputError: `out` exists already or cannot be written.
    """
    options, counts = options or SceneOptions(), counts or SplitCounts()
    write = _write_subject if options.subject else _write_scene
    with new_folder(out) as folder:
        jobs = [(folder, split, seed, index, options) for split, index in counts.places()]
        rows: list[dict[str, object]] = []
        files = {split: _coco_file() for split, _ in counts.places()}
        work = in_parallel(write, jobs, processes=processes, description="Rendering")
        with closing(work):
            for (_, split, _, index, _), annotations in zip(jobs, work, strict=True):
                name = _name(index)
                rows.append(_manifest_row(name, split, seed, index, options, annotations))
                _append(files[split], f"{name}.jpg", options.size, annotations)
        if not options.subject:
            for split, document in files.items():
                write_json(folder / "annotations" / f"instances_{split}.json", document)
        _write_csv(folder / "manifest.csv", rows)


def write_turntable(
    out: Path,
    *,
    label: int,
    frames: int = 72,
    seed: int = 0,
    options: TurntableOptions | None = None,
    rate: int = 25,
) -> None:
    """Write `turntable.mp4`, `empty.png`, and the truth of each frame.

    The truth is `masks/frame_00000.png` and `truth.json`, a COCO file whose images are the frames
    in order, each with its `angle` in degrees. A video loses a little; `empty.png` does not.

    Raises:
        InputError: `label` is no class, `out` exists already or cannot be written.
    """
    options = options or TurntableOptions()
    check_label(label)
    with new_folder(out) as folder:
        table = render_turntable(label, seed=seed, frames=frames, options=options)
        write_picture(folder / "empty.png", table.empty)
        write_video(folder / "turntable.mp4", table.frames, rate=rate)
        document = _coco_file()
        for i, (mask, box, angle) in enumerate(
            zip(table.masks, table.boxes, table.angles, strict=True)
        ):
            name = f"frame_{i:05}.png"
            write_mask(folder / "masks" / name, mask)
            _append(document, name, options.size, [_annotation(label, box, mask)])
            document["images"][-1] |= {"frame": i, "angle": float(angle)}
        write_json(folder / "truth.json", document)


def _name(index: int) -> str:
    return f"scene_{index:05}"


def _write_class(job: tuple[Path, int, int, int, ClassOptions]) -> None:
    path, label, seed, index, options = job
    example = render_class_picture(label, seed=seed, index=index, options=options)
    write_picture(path, example.picture, quality=QUALITY)


def _write_scene(job: tuple[Path, str, int, int, SceneOptions]) -> list[_Annotation]:
    """Write one scene's pictures; returns its COCO annotations, yet without numbers."""
    folder, _, seed, index, options = job
    example = render_scene(seed=seed, index=index, options=options)
    name = _name(index)
    assert example.instances is not None
    write_picture(folder / "images" / f"{name}.jpg", example.picture, quality=QUALITY)
    write_instances(folder / "masks" / f"{name}.png", example.instances)
    if example.depth is not None:
        write_depth(folder / "depth" / f"{name}.png", example.depth)
    return [
        _annotation(int(label), box, example.instances == i + 1)
        for i, (label, box) in enumerate(zip(example.box_classes, example.boxes, strict=True))
    ]


def _write_subject(job: tuple[Path, str, int, int, SceneOptions]) -> list[_Annotation]:
    """Write one subject's pictures; returns what the manifest says of it."""
    folder, split, seed, index, options = job
    example = render_scene(seed=seed, index=index, options=options)
    name = _name(index)
    assert example.instances is not None
    mask = example.instances > 0
    write_picture(folder / split / "RGB" / f"{name}.jpg", example.picture, quality=QUALITY)
    write_mask(folder / split / "GT" / f"{name}.png", mask)
    if example.depth is not None:
        write_depth(folder / split / "depth" / f"{name}.png", example.depth)
    return [_annotation(int(example.box_classes[0]), example.boxes[0], mask)]


def _annotation(label: int, box: NDArray[np.float32], mask: NDArray[np.bool_]) -> _Annotation:
    x1, y1, x2, y2 = map(float, box)
    return {
        "category_id": label + 1,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": int(mask.sum()),
        "iscrowd": 0,
        "segmentation": encode(mask),
    }


def _coco_file() -> _CocoFile:
    categories = [{"id": i + 1, "name": name} for i, name in enumerate(CLASSES)]
    return {"images": [], "annotations": [], "categories": categories}


def _append(document: _CocoFile, name: str, size: int, annotations: list[_Annotation]) -> None:
    """Add a picture and its annotations to a COCO document."""
    image = len(document["images"]) + 1
    document["images"].append({"id": image, "file_name": name, "width": size, "height": size})
    for annotation in annotations:
        number = len(document["annotations"]) + 1
        document["annotations"].append({"id": number, "image_id": image, **annotation})


def _manifest_row(
    name: str,
    split: str,
    seed: int,
    index: int,
    options: SceneOptions,
    annotations: list[_Annotation],
) -> dict[str, object]:
    state = depth_state(seed=seed, index=index, share=options.unreliable_depth)
    classes = " ".join(CLASSES[a["category_id"] - 1] for a in annotations)
    return {
        "name": name,
        "split": split,
        "seed": seed,
        "index": index,
        "depth": state.value,
        "objects": len(annotations),
        "classes": classes,
    }


def _write_csv(path: Path, rows: list[dict[str, object]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
