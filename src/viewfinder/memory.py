"""How much memory is free, and large blocks of it kept for the next arrays of their size."""

import ctypes
import functools
import os
import sys
from pathlib import Path

# Numbers that glibc's <malloc.h> gives to its settings.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_LARGEST = 2**31 - 1
# Where Linux keeps the limit of a container's memory.
_CONTAINER = Path("/sys/fs/cgroup")


def free_memory() -> int:
    """Bytes that can still be used, files kept in memory for speed included; 4 GiB if unknown.

    In a container that may use only so much, what is left of that.
    """
    return min(_free_of_system(), _free_of_container())


def _free_of_system() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        known = dict(line.split(":", 1) for line in lines)
        return 1024 * int(known["MemAvailable"].split()[0])
    except (OSError, ValueError, KeyError, IndexError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 4 << 30


def _free_of_container() -> int:
    try:
        most = int((_CONTAINER / "memory.max").read_text(encoding="ascii"))
        used = int((_CONTAINER / "memory.current").read_text(encoding="ascii"))
        lines = (_CONTAINER / "memory.stat").read_text(encoding="ascii").splitlines()
        files = dict(line.split(" ", 1) for line in lines)["inactive_file"]
        return max(0, most - used + int(files))
    except (OSError, ValueError, KeyError):  # no container, or one without a limit: "max"
        return sys.maxsize


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
