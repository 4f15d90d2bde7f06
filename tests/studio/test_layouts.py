"""Any layout that `train` opens is opened, read back the same, edited, and exported."""

import json
import os
import shutil
from pathlib import PurePosixPath

import brought
import numpy as np
import pytest
from pycocotools.coco import COCO

from viewfinder.datasets.checks.checking import check
from viewfinder.datasets.converting import convert
from viewfinder.datasets.editing.classes import apply_changes, plan_edit
from viewfinder.datasets.formats.class_folders.reading import open_class_folders
from viewfinder.datasets.opening import open_dataset, read_box_files, read_boxes, usable_boxes
from viewfinder.errors import InputError
from viewfinder.pictures.reading import read_mask
from viewfinder.pictures.writing import write_mask, write_picture
from viewfinder.studio.store import (
    LabelPicture,
    Operation,
    PutBox,
    PutClass,
    RemoveBox,
    SetState,
    lines,
    open_store,
    read_lines,
)
from viewfinder.studio.store.exporting import refuse_within

COLUMNS = ("splits", "labels", "sizes", "image_ids")


def same(one, two, *, order=True):
    """Two data sets that say the same."""
    assert (one.paths, one.classes, one.class_ids) == (two.paths, two.classes, two.class_ids)
    for name in COLUMNS:
        first, second = getattr(one, name), getattr(two, name)
        assert (first is None) == (second is None), name
        assert first is None or (first == second).all(), name
    if one.boxes is not None:
        assert list(one.boxes.contents()) == list(two.boxes.contents())
        assert (one.boxes.ids == two.boxes.ids).all()
        assert np.array_equal(one.boxes.areas, two.boxes.areas, equal_nan=True)


def do(store, id, *changes):
    return store.apply(Operation(id, changes, "ann"))


@pytest.fixture
def rich(yolo, tmp_path):
    """COCO with all that it can say: sparse numbers, crowds, outlines, sides, an unused class."""
    convert(yolo, tmp_path / "coco", to="coco")
    (file,) = (tmp_path / "coco" / "annotations").iterdir()
    document = json.loads(file.read_text())
    document["categories"] = [
        {"id": 7, "name": "red"}, {"id": 90, "name": "Schraube ö 螺"}, {"id": 3, "name": "unused"},
    ]  # fmt: skip
    for number, annotation in enumerate(document["annotations"]):
        annotation["category_id"] = 7 if annotation["category_id"] == 1 else 90
        annotation["id"] = 100 + number * 3
        annotation["bbox"][0] += 0.1
    document["annotations"][0]["segmentation"] = [[4.1, 2, 14, 2, 14, 12]]
    document["annotations"][1] |= {
        "iscrowd": 1, "segmentation": {"size": [20, 40], "counts": [100, 40, 660]},
    }  # fmt: skip
    for number, image in enumerate(document["images"]):
        image["id"] = 50 - number
        image["group"] = "film" if number else ""
    for annotation in document["annotations"]:
        annotation["image_id"] = 51 - annotation["image_id"]
    file.write_text(json.dumps(document))
    return tmp_path / "coco"


@pytest.mark.parametrize("layout", ["rich", "yolo", "voc"])
def test_a_set_of_boxes_is_read_the_same_with_the_store_as_without(layout, request, yolo, tmp_path):
    root = tmp_path / "voc" if layout == "voc" else request.getfixturevalue(layout)
    if layout == "voc":
        convert(yolo, root, to="voc")
    before, raw = open_dataset(root), usable_boxes(read_boxes(root))
    files = {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}
    with open_store(root, wait=True) as store:
        assert store.kind() == "boxes"
        same(store.snapshot(), raw)
    same(open_dataset(root), before)
    assert open_dataset(root).layout == "the studio's labels"
    left = {path: time for path, time in files.items() if path.stat().st_mtime_ns == time}
    assert left == files


def test_with_postgresql_a_snapshot_is_the_same(rich, new_schema):
    with open_store(rich, url=new_schema(), wait=True) as store:
        same(store.snapshot(), usable_boxes(read_box_files(rich)))


def class_folders(root, each, *, sides=("",)):
    for side in sides:
        for name in ("cat", "dog"):
            for number in range(each):
                brought.picture(root / side / name / f"{side}{name}{number}.jpg")
    return root


