"""What becomes of a file of labels that could not be read, whatever is done with it."""

import pytest

from viewfinder.datasets.checks.checking import check
from viewfinder.datasets.converting import convert
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.errors import InputError
from viewfinder.studio.store import Conflict, Operation, PutBox, SetState, open_store

LINE = "0 0.5 0.5 0.25 0.25\n"


@pytest.fixture
def bad(yolo):
    """The file of the first picture, with a box and a line that is none."""
    file = yolo / "labels" / "1.txt"
    file.write_text(f"{LINE}hello\n")
    return file


def first(store, path="images/1.jpg"):
    """A picture as it is, and how many boxes it has."""
    (found,) = [each for each in store.pictures().pictures if each.path == path]
    return found, len(store.picture(found.id).boxes)


def waits(store, why, path="images/1.jpg", boxes=1):
    """The picture waits, its panel says why, and what could be read stays."""
    picture, count = first(store, path)
    assert (picture.ready, count) == (False, boxes)
    assert why in picture.trouble
    assert path not in store.snapshot().paths
    assert picture.id in {id for each in store.unread_labels() for id in each.pictures}
    return True


def is_read(store, boxes, path="images/1.jpg"):
    picture, count = first(store, path)
    assert (picture.ready, picture.trouble, count) == (True, "", boxes)
    assert path in store.snapshot().paths
    return store.unread_labels() == ()


def held(store):
    """The files that are not taken in, each with the pictures that have other labels."""
    return [(each.file, each.held) for each in store.unread_labels() if each.held]


@pytest.mark.parametrize(("text", "boxes"), [(LINE, 1), (LINE * 3, 3)])
def test_a_file_that_is_gone_waits_until_it_comes_back(yolo, bad, text, boxes):
    with open_store(yolo, wait=True) as store:
        bad.unlink()
        report = store.look_at_disk()
        assert report.read == ()
        assert "labels/1.txt: it is gone" in report.unread[0]
        assert waits(store, "it is gone")
        assert not store.look_at_disk()
        bad.write_text(text)
        assert store.look_at_disk().read == ("labels/1.txt",)
        assert is_read(store, boxes)


def test_a_file_that_is_gone_at_the_closing_is_read_at_the_next_opening(yolo, bad):
    with open_store(yolo, wait=True) as store:
        bad.unlink()
        store.look_at_disk()
    with open_store(yolo) as store:
        store.look_at_disk()
        assert waits(store, "it is gone")
    bad.write_text(LINE * 2)
    with open_store(yolo) as store:
        store.look_at_disk()
        assert is_read(store, 2)


def test_a_file_that_goes_while_nobody_looks_is_said_to_be_gone(yolo, bad):
    open_store(yolo, wait=True).close()
    bad.unlink()
    with open_store(yolo) as store:
        assert "it is gone" in store.look_at_disk().unread[0]
        bad.write_text("hello\n")
        assert "'hello'" in store.look_at_disk().unread[0]
        assert waits(store, "'hello'")


def test_labels_that_were_all_put_away_come_back(yolo, bad):
    away = yolo.with_name("away")
    with open_store(yolo, wait=True) as store:
        (yolo / "labels").rename(away)
        store.look_at_disk()
        assert waits(store, "it is gone")
        (away / "1.txt").write_text(LINE)
        away.rename(yolo / "labels")
        store.look_at_disk()
        assert is_read(store, 1)


def test_a_picture_that_is_renamed_with_its_damaged_file_waits_for_that_one(yolo, bad):
    with open_store(yolo, wait=True) as store:
        (yolo / "images" / "1.jpg").rename(yolo / "images" / "renamed.jpg")
        file = bad.rename(bad.with_name("renamed.txt"))
        store.look_at_disk()
        assert waits(store, "labels/renamed.txt, line 2", "images/renamed.jpg")
        file.write_text(LINE * 2)
        assert store.look_at_disk().read == ("labels/renamed.txt",)
        assert is_read(store, 2, "images/renamed.jpg")


def test_a_file_that_is_broken_while_the_studio_is_open_changes_nothing(yolo, bad):
    with open_store(yolo, wait=True) as store:
        before = first(store, "images/0.jpg")
        (yolo / "labels" / "0.txt").write_text("hello\n")
        assert not store.look_at_disk().unread
        bad.write_text(LINE)
        assert store.look_at_disk().read == ("labels/1.txt",)
        assert first(store, "images/0.jpg") == before
        assert not store.look_at_disk()
        assert is_read(store, 1)


