"""A second opinion changes what an object is, not whether it is there; and is kept if it gains."""

import json
from dataclasses import replace

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from viewfinder.datasets.boxes import gather_boxes
from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError
from viewfinder.tasks import find
from viewfinder.tasks.classify.heads import LinearHead
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.opinion.forming import FramedSplit, form_opinion
from viewfinder.tasks.detect.opinion.judging import why_unjudged
from viewfinder.tasks.detect.opinion.second import (
    FILE,
    Consulted,
    Opinion,
    crop,
    mix,
    mixture,
    read_opinion,
    write_opinion,
)
from viewfinder.tasks.detect.recipe import DetectRecipe

KNOWN = np.array([0, 1])
SHARES = st.lists(st.floats(1e-3, 1), min_size=3, max_size=3).map(np.array)


def found_of(*rows):
    """Detections of (score, label) in boxes that lie on each other."""
    count = len(rows)
    boxes = np.tile(np.array([[10, 10, 30, 30]], np.float32), (count, 1))
    scores, labels = zip(*rows, strict=True)
    return Detections(boxes, np.array(scores, np.float32), np.array(labels))


def asked(found, shares):
    """All of them one object, of which the layer says so much."""
    return Consulted(np.zeros(len(found.scores), int), np.array([0]), np.array([shares]))


@given(SHARES, SHARES)
@settings(max_examples=30, deadline=None)
def test_the_weight_leads_from_one_opinion_to_the_other(first, second):
    np.testing.assert_allclose(mixture(first, second, 0.0), first / first.sum(), rtol=1e-9)
    np.testing.assert_allclose(mixture(first, second, 1.0), second / second.sum(), rtol=1e-9)
    between = np.sqrt(first * second)
    np.testing.assert_allclose(mixture(first, second, 0.5), between / between.sum(), rtol=1e-9)


def test_an_object_is_called_otherwise_and_keeps_its_score():
    found = found_of((0.5, 0), (0.3, 1), (0.2, 2))
    mixed = mix(found, asked(found, [0.1, 0.9]), KNOWN, 1.0)
    assert mixed.labels.tolist() == [1, 2, 0]
    # The third class is one that the layer does not know.
    np.testing.assert_allclose(mixed.scores, [0.72, 0.2, 0.08], rtol=1e-5)


def test_a_class_that_the_detector_did_not_mention_is_added():
    found = found_of((0.6, 0))
    mixed = mix(found, asked(found, [0.25, 0.75]), KNOWN, 1.0)
    assert mixed.labels.tolist() == [1, 0]
    np.testing.assert_allclose(mixed.scores, [0.45, 0.15], rtol=1e-5)
    np.testing.assert_array_equal(mixed.boxes[0], mixed.boxes[1])


def test_what_is_not_judged_stays():
    found = found_of((0.6, 0), (0.04, 1))
    consulted = Consulted(np.array([-1, -1]), np.array([], int), np.zeros((0, 2)))
    mixed = mix(found, consulted, KNOWN, 1.0)
    np.testing.assert_array_equal(mixed.scores, found.scores)
    np.testing.assert_array_equal(mixed.labels, found.labels)


def test_a_crop_is_the_object_with_room_around_it():
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[20:40, 30:50] = 200
    made = crop(picture, np.array([30, 20, 50, 40]))
    inside = (made[:, :, 0] > 100).mean()
    assert inside == pytest.approx(1 / 1.25**2, abs=0.02)


def test_it_is_read_back(tmp_path):
    layer = LinearHead(np.arange(6.0).reshape(2, 3), np.array([0.5, -1]))
    write_opinion(tmp_path, Opinion(layer, np.array([0, 2]), 0.4, "abc", ("a", "c")))
    back = read_opinion(tmp_path, "abc")
    np.testing.assert_array_equal(back.layer.weight, layer.weight)
    np.testing.assert_array_equal(back.known, [0, 2])
    assert (back.weight, back.features) == (0.4, "abc")
    with pytest.raises(InputError, match="another run"):
        read_opinion(tmp_path, "ab")
    with pytest.raises(InputError, match="another run"):
        read_opinion(tmp_path, "acb")
    whole = (tmp_path / FILE).read_bytes()
    older = safetensors.numpy.save(
        safetensors.numpy.load(whole),
        {"opinion": json.dumps({"share": 0.4, "features": "abc"})},
    )
    (tmp_path / FILE).write_bytes(older)
    assert read_opinion(tmp_path, "abc").names == ("a", "c")
    (tmp_path / FILE).write_bytes(whole)
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:-4])
    with pytest.raises(InputError, match="is damaged"):
        read_opinion(tmp_path, "abc")


def test_that_it_was_kept_and_is_gone_is_said(tmp_path, capsys):
    def open_run_of(kept):
        scores = {"second_opinion": {"kept": kept}}
        (tmp_path / "scores.json").write_text(json.dumps(scores))
        find("detect").kept_habits(tmp_path, ("a", "b"))
        return " ".join(capsys.readouterr().err.split())

    assert "is without its second opinion on classes (opinion.safetensors)" in open_run_of(True)
    assert open_run_of(False) == ""
    layer = LinearHead(np.zeros((2, 3)), np.zeros(2))
    write_opinion(tmp_path, Opinion(layer, KNOWN, 0.4, "abc", ("a", "b")))
    assert open_run_of(True) == ""