@pytest.mark.parametrize("sides", [("",), ("train", "test")])
def test_class_folders_are_read_the_same_dealt_too_and_labelled(tmp_path, sides):
    root = class_folders(tmp_path / "set", 8, sides=sides)
    undealt, dealt = open_class_folders(root, deal=False), open_dataset(root)
    with open_store(root, wait=True) as store:
        assert store.kind() == "classes"
        same(store.snapshot(), undealt)
        same(open_dataset(root), dealt)
        first = store.pictures().pictures[0]
        other = next(each.id for each in store.classes() if each.id != first.label)
        do(store, "o1", LabelPicture(first.id, other, 1))
        do(store, "o2", SetState(first.id + 1, "skipped", 1))
        now = open_dataset(root)
        assert len(now) == len(dealt) - 1
        assert now.classes[now.labels[now.paths.index(first.path)]] == other_name(store, other)
        done = store.export(root.parent / "out", to="folders")
    assert done.pictures == len(now)
    again = open_class_folders(root.parent / "out")
    assert again.counts() == now.counts()
    with open_store(root) as store, pytest.raises(InputError, match="cannot hold"):
        store.export(root.parent / "no", to="coco")


def other_name(store, id):
    return next(each.name for each in store.classes() if each.id == id)


def test_class_folders_can_be_given_boxes(tmp_path):
    root = class_folders(tmp_path / "set", 2)
    with open_store(root, kind="boxes", wait=True) as store:
        label = store.classes()[0].id
        do(store, "o1", PutBox("b", 1, label, (0, 0, 5, 5), 0), SetState(1, "done", 1))
    dataset = open_dataset(root)
    assert len(dataset) == 1
    assert len(dataset.boxes) == 1
    assert any("still to do" in note for note in dataset.notes)


def test_masks_stay_the_files_own_until_they_are_exported(tmp_path):
    for stem in "ab":
        brought.picture(tmp_path / "set" / "RGB" / f"{stem}.jpg")
        brought.picture(tmp_path / "set" / "GT" / f"{stem}.png")
    with open_store(tmp_path / "set", wait=True) as store:
        assert store.kind() == "masks"
        assert [each.path for each in store.pictures().pictures] == ["RGB/a.jpg", "RGB/b.jpg"]
        assert store.snapshot() is None
    assert len(open_dataset(tmp_path / "set").masks) == 2


def test_a_mask_that_the_store_never_read_goes_out_as_the_file_has_it(tmp_path):
    """As in stores that are older than outlines of masks."""
    root = tmp_path / "set"
    write_picture(root / "RGB" / "a.png", np.full((8, 12, 3), 90, np.uint8))
    mask = np.zeros((8, 12), np.bool_)
    mask[2:5, 3:9] = True
    (root / "GT").mkdir()
    write_mask(root / "GT" / "a.png", mask)
    with open_store(root, wait=True) as store:
        with store._database.write() as connection:
            connection.exec_driver_sql("DELETE FROM box")
            connection.exec_driver_sql("UPDATE picture SET listed = 0, state = 'done'")
        done = store.export(tmp_path / "out", to="masks")
    assert done.notes == ("1 mask as the files have them: nothing was drawn there",)
    assert (read_mask(tmp_path / "out" / "GT" / "a.png") == mask).all()


def test_pictures_turned_by_exif_have_boxes_where_the_reader_has_them(tmp_path):
    root = tmp_path / "turned"
    brought.picture(root / "images" / "0.jpg", turned=6)
    brought.picture(root / "images" / "1.jpg")
    brought.text(root / "annotations.json", json.dumps({
        "images": [
            {"id": 1, "file_name": "images/0.jpg", "width": 40, "height": 20},
            {"id": 2, "file_name": "images/1.jpg", "width": 40, "height": 20},
        ],
        "categories": [{"id": 1, "name": "red"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [4, 2, 10, 8]}],
    }))  # fmt: skip
    before = open_dataset(root, deal=False)
    assert before.sizes[0].tolist() == [20, 40]
    with open_store(root, wait=True) as store:
        one = store.picture(1)
        assert (one.picture.width, one.picture.height) == (20, 40)
        assert one.boxes[0].corners == tuple(before.boxes.corners[0])
    same(open_dataset(root, deal=False), before)


