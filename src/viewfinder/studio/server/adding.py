"""Pictures that a person adds on the page: files sent, or a path; of a video, its sharp frames.

Names are kept and nothing is overwritten. What is sent lies in a folder of its own until it is
whole and known to be a picture or a video; then a picture gets its name, and frames are taken of a
video beside the server's answers, one video after the other.
"""

import contextlib
import filecmp
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from viewfinder import events
from viewfinder.errors import InputError
from viewfinder.files import explained_writing, inside, sweep
from viewfinder.pictures.finding import is_picture, is_visible
from viewfinder.pictures.headers import read_header
from viewfinder.studio.store import Store
from viewfinder.wording import counted

# What reads videos is imported where one comes: the page does not wait for it.
if TYPE_CHECKING:
    from viewfinder.labelling.frames import Extraction
    from viewfinder.pictures.kinds import Kind

_MOST_SAID = 30
_LONGEST_PART, _LONGEST_NAME = 255, 1000  # bytes, and signs


class _Ended(Exception):
    """The server ends: what is not whole is left out."""


class State(TypedDict):
    """What is being done, and the last sentences about what was, numbered."""

    waiting: int
    doing: str
    said: list[tuple[int, str]]


class Adding:
    """Takes pictures and videos into a store's folder, from any thread."""

    def __init__(self, store: Store) -> None:
        self._store, self._data = store, store.data
        self._worker = ThreadPoolExecutor(1, "adding")
        self._lock = threading.Lock()
        self._said: list[tuple[int, str]] = []
        self._count, self._waiting, self._doing = 0, 0, ""
        self._ended = False

    def close(self) -> None:
        """Wait until nothing is written any more; what was not whole is not there."""
        self._ended = True
        self._worker.shutdown(cancel_futures=True)

    def state(self) -> State:
        """What is being done, and the last sentences about what was, numbered."""
        with self._lock:
            return {"waiting": self._waiting, "doing": self._doing, "said": list(self._said)}

    @contextlib.contextmanager
    def incoming(self) -> Iterator[Path]:
        """A file to be filled; it is gone at the end unless `take` gave it a place."""
        folder = self._own_folder()
        try:
            with explained_writing(self._data):
                yield folder / "file"
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def take(self, file: Path, name: str) -> dict[str, str]:
        """Give a file that was sent its place: a picture now, a video's frames later.

        Raises:
            InputError: its name cannot be, it is neither, or another picture has this name.
        """
        parts = _checked(name)
        if _kind(file, parts[-1]) == "picture":
            return {"picture": self._put(file, parts)}
        folder = self._own_folder()
        video = folder / parts[-1]
        file.rename(video)

        def work() -> None:
            try:
                self._take_frames(video, parts[:-1])
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        self._later(work)
        return {"video": parts[-1]}

    def take_path(self, text: str) -> None:
        """Take the pictures and videos of this machine's file or folder, later; copies of them.

        Raises:
            InputError: there is nothing there.
        """
        try:
            source = Path(text.strip()).expanduser().absolute()
            exists = source.exists()
        except (OSError, ValueError, RuntimeError):
            exists = False
        if not text.strip() or not exists:
            raise InputError(f"there is no {text.strip()[:300]!r} on this machine: give its path")
        if source.resolve().is_relative_to(self._data.resolve()):
            raise InputError(f"{source} is in this folder already: choose 'Look again'")
        self._later(lambda: self._take_all(source))

    # One after the other.

    def _later(self, work: Callable[[], None]) -> None:
        def careful() -> None:
            try:
                with events.listening(self._hear):
                    work()
            except _Ended:
                pass
            except InputError as error:
                self._say(str(error))
            except Exception as error:
                self._say(f"that could not be added: {error!r}")
            finally:
                with self._lock:
                    self._waiting -= 1
                    self._doing = ""

        with self._lock:
            self._waiting += 1
        self._worker.submit(careful)

    def _hear(self, event: events.Event) -> None:
        if self._ended:
            raise _Ended
        if isinstance(event, events.ProgressBegan):
            self._total = event.total or 0
        elif isinstance(event, events.Progressed):
            of = f" of {self._total:,}" if self._total >= event.done else ""
            self._doing = f"{self._name}: frame {event.done:,}{of}"

    def _say(self, sentence: str) -> None:
        with self._lock:
            self._count += 1
            self._said = [*self._said, (self._count, sentence)][-_MOST_SAID:]

    def _take_all(self, source: Path) -> None:
        from viewfinder.pictures.kinds import source_of, sources_below

        own = self._data.resolve()
        found = sources_below(source) if source.is_dir() else iter([source_of(source)])
        base = source.parent
        added, videos, refused = 0, 0, list[str]()
        for each in found:
            if self._ended:
                raise _Ended
            if each.file.resolve().is_relative_to(own):
                continue
            parts = each.file.relative_to(base).parts
            try:
                if each.kind == "video":
                    self._take_frames(each.file, parts[:-1])
                    videos += 1
                    continue
                self._doing = f"{source.name}: {counted(added, 'picture')}"
                with self.incoming() as file:
                    shutil.copyfile(each.file, file)
                    self.take(file, "/".join(parts))
                added += 1
            except InputError as error:
                refused.append(str(error))
        if added or not videos:
            self._say(f"{source.name}: {counted(added, 'picture')} added")
        for sentence in refused[:3]:
            self._say(sentence)
        if len(refused) > 3:
            self._say(f"{counted(len(refused) - 3, 'more file')} not added")

    # Where things go.

    def _own_folder(self) -> Path:
        place = self._data / ".viewfinder"
        with explained_writing(place):
            place.mkdir(parents=True, exist_ok=True)
            sweep(place)
            return Path(tempfile.mkdtemp(prefix=f".writing-{os.getpid()}-", dir=place))

    def _place(self, parts: tuple[str, ...]) -> Path:
        """Where something is to lie: beside the pictures of a set with labels, else as named."""
        home = self._store.home()
        target = self._data.joinpath(*([home] if home else []), *parts)
        inside(self._data, [target])
        return target

    def _put(self, file: Path, parts: tuple[str, ...]) -> str:
        name, target = "/".join(parts), self._place(parts)
        path = target.relative_to(self._data).as_posix()
        with explained_writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with file.open("rb+") as whole:
                os.fsync(whole.fileno())
            if not _named(file, target):
                if target.is_file() and filecmp.cmp(file, target, shallow=False):
                    raise InputError(f"{name} is in the folder already")
                raise InputError(
                    f"{name} is in the folder already, and is another file: nothing was "
                    "overwritten; give yours another name"
                )
        self._store.add_pictures([path])
        return path

    def _take_frames(self, video: Path, folders: tuple[str, ...]) -> None:
        from viewfinder.labelling.frames import place_of_frames, write_frames

        self._name, self._total = video.name, 0
        self._doing = f"{video.name}: beginning"
        stem = video.stem.strip(". ") or "video"
        out, there = place_of_frames(self._place((*folders, stem)), video)
        if there:
            raise InputError(f"the frames of {video.name} are in the folder already")
        try:
            (done,) = write_frames([video], out)
        except InputError as error:
            raise InputError(str(error).replace(str(video), video.name)) from None
        below = out.relative_to(self._data).as_posix()
        self._store.add_pictures([f"{below}/{name}" for name in done.written])
        self._say(_said_of(done))


