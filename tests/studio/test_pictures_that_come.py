"""Pictures that cannot be read at first, or come later, lose none of the labels that files have."""

import json

import brought
import pytest

from tests.studio.test_unread_states import first, held, is_read, waits
from viewfinder.datasets.checks.checking import check
from viewfinder.datasets.converting import convert
from viewfinder.datasets.opening import open_dataset, read_box_files, usable_boxes
from viewfinder.errors import InputError
from viewfinder.studio.server.news import said_of
from viewfinder.studio.store import Operation, PutBox, PutClass, open_store

PICTURE, FILE = "images/1.jpg", "labels/1.txt"
DAMAGED = {
    "empty": (b"", "1.jpg is empty (0 bytes)"),
    "cut off": (None, "1.jpg begins as a JPEG picture and is damaged or was cut short"),
    "a page": (b"<html>nothing", "1.jpg is a web page, not a picture"),
}


@pytest.fixture
def unseen(yolo):
    """A picture that cannot be read; gives its bytes as they were."""
    file = yolo / PICTURE
    whole = file.read_bytes()
    file.write_bytes(b"<html>nothing")
    return whole


def same_as_files(store):
    """The store has what the files say."""
    expected = usable_boxes(read_box_files(store.data))
    now = store.snapshot()
    order = [now.paths.index(path) for path in expected.paths]
    assert (now.boxes.select(order).corners == expected.boxes.corners).all()
    assert (now.boxes.select(order).classes == expected.boxes.classes).all()
    assert (now.splits[order] == expected.splits).all()
    assert (now.sizes[order] == expected.sizes).all()
    return len(now) == len(expected)


@pytest.mark.parametrize("damage", DAMAGED)
def test_labels_of_a_picture_that_cannot_be_read_wait_for_it(yolo, url, damage):
    file = yolo / PICTURE
    whole = file.read_bytes()
    content, why = DAMAGED[damage]
    file.write_bytes(whole[:100] if content is None else content)
    with open_store(yolo, url=url, wait=True) as store:
        (each,) = store.unread_labels()
        assert (each.file, each.pictures) == (PICTURE, (first(store)[0].id,))
        assert f"{PICTURE}: its labels wait, as the picture cannot be read: {why}" in each.why
        assert waits(store, why, boxes=0)
        assert store.notes() == ()
        assert {PICTURE, FILE} <= {*store.watched_labels()}
        assert not store.look_at_disk()
        file.write_bytes(b"%PDF another that is none")
        (still,) = store.look_at_disk().unread
        assert "is a PDF document" in still
        file.write_bytes(whole)
        report = store.look_at_disk()
        assert (report.read, report.changed) == ((PICTURE,), ())
        assert said_of(report) == (f"1 picture mended, and the labels are read ({PICTURE})",)
        assert is_read(store, 1)
        assert same_as_files(store)
        assert f"{PICTURE} read, now that it can be" in store.history()[0].said
        assert not store.look_at_disk()


def test_a_picture_that_cannot_be_read_is_named_and_in_nothing_that_is_learnt(yolo, unseen):
    open_store(yolo, wait=True).close()
    dataset, faults = check(yolo)
    (fault,) = faults
    assert (fault.kind, fault.file, fault.picture) == ("unreadable", PICTURE, PICTURE)
    assert "1.jpg is a web page" in fault.detail
    assert PICTURE not in dataset.paths
    with pytest.raises(InputError, match=f"the picture cannot be read.*or label {PICTURE} anew"):
        open_dataset(yolo)
    (yolo / PICTURE).unlink()
    assert "it is gone; put it back" in str(check(yolo)[1][0])
    (yolo / PICTURE).write_bytes(unseen)
    with open_store(yolo, wait=True) as store:
        assert store.look_at_disk().read == (PICTURE,)
    assert check(yolo)[1] == []


def test_a_picture_that_cannot_be_read_can_be_given_up(yolo, unseen):
    with open_store(yolo, wait=True) as store:
        store.label_anew("anew", first(store)[0].id, "ann")
        assert store.unread_labels() == ()
        assert f"labelled anew without {FILE}" in first(store)[0].trouble
        assert PICTURE not in open_dataset(yolo).paths
        store.undo("back", "ann")
        (yolo / PICTURE).write_bytes(unseen)
        assert store.look_at_disk().read == (PICTURE,)
        assert is_read(store, 1)