def test_pictures_of_another_shape_than_their_labels_say_are_shown_as_such(yolo, tmp_path):
    convert(yolo, tmp_path / "voc", to="voc", copy=True)
    brought.picture(tmp_path / "voc" / "JPEGImages" / "1.jpg", size=(30, 30))
    with open_store(tmp_path / "voc", wait=True) as store:
        bad = [each for each in store.pictures().pictures if each.trouble]
        assert [each.path for each in bad] == ["JPEGImages/1.jpg"]
        assert len(store.snapshot()) == 3
        assert any("another shape" in note for note in store.notes())


def test_what_nobody_has_looked_at_is_not_learnt_as_background(yolo):
    brought.picture(yolo / "images" / "9.jpg")
    with open_store(yolo, wait=True) as store:
        new = next(each for each in store.pictures().pictures if each.path == "images/9.jpg")
        assert "images/9.jpg" in open_dataset(yolo).paths
        do(store, "o1", SetState(1, "skipped", 1))
        assert len(store.snapshot()) == 4
        do(store, "o2", SetState(new.id, "done", 1))
        assert len(store.snapshot()) == 4


def test_nothing_is_exported_into_the_set_itself(yolo):
    with open_store(yolo, wait=True) as store:
        for to in ("yolo", "coco"):
            with pytest.raises(InputError, match="own folder"):
                store.export(yolo / "out", to=to)
        store.export(yolo / ".viewfinder" / "out", to="voc")
        assert not store.look_at_disk()


def test_a_picture_beside_class_folders_is_to_do_and_did_not_come_since(tmp_path):
    root = class_folders(tmp_path / "set", 3)
    brought.picture(root / "loose.jpg")
    with open_store(root, wait=True) as store:
        loose = store.pictures().pictures[-1]
        assert (loose.path, loose.state, loose.label) == ("loose.jpg", "todo", None)
        assert not store.look_at_disk()


def test_boxes_of_files_without_ids_are_exported_without_a_word_of_ids(yolo, tmp_path):
    with open_store(yolo, wait=True) as store:
        do(store, "o1", RemoveBox(store.picture(1).boxes[0].id, 1))
        lost = store.export(tmp_path / "out", to="voc").lost
        assert not any("ids" in what for what in lost)


@pytest.mark.parametrize("to", ["coco", "yolo", "voc"])
def test_edits_come_out_in_every_layout(rich, tmp_path, to):
    with open_store(rich, wait=True) as store:
        first = store.picture(1).boxes[0]
        do(store, "o1", RemoveBox(first.id, 1), PutClass("c2", "Umbenannt", 1, position=1))
        do(store, "o2", PutBox("new", 1, "c2", (3.5, 4.25, 39.9, 19), 0))
        expected = store.snapshot()
        done = store.export(tmp_path / "out", to=to)
        assert done.boxes == len(expected.boxes)
        with pytest.raises(InputError, match="exists already"):
            store.export(tmp_path / "out", to=to)
    back = usable_boxes(read_box_files(tmp_path / "out"))
    names = [PurePosixPath(path).name for path in back.paths]
    for row, path in enumerate(expected.paths):
        other = names.index(PurePosixPath(path).name)
        mine = expected.boxes.corners[expected.boxes.of(row)]
        assert np.abs(mine - back.boxes.corners[back.boxes.of(other)]).max(initial=0) < 1e-6
    if to == "coco":
        (file,) = (tmp_path / "out" / "annotations").iterdir()
        read = COCO(str(file))
        assert sorted(read.getAnnIds()) == sorted(expected.boxes.ids.tolist())
        assert [each["name"] for each in read.loadCats([90])] == ["Umbenannt"]