def _said_of(done: "Extraction") -> str:
    """What became of a video, in a sentence."""
    left = f"left out {done.blurred} blurred and {done.alike} that another shows already"
    name = done.video.name
    said = f"{name}: {len(done.written)} of {counted(done.read, 'frame')} added; {left}"
    said = f"{said}; {done.few}" if done.few else said
    return f"{said}; {done.broken.replace(str(done.video), name)}" if done.broken else said


def _checked(name: str) -> tuple[str, ...]:
    """The parts of a name that may come from anybody.

    Raises:
        InputError: it would lead elsewhere, be hidden, or be no name of a file.
    """
    parts = tuple(name.split("/"))
    shown = repr(name[:120])
    if len(name) > _LONGEST_NAME or any(
        len(part.encode("utf-8", "replace")) > _LONGEST_PART for part in parts
    ):
        raise InputError(f"the name {shown} is too long: give it a shorter one")
    for part in parts:
        if not part.strip() or not is_visible(part) or "\\" in part:
            raise InputError(f"{shown} cannot be the name of a picture here: give it another")
        if any(ord(sign) < 32 or ord(sign) == 127 or 0xD800 <= ord(sign) < 0xE000 for sign in part):
            raise InputError(f"the name {shown} has signs that names cannot have")
    return parts


def _kind(file: Path, name: str) -> "Kind":
    """Whether what was sent is a picture or a video, by its bytes and its name.

    Raises:
        InputError: it is neither, or its name says something else.
    """
    from viewfinder.pictures.kinds import kind_of
    from viewfinder.pictures.video import VIDEO_SUFFIXES

    try:
        kind = kind_of(file)
        suffix = Path(name).suffix.lower()
        if kind == "video" and (suffix in VIDEO_SUFFIXES or is_picture(name)):
            return "video"
        if kind != "video" and is_picture(name):
            read_header(file)
            return "picture"
    except InputError as error:
        raise InputError(str(error).replace(str(file), name)) from None
    raise InputError(f"{name} is no picture or video that can be added here")


def _named(file: Path, target: Path) -> bool:
    """Give a file its name for good; False where something has that name."""
    try:
        os.link(file, target)
    except FileExistsError:
        return False
    except OSError:  # a disk without links
        if target.exists() or target.is_symlink():
            return False
        file.rename(target)
    return True
