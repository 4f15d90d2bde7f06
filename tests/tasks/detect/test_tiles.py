"""Large pictures in tiles: where they lie, what is cut at their edges, and one answer of all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewfinder.errors import InputError
from viewfinder.pictures.geometry import clip_boxes, iou
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.tiling.tiles import Tiles, cut_tile, merge, tiles_from_json

SQUARE = (64, 64)


def found_in(boxes: np.ndarray, labels: np.ndarray, scores: np.ndarray, place, tile) -> Detections:
    """What a faultless detector finds in a tile: boxes cut at its edges, but no slivers."""
    moved = boxes - np.tile(place, 2)
    shown = clip_boxes(moved, tile)
    area = np.maximum(shown[:, 2:] - shown[:, :2], 0).prod(1)
    seen = area >= 0.25 * (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return Detections(shown[seen], scores[seen], labels[seen])


def by_tiles(tiles: Tiles, of, boxes, labels, scores) -> Detections:
    places, tile = tiles.places(of, SQUARE), tiles.tile(SQUARE)
    return merge([found_in(boxes, labels, scores, p, tile) for p in places], places, tile, of)


@given(
    of=st.tuples(st.integers(1, 700), st.integers(1, 700)),
    side=st.integers(32, 300),
    overlap=st.floats(0, 0.9),
)
def test_tiles_cover_a_picture_and_share_as_much_as_is_asked_for(of, side, overlap) -> None:
    tiles = Tiles(side, overlap)
    for axis in (0, 1):
        starts = sorted({place[axis] for place in tiles.places(of, SQUARE)})
        assert starts[0] <= 0
        assert starts[-1] + side >= of[axis]
        if len(starts) > 1:
            assert starts[0] == 0
            assert starts[-1] + side == of[axis]
            # Whole pixels: where steps do not divide, two neighbours are one further apart.
            assert np.diff(starts).max() <= side - int(side * overlap) + 1


@st.composite
def objects(draw):
    """Objects no larger than the overlap, of which no two of a class overlap much."""
    chosen: list[np.ndarray] = []
    labels = []
    for _ in range(draw(st.integers(0, 12))):
        x, y = draw(st.integers(0, 480)), draw(st.integers(0, 330))
        w, h = draw(st.integers(6, 38)), draw(st.integers(6, 38))
        box = np.array([x, y, min(x + w, 500), min(y + h, 350)], float)
        label = draw(st.integers(0, 1))
        others = [c for c, other in zip(chosen, labels, strict=True) if other == label]
        if not others or iou(box[None], np.stack(others)).max() < 0.1:
            chosen.append(box)
            labels.append(label)
    scores = 0.3 + 0.7 * np.arange(len(chosen), dtype=float)[::-1] / max(1, len(chosen))
    return np.array(chosen).reshape(-1, 4), np.array(labels, np.int64), scores


@given(objects())
def test_objects_that_fit_into_the_overlap_come_out_as_they_are(drawn) -> None:
    boxes, labels, scores = drawn
    merged = by_tiles(Tiles(100, 0.4), (500, 350), boxes, labels, scores)
    order = np.argsort(-scores, kind="stable")
    np.testing.assert_array_equal(merged.boxes, boxes[order])
    np.testing.assert_array_equal(merged.labels, labels[order])
    np.testing.assert_array_equal(merged.scores, scores[order])


def test_an_object_larger_than_a_tile_is_put_together_of_its_parts() -> None:
    boxes = np.array([[30.0, 40, 230, 80], [260, 200, 280, 220]])
    labels, scores = np.array([0, 0]), np.array([0.8, 0.9])
    merged = by_tiles(Tiles(100, 0.3), (300, 300), boxes, labels, scores)
    np.testing.assert_array_equal(merged.boxes, boxes[::-1])


def test_a_part_with_a_higher_score_does_not_take_the_whole_away() -> None:
    tiles, of = Tiles(100, 0.4), (160, 100)
    places, tile = tiles.places(of, SQUARE), tiles.tile(SQUARE)
    assert places == [(0, 0), (60, 0)]
    whole = Detections(np.array([[25.0, 20, 55, 50]]), np.array([0.6]), np.array([1]))
    part = Detections(np.array([[85.0, 20, 100, 50]]), np.array([0.9]), np.array([1]))
    merged = merge([part, whole], places, tile, of)
    np.testing.assert_array_equal(merged.boxes, [[85, 20, 115, 50]])
    np.testing.assert_array_equal(merged.scores, [0.6])


def test_what_is_found_in_nothing_is_nothing() -> None:
    nothing = (np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0))
    assert len(by_tiles(Tiles(64), (300, 200), *nothing)) == 0


def test_a_tile_shows_its_picture_and_grey_where_there_is_none() -> None:
    picture = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)
    np.testing.assert_array_equal(cut_tile(picture, (4, 3), (10, 8), grey=114), picture[3:11, 4:14])
    padded = cut_tile(picture, (-5, 2), (40, 10), grey=114)
    np.testing.assert_array_equal(padded[:, 5:35], picture[2:12])
    assert (padded[:, :5] == 114).all()
    assert (padded[:, 35:] == 114).all()


@pytest.mark.parametrize(("side", "overlap"), [(16, 0.2), (640, -0.1), (640, 0.95)])
def test_tiles_that_cannot_be_are_refused(side: int, overlap: float) -> None:
    with pytest.raises(InputError, match=r"--(tiles|overlap)"):
        Tiles(side, overlap)


def test_a_picture_no_larger_than_a_tile_is_seen_as_it_was_learnt() -> None:
    for of, whole in (((100, 100), True), ((60, 100), True), ((101, 20), False)):
        assert Tiles(100, learnt=False).cuts(of, SQUARE) is not whole
        assert Tiles(100).cuts(of, SQUARE)


def test_tiles_are_read_back() -> None:
    for tiles in (Tiles(640, 0.3), Tiles(640, 0.3, learnt=False)):
        assert tiles_from_json(tiles.as_json()) == tiles
    with pytest.raises(ValueError, match="side and an overlap"):
        tiles_from_json({"side": 640})
