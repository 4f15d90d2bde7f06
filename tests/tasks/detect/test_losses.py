"""The losses against their definitions: by hand, by plain loops, and by what a net learns."""

import math
from collections.abc import Callable, Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.ops import box_iou, complete_box_iou_loss

from viewfinder import nets
from viewfinder.nets.yolo import Scale
from viewfinder.tasks.detect.answers.suppression import suppress
from viewfinder.tasks.detect.examples.batch import BoxTruth
from viewfinder.tasks.detect.heads.yolo.decoding import decode
from viewfinder.tasks.detect.heads.yolo.losses import darknet_loss, loss

Loss = Callable[..., dict[str, Tensor]]

CLASSES = 3
# Of a picture of 96×64. Both scales have the anchor of 30×20, as yolov3-tiny's share one.
SCALES = (
    Scale(32, ((30.0, 20.0), (60.0, 50.0)), 2.0),
    Scale(16, ((9.0, 7.0), (6.0, 25.0), (30.0, 20.0)), 2.0),
)


Corners = tuple[float, float, float, float]


def truth_of(*objects: tuple[int, int, Corners], count: int = 1) -> BoxTruth:
    """Of (picture, label, box) each."""
    return BoxTruth(
        boxes=torch.tensor([box for *_, box in objects]).reshape(-1, 4).float(),
        labels=torch.tensor([label for _, label, _ in objects], dtype=torch.int64),
        pictures=torch.tensor([picture for picture, *_ in objects], dtype=torch.int64),
        count=count,
    )


def random_case(seed: int, *, objects: int) -> tuple[list[Tensor], BoxTruth]:
    """Raw maps of two pictures of 96×64, and objects in them of 4 to 60 pixels."""
    random = torch.Generator().manual_seed(seed)
    maps = [
        torch.randn(2, len(scale.anchors) * (5 + CLASSES), 64 // scale.stride, 96 // scale.stride,
                    generator=random)
        for scale in SCALES
    ]  # fmt: skip
    limits = torch.tensor([96.0, 64.0])
    centres = torch.rand(objects, 2, generator=random) * limits
    sizes = 4 * 15 ** torch.rand(objects, 2, generator=random)
    return [each.requires_grad_() for each in maps], BoxTruth(
        boxes=torch.cat([centres - sizes / 2, centres + sizes / 2], dim=1),
        labels=torch.randint(CLASSES, (objects,), generator=random),
        pictures=torch.randint(2, (objects,), generator=random),
        count=2,
    )


def with_reach(reach: float) -> tuple[Scale, ...]:
    return tuple(Scale(scale.stride, scale.anchors, reach) for scale in SCALES)


def total(terms: dict[str, Tensor]) -> Tensor:
    assert list(terms) == ["box", "objectness", "classes"]
    assert all(term.dtype == torch.float32 and term.shape == () for term in terms.values())
    return torch.stack(list(terms.values())).sum()


def gradients(terms: dict[str, Tensor], maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return torch.autograd.grad(total(terms), maps)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


# Two anchors in each of 2×2 cells of 32 pixels, two classes: 2·7 channels.
HAND = (Scale(32, ((32.0, 32.0), (16.0, 48.0))),)
HAND_BOX = (24.0, 8.0, 56.0, 40.0)  # centre 40, 24: 0.25 and 0.75 into the cell of column 1, row 0


def by_hand(truth: BoxTruth, ignore: float) -> Tensor:
    """The gradient of Darknet's objective, pictures×2×7×2×2, by anchor, value, row and column.

    All is 0 but the width in the object's cell, where it is ln 2 and too large, and x and y in the
    cell to its left, where x is 32 pixels and y 24: its IoU with the object is 24·32 / 40·32.
    """
    raw = torch.zeros(truth.count, 2, 7, 2, 2)
    raw[0, 0, 2, 0, 1] = math.log(2)
    raw[0, 0, 0, 0, 0] = 100
    raw[0, 0, 1, 0, 0] = math.log(3)
    output = raw.view(truth.count, 14, 2, 2).requires_grad_()
    (gradient,) = gradients(darknet_loss([output], HAND, truth, ignore=ignore), [output])
    return gradient.view_as(raw)


@pytest.mark.parametrize(("ignore", "neighbour"), [(0.7, 0.5), (0.61, 0.5), (0.59, 0.0)])
def test_darknets_gradient_by_hand(ignore: float, neighbour: float) -> None:
    expected = torch.zeros(1, 2, 7, 2, 2)
    expected[:, :, 4] = 0.5  # no object: 0.5 − 0
    expected[0, 0, 4, 0, 0] = neighbour
    weight = 2 - 32 * 32 / (64 * 64)
    expected[0, 0, :, 0, 1] = torch.tensor(
        [weight * 0.25, weight * -0.25, weight * math.log(2), 0, 0.5 - 1, 0.5, 0.5 - 1]
    )
    found = by_hand(truth_of((0, 1, HAND_BOX)), ignore)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)