def test_where_the_file_of_labels_is_bad_too_each_is_said_in_turn(yolo, unseen):
    file = yolo / FILE
    whole = file.read_text()
    file.write_text(f"{whole}hello\n")
    with open_store(yolo, wait=True) as store:
        assert waits(store, f"{FILE}, line 2", boxes=0)
        file.write_text(whole)
        assert "the picture cannot be read" in store.look_at_disk().unread[0]
        assert waits(store, "is a web page", boxes=0)
        file.unlink()
        (yolo / PICTURE).write_bytes(unseen)
        assert f"{FILE}: it is gone" in store.look_at_disk().unread[0]
        file.write_text(whole)
        store.look_at_disk()
        assert is_read(store, 1)


def test_a_picture_of_the_same_name_in_another_format_takes_its_place(yolo, unseen):
    with open_store(yolo, wait=True) as store:
        (yolo / PICTURE).unlink()
        brought.picture(yolo / "images" / "1.png")
        report = store.look_at_disk()
        assert (report.added, report.late) == (("images/1.png",), ("images/1.png",))
        assert is_read(store, 1, "images/1.png")
        assert same_as_files(store) is True
        assert not store.look_at_disk()
    assert not any(fault.blocking for fault in check(yolo)[1])


def away(root, path):
    """Take a file out of a set; gives how to put it back."""
    place = root.with_name(f"away{root.name}.{path.replace('/', '.')}")
    (root / path).rename(place)
    return lambda: place.rename(root / path)


def layouts(yolo, tmp_path, to):
    if to == "yolo":
        return yolo, PICTURE, FILE
    root = tmp_path / to
    convert(yolo, root, to=to)
    if to == "voc":
        return root, "JPEGImages/1.jpg", "Annotations/1.xml"
    (table,) = (root / "annotations").iterdir()
    (path,) = [each for each in read_box_files(root).paths if each.endswith("1.jpg")]
    return root, path, table.relative_to(root).as_posix()


@pytest.mark.parametrize("to", ["yolo", "voc", "coco"])
def test_a_picture_that_comes_back_comes_with_its_labels(yolo, tmp_path, url, to):
    root, picture, _ = layouts(yolo, tmp_path, to)
    back = away(root, picture)
    with open_store(root, url=url, wait=True) as store:
        store.look_at_disk()
        back()
        assert store.look_at_disk()
        assert is_read(store, 1, picture)
        assert same_as_files(store)
        assert not store.look_at_disk()


@pytest.mark.parametrize("to", ["yolo", "voc"])
@pytest.mark.parametrize("order", ["together", "the picture first", "the labels first"])
def test_a_picture_that_is_new_comes_with_its_labels(yolo, tmp_path, to, order):
    root, picture, file = layouts(yolo, tmp_path, to)
    files = [away(root, picture), away(root, file)]
    if order == "the labels first":
        files.reverse()
    with open_store(root, wait=True) as store:
        store.apply(Operation("name", (PutClass("c1", "crimson", 1, position=0),), "ann"))
        files[0]()
        if order != "together":
            store.look_at_disk()
            assert not store.look_at_disk()
        files[1]()
        report = store.look_at_disk()
        assert report.late == (picture,)
        assert f"1 picture came later, and the labels are read ({picture})" in said_of(report)
        assert is_read(store, 1, picture)
        assert same_as_files(store)
        assert len(store.classes()) == 2
        # It may have been half written.
        (root / file).write_text((root / file).read_text().replace("0.75", "0.5"))
        store.look_at_disk()
        assert is_read(store, 1, picture)


def test_a_picture_that_a_table_names_later_comes_with_its_labels(yolo, tmp_path):
    root, picture, file = layouts(yolo, tmp_path, "coco")
    document = json.loads((root / file).read_text())
    whole = (root / file).read_bytes()
    image = next(each for each in document["images"] if each["file_name"].endswith("1.jpg"))
    document["images"].remove(image)
    (root / file).write_text(json.dumps(document))
    with open_store(root, wait=True) as store:
        (told,) = [fault for fault in check(root)[1] if fault.file == file]
        assert "1 of its 6 annotations" in told.detail
        assert first(store, picture)[1] == 0
        assert not store.look_at_disk()
        (root / file).write_bytes(whole)
        assert store.look_at_disk().late == (picture,)
        assert is_read(store, 1, picture)
        assert same_as_files(store)
        assert not store.look_at_disk()
    assert [fault for fault in check(root)[1] if fault.file == file] == []


def test_labels_that_come_later_and_are_bad_let_their_picture_wait(yolo):
    back = away(yolo, PICTURE)
    with open_store(yolo, wait=True) as store:
        (yolo / FILE).write_text("hello\n")
        back()
        report = store.look_at_disk()
        assert report.late == ()
        assert "'hello'" in report.unread[0]
        assert waits(store, "'hello'", boxes=0)
        (yolo / FILE).write_text("0 0.5 0.5 0.25 0.25\n")
        assert store.look_at_disk().read == (FILE,)
        assert is_read(store, 1)