def test_pictures_moved_into_another_folder_keep_their_labels(yolo):
    """Also where none of the set lay before, and a whole folder under another name."""
    with open_store(yolo, wait=True) as store:
        before = store.contents()
        images = yolo / "images"
        (images / "below").mkdir()
        (images / "0.jpg").rename(images / "below" / "0.jpg")
        assert store.look_at_disk().moved == (("images/0.jpg", "images/below/0.jpg"),)
        images.rename(yolo / "pictures")
        report = store.look_at_disk()
        assert len(report.moved) == 4
        assert not report.missing
        assert not report.added
        assert store.contents() == before
        assert [each.path.partition("/")[0] for each in store.pictures().pictures] == [
            "pictures"
        ] * 4
        # Beside the set stands what is no part of it: it was not moved there, and is not added.
        brought.picture(yolo / "notes" / "sketch.png")
        assert not store.look_at_disk()


def test_an_export_that_reads_back_otherwise_is_removed(rich, tmp_path, monkeypatch):
    from viewfinder.studio.store import exporting

    real = exporting.write_boxes

    def cheating(dataset, out, *, to):
        done = real(dataset, out, to=to)
        (file,) = (out / "annotations").iterdir()
        file.write_text(file.read_text().replace('"bbox": [10.1,', '"bbox": [11.1,'))
        return done

    monkeypatch.setattr(exporting, "write_boxes", cheating)
    with open_store(rich, wait=True) as store, pytest.raises(InputError, match="was removed"):
        store.export(tmp_path / "out", to="coco")
    assert not (tmp_path / "out").exists()


def test_everything_goes_through_json_lines(rich, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(rich, copy)
    with open_store(rich, wait=True) as store:
        do(store, "o1", PutBox("new", 1, "c1", (3.1, 4, 9, 9), 0))
        do(store, "o2", SetState(1, "done", 1))
        store.undo("u1", "ann")
        store.write_lines(tmp_path / "all.jsonl")
        contents, history = store.contents(), store.history()
    with read_lines(copy, tmp_path / "all.jsonl") as store:
        assert store.contents() == contents
        assert store.history() == history
        store.write_lines(tmp_path / "again.jsonl")
        store.redo("r1", "ann")
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "all.jsonl").read_bytes()
    with pytest.raises(InputError, match="has labels already"):
        read_lines(copy, tmp_path / "all.jsonl")
    rows = (tmp_path / "all.jsonl").read_bytes().splitlines(keepends=True)
    shutil.rmtree(copy / ".viewfinder")
    for cut in (rows[:-1], rows[:4] + rows[5:], [b"{}\n"], [*rows[:3], b"[1]\n", *rows[3:]]):
        (tmp_path / "cut.jsonl").write_bytes(b"".join(cut))
        with pytest.raises(InputError):
            read_lines(copy, tmp_path / "cut.jsonl")
        assert not (copy / ".viewfinder").exists()


@pytest.mark.parametrize(
    "broken",
    [lambda _: b"", lambda _: b"{}\n", lambda line: line.replace(b'"x1": ', b'"x1": 1')],
    ids=["lost", "empty", "another number"],
)
def test_json_lines_that_read_back_otherwise_are_removed(yolo, tmp_path, monkeypatch, broken):
    """A disk that loses a line, or changes a number, is found out before the export is done."""
    right = lines._line

    def wrong(document):
        line = right(document)
        return broken(line) if document.get("table") == "box" else line

    with open_store(yolo, wait=True) as store:
        with monkeypatch.context() as patch:
            patch.setattr(lines, "_line", wrong)
            with pytest.raises(InputError, match="was removed"):
                store.write_lines(tmp_path / "all.jsonl")
        assert not (tmp_path / "all.jsonl").exists()
        store.write_lines(tmp_path / "all.jsonl")


def test_pictures_that_come_move_change_and_go_are_noticed_and_kept(yolo):
    with open_store(yolo, wait=True) as store:
        boxes = store.counts().boxes
        assert not store.look_at_disk()
        images = yolo / "images"
        brought.picture(images / "new.jpg")
        (images / "0.jpg").rename(images / "moved.jpg")
        brought.picture(images / "1.jpg", size=(80, 40))
        (images / "2.jpg").unlink()
        report = store.look_at_disk()
        assert report.added == ("images/new.jpg",)
        assert report.moved == (("images/0.jpg", "images/moved.jpg"),)
        assert report.changed == ("images/1.jpg",)
        assert report.missing == ("images/2.jpg",)
        assert not store.look_at_disk()
        assert store.counts().boxes == boxes
        rows = {each.path: each for each in store.pictures().pictures}
        assert rows["images/moved.jpg"].boxes == 2
        assert rows["images/1.jpg"].changed
        assert rows["images/2.jpg"].missing
        assert rows["images/new.jpg"].state == "todo"
        brought.picture(images / "2.jpg")
        assert store.look_at_disk().found_again == ("images/2.jpg",)
        os.utime(images / "3.jpg", (1, 1))
        store.look_at_disk()
        assert not store.look_at_disk()


