"""Written sets, read back with json, csv and OpenCV alone."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from viewfinder import tabletop
from viewfinder.errors import InputError
from viewfinder.tabletop import ClassOptions, SceneOptions, SplitCounts, rendered_sets
from viewfinder.tabletop.embedded import embedded_classes

COUNTS = SplitCounts(train=3, val=1, test=1)
SCENES = SceneOptions(size=64, unreliable_depth=0.4)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def decoded(runs: list[int], size: list[int]) -> np.ndarray:
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(size[::-1]).T


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("sets") / "scenes"
    tabletop.write_scenes(out, counts=COUNTS, seed=7, options=SCENES, processes=1)
    return out


def test_class_folders_hold_what_was_rendered(tmp_path):
    options = ClassOptions(size=32)
    out = tmp_path / "classes"
    tabletop.write_classes(out, counts=COUNTS, seed=7, options=options, processes=1)
    for split, count in (("train", 3), ("val", 1), ("test", 1)):
        assert {f.name for f in (out / split).iterdir()} == set(tabletop.CLASSES)
        assert all(len(list(f.iterdir())) == count for f in (out / split).iterdir())
    read = cv2.imread(str(out / "val" / "mug" / "mug_00003.jpg"))[..., ::-1]
    rendered = tabletop.render_class_picture(5, seed=7, index=3, options=options).picture
    assert np.abs(read.astype(int) - rendered.astype(int)).mean() < 6


def test_scenes_hold_what_was_rendered(scenes):
    with (scenes / "manifest.csv").open(newline="") as file:
        manifest = list(csv.DictReader(file))
    assert [row["split"] for row in manifest] == ["train"] * 3 + ["val", "test"]
    assert sum(row["depth"] != "good" for row in manifest) == 2
    for row in manifest:
        name, split = row["name"], row["split"]
        example = tabletop.render_scene(seed=7, index=int(row["index"]), options=SCENES)
        instances = cv2.imread(str(scenes / "masks" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        assert instances.dtype == np.uint16
        assert (instances == example.instances).all()
        read = cv2.imread(str(scenes / "images" / f"{name}.jpg"))[..., ::-1]
        assert np.abs(read.astype(int) - example.picture.astype(int)).mean() < 6
        depth = scenes / "depth" / f"{name}.png"
        assert depth.exists() == (row["depth"] != "missing") == (example.depth is not None)
        if example.depth is not None:
            levels = cv2.imread(str(depth), cv2.IMREAD_UNCHANGED)
            assert levels / 65535 == pytest.approx(example.depth, abs=1e-5)
        document = json.loads((scenes / "annotations" / f"instances_{split}.json").read_text())
        image = next(i for i in document["images"] if i["file_name"] == f"{name}.jpg")
        assert (image["width"], image["height"]) == (64, 64)
        found = [a for a in document["annotations"] if a["image_id"] == image["id"]]
        assert len(found) == len(example.boxes) == int(row["objects"])
        for i, annotation in enumerate(found):
            x, y, width, height = annotation["bbox"]
            assert [x, y, x + width, y + height] == list(example.boxes[i])
            assert annotation["category_id"] == example.box_classes[i] + 1
            mask = decoded(**runs_of(annotation))
            assert (mask == (instances == i + 1)).all()
            assert annotation["area"] == mask.sum()


def runs_of(annotation):
    mask = annotation["segmentation"]
    return {"runs": mask["counts"], "size": mask["size"]}


def test_files_do_not_depend_on_the_number_of_processes(scenes, tmp_path):
    tabletop.write_scenes(tmp_path / "two", counts=COUNTS, seed=7, options=SCENES, processes=2)
    assert contents(tmp_path / "two") == contents(scenes)


def test_subjects_become_three_folders(tmp_path):
    options = replace(SCENES, subject=True, unreliable_depth=0.0)
    tabletop.write_scenes(tmp_path / "out", counts=COUNTS, seed=1, options=options, processes=1)
    for split, count in (("train", 3), ("val", 1), ("test", 1)):
        stems = [
            sorted(p.stem for p in (tmp_path / "out" / split / kind).iterdir())
            for kind in ("RGB", "depth", "GT")
        ]
        assert stems[0] == stems[1] == stems[2]
        assert len(stems[0]) == count
    mask = cv2.imread(str(tmp_path / "out/val/GT/scene_00003.png"), cv2.IMREAD_UNCHANGED)
    example = tabletop.render_scene(seed=1, index=3, options=options)
    assert (mask == np.where(example.instances > 0, 255, 0)).all()


def test_a_turntable_is_a_video_with_truth(tmp_path):
    options = tabletop.TurntableOptions(size=64)
    out = tmp_path / "turn"
    tabletop.write_turntable(out, label=2, frames=5, seed=3, options=options)
    table = tabletop.render_turntable(2, seed=3, frames=5, options=options)
    with av.open(str(out / "turntable.mp4")) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert len(frames) == 5
    for read, frame in zip(frames, table.frames, strict=True):
        assert np.abs(read.astype(int) - frame.astype(int)).mean() < 8
    assert (cv2.imread(str(out / "empty.png"))[..., ::-1] == table.empty).all()
    document = json.loads((out / "truth.json").read_text())
    assert [image["angle"] for image in document["images"]] == [0, 72, 144, 216, 288]
    for image, annotation, true in zip(
        document["images"], document["annotations"], table.masks, strict=True
    ):
        read = cv2.imread(str(out / "masks" / image["file_name"]), cv2.IMREAD_UNCHANGED)
        assert ((read > 0) == true).all()
        assert (decoded(**runs_of(annotation)) == true).all()


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, RuntimeError])
def test_interrupted_writing_leaves_nothing(tmp_path, monkeypatch, interrupt):
    written = []

    def stop_at_the_third(path, picture, **options):
        if len(written) == 2:
            raise interrupt
        written.append(path)

    monkeypatch.setattr(rendered_sets, "write_picture", stop_at_the_third)
    with pytest.raises(interrupt):
        tabletop.write_scenes(tmp_path / "out", counts=COUNTS, options=SCENES, processes=1)
    assert len(written) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_failure_in_another_process_leaves_nothing(tmp_path, monkeypatch):
    # Options are checked where they are made; this one breaks only where it is used.
    options = ClassOptions(size=32)
    object.__setattr__(options, "size", None)
    with pytest.raises(TypeError, match="NoneType"):
        tabletop.write_classes(tmp_path / "out", counts=COUNTS, options=options, processes=2)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_while_others_work_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(rendered_sets, "_append", fail)
    counts = SplitCounts(train=60, val=0, test=0)
    with pytest.raises(KeyboardInterrupt):
        tabletop.write_scenes(tmp_path / "out", counts=counts, options=SCENES, processes=2)
    assert list(tmp_path.iterdir()) == []


def test_what_exists_is_not_written_over(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        tabletop.write_classes(tmp_path, counts=COUNTS)
    assert contents(tmp_path) == {"mine.txt": b"mine"}


@pytest.mark.parametrize("counts", [(0, 0, 0), (5, -1, 0)])
def test_a_set_needs_pictures(counts):
    with pytest.raises(InputError):
        SplitCounts(train=counts[0], val=counts[1], test=counts[2])


def test_the_embedded_set_is_rendered_once(tmp_path, monkeypatch):
    calls = []

    def few(out, **options):
        calls.append(options)
        out.mkdir(parents=True)

    monkeypatch.setattr("viewfinder.tabletop.embedded.write_classes", few)
    assert embedded_classes(tmp_path) == embedded_classes(tmp_path)
    assert len(calls) == 1


def test_imbalance_thins_out_the_training_pictures_of_later_classes_alone(tmp_path):
    counts = tabletop.SplitCounts(train=8, val=1, test=1)
    options = tabletop.ClassOptions(size=16, imbalance=8)
    tabletop.write_classes(tmp_path / "set", counts=counts, options=options, processes=1)
    kept = [
        {side: len(list((tmp_path / "set" / side / name).iterdir())) for side in ("train", "val")}
        for name in tabletop.CLASSES
    ]
    train = [sides["train"] for sides in kept]
    assert (train[0], train[-1]) == (8, 1)
    assert train == sorted(train, reverse=True)
    assert [sides["val"] for sides in kept] == [1] * 8
