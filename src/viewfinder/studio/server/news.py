"""What the folder has that the store does not know yet: looked for beside the server's answers."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from viewfinder.datasets.digests import of_files
from viewfinder.datasets.survey import survey
from viewfinder.errors import InputError
from viewfinder.labelling.proposals import proposals_file
from viewfinder.pictures.finding import is_picture
from viewfinder.studio.store import DiskReport, Store
from viewfinder.wording import counted, some

# Pictures from which looking takes so long that the page's first answers come before it, and
# seconds that these are given.
_MANY, _FIRST = 20_000, 3.0
EVERY = 2.0
"""Seconds between two glances at the folders and at the pictures that were shown last."""
# Times as long as a glance, or as looking at everything, takes, until the next.
_SPARING = 20
# Pictures that were shown last: of these, that they were written anew is seen too.
_SHOWN = 16
# Of files that may say what a set is: its classes, its lists.
_SAYING = {".yaml", ".yml", ".data", ".names", ".txt"}
# Of files of labels.
_LABELS = (".txt", ".xml", ".json")
# Keeps which file of proposals was taken in.
_TAKEN = "taken"
Signs = tuple[object, ...]


class News:
    """What was found, in sentences for a person, once it was looked for.

    A folder's time changes when a file in it comes, goes or gets another name: that of each folder
    with pictures is asked for every two seconds, and everything is looked at where one changed.

    Attributes:
        said: the sentences.
    """

    def __init__(self) -> None:
        self.said: tuple[str, ...] = ()
        self._ended = threading.Event()
        self._shown: OrderedDict[Path, Signs] = OrderedDict()
        self._lock = threading.Lock()

    def end(self) -> None:
        """Begin no look any more."""
        self._ended.set()

    def showed(self, file: Path) -> None:
        """A picture is being shown: whether it changes is looked at for a while."""
        with self._lock:
            self._shown[file] = _sign_of(file)
            self._shown.move_to_end(file)
            while len(self._shown) > _SHOWN:
                self._shown.popitem(last=False)

    def tell(self, said: tuple[str, ...]) -> None:
        """Tell every page what was found."""
        with self._lock:
            self.said += said

    def look(self, store: Store, busy: Callable[[], bool] = lambda: False) -> threading.Thread:
        """Look for pictures that came, went or changed, and for what `propose` left, in a thread.

        It begins when the first reading of the folder is over, and goes on until `end`.

        Args:
            busy: whether the server itself puts files into the folder, of which it tells.
        """
        self.said = (store.caution(),) if store.caution() else ()
        thread = threading.Thread(target=self._look, args=(store, busy), name="news", daemon=True)
        thread.start()
        return thread

    def _look(self, store: Store, busy: Callable[[], bool]) -> None:
        while not _is_read(store):
            # The page says what the reading came to: it is tried again once a file is another.
            if not self._another(store.data):
                return
            store.read_again()
        if store.pictures(count=0).total > _MANY and self._ended.wait(_FIRST):
            return
        self._tell(lambda: proposals_of(store))
        self._watch(store, busy)

    def _another(self, data: Path) -> bool:
        """Wait until a file that may be one of labels is another, and rests; False at the end."""
        seen = last = _files(data)
        pause = EVERY
        while not self._ended.wait(pause):
            begun = time.perf_counter()
            now = _files(data)
            if now != seen and now == last:
                return True
            last = now
            pause = max(EVERY, _SPARING * (time.perf_counter() - begun))
        return False

    def _tell(self, find: Callable[[], tuple[str, ...]]) -> None:
        try:
            self.tell(find())
        except InputError as error:
            if str(error) not in self.said:
                self.tell((str(error),))

    def _watch(self, store: Store, busy: Callable[[], bool]) -> None:
        """Look once, and again whenever a folder or a picture in sight changed and rests again."""
        places: tuple[Path, ...] = (store.data,)
        seen: Signs | None = None
        last: Signs | None = None
        pause = 0.0
        while not self._ended.wait(pause):
            begun = time.perf_counter()
            # A folder that is not there has been moved, or its disk is away: it may come back.
            if store.data.is_dir() and not busy():
                now = (*self._signs(places), _unread(store))
                if now != seen and (now == last or seen is None):
                    self._tell(lambda: said_of(store.look_at_disk()))
                    before, places = places, _places(store)
                    # What changed while it was looked at is looked at again.
                    now = seen = now if before == places else (*self._signs(places), _unread(store))
                last = now
            pause = max(EVERY, _SPARING * (time.perf_counter() - begun))

    def _signs(self, places: tuple[Path, ...]) -> Signs:
        """What tells that something changed: the times of folders and files, and which pictures in
        sight are others than those that were shown."""
        with self._lock:
            shown = list(self._shown.items())
        others = [(file, now) for file, was in shown if (now := _sign_of(file)) != was]
        return (*map(_time_of, places), *others)


def _is_read(store: Store) -> bool:
    try:
        store.wait()
    except InputError:
        return False
    return True


def _files(data: Path) -> Signs:
    """What tells that a file beside the pictures changed, any of which may be labels."""
    try:
        seen = survey(data).files.values()
    except InputError:
        return ()
    return tuple((path, _time_of(data / path)) for paths in seen for path in paths)


def _places(store: Store) -> tuple[Path, ...]:
    """The folders in which pictures lie, and where labels could not be read, or not at first, what
    they hang on: those files and their folders, and the files that say what the set is."""
    try:
        unread = [store.data / file for file in store.watched_labels()]
        folders = [store.data / each for each in sorted(store.folders())]
        beside = sorted({file.parent for file in unread} - {*folders})
        if store.lacks_labels():
            files = survey(store.data)
            labels = {store.data / path for path in files.of(*_LABELS)}
            beside = sorted({*beside, *(file.parent for file in labels)} - {*folders})
        top = [file for file in _top(store.data) if file not in unread] if unread else []
        return (*folders, *unread, *beside, *top)
    except InputError:  # the database is away for a moment
        return (store.data,)


def _unread(store: Store) -> Signs:
    """The files of labels that are waited for, or were: one more may be mended already."""
    try:
        return store.watched_labels()
    except InputError:
        return ()


def _top(data: Path) -> list[Path]:
    """The files in a set's own folder that may say what it is."""
    try:
        return [file for file in sorted(data.iterdir()) if file.suffix.lower() in _SAYING]
    except OSError:
        return []


