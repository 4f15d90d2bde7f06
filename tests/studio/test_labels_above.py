"""A folder within a set whose labels the studio keeps: nobody reads its older files unawares."""

import shutil

import brought
import pytest

from viewfinder.datasets.converting import convert
from viewfinder.datasets.editing.classes import plan_edit
from viewfinder.datasets.formats.label_server import DATABASE
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.errors import InputError
from viewfinder.labelling.asking import next_to_label
from viewfinder.labelling.following import propose_by_track
from viewfinder.labelling.requested import Request, propose
from viewfinder.studio.store import LabelPicture, Operation, RemoveBox, open_store


@pytest.fixture
def pages(tmp_path, url, monkeypatch):
    """A set of Pascal VOC, and how to take a box away there in the studio."""
    monkeypatch.delenv(DATABASE, raising=False)
    root = tmp_path / "pages"
    for stem in brought.TRUTH:
        brought.picture(root / "JPEGImages" / f"{stem}.jpg")
        brought.text(root / "Annotations" / f"{stem}.xml", brought.voc_page(stem))

    def edit():
        with open_store(root, url=url, wait=True) as store:
            box = store.picture(2).boxes[0]
            store.apply(Operation("gone", (RemoveBox(box.id, box.revision),)))

    return root, edit


def test_pages_of_older_labels_are_refused_and_their_set_is_named(pages, url, monkeypatch):
    root, edit = pages
    assert len(read_boxes(root / "Annotations").boxes) == 6
    edit()
    for named in (None, url) if url else (None,):
        if named:
            monkeypatch.setenv(DATABASE, named)
        with pytest.raises(InputError, match=f"lies in {root}, whose labels are kept in"):
            read_boxes(root / "Annotations")
        with pytest.raises(InputError, match=f"give {root}"):
            open_store(root / "JPEGImages")
        with pytest.raises(InputError, match=f"give {root}"):
            propose_by_track(root / "JPEGImages", ["0.jpg"])
        with pytest.raises(InputError, match=f"give {root}"):
            propose(root / "JPEGImages", Request(accept_above=0.9))
    assert len(read_boxes(root).boxes) == 5


def test_a_link_into_a_set_leads_to_its_labels_too(pages, tmp_path):
    root, edit = pages
    edit()
    for name, there in (("part", root / "Annotations"), ("whole", root)):
        (tmp_path / name).symlink_to(there)
    with pytest.raises(InputError, match=f"lies in {root}, whose labels are kept in"):
        read_boxes(tmp_path / "part")
    with pytest.raises(InputError, match=r"kept in|lies in"):
        open_store(tmp_path / "part")


def test_a_table_elsewhere_that_leads_into_a_set_says_that_labels_are_newer(yolo, tmp_path):
    with open_store(yolo, wait=True) as store:
        box = store.picture(2).boxes[0]
    text = (yolo / "data.yaml").read_text()
    brought.text(tmp_path / "elsewhere" / "data.yaml", f"path: {yolo}\n{text}")
    said = " ".join(read_boxes(tmp_path / "elsewhere").notes)
    assert "the labels edited in the studio are read by naming the folder" in said
    with open_store(yolo) as store:
        store.apply(Operation("gone", (RemoveBox(box.id, box.revision),)))
    with pytest.raises(InputError, match=f"lies in {yolo}, whose labels are kept in"):
        read_boxes(tmp_path / "elsewhere")


def test_what_is_labelled_in_the_studio_is_known_within_too(pages, url, monkeypatch):
    root, edit = pages
    edit()
    brought.picture(root / "JPEGImages" / "new.jpg")
    if url:
        with pytest.raises(InputError, match="VIEWFINDER_DATABASE=postgresql"):
            next_to_label(root / "JPEGImages")
        monkeypatch.setenv(DATABASE, url)
    order = next_to_label(root / "JPEGImages")
    assert ([each.path for each in order.asked], order.labelled) == (["new.jpg"], 4)
    assert order.root == root / "JPEGImages"


