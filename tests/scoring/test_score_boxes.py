"""`viewfinder score` of boxes: COCO's figures, whatever form the answers have, and draws."""

import contextlib
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from viewfinder.cli.main import main
from viewfinder.errors import InputError
from viewfinder.pictures.writing import write_picture
from viewfinder.scoring.box_contest import BoxScores
from viewfinder.scoring.boxes import matches_of, precision_table
from viewfinder.scoring.comparing import compare
from viewfinder.scoring.identical import identical_notes
from viewfinder.scoring.named import by_names
from viewfinder.scoring.reading import asked, contests
from viewfinder.tasks.detect.measures.coco_ap import evaluated
from viewfinder.tasks.detect.measures.matching import match

CLASSES = ("cat", "dog")
NAMES = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")


def made(root: Path, pictures: int = 12, seed: int = 0, digits: int = 2) -> tuple[dict, list[dict]]:
    """`set/` in COCO, and detections near its boxes, two of which have equal scores."""
    random = np.random.default_rng(seed)
    images, boxes, found = [], [], []
    for number in range(1, pictures + 1):
        name = f"street_{number:03d}.jpg"
        write_picture(root / "set" / name, np.full((120, 160, 3), 90, np.uint8))
        images.append({"id": 10 * number, "file_name": name, "width": 160, "height": 120})
        for _ in range(0 if number == 3 else random.integers(1, 4)):
            x, y = random.integers(0, 60, 2).tolist()
            w, h = random.integers(8, 58, 2).tolist()
            label = int(random.integers(2))
            box = {"id": len(boxes) + 1, "image_id": 10 * number, "category_id": 5 + label}
            boxes.append({**box, "bbox": [x, y, w, h], "area": w * h, "iscrowd": 0})
            for _ in range(int(random.integers(0, 3))):
                moved = (np.array([x, y, w, h]) + random.normal(0, 2, 4)).round(1).tolist()
                said = label if random.random() < 0.8 else 1 - label
                found.append(
                    {"image_id": 10 * number, "category_id": 5 + said, "bbox": moved,
                     "score": round(float(random.random()), digits)}
                )  # fmt: skip
    categories = [{"id": 5 + k, "name": n} for k, n in enumerate(CLASSES)]
    document = {"images": images, "annotations": boxes, "categories": categories}
    (root / "set/labels.json").write_text(json.dumps(document), encoding="utf-8")
    (root / "found.json").write_text(json.dumps(found), encoding="utf-8")
    return document, found


