"""What people bring, second round: odd exports of tools, copies of files, sets of other kinds."""

import json

import numpy as np
import pytest
from brought import (
    HEIGHT,
    TRUTH,
    WIDTH,
    coco,
    coco_document,
    picture,
    said,
    text,
    truth,
    voc_page,
    yolo_lines,
)

from viewfinder.datasets.checks.boxes import check_boxes
from viewfinder.datasets.copies import without_copies
from viewfinder.datasets.dataset import SPLITS
from viewfinder.datasets.meaning import Meaning, other_meaning
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.errors import InputError

YAML = "train: images\nnames: [red, blue]\n"
NAMES = {stem: f"{stem}.jpg" for stem in TRUTH}


def kinds(root):
    return {fault.kind for fault in check_boxes(read_boxes(root))}


def yolo(root, pictures="images/{}.jpg", labels="labels/{}.txt", lines=yolo_lines):
    for stem in TRUTH:
        picture(root / pictures.format(stem))
        text(root / labels.format(stem), lines(stem))


def voc(root, pictures="images/{}.jpg", pages="annotations/{}.xml"):
    for stem in TRUTH:
        picture(root / pictures.format(stem))
        text(root / pages.format(stem), voc_page(stem))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("obj.names", "red\nblue\n"),
        ("images/_darknet.labels", "red\nblue\n"),
        ("classes.txt", "\ufeff# the classes\n\nred  \nblue\n"),
        ("config/data.yaml", YAML),
        ("data.yaml", YAML + "test: ../test/images\n"),
    ],
)
def test_lists_of_classes_of_several_tools(tmp_path, file, content):
    yolo(tmp_path, labels="images/{}.txt")
    text(tmp_path / file, content)
    assert said(read_boxes(tmp_path)) == truth()


@pytest.mark.parametrize("folder", ["annotations", "yolo_labels", "labels/train"])
def test_labels_in_another_folder_are_found_by_their_names(tmp_path, folder):
    yolo(tmp_path, labels=f"{folder}/{{}}.txt")
    text(tmp_path / "data.yaml", YAML)
    dataset = read_boxes(tmp_path)
    assert said(dataset) == truth()
    assert "4 files of labels found by the name alone" in dataset.summary()


def test_a_side_that_is_not_there_is_told_and_the_others_are_read(tmp_path):
    yolo(tmp_path)
    text(tmp_path / "data.yaml", YAML + "val: images/val\n")
    assert kinds(tmp_path) == {"not-found"}
    assert said(open_dataset(tmp_path)) == truth()


@pytest.mark.parametrize("line", ["{}", "labels/{}.txt", "./images/{}.jpg"])
def test_lists_of_stems_or_labels(tmp_path, line):
    yolo(tmp_path)
    text(tmp_path / "data.yaml", YAML.replace("images", "train.txt"))
    text(tmp_path / "train.txt", "\ufeff" + "\r\n\r\n".join(map(line.format, TRUTH)))
    dataset = read_boxes(tmp_path)
    assert (said(dataset), set(dataset.splits)) == (truth(), {0})


@pytest.mark.parametrize("layout", ["yolo", "voc", "coco"])
def test_masks_and_depth_maps_beside_are_no_pictures_of_the_set(tmp_path, layout):
    voc(tmp_path, pictures="photos/{}.jpg")
    if layout != "voc":
        for stem in TRUTH:
            (tmp_path / f"annotations/{stem}.xml").unlink()
    if layout == "yolo":
        yolo(tmp_path, pictures="photos/{}.jpg")
        text(tmp_path / "classes.txt", "red\nblue\n")
    elif layout == "coco":
        coco(tmp_path / "annotations/train.json", NAMES)
    for stem in TRUTH:
        for folder in ("masks", "depth", "thumbs"):
            picture(tmp_path / folder / f"{stem}.jpg")
    dataset = read_boxes(tmp_path)
    assert all(path.startswith("photos/") for path in dataset.paths)
    assert said(dataset) == truth()
    assert not [fault for fault in dataset.faults if fault.blocking]


