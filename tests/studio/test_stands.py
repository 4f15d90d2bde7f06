"""Folders for which boxes are proposed: objects on a stand, a folder and an empty stand each."""

from pathlib import Path

import brought
import numpy as np
import pytest

from viewfinder.composing.captures import open_captures
from viewfinder.datasets.formats.label_server import DATABASE
from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.labelling.proposals import Proposals, write_proposals
from viewfinder.pictures.masks import encode
from viewfinder.studio.store import (
    Accept,
    LabelPicture,
    Operation,
    PutBox,
    PutClass,
    SetState,
    open_store,
)
from viewfinder.tasks.detect.detections import Detections

OBJECTS = ("ball", "mug")


def captures(root: Path, *, source: str = "plate: empty.png", bare: str = "") -> Path:
    """Two pictures of each object with its empty stand, and a proposal of each picture but those
    of the object `bare`, in which nothing was found."""
    for name in OBJECTS:
        for stem in ("0", "1", "empty"):
            brought.picture(root / name / f"{stem}.png")
    paths = tuple(f"{name}/{stem}.png" for name in OBJECTS for stem in "01")
    rows = [i for i, path in enumerate(paths) if not (bare and path.startswith(bare))]
    classes = tuple(name for name in OBJECTS if name != bare)
    labels = [classes.index(paths[row].partition("/")[0]) for row in rows]
    boxes = np.tile([4.0, 2, 14, 12], (len(rows), 1))
    found = Detections(boxes, np.full(len(rows), 0.9), np.array(labels))
    sizes = np.tile([brought.WIDTH, brought.HEIGHT], (len(paths), 1))
    sources = (source,) * len(rows)
    write_proposals(root, Proposals(paths, sizes, classes, np.array(rows), found, sources))
    return root


def do(store, id, *changes):
    return store.apply(Operation(id, changes, "me"))


def accept_all(store):
    for each in store.pictures().pictures:
        one = store.picture(each.id)
        makes = (Accept(p.id, f"b{p.id}", p.revision) for p in one.proposals)
        do(store, f"o{each.id}", *makes, SetState(each.id, "done", each.revision))


def test_a_stand_of_objects_is_labelled_with_boxes_that_count(tmp_path, url, monkeypatch):
    root = captures(tmp_path / "captures")
    with open_store(root, url=url, wait=True) as store:
        assert store.kind() == "boxes"
        assert [each.name for each in store.classes()] == ["ball", "mug"]
        paths = [each.path for each in store.pictures().pictures]
        assert paths == ["ball/0.png", "ball/1.png", "mug/0.png", "mug/1.png"]
        assert store.counts().states == {"todo": 4, "done": 0, "skipped": 0}
        assert any("--kind classes" in each for each in store.notes())
        assert store.take_proposals() == 4
        accept_all(store)
        store.look_at_disk()
        assert len(store.pictures().pictures) == 4  # an empty stand does not come in later
        done = store.export(tmp_path / "out", to="coco")
        assert (done.pictures, done.boxes) == (4, 4)
    if url:
        monkeypatch.setenv("VIEWFINDER_DATABASE", url)
    dataset = open_dataset(root)
    assert dataset.classes == ("ball", "mug")
    assert len(dataset) == len(dataset.boxes) == 4
    with open_store(root, url=url, wait=True) as store:
        assert store.kind() == "boxes"
        assert sum(store.counts().boxes.values()) == 4


def test_an_object_of_which_nothing_is_proposed_has_its_class_too(tmp_path):
    root = captures(tmp_path / "captures", bare="mug")
    with open_store(root, wait=True) as store:
        assert [each.name for each in store.classes()] == ["ball", "mug"]


def test_a_detectors_proposals_bring_their_own_classes(tmp_path):
    root = captures(tmp_path / "captures", source="detector: runs/first", bare="ball")
    with open_store(root, wait=True) as store:
        assert store.kind() == "boxes"
        assert [each.name for each in store.classes()] == ["mug"]
        assert len(store.pictures().pictures) == 6  # none is known to be an empty stand


