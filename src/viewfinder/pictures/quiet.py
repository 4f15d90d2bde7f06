"""Keeping libjpeg and libpng from printing to a person's terminal.

OpenCV's own messages can be switched off, but the C libraries within it print straight to the C
stream `stderr` ("Corrupt JPEG data: …"), naming no file. Turning file descriptor 2 away instead
would lose what other threads print meanwhile; exchanging the C library's stream does not, since
Python writes to the descriptor itself.
"""

import contextlib
import ctypes
import os
import platform
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_c_libraries() -> Iterator[None]:
    """Send what C code prints to its `stderr` nowhere, while the block runs.

    On systems whose C library does not let its stream be exchanged, this does nothing.
    """
    if _STREAM is None:
        yield
        return
    _STREAM.value = _NOWHERE
    try:
        yield
    finally:
        # Always the stream of the start, so that two threads within at once cannot lose it.
        _STREAM.value = _TERMINAL


def _stream_variable() -> ctypes.c_void_p | None:
    if sys.platform == "darwin":
        name = "__stderrp"
    elif sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        name = "stderr"
    else:  # musl's is constant memory, and Windows has none
        return None
    try:
        return ctypes.c_void_p.in_dll(ctypes.CDLL(None), name)
    except ValueError:
        return None


def _stream_to_nowhere() -> int | None:
    open_stream = ctypes.CDLL(None).fopen
    open_stream.restype = ctypes.c_void_p
    open_stream.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    stream = open_stream(os.devnull.encode(), b"w")
    return stream if isinstance(stream, int) else None


_STREAM = _stream_variable()
_TERMINAL = _STREAM.value if _STREAM is not None else None
_NOWHERE = _stream_to_nowhere() if _STREAM is not None else None
if _NOWHERE is None:
    _STREAM = None
