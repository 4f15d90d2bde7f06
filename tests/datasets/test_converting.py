"""Boxes through all three formats and back: what each carries, and what is said of the rest."""

import json
import re
import shutil
import tempfile
from pathlib import Path

import brought
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from viewfinder.datasets.converting import convert
from viewfinder.datasets.meaning import Meaning, other_meaning
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_picture

SIDES = ("train", "val", "test")
NAMES = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn")), min_size=1, max_size=12
).map(str.strip)
FRACTION = st.decimals(0, 60, places=6).map(float)
# VOC cannot tell a box of exactly one pixel from a point: it is counted as lost, and tested below.
EXTENT = st.decimals("0.5", 60, places=6).map(float).filter(lambda side: side != 1)


def write_coco(root, *, images, annotations, categories, side="train"):
    document = {"images": images, "annotations": annotations, "categories": categories}
    file = root / "annotations" / f"instances_{side}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document), encoding="utf-8-sig")
    for image in images:
        size = image["height"], image["width"], 3
        write_picture(root / "images" / side / image["file_name"], np.full(size, 90, np.uint8))
    return root


@st.composite
def coco_files(draw):
    names = draw(st.lists(NAMES.filter(bool), min_size=1, max_size=4, unique=True))
    numbers = draw(st.lists(st.integers(1, 2**40), min_size=8, max_size=8, unique=True))
    categories = [{"id": n, "name": name} for n, name in zip(numbers, names, strict=False)]
    images = [
        {"id": numbers[4 + i], "file_name": f"é 图 {i}.png", "width": 90 + i, "height": 70}
        for i in range(draw(st.integers(1, 3)))
    ]
    boxes = []
    for i in range(draw(st.integers(0, 5))):
        box = [draw(FRACTION), draw(FRACTION), draw(EXTENT), draw(EXTENT)]
        boxes.append(
            {
                "id": 7 * i + 3,
                "image_id": draw(st.sampled_from(images))["id"],
                "category_id": draw(st.sampled_from(categories))["id"],
                "bbox": box,
                "iscrowd": draw(st.integers(0, 1)),
            }
        )
    # Numbers that all look like shares, or like corners, are refused, and so tell nothing here.
    numbers = np.array([box["bbox"] for box in boxes], float).reshape(-1, 4)
    sizes = np.full((len(boxes), 2), 70)
    assume(other_meaning(numbers, sizes, Meaning("corner and size", "pixels")) is None)
    return {"images": images, "annotations": boxes, "categories": categories}


def rows(dataset):
    """What a set says, whatever the order of its pictures: by name the size and the boxes."""
    assert dataset.boxes is not None
    told = {}
    for index, path in enumerate(dataset.paths):
        boxes = dataset.boxes.of(index)
        labels = [dataset.classes[i] for i in dataset.boxes.classes[boxes]]
        size = tuple(dataset.sizes[index].tolist())
        told[Path(path).name] = (size, labels, dataset.boxes.corners[boxes])
    return told


@settings(max_examples=15)
@given(coco_files(), st.permutations(["coco", "yolo", "voc"]))
def test_round_trips_between_all_formats(document, order):
    """Corners of up to six decimals are within 1e-9 of a pixel after a trip through all three."""
    with tempfile.TemporaryDirectory() as name:
        source = write_coco(Path(name) / "first", **document)
        first = read_boxes(source)
        for step, to in enumerate(order):
            convert(source, Path(name) / str(step), to=to)
            source = Path(name) / str(step)
        last = read_boxes(source)
    assert last.classes == first.classes
    before, after = rows(first), rows(last)
    assert before.keys() == after.keys()
    for picture, (size, labels, corners) in before.items():
        assert after[picture][:2] == (size, labels)
        np.testing.assert_allclose(after[picture][2], corners, rtol=0, atol=1e-9)


