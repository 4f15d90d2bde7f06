"""Proposals by networks: subjects of a map by hand, an ONNX file, and a run of another task."""

import numpy as np
import pytest
import torch
from brightness_net import write_brightness

from viewfinder import events
from viewfinder.errors import InputError
from viewfinder.inference.opening import open_model
from viewfinder.labelling.by_model import (
    maps_of_model,
    one_class_each,
    propose_by_detector,
    propose_by_saliency,
    subjects,
)
from viewfinder.labelling.requested import Request, propose
from viewfinder.pictures.writing import write_picture
from viewfinder.runs.run import open_run
from viewfinder.tasks.detect.detections import Detections

CPU = torch.device("cpu")


def scene():
    """A dark picture with a large and a small bright square, and a speck."""
    picture = np.zeros((120, 200, 3), np.uint8)
    picture[20:80, 30:90] = 255
    picture[40:60, 140:160] = 255
    picture[100:102, 190:192] = 255
    return picture


def test_each_part_of_a_map_is_a_subject_and_specks_are_none():
    values = np.zeros((100, 100), np.float32)
    values[10:50, 20:60] = 0.8
    values[70:90, 70:90] = 0.8
    values[0:2, 98:100] = 0.8
    values[60:65, 5:9] = 0.3  # Less than half of the greatest value.
    found = list(subjects(values))
    assert [box.tolist() for box, _, _ in found] == [[19, 9, 61, 51], [69, 69, 91, 91]]
    assert [int(mask.sum()) for _, mask, _ in found] == [1600, 400]
    first, second = (score for *_, score in found)
    assert first == pytest.approx(second)
    assert 0.5 < first < 1


def test_an_unsure_map_scores_less_and_an_empty_one_has_no_subject():
    """What the map is sure of scores high, whatever its shape: a ring as a disc."""
    y, x = np.mgrid[:80, :80] - 40
    radius = np.hypot(x, y)
    soft = np.clip(1 - (radius - 15) / 25, 0, 1)
    shapes = (radius < 30, (radius < 30) & (radius > 22), soft)
    disc, ring, faint = (next(subjects(one.astype(np.float32)))[2] for one in shapes)
    assert 0.9 <= ring == disc < 1
    assert faint < 0.8
    assert list(subjects(np.zeros((8, 8), np.float32))) == []


@pytest.mark.parametrize("sides", [{}, {"height": 64, "width": 96}])
def test_an_onnx_file_proposes_boxes_and_masks(tmp_path, sides):
    write_picture(tmp_path / "kubek" / "图.png", scene())
    model = maps_of_model(open_model(write_brightness(tmp_path / "b.onnx", **sides)), CPU)
    done = propose_by_saliency(tmp_path, ["kubek/图.png"], model=model, source="saliency: b.onnx")
    proposals = done.proposals
    assert proposals.classes == ("kubek",)
    np.testing.assert_allclose(proposals.found.boxes[0], [30, 20, 90, 80], atol=3)
    np.testing.assert_allclose(proposals.found.boxes[1], [140, 40, 160, 60], atol=3)
    assert len(proposals) == 2
    assert set(proposals.masks) == {0, 1}
    assert set(proposals.sources) == {"saliency: b.onnx"}


def test_what_is_no_saliency_network_is_refused(tmp_path, small_run):
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    with pytest.raises(InputError, match="no ONNX network"):
        open_model(tmp_path / "bad.onnx")
    with pytest.raises(InputError, match="there is no file"):
        open_model(tmp_path / "none.onnx")
    with pytest.raises(InputError, match="one picture as 1×3×H×W"):
        open_model(write_brightness(tmp_path / "four.onnx", channels=4))
    model = open_run(small_run).model
    with pytest.raises(InputError, match="a run of classify"):
        maps_of_model(model, torch.device("cpu"))
    with pytest.raises(InputError, match="a run of classify"):
        propose_by_detector(
            tmp_path, [], model=model, names={}, threshold=0.5, device=torch.device("cpu")
        )


def test_an_object_is_proposed_as_of_one_class():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [5, 0, 15, 10], [1, 0.5, 11, 10]], np.float32)
    found = Detections(boxes, np.array([0.5, 0.9, 0.3, 0.4]), np.array([0, 1, 2, 2]))
    kept = one_class_each(found)
    assert kept.labels.tolist() == [1, 2]
    np.testing.assert_array_equal(kept.boxes, boxes[[1, 2]])
    assert len(one_class_each(found.take(np.zeros(4, np.bool_)))) == 0


def test_pictures_that_cannot_be_read_are_told(tmp_path):
    write_picture(tmp_path / "a.png", scene())
    (tmp_path / "b.png").write_bytes(b"no picture")
    model = maps_of_model(open_model(write_brightness(tmp_path / "b.onnx")), CPU)
    done = propose_by_saliency(tmp_path, ["a.png", "b.png"], model=model, source="b", name="square")
    assert done.proposals.classes == ("square",)
    assert len(done.notes) == 1
    assert "b.png" in done.notes[0]
    with pytest.raises(InputError, match=r"b\.png"):
        propose_by_saliency(tmp_path, ["b.png"], model=model, source="b")


def test_a_detector_that_finds_nothing_says_what_to_do(tmp_path):
    write_picture(tmp_path / "a.png", np.full((64, 96, 3), 90, np.uint8))
    request = Request(by=("coco",), names=("dog",), threshold=0.9, device="cpu")
    heard: list[events.Event] = []
    with events.listening(heard.append):
        assert len(propose(tmp_path, request).proposals) == 0
    told = [each.text for each in heard if isinstance(each, events.Note)]
    assert told[-1:] == [
        "coco finds nothing of dog: try a lower --threshold, such as 0.36 or all its classes, "
        "without --names; it knows 80 classes (person, bicycle, car …), and where yours is none of "
        "them, mark some pictures yourself (viewfinder label) and train a detector on these"
    ]
