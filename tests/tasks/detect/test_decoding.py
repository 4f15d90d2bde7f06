"""Raw maps to detections: by the formulas, by brute force, and as C Darknet does it."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.datasets.framing import DARKNET, frame, frame_matrix
from viewfinder.nets.darknet import find_config, load_weights, read_config
from viewfinder.nets.yolo import Scale
from viewfinder.pictures import geometry
from viewfinder.pictures.reading import read_picture
from viewfinder.tasks.detect.answers.suppression import suppress
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.heads.yolo.decoding import decode

SCALES = (Scale(32, ((30.0, 61.0), (62.0, 45.5))), Scale(16, ((10.0, 13.0),)))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def random_maps(classes: int = 3) -> list[Tensor]:
    return [torch.randn(2, 2 * (5 + classes), 2, 3), torch.randn(2, 5 + classes, 4, 6)]


@pytest.mark.parametrize("reach", [1.0, 1.05, 2.0])
def test_every_box_by_the_formula(reach: float) -> None:
    maps = random_maps()
    scales = [Scale(scale.stride, scale.anchors, reach) for scale in SCALES]
    boxes, scores = decode(maps, scales)
    assert boxes.shape == (2, 2 * 2 * 3 + 4 * 6, 4)
    assert scores.shape == (2, 36, 3)
    place = 0
    for each, scale in zip(maps, scales, strict=True):
        for number, (width, height) in enumerate(scale.anchors):
            for row in range(each.shape[2]):
                for column in range(each.shape[3]):
                    cell = each[1, 8 * number : 8 * number + 8, row, column].tolist()
                    tx, ty, tw, th, objectness, *classes = cell
                    # σ = 0.5 is the cell's middle whatever the reach.
                    x = (column + 0.5 + reach * (sigmoid(tx) - 0.5)) * scale.stride
                    y = (row + 0.5 + reach * (sigmoid(ty) - 0.5)) * scale.stride
                    w, h = width * math.exp(tw), height * math.exp(th)
                    expected = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
                    assert boxes[1, place].tolist() == pytest.approx(expected, rel=1e-4, abs=1e-3)
                    wanted = [sigmoid(objectness) * sigmoid(each) for each in classes]
                    assert scores[1, place].tolist() == pytest.approx(wanted, rel=1e-5)
                    place += 1


def test_decoding_takes_half_precision_and_any_memory_format() -> None:
    maps = [each.half().float() for each in random_maps()]
    expected = decode(maps, SCALES)
    for changed in (
        [each.half() for each in maps],
        [each.contiguous(memory_format=torch.channels_last) for each in maps],
    ):
        found = decode(changed, SCALES)
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.dtype == torch.float32
            torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-5)


def brute_force(
    boxes: np.ndarray, scores: np.ndarray, threshold: float, overlap: float
) -> set[tuple[int, int]]:
    """Place and class of what stays, each pair of boxes compared by the definition."""
    iou = geometry.iou(boxes, boxes)
    kept: set[tuple[int, int]] = set()
    for label in range(scores.shape[1]):
        order = np.argsort(-scores[:, label], kind="stable")
        chosen: list[int] = []
        for place in order:
            if scores[place, label] > threshold and all(iou[place, c] <= overlap for c in chosen):
                chosen.append(int(place))
        kept |= {(place, label) for place in chosen}
    return kept


@given(seed=st.integers(0, 2**32 - 1), overlap=st.sampled_from([0.0, 0.3, 0.45, 0.8, 1.0]))
def test_suppression_is_that_of_brute_force(seed: int, overlap: float) -> None:
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 40, (30, 2))
    boxes = np.concatenate([corner, corner + random.uniform(5, 40, (30, 2))], 1).astype("f4")
    scores = random.permutation(90).reshape(30, 3).astype("f4") / 90
    (found,) = suppress(
        torch.from_numpy(boxes)[None],
        torch.from_numpy(scores)[None],
        threshold=0.25,
        overlap=overlap,
        most=None,
    )
    expected = brute_force(boxes, scores, 0.25, overlap)
    places = {tuple(box): place for place, box in enumerate(boxes.tolist())}
    pairs = zip(found.boxes.tolist(), found.labels.tolist(), strict=True)
    assert {(places[tuple(box)], label) for box, label in pairs} == expected
    assert (np.diff(found.scores) <= 0).all()


def detections_of(
    boxes: list[list[float]], scores: list[list[float]], **options: object
) -> Detections:
    (found,) = suppress(torch.tensor([boxes]), torch.tensor([scores]), **options)
    assert found.boxes.dtype == found.scores.dtype == np.float32
    assert found.labels.dtype == np.int64
    return found


def test_one_box_may_have_two_classes_and_one_class_two_boxes() -> None:
    boxes = [[0.0, 0, 10, 10], [1.0, 0, 11, 10], [50.0, 50, 60, 60]]
    found = detections_of(boxes, [[0.9, 0.6], [0.8, 0.7], [0.3, 0.1]], threshold=0.25)
    assert found.labels.tolist() == [0, 1, 0]
    assert found.boxes[:, 0].tolist() == [0, 1, 50]
    assert found.scores.tolist() == pytest.approx([0.9, 0.7, 0.3])


def test_only_scores_above_the_threshold_and_the_best_of_them() -> None:
    boxes = [[20.0 * n, 0, 20.0 * n + 10, 10] for n in range(4)]
    scores = [[0.25], [0.5], [0.75], [math.nan]]
    assert detections_of(boxes, scores, threshold=0.25).scores.tolist() == [0.75, 0.5]
    assert detections_of(boxes, scores, threshold=0.25, most=1).scores.tolist() == [0.75]
    nothing = detections_of(boxes, scores, threshold=0.9)
    assert nothing.boxes.shape == (0, 4)
    assert nothing.scores.shape == nothing.labels.shape == (0,)


@pytest.mark.parametrize("most", [20, None])
def test_what_is_kept_is_what_torchvision_keeps(most: int | None) -> None:
    generator = torch.Generator().manual_seed(0)
    corners = torch.rand(400, 2, generator=generator) * 100
    boxes = torch.cat([corners, corners + 4 + 40 * torch.rand(400, 2, generator=generator)], 1)
    scores = torch.rand(400, 3, generator=generator)
    places, labels = (scores > 0.4).nonzero(as_tuple=True)
    values = scores[places, labels]
    kept = torchvision.ops.batched_nms(boxes[places], values, labels, 0.45)[:most]
    (found,) = suppress(boxes[None], scores[None], threshold=0.4, most=most)
    assert np.array_equal(found.boxes, boxes[places[kept]])
    assert np.array_equal(found.scores, values[kept])
    assert np.array_equal(found.labels, labels[kept])


def test_boxes_without_end_are_no_fault() -> None:
    found = detections_of(
        [[-math.inf, 0, math.inf, 1e30], [0.0, 0, 1, 1]], [[0.9], [0.8]], threshold=0.5
    )
    assert found.scores.tolist() == pytest.approx([0.9, 0.8])


def test_a_box_without_end_is_still_a_number_in_the_picture_it_is_about() -> None:
    """exp(90) is more than float32 holds, and infinity times the 0 of a matrix is no number."""
    maps = [torch.zeros(1, 2 * 6, 1, 1), torch.zeros(1, 6, 2, 2)]
    maps[0][:, 2::6] = 90.0
    boxes, _ = decode(maps, SCALES)
    matrix = geometry.scaling(2.0, 3.0)
    moved = geometry.transform_boxes(matrix, boxes[0].numpy())
    assert np.isfinite(moved).all()
    assert (moved[:2, 0] < -1e6).all()
    assert (moved[:2, 2] > 1e6).all()


def test_pictures_of_a_batch_do_not_meet() -> None:
    boxes, scores = decode(random_maps(), SCALES)
    together = suppress(boxes, scores, threshold=0.1)
    for number, found in enumerate(together):
        (alone,) = suppress(boxes[number : number + 1], scores[number : number + 1], threshold=0.1)
        assert np.array_equal(found.boxes, alone.boxes)
        assert np.array_equal(found.scores, alone.scores)
        assert np.array_equal(found.labels, alone.labels)


# What C Darknet finds in a picture: class name, score, and x1, y1, x2, y2 in its pixels.
Found = list[tuple[str, float, list[float]]]


@pytest.fixture(scope="module")
def tiny(shared: Path) -> nn.Module:
    path = shared / "weights/yolov3-tiny.weights"
    config = find_config(path)
    assert config == read_config(shared / "golden/darknet/yolov3-tiny-mask123.cfg")
    net = nets.create(
        config.net, classes=config.classes, anchors=config.anchors, masks=config.masks
    )
    load_weights(net, path)
    return net.eval()


# Darknet on a processor adds its epsilon to the deviation where on a graphics card, and here, it
# is added to the variance: with next to none in it, what is left is rounding.
@pytest.mark.parametrize(("epsilon", "nearer"), [(1e-5, 1), (1e-6, 10)])
@pytest.mark.parametrize("name", ["dog", "eagle", "giraffe", "horses"])
def test_golden_pictures(
    shared: Path,
    darknet_found: Callable[[str], Found],
    tiny: nn.Module,
    name: str,
    epsilon: float,
    nearer: int,
) -> None:
    folder = shared / "golden/darknet"
    names = (folder / "coco.names").read_text().splitlines()
    for module in tiny.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = epsilon
    picture, size = read_picture(folder / f"{name}.png"), (416, 416)
    own = picture.shape[1], picture.shape[0]
    pixels = torch.tensor(frame(picture, DARKNET, size, of=own)).permute(2, 0, 1)[None]
    with torch.no_grad():
        (found,) = suppress(*decode(tiny(pixels), tiny.scales), threshold=0.25)
    back = geometry.inverse(frame_matrix(DARKNET, own, size))
    boxes = geometry.transform_boxes(back, found.boxes)
    expected = darknet_found(name)
    assert [names[label] for label in found.labels] == [each[0] for each in expected]
    scores = [each[1] for each in expected]
    np.testing.assert_allclose(found.scores, scores, rtol=0, atol=1e-4 / nearer)
    np.testing.assert_allclose(boxes, [each[2] for each in expected], rtol=0, atol=0.05 / nearer)
