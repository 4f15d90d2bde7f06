"""Folders of boxes as tools and people leave them: read as what they are, or said what they are."""

import json
import unicodedata

import numpy as np
import pytest
from brought import NAMES, TRUTH, coco, picture, said, text, truth, voc_page, yolo_lines

from viewfinder.datasets.checks.boxes import check_boxes
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_picture

YAML = "names: [red, blue]\n"
ALL_IN_TRAIN = "train: images/train\n" + YAML


def kinds(root):
    return {fault.kind for fault in check_boxes(read_boxes(root))}


YOLO = {
    # What is written, and by the stem where the picture and its labels lie.
    "capitals": ({"data.yaml": "train: Images\n" + YAML}, "Images/{}.JPG", "LABELS/{}.TXT"),
    "beside": ({"data.yaml": "train: images\n" + YAML}, "images/{}.jpg", "images/{}.txt"),
    "two suffixes": ({"data.yaml": "train: images\n" + YAML}, "images/{}.jpg", "labels/{}.jpg.txt"),
    "once another suffix": (
        {"data.yaml": "train: train/images\n" + YAML},
        "train/images/{}.JPG.jpg",
        "train/labels/{}.txt",
    ),
    "own words": (
        {"data.yaml": "train: train_images\n" + YAML},
        "train_images/{}.jpg",
        "train_labels/{}.txt",
    ),
    "windows": ({"data.yaml": "train: images\\train\n" + YAML}, "images/train/{}.jpg", None),
    "another computer": (
        {"data.yaml": "path: C:\\x\ntrain: C:\\x\\images\\train\n" + YAML},
        "images/train/{}.jpg",
        None,
    ),
    "every file of a folder": ({"data.yaml": "train: images/*\n" + YAML}, "images/{}.jpg", None),
    "over lines": (
        {"data.yaml": "names: [\n'red',\n'blue'\n]\ntrain: images\n"},
        "images/{}.jpg",
        None,
    ),
    "labelimg": ({"classes.txt": "red\nblue\n"}, "{}.jpg", "{}.txt"),
    "labelimg's list with the labels": (
        {"labels/classes.txt": "red\nblue\n"},
        "images/{}.jpg",
        "labels/{}.txt",
    ),
    "cvat": (
        {
            "obj.data": "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\n",
            "obj.names": "red\nblue\n",
            "train.txt": "".join(f"data/obj_train_data/{stem}.jpg\n" for stem in TRUTH),
        },
        "obj_train_data/{}.jpg",
        "obj_train_data/{}.txt",
    ),
    "in a folder within": ({"set/data.yaml": ALL_IN_TRAIN}, "set/images/train/{}.jpg", None),
}


@pytest.mark.parametrize("layout", YOLO)
def test_yolo_layouts(tmp_path, layout):
    files, pictures, labels = YOLO[layout]
    labels = labels or pictures.replace("images", "labels").replace(".jpg", ".txt")
    for path, content in files.items():
        text(tmp_path / path, content)
    for stem in TRUTH:
        picture(tmp_path / pictures.format(stem))
        text(tmp_path / labels.format(stem), yolo_lines(stem))
    dataset = read_boxes(tmp_path)
    assert dataset.layout == "YOLO"
    assert {key.split(".")[0]: value for key, value in said(dataset).items()} == truth()
    assert not {fault.kind for fault in check_boxes(dataset)} - {"turned"}


VOC = {
    "devkit": ("JPEGImages/{}.jpg", "Annotations/{}.xml"),
    "kaggle": ("images/{}.png", "annotations/{}.xml"),
    "one folder": ("{}.jpg", "{}.xml"),
    "beside, by side": ("train/{}.jpg", "train/{}.xml"),
    "shortened": ("images/{}.jpg", "annots/{}.xml"),
    "deeper": ("JPEGImages/{}.jpg", "Annotations/Horizontal Bounding Boxes/{}.xml"),
    "above the years": ("VOC2007/JPEGImages/{}.jpg", "VOC2007/Annotations/{}.xml"),
}


@pytest.mark.parametrize("layout", VOC)
def test_voc_layouts(tmp_path, layout):
    pictures, pages = VOC[layout]
    for stem in TRUTH:
        picture(tmp_path / pictures.format(stem))
        text(tmp_path / pages.format(stem), voc_page(stem))
    dataset = read_boxes(tmp_path)
    assert (dataset.layout, said(dataset)) == ("Pascal VOC", truth())
    assert dataset.has_split("train") == ("train" in pages)
    assert not kinds(tmp_path)