def test_what_keeps_labels_that_come_later_from_being_read_is_said(yolo):
    back, about = away(yolo, PICTURE), yolo / "data.yaml"
    whole = about.read_text()
    with open_store(yolo, wait=True) as store:
        about.write_text("names: [red\n")
        back()
        assert "data.yaml" in store.look_at_disk().remarks[0]
        assert not store.look_at_disk()
        about.write_text(whole)
        assert store.look_at_disk().late == (PICTURE,)
        assert is_read(store, 1)


def test_labels_that_come_later_to_a_picture_on_no_list_are_said(yolo):
    listed = [f"images/{stem}.jpg" for stem in "023"]
    (yolo / "train.txt").write_text("".join(f"./{path}\n" for path in listed))
    (yolo / "data.yaml").write_text("train: train.txt\nnames: [red, blue]\n")
    back = away(yolo, PICTURE), away(yolo, FILE)
    with open_store(yolo, wait=True) as store:
        assert check(yolo)[1] == []
        for each in back:
            each()
        (said,) = store.look_at_disk().remarks
        assert f"{FILE}: labels of {PICTURE}, which is on no list of the set" in said
        assert not store.look_at_disk()
        (fault,) = check(yolo)[1]
        assert f"1 picture with labels on no list of the set ({PICTURE})" in fault.detail
        (yolo / "train.txt").write_text("".join(f"./{path}\n" for path in [*listed, PICTURE]))
        assert store.look_at_disk().late == (PICTURE,)
        assert is_read(store, 1)
    assert check(yolo)[1] == []


def test_labels_that_come_later_take_no_drawn_box_away(yolo):
    back = away(yolo, FILE)
    new = yolo / "images" / "new.jpg"
    with open_store(yolo, wait=True) as store:
        brought.picture(new)
        store.look_at_disk()
        id = first(store, "images/new.jpg")[0].id
        store.apply(Operation("draw", (PutBox("own", id, "c1", (1, 1, 5, 5), 0),), "ann"))
        brought.text(yolo / "labels" / "new.txt", brought.yolo_lines("3"))
        assert not store.look_at_disk()
        assert first(store, "images/new.jpg")[1] == 1
        # Of one that files listed without labels, nothing is read later.
        back()
        assert not store.look_at_disk()
        assert held(store) == []


def test_pictures_of_a_folder_that_was_empty_are_noticed_where_they_have_labels(yolo):
    for name in ("1.jpg", "2.jpg"):
        (yolo / "images" / "val").mkdir(exist_ok=True)
        (yolo / "images" / name).rename(yolo / "images" / "val" / name)
        (yolo / "labels" / "val").mkdir(exist_ok=True)
        text = name.replace("jpg", "txt")
        (yolo / "labels" / text).rename(yolo / "labels" / "val" / text)
    (yolo / "images" / "train").mkdir()
    for stem in "03":
        (yolo / "images" / f"{stem}.jpg").rename(yolo / "images" / "train" / f"{stem}.jpg")
    (yolo / "labels" / "train").mkdir()
    for stem in "03":
        (yolo / "labels" / f"{stem}.txt").rename(yolo / "labels" / "train" / f"{stem}.txt")
    (yolo / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [red, blue]\n")
    back = [away(yolo, f"images/val/{stem}.jpg") for stem in "12"]
    with open_store(yolo, wait=True) as store:
        for each in back:
            each()
        assert store.look_at_disk().late == ("images/val/1.jpg", "images/val/2.jpg")
        assert same_as_files(store)


def test_what_was_wrong_with_the_files_is_told_until_it_is_right(yolo):
    def told():
        return [str(fault) for fault in check(yolo)[1]]

    (yolo / "data.yaml").write_text("train: images\nval: images\nnames: [red, blue]\n")
    before = told()
    assert "4 pictures both in train and in val" in before[0]
    open_store(yolo, wait=True).close()
    assert told() == before
    (yolo / "data.yaml").write_text("train: images\nnames: [red, blue]\n")
    assert told() == []


def test_of_class_folders_a_picture_without_a_class_is_to_be_given_one(tmp_path):
    root = tmp_path / "classes"
    for name in ("cat/1.jpg", "cat/2.jpg", "dog/3.jpg", "dog/4.jpg"):
        brought.picture(root / name)
    with open_store(root, wait=True) as store:
        brought.picture(root / "bird" / "5.jpg")
        assert store.look_at_disk().added == ("bird/5.jpg",)
    (fault,) = [each for each in check(root)[1] if each.kind == "passed-over"]
    assert fault.file == "bird/5.jpg"
    assert "give each its class in the studio" in fault.fix
