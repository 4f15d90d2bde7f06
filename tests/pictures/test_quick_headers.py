"""The sides of pictures from their first bytes: the answers of the one reader, or none."""

import io
import os

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from viewfinder.errors import InputError
from viewfinder.pictures.quick_headers import quick_measure, quick_measures
from viewfinder.pictures.reading import read_header

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'


def saved(kind, *, mode="RGB", size=(37, 21), turned=None, **options):
    numbers = np.random.default_rng(2).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    if turned is not None:
        exif = Image.Exif()
        exif[0x010F] = "Maker"
        exif[0x0112] = turned
        options["exif"] = exif
    file = io.BytesIO()
    Image.fromarray(numbers).convert(mode).save(file, kind, **options)
    return file.getvalue()


def of_reader(path):
    try:
        header = read_header(path)
    except InputError:
        return None
    return header.width, header.height, header.orientation


def texts(**pairs):
    info = PngImagePlugin.PngInfo()
    for key, value in pairs.items():
        info.add_text(key.replace("_", " "), value)
    return info


PLAIN = {
    "grey": saved("JPEG", mode="L"),
    "cmyk": saved("JPEG", mode="CMYK"),
    "progressive": saved("JPEG", progressive=True, quality=30),
    "optimised": saved("JPEG", optimize=True, dpi=(72, 72), comment=b"hello"),
    "profile": saved("JPEG", icc_profile=bytes(3000)),
    "xmp and exif": saved("JPEG", turned=8, xmp=XMP),
    "palette": saved("PNG", mode="P"),
    "bits": saved("PNG", mode="1"),
    "large": saved("PNG", size=(200, 150), compress_level=0),
    "software": saved("PNG", pnginfo=texts(Software="Paint")),
    **{f"turned {turned}": saved("JPEG", turned=turned) for turned in range(1, 9)},
}
LEFT = {
    "xmp alone": saved("JPEG", xmp=XMP),
    "turned png": saved("PNG", turned=6),
    "raw profile": saved("PNG", pnginfo=texts(Raw_profile_type_exif="\nexif\n 4\n00000000")),
    "webp": saved("WEBP"),
    "tiff": saved("TIFF"),
    "bmp": saved("BMP"),
    "nothing": b"",
    "a page": b"<html>",
    "no pixels": b"\xff\xd8\xff\xd9",
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_files_are_measured_as_the_reader_does(tmp_path, name):
    path = tmp_path / "picture"
    path.write_bytes(PLAIN[name])
    assert quick_measure(str(path)) == of_reader(path) is not None


@pytest.mark.parametrize("name", LEFT)
def test_what_is_not_plain_is_left_to_the_reader(tmp_path, name):
    path = tmp_path / "picture"
    path.write_bytes(LEFT[name])
    assert quick_measure(str(path)) is None


def test_no_file_a_folder_and_a_pipe_are_left_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe", tmp_path / "\0"):
        assert quick_measure(str(path)) is None


@pytest.mark.parametrize("name", ["turned 6", "progressive", "software", "xmp and exif"])
def test_of_damaged_files_nothing_is_said_that_the_reader_does_not_say(tmp_path, name):
    whole, path = PLAIN[name], tmp_path / "picture"
    numbers = np.random.default_rng(1)
    for round_ in range(120):
        data = bytearray(whole)
        if round_ % 3 == 0:
            data = data[: numbers.integers(1, len(data))]
        else:
            for place in numbers.integers(0, min(len(data), 700), 1 + round_ % 4):
                data[place] = numbers.integers(0, 256)
        path.write_bytes(data)
        if (measured := quick_measure(str(path))) is not None:
            assert of_reader(path) in (measured, None)


@pytest.mark.parametrize("length", [1, 9, 16, 20, 23, 25])
def test_a_beginning_alone_is_left_to_the_reader(tmp_path, length):
    (tmp_path / "cut.png").write_bytes((b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(17))[:length])
    assert quick_measure(str(tmp_path / "cut.png")) is None


def test_many_pixels_are_left_to_the_reader(tmp_path):
    data = bytearray(PLAIN["grey"])
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    (tmp_path / "picture").write_bytes(data)
    assert quick_measure(str(tmp_path / "picture")) is None


def test_many_files_are_measured_as_each_is(tmp_path):
    numbers = np.random.default_rng(3)
    files = [tmp_path / "none", tmp_path]
    for round_, data in enumerate([*PLAIN.values(), *LEFT.values(), *PLAIN.values()] * 12):
        changed = bytearray(data)
        for place in numbers.integers(0, max(1, min(len(data), 700)), round_ % 4):
            changed[place : place + 1] = numbers.bytes(1)
        files.append(tmp_path / f"{round_}")
        files[-1].write_bytes(changed[: numbers.integers(1, 2000)] if round_ % 7 == 3 else changed)
    paths = list(map(str, files))
    each = [quick_measure(path) or (0, 0, 0) for path in paths]
    together = quick_measures(paths)
    assert [tuple(row) if row[0] else (0, 0, 0) for row in together.tolist()] == each
    assert quick_measures([]).shape == (0, 3)