def test_darknets_gradient_where_two_objects_meet_and_a_picture_is_empty() -> None:
    later = (34.0, 0.0, 66.0, 32.0)  # centre 50, 16: 18/32 and 0.5 into the same cell
    truth = truth_of((0, 1, HAND_BOX), (0, 0, later), count=2)
    expected = torch.zeros(2, 2, 7, 2, 2)
    expected[:, :, 4] = 0.5
    expected[0, 0, :, 0, 1] = torch.tensor(
        [1.75 * (0.5 - 18 / 32), 0, 1.75 * math.log(2), 0, 0.5 - 1, 0.5 - 1, 0.5 - 1]
    )
    torch.testing.assert_close(by_hand(truth, 0.7), expected / 2, rtol=1e-6, atol=1e-7)


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """IoU of two boxes of x1, y1, x2, y2."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def darknet_gradients(
    maps: Sequence[Tensor], scales: Sequence[Scale], truth: BoxTruth, ignore: float
) -> list[Tensor]:
    """What Darknet's yolo layer hands back, prediction by prediction and object by object."""
    boxes = truth.boxes.tolist()
    anchors = sorted((anchor for scale in scales for anchor in scale.anchors), key=math.prod)
    found = []
    for each, scale in zip(maps, scales, strict=True):
        shape = (truth.count, len(scale.anchors), 5 + CLASSES, *each.shape[2:])
        raw, result = each.detach().reshape(shape), torch.zeros(shape)
        decoded = decode([each.detach()], [scale])[0].view(*shape[:2], *shape[3:], 4)
        for place in torch.cartesian_prod(*(torch.arange(n) for n in decoded.shape[:4])).tolist():
            picture, anchor, row, column = place
            rivals = [b for b, p in zip(boxes, truth.pictures, strict=True) if p == picture]
            near = any(overlap(decoded[*place].tolist(), rival) > ignore for rival in rivals)
            score = sigmoid(raw[picture, anchor, 4, row, column])
            result[picture, anchor, 4, row, column] = 0 if near else score
        classes_known = set()
        for box, label, picture in zip(
            boxes, truth.labels.tolist(), truth.pictures.tolist(), strict=True
        ):
            width, height = box[2] - box[0], box[3] - box[1]
            best = max(anchors, key=lambda a: overlap((0, 0, *a), (0, 0, width, height)))
            if best not in scale.anchors:
                continue
            x, y = (box[0] + box[2]) / 2 / scale.stride, (box[1] + box[3]) / 2 / scale.stride
            place = (picture, scale.anchors.index(best), int(y), int(x))
            values = raw[place[0], place[1], :, place[2], place[3]].tolist()
            weight = 2 - width * height / (96 * 64)
            spread = (scale.reach - 1) / 2
            slot = result[place[0], place[1], :, place[2], place[3]]
            slot[0] = weight * (sigmoid(values[0]) - (x % 1 + spread) / scale.reach)
            slot[1] = weight * (sigmoid(values[1]) - (y % 1 + spread) / scale.reach)
            slot[2] = weight * (values[2] - math.log(width / best[0]))
            slot[3] = weight * (values[3] - math.log(height / best[1]))
            slot[4] = sigmoid(values[4]) - 1
            if place not in classes_known:
                slot[5:] = torch.tensor([sigmoid(value) for value in values[5:]])
            slot[5 + label] = sigmoid(values[5 + label]) - 1
            classes_known.add(place)
        found.append(result.view_as(each) / truth.count)
    return found


