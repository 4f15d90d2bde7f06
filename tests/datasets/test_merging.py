"""Several sets of boxes written as one."""

import itertools
import json
import shutil

import pytest
from brought import NAMES, TRUTH, coco, picture, said, text, truth, voc_page, yolo_lines

from viewfinder.cli.main import main
from viewfinder.datasets.converting import convert
from viewfinder.datasets.opening import read_boxes
from viewfinder.errors import InputError


def yolo(root, names=NAMES, *, sides=True):
    """The small set as YOLO: 0 and 1 to train on, 2 and 3 in val."""
    for stem in TRUTH:
        folder = ("train" if stem < "2" else "val") if sides else "all"
        picture(root / f"images/{folder}/{stem}.jpg")
        lines = yolo_lines(stem).splitlines()
        numbers = [names.index(NAMES[int(line.split()[0])]) for line in lines]
        lines = [
            f"{n} {line.split(maxsplit=1)[1]}\n" for n, line in zip(numbers, lines, strict=True)
        ]
        text(root / f"labels/{folder}/{stem}.txt", "".join(lines))
    entries = "train: images/train\nval: images/val\n" if sides else ""
    text(root / "data.yaml", f"{entries}names: [{', '.join(names)}]\n")


def voc(root, *, prefix="v"):
    """The same boxes as VOC, in pictures of other names and bytes, without sides."""
    for stem in TRUTH:
        picture(root / f"JPEGImages/{prefix}{stem}.jpg")
        text(root / f"Annotations/{prefix}{stem}.xml", voc_page(stem, f"{prefix}{stem}.jpg"))


def sides(dataset):
    return dict(zip((p.rpartition("/")[2] for p in dataset.paths), dataset.splits, strict=True))


@pytest.mark.parametrize("to", ["coco", "yolo", "voc"])
def test_two_sets_of_other_formats_and_orders_of_classes(tmp_path, to):
    yolo(tmp_path / "a", ("blue", "red"))
    voc(tmp_path / "b")
    done = convert([tmp_path / "a", tmp_path / "b"], tmp_path / "out", to=to)
    assert (done.pictures, done.boxes) == (8, 12)
    assert done.layout == "a (YOLO) and b (Pascal VOC)"
    assert "b: 4 pictures in no split, and in train now" in done.notes
    found = read_boxes(tmp_path / "out")
    assert said(found) == truth() | {f"v{stem}": boxes for stem, boxes in truth().items()}
    assert [sides(found)[name] for name in ("0.jpg", "2.jpg", "v0.jpg")] == [0, 1, 0]


def test_names_of_pictures_that_stand_twice_are_of_two_pictures(tmp_path):
    coco(tmp_path / "a/labels.json", {stem: f"{stem}.jpg" for stem in "01"})
    coco(tmp_path / "b/labels.json", {"2": "0.jpg", "3": "1.jpg"})
    for number, (folder, stem) in enumerate(itertools.product("ab", "01")):
        picture(tmp_path / f"{folder}/{stem}.jpg", size=(40, 20))
        # No two files alike.
        with (tmp_path / f"{folder}/{stem}.jpg").open("ab") as file:
            file.write(bytes([number]))
    convert([tmp_path / "a", tmp_path / "b"], tmp_path / "out", to="yolo")
    found = said(read_boxes(tmp_path / "out"))
    wanted = truth()
    assert found == {"0": wanted["0"], "1": wanted["1"], "0-2": wanted["2"], "1-2": wanted["3"]}


def test_a_picture_of_both_is_one_with_the_boxes_of_both_on_the_later_side(tmp_path):
    files = {"0": "0.jpg", "1": "1.jpg"}
    coco(tmp_path / "a/annotations/instances_train.json", files, only=0)
    coco(tmp_path / "b/annotations/instances_val.json", files, only=1)
    for stem in files:
        picture(tmp_path / f"a/images/{stem}.jpg")
        (tmp_path / "b/images").mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / f"a/images/{stem}.jpg", tmp_path / f"b/images/x{stem}.jpg")
    document = json.loads((tmp_path / "b/annotations/instances_val.json").read_text())
    for image in document["images"]:
        image["file_name"] = f"x{image['file_name']}"
    text(tmp_path / "b/annotations/instances_val.json", json.dumps(document))
    done = convert([tmp_path / "a", tmp_path / "b"], tmp_path / "out", to="coco")
    assert done.pictures == 2
    found = read_boxes(tmp_path / "out")
    assert said(found) == truth("0", "1")
    assert set(sides(found).values()) == {1}
    assert any("in different splits in different sets" in note for note in done.notes)


def test_classes_that_a_set_does_not_know_are_said(tmp_path):
    yolo(tmp_path / "a", ("red", "blue", "Red"))
    voc(tmp_path / "b")
    done = convert([tmp_path / "a", tmp_path / "b"], tmp_path / "out", to="voc")
    said_of = " ".join(done.notes)
    assert "b knows nothing of Red" in said_of
    assert "the classes red and Red differ in case" in said_of


def test_faults_say_whose_they_are_and_one_that_blocks_stops(tmp_path):
    yolo(tmp_path / "a")
    yolo(tmp_path / "b")
    text(tmp_path / "b/labels/train/0.txt", "0 30 40 5 5\n0 1 a b c\n")
    with pytest.raises(InputError, match=r"b/labels/train/0.txt"):
        convert([tmp_path / "a", tmp_path / "b"], tmp_path / "out", to="yolo")
    assert not (tmp_path / "out").exists()


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yolo(tmp_path / "a")
    voc(tmp_path / "b")
    assert main(["convert", "a", "b", "--to", "yolo", "--out", "joined"]) == 0
    assert capsys.readouterr().out.startswith(
        "joined: 8 pictures, 12 boxes, from a (YOLO) and b (Pascal VOC)\n"
    )
    assert main(["convert", "a", "c", "--to", "voc"]) == 0
    assert main(["convert", "b", "--out", "d", "--to", "coco"]) == 0
    for wrong in (["a"], ["a", "b"], ["a", "b", "e"], ["a", "a", "--out", "e"]):
        assert main(["convert", *wrong, "--to", "yolo"]) == 2
    told = capsys.readouterr().err
    assert "folder by --out" in told
    assert "given twice" in told


def test_a_link_out_of_one_set_into_the_folder_of_both_is_refused(tmp_path):
    yolo(tmp_path / "a")
    voc(tmp_path / "b")
    text(tmp_path / "secret.txt", "hush")
    (tmp_path / "a/images/train/0.jpg").unlink()
    (tmp_path / "a/images/train/0.jpg").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(InputError, match=r"outside of|not a picture|damaged|text"):
        convert([tmp_path / "a", tmp_path / "b"], tmp_path / "out", to="coco")
    assert not (tmp_path / "out").exists()
