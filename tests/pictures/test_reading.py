"""Reading, held against Pillow and against pixels that are known."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from viewfinder.errors import InputError
from viewfinder.pictures.decoding import rgb8
from viewfinder.pictures.pixels import BYTES_A_PIXEL
from viewfinder.pictures.reading import (
    bits_used,
    decode_picture,
    read_depth,
    read_header,
    read_instances,
    read_mask,
    read_picture,
)

ORIENTATION = 0x0112


def scene(width: int = 48, height: int = 32) -> NDArray[np.uint8]:
    """Smooth, so that JPEG keeps it, and unlike itself under every turn and flip."""
    y, x = np.mgrid[0:height, 0:width]
    red, green = 255 * x / width, 255 * y / height
    blue = np.where((x < width // 3) & (y < height // 3), 255, 0)
    return np.stack([red, green, blue], axis=2).astype(np.uint8)


def stored(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> int:
    assert a.shape == b.shape
    return int(np.abs(a.astype(int) - b.astype(int)).max())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_orientation_is_turned_upright(tmp_path: Path, format: str, orientation: int) -> None:
    image = Image.fromarray(scene())
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"lossless": True} if format == "WEBP" else {"quality": 95}
    path = tmp_path / "scene"
    path.write_bytes(stored(image, format, exif=exif, **options))
    with Image.open(path) as again:
        expected = np.asarray(ImageOps.exif_transpose(again).convert("RGB"))
    assert expected.shape == ((48, 32, 3) if orientation > 4 else (32, 48, 3))
    header, picture = read_header(path), read_picture(path)
    assert header.orientation == orientation
    assert header.size == (picture.shape[1], picture.shape[0])
    assert difference(picture, expected) <= (3 if format == "JPEG" else 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_sixteen_bit_tiff_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    values = np.arange(6 * 4, dtype=np.uint16).reshape(4, 6) * 2000
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = tmp_path / "grey.tif"
    path.write_bytes(stored(Image.fromarray(values), "TIFF", exif=exif))
    eight = Image.fromarray((values // 257).astype(np.uint8))
    eight.getexif()[ORIENTATION] = orientation
    upright = np.asarray(ImageOps.exif_transpose(eight))
    assert read_header(path).size == upright.shape[::-1]
    assert difference(read_picture(path)[..., 0], upright) <= 1
    assert read_instances(path).shape == upright.shape
    assert sorted(read_instances(path).ravel()) == sorted(values.ravel())
    assert (read_instances(path) // 257 == upright).all()


def test_modes_without_alpha_are_what_pillow_makes_of_them() -> None:
    image = Image.fromarray(scene())
    for mode in ("1", "L", "P", "RGB"):
        for format in ("PNG", "TIFF", "GIF", "BMP"):
            converted = image.convert(mode)
            if format == "GIF" and mode == "RGB":
                continue  # Pillow picks a palette by itself
            data = stored(converted, format)
            expected = np.asarray(converted.convert("RGB"))
            assert difference(decode_picture(data, name="it"), expected) == 0, (mode, format)


@pytest.mark.parametrize("maxval", [1, 255, 1023, 65535])
@pytest.mark.parametrize("magic", [b"P5", b"P6"])
def test_pnm_is_scaled_from_its_own_white(tmp_path: Path, magic: bytes, maxval: int) -> None:
    channels = 1 if magic == b"P5" else 3
    values = np.linspace(0, maxval, 4 * channels).round()
    kind = ">u2" if maxval > 255 else "u1"
    data = magic + b"\n2 2\n%d\n" % maxval + values.astype(kind).tobytes()
    (tmp_path / "it.pnm").write_bytes(data)
    assert read_header(tmp_path / "it.pnm").bits == (16 if maxval > 255 else 8)
    picture = read_picture(tmp_path / "it.pnm")
    expected = np.broadcast_to((255 * values / maxval).reshape(2, 2, channels), (2, 2, 3))
    assert np.abs(picture - expected).max() <= 1


def test_transparent_pixels_lie_over_white() -> None:
    rgba = np.dstack([scene(), np.linspace(0, 255, 48 * 32).reshape(32, 48).astype(np.uint8)])
    alpha = rgba[..., 3:] / 255
    over_white = np.rint(rgba[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    for format, options in (("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True, "exact": True})):
        data = stored(Image.fromarray(rgba), format, **options)
        assert difference(decode_picture(data, name="it"), over_white) == 0

    grey_and_alpha = [Image.fromarray(rgba[..., channel]) for channel in (0, 3)]
    data = stored(Image.merge("LA", grey_and_alpha), "PNG")
    grey = np.repeat(over_white[..., :1], 3, axis=2)
    assert difference(decode_picture(data, name="it"), grey) == 0


def test_a_palette_may_be_transparent() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putdata([0, 1])
    for format in ("PNG", "GIF"):
        picture = decode_picture(stored(image, format, transparency=0), name="it")
        assert picture.tolist() == [[[255, 255, 255], [200, 100, 50]]]
    half = stored(image, "PNG", transparency=bytes([128, 255]))
    assert (
        difference(
            decode_picture(half, name="it"), np.array([[[132, 137, 142], [200, 100, 50]]], np.uint8)
        )
        <= 1
    )


def test_sixteen_bits_are_rounded_to_eight() -> None:
    values = np.array([[0, 128, 129, 385, 386, 32768, 65406, 65407, 65535]], np.uint16)
    expected = np.rint(values / 257)
    assert expected.tolist() == [[0, 0, 1, 1, 2, 128, 254, 255, 255]]
    for suffix in (".png", ".tiff"):
        grey = cv2.imencode(suffix, values)[1].tobytes()
        assert (decode_picture(grey, name="it") == expected[..., np.newaxis]).all()
        bgr = np.dstack([values, values[:, ::-1], np.zeros_like(values)])
        picture = decode_picture(cv2.imencode(suffix, bgr)[1].tobytes(), name="it")
        assert (picture[..., ::-1] == np.dstack([expected, expected[:, ::-1], 0 * expected])).all()


def test_sixteen_bit_alpha_lies_over_white() -> None:
    bgra = np.array([[[0, 0, 65535, 32768], [1, 2, 3, 0], [500, 500, 500, 65535]]], np.uint16)
    picture = decode_picture(cv2.imencode(".png", bgra)[1].tobytes(), name="it")
    assert picture.tolist() == [[[255, 127, 127], [255, 255, 255], [2, 2, 2]]]


@pytest.mark.parametrize(
    ("ink", "colour"),
    [
        ((255, 0, 0, 0), (0, 255, 255)),
        ((0, 255, 0, 0), (255, 0, 255)),
        ((0, 0, 0, 255), (0, 0, 0)),
        ((0, 0, 0, 0), (255, 255, 255)),
    ],
)
@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_is_converted_the_right_way_round(
    format: str, ink: tuple[int, ...], colour: tuple[int, ...]
) -> None:
    data = stored(Image.new("CMYK", (16, 16), ink), format)
    picture = decode_picture(data, name="it")
    assert difference(picture, np.full((16, 16, 3), colour, np.uint8)) <= 3


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "lime", "blue")]
    for format in ("GIF", "WEBP", "PNG", "TIFF"):
        data = stored(frames[0], format, save_all=True, append_images=frames[1:], lossless=True)
        picture = decode_picture(data, name="it")
        assert difference(picture, np.full((6, 8, 3), (255, 0, 0), np.uint8)) <= 1, format


def test_any_name_will_do(tmp_path: Path) -> None:
    path = tmp_path / "fotos – 写真 🙂" / "é ñ ß.жпг"
    path.parent.mkdir()
    path.write_bytes(stored(Image.fromarray(scene()), "PNG"))
    assert (read_picture(path) == scene()).all()


def test_a_jpeg_may_be_decoded_smaller_but_not_below_what_is_needed() -> None:
    data = stored(Image.fromarray(scene(640, 482)), "JPEG", quality=95)
    for at_least, size in {
        (640, 482): (640, 482),
        (321, 10): (640, 482),
        (320, 241): (320, 241),
        (320, 242): (640, 482),
        (100, 120): (160, 121),
        (1, 1): (80, 61),
    }.items():
        picture = decode_picture(data, name="it", at_least=at_least)
        assert picture.shape == (size[1], size[0], 3)
        expected = cv2.resize(scene(640, 482), size, interpolation=cv2.INTER_AREA)
        assert np.abs(picture.astype(int) - expected).mean() < 1


def test_at_least_counts_upright_sides() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = stored(Image.fromarray(scene(640, 160)), "JPEG", exif=exif)
    assert decode_picture(data, name="it", at_least=(80, 320)).shape == (320, 80, 3)
    assert decode_picture(data, name="it", at_least=(320, 80)).shape == (640, 160, 3)


def test_a_jpeg_of_a_phone_has_other_pictures_and_bytes_around() -> None:
    image = Image.fromarray(scene())
    plain = stored(image, "JPEG", quality=95)
    picture = decode_picture(plain, name="it")
    assert (decode_picture(plain + b"\0" * 100 + b"motion photo", name="it") == picture).all()
    several = stored(image, "MPO", save_all=True, append_images=[image.rotate(180)], quality=95)
    assert difference(decode_picture(several, name="it"), picture) <= 3


def test_photographs_are_what_pillow_reads(shared: Path) -> None:
    for path in sorted((shared / "data/bccd/JPEGImages").iterdir())[:12]:
        with Image.open(path) as image:
            expected = np.asarray(image.convert("RGB"))
        picture = read_picture(path)
        assert read_header(path).size == (picture.shape[1], picture.shape[0])
        assert difference(picture, expected) <= 4
        half = read_picture(path, at_least=(320, 240))
        area = cv2.resize(expected, (320, 240), interpolation=cv2.INTER_AREA)
        assert np.abs(half.astype(int) - area).mean() < 2


def test_depth_is_within_0_and_1_and_near_is_bright(tmp_path: Path) -> None:
    path = tmp_path / "depth.png"
    for kind, largest in ((np.uint8, 255), (np.uint16, 65535)):
        values = np.array([[0, 1, largest // 3, largest]], kind)
        path.write_bytes(cv2.imencode(".png", values)[1].tobytes())
        depth = read_depth(path)
        assert depth.dtype == np.float32
        np.testing.assert_allclose(depth, values / largest, rtol=1e-6)
        np.testing.assert_allclose(read_depth(path, near_is_bright=False), 1 - depth, rtol=1e-6)


def test_grey_kept_in_colour_channels_is_grey(tmp_path: Path) -> None:
    path = tmp_path / "it.png"
    grey = np.repeat(np.arange(256, dtype=np.uint8)[np.newaxis, :, np.newaxis], 3, axis=2)
    path.write_bytes(stored(Image.fromarray(grey), "PNG"))
    assert (read_instances(path)[0] == np.arange(256)).all()
    assert (read_mask(path)[0] == (np.arange(256) > 127)).all()
    path.write_bytes(stored(Image.fromarray(scene()), "PNG"))
    for read in (read_depth, read_mask, read_instances):
        with pytest.raises(InputError, match="is in colour"):
            read(path)


def test_masks_of_every_depth_are_cut_at_half(tmp_path: Path) -> None:
    path = tmp_path / "mask"
    mask = scene()[..., 0] > 100
    for image, format in (
        (Image.fromarray(mask), "PNG"),
        (Image.fromarray(mask.astype(np.uint8) * 255), "PNG"),
        (Image.fromarray(mask.astype(np.uint8) * 255), "JPEG"),
        (Image.fromarray(mask.astype(np.uint16) * 65535), "PNG"),
        (Image.fromarray(mask.astype(np.uint8) * 255).convert("P"), "BMP"),
    ):
        path.write_bytes(stored(image, format))
        assert (read_mask(path) == mask).all()


def test_instance_numbers_are_exact(tmp_path: Path) -> None:
    path = tmp_path / "instances.png"
    numbers = np.array([[0, 1, 2, 255, 256, 65535]], np.uint16)
    path.write_bytes(cv2.imencode(".png", numbers)[1].tobytes())
    assert (read_instances(path) == numbers).all()
    # Pascal VOC's way: the number is the palette's index, whatever the colour.
    palette = Image.new("P", (3, 1))
    palette.putpalette([9, 9, 9, 200, 0, 0, 9, 9, 9])
    palette.putdata([2, 1, 0])
    path.write_bytes(stored(palette, "PNG"))
    assert read_instances(path).tolist() == [[2, 1, 0]]
    path.write_bytes(stored(Image.new("1", (2, 1), 1), "PNG"))
    assert read_instances(path).tolist() == [[1, 1]]
    path.write_bytes(stored(Image.new("L", (8, 8)), "JPEG"))
    with pytest.raises(InputError, match="changes numbers"):
        read_instances(path)


def png(
    colour_type: int, bits: int, rows: NDArray[np.unsignedinteger], *, before: bytes, after: bytes
) -> bytes:
    """A PNG made by hand, since Pillow and OpenCV write none of these kinds."""
    header = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], bits, colour_type, 0, 0, 0)
    big_endian = rows.astype(">u2" if bits == 16 else "u1")
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in big_endian))
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + before
        + png_chunk(b"IDAT", pixels)
        + after
        + png_chunk(b"IEND", b"")
    )


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_png_of_sixteen_bits_with_grey_alpha_or_a_transparent_colour() -> None:
    grey_and_alpha = np.array([[[0, 0], [0, 65535], [0, 32768], [500, 65535]]], np.uint16)
    picture = decode_picture(png(4, 16, grey_and_alpha, before=b"", after=b""), name="it")
    assert picture[0].tolist() == [[255] * 3, [0] * 3, [127] * 3, [2] * 3]
    colours = np.array([[[500, 1000, 1500], [501, 1000, 1500]]], np.uint16)
    key = png_chunk(b"tRNS", struct.pack(">HHH", 500, 1000, 1500))
    picture = decode_picture(png(2, 16, colours, before=key, after=b""), name="it")
    assert picture[0].tolist() == [[255, 255, 255], [2, 4, 6]]


def test_png_may_say_after_its_pixels_how_they_are_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    late = png_chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    path = tmp_path / "it.png"
    for bits in (8, 16):
        values = np.array([[0, 1, 2], [3, 4, 5]], np.uint16)
        path.write_bytes(png(0, bits, values, before=b"", after=late))
        assert read_header(path).size == (2, 3)
        assert read_header(path).bits == bits
        assert read_instances(path).tolist() == [[3, 0], [4, 1], [5, 2]]
        assert read_picture(path).shape == (3, 2, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the high-water mark that Linux keeps")
@pytest.mark.parametrize("kind", ["RGBA", "16-bit RGBA"])
def test_decoding_takes_no_more_memory_than_is_promised(tmp_path: Path, kind: str) -> None:
    path, pixels = tmp_path / "it.png", np.zeros((2000, 2000, 4), np.uint8)
    pixels[::3] = 200
    if kind == "RGBA":
        path.write_bytes(stored(Image.fromarray(pixels), "PNG"))
    else:
        path.write_bytes(cv2.imencode(".png", pixels.astype(np.uint16) * 257)[1].tobytes())
    program = """
