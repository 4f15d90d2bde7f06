"""Kept pictures and their boxes: the same wherever they are kept, and true to their files."""

import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from viewfinder.datasets.boxes import gather_boxes
from viewfinder.errors import InputError
from viewfinder.pictures.drawing import distinct_colours
from viewfinder.tasks.detect.examples.batch import BoxBatch, BoxTruth
from viewfinder.tasks.detect.examples.opening import IGNORED, frame_for, open_examples
from viewfinder.tasks.detect.examples.outlines import draw_outline, readable_outlines

KEEPS = ["memory", "disk", "none"]


def noise(width, height, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def mixed(boxes_set):
    """Pictures of several shapes, one without objects, one with a name in another script."""
    sizes = [(400, 300), (90, 120), (640, 200), (33, 17)]
    pictures = [noise(*size, seed) for seed, size in enumerate(sizes)]
    boxes = [[(40, 30, 200, 90), (0, 0, 400, 300)], [], [(600, 100, 640, 200)], [(1, 2, 30, 15)]]
    names = ["a.png", "猫 é.png", "c/ü.png", "d.png"]
    return boxes_set(pictures, boxes, labels=[[0, 1], [], [1], [0]], names=names)


def test_the_three_ways_of_keeping_agree(mixed, tmp_path):
    kept = [open_examples(mixed, (64, 64), cache=tmp_path / "cache", keep=k) for k in KEEPS]
    for examples in kept:
        taken = examples.pictures.take([3, 0, 0, 2, 1])
        for number, picture in zip([3, 0, 0, 2, 1], taken, strict=True):
            assert picture.shape == (*examples.sizes[number][::-1], 3)
            assert np.array_equal(picture, kept[0].pictures.take([number])[0])
        sent = pickle.loads(pickle.dumps(examples.pictures)).take([2])[0]
        assert np.array_equal(sent, taken[3])
    assert [examples.waits for examples in kept] == [False, True, True]


def test_a_mapped_file_is_not_sent_to_another_process(mixed, tmp_path):
    examples = open_examples(mixed, (64, 64), cache=tmp_path, keep="disk")
    assert len(pickle.dumps(examples.pictures)) < examples.sizes.prod(axis=1).sum()


def test_the_file_in_the_cache_is_used_again_for_the_same_frame_alone(mixed, tmp_path):
    for frame, files in [((64, 64), 1), ((64, 64), 1), ((96, 64), 2)]:
        open_examples(mixed, frame, cache=tmp_path / "cache", keep="disk")
        assert len(list((tmp_path / "cache").rglob("*.u8"))) == files


def test_pictures_are_kept_at_one_and_a_half_times_what_the_frame_shows(mixed, tmp_path):
    examples = open_examples(mixed, (64, 64), cache=tmp_path)
    # 64 pixels of 400, of 120 and of 640, times 1.5, in multiples of four; never larger.
    assert examples.sizes.tolist() == [[96, 72], [72, 96], [96, 32], [33, 17]]
    larger = open_examples(mixed, (1000, 1000), cache=tmp_path)
    assert larger.sizes.tolist() == [[400, 300], [90, 120], [640, 200], [33, 17]]
    assert np.array_equal(larger.pictures.take([1])[0], noise(90, 120, 1))


def test_shrinking_is_opencvs_average_over_area(mixed, tmp_path):
    kept = open_examples(mixed, (64, 64), cache=tmp_path).pictures.take([0])[0]
    expected = cv2.resize(noise(400, 300, 0), (96, 72), interpolation=cv2.INTER_AREA)
    assert np.abs(kept.astype(int) - expected).max() <= 1


def test_boxes_shrink_with_their_pictures(mixed, tmp_path):
    examples = open_examples(mixed, (64, 64), cache=tmp_path)
    assert examples.corners.dtype == np.float32
    factors = examples.sizes / [(400, 300), (90, 120), (640, 200), (33, 17)]
    expected = mixed.boxes.corners * np.tile(factors[[0, 0, 2, 3]], 2)
    np.testing.assert_allclose(examples.corners, expected, rtol=1e-6)
    assert [examples.rows(n) for n in range(4)] == [
        slice(0, 2),
        slice(2, 2),
        slice(2, 3),
        slice(3, 4),
    ]
    assert [examples.picture_of(row) for row in range(4)] == [0, 0, 2, 3]
    assert [rows.tolist() for rows in examples.rows_by_class] == [[0, 3], [1, 2]]


def test_crowds_and_difficult_objects_are_ignored(boxes_set, tmp_path):
    dataset = boxes_set(
        [noise(40, 40)],
        [[(0, 0, 9, 9), (10, 0, 19, 9), (20, 0, 29, 9)]],
        labels=[[0, 1, 1]],
        crowd=np.array([False, True, False]),
        difficult=np.array([False, False, True]),
    )
    examples = open_examples(dataset, (32, 32), cache=tmp_path)
    assert examples.labels.tolist() == [0, IGNORED, IGNORED]
    assert [rows.tolist() for rows in examples.rows_by_class] == [[0], []]


def test_boxes_are_cut_at_the_true_edges_and_dropped_where_nothing_is_left(boxes_set, tmp_path):
    boxes = [(-5, 10, 20, 60), (50, 0, 70, 9), (3, 3, 3, 9), (np.nan, 0, 1, 1), (5, 5, 9, 9)]
    dataset = boxes_set([noise(40, 40)], [boxes], labels=[[0, 0, 0, 0, -1]])
    examples = open_examples(dataset, (40, 40), cache=tmp_path)
    assert examples.corners.tolist() == [[0, 10, 20, 40]]


def test_labels_that_state_other_sizes_are_told_of(mixed, tmp_path, capsys):
    true = np.array([(400, 300), (90, 120), (640, 200), (33, 17)])
    open_examples(replace(mixed, sizes=true), (64, 64), cache=tmp_path)
    assert capsys.readouterr().err == ""
    open_examples(replace(mixed, sizes=true[:, ::-1].copy()), (64, 64), cache=tmp_path)
    assert "4 pictures are of another size" in capsys.readouterr().err


@pytest.mark.parametrize("keep", ["memory", "disk"])
def test_a_damaged_picture_is_named_and_leaves_no_file(mixed, tmp_path, keep):
    whole = mixed.file(1).read_bytes()
    mixed.file(1).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="猫") as caught:
        open_examples(mixed, (64, 64), cache=tmp_path / "cache", keep=keep)
    assert "\n" not in str(caught.value)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_a_picture_damaged_later_is_named_when_it_is_asked_for(mixed, tmp_path):
    examples = open_examples(mixed, (64, 64), cache=tmp_path, keep="none")
    mixed.file(1).write_bytes(b"no picture")
    with pytest.raises(InputError, match="猫"):
        examples.pictures.take([0, 1])


