"""Files that are missing, mislabelled, enormous, cut short or damaged end in one sentence."""

import io
import os
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from viewfinder.errors import InputError
from viewfinder.pictures import headers
from viewfinder.pictures.reading import (
    decode_picture,
    read_depth,
    read_header,
    read_instances,
    read_mask,
    read_picture,
)

READERS = [read_header, read_picture, read_depth, read_mask, read_instances]


def samples() -> dict[str, bytes]:
    """A small picture in each format, and in the kinds that take another way through the reader."""
    noise = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    image = Image.fromarray(np.kron(noise, np.ones((5, 5, 1), np.uint8)))
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds: dict[str, tuple[Image.Image, dict[str, object]]] = {
        "JPEG": (image, {"exif": exif}),
        "JPEG progressive": (image, {"progressive": True}),
        "JPEG CMYK": (image.convert("CMYK"), {}),
        "PNG": (image, {"exif": exif}),
        "PNG 16": (Image.fromarray(np.asarray(image)[..., 0].astype(np.uint16) * 257), {}),
        "PNG palette": (image.quantize(16), {"transparency": 3}),
        "TIFF": (image, {"exif": exif}),
        "TIFF lzw": (image, {"compression": "tiff_lzw"}),
        "BMP": (image, {}),
        "GIF": (image, {}),
        "WEBP": (image, {}),
        "WEBP alpha": (image.convert("RGBA"), {"lossless": True}),
        "PPM": (image, {}),
        "AVIF": (image, {}),
    }
    files = {}
    for kind, (picture, options) in kinds.items():
        file = io.BytesIO()
        picture.save(file, kind.split()[0], **options)
        files[kind] = file.getvalue()
    return files


SAMPLES = samples()


def png_of_size(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"   just a note, saved as a picture\n" * 30, "holds text, not a picture"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "is a web page, not a picture"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a", "is git's pointer"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", "begins as a PNG picture and is damaged"),
        (b"\xff\xd8\xff\xe0\0\x10JF", "begins as a JPEG picture and is damaged"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "begins as a WebP picture and is damaged"),
        (bytes(2000), "begins with zeros alone"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "is a drawing"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 99, "HEIC .* convert it to JPEG"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + b"\0" * 99, "HEIC .* convert it to JPEG"),
        (b"%PDF-1.7\n" + b"\xff" * 99, "is a PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n" * 9, "holds text"),
        (bytes(range(256)) * 4, "is not a picture that can be read"),
        (b"\xff\xd8\xff", "begins as a JPEG picture and is damaged or was cut short"),
        (png_of_size(0, 5), "begins as a PNG picture and is damaged|holds no pixels"),
        (png_of_size(20_000, 10_001), "more than 200,000,000 pixels"),
        (png_of_size(2**31 - 1, 2**31 - 1), "more than 200,000,000 pixels"),
        (b"P6\n100000 100000\n255\n", "more than 200,000,000 pixels"),
    ],
)
def test_what_is_no_picture_is_named(
    tmp_path: Path, read: Callable[[Path], object], data: bytes, sentence: str
) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(data)
    with pytest.raises(InputError, match=sentence) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("read", READERS)
def test_what_is_no_file_is_named(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(InputError, match=r"there is no file .*nothing\.jpg"):
        read(tmp_path / "nothing.jpg")
    with pytest.raises(InputError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(InputError, match="cannot open"):
        read(tmp_path / "zero\0byte.jpg")
    with pytest.raises(InputError, match="cannot open"):
        read(tmp_path / ("long" * 100))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="a device or a pipe"):
        read_picture(tmp_path / "pipe")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read every file"
)
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(SAMPLES["PNG"])
    path.chmod(0)
    with pytest.raises(InputError, match="you may not read"):
        read_picture(path)