def test_one_of_other_features_is_refused():
    opinion = Opinion(
        LinearHead(np.zeros((2, 1280)), np.zeros(2)), KNOWN, 1.0, "others", ("a", "b")
    )
    with pytest.raises(InputError, match="other features"):
        opinion.on([found_of((0.5, 0))], torch.zeros(1, 3, 64, 64), torch.device("cpu"))


class Painted:
    """Pictures in memory, as `Pixels` gives them."""

    waits = False

    def __init__(self, pictures):
        self.pictures = pictures

    def take(self, numbers):
        return torch.from_numpy(np.stack([self.pictures[n] for n in numbers])).permute(0, 3, 1, 2)


def side(count, seed):
    """Blue and green rectangles on noise, two a picture."""
    random = np.random.default_rng(seed)
    pictures = random.integers(90, 150, (count, 96, 128, 3), dtype=np.uint8)
    corners, classes = [], []
    for picture in pictures:
        for left in (8, 72):
            label = int(random.integers(2))
            picture[30:70, left : left + 40] = ((60, 90, 220), (40, 170, 60))[label]
            corners.append((left, 30, left + 40, 70))
            classes.append(label)
    truth = gather_boxes(
        np.repeat(np.arange(count), 2),
        count,
        corners=np.array(corners, np.float64),
        classes=np.array(classes),
    )
    frames = np.tile(np.float32([0, 0, 128, 96]), (count, 1))
    return FramedSplit(Painted(pictures), truth, frames)


def confused(held_out):
    """A detector that finds every object of `held_out` and guesses what it is."""
    random, place = np.random.default_rng(5), iter(range(len(held_out.truth.offsets)))

    def reply(pictures):
        answers = []
        for picture in (next(place) for _ in pictures):
            boxes = held_out.truth.corners[held_out.truth.of(picture)].astype(np.float32)
            first = random.integers(2, size=len(boxes))
            scores = np.repeat(np.float32([0.9, 0.05]), len(boxes))
            labels = np.concatenate([first, 1 - first])
            answers.append(Detections(np.tile(boxes, (2, 1)), scores, labels))
        return answers

    return reply


def test_one_that_gains_is_kept():
    held_out = side(12, 1)
    reply, cpu = confused(held_out), torch.device("cpu")
    formed = form_opinion(side(6, 0), held_out, ("sky", "leaf"), reply, cpu)
    assert formed.objects == 24
    assert formed.right[0] < 20
    assert formed.right[1] == 24
    assert formed.after == pytest.approx(1.0)
    assert formed.opinion is not None
    assert "kept" in formed.says


def test_one_that_gains_no_more_than_chance_is_left_off(monkeypatch):
    module = "viewfinder.tasks.detect.opinion.judging.likelier_by_chance"
    held_out, cpu = side(12, 1), torch.device("cpu")
    for chance, kept in ((0.04, True), (0.06, False)):
        monkeypatch.setattr(module, lambda before, after, told=chance: told)
        formed = form_opinion(side(6, 0), held_out, ("sky", "leaf"), confused(held_out), cpu)
        assert formed.after > formed.before + 0.1
        assert (formed.opinion is not None) is kept
    assert "left off: true classes become no likelier than chance makes them" in formed.says


def test_one_that_makes_surer_what_is_right_already_is_left_off():
    """It would cost each later answer its time, and change none."""
    held_out = side(12, 1)
    place = iter(range(len(held_out.truth.offsets)))

    def reply(pictures):
        answers = []
        for picture in (next(place) for _ in pictures):
            rows = held_out.truth.of(picture)
            boxes = held_out.truth.corners[rows].astype(np.float32)
            right = held_out.truth.classes[rows]
            scores = np.repeat(np.float32([0.5, 0.45]), len(boxes))
            answers.append(
                Detections(np.tile(boxes, (2, 1)), scores, np.concatenate([right, 1 - right]))
            )
        return answers

    formed = form_opinion(side(6, 0), held_out, ("sky", "leaf"), reply, torch.device("cpu"))
    assert formed.right == (24, 24)
    assert formed.opinion is None
    assert formed.says.endswith("left off: AP50 does not rise by 0.01")
    assert formed.as_json()["chance"] < 0.001


def test_one_that_changes_no_class_for_the_better_is_left_off(monkeypatch):
    """Of few held-out pictures AP50 may rise by scores alone."""
    monkeypatch.setattr("viewfinder.tasks.detect.opinion.judging._right", all_right)
    held_out = side(12, 1)
    reply, cpu = confused(held_out), torch.device("cpu")
    formed = form_opinion(side(6, 0), held_out, ("sky", "leaf"), reply, cpu)
    assert formed.after > formed.before + 0.1
    assert formed.opinion is None
    assert formed.says.endswith("left off: no more objects come to their class than lose it")


def all_right(first, second, true, weight):
    return np.ones(len(true), np.bool_)


