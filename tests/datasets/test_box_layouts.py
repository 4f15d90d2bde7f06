"""COCO, YOLO and Pascal VOC as people and tools write them."""

import json

import numpy as np
import pytest

from viewfinder.datasets.boxes import gather_boxes
from viewfinder.datasets.dataset import SPLITS
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_picture


def picture(path, width=40, height=20, seed=None):
    size = (height, width, 3)
    pixels = np.full(size, 90, np.uint8)
    if seed is not None:
        pixels = np.random.default_rng(seed).integers(0, 256, size).astype(np.uint8)
    write_picture(path, pixels)


def text(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def coco(images=((1, "1.png"),), boxes=(), names=("cat", "dog")):
    return json.dumps(
        {
            "images": [{"id": i, "file_name": n, "width": 40, "height": 20} for i, n in images],
            "annotations": [
                {"id": n, "image_id": i, "category_id": c, "bbox": list(b)}
                for n, (i, c, b) in enumerate(boxes, 1)
            ],
            "categories": [{"id": i, "name": name} for i, name in enumerate(names, 1)],
        }
    )


@pytest.mark.parametrize(
    ("file", "pictures"),
    [
        ("annotations/instances_train2017.json", "train2017"),
        ("annotations/instances_train2017.json", "images/train2017"),
        ("annotations/instances_train.json", "images"),
        ("annotations/train.json", "images/train"),
        ("train/_annotations.coco.json", "train"),
    ],
)
def test_coco_in_the_usual_places(tmp_path, file, pictures):
    text(tmp_path / file, "\ufeff" + coco(boxes=[(1, 2, (1.25, 2, 3.5, 4))]))
    picture(tmp_path / pictures / "1.png")
    dataset = open_dataset(tmp_path)
    assert dataset.layout == "COCO"
    assert dataset.paths == (f"{pictures}/1.png",)
    assert dataset.splits.tolist() == [0]
    assert dataset.boxes.corners.tolist() == [[1.25, 2, 4.75, 6]]
    assert dataset.counts() == {"cat": 0, "dog": 1}
    assert len(dataset.fingerprint()) == 16


def test_a_json_file_alone_and_files_that_disagree_on_numbers(tmp_path):
    text(tmp_path / "annotations/instances_train.json", coco(boxes=[(1, 1, (0, 0, 9, 9))]))
    other = coco(images=[(1, "2.png")], boxes=[(1, 1, (0, 0, 9, 9))], names=("dog",))
    text(tmp_path / "annotations/instances_val.json", other)
    picture(tmp_path / "images/1.png")
    picture(tmp_path / "images/2.png")
    both = open_dataset(tmp_path)
    assert both.classes == ("cat", "dog")
    assert both.boxes.classes.tolist() == [0, 1]
    assert both.splits.tolist() == [0, 1]
    one = open_dataset(tmp_path / "annotations/instances_val.json")
    assert (one.paths, one.classes) == (("images/2.png",), ("dog",))


def test_class_folders_with_other_json_and_yaml_beside_them_stay_class_folders(tmp_path):
    for name in ("cat", "dog"):
        picture(tmp_path / name / "1.png")
    text(tmp_path / "labels.json", '{"cat": 0, "dog": 1}')
    text(tmp_path / "settings.yaml", "deep:\n  - [a: &b")
    text(tmp_path / "other.yaml", "just words\n")
    assert open_dataset(tmp_path).layout == "class folders"


@pytest.mark.parametrize(
    "yaml",
    [
        "train: images/train\nval: images/val\nnames: [cat, 'big dog']\nnc: 2\n",
        "path: .\r\ntrain: images/train # here\r\nval: images/val\r\n"
        "names:\r\n- cat\r\n- big dog\r\n",
        'train: ../images/train\nval: ../images/val\nnames: {0: cat, 1: "big dog"}\n',
        "roboflow:\n  workspace: &x y\ntrain: train.txt\nval:\n  - images/val\nnames:\n  0: cat\n"
        "  # a comment\n  1: big dog\n",
    ],
)
def test_yolo_in_every_hand(tmp_path, yaml):
    text(tmp_path / "data.yaml", "\ufeff" + yaml)
    for side, name in (("train", "a"), ("train", "b"), ("val", "é 图")):
        picture(tmp_path / f"images/{side}/{name}.png")
    text(tmp_path / "train.txt", "./images/train/a.png\nimages/train/b.png\n")
    text(tmp_path / "labels/train/a.txt", b"1 0.5 0.5 0.25 0.5\r\n0 0 0 0.5 0 0.5 1 0 1\r\n")
    text(tmp_path / "labels/train/b.txt", b"")
    dataset = open_dataset(tmp_path)
    assert dataset.layout == "YOLO"
    assert dataset.classes == ("cat", "big dog")
    assert dict(zip(dataset.paths, dataset.splits.tolist(), strict=True)) == {
        "images/train/a.png": 0,
        "images/train/b.png": 0,
        "images/val/é 图.png": 1,
    }
    assert dataset.boxes.corners.tolist() == [[15, 5, 25, 15], [0, 0, 20, 20]]
    assert dataset.boxes.segmentations[1][0].tolist() == [0, 0, 20, 0, 20, 20, 0, 20]
    assert dataset.boxes.offsets.tolist() == [0, 2, 2, 2]


VOC = """<annotation><filename>{name}</filename><size><width>40</width><height>20</height></size>
<object><name>{label}</name><difficult>1</difficult><bndbox><xmin>{xmin}</xmin><ymin>1</ymin>
<xmax>40</xmax><ymax>20</ymax></bndbox></object></annotation>"""


def test_voc_counts_pixels_from_one(tmp_path):
    text(tmp_path / "Annotations/a b.xml", VOC.format(name="wrong.jpg", label="Hund ö", xmin=1))
    text(tmp_path / "Annotations/c.xml", VOC.format(name="c.png", label="cat", xmin=2.5))
    text(tmp_path / "ImageSets/Main/val.txt", "a b\r\n")
    text(tmp_path / "ImageSets/Main/train.txt", "c  1\n")
    picture(tmp_path / "JPEGImages/a b.png")
    picture(tmp_path / "JPEGImages/c.png")
    dataset = open_dataset(tmp_path)
    assert dataset.paths == ("JPEGImages/a b.png", "JPEGImages/c.png")
    assert [SPLITS[side] for side in dataset.splits] == ["val", "train"]
    assert dataset.boxes.corners.tolist() == [[0, 0, 40, 20], [1.5, 0, 40, 20]]
    assert dataset.boxes.difficult.all()
    assert dataset.classes == ("Hund ö", "cat")


def test_bccd(shared):
    dataset = open_dataset(shared / "data/bccd")
    assert (len(dataset), len(dataset.boxes)) == (364, 4886)
    assert dataset.counts() == {"Platelets": 361, "RBC": 4153, "WBC": 372}
    assert np.bincount(dataset.splits).tolist() == [205, 87, 72]
    assert dataset.notes == ("2 boxes dropped (2 without size): `viewfinder check` names them",)


def test_what_reading_clips_and_drops_is_told(tmp_path):
    boxes = [(1, 1, (-3, 2, 10, 10)), (1, 1, (50, 2, 10, 10)), (1, 9, (1, 1, 2, 2))]
    boxes += [(1, 1, (1, 1, 0, 2)), (1, 2, (1, 1, -4, 2)), (1, 2, (1, float("nan"), 4, 2))]
    boxes += [(1, 2, (30, 10, 10.001, 10)), (1, 2, (1, 1, 2, 2))]
    text(tmp_path / "annotations/instances_train.json", coco(boxes=boxes))
    picture(tmp_path / "images/1.png")
    dataset = open_dataset(tmp_path)
    assert dataset.boxes.corners.tolist() == [[0, 2, 7, 12], [30, 10, 40, 20], [1, 1, 3, 3]]
    assert dataset.notes == (
        "1 box clipped to the picture",
        "5 boxes dropped (1 of no known class, 1 with no finite numbers, 2 without size, "
        "1 outside the picture): `viewfinder check` names them",
    )
    assert f"3 boxes; {dataset.notes[0]}; {dataset.notes[1]}" in dataset.summary()
    assert len(read_boxes(tmp_path).boxes) == 8


def test_selecting_and_renumbering_boxes(tmp_path):
    boxes = [(2, 1, (0, 0, 1, 1)), (1, 2, (1, 1, 2, 2)), (2, 2, (2, 2, 3, 3))]
    images = [(1, "1.png"), (2, "2.png"), (3, "3.png")]
    text(tmp_path / "annotations/instances_train.json", coco(images, boxes))
    dataset = read_boxes(tmp_path)
    chosen = dataset.select([2, 1])
    assert chosen.boxes.offsets.tolist() == [0, 0, 2]
    assert chosen.boxes.ids.tolist() == [1, 3]
    assert chosen.image_ids.tolist() == [3, 2]
    known = dataset.with_classes(("dog", "bird", "cat"))
    assert [known.classes[i] for i in known.boxes.classes] == ["dog", "cat", "dog"]
    with pytest.raises(InputError, match="has boxes of dog"):
        dataset.with_classes(("cat",))
    with pytest.raises(InputError, match="to classify, put each class's pictures"):
        dataset.require_labels()


def test_gathering_keeps_each_picture_its_rows_in_their_order():
    random = np.random.default_rng(0)
    pictures = random.integers(0, 5, 50)
    corners = np.arange(200.0).reshape(50, 4)
    outlines = {7: [np.arange(6.0)]}
    boxes = gather_boxes(
        pictures, 6, corners=corners, classes=np.arange(50), segmentations=outlines
    )
    for index in range(6):
        rows = np.flatnonzero(pictures == index)
        assert boxes.classes[boxes.of(index)].tolist() == rows.tolist()
        assert boxes.corners[boxes.of(index)].tolist() == corners[rows].tolist()
    (row,) = boxes.segmentations
    assert boxes.classes[row] == 7
    assert boxes.pictures().tolist() == sorted(pictures.tolist())
    assert boxes.keep(boxes.classes == 7).segmentations.keys() == {0}


def test_rendered_scenes_open_as_a_set(tmp_path):
    from viewfinder.tabletop import SceneOptions, SplitCounts, write_scenes

    counts = SplitCounts(train=2, val=1, test=1)
    write_scenes(tmp_path / "scenes", counts=counts, options=SceneOptions(size=64), processes=1)
    dataset = open_dataset(tmp_path / "scenes")
    assert np.bincount(dataset.splits).tolist() == [2, 1, 1]
    assert all(dataset.file(index).is_file() for index in range(4))
    assert len(dataset.boxes) > 0
    assert len(dataset.boxes.segmentations) == len(dataset.boxes)
    assert dataset.notes == ()


def test_a_video_and_near_duplicates_stay_on_one_side(tmp_path):
    images = [(i, f"{i}.png") for i in range(30)]
    document = json.loads(coco(images))
    for image in document["images"]:
        image |= {"width": 48, "height": 40}
    for image in document["images"][:8]:
        image["video_id"] = 5
    text(tmp_path / "labels.json", json.dumps(document))
    for number, name in images:
        # Pictures 20 to 23 are one scene that grows a little brighter.
        if 20 <= number < 24:
            pixels = np.random.default_rng(99).integers(0, 200, (5, 6, 3)).astype(np.uint8)
            pixels = np.kron(pixels, np.ones((8, 8, 1), np.uint8)) + np.uint8(4 * (number - 20))
            write_picture(tmp_path / "images" / name, pixels)
        else:
            picture(tmp_path / "images" / name, 48, 40, seed=number)
    dataset = open_dataset(tmp_path)
    assert len(set(dataset.splits[:8].tolist())) == 1
    assert len(set(dataset.splits[20:24].tolist())) == 1
    assert all(dataset.has_split(side) for side in SPLITS)
    assert np.bincount(dataset.splits).max() >= 15
    assert open_dataset(tmp_path).splits.tolist() == dataset.splits.tolist()
