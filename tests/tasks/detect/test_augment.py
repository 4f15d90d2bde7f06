"""Boxes follow pixels through every change; the same generator makes the same batch."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewfinder.datasets.loading import LETTERBOX_FILL, letterboxed
from viewfinder.pictures.geometry import (
    identity,
    letterbox,
    rotation,
    scaling,
    transform_boxes,
    transform_points,
    translation,
)
from viewfinder.pictures.warping import moved_boxes
from viewfinder.tasks.detect.augmentation import making
from viewfinder.tasks.detect.augmentation.pasting import Paste, PastedObjects, paste_objects
from viewfinder.tasks.detect.augmentation.plan import BoxAugmentation, plan_step
from viewfinder.tasks.detect.examples.opening import open_examples

FRAME = (96, 64)
MOVES = BoxAugmentation(scale=0.4, aspect=0.2, shift=0.15, flip=0.5, flip_vertical=0.5)
COLOURS = {"hue": 0.1, "saturation": 0.5, "value": 0.3}
EVERYTHING = BoxAugmentation(0.4, 0.2, 0.1, 10, 0.5, 0.5, **COLOURS, mosaic=0.5, copy_paste=0.5)


def compose(examples, numbers, augmentation, frame, generator, *, rows=slice(None), likely=None):
    """`making.compose` as arrays of NumPy, pictures N×H×W×3."""
    step = plan_step(examples, augmentation, frame, likely=likely)
    made = making.compose(step, numbers, generator, rows=rows)
    return SimpleNamespace(
        pictures=made.pictures.permute(0, 2, 3, 1).numpy(),
        boxes=made.truth.boxes.numpy(),
        labels=made.truth.labels.numpy(),
        pictures_of=made.truth.pictures.numpy(),
        ignored=made.ignored.boxes.numpy(),
        ignored_in=made.ignored.pictures.numpy(),
    )


def picture_with(box, width=160, height=120, *, ellipse=False):
    """Black, with a white rectangle, or the ellipse that is inscribed in it."""
    picture = np.zeros((height, width, 3), np.uint8)
    x1, y1, x2, y2 = box
    if ellipse:
        y, x = np.mgrid[:height, :width] + 0.5
        middle, half = ((x1 + x2) / 2, (y1 + y2) / 2), ((x2 - x1) / 2, (y2 - y1) / 2)
        inside = ((x - middle[0]) / half[0]) ** 2 + ((y - middle[1]) / half[1]) ** 2 <= 1
        picture[inside] = 255
    else:
        picture[y1:y2, x1:x2] = 255
    return picture


def white(picture):
    # The bars beside a picture are grey, and brighter by 1.3 at most.
    return picture.min(axis=2) > 160


def hull(mask):
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


BOX = (50, 30, 110, 80)


@pytest.fixture
def open_set(boxes_set, tmp_path):
    """Examples of these pictures and boxes, as `boxes_set` takes them, at their own size."""
    return lambda *given, **options: open_examples(
        boxes_set(*given, **options), (1000, 1000), cache=tmp_path / "cache"
    )


@pytest.fixture(scope="module")
def shapes(tmp_path_factory, module_boxes_set):
    """A set of one rectangle and one of one ellipse."""
    folder = tmp_path_factory.mktemp("shapes")
    return [
        open_examples(
            module_boxes_set(folder / str(ellipse), [picture_with(BOX, ellipse=ellipse)], [[BOX]]),
            FRAME,
            cache=folder,
        )
        for ellipse in (False, True)
    ]


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32), turned=st.booleans(), coloured=st.booleans())
def test_boxes_follow_pixels(shapes, seed, turned, coloured):
    colours = COLOURS if coloured else {}
    moves = BoxAugmentation(0.4, 0.2, 0.15, 40 * turned, 0.5, 0.5, **colours)
    batch = compose(shapes[turned], [0] * 4, moves, FRAME, np.random.default_rng(seed))
    for number, picture in enumerate(batch.pictures):
        bright = white(picture)
        (boxes,) = [batch.boxes[batch.pictures_of == number]]
        assert len(boxes) <= 1
        for box in boxes:
            if turned and not ((box[:2] > 0).all() and (box[2:] < FRAME).all()):
                # Of a turned ellipse that is cut, a box is known only to hold what is seen.
                x1, y1, x2, y2 = hull(bright)
                assert (box[:2] <= (x1 + 1, y1 + 1)).all()
                assert (box[2:] >= (x2 - 1, y2 - 1)).all()
            else:
                np.testing.assert_allclose(box, hull(bright), atol=1.3)
        if not len(boxes):
            # A quarter of the smallest that it can become: 36×30 / 1.4² / 4.
            assert bright.sum() < 0.3 * 36 * 30 * 1.4**2


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_boxes_of_a_mosaic_follow_pixels_and_stay_inside(grid, seed):
    moves = BoxAugmentation(0.4, 0.2, flip=0.5, flip_vertical=0.5, mosaic=1.0)
    with pytest.MonkeyPatch.context() as patch:
        # So that every white pixel has a box.
        patch.setattr(making, "LEAST_SHOWN", 1e-9)
        patch.setattr(making, "LEAST_SIDE", 0)
        batch = compose(grid, [0, 1], moves, FRAME, np.random.default_rng(seed))
    assert (batch.boxes >= 0).all()
    assert (batch.boxes <= np.tile(FRAME, 2)).all()
    for number, picture in enumerate(batch.pictures):
        boxes = batch.boxes[batch.pictures_of == number]
        bright = white(picture)
        around = np.zeros_like(bright)
        for x1, y1, x2, y2 in boxes:
            # All of a box but a pixel along its edge is bright, and nothing a pixel beyond any.
            inner = slice(int(y1) + 2, max(0, int(y2) - 1)), slice(int(x1) + 2, max(0, int(x2) - 1))
            assert bright[inner].all()
            around[max(0, int(y1) - 1) : int(y2) + 2, max(0, int(x1) - 1) : int(x2) + 2] = True
        assert not (bright & ~around).any()


@pytest.fixture(scope="module")
def grid(tmp_path_factory, module_boxes_set):
    """Three pictures of several rectangles, far enough from each other."""
    folder = tmp_path_factory.mktemp("grid")
    boxes = [
        [(10, 10, 50, 40), (90, 60, 150, 110)],
        [(20, 60, 60, 100)],
        [(100, 10, 140, 50), (10, 70, 70, 110), (15, 15, 70, 40)],
    ]
    pictures = [sum(map(picture_with, row), np.zeros((120, 160, 3), np.uint8)) for row in boxes]
    return open_examples(module_boxes_set(folder / "set", pictures, boxes), FRAME, cache=folder)


def test_a_mosaic_fills_its_frame(grid):
    batch = compose(
        grid, [0] * 50, BoxAugmentation(0.3, mosaic=1.0), FRAME, np.random.default_rng(0)
    )
    grey = (batch.pictures == LETTERBOX_FILL).all(axis=3)
    assert grey.mean() < 0.02


def test_all_off_is_the_letterbox_of_validation(boxes_set, tmp_path):
    random = np.random.default_rng(0)
    sizes = [(80, 80), (96, 64), (40, 64), (96, 20)]
    pictures = [random.integers(0, 256, (h, w, 3), dtype=np.uint8) for w, h in sizes]
    pictures.append(picture_with((100, 300, 900, 500), 1001, 747))
    boxes = [[(3, 5, 33, 17)]] * 4 + [[(100, 300, 900, 500)]]
    examples = open_examples(boxes_set(pictures, boxes), FRAME, cache=tmp_path)
    batch = compose(examples, [3, 1, 2, 0, 4], BoxAugmentation(), FRAME, random)
    assert batch.pictures.shape == (5, 64, 96, 3)
    for made, number, box in zip(batch.pictures, [3, 1, 2, 0, 4], batch.boxes, strict=True):
        size = (pictures[number].shape[1], pictures[number].shape[0])
        expected = letterboxed(pictures[number], FRAME, of=size)
        if number in (1, 2, 3):  # nothing is scaled
            assert np.array_equal(made, expected)
        if number == 4:
            # The same but for how an edge is blurred.
            assert np.abs(made.astype(int) - expected).mean() < 2
        corners = np.array(boxes[number], np.float32)
        moved = transform_boxes(letterbox(size, FRAME), corners)[0]
        np.testing.assert_allclose(box, moved, rtol=1e-5)
    assert batch.pictures_of.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("moves", "mirrored"),
    [
        (BoxAugmentation(flip=1.0), np.s_[:, ::-1]),
        (BoxAugmentation(flip_vertical=1.0), np.s_[::-1]),
        (BoxAugmentation(flip=1.0, flip_vertical=1.0), np.s_[::-1, ::-1]),
    ],
)
def test_mirrored_pictures_are_exact(open_set, moves, mirrored):
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    picture[10:30, 5:50] = 255
    batch = compose(
        open_set([picture], [[(5, 10, 50, 30)]]), [0], moves, FRAME, np.random.default_rng(0)
    )
    assert np.array_equal(batch.pictures[0], picture[mirrored])
    box = hull((picture == 255).all(axis=2)[mirrored])
    np.testing.assert_allclose(batch.boxes[0], box, atol=1e-4)


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))


def test_the_same_generator_makes_the_same_batch(grid):
    numbers = [2, 0, 1, 1, 2, 0, 0]
    batches = [compose(grid, numbers, EVERYTHING, FRAME, np.random.default_rng(5)) for _ in "ab"]
    assert same(*batches)
    assert not same(batches[0], compose(grid, numbers, EVERYTHING, FRAME, np.random.default_rng(6)))


def test_processes_that_share_a_step_make_what_one_would(grid):
    numbers = [2, 0, 1, 1, 2, 0, 0]
    alone = np.random.default_rng(5)
    whole = compose(grid, numbers, EVERYTHING, FRAME, alone)
    for rows in (slice(0, 3), slice(3, 7), slice(2, 2)):
        generator = np.random.default_rng(5)
        part = compose(grid, numbers, EVERYTHING, FRAME, generator, rows=rows)
        assert np.array_equal(part.pictures, whole.pictures[rows])
        mine = (whole.pictures_of >= rows.start) & (whole.pictures_of < rows.stop)
        assert np.array_equal(part.boxes, whole.boxes[mine])
        assert np.array_equal(part.pictures_of, whole.pictures_of[mine] - rows.start)
        assert generator.bit_generator.state == alone.bit_generator.state


def test_where_pictures_are_kept_changes_nothing(boxes_set, tmp_path):
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 256, (90, 70 + n, 3), dtype=np.uint8) for n in range(3)]
    dataset = boxes_set(pictures, [[(5, 5, 40, 60)]] * 3, names=["ä.png", "画.png", "c d.png"])
    first, *others = [
        compose(
            open_examples(dataset, (48, 48), cache=tmp_path, keep=keep),
            [0, 1, 2],
            EVERYTHING,
            (48, 48),
            np.random.default_rng(1),
        )
        for keep in ("memory", "disk", "none")
    ]
    assert all(same(first, other) for other in others)


def test_sets_of_one_picture_and_of_none_with_objects(open_set):
    alone = open_set([picture_with(BOX)], [[BOX]])
    batch = compose(alone, [0] * 20, EVERYTHING, FRAME, np.random.default_rng(0))
    assert len(batch.boxes) > 10
    empty = open_set([picture_with(BOX)] * 2, [[], []])
    batch = compose(empty, [1, 0] * 10, EVERYTHING, FRAME, np.random.default_rng(0))
    assert batch.pictures.shape == (20, 64, 96, 3)
    assert batch.boxes.shape == (0, 4)
    assert batch.labels.shape == batch.pictures_of.shape == (0,)
    assert compose(empty, [], EVERYTHING, FRAME, np.random.default_rng(0)).pictures.shape[0] == 0


def test_objects_that_are_not_learnt_from_come_out_as_ignored(open_set):
    examples = open_set(
        [picture_with(BOX)], [[BOX, (0, 0, 160, 120)]], crowd=np.array([False, True])
    )
    batch = compose(examples, [0, 0], BoxAugmentation(), (160, 120), np.random.default_rng(0))
    assert batch.boxes.tolist() == [list(BOX)] * 2
    assert batch.ignored.tolist() == [[0, 0, 160, 120]] * 2
    assert batch.ignored_in.tolist() == [0, 1]


def test_an_object_of_which_little_is_left_is_dropped(open_set):
    boxes = [(0, 0, 40, 40), (100, 50, 101, 90)]
    examples = open_set([picture_with(boxes[0])], [boxes])
    moves = BoxAugmentation(shift=0.5)
    batch = compose(examples, [0] * 200, moves, (160, 120), np.random.default_rng(0))
    shown = np.array([white(picture).sum() for picture in batch.pictures])
    kept = np.isin(np.arange(200), batch.pictures_of)
    # The second, a pixel wide, never counts.
    assert len(batch.boxes) == kept.sum()
    assert 20 < kept.sum() < 180
    assert (shown[kept] >= 0.2 * 1600).all()
    assert (shown[~kept] <= 0.3 * 1600).all()


# Colours.


def test_hue_and_saturation_leave_grey_alone_and_value_scales_it(open_set):
    grey = np.repeat(np.arange(0, 180, dtype=np.uint8), 3).reshape(12, 15, 3)
    examples = open_set([grey], [[]])
    random = np.random.default_rng(0)
    kept = compose(examples, [0] * 20, BoxAugmentation(hue=0.5, saturation=2.0), (15, 12), random)
    assert np.abs(kept.pictures.astype(int) - grey).max() <= 1
    scaled = compose(examples, [0] * 200, BoxAugmentation(value=0.4), (15, 12), random).pictures
    factors = scaled[:, -1, -1, 0] / 179
    assert ((factors > 1 / 1.42) & (factors < 1.42)).all()
    assert factors.min() < 0.75
    assert factors.max() > 1.3


def test_hue_turns_colours_at_the_same_brightness(open_set):
    colour = np.full((4, 4, 3), (150, 110, 90), np.uint8)
    moves = BoxAugmentation(hue=0.5)
    made = compose(open_set([colour], [[]]), [0] * 300, moves, (4, 4), np.random.default_rng(0))
    pixels = made.pictures[:, 0, 0].astype(float)
    assert np.abs(pixels @ [0.299, 0.587, 0.114] - colour[0, 0] @ [0.299, 0.587, 0.114]).max() < 1.5
    # All the way round: every channel is the brightest, and the darkest, in some.
    assert set(pixels.argmax(axis=1)) == set(pixels.argmin(axis=1)) == {0, 1, 2}
    hues = cv2.cvtColor(made.pictures[:, :1, 0], cv2.COLOR_RGB2HSV)[:, 0, 0]
    assert len(np.unique(hues // 30)) == 6


# Copy and paste.


def polygon(box):
    x1, y1, x2, y2 = map(float, box)
    return [np.array([x1, y1, x2, y1, x2, y2, x1, y2])]


def pasted(examples, row, matrix, objects=(), size=(160, 120)):
    """A grey picture with these rows of the examples where they were, and one pasted."""
    made = np.full((size[1], size[0], 3), 50, np.uint8)
    rows = np.array(objects, np.int64)
    before = PastedObjects(
        examples.corners[rows].astype(np.float64), rows, np.tile(np.eye(3), (len(rows), 1, 1))
    )
    picture = examples.picture_of(row)
    taken = {picture: examples.pictures.take([picture])[0]}
    after = paste_objects(made, before, [Paste(row, picture, matrix)], examples, taken)
    return made, after


@pytest.mark.parametrize("outlined", [True, False])
@pytest.mark.parametrize("turn", [0, 25])
def test_a_pasted_object_and_its_box_lie_where_its_matrix_leads(open_set, outlined, turn):
    outlines = {"segmentations": {0: polygon(BOX)}} if outlined else {}
    examples = open_set([picture_with(BOX)], [[BOX]], **outlines)
    matrix = translation(20, 30) @ rotation(turn, about=(80, 55)) @ scaling(0.6)
    made, after = pasted(examples, 0, matrix)
    corners = transform_points(matrix, [(50, 30), (110, 30), (110, 80), (50, 80)])
    expected = np.zeros((120, 160), np.uint8)
    cv2.fillPoly(expected, [np.rint(corners - 0.5).astype(np.int32)], 1)
    edge = 3 if outlined else 11
    inner = cv2.erode(expected, np.ones((edge, edge), np.uint8)) > 0
    outer = cv2.dilate(expected, np.ones((3, 3), np.uint8)) > 0
    assert (made[inner] > 245).all()
    assert (made[~outer] == 50).all()
    if outlined:
        # To the pixel of what was pasted, however it is turned.
        np.testing.assert_allclose(after.boxes, [hull(made[..., 0] > 152)], atol=1)
    else:
        np.testing.assert_allclose(after.boxes, moved_boxes(matrix, examples.corners))
        # A soft edge: neither the picture's grey nor the object's white.
        assert ((made > 60) & (made < 240)).any()


# What is in the picture before, where something is pasted, and what is left of it.
LOWER = (40, 20, 120, 100)
HIDING = {
    "nothing": ((60, 110, 80, 118), LOWER),
    "beside": ((125, 20, 150, 100), LOWER),
    "all": ((30, 10, 130, 110), None),
    "most": ((40, 20, 100, 100), None),
    "left": ((35, 10, 70, 110), (70, 20, 120, 100)),
    "lower": ((30, 75, 130, 115), (40, 20, 120, 75)),
    "corner": ((90, 70, 130, 110), LOWER),
    "middle": ((60, 40, 100, 80), LOWER),
}


@pytest.mark.parametrize("where", HIDING)
@pytest.mark.parametrize("outlined", [True, False])
def test_what_is_pasted_hides_what_lies_below(open_set, where, outlined):
    upper, left = HIDING[where]
    outlines = {1: polygon(upper)} | ({0: polygon(LOWER)} if outlined else {})
    examples = open_set(
        [picture_with(LOWER), picture_with(upper)], [[LOWER], [upper]], segmentations=outlines
    )
    _, after = pasted(examples, 1, identity(), objects=[0])
    remaining = after.boxes[after.rows == 0]
    if left is None:
        assert len(remaining) == 0
    else:
        np.testing.assert_allclose(remaining, [left], atol=1)
    np.testing.assert_allclose(after.boxes[after.rows == 1], [upper], atol=1)


def test_an_outline_tells_more_of_what_is_left_than_a_box(open_set):
    # The left half of the box holds a thin arm: its tip is covered, though no edge of the box is.
    arm = [np.array([40.0, 55, 100, 55, 100, 20, 120, 20, 120, 100, 100, 100, 100, 65, 40, 65])]
    upper = (30, 50, 60, 70)
    pictures = [picture_with(LOWER), picture_with(upper)]
    for outlines, left in [({0: arm}, 60), ({}, 40)]:
        examples = open_set(
            pictures, [[LOWER], [upper]], segmentations=outlines | {1: polygon(upper)}
        )
        _, after = pasted(examples, 1, identity(), objects=[0])
        np.testing.assert_allclose(after.boxes[0], [left, 20, 120, 100], atol=1)


def test_what_is_pasted_first_is_hidden_by_what_comes_after(open_set):
    examples = open_set([picture_with(BOX)] * 2, [[BOX], [BOX]])
    made = np.zeros((120, 160, 3), np.uint8)
    nothing = PastedObjects(np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros((0, 3, 3)))
    taken = dict(enumerate(examples.pictures.take([0, 1])))
    pastes = [Paste(0, 0, identity()), Paste(1, 1, translation(3, 3))]
    assert paste_objects(made, nothing, pastes, examples, taken).rows.tolist() == [1]


def test_classes_are_pasted_as_often_as_asked(open_set):
    small = [(10, 10, 26, 26), (60, 10, 76, 26)]
    examples = open_set(
        [picture_with(small[0]), np.zeros((120, 160, 3), np.uint8)],
        [small[:1] * 30 + small[1:], []],
        labels=[[0] * 30 + [1], []],
        classes=("often", "rare", "never"),
    )
    paste = BoxAugmentation(copy_paste=1.0)

    def labels(**options):
        random = np.random.default_rng(0)
        return compose(examples, [1] * 150, paste, (160, 120), random, **options).labels

    assert 0.4 < labels().mean() < 0.6
    assert set(labels(likely=np.array([0, 0.5, 0.5]))) == {1}
    assert len(labels(likely=np.array([0, 0, 1.0]))) == 0
    off = compose(examples, [1] * 20, BoxAugmentation(), (160, 120), np.random.default_rng(0))
    assert len(off.labels) == 0


def test_an_outline_is_cut_where_it_is_in_a_picture_kept_smaller(boxes_set, tmp_path):
    # A large picture, of whose object only the left half is outlined.
    left = (200, 150, 500, 450)
    picture = picture_with(left, 800, 600)
    dataset = boxes_set([picture], [[(200, 150, 800, 450)]], segmentations={0: polygon(left)})
    examples = open_examples(dataset, FRAME, cache=tmp_path)
    width, height = examples.sizes[0].tolist()
    assert width < 200
    made, after = pasted(examples, 0, identity(), size=(width, height))
    expected = np.array(left) * width / 800
    np.testing.assert_allclose(after.boxes, [expected], atol=1)
    np.testing.assert_allclose(hull(made[..., 0] > 150), expected, atol=1)
    assert (made[:, int(expected[2]) + 2 :] == 50).all()


def test_what_is_pasted_leaves_room(open_set):
    whole = (0, 0, 160, 120)
    examples = open_set([picture_with(whole), picture_with(BOX)], [[whole], []])
    moves = BoxAugmentation(scale=0.5, turn=45, copy_paste=1.0)
    batch = compose(examples, [1] * 50, moves, (160, 120), np.random.default_rng(0))
    sides = batch.boxes[:, 2:] - batch.boxes[:, :2]
    assert (sides <= (80.01, 60.01)).all()
    assert sides.max() > 50


def test_real_pictures_with_everything_on(shared, tmp_path):
    from viewfinder.datasets.opening import open_dataset

    dataset = open_dataset(shared / "data" / "bccd").split("val")
    examples = open_examples(dataset, (320, 256), cache=tmp_path)
    batch = compose(examples, np.arange(40), EVERYTHING, (320, 256), np.random.default_rng(0))
    assert set(batch.labels) == {0, 1, 2}
    assert (np.diff(batch.pictures_of) >= 0).all()
    sides = batch.boxes[:, 2:] - batch.boxes[:, :2]
    assert sides.min() >= making.LEAST_SIDE - 1e-3
    assert (batch.boxes.min() >= 0) & (batch.boxes.max() <= 320)
    # Fewer where it zooms in, more in a mosaic.
    expected = len(dataset.boxes) / len(dataset) * 40
    assert 0.5 * expected < len(batch.boxes) < 3 * expected
