"""One file of labels that cannot be read keeps no other from being read: its picture waits for it,
counts nowhere and is not edited, until the file is mended or a person labels it anew."""

from pathlib import Path

import pytest

from viewfinder.datasets.converting import convert
from viewfinder.datasets.opening import open_dataset, read_box_files, read_boxes, usable_boxes
from viewfinder.errors import InputError
from viewfinder.studio.store import Operation, PutBox, PutClass, SetState, open_store


def damaged(root):
    """A line that is none of YOLO's among those of the first picture; gives the file as it was."""
    file = root / "labels" / "1.txt"
    whole = file.read_text()
    file.write_text(f"hello\n{whole}")
    return file, whole


def do(store, id, *changes):
    return store.apply(Operation(id, changes, "ann"))


def waiting(store):
    """The one picture that waits for its file of labels."""
    (file,) = store.unread_labels()
    (id,) = file.pictures
    return file, store.picture(id).picture


def test_what_can_be_read_is_and_the_rest_waits_and_counts_nowhere(yolo, url):
    damaged(yolo)
    with open_store(yolo, url=url, wait=True) as store:
        file, picture = waiting(store)
        assert (file.file, picture.path, picture.ready) == ("labels/1.txt", "images/1.jpg", False)
        assert "labels/1.txt, line 1: 'hello' are not numbers alone" in file.why
        assert picture.trouble == file.why
        others = [each for each in store.pictures().pictures if each.id != picture.id]
        assert all(each.ready and not each.trouble for each in others)
        assert picture.path not in store.snapshot().paths
        for change in (PutBox("new", picture.id, "c1", (1, 1, 5, 5), 0),
                       SetState(picture.id, "done", picture.revision)):  # fmt: skip
            with pytest.raises(InputError, match="wait to be read"):
                do(store, "edit", change)


def test_a_file_that_is_mended_is_read_as_if_it_had_been_so(yolo, url):
    file, whole = damaged(yolo)
    expected = None
    with open_store(yolo, url=url, wait=True) as store:
        do(store, "rename", PutClass("c1", "crimson", 1, position=0))
        before = store.counts()
        assert store.look_at_disk().read == ()
        file.write_text(f"hello again\n{whole}")
        (still,) = store.look_at_disk().unread
        assert "hello again" in still
        assert waiting(store)[1].trouble == still
        file.write_text(whole)
        assert store.look_at_disk().read == ("labels/1.txt",)
        assert store.unread_labels() == ()
        now = store.snapshot()
        # What could be read of it was counted before.
        assert store.counts() == before
        expected = usable_boxes(read_box_files(yolo)) if url else now
        assert now.paths == expected.paths
        assert (now.boxes.corners == expected.boxes.corners).all()
        assert {now.classes[label] for label in now.boxes.classes} == {"crimson", "blue"}
        (read, _) = store.history()
        assert "labels/1.txt read" in read.said
        do(store, "edit", SetState(1, "done", 1))
        store.restore("back", 0)
        assert (store.snapshot().boxes.corners == now.boxes.corners).all()


def test_a_file_that_may_not_be_looked_at_later_is_a_fault_that_says_so(yolo, monkeypatch):
    file, _ = damaged(yolo)
    open_store(yolo, wait=True).close()
    look = Path.stat

    def no_rights(path, **options):
        if path == file:
            raise PermissionError(13, "Permission denied", str(path))
        return look(path, **options)

    monkeypatch.setattr(Path, "stat", no_rights)
    (fault,) = read_boxes(yolo).faults
    assert "labels/1.txt: it cannot be looked at (Permission denied)" in str(fault)
    assert "give your account the right to read it" in fault.fix


def test_a_file_that_was_mended_while_nobody_looked_is_read_at_the_next_opening(yolo):
    file, whole = damaged(yolo)
    open_store(yolo, wait=True).close()
    file.write_text(whole)
    with open_store(yolo, wait=True) as store:
        assert store.look_at_disk().read == ("labels/1.txt",)
    assert "images/1.jpg" in open_dataset(yolo).paths


