"""COCO's boxes as tools write them: as texts, with names, as outlines alone, or as corners."""

import json

import numpy as np
import pytest
from brought import TRUTH, coco_document, picture, said, text, truth

from viewfinder.datasets.checks.boxes import check_boxes
from viewfinder.datasets.converting import convert
from viewfinder.datasets.meaning import Meaning, other_meaning
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.errors import InputError

OWN = Meaning("corner and size", "pixels")


def write(root, change):
    """The small set, with `change` done to each annotation."""
    for stem in TRUTH:
        picture(root / f"images/{stem}.jpg")
    document = coco_document({stem: f"{stem}.jpg" for stem in TRUTH})
    document["annotations"] = list(map(change, document["annotations"]))
    text(root / "annotations/instances_train.json", json.dumps(document))


def runs(annotation, *, words):
    """COCO's run lengths of a box, by another program."""
    from pycocotools import mask

    x, y, width, height = annotation["bbox"]
    shown = np.zeros((20, 40), np.uint8)
    shown[y : y + height, x : x + width] = 1
    if words:
        packed = mask.encode(np.asfortranarray(shown))
        return {"size": packed["size"], "counts": packed["counts"].decode()}
    flat = shown.ravel(order="F")
    ends = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *ends, len(flat)]).tolist()
    return {"size": [20, 40], "counts": ([0] if flat[0] else []) + counts}


def corner_points(annotation):
    x, y, width, height = annotation["bbox"]
    return [x, y, x + width, y, x + width, y + height, x, y + height]


@pytest.mark.parametrize(
    "box",
    [
        json.dumps,
        lambda box: " ".join(map(str, box)),
        lambda box: dict(zip(("x", "y", "width", "height"), box, strict=True)),
        lambda box: dict(zip(("left", "top", "Width", "Height"), map(str, box), strict=True)),
        lambda box: {
            "x_min": box[0],
            "y_min": box[1],
            "x_max": box[0] + box[2],
            "y_max": box[1] + box[3],
        },
    ],
)
def test_boxes_as_text_or_with_names_are_read(tmp_path, box):
    write(tmp_path, lambda annotation: annotation | {"bbox": box(annotation["bbox"])})
    assert said(read_boxes(tmp_path)) == truth()
    assert not check_boxes(read_boxes(tmp_path))


def test_names_of_categories_for_their_numbers(tmp_path):
    names = {1: "red", 2: "blue"}
    write(tmp_path, lambda a: a | {"category_id": names[a["category_id"]]})
    assert said(read_boxes(tmp_path)) == truth()
    assert not check_boxes(read_boxes(tmp_path))


@pytest.mark.parametrize("box", ["1 2 3", "1 2 3 4 5", "a 1 2 3 4", {"x": 1, "y": 2}, {"x1": "a"}])
def test_what_is_no_box_stays_none(tmp_path, box):
    write(tmp_path, lambda annotation: annotation | {"bbox": box})
    assert {"no-box"} <= {fault.kind for fault in check_boxes(read_boxes(tmp_path))}
    assert len(read_boxes(tmp_path).boxes) == 0


@pytest.mark.parametrize(
    "outline",
    [
        lambda a: [corner_points(a)],
        lambda a: corner_points(a),
        lambda a: [np.reshape(corner_points(a), (-1, 2)).tolist()],
        lambda a: np.reshape(corner_points(a), (-1, 2)).tolist(),
        lambda a: runs(a, words=False),
        lambda a: runs(a, words=True),
    ],
)
def test_a_box_that_nobody_states_is_that_of_its_outline(tmp_path, outline):
    write(tmp_path, lambda a: {**a, "segmentation": outline(a), "bbox": []})
    assert said(read_boxes(tmp_path)) == truth()
    assert "6 boxes taken from outlines" in read_boxes(tmp_path).summary()


def drawn(many, most, *, largest=0.2, seed=0):
    """Corners in shares whose upper left ones are below `most`, of as many boxes."""
    numbers = np.random.default_rng(seed)
    low = numbers.uniform(0.01, most, (many, 2))
    return np.concatenate([low, low + numbers.uniform(0.03, largest, (many, 2))], axis=1)


def as_sizes(corners):
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)


@pytest.mark.parametrize("seed", range(5))
def test_corners_in_the_upper_left_quarter_are_seen(seed):
    corners, sizes = 400 * drawn(40, 0.25, seed=seed), np.full((40, 2), 400)
    assert str(other_meaning(corners, sizes, OWN)).startswith("two corners")
    assert other_meaning(corners, sizes, OWN).certain
    # Where areas are those of sizes, they speak against it.
    assert not other_meaning(corners, sizes, OWN, areas=corners[:, 2] * corners[:, 3]).certain
    few = other_meaning(corners[:10], sizes[:10], OWN)
    assert few is None or few.form == "corners"