def test_in_a_copy_of_the_folder_no_picture_is_called_changed(yolo, tmp_path):
    open_store(yolo, wait=True).close()
    copy = tmp_path / "elsewhere"
    shutil.copytree(yolo, copy, copy_function=shutil.copyfile)
    with open_store(copy, wait=True) as store:
        report = store.look_at_disk()
        assert not report.changed
        assert "taken for a copy of the folder" in report.remarks[0]
        assert not any(each.changed for each in store.pictures().pictures)
        assert not store.look_at_disk()
        brought.picture(copy / "images" / "1.jpg", size=(80, 40))
        assert store.look_at_disk().changed == ("images/1.jpg",)


def test_in_a_copy_of_which_one_is_of_another_size_that_is_said(yolo, tmp_path):
    open_store(yolo, wait=True).close()
    copy = tmp_path / "elsewhere"
    shutil.copytree(yolo, copy, copy_function=shutil.copyfile)
    brought.picture(copy / "images" / "1.jpg", size=(80, 40))
    with open_store(copy, wait=True) as store:
        assert store.look_at_disk().changed == ("images/1.jpg",)


def test_names_that_are_no_utf8_are_kept(tmp_path):
    name = os.fsdecode(b"b\xe9\\udc41 \xff.jpg")
    brought.picture(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").rename(tmp_path / name)
    with open_store(tmp_path, wait=True) as store:
        assert store.pictures().pictures[0].path == name
        assert store.path_of(1).is_file()


def test_a_reading_that_was_cut_short_goes_on_and_keeps_the_edits(yolo, monkeypatch):
    from viewfinder.studio.store import taking_in

    real, calls = taking_in._keep, []

    def fails_later(*args):
        calls.append(1)
        if len(calls) == 2:
            raise InputError("cut short")
        real(*args)

    monkeypatch.setattr(taking_in, "_AT_ONCE", 1)
    monkeypatch.setattr(taking_in, "_keep", fails_later)
    with open_store(yolo) as store:
        with pytest.raises(InputError, match="cut short"):
            store.wait()
        ready = [each for each in store.pictures().pictures if each.ready]
        assert len(ready) == 1
        first = store.picture(ready[0].id).boxes[0]
        do(store, "o1", RemoveBox(first.id, 1))
        waiting = next(each for each in store.pictures().pictures if not each.ready)
        with pytest.raises(InputError, match="still being read"):
            do(store, "o2", SetState(waiting.id, "done", 1))
    with pytest.raises(InputError, match="not taken in all"):
        open_dataset(yolo)
    monkeypatch.setattr(taking_in, "_keep", real)
    with open_store(yolo, wait=True) as store:
        assert first.id not in {each.id for each in store.picture(ready[0].id).boxes}
        total = sum(map(len, brought.TRUTH.values()))
        assert len(store.snapshot().boxes) == total - 1


def test_edits_of_files_that_nobody_reads_any_more_are_refused(rich):
    with open_store(rich, wait=True):
        pass
    before = {path: path.read_bytes() for path in rich.rglob("*.json")}
    with pytest.raises(InputError, match="studio's now"):
        apply_changes(rich, plan_edit(rich, {"red": "rot"}))
    assert {path: path.read_bytes() for path in rich.rglob("*.json")} == before


def test_who_names_a_file_of_labels_is_told_of_the_studio(yolo):
    with open_store(yolo, wait=True):
        pass
    dataset = read_boxes(yolo / "data.yaml")
    assert dataset.layout == "YOLO"
    assert any("studio" in note for note in dataset.notes)


def test_a_folder_of_another_tools_labels_is_refused_and_an_empty_one_is_not(tmp_path):
    brought.picture(tmp_path / "tool" / "a.jpg")
    brought.text(tmp_path / "tool" / "a.json", json.dumps({"gtboxes": []}))
    with pytest.raises(InputError, match="JSON with boxes"):
        open_store(tmp_path / "tool", wait=True)
    (tmp_path / "empty").mkdir()
    with open_store(tmp_path / "empty", wait=True) as store:
        assert store.pictures().total == 0
        brought.picture(tmp_path / "empty" / "a.jpg")
        assert store.look_at_disk().added == ("a.jpg",)


@pytest.mark.parametrize("beside", [(), ("a.jpg",)])
def test_pictures_in_one_folder_that_is_no_class_are_pictures_without_labels(tmp_path, beside):
    for path in ("sub/b.jpg", *beside):
        brought.picture(tmp_path / path)
    with open_store(tmp_path, wait=True) as store:
        assert [each.path for each in store.pictures().pictures] == [*beside, "sub/b.jpg"]
        assert all(each.ready for each in store.pictures().pictures)


@pytest.mark.parametrize("place", ["out", "deeper/out", "../a/out"])
def test_a_place_in_the_set_itself_is_refused(place, tmp_path):
    with pytest.raises(InputError, match="own folder"):
        refuse_within(tmp_path / "a", tmp_path / "a" / place)


@pytest.mark.parametrize("place", [".hidden/out", "../out", "../ab"])
def test_a_place_beside_the_set_or_hidden_in_it_is_not(place, tmp_path):
    refuse_within(tmp_path / "a", tmp_path / "a" / place)


def left_out_of(root):
    return [each for each in check(root)[1] if each.kind == "left-out"]


@pytest.fixture
def lacking(yolo):
    """A set of which two boxes of a picture were left out; that picture's id, and its file."""
    labels = yolo / "labels" / "1.txt"
    labels.write_text(labels.read_text() + "0 0.5 0.5 0 0.2\n0 0.5 0.5 nan 0.2\n")
    with open_store(yolo, wait=True) as store:
        (note,) = [each for each in store.notes() if "left out" in each]
        assert "images/1.jpg" in note
        at = next(each.id for each in store.pictures().pictures if each.path == "images/1.jpg")
    (fault,) = left_out_of(yolo)
    assert fault.file == "images/1.jpg"
    assert "2 boxes of its file left out" in fault.detail
    return yolo, at, labels


def test_boxes_that_were_left_out_stay_a_fault_until_as_many_are_drawn(lacking):
    root, at, _ = lacking
    for number in range(2):
        with open_store(root) as store:
            label = store.picture(at).boxes[0].label
            do(store, f"o{number}", PutBox(f"new{number}", at, label, (1, 1, 9, 9), 0))
        assert len(left_out_of(root)) == 1 - number


def test_boxes_that_were_left_out_are_no_fault_of_a_picture_that_is_done(lacking):
    root, at, _ = lacking
    with open_store(root) as store:
        do(store, "o1", SetState(at, "done", store.picture(at).picture.revision))
    assert not left_out_of(root)


def test_boxes_that_were_left_out_are_no_fault_once_out_of_the_file_but_stay_one_if_mended(lacking):
    root, _, labels = lacking
    lines = labels.read_text().splitlines()
    labels.write_text("\n".join([*lines[:-2], "0 0.5 0.5 0.2 0.2", "0 0.4 0.4 0.2 0.2"]))
    assert left_out_of(root)
    labels.write_text("\n".join(lines[:-2]))
    assert not left_out_of(root)


def test_a_picture_that_is_begun_is_said_to_count(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        brought.picture(tmp_path / name)
    with open_store(tmp_path, wait=True) as store:
        do(store, "o1", PutClass("c", "mug", 0), PutBox("b", 1, "c", (1, 1, 9, 9), 0))
    said = " ".join(open_dataset(tmp_path, deal=False).notes)
    assert "1 picture is still to do and has boxes: it counts with these alone" in said
    with open_store(tmp_path) as store:
        do(store, "o2", SetState(1, "done", store.picture(1).picture.revision))
    assert "has boxes" not in " ".join(open_dataset(tmp_path, deal=False).notes)
