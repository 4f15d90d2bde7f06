"""How much memory is free, and large blocks of it kept for the next arrays of their size."""

import contextlib
import ctypes
import functools
import os
import sys
from pathlib import Path

from viewfinder.groups import control_groups

# Numbers that glibc's <malloc.h> gives to its settings.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_LARGEST = 2**31 - 1
# Bytes from which a limit is none.
_ENDLESS = 1 << 62
# What a control group is called by, in its second version and in its first: the limit, what is
# used, and of that what is only kept for speed.
_NAMES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


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
    return min((free for _, free in _limits()), default=sys.maxsize)


def limit_of_container() -> int | None:
    """Bytes that this process's control groups may use; None where nothing limits them."""
    return min((limit for limit, _ in _limits()), default=None)


def _limits() -> list[tuple[int, int]]:
    """Of each control group with a limit, that and what is left of it."""
    found = []
    for group in control_groups("memory"):
        for limit_file, used_file, kept_name in _NAMES:
            # No limit is the word `max`, or more bytes than any machine has.
            with contextlib.suppress(OSError, ValueError, KeyError):
                limit = int((group / limit_file).read_text(encoding="ascii"))
                used = int((group / used_file).read_text(encoding="ascii"))
                lines = (group / "memory.stat").read_text(encoding="ascii").splitlines()
                kept = int(dict(line.split(" ", 1) for line in lines)[kept_name])
                if limit < _ENDLESS:
                    found.append((limit, max(0, limit - used + kept)))
    return found


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


def give_back_freed() -> None:
    """Give what this process has freed back to the system; on Linux with glibc.

    Where much was read in pieces, what was freed lies between what was kept, and stays the
    process's: of a file of half a million boxes, as much as the boxes themselves.
    """
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