@pytest.mark.parametrize(("pictures", "says"), [(3, "finds 6 of 6 objects"), (0, "no object of")])
def test_too_few_held_out_objects_say_what_would_bring_more(pictures, says):
    held_out = side(3, 1)
    if not pictures:
        held_out = replace(held_out, truth=held_out.truth.keep(held_out.truth.classes > 1))
    reply, cpu = confused(held_out), torch.device("cpu")
    formed = form_opinion(
        side(6, 0), held_out, ("sky", "leaf"), reply, cpu, more="put more pictures into val"
    )
    assert says in formed.says
    assert formed.says.endswith(": put more pictures into val")


def test_boxes_end_where_pictures_do_as_those_of_every_answer():
    held_out = side(12, 1)
    sure = confused(held_out)

    def beyond(pictures):
        """All objects reach the lower end of their pictures, and answers into what fills beyond."""
        return [
            Detections(each.boxes + np.float32([0, 0, 0, 40]), each.scores, each.labels)
            for each in sure(pictures)
        ]

    corners = held_out.truth.corners.copy()
    corners[:, 3] = 70
    frames = held_out.frames.copy()
    frames[:, 3] = 70
    held_out = replace(held_out, truth=replace(held_out.truth, corners=corners), frames=frames)
    classes, cpu = ("sky", "leaf"), torch.device("cpu")
    formed = form_opinion(side(6, 0), held_out, classes, beyond, cpu)
    sure = confused(held_out)
    plain = form_opinion(side(6, 0), held_out, classes, sure, cpu)
    assert formed.before == pytest.approx(plain.before)
    assert formed.objects == 24


def test_the_same_pictures_end_in_the_same_opinion_bit_for_bit(tmp_path):
    for name in ("one", "two"):
        held_out = side(12, 1)
        reply = confused(held_out)
        formed = form_opinion(side(6, 0), held_out, ("sky", "leaf"), reply, torch.device("cpu"))
        (tmp_path / name).mkdir()
        write_opinion(tmp_path / name, formed.opinion)
    assert (tmp_path / "one" / FILE).read_bytes() == (tmp_path / "two" / FILE).read_bytes()


@pytest.mark.parametrize("order", ["C", "F"])
def test_what_is_read_back_is_what_was_formed(tmp_path, order):
    """Whatever the order of its weights in memory, which a file's bytes would follow."""
    weight = np.asarray(np.arange(6.0).reshape(2, 3), order=order)
    layer = LinearHead(weight, np.array([1.0, -1.0]))
    opinion = Opinion(layer, np.array([0, 2]), 0.25, "these", ("a", "c"))
    write_opinion(tmp_path, opinion)
    read = read_opinion(tmp_path, "abc")
    np.testing.assert_array_equal(read.layer.weight, weight)
    np.testing.assert_array_equal(read.layer.bias, layer.bias)
    assert (read.known.tolist(), read.weight, read.features) == ([0, 2], 0.25, "these")


def test_one_that_cannot_be_judged_is_not():
    train, cpu = side(4, 0), torch.device("cpu")
    few = side(2, 1)
    formed = form_opinion(train, few, ("sky", "leaf"), confused(few), cpu)
    assert formed.opinion is None
    assert "too few" in formed.says
    formed = form_opinion(train, None, ("sky", "leaf"), confused(few), cpu)
    assert formed.opinion is None
    assert "no pictures were held out" in formed.says


def test_one_of_a_single_class_is_not():
    train = side(3, 0)
    alone = replace(train.truth, classes=np.zeros(len(train.truth), np.int64))
    formed = form_opinion(
        FramedSplit(train.pixels, alone, train.frames),
        None,
        ("sky",),
        confused(train),
        torch.device("cpu"),
    )
    assert "one class" in formed.says


def test_a_set_that_cannot_judge_one_is_refused_before_anything_is_learnt():
    def dataset(train, val, *, dealt=True):
        """Pictures of one object each, of these classes."""
        classes = np.array([*train, *val])
        corners = np.tile([[10.0, 10, 40, 30]], (len(classes), 1))
        return Dataset(
            root=None,
            layout="",
            classes=("a", "b"),
            paths=("",) * len(classes),
            labels=np.full(len(classes), -1),
            splits=np.array([0] * len(train) + [1] * len(val), np.int8),
            boxes=gather_boxes(
                np.arange(len(classes)), len(classes), corners=corners, classes=classes
            ),
            val_dealt=dealt,
        )

    assert why_unjudged(dataset([0, 1], [1] + [0] * 9)) == ""
    assert "of one class: hold more out" in why_unjudged(dataset([0, 1], [0] * 10))
    assert "and there are 9: hold more out" in why_unjudged(dataset([0, 1], [1] * 9))
    none = why_unjudged(dataset([0, 1], [], dealt=False))
    assert none.endswith("and there are 0: put more pictures with objects into val")
    assert "but one class to learn: leave it out" in why_unjudged(dataset([1, 1], [1] * 20))
    learner, recipe = find("detect"), DetectRecipe(second_opinion=True)
    with pytest.raises(InputError, match="--second-opinion: it is judged by 10 objects"):
        learner.decided(recipe, dataset([0, 1], [1] * 9))