def test_a_devkit_of_several_years_has_lists_of_its_own(tmp_path):
    for year, side in (("VOC2007", "test"), ("VOC2012", "train")):
        picture(tmp_path / year / "JPEGImages/0.jpg")
        text(tmp_path / year / "Annotations/0.xml", voc_page("0"))
        text(tmp_path / year / f"ImageSets/Main/{side}.txt", "0.jpg\n")
    dataset = read_boxes(tmp_path)
    assert dict(zip(dataset.paths, dataset.splits.tolist(), strict=True)) == {
        "VOC2007/JPEGImages/0.jpg": 2,
        "VOC2012/JPEGImages/0.jpg": 0,
    }


COCO = {
    "named otherwise": ("project-1-at-2024.json", "batch/{}.jpg", "{}.jpg"),
    "fiftyone": ("labels.json", "data/{}.jpg", "{}.jpg"),
    "label studio": ("result.json", "images/{}.jpg", "images/{}.jpg"),
    "an upload's address": ("result.json", "images/{}.jpg", "http://host/data/upload/1/{}.jpg"),
    "climbing": ("annotations/instances.json", "images/{}.jpg", "../../data/upload/{}.jpg"),
    "of windows": ("annotations/instances.json", "images/{}.jpg", "D:\\work\\images\\{}.jpg"),
    "another case": ("annotations/instances_train.json", "images/train/{}.jpg", "{}.JPG"),
    "odd suffix": ("annotations/instances_train.json", "train/{}.jfif", "{}.jfif"),
    "in folders unknown here": ("annotations/instances.json", "images/{}.jpg", "p/data/{}.jpg"),
}


@pytest.mark.parametrize("layout", COCO)
def test_coco_layouts(tmp_path, layout):
    file, pictures, names = COCO[layout]
    for stem in TRUTH:
        picture(tmp_path / pictures.format(stem))
    coco(tmp_path / file, {stem: names.format(stem) for stem in TRUTH})
    dataset = read_boxes(tmp_path)
    assert (dataset.layout, said(dataset)) == ("COCO", truth())
    assert not kinds(tmp_path)


def test_a_json_file_beside_the_folder_of_pictures(tmp_path):
    for stem in TRUTH:
        picture(tmp_path / f"train2017/{stem}.jpg")
    coco(tmp_path / "labels_json/mine.json", {stem: f"{stem}.jpg" for stem in TRUTH})
    assert said(read_boxes(tmp_path / "labels_json/mine.json")) == truth()


@pytest.mark.parametrize("layout", ["yolo", "voc", "coco"])
def test_accents_composed_otherwise_and_linked_folders(tmp_path, layout):
    stem, root = "café", tmp_path / "set"
    composed, apart = (unicodedata.normalize(form, stem) for form in ("NFC", "NFD"))
    TRUTH[composed] = TRUTH["0"]
    try:
        picture(tmp_path / f"disk/{apart}.jpg")
        root.mkdir()
        if layout == "yolo":
            text(root / "data.yaml", "train: images\n" + YAML)
            text(root / f"labels/{composed}.txt", yolo_lines(composed))
        elif layout == "voc":
            text(root / f"Annotations/{composed}.xml", voc_page(composed))
        else:
            coco(root / "annotations/instances_train.json", {composed: f"{composed}.jpg"})
        folder = {"yolo": "images", "voc": "JPEGImages", "coco": "train"}[layout]
        (root / folder).symlink_to(tmp_path / "disk")
        dataset = read_boxes(root)
        assert list(said(dataset).values()) == list(truth(composed).values())
        assert dataset.file(0).is_file()
        assert not kinds(root)
    finally:
        del TRUTH[composed]


