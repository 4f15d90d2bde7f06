"""Labels of tools that are not read, sets that look like classes, and names that tools change."""

import json

import pytest
from brought import TRUTH, coco_document, picture, said, text, truth, yolo_lines

from viewfinder.datasets.checks.boxes import check_boxes
from viewfinder.datasets.checks.checking import check_dataset
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.errors import InputError

LABEL_STUDIO = (
    "image,id,label,annotator\n"
    '/data/upload/1/0.jpg,1,"[{""x"":1.5,""y"":2,""width"":3,""height"":4,'
    '""rectanglelabels"":[""red""]}]",1\n'
)
MAKESENSE = "red,1,2,10,12,0.jpg,40,20\nblue,5,5,10,12,1.jpg,40,20\n"
VIA = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes\n"
VOTT = {
    "asset": {"name": "0.jpg"},
    "regions": [{"type": "RECTANGLE", "tags": ["red"], "boundingBox": {"left": 1}}],
}
FIFTYONE = {"samples": [{"filepath": "a/0.jpg", "gt": {"detections": [{"bounding_box": [0.1]}]}}]}


@pytest.mark.parametrize(
    ("name", "content", "tool"),
    [
        ("project-1.csv", LABEL_STUDIO, "Label Studio"),
        ("labels.csv", MAKESENSE, "makesense"),
        ("via_export.csv", VIA, "VIA"),
        ("0-asset.json", json.dumps(VOTT), "VoTT"),
        ("samples.json", json.dumps(FIFTYONE), "FiftyOne"),
    ],
)
def test_tables_and_files_of_tools_beside_folders_are_no_classes(tmp_path, name, content, tool):
    for stem in TRUTH:
        picture(tmp_path / f"{'day' if int(stem) % 2 else 'night'}/{stem}.jpg")
    text(tmp_path / name, content)
    with pytest.raises(InputError, match=tool):
        open_dataset(tmp_path)


def test_a_table_of_attributes_is_no_tool(tmp_path):
    for stem in TRUTH:
        picture(tmp_path / f"{'day' if int(stem) % 2 else 'night'}/{stem}.jpg")
    text(tmp_path / "weather.csv", "file,warm,rain,wind,cloud\n0.jpg,1,2,3,4\n1.jpg,5,6,7,8\n")
    assert open_dataset(tmp_path).classes == ("day", "night")


def test_lines_of_json_with_boxes_are_said(tmp_path):
    for stem in TRUTH:
        picture(tmp_path / f"{'day' if int(stem) % 2 else 'night'}/{stem}.jpg")
    line = {"file_name": "night/0.jpg", "objects": {"bbox": [[1, 2, 3, 4]], "categories": [0]}}
    text(tmp_path / "metadata.jsonl", json.dumps(line) + "\n")
    assert "metadata.jsonl lists boxes, and is not read" in open_dataset(tmp_path).summary()


def test_a_table_of_boxes_beside_sides_of_classes(tmp_path):
    # As in Tiny ImageNet, whose val/images holds pictures of all classes.
    for number, folder in enumerate(("train/n01/images", "train/n02/images", "val/images") * 3):
        picture(tmp_path / folder / f"p{number}.jpg")
    text(
        tmp_path / "val/val_annotations.txt", "p2.jpg\tn01\t0\t0\t15\t15\np5.jpg\tn02\t0\t0\t9\t9\n"
    )
    dataset = open_dataset(tmp_path)
    assert dataset.classes == ("n01", "n02")
    assert "3 pictures of val in no class's folder" in dataset.summary()
    assert "lists boxes, and is not read" in dataset.summary()


def test_names_of_classes_are_quoted_for_the_shell(tmp_path):
    for number, name in enumerate(("golden retriever", "golden_retriever", "pug")):
        for count in range(3):
            picture(tmp_path / name / f"{number}{count}.jpg")
    faults = check_dataset(open_dataset(tmp_path))
    fix = next(fault.fix for fault in faults if fault.kind == "alike-classes")
    assert fix.endswith("merge 'golden retriever' golden_retriever 'golden retriever'")


def test_a_list_of_results_is_no_coco(tmp_path):
    results = [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.9}]
    text(tmp_path / "annotations/instances_val.json", json.dumps(results))
    picture(tmp_path / "images/0.jpg")
    with pytest.raises(InputError, match="a detector's results"):
        open_dataset(tmp_path)


def test_what_label_studio_puts_before_names_of_labels(tmp_path):
    for stem in TRUTH:
        picture(tmp_path / f"images/{stem}.jpg")
        text(tmp_path / f"labels/1a2b3c4{stem}-{stem}.txt", yolo_lines(stem))
    text(tmp_path / "classes.txt", "red\nblue\n")
    dataset = read_boxes(tmp_path)
    assert said(dataset) == truth()
    assert "4 files of labels found by the name alone" in dataset.summary()


def test_labelled_pictures_on_no_list_are_one_fault(tmp_path):
    for stem in TRUTH:
        folder = "train" if stem < "2" else "spare"
        picture(tmp_path / f"images/{folder}/{stem}.jpg")
        text(tmp_path / f"labels/{folder}/{stem}.txt", yolo_lines(stem))
    text(tmp_path / "labels/train/gone.txt", yolo_lines("0"))
    text(tmp_path / "data.yaml", "train: images/train\nnames: [red, blue]\n")
    dataset = read_boxes(tmp_path)
    assert said(dataset) == truth("0", "1")
    faults = {fault.kind: fault for fault in check_boxes(dataset)}
    assert faults["missing"].file == "labels/train/gone.txt"
    assert "2 pictures with labels on no list" in faults["unlisted-image"].detail
    assert len(faults) == 2


def test_categories_of_coco_survive_a_list_of_texts(tmp_path):
    document = coco_document({stem: f"{stem}.jpg" for stem in TRUTH})
    text(tmp_path / "labels.json", "\n " + json.dumps(document))
    for stem in TRUTH:
        picture(tmp_path / f"{stem}.jpg")
    assert said(read_boxes(tmp_path)) == truth()
