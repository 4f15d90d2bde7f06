"""Answers whose numbers mean another thing than their format says: refused, or said."""

import json
from pathlib import Path

import numpy as np
import pytest

from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_picture
from viewfinder.scoring.reading import asked, contests

CLASSES = ("RBC", "WBC", "Platelets")
WIDTH, HEIGHT = 160, 120


def made(root: Path, pictures: int = 8) -> list[dict]:
    """`set/` as Pascal VOC, whose classes have no order of their own, and what finds its boxes."""
    random, found = np.random.default_rng(4), []
    for number in range(1, pictures + 1):
        name = f"cells_{number:02d}"
        write_picture(root / "set" / f"{name}.jpg", np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
        objects = []
        for label in (0, 0, 1, 2):
            x, y = random.integers(2, 90), random.integers(2, 70)
            w, h = random.integers(16, 60), random.integers(16, 48)
            edges = {"xmin": x + 1, "ymin": y + 1, "xmax": x + w, "ymax": y + h}
            inner = "".join(f"<{k}>{v}</{k}>" for k, v in edges.items())
            objects.append(
                f"<object><name>{CLASSES[label]}</name><bndbox>{inner}</bndbox></object>"
            )
            box = [int(v) for v in (x, y, w, h)]
            score = round(0.5 + 0.5 * float(random.random()), 3)
            found.append({"image_id": name, "category_id": label, "bbox": box, "score": score})
        size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>"
        text = f"<annotation><filename>{name}.jpg</filename>{size}{''.join(objects)}</annotation>"
        (root / "set" / f"{name}.xml").write_text(text, encoding="utf-8")
    return found


def notes_and_ap(root: Path, *methods: str) -> tuple[str, list[float]]:
    (one,) = contests(asked(root / "set", methods, []))
    return "\n".join(one.notes(())), [float(own.scores.ap) for own in one.methods.values()]


def as_json(root: Path, found: list[dict], change=lambda box: box) -> str:
    categories = [{"id": k, "name": name} for k, name in enumerate(CLASSES)]
    rows = [{**f, "bbox": change(f["bbox"])} for f in found]
    images = [{"id": n, "file_name": f"{n}.jpg"} for n in {f["image_id"] for f in found}]
    document = {"images": images, "annotations": rows, "categories": categories}
    (root / "a.json").write_text(json.dumps(document), encoding="utf-8")
    return f"a={root}/a.json"


def as_yolo(root: Path, found: list[dict], to=lambda label: label) -> str:
    (root / "yolo").mkdir(exist_ok=True)
    for name in {f["image_id"] for f in found}:
        lines = []
        for each in (f for f in found if f["image_id"] == name):
            x, y, w, h = each["bbox"]
            shares = ((x + w / 2) / WIDTH, (y + h / 2) / HEIGHT, w / WIDTH, h / HEIGHT)
            numbers = " ".join(f"{share:.9f}" for share in shares)
            lines.append(f"{to(each['category_id'])} {numbers} {each['score']}\n")
        (root / "yolo" / f"{name}.txt").write_text("".join(lines), encoding="utf-8")
    return f"yolo={root}/yolo"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]], "two corners .* in pixels: write a cor"),
        (lambda b: [b[0] / WIDTH, b[1] / HEIGHT, b[2] / WIDTH, b[3] / HEIGHT], "in shares"),
        (lambda b: [b[0] + b[2] / 2, b[1] + b[3] / 2, b[2], b[3]], "a centre and a size .*pixels"),
        (lambda b: [b[1], b[0], b[1] + b[3], b[0] + b[2]], r"two corners \(y1"),
        (lambda b: [b[1], b[0], b[3], b[2]], r"a corner and a size \(y, x, height, width\) in pix"),
        (lambda b: [(b[1] + b[3] / 2) / HEIGHT, (b[0] + b[2] / 2) / WIDTH, b[3] / HEIGHT,
                    b[2] / WIDTH], r"a centre and a size \(y, x, height, width\) in shares"),
        (lambda b: [(b[0] + b[2] / 2) / WIDTH, (b[1] + b[3] / 2) / HEIGHT, b[2] / WIDTH,
                    b[3] / HEIGHT], "a centre and a size .*shares"),
    ],
)  # fmt: skip
def test_boxes_of_another_meaning_are_refused(tmp_path, change, said):
    found = made(tmp_path)
    assert notes_and_ap(tmp_path, as_json(tmp_path, found))[1] == [pytest.approx(1)]
    with pytest.raises(InputError, match=said):
        notes_and_ap(tmp_path, as_json(tmp_path, found, change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: [WIDTH - b[0] - b[2], *b[1:]], "have x from the right edge, as 3"),
        (lambda b: [b[0], HEIGHT - b[1] - b[3], *b[2:]], "have y from the bottom edge, as 3"),
        (
            lambda b: [WIDTH - b[0] - b[2], HEIGHT - b[1] - b[3], *b[2:]],
            "right edge and y from the",
        ),
    ],
)
def test_boxes_that_are_mirrored_are_refused(tmp_path, change, said):
    with pytest.raises(InputError, match=said):
        notes_and_ap(tmp_path, as_json(tmp_path, made(tmp_path), change))


