"""Reading files that may be anybody's: regular ones alone, since others have no end or no start.

Opening a pipe waits for whoever writes into it, perhaps for ever, and a device may go on without
end. A folder from a stranger can hold both under any name, and links to them.
"""

import errno
import io
import os
import stat
from pathlib import Path

from viewfinder.memory import free_memory

# Bytes below which nobody asks for the free memory.
_LARGE = 1 << 28


def refuse_special(path: Path) -> None:
    """See that a path leads to a file or a folder, before something is made to open it.

    Raises:
        OSError: it does not, or there is nothing.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "it is a device or a pipe, not a file", str(path))


def broken_link(path: Path) -> Path | None:
    """The link that leads to nothing on the way to a file or folder; None where there is none."""
    on_the_way = (path, *path.parents)
    return next((each for each in on_the_way if each.is_symlink() and not each.exists()), None)


def open_file(path: Path) -> io.BufferedReader:
    """A file, open for reading.

    Raises:
        OSError: it cannot be opened, or is a device or a pipe.
    """
    refuse_special(path)
    # Should it have become a pipe since, opening it does not wait, and reading finds nothing.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        return os.fdopen(handle, "rb")
    except BaseException:  # a folder
        os.close(handle)
        raise


def read_bytes(path: Path) -> bytes:
    """All that a file holds.

    Raises:
        OSError: it cannot be read, or is a device or a pipe.
    """
    with open_file(path) as file:
        length = os.fstat(file.fileno()).st_size
        # Once as bytes and once as text; a file with holes may be of any length on any disk.
        if length > _LARGE and 2 * length > free_memory():
            raise OSError(errno.EFBIG, f"its {length:,} bytes do not fit into free memory")
        return file.read()