def key_points(stem):
    """Boxes with five points behind, of which some are not marked and stand at 0 0."""
    lines = []
    for number, line in enumerate(yolo_lines(stem).splitlines()):
        x, y = line.split()[1:3]
        points = [f"{x} {y}"] * 5
        points[number % 5] = points[-1] = "0 0"
        lines.append(f"{line} {' '.join(points)}\n")
    return "".join(lines)


def test_key_points_that_are_not_marked_are_no_corners(tmp_path):
    yolo(tmp_path, lines=key_points)
    text(tmp_path / "data.yaml", YAML)
    with pytest.raises(InputError, match=r"kpt_shape: \[5, 2\]"):
        open_dataset(tmp_path)


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        (["a/train.json", "a/train (1).json"], ["a/train.json"]),
        (["train.json", "train_old.json", "val.json"], ["train.json", "val.json"]),
        (["train.json", "train - Copy (2).json"], ["train.json"]),
        (["train.json", "backup/train.json"], ["train.json"]),
        (["train_old.json"], ["train_old.json"]),
        (["threshold.json", "old/thresh.json"], ["threshold.json"]),
    ],
)
def test_copies_of_a_file_are_not_read_with_it(paths, kept):
    assert without_copies(paths) == kept


@pytest.mark.parametrize("layout", ["coco", "voc"])
def test_two_states_of_the_same_labels_are_told(tmp_path, layout):
    if layout == "voc":
        voc(tmp_path)
        voc(tmp_path, pages="more/annotations/{}.xml")
        page = tmp_path / "more/annotations/1.xml"
        page.write_text(page.read_text().replace("<xmax>30", "<xmax>29"))
    else:
        for stem in TRUTH:
            picture(tmp_path / f"images/{stem}.jpg")
        coco(tmp_path / "annotations/instances_a.json", NAMES)
        document = coco_document(NAMES)
        document["annotations"][2]["bbox"][2] -= 1
        text(tmp_path / "annotations/instances_b.json", json.dumps(document))
    assert "two-versions" in kinds(tmp_path)
    assert "1 box of them lie on another" in read_boxes(tmp_path).summary()


@pytest.mark.parametrize("name", ["{}.png", "{}", "0a1b2c3d-{}.jpg", "images/0a1b2c3d-{}.jpg"])
def test_coco_names_of_another_suffix_or_an_upload(tmp_path, name):
    for stem in TRUTH:
        picture(tmp_path / f"images/{stem}.jpg")
    coco(tmp_path / "result.json", {stem: name.format(stem) for stem in TRUTH})
    assert said(read_boxes(tmp_path)) == truth()


def test_a_name_that_several_pictures_have_and_pictures_that_are_not_there(tmp_path):
    for folder in ("a", "b"):
        picture(tmp_path / f"images/{folder}/0.jpg")
    coco(tmp_path / "annotations/train.json", {"0": "0.jpg"})
    with pytest.raises(InputError, match=r"images/a/0\.jpg or images/b/0\.jpg"):
        open_dataset(tmp_path)
    coco(tmp_path / "c/annotations/train.json", NAMES)
    with pytest.raises(InputError, match="of 4 pictures that it names none is in"):
        open_dataset(tmp_path / "c")
    picture(tmp_path / "c/images/0.jpg")
    assert "3 labelled pictures not there" in read_boxes(tmp_path / "c").summary()


def test_a_category_that_only_stands_above_others_is_no_class(tmp_path):
    for stem in TRUTH:
        picture(tmp_path / f"train/{stem}.jpg")
    document = coco_document(NAMES)
    for category in document["categories"]:
        category["supercategory"] = "things"
    document["categories"].insert(0, {"id": 0, "name": "things", "supercategory": "none"})
    text(tmp_path / "train/_annotations.coco.json", json.dumps(document))
    assert read_boxes(tmp_path).classes == ("red", "blue")
    assert not kinds(tmp_path)


