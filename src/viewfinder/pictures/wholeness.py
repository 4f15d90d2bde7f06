"""Whether a picture's file ends as its format does: a look that decodes nothing."""

from pathlib import Path

from viewfinder.pictures.opening import open_for_reading

# Bytes at a file's end among which its format's own end is: cameras write some of their own behind.
_TAIL = 1 << 12


def ends_well(path: Path) -> bool:
    """Whether a JPEG, PNG or WebP has its end; of other formats nothing is known, and it is true.

    One that has not was cut short as a rule, and decoding it tells.

    Raises:
        InputError: it cannot be opened.
    """
    with open_for_reading(path) as file:
        start = file.read(12)
        length = file.seek(0, 2)
        file.seek(max(0, length - _TAIL))
        tail = file.read()
    if start.startswith(b"\xff\xd8"):
        return b"\xff\xd9" in tail
    if start.startswith(b"\x89PNG"):
        return b"IEND" in tail
    if (start[:4], start[8:]) == (b"RIFF", b"WEBP"):
        return length >= 8 + int.from_bytes(start[4:8], "little")
    return True