def _time_of(place: Path) -> tuple[int, int] | None:
    try:
        status = place.stat()
    except OSError:
        return None
    # Who may read it is in no other time.
    return status.st_mtime_ns, status.st_ctime_ns


def _sign_of(file: Path) -> Signs:
    try:
        status = file.stat()
    except OSError:
        return ()
    return status.st_size, status.st_mtime_ns


def proposals_of(store: Store) -> tuple[str, ...]:
    """Take in what `viewfinder propose` left since, and say so."""
    file = proposals_file(store.data)
    if not file.exists():
        return ()
    # Not once more what was taken before: classes may have other names by now. Pictures may be new.
    pictures = sum(store.counts().states.values())
    sign = f"{of_files([file])[0].hex()} of {pictures}"
    if store.meta(_TAKEN) == sign:
        return ()
    new = store.take_proposals()
    store.set_meta(_TAKEN, sign)
    return (f"{counted(new, 'new proposal')} of viewfinder propose",) if new else ()


def said_of(report: DiskReport) -> tuple[str, ...]:
    """What became of the folder's files, in sentences."""
    moved = [f"{old} → {new}" for old, new in report.moved]
    parts = (
        (report.added, "came into the folder", ""),
        (moved, "moved", ": the labels went along"),
        (report.found_again, "came back", ""),
        (report.missing, "missing", ": moved away or deleted; put back, they have their labels"),
        (report.changed, "changed since labelled", ": look whether the labels still fit"),
    )
    said = [
        f"{counted(len(names), 'picture')} {what} ({some(names)}){then}"
        for names, what, then in parts
        if names
    ]
    pictures = [path for path in report.read if is_picture(path)]
    if files := [path for path in report.read if path not in pictures]:
        those = counted(len(files), "file of labels", "files of labels")
        said.append(f"{those} mended, and read now ({some(files)})")
    for paths, what in ((pictures, "mended"), (report.late, "came later")):
        if paths:
            of = counted(len(paths), "picture")
            said.append(f"{of} {what}, and the labels are read ({some(paths)})")
    return (*said, *(f"still not read: {why}" for why in report.unread), *report.remarks)
