"""From a path to an open file, and what to say when its bytes are no picture."""

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from viewfinder.errors import PictureError
from viewfinder.reading import open_file

# Of the formats that are read, those whose first bytes are like no others.
_BEGINNINGS = (
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
)
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


@contextlib.contextmanager
def open_for_reading(path: Path) -> Iterator[io.BufferedReader]:
    """The file at `path`, open for reading.

    Raises:
        InputError: nothing is there, it is a folder or a device, it is empty, or it may not be
            read.
    """
    try:
        file = open_file(path)
    except FileNotFoundError:
        raise PictureError(f"there is no file {path}: check the name and the folder") from None
    except PermissionError:
        raise PictureError(f"you may not read {path}: change its permissions") from None
    except IsADirectoryError:
        raise PictureError(f"{path} is a folder, not a file: name the file itself") from None
    except (OSError, ValueError) as error:  # ValueError: the path holds a zero byte
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise PictureError(f"cannot open {path}: {why}") from error
    with file:
        if os.fstat(file.fileno()).st_size == 0:
            raise PictureError(f"{path} is empty (0 bytes): copy or download it again")
        try:
            yield file
        except OSError as error:
            raise PictureError(f"cannot read {path}: {error.strerror or error}") from error


def unknown_format(name: str, start: bytes) -> str:
    """The sentence for a file that is not one of the formats read, from its first 512 bytes."""
    if is_heif(start):
        return (
            f"{name} is a HEIC picture, the format of iPhones, which is not read here: convert it "
            "to JPEG, or set the phone's camera to 'Most Compatible'"
        )
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if b"<svg" in start:
        return f"{name} is a drawing (SVG), not pixels: export it as PNG"
    if start.startswith(b"%PDF"):
        return f"{name} is a PDF document, not a picture: export its pages as PNG"
    if text.startswith(b"version https://git-lfs"):
        return (
            f"{name} is git's pointer to a large file, and not that file: run `git lfs pull` where "
            "it came from"
        )
    if b"<html" in text.lower() or text.lower().startswith(b"<!doctype html"):
        return f"{name} is a web page, not a picture: download the picture itself"
    if text and (text[:1] in (b"<", b"{", b"[") or _is_plain_text(start)):
        return f"{name} holds text, not a picture: copy or download the picture again"
    if not start.strip(b"\0"):
        return f"{name} begins with zeros alone, as a file that was not copied whole: copy it again"
    if kind := _begun_as(start):
        return (
            f"{name} begins as a {kind} picture and is damaged or was cut short: copy or download "
            "it again"
        )
    return (
        f"{name} is not a picture that can be read, or its beginning is damaged: "
        "the formats are JPEG, PNG, WebP, TIFF, BMP, GIF, PNM and AVIF"
    )


def is_moving_webp(path: Path) -> bool:
    """Whether a file is a WebP of several pictures, of which the first alone can be read here.

    Raises:
        InputError: it cannot be opened.
    """
    with open_for_reading(path) as file:
        start = file.read(21)
    # The second bit of the flags of an extended WebP says that it moves.
    extended = (start[:4], start[8:16]) == (b"RIFF", b"WEBPVP8X")
    return extended and bool(start[20:21]) and bool(start[20] & 2)


def is_heif(start: bytes) -> bool:
    """Whether a file's first bytes are those of a HEIC or HEIF picture."""
    if start[4:8] != b"ftyp" or start[8:12] not in _HEIF_BRANDS:
        return False
    # The neutral brand mif1 is also AVIF's, which then names itself among the compatible ones.
    return b"avif" not in start[: int.from_bytes(start[:4], "big")]


def png_chunk(file: IO[bytes], kind: bytes) -> bytes:
    """What the first chunk of this kind in a PNG file holds; nothing where there is none."""
    file.seek(8)
    while len(head := file.read(8)) == 8 and head[4:] != b"IEND":
        length = int.from_bytes(head[:4], "big")
        if head[4:] == kind:
            return file.read(length)
        file.seek(length + 4, 1)
    return b""


def _begun_as(start: bytes) -> str:
    """The format whose first bytes these are, if they are those of one."""
    if (start[:4], start[8:12]) == (b"RIFF", b"WEBP"):
        return "WebP"
    return next((kind for begins, kind in _BEGINNINGS if start.startswith(begins)), "")


def _is_plain_text(start: bytes) -> bool:
    printable = sum(32 <= byte < 127 or byte in b"\t\n\r" for byte in start)
    return printable > 0.95 * len(start)
