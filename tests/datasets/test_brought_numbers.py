"""Numbers that mean something else than their format says: read right, or refused, never taken."""

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
from PIL import Image

from viewfinder.datasets.checks.boxes import check_boxes
from viewfinder.datasets.converting import convert
from viewfinder.datasets.measuring import turned_points
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.errors import InputError
from viewfinder.pictures.reading import read_picture

YAML = "train: images\nnames: [red, blue]\n"


def kinds(root):
    return {fault.kind for fault in check_boxes(read_boxes(root))}


def yolo(root, lines=yolo_lines, extra=""):
    text(root / "data.yaml", YAML + extra)
    for stem in TRUTH:
        picture(root / f"images/{stem}.jpg")
        text(root / f"labels/{stem}.txt", lines(stem))


def of_boxes(form):
    """YOLO's lines with four other numbers of each box."""
    return lambda stem: "".join(
        f"{label} {' '.join(map(str, form(*box)))}\n" for label, box in TRUTH[stem]
    )


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (lambda x1, y1, x2, y2: ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1), "in pixels"),
        (lambda x1, y1, x2, y2: (x1, y1, x2, y2), "two corners .* in pixels"),
        (
            lambda x1, y1, x2, y2: (x1 / WIDTH, y1 / HEIGHT, x2 / WIDTH, y2 / HEIGHT),
            "two corners .* in shares",
        ),
    ],
)
def test_yolo_numbers_that_are_no_centres_in_shares_are_refused(tmp_path, form, says):
    yolo(tmp_path, of_boxes(form))
    assert "meaning" in kinds(tmp_path)
    with pytest.raises(InputError, match=f"look like .*{says}"):
        open_dataset(tmp_path)
    with pytest.raises(InputError, match="look like"):
        convert(tmp_path, tmp_path / "out", to="coco")


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (lambda x, y, w, h: [x / WIDTH, y / HEIGHT, w / WIDTH, h / HEIGHT], "in shares"),
        (lambda x, y, w, h: [x, y, x + w, y + h], "two corners"),
    ],
)
def test_coco_boxes_in_shares_or_corners_are_refused(tmp_path, form, says):
    document = coco_document({stem: f"{stem}.jpg" for stem in TRUTH})
    for annotation in document["annotations"]:
        annotation["bbox"] = form(*annotation["bbox"])
    text(tmp_path / "annotations/instances_train.json", json.dumps(document))
    for stem in TRUTH:
        picture(tmp_path / f"images/{stem}.jpg")
    with pytest.raises(InputError, match=f"look like .*{says}"):
        open_dataset(tmp_path)


def test_key_points_are_no_polygons(tmp_path):
    def pose(stem):
        points = ""
        for label, (x1, y1, x2, y2) in TRUTH[stem]:
            x, y = (x1 + x2) / 2 / WIDTH, (y1 + y2) / 2 / HEIGHT
            line = f"{label} {x} {y} {(x2 - x1) / WIDTH} {(y2 - y1) / HEIGHT}"
            corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
            points += line + "".join(f" {a / WIDTH} {b / HEIGHT}" for a, b in corners) + "\n"
        return points

    yolo(tmp_path / "told", pose, "kpt_shape: [4, 2]\n")
    assert said(read_boxes(tmp_path / "told")) == truth()
    assert not read_boxes(tmp_path / "told").boxes.segmentations
    yolo(tmp_path / "untold", pose)
    with pytest.raises(InputError, match=r"kpt_shape: \[4, 2\]"):
        open_dataset(tmp_path / "untold")

    def polygons(stem):
        return "".join(
            f"{label} {a / WIDTH} {b / HEIGHT} {c / WIDTH} {b / HEIGHT} "
            f"{c / WIDTH} {d / HEIGHT} {a / WIDTH} {d / HEIGHT}\n"
            for label, (a, b, c, d) in TRUTH[stem]
        )

    yolo(tmp_path / "polygons", polygons)
    assert said(read_boxes(tmp_path / "polygons")) == truth()