def test_a_model_of_other_classes_is_refused_before_any_is_asked(tmp_path, monkeypatch):
    made(tmp_path)
    monkeypatch.setattr("viewfinder.scoring.box_answers.detections_by", None)
    monkeypatch.setattr("viewfinder.scoring.box_answers.read_box_rows", None)
    with pytest.raises(InputError, match=r"coco knows person, .*, and none of the set's classes"):
        notes_and_ap(tmp_path, as_json(tmp_path, []), "coco")


def test_a_score_behind_the_corners_is_told_from_one_before_them(tmp_path):
    made(tmp_path)
    (tmp_path / "texts").mkdir()
    file = tmp_path / "texts/cells_01.txt"
    file.write_text("RBC 0.9 10 20 30 40\n", encoding="utf-8")
    assert "look like" not in notes_and_ap(tmp_path, f"a={tmp_path}/texts")[0]
    file.write_text("RBC 10 20 30 40 0.9\n", encoding="utf-8")
    with pytest.raises(InputError, match="look like x1 y1 x2 y2 score: write score x1 y1"):
        notes_and_ap(tmp_path, f"a={tmp_path}/texts")
    with pytest.raises(InputError, match="--as-is: only maps have values to spread"):
        contests(asked(tmp_path / "set", [f"a={tmp_path}/texts"], [], stretch=False))


def test_one_detector_under_two_names_is_told(tmp_path):
    method = as_json(tmp_path, made(tmp_path))
    assert "a and b have the same boxes" in notes_and_ap(tmp_path, method, f"b{method[1:]}")[0]


def test_a_table_of_sizes_for_corners_is_refused(tmp_path):
    rows = []
    for each in made(tmp_path):
        cells = (each["image_id"], CLASSES[each["category_id"]], each["score"], *each["bbox"])
        rows.append(",".join(map(str, cells)) + "\n")
    text = "source,class,score,x1,y1,x2,y2\n" + "".join(rows)
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="look like a corner and a size"):
        notes_and_ap(tmp_path, f"a={tmp_path}/a.csv")


def test_what_finds_nothing_is_scored_and_said(tmp_path):
    found = made(tmp_path)
    moved = [{**f, "bbox": [1, 1, 5 + k % 3, 6]} for k, f in enumerate(found)]
    notes, ap = notes_and_ap(tmp_path, as_json(tmp_path, moved))
    assert ap == [0]
    assert "not one of its surest detections lies on an object" in notes
    flat = [{**found[0], "bbox": [9, 9, -4, 3]}, *found[1:]]
    notes, _ = notes_and_ap(tmp_path, as_json(tmp_path, flat))
    assert "1 detection with a width or height of 0" in notes


def test_boxes_that_lie_on_objects_by_chance_alone_are_told(tmp_path):
    """As those whose ids are off by one, and some of which find an object nevertheless."""
    found = made(tmp_path)
    names = sorted({f["image_id"] for f in found})
    after = dict(zip(names, names[1:] + names[:1], strict=True))
    wrong = [{**f, "image_id": after[f["image_id"]]} for f in found]
    wrong += [{**f, "score": 0.99} for f in found[:2]]
    notes, ap = notes_and_ap(tmp_path, as_json(tmp_path, wrong))
    assert 0 < ap[0] < 0.3
    assert "which is chance: see that these are answers to this set, under the ids" in notes
    assert "chance" not in notes_and_ap(tmp_path, as_json(tmp_path, found))[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: [b[0] * 4, b[1] * 640 / 120, b[2] * 4, b[3] * 640 / 120], "stretched to 640×"),
        (lambda b: [each * 2 for each in b], "whose longer side is 320"),
        (lambda b: [b[0] * 2.6, b[1] * 2.6 + 52, b[2] * 2.6, b[3] * 2.6], "in the middle of 416×"),
    ],
)
def test_boxes_in_pixels_of_resized_pictures_are_told(tmp_path, change, said):
    notes, ap = notes_and_ap(tmp_path, as_json(tmp_path, made(tmp_path), change))
    assert ap[0] < 0.1
    assert f"in pixels of pictures {said}" in notes
    assert "chance" not in notes
    assert "not one of" not in notes