def by_pycocotools(document: dict, found: list[dict]) -> list[float]:
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = document
        known.createIndex()
        evaluation = COCOeval(known, known.loadRes([dict(each) for each in found]), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[:6].tolist()


def only(root: Path, *methods: str):
    (contest,) = contests(asked(root / "set", methods or [f"{root}/found.json"], []))
    return contest


@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_pycocotools(tmp_path, seed):
    document, found = made(tmp_path, seed=seed)
    scores = compare([only(tmp_path)]).sets[0].methods[0].values
    expected = dict(zip(NAMES, by_pycocotools(document, found), strict=True))
    for name, value in expected.items():
        if value < 0:
            assert name not in scores
        else:
            assert scores[name].value == pytest.approx(value, abs=1e-9)
            assert scores[name].low <= value + 1e-9 >= 0


@pytest.mark.parametrize("seed", range(3))
def test_a_draw_is_a_set_of_copies(tmp_path, seed):
    """Weights on what was matched once are what matching so many copies of each picture gives."""
    document, found = made(tmp_path, pictures=6, seed=seed, digits=9)
    own = only(tmp_path).methods["found"]
    assert isinstance(own, BoxScores)
    counts = np.random.default_rng(seed).multinomial(6, np.full(6, 1 / 6))
    matches = matches_of(evaluated(match(own.found, own.truth.boxes), 2), 2)
    table = precision_table(matches, counts[None].astype(np.float32))
    images, boxes, again = [], [], []
    for row, times in enumerate(counts.tolist()):
        old = document["images"][row]["id"]
        for copy in range(times):
            new = 1000 * (copy + 1) + old
            images.append({"id": new})
            boxes += [
                {**b, "image_id": new, "id": len(boxes) + k + 1}
                for k, b in enumerate(b for b in document["annotations"] if b["image_id"] == old)
            ]
            again += [{**f, "image_id": new} for f in found if f["image_id"] == old]
    expected = by_pycocotools({**document, "images": images, "annotations": boxes}, again)
    assert np.nanmean(table[0, :, 0]) == pytest.approx(expected[0], abs=1e-9)
    assert np.nanmean(table[0, :, 0, 0]) == pytest.approx(expected[1], abs=1e-9)


def as_yolo(root: Path, document: dict, found: list[dict]) -> None:
    (root / "yolo").mkdir()
    for image in document["images"]:
        lines = []
        for each in (f for f in found if f["image_id"] == image["id"]):
            x, y, w, h = each["bbox"]
            shares = ((x + w / 2) / 160, (y + h / 2) / 120, w / 160, h / 120)
            numbers = " ".join(f"{share:.17g}" for share in shares)
            lines.append(f"{each['category_id'] - 5} {numbers} {each['score']}\n")
        if lines:
            file = root / "yolo" / f"pred_{Path(image['file_name']).stem}_yolo.txt"
            file.write_text("".join(lines), encoding="utf-8")


def as_voc(root: Path, document: dict, found: list[dict]) -> None:
    (root / "voc").mkdir()
    names = {i["id"]: Path(i["file_name"]).stem for i in document["images"]}
    for label, name in enumerate(CLASSES):
        lines = [
            f"{names[f['image_id']]} {f['score']} {x + 1} {y + 1} {x + w} {y + h}\n"
            for f in found
            if f["category_id"] == 5 + label
            for x, y, w, h in [f["bbox"]]
        ]
        (root / f"voc/comp4_det_test_{name}.txt").write_text("".join(lines), encoding="utf-8")


def as_csv(root: Path, document: dict, found: list[dict]) -> None:
    """With a byte order mark, semicolons and Windows' ends of lines, as Excel writes it."""
    names = {i["id"]: i["file_name"] for i in document["images"]}
    lines = ["source,frame,class,score,x1,y1,x2,y2\n"]
    for each in found:
        x, y, w, h = each["bbox"]
        label = CLASSES[each["category_id"] - 5].upper()
        picture = f"/elsewhere/{names[each['image_id']]}"
        lines.append(f"{picture},,{label},{each['score']},{x},{y},{x + w},{y + h}\n")
    text = "".join(lines).replace(",", ";").replace("\n", "\r\n")
    (root / "rows.csv").write_bytes(text.encode("utf-8-sig"))


def test_every_form_of_the_same_detections_scores_the_same(tmp_path):
    document, found = made(tmp_path)
    for write in (as_yolo, as_voc, as_csv):
        write(tmp_path, document, found)
    named = {i["id"]: Path(i["file_name"]).stem for i in document["images"]}
    texts = [{**f, "image_id": named[f["image_id"]]} for f in found]
    (tmp_path / "stems.json").write_text(json.dumps(texts), encoding="utf-8")
    whole = {**document, "annotations": [{**f, "id": k} for k, f in enumerate(found, 1)]}
    (tmp_path / "whole.json").write_text(json.dumps(whole), encoding="utf-8")
    files = ("found.json", "yolo", "voc", "rows.csv", "stems.json", "whole.json")
    contest = only(tmp_path, *(f"{name}={tmp_path}/{name}" for name in files))
    (one,) = compare([contest]).sets
    expected = dict(zip(NAMES, by_pycocotools(document, found), strict=True))
    for own in one.methods:
        assert own.values["ap"].value == pytest.approx(expected["ap"], abs=1e-6), own.method
    notes = "\n".join(one.notes)
    assert "yolo: files are named pred_NAME_yolo for the picture NAME" in notes
    assert "is taken for the class 'dog', 'CAT' for 'cat'" in notes
    assert not any(pair.clear for pair in one.pairs["ap"])


def test_nothing_odd_is_dropped_in_silence(tmp_path):
    document, found = made(tmp_path)
    silent = document["images"][0]["id"]
    odd = [f for f in found if f["image_id"] != silent]
    odd += [odd[0]]
    odd += [{**odd[0], "image_id": 77}, {**odd[0], "category_id": 9}]
    (tmp_path / "found.json").write_text(json.dumps(odd), encoding="utf-8")
    notes = "\n".join(only(tmp_path).notes(()))
    assert "1 detection in 1 picture that the set does not have, left out: 77" in notes
    assert "of classes that the set does not have, left out: category_id 9 (1)" in notes
    assert "1 detection repeated to the last digit" in notes
    assert "street_001.jpg" in notes.split("nothing of")[1]
    strange = [{**each, "image_id": 900 + k} for k, each in enumerate(found)]
    (tmp_path / "found.json").write_text(json.dumps(strange), encoding="utf-8")
    with pytest.raises(InputError, match=r"is in a picture of the set .*to another set"):
        only(tmp_path)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ('[{"image_id": 10, "category_id": 5, "bbox": [1, 2, 3, 4], "score": 83}]', "divide those"),
        ('[{"image_id": 10, "category_id": 5, "bbox": [1, 2, 3], "score": 1}]', "not four numbers"),
        (
            '[{"image_id": 10, "category_id": 5, "bbox": [[1, 2, 9, 2, 9, 9]], "score": 1}]',
            "street_001.jpg has a polygon in the place of its box: write its box as x, y",
        ),
        ('[{"image_id": 10, "category_id": 5, "bbox": [1, 2, 9, 2, 9, 9], "score": 1}]', "a polyg"),
        ('[{"image_id": 10, "category_id": 5, "bbox": [9, 9, 4, 3, 30], "score": 1}]', "a turned"),
        (
            '[{"image_id": 10, "category_id": 5, "segmentation": {"size": [9, 9], "counts": "a1"},'
            ' "score": 1}]',
            "a mask as run lengths and no box: .*toBbox",
        ),
        ('[{"image_id": 10, "category_id": 5, "score": 1}]', "no bbox"),
        ('[{"image_id": 10, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 1}]', "no detection"),
        ('{"a": 1}', "no list of detections"),
        ("[1, 2]", "no list of detections"),
        ("[", "not whole JSON"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, answers, said):
    made(tmp_path, pictures=3)
    (tmp_path / "found.json").write_text(answers, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        only(tmp_path)


def answers_with(root: Path, form: str, scores: tuple[str, str]) -> Path:
    """A detection in each of two pictures; an empty text is no score."""
    names = ("street_001", "street_002")
    if form == "json":
        box = {"category_id": 5, "bbox": [1, 2, 29, 38]}
        rows = [
            {**box, "image_id": 10 * k} | ({"score": float(s)} if s else {})
            for k, s in enumerate(scores, 1)
        ]
        (root / "two.json").write_text(json.dumps(rows), encoding="utf-8")
        return root / "two.json"
    if form == "csv":
        rows = [f"{n},cat,{s},1,2,30,40\n" for n, s in zip(names, scores, strict=True)]
        (root / "two.csv").write_text("picture,class,score,x1,y1,x2,y2\n" + "".join(rows))
        return root / "two.csv"
    (root / form).mkdir(exist_ok=True)
    for name, score in zip(names, scores, strict=True):
        line = {"yolo": f"0 0.1 0.2 0.2 0.3 {score}\n", "named": f"a cat {score} 1 2 30 40\n"}
        if form in line:
            (root / form / f"{name}.txt").write_text(line[form], encoding="utf-8")
    if form == "voc":
        rows = [f"{n} {s} 1 2 30 40\n" for n, s in zip(names, scores, strict=True)]
        (root / "voc/comp4_det_test_cat.txt").write_text("".join(rows), encoding="utf-8")
    return root / form


@pytest.mark.parametrize("form", ["json", "csv", "yolo", "voc", "named"])
def test_detections_without_scores_count_as_sure_in_every_form(tmp_path, form):
    """All without one are taken as 1, which is said; some without one are refused."""
    document, _ = made(tmp_path, pictures=3)
    document["categories"][0]["name"] = "a cat" if form == "named" else "cat"
    (tmp_path / "set/labels.json").write_text(json.dumps(document), encoding="utf-8")
    contest = only(tmp_path, f"a={answers_with(tmp_path, form, ('', ''))}")
    assert any("no detection has a score" in note for note in contest.notes(()))
    assert [f.scores.tolist() for f in contest.methods["a"].found] == [[1.0], [1.0], []]
    with pytest.raises(InputError, match=r"of 2 detections 1 has no score, such as one in street"):
        only(tmp_path, f"a={answers_with(tmp_path, form, ('0.5', ''))}")


def test_the_page_of_boxes(tmp_path, capsys):
    _, found = made(tmp_path)
    worse = [{**f, "bbox": [f["bbox"][0] + 9, *f["bbox"][1:]]} for f in found]
    (tmp_path / "worse.json").write_text(json.dumps(worse), encoding="utf-8")
    out = tmp_path / "out"
    command = ["score", str(tmp_path / "set"), f"mine={tmp_path}/found.json",
               f"other={tmp_path}/worse.json", "--out", str(out)]  # fmt: skip
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "AP50 ↑" in printed
    assert "1 of 1 pair differs by more than chance" in printed
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("<figure>") % 3 == 0
    assert "AP of dog" in page
    assert json.loads((out / "scores.json").read_text(encoding="utf-8"))["task"] == "detect"
    assert "f1,right,wrong,missed" in (out / "pictures.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", [str, float, "name of {}".format])
def test_classes_may_be_written_as_text_or_by_their_names(tmp_path, kind):
    document, found = made(tmp_path, pictures=4)
    for each in document["categories"]:
        each["name"] = f"name of {each['id']}"
    (tmp_path / "set/labels.json").write_text(json.dumps(document), encoding="utf-8")
    plain = only(tmp_path).methods["found"].scores.ap
    rows = [{**f, "category_id": kind(f["category_id"])} for f in found]
    (tmp_path / "found.json").write_text(json.dumps(rows), encoding="utf-8")
    assert only(tmp_path).methods["found"].scores.ap == plain > 0
    (tmp_path / "found.json").write_text(json.dumps([{**f, "category_id": [1]} for f in found]))
    with pytest.raises(InputError, match=r"it has category_id \[1\], and the set"):
        only(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,class,score,x,y,w,h\nstreet_001,cat,1,2,3,4,5\n", "no column x1.* two corners in"),
        ("image;class;score;x1;y1;x2;y2\nstreet_001;cat;0,5;2;3;4;5\n", "is no number: write 0.5"),
        ("image,boxes\nstreet_001,cat 1 2 3 4\n", "a table of boxes has columns x1, y1, x2"),
    ],
)
def test_what_a_table_of_boxes_lacks_is_said(tmp_path, text, said):
    made(tmp_path, pictures=2)
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        only(tmp_path, f"a={tmp_path}/a.csv")


def test_answers_of_two_tasks_are_refused(tmp_path):
    made(tmp_path, pictures=3)
    (tmp_path / "a.csv").write_text("picture,class\nstreet_001,cat\n", encoding="utf-8")
    with pytest.raises(InputError, match="compare those of one task"):
        only(tmp_path, f"a={tmp_path}/found.json", f"b={tmp_path}/a.csv")


def test_names_before_shares_are_refused_for_what_they_are(tmp_path):
    made(tmp_path)
    (tmp_path / "own").mkdir()
    line = "cat 0.5 0.4 0.2 0.3 0.99\n"
    (tmp_path / "own/street_001.txt").write_text(line, encoding="utf-8")
    with pytest.raises(InputError, match="its class is a name, cat, and its numbers are shares"):
        only(tmp_path, f"own={tmp_path / 'own'}")


def test_one_picture_has_scores_and_no_interval(tmp_path):
    made(tmp_path, pictures=1, seed=2)
    scores = compare([only(tmp_path)]).sets[0].methods[0].values
    assert scores["ap50"].value >= 0
    assert scores["ap50"].low is None


def test_a_misspelt_class_of_boxes_is_told_by_the_one_that_is_meant(tmp_path):
    made(tmp_path)
    header = "picture,class,score,x1,y1,x2,y2\n"
    rows = ["street_001.jpg,cat,0.9,1,1,20,20", "street_001.jpg,dogs,0.8,30,1,50,20"]
    (tmp_path / "it.csv").write_text(header + "\n".join(rows), encoding="utf-8")
    notes = "\n".join(compare([only(tmp_path, f"{tmp_path}/it.csv")]).sets[0].notes)
    assert "left out: dogs (did you mean dog?) (1)" in notes


def test_a_misspelt_class_of_json_is_asked_about_and_its_spaces_are_taken_off(tmp_path):
    _, found = made(tmp_path)
    for k, each in enumerate(found):
        each["category_id"] = ("cat ", "dgo")[k % 2]
    (tmp_path / "found.json").write_text(json.dumps(found), encoding="utf-8")
    told = "\n".join(only(tmp_path).notes(()))
    assert "dgo (did you mean dog?)" in told
    assert "cat (" not in told


def test_a_name_of_several_pictures_asks_for_its_folder():
    pictures = ["a/000.png", "b/000.png", "b/001.png"]
    with pytest.raises(InputError, match="000 is the name of 2 pictures; write the folder too"):
        by_names(pictures, ["000", "001"], where="found.csv")
    assert by_names(pictures, ["a/000", "b/001"], where="x").of["a/000"] == "a/000.png"


def test_numbers_that_differ_by_rounding_are_one_method():
    numbers = np.linspace(0, 1, 12).reshape(3, 4)
    answers = {"a": ("", numbers), "onnx": ("", numbers + 1e-6), "c": ("", numbers + 0.01)}
    (told,) = identical_notes(answers, what="answers", pictures=3)
    assert told.startswith("a and onnx have the same answers")


def test_maps_beside_boxes_and_boxes_beside_masks_are_told(tmp_path):
    made(tmp_path)
    mask = np.zeros((120, 160), np.uint8)
    mask[20:60, 30:90] = 255
    for folder in ("maps", "masks"):
        for number in range(1, 13):
            (tmp_path / folder).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / folder / f"street_{number:03d}.png"), mask)
    with pytest.raises(InputError, match="the answers are boxes, and the truth is none of boxes"):
        contests(asked(tmp_path / "masks", [f"a={tmp_path}/found.json"], []))
    with pytest.raises(InputError, match="the answers are maps, and the truth is boxes"):
        contests(asked(tmp_path / "set", [f"a={tmp_path}/maps"], []))