def test_what_else_keeps_a_mended_file_from_being_read_is_said_and_waited_for(yolo, bad):
    about = yolo / "data.yaml"
    whole = about.read_text()
    with open_store(yolo, wait=True) as store:
        about.write_text("names: [red\n")
        bad.write_text(LINE)
        assert "data.yaml" in store.look_at_disk().unread[0]
        assert waits(store, "data.yaml")
        assert not store.look_at_disk()
        about.unlink()
        store.look_at_disk()
        assert not first(store)[0].ready
        about.write_text(whole)
        assert store.look_at_disk().read == ("labels/1.txt",)
        assert is_read(store, 1)


@pytest.fixture
def voc(yolo, tmp_path):
    """Pages of other names than their pictures; of the first, `cut` leaves only so much."""
    root = tmp_path / "voc"
    convert(yolo, root, to="voc")
    for page in (root / "Annotations").iterdir():
        page.rename(page.with_name(f"page{page.name}"))
    return root


def cut(root, word):
    file = root / "Annotations" / "page1.xml"
    whole = file.read_text()
    file.write_text(whole[: whole.index(word)])
    return file, whole


FIRST = "JPEGImages/1.jpg"


def test_a_page_that_still_names_its_picture_lets_that_picture_wait(voc):
    file, whole = cut(voc, "<size>")
    lists = voc / "ImageSets" / "Main"
    lists.mkdir(parents=True, exist_ok=True)
    (lists / "train.txt").write_text("page0\npage1\n")
    with open_store(voc, wait=True) as store:
        assert waits(store, "not whole XML", FIRST, 0)
        assert not any("of no labelled picture" in each for each in store.notes())
        file.write_text(whole)
        store.look_at_disk()
        assert not any("of no labelled picture" in each for each in store.notes())
        assert is_read(store, whole.count("<object>"), FIRST)


def test_a_page_that_named_no_picture_is_taken_in_for_the_one_that_it_names(voc):
    file, whole = cut(voc, "<filename>")
    with open_store(voc, wait=True) as store:
        assert first(store, FIRST)[1] == 0
        assert [each.file for each in store.unread_labels()] == ["Annotations/page1.xml"]
        file.unlink()
        assert "it is gone" in store.look_at_disk().unread[0]
    file.write_text(whole)
    with open_store(voc) as store:
        assert store.look_at_disk().read == ("Annotations/page1.xml",)
        assert is_read(store, whole.count("<object>"), FIRST)


def test_a_page_of_a_picture_that_was_labelled_meanwhile_is_said_and_changes_nothing(voc):
    file, whole = cut(voc, "<filename>")
    with open_store(voc, wait=True) as store:
        id = first(store, FIRST)[0].id
        store.apply(Operation("draw", (PutBox("own", id, "c1", (1, 1, 5, 5), 0),), "ann"))
        file.write_text(whole)
        report = store.look_at_disk()
        assert (report.read, report.unread) == ((), ())
        (said,) = report.remarks
        assert f"was not taken in, as {FIRST} had other labels then" in said
        assert held(store) == [("Annotations/page1.xml", (id,))]
        assert FIRST in store.snapshot().paths
        assert first(store, FIRST)[1] == 1
        assert not store.look_at_disk()
        store.undo("back", "ann")
        assert store.look_at_disk().read == ("Annotations/page1.xml",)
        assert is_read(store, whole.count("<object>"), FIRST)


@pytest.mark.parametrize("state", ["done", "skipped"])
def test_a_page_of_a_picture_that_was_said_to_be_without_boxes_waits(voc, state):
    file, whole = cut(voc, "<filename>")
    with open_store(voc, wait=True) as store:
        picture = first(store, FIRST)[0]
        change = SetState(picture.id, state, picture.revision)
        store.apply(Operation("said", (change,), "ann"))
        file.write_text(whole)
        report = store.look_at_disk()
        assert report.read == report.remarks == ()
        (said,) = report.unread
        assert f"{FIRST}, which is said to be {state} without boxes; let that one be to do" in said
        assert not store.look_at_disk()
        assert [each.why for each in store.unread_labels()] == [said]
        store.undo("back", "ann")
        assert store.look_at_disk().read == ("Annotations/page1.xml",)
        assert is_read(store, whole.count("<object>"), FIRST)