@pytest.mark.parametrize("reach", [1.0, 2.0])
@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32 - 1),
    objects=st.integers(0, 12),
    ignore=st.sampled_from([0.05, 0.3, 0.7]),
)
def test_darknets_gradient_by_loops(reach: float, seed: int, objects: int, ignore: float) -> None:
    maps, truth = random_case(seed, objects=objects)
    scales = with_reach(reach)
    found = gradients(darknet_loss(maps, scales, truth, ignore=ignore), maps)
    for ours, theirs in zip(found, darknet_gradients(maps, scales, truth, ignore), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def positives_by_loops(truth: BoxTruth, ratio: float) -> list[tuple[int, int, int, int, int, int]]:
    """Object, scale, picture, anchor, row and column of each."""
    found = []
    for number, (box, picture) in enumerate(
        zip(truth.boxes.tolist(), truth.pictures.tolist(), strict=True)
    ):
        width, height = box[2] - box[0], box[3] - box[1]
        factors = {
            (s, a): max(width / w, w / width, height / h, h / height)
            for s, scale in enumerate(SCALES)
            for a, (w, h) in enumerate(scale.anchors)
        }
        fitting = [key for key, factor in factors.items() if factor <= ratio]
        for s, a in fitting or [min(factors, key=factors.__getitem__)]:
            stride = SCALES[s].stride
            x, y = (box[0] + box[2]) / 2 / stride, (box[1] + box[3]) / 2 / stride
            column, row = int(x), int(y)
            beside = column - 1 if x - column < 0.5 else column + 1
            above = row - 1 if y - row < 0.5 else row + 1
            for r, c in ((row, column), (row, beside), (above, column)):
                if 0 <= r < 64 // stride and 0 <= c < 96 // stride:
                    found.append((number, s, picture, a, r, c))
    return found


def loss_by_loops(
    maps: Sequence[Tensor], scales: Sequence[Scale], truth: BoxTruth, ratio: float
) -> dict[str, Tensor]:
    """The default loss from its definition, with torchvision's CIoU of what `decode` finds."""
    raw = [
        each.view(2, len(scale.anchors), -1, *each.shape[2:])
        for each, scale in zip(maps, scales, strict=True)
    ]
    decoded = [
        decode([each], [scale])[0].view(2, len(scale.anchors), *each.shape[2:], 4)
        for each, scale in zip(maps, scales, strict=True)
    ]
    quality = [torch.zeros_like(each[:, :, 4]) for each in raw]
    box, classes = [], []
    chosen = positives_by_loops(truth, ratio)
    for number, s, picture, anchor, row, column in chosen:
        found, wanted = decoded[s][picture, anchor, row, column], truth.boxes[number]
        box.append(complete_box_iou_loss(found, wanted))
        iou = box_iou(found[None].detach(), wanted[None])[0, 0]
        slot = quality[s][picture, anchor, row, column]
        slot.copy_(torch.maximum(slot, iou))
        for label, value in enumerate(raw[s][picture, anchor, 5:, row, column]):
            right = value.sigmoid() if label == truth.labels[number] else 1 - value.sigmoid()
            classes.append(-right.log())
    # 2·2·3 cells of stride 32 and 3·4·6 of stride 16.
    mean_stride = (12 * 32 + 72 * 16) / 84
    objectness = 0
    for q, each, scale in zip(quality, raw, scales, strict=True):
        p = each[:, :, 4].sigmoid()
        entropy = -(q * p.log() + (1 - q) * (1 - p).log()).sum()
        objectness += scale.stride / mean_stride * entropy
    count = len(chosen)
    return {
        "box": 5 * sum(box) / count,
        "objectness": objectness / max(count, truth.count),
        "classes": sum(classes) / count,
    }


@pytest.mark.parametrize("reach", [1.0, 2.0])
@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32 - 1),
    objects=st.integers(1, 12),
    ratio=st.sampled_from([1.1, 3.0, 4.0]),
)
def test_loss_by_loops(reach: float, seed: int, objects: int, ratio: float) -> None:
    maps, truth = random_case(seed, objects=objects)
    scales = with_reach(reach)
    found = loss(maps, scales, truth, ratio=ratio)
    expected = loss_by_loops(maps, scales, truth, ratio)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    for ours, theirs in zip(gradients(found, maps), gradients(expected, maps), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), objects=st.integers(2, 30))
