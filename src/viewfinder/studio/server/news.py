"""What the folder has that the store does not know yet: looked for beside the server's answers."""

import threading

from viewfinder.errors import InputError
from viewfinder.labelling.proposals import proposals_file
from viewfinder.studio.store import DiskReport, Store
from viewfinder.wording import counted

# Pictures from which looking takes so long that the page's first answers come before it, and
# seconds that these are given.
_MANY, _FIRST = 20_000, 3.0


class News:
    """What was found, in sentences for a person, once it was looked for.

    Attributes:
        said: the sentences.
    """

    def __init__(self) -> None:
        self.said: tuple[str, ...] = ()
        self._ended = threading.Event()

    def end(self) -> None:
        """Begin no look any more."""
        self._ended.set()

    def look(self, store: Store) -> threading.Thread:
        """Look for pictures that came, went or changed, and for what `propose` left, in a thread.

        It begins when the first reading of the folder is over.
        """
        self.said = (store.caution(),) if store.caution() else ()
        thread = threading.Thread(target=self._look, args=(store,), name="news", daemon=True)
        thread.start()
        return thread

    def _look(self, store: Store) -> None:
        try:
            store.wait()
        except InputError:
            return  # the page says what the reading came to
        try:
            if store.pictures(count=0).total > _MANY and self._ended.wait(_FIRST):
                return
            self.said += said_of(store.look_at_disk())
            if proposals_file(store.data).exists():
                new = store.take_proposals()
                if new:
                    self.said += (f"{counted(new, 'new proposal')} of viewfinder propose",)
        except InputError as error:
            self.said += (str(error),)


def said_of(report: DiskReport) -> tuple[str, ...]:
    """What became of the folder's files, in sentences."""
    parts = (
        (report.added, "came into the folder"),
        (report.moved, "moved within the folder; their labels went along"),
        (report.found_again, "came back"),
        (report.missing, "missing: their labels are kept"),
        (report.changed, "changed since labelled: look whether their labels still fit"),
    )
    return tuple(f"{counted(len(names), 'picture')} {what}" for names, what in parts if names)