def test_voc_that_counts_from_0_and_difficult_in_words(tmp_path):
    for stem in TRUTH:
        picture(tmp_path / f"JPEGImages/{stem}.jpg")
        page = voc_page(stem, zero=True)
        if stem == "3":
            words = iter(["True", "no"])
            parts = page.split("<bndbox>")
            page = parts[0] + "".join(
                f"<difficult>{next(words)}</difficult><bndbox>{part}" for part in parts[1:]
            )
        text(tmp_path / f"Annotations/{stem}.xml", page)
    dataset = read_boxes(tmp_path)
    assert said(dataset) == truth()
    assert any("counted from 0" in note for note in dataset.notes)
    assert dataset.boxes.difficult.sum() == 1
    assert not kinds(tmp_path)


def test_classes_counted_from_1(tmp_path):
    def from_one(stem):
        lines = (line.split(" ", 1) for line in yolo_lines(stem).splitlines())
        return "".join(f"{int(label) + 1} {rest}\n" for label, rest in lines)

    yolo(tmp_path, from_one)
    with pytest.raises(InputError, match="classes 1 to 2 and never 0"):
        open_dataset(tmp_path)


def test_nc_beside_names_and_two_lists_of_classes(tmp_path):
    yolo(tmp_path, extra="nc: 3\n")
    assert "class-count" in kinds(tmp_path)
    text(tmp_path / "labels/classes.txt", "dog\nperson\nred\nblue\n")
    with pytest.raises(InputError, match="dog, person, red, blue"):
        open_dataset(tmp_path)


def test_numbers_of_images_and_categories_one_off(tmp_path):
    for stem in TRUTH:
        picture(tmp_path / f"train/{stem}.jpg")
    for key in ("image_id", "category_id"):
        document = coco_document({stem: f"{stem}.jpg" for stem in TRUTH})
        for annotation in document["annotations"]:
            annotation[key] -= 1
        text(tmp_path / "annotations/instances_train.json", json.dumps(document))
        with pytest.raises(InputError, match=f"their {key} is one less than"):
            open_dataset(tmp_path)


def test_loose_coco_is_read(tmp_path):
    document = coco_document({stem: f"{stem}.jpg" for stem in TRUTH})
    for image in document["images"]:
        image |= {"id": f"img{image['id']}", "width": float(WIDTH), "height": str(HEIGHT)}
    for number, annotation in enumerate(document["annotations"]):
        annotation |= {"image_id": f"img{annotation['image_id']}", "id": f"a{number}"}
        annotation["category_id"] = float(annotation["category_id"])
    document["categories"].insert(0, {"id": 0, "name": "red"})
    document["annotations"].append({"id": "x", "image_id": "img1", "category_id": 1, "bbox": []})
    text(tmp_path / "annotations/instances_train.json", json.dumps(document))
    for stem in TRUTH:
        picture(tmp_path / f"train/{stem}.jpg")
    dataset = read_boxes(tmp_path)
    assert said(dataset) == truth()
    assert dataset.classes == ("red", "blue")
    assert kinds(tmp_path) == {"no-box"}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_marked_as_stored_are_turned_as_the_picture_is(tmp_path, orientation):
    """The reader turns the pixels; the same place is then in the same box."""
    stored = np.full((HEIGHT, WIDTH, 3), 30, np.uint8)
    x1, y1, x2, y2 = 4, 3, 12, 9
    stored[y1:y2, x1:x2] = 220
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif)
    upright = read_picture(tmp_path / "a.png")
    corners = np.array([[x1, y1], [x2, y2]], float)
    moved = turned_points(corners, np.array([[WIDTH, HEIGHT]], float), np.array([orientation]))
    (a, b), (c, d) = moved.min(0).astype(int), moved.max(0).astype(int)
    expected = np.full_like(upright, 30)
    expected[b:d, a:c] = 220
    assert (upright == expected).all()