@pytest.mark.parametrize("seed", range(5))
def test_objects_larger_than_what_is_beside_them_are_no_corners(seed):
    numbers = np.random.default_rng(seed)
    extents = numbers.uniform(0.5, 0.95, (60, 2))
    large = np.concatenate([numbers.random((60, 2)) * (1 - extents), extents], axis=1)
    sizes = np.full((60, 2), 300)
    assert other_meaning(300 * large, sizes, OWN) is None
    whole = np.tile([0.0, 0, 300, 300], (60, 1))
    assert other_meaning(whole, sizes, OWN) is None


def test_small_things_in_a_corner_and_large_ones_elsewhere_are_not_refused():
    numbers = np.random.default_rng(5)
    small, large = [0.0, 0, 50, 50], [60.0, 20, 100, 100]
    boxes, sizes = np.array([small, large] * 30), np.tile([160, 120], (60, 1))
    assert other_meaning(boxes, sizes, OWN) is None  # two boxes, however often they stand there
    boxes = np.clip(boxes + numbers.normal(0, 1, boxes.shape), 0, None)
    found = other_meaning(boxes, sizes, OWN)
    assert found is None or not found.certain


def test_areas_and_outlines_tell_what_boxes_are():
    corners, sizes = 400 * drawn(5, 0.2), np.full((5, 2), 400)
    areas = np.prod(corners[:, 2:] - corners[:, :2], axis=1)
    assert other_meaning(corners, sizes, OWN) is None  # so few tell nothing by themselves
    assert other_meaning(corners, sizes, OWN, areas=areas).form == "corners"
    assert other_meaning(as_sizes(corners), sizes, OWN, areas=areas) is None
    outlines = dict(enumerate(as_sizes(corners).tolist()))
    assert other_meaning(corners, sizes, OWN, outlines).form == "corners"
    # What outlines agree with is right, wherever it reaches.
    assert other_meaning(as_sizes(corners), sizes // 8, OWN, outlines) is None


def test_boxes_that_cross_one_side_alone_are_doubted_and_not_refused():
    numbers = np.random.default_rng(1)
    extents = numbers.uniform(0.2, 0.5, (40, 2))
    corners = numbers.uniform(0.5, 0.7, (40, 2))
    corners[:, 1] = extents[:, 1] / 2 + 0.1
    leaving = np.concatenate([corners, extents], axis=1)  # over the right side, and no other
    found = other_meaning(100 * leaving, np.full((40, 2), 100), OWN)
    assert found is not None
    assert not found.certain


def test_corners_without_stated_sizes_are_refused(tmp_path):
    for number in range(12):
        picture(tmp_path / f"images/{number}.jpg", size=(200, 100))
    corners = (drawn(24, 0.6, largest=0.3) * [200, 100, 200, 100]).round(1).tolist()
    document = {
        "images": [{"id": n, "file_name": f"{n}.jpg"} for n in range(12)],
        "annotations": [
            {"id": n, "image_id": n // 2, "category_id": 1, "bbox": box}
            for n, box in enumerate(corners)
        ],
        "categories": [{"id": 1, "name": "red"}],
    }
    text(tmp_path / "labels.json", json.dumps(document))
    with pytest.raises(InputError, match="two corners"):
        open_dataset(tmp_path)


def test_doubts_stand_in_the_first_line(tmp_path):
    corners = (drawn(30, 0.2, largest=0.1) * [400, 200, 400, 200]).round().astype(int).tolist()
    picture(tmp_path / "images/0.jpg", size=(400, 200))
    annotations = [
        {"id": n, "image_id": 1, "category_id": 1, "bbox": box} for n, box in enumerate(corners)
    ]
    image = {"id": 1, "file_name": "0.jpg", "width": 400, "height": 200}
    document = {"images": [image], "annotations": annotations}
    document["categories"] = [{"id": 1, "name": "red"}]
    text(tmp_path / "labels.json", json.dumps(document))
    assert "look like two corners" in read_boxes(tmp_path).summary()
    document["annotations"] = annotations[:10]
    text(tmp_path / "few/labels.json", json.dumps(document))
    picture(tmp_path / "few/images/0.jpg", size=(400, 200))
    assert "may be two corners" in open_dataset(tmp_path / "few").summary()
    with pytest.raises(InputError, match="two corners"):
        convert(tmp_path, tmp_path / "out", to="voc")