def test_a_score_before_the_box_is_refused(tmp_path):
    found = made(tmp_path)
    as_yolo(tmp_path, found)
    for file in (tmp_path / "yolo").glob("*.txt"):
        rows = [line.split() for line in file.read_text().splitlines()]
        file.write_text("".join(f"{c} {s} {x} {y} {w} {h}\n" for c, x, y, w, h, s in rows))
    with pytest.raises(InputError, match="look like class score x y width height: write class x"):
        notes_and_ap(tmp_path, f"yolo={tmp_path}/yolo")


def test_numbers_of_classes_are_said_and_read_by_a_list_beside_them(tmp_path):
    found = made(tmp_path)
    notes, ap = notes_and_ap(tmp_path, as_yolo(tmp_path, found))
    assert ap[0] < 0.5
    assert "class 0 is taken for the first class of the set, Platelets" in notes
    assert "seem to be in another order" in notes
    assert "Platelets on RBC" in notes
    lists = {"classes.txt": "RBC\nWBC\nPlatelets\n", "data.yaml": "names: [RBC, WBC, Platelets]\n",
             "obj.names": "RBC\nWBC\nPlatelets\n"}  # fmt: skip
    for name, text in lists.items():
        (tmp_path / "yolo" / name).write_text(text, encoding="utf-8")
        notes, ap = notes_and_ap(tmp_path, as_yolo(tmp_path, found))
        assert ap == [pytest.approx(1, abs=1e-6)]
        assert f"numbered as {name} lists them" in notes
        assert "another order" not in notes
        (tmp_path / "yolo" / name).unlink()


def test_a_detector_that_confuses_classes_is_not_told_of_another_order(tmp_path):
    found = made(tmp_path)
    mixed = [{**f, "category_id": (f["category_id"] + k % 2) % 3} for k, f in enumerate(found)]
    assert "another order" not in notes_and_ap(tmp_path, as_json(tmp_path, mixed))[0]


@pytest.mark.parametrize("scores", [[float("nan")], [-2.5, 3.0], [0.5, 83.0]])
def test_scores_that_are_none_are_told_what_they_are(tmp_path, scores):
    said = {1: "no finite number", 2: "sigmoid of logits"}.get(
        len(scores) + (scores[0] == 0.5), "divide those in percent by 100"
    )
    found = [{**f, "score": s} for f, s in zip(made(tmp_path), scores, strict=False)]
    with pytest.raises(InputError, match=said):
        notes_and_ap(tmp_path, as_json(tmp_path, found))


def test_nothing_found_is_an_answer(tmp_path):
    made(tmp_path)
    (tmp_path / "a.json").write_text("[]", encoding="utf-8")
    notes, ap = notes_and_ap(tmp_path, f"a={tmp_path}/a.json")
    assert ap == [0]
    assert "no detection at all" in notes


def test_ids_may_be_written_as_text_or_with_a_point(tmp_path):
    found = made(tmp_path)
    names = sorted({f["image_id"] for f in found})
    boxes = [{**f, "image_id": 100 + names.index(f["image_id"]), "id": k, "iscrowd": 0,
              "area": f["bbox"][2] * f["bbox"][3]} for k, f in enumerate(found, 1)]  # fmt: skip
    images = [{"id": 100 + k, "file_name": f"{n}.jpg", "width": WIDTH, "height": HEIGHT}
              for k, n in enumerate(names)]  # fmt: skip
    categories = [{"id": k, "name": name} for k, name in enumerate(CLASSES)]
    for file in (tmp_path / "set").glob("*.xml"):
        file.unlink()
    document = {"images": images, "annotations": boxes, "categories": categories}
    (tmp_path / "set/boxes.json").write_text(json.dumps(document), encoding="utf-8")
    for kind in (str, float):
        rows = [{**b, "image_id": kind(b["image_id"])} for b in boxes]
        (tmp_path / "a.json").write_text(json.dumps(rows), encoding="utf-8")
        assert notes_and_ap(tmp_path, f"a={tmp_path}/a.json")[1] == [pytest.approx(1)]
    rows = [{**b, "image_id": b["image_id"] + 0.5} for b in boxes]
    (tmp_path / "a.json").write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(InputError, match=r"there are 100\.5, 101\.5"):
        notes_and_ap(tmp_path, f"a={tmp_path}/a.json")
    del boxes[0]["score"]
    (tmp_path / "a.json").write_text(json.dumps(boxes), encoding="utf-8")
    with pytest.raises(InputError, match=r"of 32 detections 1 has no score, such as one in"):
        notes_and_ap(tmp_path, f"a={tmp_path}/a.json")