def test_a_picture_that_is_labelled_anew_counts_once_it_is_done(yolo, url):
    file, whole = damaged(yolo)
    with open_store(yolo, url=url, wait=True) as store:
        _, picture = waiting(store)
        parts = len(store.picture(picture.id).boxes)
        store.label_anew("anew", picture.id, "ann")
        assert store.unread_labels() == ()
        with pytest.raises(InputError, match="have been read"):
            store.label_anew("again", picture.id, "ann")
        picture = store.picture(picture.id).picture
        do(store, "draw", PutBox("new", picture.id, "c1", (1, 1, 5, 5), 0))
        assert picture.path not in store.snapshot().paths
        do(store, "done", SetState(picture.id, "done", picture.revision))
        now = store.snapshot()
        rows = now.boxes.of(now.paths.index(picture.path))
        assert rows.stop - rows.start == parts + 1
        file.write_text(whole)
        assert store.look_at_disk().read == ()
        assert len(store.picture(picture.id).boxes) == parts + 1


def test_a_page_of_pascal_voc_that_was_cut_brings_its_own_classes_when_it_is_whole(yolo, tmp_path):
    root = tmp_path / "voc"
    convert(yolo, root, to="voc")
    (root / "classes.txt").unlink()
    file = root / "Annotations" / "1.xml"
    whole = file.read_text().replace("<name>blue</name>", "<name>amber</name>")
    file.write_text(whole[: len(whole) // 2])
    with open_store(root, wait=True) as store:
        picture = waiting(store)[1]
        assert picture.path == "JPEGImages/1.jpg"
        known = [each.name for each in store.classes()]
        file.write_text(whole)
        assert store.look_at_disk().read == ("Annotations/1.xml",)
        assert [each.name for each in store.classes()] == [*known, "amber"]
        same = {each.label for each in store.picture(picture.id).boxes}
        names = {each.id: each.name for each in store.classes()}
        assert "amber" in {names[label] for label in same}


def test_a_page_that_is_not_read_has_its_place_in_lists_and_is_not_handed_out(yolo, tmp_path):
    root = tmp_path / "voc"
    convert(yolo, root, to="voc")
    main = root / "ImageSets" / "Main"
    main.mkdir(parents=True, exist_ok=True)
    for old in main.iterdir():
        old.unlink()
    files = sorted((root / "Annotations").iterdir())
    names = [file.stem for file in files]
    (main / "train.txt").write_text("\n".join(names[1:]) + "\nnowhere\n")
    (main / "val.txt").write_text(f"{names[0]}\n")
    files[0].write_text("<annotation>")
    lists = [str(fault) for fault in read_boxes(root).faults if "ImageSets" in str(fault)]
    assert len(lists) == 1
    assert (
        f"1 of the {len(names)} names in it is of no labelled picture of the set: nowhere"
        in lists[0]
    )
    with open_store(root, wait=True) as store:
        assert not [note for note in store.notes() if names[0] in note]
        shown = [each.path for each in store.pictures().pictures]
        assert shown == sorted(shown)
        assert not store.pictures().pictures[0].ready


def test_pages_that_all_are_damaged_lose_no_picture(yolo, tmp_path):
    root = tmp_path / "voc"
    convert(yolo, root, to="voc")
    for file in (root / "Annotations").iterdir():
        file.write_text("<annotation>")
    with open_store(root, wait=True) as store:
        pictures = store.pictures().pictures
        assert len(pictures) == len(store.unread_labels()) > 1
        assert not any(each.ready for each in pictures)


def test_a_set_of_which_nothing_can_be_read_is_read_again_once_it_can(yolo, tmp_path):
    convert(yolo, tmp_path / "coco", to="coco")
    (file,) = (tmp_path / "coco" / "annotations").iterdir()
    whole = file.read_text()
    file.write_text(whole[: len(whole) // 2])
    with open_store(tmp_path / "coco") as store:
        with pytest.raises(InputError, match="not whole JSON"):
            store.wait()
        file.write_text(whole)
        store.read_again()
        store.wait()
        assert store.progress().stage == "done"
        assert (store.snapshot().boxes.corners > 0).any()
        store.read_again()
        assert store.progress().stage == "done"
