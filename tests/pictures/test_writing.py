"""What is written is what is read, under any name, whole or not at all."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from viewfinder.errors import InputError
from viewfinder.pictures.reading import (
    decode_picture,
    read_depth,
    read_header,
    read_instances,
    read_mask,
    read_picture,
)
from viewfinder.pictures.writing import (
    encode_picture,
    write_depth,
    write_instances,
    write_mask,
    write_picture,
)

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))


@settings(max_examples=40)
@given(
    SHAPES.flatmap(lambda shape: arrays(np.uint8, (*shape, 3))), st.sampled_from([".png", ".bmp"])
)
def test_png_and_bmp_keep_every_pixel(picture: np.ndarray, suffix: str) -> None:
    assert np.array_equal(decode_picture(encode_picture(picture, suffix), name="it"), picture)


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".webp"])
def test_jpeg_and_webp_keep_what_quality_asks(tmp_path: Path, suffix: str) -> None:
    y, x = np.mgrid[0:64, 0:96]
    picture = np.stack([2 * x, 3 * y, 255 - x - y], axis=2).astype(np.uint8)
    path = tmp_path / f"größe 大{suffix}"
    errors = []
    for quality in (20, 95):
        write_picture(path, picture, quality=quality)
        errors.append(np.abs(read_picture(path).astype(int) - picture).mean())
    assert errors[1] < 2
    assert errors[1] < errors[0]
    with Image.open(path) as image:
        assert image.format == {".jpg": "JPEG", ".JPEG": "JPEG", ".webp": "WEBP"}[suffix]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@settings(max_examples=30)
@given(SHAPES.flatmap(lambda shape: arrays(np.uint16, shape)))
def test_instances_are_exact(tmp_path_factory: pytest.TempPathFactory, numbers: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("instances") / "numbers.png"
    write_instances(path, numbers.astype(np.int64))
    assert read_header(path).bits == 16
    assert np.array_equal(read_instances(path), numbers)


@settings(max_examples=30)
@given(SHAPES.flatmap(lambda shape: arrays(np.float32, shape, elements=st.floats(0, 1, width=32))))
def test_depth_is_kept_to_half_a_step(
    tmp_path_factory: pytest.TempPathFactory, depth: np.ndarray
) -> None:
    path = tmp_path_factory.mktemp("depth") / "depth.png"
    write_depth(path, depth)
    assert np.abs(read_depth(path) - depth).max() <= 0.5 / 65535 + 1e-7


def test_masks_return(tmp_path: Path) -> None:
    mask = np.random.default_rng(0).random((7, 5)) > 0.5
    write_mask(tmp_path / "mask.png", mask)
    assert np.array_equal(read_mask(tmp_path / "mask.png"), mask)


def test_a_name_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    for name in ("picture.gif", "picture", "picture.heic"):
        with pytest.raises(InputError, match="end its name in one of"):
            write_picture(tmp_path / name, picture)
    with pytest.raises(InputError, match=r"end its name in \.png"):
        write_mask(tmp_path / "mask.jpg", picture[..., 0] > 0)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot write"):
        write_picture(tmp_path / "file" / "it.png", picture)
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_pixels_that_make_no_sense_are_a_mistake_of_the_program(tmp_path: Path) -> None:
    path = tmp_path / "it.png"
    for picture in (
        np.zeros((2, 2), np.uint8),
        np.zeros((2, 2, 4), np.uint8),
        np.zeros((2, 2, 3), np.float32),
        np.zeros((0, 2, 3), np.uint8),
    ):
        with pytest.raises(ValueError, match=r"H×W×3|no pixels"):
            write_picture(path, picture)
    with pytest.raises(ValueError, match="do not fit"):
        encode_picture(np.zeros((1, 70_000, 3), np.uint8), ".jpg")
    with pytest.raises(ValueError, match="quality"):
        write_picture(path, np.zeros((2, 2, 3), np.uint8), quality=0)
    for depth in (np.array([[1.5]]), np.array([[np.nan]]), np.array([[1]]), np.zeros(3)):
        with pytest.raises(ValueError, match="depth map"):
            write_depth(path, depth)
    for numbers in (np.array([[-1]]), np.array([[65536]]), np.array([[0.5]])):
        with pytest.raises(ValueError, match="instance"):
            write_instances(path, numbers)
    with pytest.raises(ValueError, match="mask"):
        write_mask(path, np.zeros((2, 2), np.uint8))
    assert not path.exists()
