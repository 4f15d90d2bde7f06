"""RGB-D sets as people bring them: odd folders of pictures, one flat folder, arrays, no masks."""

import shutil

import cv2
import numpy as np
import pytest

from viewfinder.datasets.checks.checking import check_dataset
from viewfinder.datasets.formats.rgbd.reading import read_nearness, read_subject
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_mask, write_picture

COUNT = 6


def write_parts(root, *, inverted=False, **parts):
    """Files of `COUNT` scenes, each part under its pattern: pictures, masks or depth."""
    for number in range(COUNT):
        random = np.random.default_rng(number)
        mask = np.zeros((16, 20), np.bool_)
        mask[3 : 9 + number, 2 + number : 14] = True
        depth = np.where(mask, 40, 180).astype(np.uint8) + random.integers(0, 9, (16, 20), np.uint8)
        for part, pattern in parts.items():
            file = root / pattern.format(number)
            file.parent.mkdir(parents=True, exist_ok=True)
            if part.startswith("picture"):
                write_picture(file, random.integers(0, 256, (16, 20, 3), np.uint8))
            elif file.suffix == ".npy":
                np.save(file, mask if part == "mask" else depth / 50)
            elif part.startswith("mask"):
                write_mask(file, mask != inverted)
            elif part == "depth":
                cv2.imwrite(str(file), depth)
            else:
                file.write_bytes(b"what nobody reads")
    return root


def kinds(dataset):
    return {fault.kind for fault in check_dataset(dataset)}


@pytest.mark.parametrize(
    "parts",
    [
        {"picture": "left_view/{}.png", "mask": "GT/{}.png", "depth": "depth/{}.png",
         "picture_right": "right_view/{}.png"},
        {"picture": "data/{}.jpg", "mask": "GT/{}.png", "depth": "depth/{}.png"},
        {"picture": "data/{}.jpg", "mask": "masks/{}.png", "depth": "depth/{}.npy"},
        {"picture": "train/Left/{}.jpg", "mask": "train/GT/{}.npy", "depth": "train/Depth/{}.bmp",
         "picture_right": "train/Right/{}.jpg"},
        {"picture": "{}.jpg", "mask": "GT/{}.png", "depth": "depth/{}.png"},
        {"picture": "{}.jpg", "mask": "{}_gt.png", "depth": "{}_depth.png"},
        {"picture": "MSRA-B/{}.jpg", "mask": "MSRA-B/{}.png"},
        {"picture": "images/{}.jpg", "mask": "images/{}_mask.png"},
    ],
)  # fmt: skip
def test_pictures_are_found_beside_maps_of_their_names(tmp_path, parts):
    dataset = open_dataset(write_parts(tmp_path, **parts))
    assert len(dataset) == COUNT
    for index in range(COUNT):
        number = next(n for n in range(COUNT) if parts["picture"].format(n) == dataset.paths[index])
        assert dataset.masks[index] == parts["mask"].format(number)
        assert read_subject(dataset, index).sum() == (6 + number) * (12 - number)
        if "depth" in parts:
            assert dataset.depths[index] == parts["depth"].format(number)
            near, mask = read_nearness(dataset, index), read_subject(dataset, index)
            assert near[mask].min() > near[~mask].max()
    told = "; ".join(dataset.notes)
    assert ("not read: " in told) == ("picture_right" in parts)
    assert kinds(dataset) <= {"passed-over", "depth-range"}


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"mask": "GT/{}.png", "depth": "depth/{}.png"}, "no pictures of these names"),
        (
            {"mask": "GT/{}.png", "depth": "depth/{}.png", "mask_edge": "edge/{}.png"},
            "no pictures of these names",
        ),
        ({"picture": "data/{}.jpg", "depth": "depth/{}.png"}, "no masks of their subjects"),
        ({"picture": "data/{}.jpg", "depth": "disparity/{}.npy"}, "no masks of their subjects"),
    ],
)
def test_maps_are_no_classes(tmp_path, parts, says):
    with pytest.raises(InputError, match=says):
        open_dataset(write_parts(tmp_path, **parts))


@pytest.mark.parametrize("odd", ["no mask", "helmet", "left"])
def test_classes_about_masks_stay_classes(tmp_path, odd):
    write_parts(tmp_path, picture="mask/{}.jpg", picture_b=f"{odd}/{{}}.jpg")
    assert open_dataset(tmp_path).classes == tuple(sorted(["mask", odd]))


def test_depth_of_an_unknown_format_is_told(tmp_path):
    write_parts(tmp_path, picture="RGB/{}.jpg", mask="GT/{}.png", other="depth/{}.exr")
    (tmp_path / "depth/about.txt").write_text("not named as a picture is")
    dataset = open_dataset(tmp_path)
    assert f"depth/*.exr ({COUNT})" in dataset.summary()
    (fault,) = check_dataset(dataset)
    assert (fault.kind, fault.file) == ("unread", "depth/*.exr")
    with pytest.raises(InputError, match=r"depth/\*\.exr is of a format that is not read"):
        dataset.require_depths()
    shutil.rmtree(tmp_path / "depth")
    assert kinds(open_dataset(tmp_path)) == set()


def test_a_mat_file_of_another_version_is_one_fault_each(tmp_path):
    write_parts(tmp_path, picture="RGB/{}.jpg", mask="GT/{}.png", other="depth/{}.mat")
    for file in (tmp_path / "depth").iterdir():
        file.write_bytes(b"MATLAB 7.3 MAT-file".ljust(600))
    faults = check_dataset(open_dataset(tmp_path))
    assert [fault.kind for fault in faults] == ["unreadable"] * COUNT
    assert "7.3" in faults[0].detail


def test_inverted_masks_are_told(tmp_path):
    write_parts(tmp_path, picture="RGB/{}.jpg", mask="GT/{}.png", inverted=True)
    dataset = open_dataset(tmp_path)
    assert any("look inverted" in note for note in dataset.notes)
    assert kinds(dataset) == {"inverted-masks"}


def test_masks_of_whole_numbers_above_one_are_dark(tmp_path):
    write_parts(tmp_path, picture="RGB/{}.jpg", mask="GT/{}.npy")
    np.save(tmp_path / "GT/1.npy", np.full((16, 20), 3))
    assert kinds(open_dataset(tmp_path)) == {"dark-mask"}


@pytest.mark.parametrize("names", [("input", "target"), ("x", "y"), ("img", "label")])
def test_masks_that_would_be_a_class_are_said(tmp_path, names):
    picture, mask = (name + "/{}.png" for name in names)
    write_parts(tmp_path, picture=picture, mask=mask)
    dataset = open_dataset(tmp_path)
    assert dataset.classes == names
    assert f"the pictures of {names[1]} have the names of those of {names[0]}" in dataset.summary()
    assert kinds(dataset) == {"masks"}


def test_classes_of_numbered_pictures_are_no_masks(tmp_path):
    # Two classes of the same numbers; drawings beside photographs of other names.
    write_parts(tmp_path / "one", picture="cat/{}.png", picture_of_dogs="dog/{}.png")
    write_parts(tmp_path / "two", picture="photo/{}.png", mask="drawing/a{}.png")
    write_parts(tmp_path / "three", mask="x/{}.png", mask_too="o/{}.png")
    for name in ("one", "two", "three"):
        assert not open_dataset(tmp_path / name).notes