def test_sets_that_cannot_be_learnt_from_are_refused(mixed, tmp_path):
    with pytest.raises(InputError, match="no boxes"):
        open_examples(replace(mixed, boxes=None), (64, 64), cache=tmp_path)
    with pytest.raises(InputError, match="no pictures"):
        open_examples(mixed.select([]), (64, 64), cache=tmp_path)


@pytest.mark.parametrize(
    ("sizes", "size", "frame"),
    [
        ([(640, 480)], 320, (320, 256)),
        ([(480, 640)], 320, (256, 320)),
        ([(640, 480)], 512, (512, 384)),
        ([(500, 500)], 416, (416, 416)),
        ([(500, 375), (500, 375), (100, 900)], 330, (320, 256)),
        ([(4000, 100)], 416, (416, 32)),
    ],
)
def test_the_frame_follows_the_median_aspect(boxes_set, sizes, size, frame):
    dataset = boxes_set([noise(*each) for each in sizes], [[] for _ in sizes])
    assert frame_for(dataset, size) == frame
    stated = replace(dataset, sizes=np.array(sizes), root=dataset.root / "elsewhere")
    assert frame_for(stated, size) == frame


def test_a_frame_smaller_than_the_stride_is_refused(mixed):
    with pytest.raises(InputError, match="32 or more"):
        frame_for(mixed, 20)


def test_real_pictures_open(shared, tmp_path):
    from viewfinder.datasets.opening import open_dataset

    dataset = open_dataset(shared / "data" / "bccd").split("val")
    assert frame_for(dataset, 320) == (320, 256)
    examples = open_examples(dataset, (320, 256), cache=tmp_path)
    assert (examples.sizes == (480, 360)).all()
    np.testing.assert_allclose(examples.corners, dataset.boxes.corners * 0.75, rtol=1e-6)


