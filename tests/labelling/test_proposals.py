"""Proposals return as they were written; a hostile file is refused; acceptance is undone whole."""

import errno
import json
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest
from hotcoco import mask as run_lengths
from hypothesis import given, settings
from hypothesis import strategies as st

from viewfinder.datasets.frame_list import FrameOrigin, write_frame_list
from viewfinder.datasets.opening import open_dataset, read_boxes
from viewfinder.errors import InputError
from viewfinder.labelling import label_files
from viewfinder.labelling.accepting import accept, take_back
from viewfinder.labelling.proposals import (
    Proposals,
    joined,
    proposals_file,
    read_proposals,
    write_proposals,
)
from viewfinder.labelling.proposing import ProposalRows
from viewfinder.pictures.writing import write_picture

SIZE = (40, 30)


def some(*, sure=("a.png", "é 写.png"), unsure=("c.png",), nothing=("d.png",), masks=True):
    """Two proposals for each picture, one of them unsure in some pictures."""
    rows, random = ProposalRows(), np.random.default_rng(0)
    for path in (*sure, *unsure, *nothing):
        rows.sizes[path] = SIZE
    for path in (*sure, *unsure):
        mask = random.random((30, 40)) < 0.3
        box = np.array([1.25, 2, 30.5, 29])
        rows.add(path, "mug", box, 0.95, "plate: empty.png", mask if masks else None)
        rows.add(path, "bowl", np.array([0, 0, 40, 30.0]), 0.5 if path in unsure else 0.9, "other")
    return rows.proposals()


@pytest.fixture
def data(tmp_path):
    """A folder of four pictures, the first two of one video, with proposals."""
    root = tmp_path / "frames é"
    for name in ("a.png", "é 写.png", "c.png", "d.png"):
        write_picture(root / name, np.full((30, 40, 3), 90, np.uint8))
    origins = {
        name: FrameOrigin("turn.mp4", i, i / 2) for i, name in enumerate(["a.png", "é 写.png"])
    }
    write_frame_list(root, origins)
    write_proposals(root, some())
    return root


def contents(root):
    """Every file below a folder and its bytes."""
    return {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}


def same(first, second):
    assert first.paths == second.paths
    assert first.classes == second.classes
    assert first.sources == second.sources
    assert first.masks == second.masks
    for column in ("sizes", "pictures", "found.boxes", "found.scores", "found.labels"):
        assert np.array_equal(*map(attrgetter(column), (first, second))), column


def test_what_is_written_returns(tmp_path):
    assert len(read_proposals(tmp_path)) == 0
    write_proposals(tmp_path, some())
    same(read_proposals(tmp_path), some())
    write_proposals(tmp_path, Proposals())
    same(read_proposals(tmp_path), Proposals())


def test_a_mask_returns_and_is_cocos(tmp_path):
    rows = ProposalRows(sizes={"a.png": SIZE})
    mask = np.random.default_rng(2).random((30, 40)) < 0.5
    rows.add("a.png", "mug", np.array([0, 0, 40, 30]), 1.0, "plate", mask)
    write_proposals(tmp_path, rows.proposals())
    found = read_proposals(tmp_path)
    assert (found.mask(0) == mask).all()
    theirs = run_lengths.decode(run_lengths.frPyObjects(found.masks[0], 30, 40))
    assert (theirs == mask).all()


@st.composite
def many(draw):
    names = draw(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6))
    rows = ProposalRows(sizes=dict.fromkeys(names, SIZE))
    for name in names:
        for _ in range(draw(st.integers(0, 3))):
            x, y = draw(st.integers(0, 20)), draw(st.integers(0, 10))
            label = draw(st.sampled_from(["mug", "é", "写"]))
            mask = np.eye(30, 40, dtype=bool) if draw(st.booleans()) else None
            score = draw(st.integers(0, 100)) / 100
            rows.add(name, label, np.array([x, y, x + 10, y + 10]), score, "by", mask)
    return rows.proposals()


def as_sets(proposals):
    return {
        path: sorted(
            (
                proposals.classes[proposals.found.labels[row]],
                *proposals.found.boxes[row].tolist(),
                proposals.found.scores[row],
                row in proposals.masks,
            )
            for row in proposals.of(index)
        )
        for index, path in enumerate(proposals.paths)
    }