def test_one_object_on_its_stand_alone(tmp_path):
    root = captures(tmp_path / "captures")
    proposed = Proposals(
        ("0.png", "1.png"),
        np.tile([brought.WIDTH, brought.HEIGHT], (2, 1)),
        ("mug",),
        np.array([0]),
        Detections(np.array([[4.0, 2, 14, 12]]), np.array([0.9]), np.array([0])),
        ("plate: empty.png",),
    )
    write_proposals(root / "mug", proposed)
    with open_store(root / "mug", wait=True) as store:
        assert [each.path for each in store.pictures().pictures] == ["0.png", "1.png"]
        assert store.take_proposals() == 1
        assert not store.look_at_disk().added


def test_class_folders_are_opened_anew_for_boxes_until_somebody_labelled(tmp_path, url):
    root = captures(tmp_path / "captures")
    kept = (root / ".viewfinder" / "proposals.json").read_bytes()
    (root / ".viewfinder" / "proposals.json").unlink()
    with open_store(root, url=url, wait=True) as store:
        assert store.kind() == "classes"
        store.set_meta("settings:me", "{}")
    (root / ".viewfinder" / "proposals.json").write_bytes(kept)
    with open_store(root, url=url, wait=True) as store:
        assert store.kind() == "boxes"
        assert store.meta("settings:me") == "{}"
        assert store.counts().states["todo"] == 4
    with open_store(root, url=url, kind="classes", wait=True) as store:
        assert store.kind() == "classes"
        assert store.counts().states["done"] == 6
        store.take_proposals()
        one = store.picture(1)
        do(store, "o1", LabelPicture(1, store.classes()[1].id, one.picture.revision))
    with open_store(root, url=url, wait=True) as store:
        assert store.kind() == "classes"  # what somebody said of the pictures stays
    with pytest.raises(InputError, match=r"was labelled for classes.*labels\.db"):
        open_store(root, url=url, kind="boxes", wait=True)


def test_no_box_is_made_where_it_would_count_nowhere(tmp_path):
    root = captures(tmp_path / "captures")
    with open_store(root, kind="classes", wait=True) as store:
        store.take_proposals()
        label = store.classes()[0].id
        proposal = store.picture(1).proposals[0]
        for change in (
            PutBox("b", 1, label, (0, 0, 5, 5), 0),
            Accept(proposal.id, "b", proposal.revision),
        ):
            with pytest.raises(InputError, match="--kind boxes"):
                do(store, "o1", change)
        assert store.history(count=5)[0].kind != "edit"


def test_files_of_boxes_are_labelled_with_boxes(yolo):
    with pytest.raises(InputError, match="has files of boxes"):
        open_store(yolo, kind="classes", wait=True)
    with open_store(yolo, wait=True):
        pass
    with pytest.raises(InputError, match="has files of boxes"):
        open_store(yolo, kind="classes", wait=True)


def test_outlines_that_are_in_the_studio_alone_are_cut_out(tmp_path, url, monkeypatch):
    """Of a folder of objects, each labelled for itself."""
    monkeypatch.delenv(DATABASE, raising=False)
    outline = np.zeros((brought.HEIGHT, brought.WIDTH), bool)
    outline[4:10, 5:13] = True
    for name in OBJECTS:
        for stem in range(6):
            brought.picture(tmp_path / name / f"{stem}.png")
        with open_store(tmp_path / name, wait=True) as store:
            put = (
                PutBox(f"b{n}", n, "c", (5, 4, 13, 10), 0, mask=encode(outline))
                for n in range(1, 7)
            )
            done = (SetState(each.id, "done", each.revision) for each in store.pictures().pictures)
            do(store, "all", PutClass("c", name, 0), *put, *done)
    for place, classes in ((tmp_path, OBJECTS), (tmp_path / "mug", ("mug",))):
        found = open_captures(place)
        assert found.classes == classes
        assert {cutout.label for cutout in found.cutouts} == {*range(len(classes))}
        assert all(cutout.alpha.shape[0] >= 6 for cutout in found.cutouts)