def test_turned_pictures_whose_labels_state_the_stored_size(tmp_path):
    for stem in TRUTH:
        picture(tmp_path / f"JPEGImages/{stem}.jpg", turned=6 if stem != "3" else 3)
        text(tmp_path / f"Annotations/{stem}.xml", voc_page(stem))
    assert kinds(tmp_path) == {"size"}
    dataset = open_dataset(tmp_path, deal=False)
    boxes = said(dataset)
    # Orientation 6 shows x to the left of the lower edge: (x, y) comes to (height - y, x).
    assert boxes["1"] == [("blue", (HEIGHT - 18, 0, HEIGHT, 30))]
    # One turned picture tells how all were marked, the one upside down too.
    assert boxes["3"][0] == ("red", (WIDTH - 32, HEIGHT - 9, WIDTH - 22, HEIGHT - 3))
    convert(tmp_path, tmp_path / "out", to="yolo")
    assert said(read_boxes(tmp_path / "out")) == boxes


def test_turned_pictures_of_which_nothing_is_known_are_said_and_can_be_turned(tmp_path):
    yolo(tmp_path)
    for stem in TRUTH:
        picture(tmp_path / f"images/{stem}.jpg", turned=8)
    assert kinds(tmp_path) == {"turned"}
    convert(tmp_path, tmp_path / "out", to="coco", stored=True)
    x1, y1, x2, y2 = TRUTH["1"][0][1]
    told = said(read_boxes(tmp_path / "out"))["1"]
    # YOLO's shares are of the stored picture, WIDTH × HEIGHT; 8 brings (x, y) to (y, width - x).
    assert told == [("blue", (y1, WIDTH - x2, y2, WIDTH - x1))]


def test_a_scaled_picture_keeps_its_boxes_and_one_of_another_shape_is_left_out(tmp_path):
    for stem in TRUTH:
        size = (2 * WIDTH, 2 * HEIGHT) if stem != "3" else (WIDTH, WIDTH)
        picture(tmp_path / f"images/{stem}.jpg", size=size)
    coco(tmp_path / "annotations/instances_train.json", {s: f"{s}.jpg" for s in TRUTH})
    assert kinds(tmp_path) == {"size"}
    dataset = open_dataset(tmp_path, deal=False)
    twice = {
        stem: [(name, tuple(2 * value for value in box)) for name, box in boxes]
        for stem, boxes in truth("0", "1", "2").items()
    }
    assert said(dataset) == twice
    done = convert(tmp_path, tmp_path / "out", to="voc")
    assert said(read_boxes(tmp_path / "out")) == twice
    assert any("of another shape" in note for note in done.notes)


def test_width_and_height_exchanged_in_the_labels_alone(tmp_path):
    for stem in TRUTH:
        picture(tmp_path / f"JPEGImages/{stem}.jpg")
        page = voc_page(stem).replace(f"<width>{WIDTH}", "<width>0")
        page = page.replace(f"<height>{HEIGHT}", f"<height>{WIDTH}")
        text(tmp_path / f"Annotations/{stem}.xml", page.replace("<width>0", f"<width>{HEIGHT}"))
    assert said(open_dataset(tmp_path, deal=False)) == truth()


def test_classes_that_differ_in_case_or_accents_alone_are_told(tmp_path):
    names = ["Person", "per son", "persón", "car"]
    for number, name in enumerate(names):
        picture(tmp_path / f"JPEGImages/{number % 4}.jpg")
        page = voc_page(str(number % 4)).replace("red", name).replace("blue", name)
        text(tmp_path / f"Annotations/{number % 4}.xml", page)
    faults = check_boxes(read_boxes(tmp_path))
    (alike,) = [fault for fault in faults if fault.kind == "similar-classes"]
    assert "'Person', 'per son', 'persón'" in alike.detail
    assert "merge Person 'per son' 'persón' Person`" in alike.fix