@settings(max_examples=80)
@given(many(), many())
def test_new_proposals_replace_those_of_the_same_pictures(before, new):
    assert as_sets(joined(before, new)) == as_sets(before) | as_sets(new)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.update(schema=2), "another version"),
        (lambda d: d.update(classes="mug"), "no list of names"),
        (lambda d: d.update(classes=["mug", "mug"]), "names a class twice"),
        (lambda d: d["pictures"][0].update(file="../../etc/passwd"), "leads out of the set"),
        (lambda d: d["pictures"][0].update(file="/etc/passwd"), "leads out of the set"),
        (lambda d: d["pictures"][0].update(file="c.png"), "twice"),
        (lambda d: d["pictures"][0].update(width=0), "width and height cannot be"),
        (lambda d: d["pictures"][0].update(width=10**9, height=10**9), "cannot be"),
        (lambda d: d["pictures"][0].update(width=2**70), "whole number"),
        (lambda d: d["pictures"][0].pop("width"), "has no 'width'"),
        (lambda d: d["proposals"][0].update(picture=9), "for no picture"),
        (lambda d: d["proposals"][0].update(picture=-1), "for no picture"),
        (lambda d: d["proposals"][0].update({"class": 2}), "of no class"),
        (lambda d: d["proposals"][0].update(score=1.5), "score"),
        (lambda d: d["proposals"][0].update(score=float("nan")), "score"),
        (lambda d: d["proposals"][0].update(score="1"), "not a number"),
        (lambda d: d["proposals"][0].update(box=[0, 0, float("inf"), 3]), "finite"),
        (lambda d: d["proposals"][0].update(box=[3, 3, 3, 9]), "no size"),
        (lambda d: d["proposals"][0].update(box=[0, 0, 41, 30]), "outside its picture"),
        (lambda d: d["proposals"][0].update(box=[0, 0, 4]), "4 numbers"),
        (lambda d: d["proposals"][0].update(source=3), "has no 'source'"),
        (lambda d: d["proposals"][0].update(mask=[1, 2]), "no run lengths"),
        (lambda d: d["proposals"][0]["mask"].update(counts=[1200, 5]), "do not add up"),
        (lambda d: d["proposals"][0]["mask"].update(counts=[-1, 1201]), "do not add up"),
        (lambda d: d["proposals"][0]["mask"].update(counts="ÿ0"), "do not add up"),
        (lambda d: d["proposals"][0]["mask"].update(size=[10**6, 10**6]), "do not fit"),
        (lambda d: d.update(pictures={}), "must be a list"),
        (lambda d: d.update(proposals=[1]), "objects alone"),
    ],
)
def test_a_hostile_file_is_refused(data, change, says):
    file = proposals_file(data)
    document = json.loads(file.read_text("utf-8"))
    change(document)
    file.write_text(json.dumps(document), "utf-8")
    with pytest.raises(InputError, match=says):
        read_proposals(data)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": 1, "pictures": [', "[" * 10**5])
def test_a_damaged_file_is_refused(data, text):
    proposals_file(data).write_text(text)
    with pytest.raises(InputError):
        read_proposals(data)


def test_sure_pictures_become_labels_and_go_again(data):
    before = contents(data)
    done = accept(data, above=0.9)
    assert (done.pictures, done.boxes, done.below, done.labelled) == (2, 4, 1, 0)
    assert done.files == ("annotations/instances_all.json",)
    dataset = read_boxes(data)
    assert dataset.layout == "COCO"
    assert set(dataset.paths) == {"a.png", "é 写.png"}
    assert dataset.groups == ("turn.mp4", "turn.mp4")
    assert dataset.counts() == {"mug": 2, "bowl": 2}
    assert dataset.boxes.corners[0].tolist() == [1.25, 2, 30.5, 29]
    assert set(dataset.boxes.segmentations) == {0, 2}
    document = json.loads((data / done.files[0]).read_text("utf-8"))
    for annotation in document["annotations"]:
        assert annotation["accepted"].startswith(done.rule)
        assert annotation["score"] >= 0.9
    assert document["annotations"][0]["accepted"].endswith("(plate: empty.png)")
    assert accept(data, above=0.9).labelled == 2
    assert open_dataset(data).groups == ("turn.mp4", "turn.mp4")
    undone = take_back(data)
    assert (undone.pictures, undone.boxes) == (2, 4)
    assert contents(data) == before
    with pytest.raises(InputError, match=r"nothing in .* was accepted"):
        take_back(data)


def test_classes_of_boxes_that_were_not_taken_are_not_named(data):
    rows = ProposalRows(sizes=dict.fromkeys(("a.png", "c.png", "d.png"), SIZE))
    for path, name, score in (("c.png", "cup", 0.2), ("a.png", "bowl", 0.95), ("d.png", "mug", 1)):
        rows.add(path, name, np.array([0, 0, 40, 30.0]), score, "by", np.ones((30, 40), bool))
    write_proposals(data, rows.proposals())
    file = coco(data, listed=("d.png", "a.png"))
    accept(data, above=0.9)
    document = json.loads(file.read_text("utf-8"))
    assert [item["name"] for item in document["categories"]] == ["mug", "jug", "bowl"]
    assert document["annotations"][-1]["area"] == 1200
    take_back(data)
    file.unlink()
    accept(data, above=0.9)
    assert read_boxes(data).counts() == {"bowl": 1, "mug": 1}


def test_a_class_that_is_proposed_no_more_is_gone():
    named = [ProposalRows(sizes=dict.fromkeys(("a.png", "b.png"), SIZE)) for _ in range(2)]
    for rows, name in zip(named, ("mugg", "mug"), strict=True):
        for path in rows.sizes:
            rows.add(path, name, np.array([0, 0, 40, 30.0]), 1, "by")
    assert joined(*(rows.proposals() for rows in named)).classes == ("mug",)


def coco(data, *, name="instances_train.json", listed=("a.png", "d.png")):
    """A COCO file with sparse numbers, odd spacing and fields that nobody knows."""
    document = {
        "info": {"by": "hand"},
        "images": [
            {"id": 10 + 7 * i, "file_name": file, "width": 40, "height": 30, "mood": "good"}
            for i, file in enumerate(listed)
        ],
        "annotations": [{"id": 5, "image_id": 10, "category_id": 30, "bbox": [1, 2, 3, 4]}],
        "categories": [{"id": 30, "name": "mug", "supercategory": "x"}, {"id": 4, "name": "jug"}],
    }
    file = data / "annotations" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(document, indent=3), "utf-8")
    return file


