"""Writing files and folders so that nothing half-written is ever found under its final name.

Everything is written beside its destination, synced to the disk, and renamed: after a crash, a
full disk or `kill -9`, a path holds either what it held before or the whole of what was written.
What a killed process leaves beside is removed by the next that writes into the same folder.
"""

import contextlib
import errno
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

from viewfinder.errors import InputError
from viewfinder.locks import lock, locked

_REASONS = {
    errno.ENOSPC: "the disk is full: free some space, or write to another disk",
    errno.EDQUOT: "your quota on this disk is used up: free some space, or write to another disk",
    errno.EROFS: "that place is read-only: choose another folder",
    errno.EACCES: "you may not write there: choose another folder or change its permissions",
    errno.EPERM: "you may not write there: choose another folder or change its permissions",
    errno.ENOTDIR: "a part of that path is a file, not a folder",
    errno.ENAMETOOLONG: "that name is too long for this disk",
    errno.EFBIG: "the file would be larger than this disk or account allows",
}

# How the name of what is not yet whole begins.
_PREFIX = ".writing-"
_UNFINISHED = re.compile(re.escape(_PREFIX) + ".*", re.DOTALL)
# What is being written, and by which process; the second as earlier versions named cached pixels.
_WRITTEN_BY = re.compile(r"\.writing-(?:(\d+)-)?\w{8}|[0-9a-f]{24}\.(\d+)\.writing", re.ASCII)
_DAY = 86_400.0
# More files than this are synced with all that the system has to write: faster than one by one.
_FEW = 200


def _umask() -> int:
    """The process's file creation mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


# Read once: while it is set to nothing, another thread's new file would be anyone's to write.
_UMASK = _umask()
_swept: set[Path] = set()


@contextlib.contextmanager
def explained_writing(path: Path) -> Iterator[None]:
    """Turn an operating system's refusal to write `path` into an InputError that says why."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
        raise InputError(f"cannot write {path}: {reason}") from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A binary file that becomes `path` when the block ends well, and vanishes when it does not.

    Raises:
        InputError: the disk is full, read-only, or the folder cannot be written.
    """
    with replacing_by_name(path) as temporary, temporary.open("r+b") as file:
        yield file


@contextlib.contextmanager
def replacing_by_name(path: Path) -> Iterator[Path]:
    """The same for who must open the file: the name of an empty one, to be filled and closed."""
    with explained_writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        handle, name = tempfile.mkstemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=path.parent)
        temporary = Path(name)
        try:
            try:
                lock(handle)
                yield temporary
                os.fsync(handle)
            finally:
                os.close(handle)
            # mkstemp makes files private to the owner; give them what a plain open() would.
            temporary.chmod(0o666 & ~_UMASK)
            temporary.replace(path)
            sync_folder(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    with replacing(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all.

    A file name that is not UTF-8 comes to Python with lone surrogates, which UTF-8 cannot hold:
    each becomes `\\udcff` and the like, which JSON reads back as what it was.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_json(path: Path, document: object) -> None:
    """Write `document` to `path` as JSON that a person can read, whole or not at all."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill that becomes `path` when the block ends well, and vanishes otherwise.

    Raises:
        InputError: `path` exists and is not an empty folder, or its place cannot be written.
    """
    with explained_writing(path):
        refuse_taken(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        prefix = f"{_PREFIX}{os.getpid()}-"
        temporary = Path(tempfile.mkdtemp(prefix=prefix, dir=path.parent))
        try:
            with locked(temporary):
                yield temporary
                temporary.chmod(0o777 & ~_UMASK)
                if path.exists():
                    _remove_unfinished(path, _UNFINISHED)
                    path.rmdir()
                temporary.rename(path)
                sync_folder(path.parent)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def refuse_taken(path: Path) -> None:
    """Refuse the place of a new folder before anything is computed for it.

    Raises:
        InputError: `path` exists and is not an empty folder, or its place cannot be written.
    """
    if path.exists() and not is_empty(path):
        raise InputError(f"{path} exists already: choose another name, or remove it first")
    require_writable(path)


def refuse_taken_file(path: Path) -> None:
    """Refuse the place of a new file before anything is computed for it.

    Raises:
        InputError: there is something at `path` already, or its place cannot be written.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a new file to write, such as {path}/new")
    if path.exists():
        raise InputError(f"{path} exists already: choose another name, or remove it first")
    require_writable(path)


def require_writable(path: Path) -> None:
    """See that something new can be made at a path, by making it and taking it away.

    Raises:
        InputError: it cannot.
    """
    place = next(each for each in (path, *path.absolute().parents) if each.exists())
    with explained_writing(path):
        if not place.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "")
        try:
            Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place)).rmdir()
        except FileNotFoundError:  # as in /proc, whoever asks
            raise InputError(
                f"cannot write {path}: nothing can be made in {place}: choose another folder"
            ) from None


def is_empty(folder: Path, *, but: Collection[str] = ()) -> bool:
    """Whether a folder holds nothing but what a killed process left half-written there.

    Args:
        but: names that may be there all the same.
    """
    return folder.is_dir() and all(
        path.name in but or (_UNFINISHED.match(path.name) and not _at_work(path))
        for path in folder.iterdir()
    )


def sweep(folder: Path) -> None:
    """Remove what processes that are no more left half-written in a folder.

    A process looks into each folder once: a hundred thousand files may be written into one.
    """
    place = folder.absolute()
    if place not in _swept:
        _swept.add(place)
        _remove_unfinished(place, _WRITTEN_BY)


def _remove_unfinished(folder: Path, names: re.Pattern[str]) -> None:
    # A folder that cannot be read or written is for whoever writes into it to tell of.
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if names.fullmatch(entry.name) and not _at_work(Path(entry.path)):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    Path(entry.path).unlink(missing_ok=True)


def inside(root: Path, paths: Collection[Path], *, follow: bool = True) -> list[Path]:
    """Where each of `paths` really lies, links followed: somewhere below `root`.

    Args:
        follow: also a link that a path itself is; else only those on the way to it.

    Raises:
        InputError: one lies elsewhere, where nobody asked for a change.
    """
    top = root.resolve()
    folders = {folder: folder.resolve() for folder in {path.parent for path in paths}}
    found = []
    for path in paths:
        real = folders[path.parent] / path.name
        if follow and real.is_symlink():
            real = real.resolve()
        if not real.is_relative_to(top):
            raise InputError(
                f"{path} leads to {real}, which is outside of {root}, and nothing there is "
                "changed: give the folder that it leads to, or put the files themselves here"
            )
        found.append(real)
    return found


def sync_all(paths: Collection[Path]) -> None:
    """Make files' contents and folders' names survive a power cut."""
    if len(paths) > _FEW and hasattr(os, "sync"):
        os.sync()
        return
    for path in paths:
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` survive a power cut; systems that cannot sync folders skip."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _at_work(path: Path) -> bool:
    """Whether a process may still be writing what bears such a name."""
    found = _WRITTEN_BY.fullmatch(path.name)
    number = found and (found[1] or found[2])
    try:
        is_old = time.time() - path.lstat().st_mtime > _DAY
        if os.name != "posix":
            return not is_old
        # A number may be another process's by now.
        if number and not is_old and _lives(int(number)):
            return True
        # Another machine or container has other processes, and its locks are seen here too.
        with locked(path) as free:
            return not free
    except OSError:
        return not path.is_symlink()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def cache_folder() -> Path:
    """Where what can be made anew is kept: `$VIEWFINDER_CACHE`, or in the user's cache."""
    if named := os.environ.get("VIEWFINDER_CACHE"):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "viewfinder"