import sys
from pathlib import Path
from viewfinder.pictures.reading import read_picture
def largest():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
base = largest()
read_picture(Path(sys.argv[1]))
print(largest() - base)
"""
    command = [sys.executable, "-c", program, str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # Four bytes a pixel more for libraries that are loaded at the first picture.
    assert int(told) <= (BYTES_A_PIXEL + 4) * 4_000_000


def test_values_of_fewer_bits_are_scaled_from_their_own_white() -> None:
    values = np.array([[0, 8, 9, 2048, 4095, 4096, 65535]], np.uint16)
    expected = np.rint(np.minimum(values, 4095) * (255 / 4095))
    assert expected.tolist() == [[0, 0, 1, 128, 255, 255, 255]]
    for suffix in (".png", ".tiff"):
        grey = cv2.imencode(suffix, values)[1].tobytes()
        assert (decode_picture(grey, name="it", bits=12) == expected[..., np.newaxis]).all()
        bgr = np.dstack([values, values[:, ::-1], np.zeros_like(values)])
        picture = decode_picture(cv2.imencode(suffix, bgr)[1].tobytes(), name="it", bits=12)
        assert (picture[..., ::-1] == np.dstack([expected, expected[:, ::-1], 0 * expected])).all()
    # Of eight bits, and of files that say what is white, nothing changes.
    eight = stored(Image.fromarray(scene()), "PNG")
    assert (decode_picture(eight, name="it", bits=10) == scene()).all()
    pgm = b"P5\n2 1\n1023\n" + struct.pack(">HH", 512, 1023)
    assert decode_picture(pgm, name="it", bits=10)[0, :, 0].tolist() == [128, 255]


@pytest.mark.parametrize("opaque", [4095, 65535])
def test_alpha_of_values_of_fewer_bits(opaque: int) -> None:
    bgra = np.array([[[0, 0, 4095, opaque], [4095, 0, 0, opaque // 2], [9, 9, 9, 0]]], np.uint16)
    picture = decode_picture(cv2.imencode(".png", bgra)[1].tobytes(), name="it", bits=12)
    assert difference(picture, np.array([[[255, 0, 0], [127, 127, 255], [255] * 3]], np.uint8)) <= 1


@pytest.mark.parametrize("largest", [0, 1023, 1024, 4095, 16383, 16384, 65535])
def test_bits_that_a_file_of_sixteen_bits_uses(tmp_path: Path, largest: int) -> None:
    path = tmp_path / "it"
    grey = np.array([[0, largest]], np.uint16)
    bgra = np.dstack([grey, grey // 2, 0 * grey, np.full_like(grey, 65535)])
    fewest = next(bits for bits in (10, 12, 14, 16) if largest < 2**bits)
    for pixels in (grey, bgra):
        for suffix in (".png", ".tiff"):
            path.write_bytes(cv2.imencode(suffix, pixels)[1].tobytes())
            assert bits_used(path) == fewest
    for eight in (
        stored(Image.fromarray(scene()), kind) for kind in ("PNG", "JPEG", "TIFF", "PPM")
    ):
        path.write_bytes(eight)
        assert bits_used(path) is None


@given(
    pixels=st.lists(st.tuples(*[st.integers(0, 255)] * 4), min_size=1, max_size=40),
)
def test_laying_over_white_is_exact(pixels: list[tuple[int, int, int, int]]) -> None:
    rgba = np.array([pixels], np.uint8)
    alpha = rgba[..., 3:].astype(int)
    exact = (2 * (rgba[..., :3].astype(int) * alpha + 255 * (255 - alpha)) + 255) // 510
    assert (rgb8(rgba) == exact).all()
    assert difference(rgb8(rgba.astype(np.uint16) * 257), exact.astype(np.uint8)) == 0


def test_pictures_larger_than_a_band_are_whole() -> None:
    rng = np.random.default_rng(0)
    rgba = rng.integers(0, 256, (700, 301, 4), np.uint8)
    for format in ("PNG", "TIFF", "WEBP"):
        options = {"lossless": True, "exact": True} if format == "WEBP" else {}
        picture = decode_picture(stored(Image.fromarray(rgba), format, **options), name="it")
        assert (picture == rgb8(rgba)).all(), format
    wide = rng.integers(0, 65536, (2, 70_000, 3)).astype(np.uint16)
    picture = decode_picture(cv2.imencode(".png", wide)[1].tobytes(), name="it")
    assert (picture[..., ::-1] == np.rint(wide / 257)).all()
