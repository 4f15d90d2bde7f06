"""Texts of strangers, names of files and classes, as the studio's tables hold them."""

import re

from viewfinder.errors import InputError

_MARK = "\x01"
_LONE = re.compile(r"\\(?:\\|x00|u([0-9a-f]{4}))")


def kept(text: str) -> str:
    """A text as both databases can hold it: a file's name need not be UTF-8."""
    if "\0" not in text and not text.startswith(_MARK) and _is_utf8(text):
        return text
    doubled = text.replace("\\", "\\\\").replace("\0", "\\x00")
    return _MARK + doubled.encode("utf-8", "backslashreplace").decode()


def given(text: str) -> str:
    """The text that was kept."""
    if not text.startswith(_MARK):
        return text
    return _LONE.sub(_sign, text[1:])


def _sign(found: "re.Match[str]") -> str:
    if found[1]:
        return chr(int(found[1], 16))
    return "\\" if found[0] == "\\\\" else "\0"


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def checked_path(path: str) -> str:
    """A path that names something below the folder.

    Raises:
        InputError: it leads elsewhere.
    """
    parts = path.split("/")
    if path.startswith("/") or not path or "\0" in path or {"", ".", ".."} & set(parts):
        raise InputError(f"the studio's labels name {path[:200]!r}, which is outside of the folder")
    return path
