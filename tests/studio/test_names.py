"""Proposals say a class by its name, and are of what that class is now."""

from dataclasses import replace

import numpy as np
import pytest

from viewfinder.labelling.proposals import Proposals, write_proposals
from viewfinder.studio.server.news import proposals_of
from viewfinder.studio.store import Accept, MergeClass, Operation, PutClass
from viewfinder.tasks.detect.detections import Detections

CUP, MUG = PutClass("cup", "cup ö", 0), PutClass("mug", "mug", 0, position=1)


def do(store, id, *changes):
    return store.apply(Operation(id, changes, "ann"))


def propose(store, name, *places):
    corners = np.array([[x, 1, x + 8, 12] for x in places], np.float64)
    zeros = np.zeros(len(places), np.int64)
    found = Detections(corners, np.full(len(places), 0.7), zeros)
    sizes = np.array([[40, 20]])
    store.propose(
        f"run of {name}", Proposals(("0.jpg",), sizes, (name,), zeros, found, ("run:a",) * 9)
    )


def names(store):
    return sorted(each.name for each in store.picture(1).proposals if each.state == "open")


def accept_all(store):
    """The classes of what is made of every open proposal."""
    open_ = [each for each in store.picture(1).proposals if each.state == "open"]
    changes = [Accept(each.id, f"box-{each.id}", each.revision) for each in open_]
    do(store, f"accept-{len(store.history())}", *changes)
    return {box.label for box in store.picture(1).boxes}


def test_of_a_class_that_was_renamed(labels):
    do(labels, "o1", CUP, MUG)
    propose(labels, "cup ö", 1, 12)
    do(labels, "o2", PutClass("cup", "beaker", 1))
    assert names(labels) == ["beaker", "beaker"]
    propose(labels, "cup ö", 1, 12, 24)  # by what was learnt before
    assert set(names(labels)) == {"beaker"}
    assert accept_all(labels) == {"cup"}
    assert [each.name for each in labels.classes()] == ["beaker", "mug"]


def test_renamed_and_taken_back(labels):
    do(labels, "o1", CUP, MUG)
    do(labels, "o2", PutClass("cup", "beaker", 1))
    propose(labels, "beaker", 1)
    labels.undo("u", "ann")
    assert names(labels) == ["cup ö"]
    # The name is another class's now, and what was proposed before is not of that.
    do(labels, "o3", PutClass("new", "beaker", 0, position=2))
    assert names(labels) == ["cup ö"]
    propose(labels, "beaker", 24)
    assert names(labels) == ["beaker"]
    assert accept_all(labels) == {"new"}


def test_of_classes_that_changed_names_with_each_other(labels):
    do(labels, "o1", CUP, MUG)
    propose(labels, "cup ö", 1)
    propose(labels, "mug", 24)
    for at, (id, name) in enumerate([("cup", "aside"), ("mug", "cup ö"), ("cup", "mug")]):
        revision = next(each.revision for each in labels.classes() if each.id == id)
        do(labels, f"now-{at}", PutClass(id, name, revision))
    found = {each.corners[0]: each.name for each in labels.picture(1).proposals}
    assert found == {1: "mug", 24: "cup ö"}
    open_ = {each.corners[0]: each for each in labels.picture(1).proposals}
    do(labels, "accept", *(Accept(e.id, f"box-{e.id}", e.revision) for e in open_.values()))
    assert {box.corners[0]: box.label for box in labels.picture(1).boxes} == {1: "cup", 24: "mug"}


@pytest.mark.parametrize("back", ["undo", "restore"])
def test_of_names_that_were_taken_back(labels, back):
    do(labels, "o1", CUP, MUG)
    for at, (id, name) in enumerate([("cup", "aside"), ("mug", "cup ö"), ("cup", "mug")]):
        revision = next(each.revision for each in labels.classes() if each.id == id)
        do(labels, f"now-{at}", PutClass(id, name, revision))
    if back == "restore":
        labels.restore("back", labels.history()[-1].seq, "ann")
    else:
        for at in range(3):
            labels.undo(f"u{at}", "ann")
    assert [each.name for each in labels.classes()] == ["cup ö", "mug"]
    propose(labels, "cup ö", 1)
    propose(labels, "mug", 24)
    found = {each.corners[0]: each for each in labels.picture(1).proposals}
    assert {x: each.name for x, each in found.items()} == {1: "cup ö", 24: "mug"}
    do(labels, "accept", *(Accept(e.id, f"box-{e.id}", e.revision) for e in found.values()))
    assert {box.corners[0]: box.label for box in labels.picture(1).boxes} == {1: "cup", 24: "mug"}


def test_of_proposals_of_a_file_when_it_is_opened_again(labels):
    do(labels, "o1", CUP, MUG)
    place, zeros = np.array([[1.0, 1, 9, 12]]), np.zeros(1, np.int64)
    found = Detections(place, np.full(1, 0.7), zeros)
    made = Proposals(("0.jpg",), np.array([[40, 20]]), ("mug",), zeros, found, ("plate: e.png",))
    write_proposals(labels.data, made)
    assert proposals_of(labels) == ("1 new proposal of viewfinder propose",)
    do(labels, "o2", PutClass("mug", "bowl", 1, position=1))
    do(labels, "o3", PutClass("new", "mug", 0, position=2))
    assert proposals_of(labels) == ()
    assert names(labels) == ["bowl"]
    # What is proposed now is of the class that has the name now.
    write_proposals(labels.data, replace(made, sources=("plate: f.png",)))
    assert proposals_of(labels)
    assert names(labels) == ["bowl", "mug"]


def test_of_what_was_learnt_before_a_class_took_the_name_of_another(labels):
    do(labels, "o1", CUP, MUG)
    learnt = labels.history()[0].seq
    do(labels, "o2", PutClass("mug", "bowl", 1, position=1))
    do(labels, "o3", PutClass("new", "mug", 0, position=2))
    place, zeros = np.array([[1.0, 1, 9, 12]]), np.zeros(1, np.int64)
    found = Detections(place, np.full(1, 0.7), zeros)
    made = Proposals(("0.jpg",), np.array([[40, 20]]), ("mug",), zeros, found, ("run: a",))
    labels.propose("learning", made, as_of=learnt)
    assert names(labels) == ["bowl"]
    labels.propose("learning", made)
    assert names(labels) == ["mug"]


def test_of_a_name_that_no_class_had_yet(labels):
    propose(labels, "cup ö", 1)
    do(labels, "o1", CUP, MUG)
    do(labels, "o2", PutClass("cup", "beaker", 1))
    assert names(labels) == ["beaker"]
    do(labels, "o3", PutClass("new", "cup ö", 0, position=2))
    assert names(labels) == ["beaker"]
    assert accept_all(labels) == {"cup"}


def test_of_a_class_that_was_merged(labels):
    do(labels, "o1", CUP, MUG)
    propose(labels, "cup ö", 1, 12)
    do(labels, "o2", MergeClass("cup", "mug", 1))
    assert names(labels) == ["mug", "mug"]
    labels.undo("u", "ann")
    assert names(labels) == ["cup ö", "cup ö"]
    labels.redo("r", "ann")
    assert accept_all(labels) == {"mug"}
    assert len(labels.classes()) == 2