def test_a_page_of_a_picture_that_is_not_there_waits_for_it(voc):
    file, whole = cut(voc, "<filename>")
    picture = voc / FIRST
    away = picture.rename(voc.with_name("away.jpg"))
    with open_store(voc, wait=True) as store:
        file.write_text(whole)
        assert f"{FIRST}, which is not in the folder" in store.look_at_disk().unread[0]
        away.rename(picture)
        store.look_at_disk()
        assert is_read(store, whole.count("<object>"), FIRST)


def test_a_page_that_contradicts_its_name_keeps_no_other_from_being_read(yolo, tmp_path):
    root = tmp_path / "voc"
    convert(yolo, root, to="voc")
    pages = [root / "Annotations" / f"{stem}.xml" for stem in ("0", "1")]
    whole = [page.read_text() for page in pages]
    for page in pages:
        page.write_text("<annotation>")
    with open_store(root, wait=True) as store:
        pages[0].write_text(whole[0])
        pages[1].write_text(whole[1].replace(">1.jpg<", ">2.jpg<"))
        report = store.look_at_disk()
        assert report.read == ("Annotations/0.xml",)
        assert "it says <filename>2.jpg" in report.unread[0]
        boxes = whole[1].count("<object>")
        assert waits(store, "it says <filename>2.jpg", FIRST, 0)
        pages[1].write_text(whole[1])
        store.look_at_disk()
        assert is_read(store, boxes, FIRST)


def test_what_waits_is_named_with_its_file_wherever_the_labels_are_read(yolo, bad):
    def asked():
        found = read_boxes(yolo)
        (fault,) = check(yolo)[1]
        assert (fault.labels, fault.picture) == ("labels/1.txt", "images/1.jpg")
        assert "images/1.jpg" not in found.paths
        assert "1 picture waits for its labels to be read and is left out" in found.notes
        return str(fault)

    open_store(yolo, wait=True).close()
    said = asked()
    assert said.startswith("labels/1.txt, line 2: 'hello' are not numbers alone; write")
    assert "write class x y width height, and the studio" in said
    bad.write_text(LINE)
    assert "could not be read, and is another file since" in asked()
    bad.unlink()
    assert "it is gone; put it back" in asked()
    bad.write_text("hello\n")
    with open_store(yolo) as store:
        store.look_at_disk()
        store.label_anew("anew", first(store)[0].id)
        found, faults = check(yolo)
        assert not faults
        assert "1 picture is being labelled anew and is left out" in found.notes


def test_a_broken_file_is_refused_alike_before_and_after_the_studio_was_opened(yolo, bad, tmp_path):
    def refused():
        found = []
        for read in (open_dataset, lambda source: convert(source, tmp_path / "coco", to="coco")):
            with pytest.raises(InputError) as error:
                read(yolo)
            found.append(str(error.value))
        assert not (tmp_path / "coco").exists()
        assert found[0] == found[1]
        return found[0]

    place, end = f"{bad}, line 2: 'hello' are not numbers alone", "anew in the studio"
    before = refused()
    with open_store(yolo, wait=True) as store:
        after = refused()
        for said in (before, after):
            assert said.startswith(place)
            assert "write class x y width height" in said
            assert f"or label images/1.jpg {end}" in said
        # On its page a person sees what is left out.
        assert store.export(tmp_path / "exported", to="coco").pictures == len(store.snapshot())
        store.label_anew("anew", first(store)[0].id)
        assert "images/1.jpg" not in open_dataset(yolo).paths
        assert convert(yolo, tmp_path / "coco", to="coco").boxes


def test_that_a_picture_is_labelled_anew_is_undone_and_done_again(yolo, bad):
    with open_store(yolo, wait=True) as store:
        id = first(store)[0].id
        store.label_anew("anew", id, "ann")
        store.apply(Operation("draw", (PutBox("own", id, "c1", (1, 1, 5, 5), 0),), "ann"))
        with pytest.raises(Conflict, match="undone first"):
            store.undo("other", None, seq=1)
        store.undo("back", "ann")
        assert store.undo("back-again", "ann").pictures == (id,)
        assert waits(store, "'hello'")
        store.redo("on", "ann")
        assert first(store)[0].ready
        assert store.unread_labels() == ()
        store.undo("once-more", "ann")
        bad.write_text(LINE * 2)
        assert store.look_at_disk().read == ("labels/1.txt",)
        assert is_read(store, 2)
        with pytest.raises(InputError, match="were read from their file since"):
            store.redo("too-late", "ann", seq=1)
        assert "done again: 1 box drawn" in store.redo("drawn", "ann").said
        assert is_read(store, 3)
        store.restore("all", 0, "ann")
        assert is_read(store, 2)