def outlined(segmentation, width=40, height=30):
    boxes = gather_boxes(
        np.zeros(1, np.int64),
        1,
        corners=np.array([[0.0, 0.0, width, height]]),
        classes=np.zeros(1, np.int64),
        segmentations={0: segmentation},
    )
    size = np.array([[width, height]])
    return readable_outlines(boxes, size, size)


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools' own
@given(
    points=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30)), min_size=3, max_size=8),
    form=st.sampled_from(["polygons", "compressed", "uncompressed"]),
)
def test_outlines_are_drawn_as_pycocotools_does(points, form):
    flat = [float(number) for point in points for number in point]
    (runs,) = coco_mask.frPyObjects([flat], 30, 40)
    mask = coco_mask.decode(runs)
    if form == "polygons":
        given = [np.array(flat)]
    elif form == "compressed":
        given = {"size": [30, 40], "counts": runs["counts"].decode()}
    else:
        changes = np.flatnonzero(np.diff(mask.ravel("F"), prepend=0))
        given = {"size": [30, 40], "counts": np.diff([0, *changes, mask.size]).tolist()}
    outlines = outlined(given)
    if not outlines:
        assert not mask.any()
        return
    drawn = draw_outline(outlines[0], (0, 0, 40, 30))
    # Near an edge, they may differ by a pixel.
    edge = np.zeros((40, 50), np.uint8)
    if form == "polygons":
        cv2.polylines(edge, [np.array(points, np.int32) + 5], True, 1)
    apart = cv2.dilate(edge, np.ones((5, 5), np.uint8))[5:35, 5:45] == 0
    assert np.array_equal((drawn > 127)[apart], mask[apart] > 0)
    part = draw_outline(outlines[0], (5, 7, 29, 23))
    apart = apart[7:23, 5:29]
    assert np.array_equal((part > 127)[apart], (drawn > 127)[7:23, 5:29][apart])


@pytest.mark.parametrize(
    "segmentation",
    [
        [np.array([1.0, 2.0, 3.0, 4.0])],
        [np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])],
        [np.array([1.0, 2.0, np.nan, 4.0, 5.0, 6.0])],
        {"size": [40, 30], "counts": "aa"},
        {"size": [10**9, 10**9], "counts": "aa"},
        {"size": [30, 40], "counts": b"\xff\xff~~~~"},
        {"size": [30, 40], "counts": [5, 10**12]},
        {"size": [30, 40], "counts": [-5, 10]},
        {"size": [30, 40], "counts": {}},
        {"size": [30, 40], "counts": None},
        {"size": [30, 40], "counts": [1200]},
        {"size": "big"},
    ],
)
def test_an_outline_that_cannot_be_drawn_counts_as_none(segmentation, capsys):
    assert outlined(segmentation) == {}
    assert "1 outline cannot be drawn" in capsys.readouterr().err


def test_a_polygon_far_outside_is_drawn_as_far_as_the_picture_goes():
    outline = outlined([np.array([-1e30, -1e30, 1e30, -1e30, 1e30, 1e30, -1e30, 1e30])])[0]
    assert (draw_outline(outline, (3, 4, 20, 30)) == 255).all()


def test_of_many_objects_one_of_each_class_is_named_on_what_a_net_saw():
    corners = torch.tensor([[10.0 * n, 10, 10 * n + 8, 18 + n] for n in range(9)])
    labels = torch.tensor([0] * 8 + [1])
    truth = BoxTruth(corners, labels, torch.zeros(9, dtype=torch.int64), 1)
    batch = BoxBatch(torch.full((1, 3, 60, 100), 128, dtype=torch.uint8), truth, truth)
    ((many, says),) = batch.drawn(("cell", "x"), 8)
    assert says == "9 objects: 8 cell, 1 x"
    assert max(many.shape[:2]) > 200, "so that names can be read"
    few = BoxTruth(corners[:8], labels[:8], torch.zeros(8, dtype=torch.int64), 1)
    ((named, _),) = replace(batch, truth=few).drawn(("cell", "x"), 8)
    cell = distinct_colours(2)[0]
    of_cells = [(drawn == cell).all(axis=2).sum() for drawn in (many, named)]
    assert of_cells[0] < of_cells[1] / 2, "eight plates, and one"