def test_what_lies_there_and_is_not_used_is_counted_in_every_layout(tmp_path):
    for root in (tmp_path / "yolo", tmp_path / "voc", tmp_path / "coco"):
        for stem in ("0", "1", "bare"):
            picture(root / f"images/{stem}.jpg")
    text(tmp_path / "yolo/data.yaml", "train: images\n" + YAML)
    for stem in ("0", "1", "2"):
        text(tmp_path / f"yolo/labels/{stem}.txt", yolo_lines(stem))
        text(tmp_path / f"voc/annotations/{stem}.xml", voc_page(stem))
    coco(tmp_path / "coco/annotations/instances_train.json", {s: f"{s}.jpg" for s in "012"})
    file = tmp_path / "coco/annotations/instances_train.json"
    document = json.loads(file.read_text())
    document["annotations"][0]["image_id"] = 99
    file.write_text(json.dumps(document))
    summary = read_boxes(tmp_path / "yolo").summary()
    assert "1 of 3 pictures without a file of labels" in summary
    assert "1 file of labels of no picture (labels/2.txt)" in summary
    assert "missing" in kinds(tmp_path / "yolo")
    assert "1 picture without an XML file (images/bare.jpg)" in read_boxes(tmp_path / "voc").notes
    assert "missing" in kinds(tmp_path / "voc")
    assert "1 picture in no file of labels (images/bare.jpg)" in read_boxes(tmp_path / "coco").notes
    assert {"missing", "unlisted-image"} <= kinds(tmp_path / "coco")


def test_masks_of_the_pictures_names_are_not_taken_for_the_pictures(tmp_path):
    """As beside a video of the pictures; photographs in a folder of such a name are."""
    shape, noise = np.zeros((20, 30, 3), np.uint8), np.random.default_rng(0)
    shape[5:15, 5:15] = 255
    for name in ("film", "faces"):
        coco(tmp_path / name / "truth.json", {s: f"{s}.png" for s in "01"})
    for stem in "01":
        write_picture(tmp_path / f"film/masks/{stem}.png", shape)
        photograph = noise.integers(0, 255, shape.shape, np.uint8)
        write_picture(tmp_path / f"faces/mask/{stem}.png", photograph)
    assert "no-pictures" not in kinds(tmp_path / "faces")
    with pytest.raises(InputError, match=r"of their names are masks alone, as masks/0\.png: bring"):
        open_dataset(tmp_path / "film")


OTHERS = {
    "a tool": ("{}.json", '{"gtboxes": []}', "JSON with boxes"),
    "label studio": ("tasks.json", '[{"from_name": 1, "to_name": 2}]', "Label Studio"),
    "cvat": ("annotations.xml", "<annotations><image/></annotations>", "CVAT"),
    "a table": ("train_labels.csv", "filename,width,height,class,xmin,ymin,xmax,ymax\n", "table"),
    "yolo without names": ("{}.txt", "1 0.5 0.5 0.25 0.5\n", r"names: \[name0, name1\]"),
}


@pytest.mark.parametrize("tool", OTHERS)
def test_labels_of_other_tools_are_no_class_folders(tmp_path, tool):
    name, content, says = OTHERS[tool]
    for side in ("train", "test"):
        for stem in "012":
            picture(tmp_path / f"{side}/{stem}.jpg")
            text(tmp_path / side / name.format(stem), content)
    with pytest.raises(InputError, match=says):
        open_dataset(tmp_path)


def test_empty_yaml_beside_class_folders_and_an_empty_data_yaml(tmp_path):
    for name in NAMES:
        picture(tmp_path / name / "1.jpg")
    text(tmp_path / "notes.yaml", "")
    text(tmp_path / "data.yaml", "# nothing\n")
    assert open_dataset(tmp_path).layout == "class folders"


def test_voc_pages_and_pictures_of_one_name_are_never_mixed_up(tmp_path):
    for folder in ("a", "b"):
        picture(tmp_path / folder / "images/0.jpg")
        text(tmp_path / folder / "annotations/0.xml", voc_page("0"))
    dataset = read_boxes(tmp_path)
    assert dict(zip(dataset.label_files, dataset.paths, strict=True)) == {
        "a/annotations/0.xml": "a/images/0.jpg",
        "b/annotations/0.xml": "b/images/0.jpg",
    }
    picture(tmp_path / "a/images/0.png")
    text(tmp_path / "a/annotations/0.xml", voc_page("0", "0.bmp"))
    assert "two-pictures" in kinds(tmp_path)
    with pytest.raises(InputError, match=r"a/images/0\.jpg or of a/images/0\.png"):
        open_dataset(tmp_path)
    (tmp_path / "a/images/0.png").unlink()
    picture(tmp_path / "a/images/other.jpg")
    text(tmp_path / "a/annotations/0.xml", voc_page("0", "other.jpg"))
    with pytest.raises(InputError, match=r"<filename>other\.jpg"):
        open_dataset(tmp_path)