def test_order_of_objects_does_not_matter(seed: int, objects: int) -> None:
    maps, truth = random_case(seed, objects=objects)
    order = torch.randperm(objects, generator=torch.Generator().manual_seed(seed))
    shuffled = BoxTruth(truth.boxes[order], truth.labels[order], truth.pictures[order], 2)
    torch.testing.assert_close(
        loss(maps, SCALES, truth), loss(maps, SCALES, shuffled), rtol=1e-5, atol=1e-6
    )


# One prediction that can be any box in a picture of 64×64, and further.
SINGLE = (Scale(64, ((20.0, 20.0),), 2.0),)


def loss_of_box(x: float, y: float, width: float, height: float) -> float:
    """With an object of 20×20 in the middle, of a prediction that has this centre and size."""
    place = [math.log(p / (1 - p)) for p in ((x / 64 + 0.5) / 2, (y / 64 + 0.5) / 2)]
    raw = torch.tensor([*place, math.log(width / 20), math.log(height / 20), 0.0, 0.0])
    return total(loss([raw.view(1, 6, 1, 1)], SINGLE, truth_of((0, 0, (22, 22, 42, 42))))).item()


@given(
    dx=st.floats(-40, 40), dy=st.floats(-40, 40),
    growth=st.floats(0.1, 10), further=st.floats(1.1, 2),
)  # fmt: skip
def test_the_nearer_the_box_the_lower_the_loss(
    dx: float, dy: float, growth: float, further: float
) -> None:
    if math.hypot(dx, dy) > 1:
        near = loss_of_box(32 + dx / further, 32 + dy / further, 20, 20)
        assert near < loss_of_box(32 + dx, 32 + dy, 20, 20)
    if not 0.95 < growth < 1.05:
        near = loss_of_box(32, 32, 20 * growth ** (1 / further), 20)
        assert near < loss_of_box(32, 32, 20 * growth, 20)
    assert loss_of_box(32, 32, 20, 20) == pytest.approx(2 * math.log(2), abs=1e-4)


@pytest.mark.parametrize("objective", [loss, darknet_loss])
def test_a_batch_without_objects_still_teaches_objectness(objective: Loss) -> None:
    maps, truth = random_case(0, objects=0)
    terms = objective(maps, SCALES, truth)
    assert terms["box"] == terms["classes"] == 0
    assert 0 < terms["objectness"] < math.inf
    for slope, scale in zip(gradients(terms, maps), SCALES, strict=True):
        slope = slope.view(2, len(scale.anchors), 5 + CLASSES, -1)
        assert (slope[:, :, 4] > 0).all()
        assert not slope[:, :, :4].any()
        assert not slope[:, :, 5:].any()


@pytest.mark.parametrize("objective", [loss, darknet_loss])
def test_what_is_predicted_in_a_crowd_is_neither_right_nor_wrong(objective: Loss) -> None:
    maps, truth = random_case(2, objects=6)
    crowd = BoxTruth(torch.tensor([[0.0, 0, 48, 64]]), torch.tensor([-1]), torch.tensor([1]), 2)
    slopes, with_crowd = (
        gradients(objective(maps, SCALES, truth, ignored), maps) for ignored in (None, crowd)
    )
    spared = 0
    for scale, output, before, after in zip(SCALES, maps, slopes, with_crowd, strict=True):
        shape = (2, len(scale.anchors), 5 + CLASSES, *output.shape[2:])
        before, after = before.view(shape), after.view(shape)
        x1, y1, x2, y2 = decode([output.detach()], [scale])[0].unbind(-1)
        shared = (x2.clamp(max=48) - x1.clamp(min=0)).clamp(min=0)
        shared = shared * (y2.clamp(max=64) - y1.clamp(min=0)).clamp(min=0)
        inside = (shared > 0.5 * (x2 - x1) * (y2 - y1)).view(2, len(scale.anchors), *shape[3:])
        inside[0] = False
        # Only what answers for an object learns where its box is.
        passed = inside & ~before[:, :, :4].any(2)
        expected = before.clone()
        expected[:, :, 4][passed] = 0
        torch.testing.assert_close(after, expected)
        spared += int(passed.sum())
    assert spared > 10


