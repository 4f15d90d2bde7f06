"""How fast the disks write and read: one file for a moment, removed again."""

import contextlib
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from viewfinder.doctor.machine import Disk, Machine
from viewfinder.doctor.privacy import Cleaner
from viewfinder.doctor.system import folders, nearest
from viewfinder.doctor.waiting import within

# Bytes of a block and of the file at most, and seconds for writing it, and for reading it.
_BLOCK, _MOST, _SECONDS = 4 << 20, 128 << 20, 0.7
# Bytes that only show that it can be written; bytes that must be free; seconds for one disk.
_LITTLE, _ROOM, _LIMIT = 1 << 20, 1 << 30, 4.0


def disks(machine: Machine, known: Mapping[str, Disk], cleaner: Cleaner) -> dict[str, Disk]:
    """Each disk under a name by which another start knows it again: as it is known, else measured.

    One that is known is written to, though little, since that may fail by now.
    """
    room = {each.name for each in machine.places if each.writable and (each.free or 0) >= _ROOM}
    found = {}
    for disk, places in _places_by_disk().items():
        here = Disk(tuple(places))
        if not machine.quick and room.issuperset(places):
            here = _tried(here, known.get(disk), cleaner)
        elif disk in known:
            here = replace(known[disk], places=here.places)
        found[disk] = here
    return found


def _tried(here: Disk, known: Disk | None, cleaner: Cleaner) -> Disk:
    folder = folders()[here.places[0]]
    try:
        # Whatever the system has kept to write to this disk may come first.
        written, read = within(_LIMIT, lambda: disk_speed(folder, _LITTLE if known else _MOST))
    except OSError as error:
        return replace(here, error=cleaner.clean(error.strerror or str(error)))
    if known:
        return replace(known, places=here.places)
    return replace(here, written=written, read=read)


def _places_by_disk() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, folder in folders().items():
        found.setdefault(_disk(nearest(folder)), []).append(name)
    return found


def _disk(place: Path | None) -> str:
    """A file system, by its number and by where it is mounted."""
    if place is None:
        return ""
    try:
        number = place.stat().st_dev
        while place != place.parent and place.parent.stat().st_dev == number:
            place = place.parent
    except OSError:
        return ""
    return f"{number} {place}"


def disk_speed(folder: Path, most: int = _MOST) -> tuple[float, float | None]:
    """10⁶ bytes a second that are written and synced, and read; None where reading cannot be known
    from what the system keeps in memory.

    Args:
        most: bytes to write at most.

    Raises:
        OSError: it cannot be written.
    """
    place = nearest(folder)
    with tempfile.NamedTemporaryFile(prefix=".doctor-", dir=place) as file:
        block, written, ahead = os.urandom(min(_BLOCK, most)), 0, _BLOCK
        start = time.perf_counter()
        while written < most and time.perf_counter() - start < _SECONDS:
            written += file.write(block)
            # Synced now and then: a slow disk would else take all at once, and for long.
            if written >= ahead:
                os.fsync(file.fileno())
                ahead = 2 * written
        os.fsync(file.fileno())
        taken = time.perf_counter() - start
        return written / taken / 1e6, _read(file.fileno(), written)


def _read(handle: int, size: int) -> float | None:
    if not hasattr(os, "posix_fadvise"):
        return None
    # The system lets go of what it kept of the file, so that the disk has to give it.
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    os.lseek(handle, 0, os.SEEK_SET)
    start, read = time.perf_counter(), 0
    with contextlib.suppress(OSError):
        while time.perf_counter() - start < _SECONDS and (part := os.read(handle, _BLOCK)):
            read += len(part)
    taken = time.perf_counter() - start
    return read / taken / 1e6 if read and read <= size else None