@settings(max_examples=5)
@given(
    st.integers(60, 3000),
    st.integers(60, 3000),
    st.lists(st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(2, 30)] * 2), max_size=5),
)
def test_what_arithmetic_leaves_of_whole_pixels_is_not_written(width, height, boxes):
    """YOLO's shares of whole corners come out whole, in every format, and stay so."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        rows_ = [
            f"0 {(x + w / 2) / width!r} {(y + h / 2) / height!r} {w / width!r} {h / height!r}\n"
            for x, y, w, h in boxes
        ]
        brought.text(root / "yolo/labels/a.txt", "".join(rows_))
        brought.text(root / "yolo/data.yaml", "train: images\nnames: [x]\n")
        brought.picture(root / "yolo/images/a.png", size=(width, height))
        source, read = root / "yolo", []
        for step, to in enumerate(("voc", "coco", "yolo", "coco", "voc")):
            convert(source, root / str(step), to=to)
            source = root / str(step)
            read.append(rows(read_boxes(source))["a.png"][2])
        page = (source / "Annotations/a.xml").read_text()
        (file,) = (root / "3/annotations").iterdir()
        found = [a["bbox"] for a in json.loads(file.read_text())["annotations"]]
    assert found == [list(each) for each in boxes]
    said = [int(n) for n in re.findall(r"<[xy]m(?:in|ax)>([^<]*)<", page)]
    assert said == [n for x, y, w, h in boxes for n in (x + 1, y + 1, x + w, y + h)]
    for each in read:
        np.testing.assert_allclose(each, read[0], rtol=0, atol=1e-9)


def test_a_box_smaller_than_what_is_written_of_a_pixel_is_kept_as_it_is(tmp_path):
    box = [4.0, 5.0, 1e-8, 2.0]
    source = write_coco(
        tmp_path / "a",
        images=[{"id": 1, "file_name": "a.png", "width": 90, "height": 70}],
        annotations=[{"id": 1, "image_id": 1, "category_id": 1, "bbox": box, "iscrowd": 0}],
        categories=[{"id": 1, "name": "dot"}],
    )
    convert(source, tmp_path / "b", to="coco")
    assert len(rows(read_boxes(tmp_path / "b"))["a.png"][2]) == 1


def test_a_box_of_one_pixel_is_counted_as_lost_to_voc(tmp_path):
    images = [{"id": 1, "file_name": "a.png", "width": 90, "height": 70}]
    boxes = [
        {"id": n, "image_id": 1, "category_id": 1, "bbox": box, "iscrowd": 0}
        for n, box in enumerate(([4.0, 5.0, 1.0, 1.0], [4.0, 5.0, 1.0, 2.0]), 1)
    ]
    categories = [{"id": 1, "name": "dot"}]
    source = write_coco(tmp_path / "a", images=images, annotations=boxes, categories=categories)
    lost = convert(source, tmp_path / "b", to="voc").lost
    assert lost["boxes of exactly one pixel"] == 1
    _, labels, corners = rows(read_boxes(tmp_path / "b"))["a.png"]
    assert labels == ["dot"]
    assert corners.tolist() == [[4, 5, 5, 7]]


@settings(max_examples=15)
@given(coco_files())
def test_coco_comes_back_from_coco_and_voc_to_the_last_digit(document):
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        source = write_coco(root / "first", **document)
        done = convert(source, root / "coco", to="coco")
        again = json.loads((root / "coco/annotations/instances_train.json").read_text("utf-8"))
        convert(source, root / "voc", to="voc")
        convert(root / "voc", root / "back", to="coco")
        back = json.loads((root / "back/annotations/instances_train.json").read_text("utf-8"))
    assert done.lost == {}
    assert again["categories"] == document["categories"]
    assert again["images"] == document["images"]
    told = [{k: v for k, v in a.items() if k != "area"} for a in again["annotations"]]
    assert sorted(told, key=by_id) == sorted(document["annotations"], key=by_id)
    assert sorted(a["bbox"] for a in back["annotations"]) == sorted(
        a["bbox"] for a in document["annotations"]
    )


def by_id(annotation):
    return annotation["id"]


@pytest.fixture
def rich(tmp_path):
    """A COCO set with all that the other formats cannot hold."""
    polygon = [[1.5, 2, 30, 2, 30, 40.25]]
    lengths = {"size": [70, 90], "counts": [10, 20, 6270]}
    annotation = {"id": 41, "image_id": 900, "category_id": 90, "iscrowd": 0, "area": 500.5}
    annotations = [
        annotation | {"bbox": [1.5, 2, 28.5, 38.25], "segmentation": polygon},
        annotation | {"id": 42, "bbox": [5, 5, 20, 20], "iscrowd": 1, "segmentation": lengths},
        annotation | {"id": 43, "bbox": [0, 0, 90, 70], "area": 6300, "score": 0.5},
        annotation | {"id": 44, "bbox": [0, 0, 0, 70], "category_id": 3},
    ]
    image = {"file_name": "b é 图.png", "width": 90, "height": 70}
    images = [image | {"id": 900, "group": "film 1"}, image | {"id": 7, "file_name": "c.png"}]
    categories = [{"id": 90, "name": "Schraube ö 螺"}, {"id": 3, "name": "unused"}]
    return write_coco(
        tmp_path / "rich", images=images, annotations=annotations, categories=categories
    )


def test_coco_keeps_ids_crowds_outlines_areas_and_groups(rich, tmp_path):
    done = convert(rich, tmp_path / "out", to="coco")
    assert done.lost == {
        "score (annotations)": 1,
        "boxes without size, finite numbers or a known class": 1,
    }
    first = json.loads((rich / "annotations/instances_train.json").read_text("utf-8-sig"))
    again = json.loads((tmp_path / "out/annotations/instances_train.json").read_text("utf-8"))
    assert again["images"] == first["images"]
    assert again["categories"] == first["categories"]
    del first["annotations"][2]["score"]
    assert again["annotations"] == first["annotations"][:3]


@pytest.mark.parametrize("to", ["yolo", "voc"])
def test_what_is_lost_is_counted(rich, tmp_path, to):
    lost = convert(rich, tmp_path / "out", to=to).lost
    expected = {
        "ids of pictures": 2,
        "ids of classes": 2,
        "ids of boxes": 3,
        "crowd flags": 1,
        "outlines of objects": 2,
        "areas of objects": 2,
        "groups of pictures": 1,
    }
    assert {what: count for what, count in lost.items() if what in expected} == expected
    dataset = open_dataset(tmp_path / "out")
    assert dataset.classes == ("Schraube ö 螺", "unused")
    assert [len(value[1]) for _, value in sorted(rows(dataset).items())] == [3, 0]


def test_pictures_are_links_or_copies_and_colliding_names_are_changed(tmp_path):
    images = [
        {"id": i, "file_name": name, "width": 9, "height": 9}
        for i, name in enumerate(["a/1.png", "b/1.png", "b/gone.png"])
    ]
    root = write_coco(
        tmp_path / "set", images=images, annotations=[], categories=[{"id": 1, "name": "x"}]
    )
    (root / "images/train/b/gone.png").unlink()
    done = convert(root, tmp_path / "linked", to="yolo")
    assert done.lost["names of pictures, which were changed to be different"] == 1
    assert done.lost["pictures that are missing"] == 1
    assert done.pictures == 2
    folder = tmp_path / "linked/images/train"
    assert sorted(p.name for p in folder.iterdir()) == ["1-2.png", "1.png"]
    first = root / "images/train/a/1.png"
    assert (folder / "1.png").samefile(first)
    convert(root, tmp_path / "copied", to="yolo", copy=True)
    copied = tmp_path / "copied/images/train/1.png"
    assert not copied.samefile(first)
    assert copied.read_bytes() == first.read_bytes()


def test_bccd_through_all_formats(shared, tmp_path):
    first = open_dataset(shared / "data/bccd")
    convert(shared / "data/bccd", tmp_path / "coco", to="coco")
    convert(tmp_path / "coco", tmp_path / "yolo", to="yolo")
    convert(tmp_path / "yolo", tmp_path / "voc", to="voc")
    last = open_dataset(tmp_path / "voc")
    before, after = rows(first), rows(last)
    assert np.bincount(last.splits).tolist() == [205, 87, 72]
    for picture, (size, labels, corners) in before.items():
        assert after[picture][:2] == (size, labels)
        np.testing.assert_allclose(after[picture][2], corners, rtol=0, atol=1e-9)


def test_nothing_is_left_of_a_conversion_that_fails(tmp_path):
    bad = [{"id": 1, "name": "two\nlines"}]
    image = {"id": 1, "file_name": "1.png", "width": 9, "height": 9}
    root = write_coco(tmp_path / "set", images=[image], annotations=[], categories=bad)
    with pytest.raises(InputError, match="control characters"):
        convert(root, tmp_path / "out", to="voc")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["set"]
    with pytest.raises(InputError, match="exists already"):
        convert(root, root, to="coco")
    shutil.rmtree(root)
    write_picture(root / "cat/1.png", np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(InputError, match="no boxes to convert"):
        convert(root, tmp_path / "out", to="coco")


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize("by", ["file", "folder"])
def test_what_is_no_picture_is_not_carried_out_of_another_folder(tmp_path, copy, by):
    """Who publishes a converted set would publish what a stranger's link leads to."""
    root = tmp_path / "set"
    images = [{"id": 1, "file_name": "1.png", "width": 9, "height": 8}]
    write_coco(root, images=images, annotations=[], categories=[{"id": 1, "name": "a"}])
    picture = root / "images/train/1.png"
    (tmp_path / "secret").mkdir()
    secret = tmp_path / "secret/1.png"
    picture.rename(secret)
    if by == "file":
        picture.symlink_to(secret)
    else:
        picture.parent.rmdir()
        picture.parent.symlink_to(secret.parent)
    convert(root, tmp_path / "good", to="voc", copy=copy)
    assert (tmp_path / "good/JPEGImages/1.png").read_bytes() == secret.read_bytes()
    secret.write_text("my password")
    with pytest.raises(InputError, match=r"1\.png leads to .*secret/1\.png, which is outside of"):
        convert(root, tmp_path / "bad", to="voc", copy=copy)
    assert not (tmp_path / "bad").exists()