@pytest.mark.parametrize("objective", [loss, darknet_loss])
def test_half_precision_is_counted_in_full(objective: Loss) -> None:
    maps, truth = random_case(1, objects=9)
    half = [each.detach().bfloat16().requires_grad_() for each in maps]
    full = [each.detach().float().requires_grad_() for each in half]
    halves, fulls = objective(half, SCALES, truth), objective(full, SCALES, truth)
    assert torch.equal(total(halves), total(fulls))
    for ours, theirs in zip(gradients(halves, half), gradients(fulls, full), strict=True):
        assert ours.dtype == torch.bfloat16
        assert torch.equal(ours, theirs.bfloat16())


@pytest.mark.parametrize("size", [1e3, 1e30])
def test_no_prediction_is_too_wild(size: float) -> None:
    maps, truth = random_case(2, objects=9)
    wild = [(each.detach() * size).bfloat16().requires_grad_() for each in maps]
    terms = loss(wild, SCALES, truth)
    assert total(terms).isfinite()
    assert all(slope.isfinite().all() for slope in gradients(terms, wild))


@pytest.mark.parametrize("objective", [loss, darknet_loss])
@pytest.mark.parametrize(
    "box",
    [
        (95.999, 60, 96.001, 68),  # its centre on the picture's far corner
        (-4, -4, 4, 4),
        (10, 10, 10, 10),  # nothing in it
        (-1000, -1000, 1100, 1100),  # larger than the picture
    ],
)
def test_objects_at_and_beyond_the_edge(
    objective: Loss, box: tuple[float, float, float, float]
) -> None:
    maps, _ = random_case(3, objects=0)
    terms = objective(maps, SCALES, truth_of((1, 2, box), count=2))
    assert total(terms).isfinite()
    assert terms["box"] > 0
    assert all(slope.isfinite().all() for slope in gradients(terms, maps))


@pytest.mark.parametrize(
    ("objective", "reach"), [(loss, 2.0), (loss, 1.0), (darknet_loss, 1.0), (darknet_loss, 2.0)]
)
def test_a_net_learns_one_picture_by_heart(objective: Loss, reach: float) -> None:
    truth = truth_of((0, 0, (10, 20, 50, 44)), (0, 1, (60, 60, 120, 120)), (0, 0, (70, 8, 90, 40)))
    picture = torch.rand(1, 3, 128, 128)
    for number, (x1, y1, x2, y2) in enumerate(truth.boxes.int().tolist()):
        picture[0, number, y1:y2, x1:x2] += 1
    net = nets.create(
        "yolov3-tiny", classes=2, width=0.125, reach=reach,
        anchors=((20, 32), (40, 24), (60, 60), (100, 100)), masks=((2, 3), (0, 1)),
    )  # fmt: skip
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.01)
    for _ in range(80):
        optimiser.zero_grad()
        total(objective(net(picture), net.scales, truth)).backward()
        optimiser.step()
    with torch.no_grad():
        (found,) = suppress(*decode(net.eval()(picture), net.scales), threshold=0.4)
    assert len(found.scores) == 3
    overlaps = box_iou(truth.boxes, torch.from_numpy(found.boxes))
    best, places = overlaps.max(1)
    assert (best > 0.8).all()
    assert found.labels[places].tolist() == truth.labels.tolist()


def test_truth_moves_whole() -> None:
    truth = truth_of((1, 2, (3, 4, 5, 6)), count=2)
    moved = truth.to("meta")
    assert {moved.boxes.device, moved.labels.device, moved.pictures.device} == {
        torch.device("meta")
    }
    assert moved.boxes.shape == (1, 4)
    assert moved.count == 2