def test_a_large_phone_picture_is_not_too_large(tmp_path: Path) -> None:
    path = tmp_path / "phone.png"
    path.write_bytes(png_of_size(16_320, 12_240))
    assert read_header(path).size == (16_320, 12_240)


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_picture_cut_short_is_refused_at_every_length(kind: str) -> None:
    """Within the last bytes nothing but padding or an end mark may be missing: then it is whole."""
    data = SAMPLES[kind]
    whole = decode_picture(data, name="it")
    for length in range(1, len(data), max(1, len(data) // 60)):
        try:
            picture = decode_picture(data[:length], name="it")
        except InputError:
            continue
        assert np.array_equal(picture, whole), f"{length} of {len(data)} bytes"


@pytest.mark.parametrize("kind", ["JPEG", "JPEG progressive", "PNG", "WEBP"])
def test_a_picture_of_which_half_is_there_says_so(kind: str) -> None:
    data = SAMPLES[kind]
    with pytest.raises(InputError, match=r"cut short|is damaged"):
        decode_picture(data[: len(data) * 3 // 4], name="half")


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_picture() -> None:
    thumbnail = SAMPLES["JPEG progressive"]
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 8) + b"Thumb\0" + thumbnail
    plain = SAMPLES["JPEG"]
    data = plain[:2] + segment + plain[2:]
    assert np.array_equal(decode_picture(data, name="it"), decode_picture(plain, name="it"))
    with pytest.raises(InputError, match="cut short"):
        decode_picture(data[:-300], name="it")


@pytest.mark.parametrize("kind", SAMPLES)
def test_flipped_bytes_make_a_picture_or_an_input_error(
    kind: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # A flipped size is honest work for a decoder, but it need not be 200 million pixels of it.
    monkeypatch.setattr(headers, "MOST_PIXELS", 100_000)
    source = random.Random(kind)
    sentences = []
    for _ in range(250):
        data = bytearray(SAMPLES[kind])
        for _ in range(source.choice((1, 1, 3, 20))):
            data[source.randrange(len(data))] = source.randrange(256)
        try:
            picture = decode_picture(bytes(data), name="it")
        except InputError as error:
            sentences.append(str(error))
        else:
            assert picture.dtype == np.uint8
            assert picture.ndim == 3
            assert picture.shape[2] == 3
    assert sentences
    assert not any("\n" in sentence for sentence in sentences)
    assert capfd.readouterr() == ("", ""), "no library may print to the terminal"


@settings(max_examples=200)
@given(st.binary(max_size=300), st.sampled_from(sorted(SAMPLES)), st.integers(0, 64))
def test_any_bytes_after_a_true_beginning(data: bytes, kind: str, kept: int) -> None:
    try:
        picture = decode_picture(SAMPLES[kind][:kept] + data, name="it")
    except InputError:
        return
    assert picture.shape[2] == 3


def test_broken_metadata_does_not_spoil_a_whole_picture(tmp_path: Path) -> None:
    data = SAMPLES["JPEG"]
    at = data.index(b"Exif\0\0") + 6
    path = tmp_path / "it.jpg"
    path.write_bytes(data[:at] + b"\xff" * 8 + data[at + 8 :])
    assert read_header(path).orientation == 1
    assert read_picture(path).shape == (25, 35, 3)


def test_thirty_two_bit_numbers_have_no_white(tmp_path: Path) -> None:
    path = tmp_path / "heights.tif"
    Image.fromarray(np.ones((4, 4), np.float32)).save(path)
    for read in (read_picture, read_depth, read_mask, read_instances):
        with pytest.raises(InputError, match="32-bit numbers"):
            read(path)


def test_a_picture_that_the_memory_does_not_hold_is_named(tmp_path, monkeypatch):
    from viewfinder.pictures import decoding

    def fail(*_):
        raise MemoryError

    path = tmp_path / "it.png"
    Image.new("RGBA", (300, 200)).save(path)
    monkeypatch.setattr(decoding, "rgb8", fail)
    with pytest.raises(InputError, match=r"it\.png has 300×200 pixels, and decoding it takes"):
        read_picture(path)


def test_what_follows_a_picture_without_end_is_not_read(tmp_path):
    shown = Image.fromarray(np.full((48, 64, 3), 90, np.uint8))
    for suffix in ("jpg", "webp"):
        file = tmp_path / f"a.{suffix}"
        shown.save(file)
        whole = read_picture(file)
        os.truncate(file, 1 << 36)  # a hole, which takes nothing on the disk
        if suffix == "jpg":
            assert np.array_equal(read_picture(file), whole)
        else:
            with pytest.raises(InputError, match="68,719,476,736 bytes, which no picture"):
                read_picture(file)
