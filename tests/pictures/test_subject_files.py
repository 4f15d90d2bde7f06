"""Maps, cut-outs and overlays as files and pictures."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from viewfinder.errors import InputError
from viewfinder.pictures.drawing import draw_subject
from viewfinder.pictures.writing import write_cut_out, write_map

SHARES = arrays(
    np.float32,
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    elements=st.floats(0, 1, width=32),
)


@settings(max_examples=30)
@given(SHARES)
def test_a_map_keeps_its_values_to_half_a_grey_level(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("maps") / "größe 大.png"
    write_map(path, values)
    with Image.open(path) as image:
        assert image.mode == "L"
        stored = np.asarray(image)
    assert np.abs(stored / 255 - values).max() <= 0.5 / 255 + 1e-6


@settings(max_examples=30)
@given(SHARES, st.integers(0, 2**31))
def test_a_cut_out_keeps_what_can_be_seen_and_nothing_else(tmp_path_factory, opacity, seed):
    picture = np.random.default_rng(seed).integers(0, 256, (*opacity.shape, 3), dtype=np.uint8)
    path = tmp_path_factory.mktemp("cuts") / "cut.png"
    write_cut_out(path, picture, opacity)
    with Image.open(path) as image:
        assert image.mode == "RGBA"
        stored = np.asarray(image)
    alpha = stored[..., 3]
    assert np.array_equal(alpha, np.rint(opacity * 255))
    assert np.array_equal(stored[alpha > 0][:, :3], picture[alpha > 0])
    assert not stored[alpha == 0].any()


@pytest.mark.parametrize("bad", [1.5, -0.1, np.nan])
def test_shares_outside_0_and_1_are_a_mistake(tmp_path, bad):
    values = np.full((3, 4), bad, np.float32)
    with pytest.raises(ValueError, match="within"):
        write_map(tmp_path / "map.png", values)
    with pytest.raises(ValueError, match="within"):
        write_cut_out(tmp_path / "cut.png", np.zeros((3, 4, 3), np.uint8), values)
    assert not list(tmp_path.iterdir())


def test_other_shapes_and_suffixes_are_refused(tmp_path):
    values, picture = np.zeros((3, 4), np.float32), np.zeros((3, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="floating point"):
        write_map(tmp_path / "map.png", picture)
    with pytest.raises(ValueError, match="opacity is"):
        write_cut_out(tmp_path / "cut.png", picture, values.T)
    with pytest.raises(ValueError, match="H×W×3"):
        write_cut_out(tmp_path / "cut.png", picture[..., 0], values)
    for write in (lambda p: write_map(p, values), lambda p: write_cut_out(p, picture, values)):
        with pytest.raises(InputError, match=r"end its name in \.png"):
            write(tmp_path / "it.jpg")


def test_an_overlay_keeps_the_subject_and_dims_and_greys_the_rest():
    picture = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    values = np.zeros((60, 80), np.float32)
    values[20:40, 30:60] = 1
    before = picture.copy()
    drawn = draw_subject(picture, values, threshold=0.5, colour=(1, 2, 3))
    assert np.array_equal(picture, before)
    assert np.array_equal(drawn[21:39, 31:59], picture[21:39, 31:59])
    assert (drawn[20, 30:60] == (1, 2, 3)).all()
    outside = drawn[:19]
    assert (outside == outside[..., :1]).all()
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[:19]
    assert outside.max() < 0.5 * grey.max()
    nothing = draw_subject(picture, np.zeros((60, 80), np.float32), threshold=0.5, colour=(1, 2, 3))
    assert (nothing == nothing[..., :1]).all()
    with pytest.raises(ValueError, match="the map is"):
        draw_subject(picture, values[:-1], threshold=0.5, colour=(1, 2, 3))
