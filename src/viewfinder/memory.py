"""The memory of large arrays, kept by the process for the next ones of their size."""

import ctypes
import functools
import sys

# Numbers that glibc's <malloc.h> gives to its settings.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_LARGEST = 2**31 - 1


@functools.cache
def keep_freed() -> None:
    """Let this process keep large blocks of memory that it has freed; on Linux with glibc.

    Otherwise they go back to the system at once, and the next step's maps, as large again, come
    page by page as zeros: a third of a detector's training step on the CPU. The process never
    shrinks in return, and is about a tenth larger at its largest.
    """
    if sys.platform != "linux":
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # Other C libraries have none.
    if set_option is not None:
        set_option(_MMAP_MAX, 0)
        set_option(_TRIM_THRESHOLD, _LARGEST)