def test_class_folders_within_a_labelled_set_are_refused(tmp_path, url, monkeypatch):
    root = tmp_path / "photos"
    for name in ("train/cat", "train/dog", "val/cat", "val/dog"):
        for number in range(2):
            brought.picture(root / name / f"{name.replace('/', '-')}{number}.jpg")
    assert len(open_dataset(root / "train")) == 4
    with open_store(root, url=url, wait=True) as store:
        known = store.picture(1).picture
        other = next(each.id for each in store.classes() if each.id != known.label)
        store.apply(Operation("other", (LabelPicture(1, other, known.revision),)))
    with pytest.raises(InputError, match=f"lies in {root}"):
        open_dataset(root / "train")


def test_a_set_of_its_own_within_is_read(pages, url, monkeypatch):
    root, edit = pages
    if url:
        monkeypatch.setenv(DATABASE, url)
    with open_store(root, url=url, wait=True):
        pass
    assert len(read_boxes(root / "Annotations").boxes) == 6  # opened, and nothing changed
    edit()
    convert(root, root / "converted", to="coco")
    assert len(read_boxes(root / "converted").boxes) == 5
    assert plan_edit(root / "converted", {"red": "crimson"})
    with open_store(root / "converted", wait=True) as store:
        assert store.pictures().total == 4
    if url:
        (root / "converted" / ".viewfinder" / "labels.db").unlink()
        monkeypatch.delenv(DATABASE)
        with pytest.raises(InputError, match="lies in"):
            read_boxes(root / "converted")


def test_a_folder_above_a_set_and_links_that_lead_in_are_refused_once_labels_were_edited(
    pages, tmp_path, url, monkeypatch
):
    root, edit = pages
    above, links, files = (tmp_path / name for name in ("above", "links", "files"))
    above.mkdir()
    root.rename(above / "pages")
    root.symlink_to(above / "pages")
    links.mkdir()
    for part in ("Annotations", "JPEGImages"):
        (links / part).symlink_to(root / part)
    for page in (root / "Annotations").iterdir():
        picture = f"{page.stem}.jpg"
        brought.picture(files / "JPEGImages" / picture)
        (files / "Annotations").mkdir(exist_ok=True)
        (files / "Annotations" / page.name).symlink_to(page)
    for place in (above, links, files):
        assert len(read_boxes(place).boxes) == 6
    edit()
    if url:
        monkeypatch.setenv(DATABASE, url)
    for place in (above, links, files):
        with pytest.raises(InputError, match=r"whose labels are kept in .* may be older"):
            read_boxes(place)
        with pytest.raises(InputError, match="may be older"):
            open_store(place)


def test_a_link_from_far_below_a_set_is_refused_too(tmp_path):
    root = tmp_path / "set"
    deep = root / "a" / "b" / "c" / "d" / "train"
    brought.picture(deep / "images" / "0.jpg")
    brought.text(deep / "labels" / "0.txt", "0 0.5 0.5 0.2 0.2\n0 0.2 0.2 0.1 0.1\n")
    brought.text(root / "data.yaml", "train: a/b/c/d/train/images\nnames: [mug]\n")
    with open_store(root, wait=True) as store:
        box = store.picture(1).boxes[0]
        store.apply(Operation("gone", (RemoveBox(box.id, box.revision),)))
    links = tmp_path / "links"
    links.mkdir()
    (links / "train").symlink_to(deep)
    brought.text(links / "data.yaml", "train: train/images\nnames: [mug]\n")
    with pytest.raises(InputError, match="may be older"):
        read_boxes(links)


def test_pages_of_ones_own_beside_linked_pictures_are_read(pages, tmp_path):
    root, edit = pages
    edit()
    own = tmp_path / "own"
    shutil.copytree(root / "Annotations", own / "Annotations")
    (own / "JPEGImages").symlink_to(root / "JPEGImages")
    assert len(read_boxes(own).boxes) == 6


def test_class_folders_are_not_read_above_a_set_whose_classes_were_edited(make_set):
    root = make_set()
    with open_store(root / "train", wait=True) as store:
        first, other = store.picture(1).picture, store.classes()[-1]
        assert first.label != other.id
        open_dataset(root)
        change = LabelPicture(1, other.id, first.revision)
        store.apply(Operation("moved", (change,)))
    with pytest.raises(InputError, match=r"whose labels are kept in .* may be older"):
        open_dataset(root)
    with pytest.raises(InputError, match="may be older"):
        open_store(root)