def test_voc_lists_called_otherwise_and_pages_called_as_the_picture(tmp_path):
    voc(tmp_path, pages="annotations/{}.jpg.xml")
    text(tmp_path / "train_list.txt", "images/0.jpg annotations/0.xml\nimages/1.jpg x\n")
    text(tmp_path / "val_list.txt", "images/2.jpg x\nimages/3.jpg x\n")
    for stem in TRUTH:
        (tmp_path / f"annotations/{stem}.jpg.xml").rename(tmp_path / f"annotations/{stem}.xml")
    dataset = read_boxes(tmp_path)
    assert [SPLITS[side] for side in dataset.splits] == ["train", "train", "val", "val"]
    for stem in TRUTH:
        (tmp_path / f"annotations/{stem}.xml").rename(tmp_path / f"annotations/{stem}.jpg.xml")
    assert said(read_boxes(tmp_path)) == truth()
    assert not {fault for fault in kinds(tmp_path) if fault == "two-pictures"}


def test_a_link_that_leads_to_itself_and_labels_of_a_second_format(tmp_path):
    voc(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    coco(tmp_path / "labels.json", {"0": "0.jpg"})
    dataset = read_boxes(tmp_path)
    assert dataset.layout == "COCO"
    assert "labels of Pascal VOC lie here too and are not read" in dataset.summary()


def boxes_at(count, seed=0):
    """Centres anywhere in a picture of 100×100, sizes up to 40, as M×4 corners."""
    random = np.random.default_rng(seed)
    centres, sizes = random.uniform(0, 100, (count, 2)), random.uniform(4, 40, (count, 2))
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)


def as_sizes(corners):
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)


@pytest.mark.parametrize("count", [3, 8, 40, 400])
@pytest.mark.parametrize("seed", range(5))
def test_boxes_that_reach_out_of_their_pictures_on_all_sides_mean_what_they_say(count, seed):
    corners, sizes = boxes_at(count, seed), np.full((count, 2), 100)
    own = Meaning("corner and size", "pixels")
    found = other_meaning(as_sizes(corners), sizes, own)
    assert found is None or not found.certain
    assert other_meaning(corners, sizes, Meaning("corners", "pixels")) is None
    centres = np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, as_sizes(corners)[:, 2:]], 1)
    found = other_meaning(centres / 100, sizes, Meaning("centre and size", "shares"))
    assert found is None or not found.certain


@pytest.mark.parametrize("seed", range(5))
def test_numbers_of_another_meaning_are_seen_in_twenty_boxes(seed):
    corners, sizes = np.clip(boxes_at(20, seed), 0, 100), np.full((20, 2), 100)
    own = Meaning("corner and size", "pixels")
    swapped = corners[:, [1, 0, 3, 2]] * [0.9, 1, 0.9, 1]
    for numbers, form, unit in (
        (corners, "corners", "pixels"),
        (corners / 100, "corners", "shares"),
        (as_sizes(corners) / 100, "corner and size", "shares"),
    ):
        found = other_meaning(numbers, sizes, own)
        assert (found.form, found.unit, found.certain) == (form, unit, True)
    assert other_meaning(swapped, sizes, own) is not None
    large = np.full((20, 2), 640)
    assert other_meaning(as_sizes(corners), large, own).unit == "percent"
    unknown = np.zeros((20, 2), np.int64)
    assert other_meaning(as_sizes(corners) / 100, unknown, own).unit == "shares"
    yxyx = Meaning("corners", "pixels")
    assert other_meaning(as_sizes(corners), sizes, yxyx).form == "corner and size"


OTHER_LABELS = {
    "KITTI": ("label_2/{}.txt", "Car 0.00 0 -1.5 4.0 6.0 24.0 16.0 1.5 1.6 3.2 1 1 20 -1.6\n"),
    "DOTA": ("labelTxt/{}.txt", "imagesource:x\n4.0 6.0 24.0 6.0 24.0 16.0 4.0 16.0 red 0\n"),
    "VisDrone": ("annotations/{}.txt", "4,6,20,10,1,4,0,0\n"),
    "NWPU": ("ground truth/{}.txt", "(4,6),(24,16),1\n"),
    "Open Images by class": ("Label/{}.txt", "Traffic light 4.0 6.0 24.0 16.0\n"),
    "sequence": ("xml/{}.xml", '<sequence><frame><box left="1" top="2"/></frame></sequence>'),
    "BDD": ("labels/all.json", '[{"labels": [{"box2d": {"x1": 1}}]}]'),
    "CrowdHuman": ("a.odgt", '{"gtboxes": [{"fbox": [1, 2, 3, 4]}]}\n'),
    "no header": ("train.csv", "0.jpg,4,6,24,16,red\n1.jpg,4,6,24,16,red\n"),
    "keras": ("_annotations.txt", "0.jpg 4,6,24,16,0 5,7,20,9,1\n"),
}