def test_a_coco_set_keeps_all_that_it_says(data):
    file = coco(data)
    before = contents(data)
    old = json.loads(file.read_text("utf-8"))
    done = accept(data, above=0.4)
    assert (done.pictures, done.boxes, done.labelled, done.unlisted) == (2, 4, 1, 0)
    document = json.loads(file.read_text("utf-8"))
    assert document["info"] == old["info"]
    assert document["images"][:2] == old["images"]
    assert document["annotations"][0] == old["annotations"][0]
    assert document["categories"] == [*old["categories"], {"id": 31, "name": "bowl"}]
    assert [image["id"] for image in document["images"]] == [10, 17, 18, 19]
    assert [a["id"] for a in document["annotations"]] == [5, 6, 7, 8, 9]
    assert {a["category_id"] for a in document["annotations"][1:]} == {30, 31}
    assert read_boxes(data).counts() == {"mug": 3, "jug": 0, "bowl": 2}
    write_proposals(data, some(unsure=(), sure=("d.png",), nothing=()))
    again = accept(data, above=0.4)
    assert again.pictures == 1
    take_back(data)
    take_back(data)
    write_proposals(data, some())
    assert contents(data) == before


def test_of_several_files_each_takes_what_it_lists(data):
    train, val = coco(data), coco(data, name="instances_val.json", listed=("d.png", "c.png"))
    text = val.read_text("utf-8").replace('"image_id": 10', '"image_id": 17')
    val.write_text(text, "utf-8")
    before = (train.read_bytes(), val.read_bytes())
    done = accept(data, above=0.4)
    assert (done.pictures, done.labelled, done.unlisted) == (0, 2, 1)
    assert (train.read_bytes(), val.read_bytes()) == before


def test_labels_that_a_person_has_changed_are_not_taken_back(data):
    accept(data, above=0.9)
    file = data / "annotations/instances_all.json"
    file.write_text(file.read_text("utf-8").replace('"mug"', '"cup"'), "utf-8")
    before = contents(data)
    with pytest.raises(InputError, match="has been changed since"):
        take_back(data)
    assert contents(data) == before


def test_labels_that_are_changed_while_they_are_read_are_not_overwritten(data, monkeypatch):
    file = coco(data)
    read = label_files.read_coco

    def changed_meanwhile(*words):
        found = read(*words)
        file.write_text(file.read_text() + "\n")
        return found

    monkeypatch.setattr(label_files, "read_coco", changed_meanwhile)
    with pytest.raises(InputError, match="changed meanwhile: try again"):
        accept(data, above=0.4)


def test_labels_that_cannot_be_written_leave_all_as_it_was(data, monkeypatch):
    file = coco(data)
    before = contents(data)
    replace = Path.replace

    def failing(path, target):
        if target == file.resolve():
            raise OSError(errno.EACCES, "")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(InputError, match=r"you may not write there.*; nothing was changed"):
        accept(data, above=0.9)
    monkeypatch.undo()
    assert contents(data) == before
    with pytest.raises(InputError, match=r"nothing in .* was accepted"):
        take_back(data)


def test_what_an_earlier_version_accepted_is_said_to_stay(data):
    (data / ".viewfinder/accepted.json").write_text("{}")
    with pytest.raises(InputError, match=r"earlier version.*lies beside .*accepted\.json"):
        take_back(data)


def test_proposals_are_not_written_where_a_link_leads_out(data, tmp_path):
    proposals = read_proposals(data)
    (data / ".viewfinder").rename(tmp_path / "elsewhere")
    (data / ".viewfinder").symlink_to(tmp_path / "elsewhere")
    before = contents(tmp_path)
    with pytest.raises(InputError, match=r"leads to .*elsewhere/proposals.json, which is outside"):
        write_proposals(data, proposals)
    with pytest.raises(InputError, match=r"leads to .*elsewhere/edits/x, which is outside"):
        accept(data, above=0.9)
    assert contents(tmp_path) == before


def test_what_cannot_be_accepted_is_said(data, tmp_path):
    for above in (-0.1, 1.1, float("nan")):
        with pytest.raises(InputError, match="from 0 to 1"):
            accept(data, above=above)
    with pytest.raises(InputError, match="nothing is proposed"):
        accept(tmp_path, above=0.9)
    (data / "labels").mkdir()
    (data / "classes.txt").write_text("mug\n")
    with pytest.raises(InputError, match="is no COCO set"):
        accept(data, above=0.9)
