"""The steps of an edit of a set's files: all is written beside first; what is left are renames.

Each step may be cut short anywhere and done again.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from viewfinder.datasets.editing.record import RECORD, EditRecord, Write, digest, digest_of
from viewfinder.errors import InputError
from viewfinder.files import (
    explained_writing,
    inside,
    replacing,
    sync_all,
    sync_folder,
    write_json,
)


@dataclass(frozen=True)
class FileChange:
    """One file to hold `data`, or to move to `target`; `detail` says it to a person.

    Attributes:
        before: the digest of what the file held when the change was planned; None if it is new.
    """

    path: Path
    detail: str
    data: bytes | None = None
    target: Path | None = None
    before: str | None = None


def prepare(
    root: Path,
    folder: Path,
    changes: Sequence[FileChange],
    *,
    verb: str,
    said: str,
    details: dict[str, object],
) -> EditRecord:
    """Write all of an edit into a folder, and nothing anywhere else."""
    written = [change for change in changes if change.data is not None]
    moved = [change for change in changes if change.target is not None]
    places = inside(root, [change.path for change in written])
    sources = inside(root, [change.path for change in moved], follow=False)
    targets = inside(root, [c.target for c in moved if c.target is not None], follow=False)
    for source, target in zip(sources, targets, strict=True):
        if os.path.lexists(target) or not os.path.lexists(source):
            raise InputError(f"{source} or {target} has been changed meanwhile: try again")
    folders = {path.parent for path in (*places, *sources, *targets)}
    _refuse_unwritable(folders)
    made = {f for place in folders for f in (place, *place.parents) if not f.exists()}
    made -= set(targets)
    edit = EditRecord(
        verb=verb,
        said=said,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        details=details,
        writes=_write_beside(root, folder, places, written),
        moves=tuple(
            (_name(root, a), _name(root, b)) for a, b in zip(sources, targets, strict=True)
        ),
        made=tuple(sorted(_name(root, path) for path in made)),
    )
    write_json(folder / RECORD, asdict(edit))
    return edit


def _write_beside(
    root: Path, folder: Path, places: Sequence[Path], changes: Sequence[FileChange]
) -> tuple[Write, ...]:
    """The new contents into `after/`, the old ones into `before/`."""
    for name in ("after", "before"):
        (folder / name).mkdir()
    writes: dict[Path, Write] = {}
    for file, change in zip(places, changes, strict=True):
        if file in writes or change.data is None:  # the same file by another name
            continue
        after, before = (folder / name / str(len(writes)) for name in ("after", "before"))
        after.write_bytes(change.data)
        if os.path.lexists(file):
            _keep(file, before)
            shutil.copymode(file, after)
        if digest_of(before) != change.before:
            raise InputError(f"{change.path} has been changed meanwhile: try again")
        writes[file] = Write(_name(root, file), change.before, digest(change.data))
    sync_all([folder / "after" / str(number) for number in range(len(writes))])
    return tuple(writes.values())


def apply(root: Path, folder: Path, edit: EditRecord) -> None:
    """Do what is left to do of an edit."""
    touched = set()
    for number, write in enumerate(edit.writes):
        after, target = folder / "after" / str(number), root / write.file
        if after.exists():
            _put(after, target)
            touched.add(target.parent)
    for first, second in edit.moves:
        source, target = root / first, root / second
        if os.path.lexists(source):
            _move(source, target)
            touched |= {source.parent, target.parent}
    touched |= _remove_empty(root, {(root / first).parent for first, _ in edit.moves})
    sync_all([path for path in touched if path.is_dir()])
    shutil.rmtree(folder / "after", ignore_errors=True)
    folder.rename(folder.with_suffix(".done"))
    sync_folder(folder.parent)


def undo(root: Path, folder: Path, edit: EditRecord) -> None:
    """Make of each file what it was, as far as it is not yet, and forget the edit."""
    touched, made = set(), {root / name for name in edit.made}
    for first, second in reversed(edit.moves):
        source, target = root / first, root / second
        if os.path.lexists(target) and not os.path.lexists(source):
            _move(target, source)
            touched |= {source.parent, target.parent}
        _remove_empty(root, [target.parent], among=made)
    for number, write in enumerate(edit.writes):
        before, target = folder / "before" / str(number), root / write.file
        if write.before is None:
            if digest_of(target) == write.after:
                with explained_writing(target):
                    target.unlink()
                touched.add(target.parent)
            _remove_empty(root, [target.parent], among=made)
        elif before.exists() and digest_of(target) != write.before:
            _put(before, target)
            touched.add(target.parent)
    sync_all([path for path in touched if path.is_dir()])
    # In this order there is always something that tells whether all is done.
    for name in ("before", "after"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / RECORD).unlink(missing_ok=True)
    folder.rmdir()


def _refuse_unwritable(folders: Iterable[Path]) -> None:
    """Raise what the system would, before anything is done."""
    for folder in folders:
        there = next(f for f in (folder, *folder.parents) if f.exists())
        with explained_writing(folder):
            if not os.access(there, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "")


def _put(source: Path, target: Path) -> None:
    """Rename a file into its place, be it on another disk."""
    with explained_writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            source.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with replacing(target) as new, source.open("rb") as old:
                shutil.copyfileobj(old, new)
            source.unlink()


def _keep(file: Path, copy: Path) -> None:
    with explained_writing(copy):
        try:
            os.link(file, copy)
        except OSError:
            shutil.copy2(file, copy)


def _move(source: Path, target: Path) -> None:
    with explained_writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)


def _remove_empty(
    root: Path, folders: Iterable[Path], among: Collection[Path] | None = None
) -> set[Path]:
    """Remove folders that nothing is left in; returns those that they were in.

    Args:
        among: the only ones to remove; any below `root` if None.
    """
    above = set()
    for folder in folders:
        while folder != root and (among is None or folder in among):
            if folder.exists() and any(folder.iterdir()):
                break
            with contextlib.suppress(FileNotFoundError):
                folder.rmdir()
            folder = folder.parent
            above.add(folder)
    return above


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()