@pytest.mark.parametrize("tool", OTHER_LABELS)
def test_boxes_of_other_tools_are_said(tmp_path, tool):
    name, content = OTHER_LABELS[tool]
    for side in ("a_train", "a_val"):
        for stem in TRUTH:
            picture(tmp_path / side / f"{stem}.jpg")
            text(tmp_path / name.format(stem), content)
    with pytest.raises(InputError, match=r"not read|YOLO's lines"):
        open_dataset(tmp_path)


BESIDE_CLASSES = {
    "README.txt": "0 0.5 0.5 0.1 0.1\n1 2 3 4 5\n",
    "metadata.json": '{"images": 12, "annotations": "none"}',
    "places.json": '{"annotations": 1, "label": "x", "coordinates": [1, 2]}',
    "cat/0.txt": "a photo of 2 cats, 4 legs each",
    "cat/1.txt": "1.0 0.0 0.0 0.0\n0.0 1.0 0.0 0.0\n0 0 1 0\n0 0 0 1\n",
    "cat/0.jpg.json": '{"title": "0.jpg", "geoData": {"latitude": 0.0}}',
    "camera.xml": "<camera><fx>1</fx></camera>",
    "index.xml": "<rss><annotation>x</annotation></rss>",
    "annotations.csv": "filename,label,width,height,quality\ncat/0.jpg,cat,80,60,1\n",
    "features.csv": "0.jpg,0.5,0.4,0.3,0.2,0.1\n",
    "dataset.yaml": "names: [cat, dog]\nnc: 2\n",
    "intrinsics.yaml": "fx: 1\nnames: 3\n",
    "classes.txt": "cat\ndog\n",
}


@pytest.mark.parametrize("name", BESIDE_CLASSES)
def test_files_beside_class_folders_are_no_labels(tmp_path, name):
    for folder in ("cat", "dog"):
        for stem in TRUTH:
            picture(tmp_path / folder / f"{stem}.jpg")
    text(tmp_path / name, BESIDE_CLASSES[name])
    dataset = open_dataset(tmp_path)
    assert (dataset.layout, dataset.classes) == ("class folders", ("cat", "dog"))
    assert "lists boxes" not in dataset.summary()


def test_a_table_of_boxes_beside_classes_is_told_and_beside_masks_too(tmp_path):
    for folder in ("001.Albatross", "002.Auklet"):
        for stem in TRUTH:
            picture(tmp_path / "images" / folder / f"{stem}.jpg")
    text(tmp_path / "bounding_boxes.txt", "1 60.0 27.0 325.0 304.0\n2 1 2 3 4\n")
    dataset = open_dataset(tmp_path)
    assert dataset.classes == ("001.Albatross", "002.Auklet")
    assert "bounding_boxes.txt lists boxes, and is not read" in dataset.summary()


def test_the_size_of_one_box_says_nothing_of_its_unit(tmp_path):
    picture(tmp_path / "images/0.jpg")
    text(tmp_path / "labels/0.txt", f"0 {38 / WIDTH} {19 / HEIGHT} 1.2 1.3\n")
    text(tmp_path / "data.yaml", YAML)
    assert not [fault for fault in read_boxes(tmp_path).faults if fault.blocking]


def test_a_zero_of_a_box_that_reaches_out_does_not_move_the_others(tmp_path):
    for stem in TRUTH:
        picture(tmp_path / f"images/{stem}.jpg")
        page = voc_page(stem)
        page = page.replace("<xmin>5<", "<xmin>0<").replace("<xmin>23<", "<xmin>-3<")
        text(tmp_path / f"annotations/{stem}.xml", page)
    dataset = read_boxes(tmp_path)
    assert said(dataset)["0"] == [("blue", (20, 5, 36, 15)), ("red", (-1, 2, 14, 12))]
    assert not any("counted from 0" in note for note in dataset.notes)
