"""The store of a data folder: everything that the studio asks of it, from any thread."""

import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from viewfinder import events
from viewfinder.errors import InputError
from viewfinder.labelling.proposals import Proposals, read_proposals
from viewfinder.studio.store import disk, history, proposing, restoring, undoing, unread
from viewfinder.studio.store.applying import apply_all, said_of
from viewfinder.studio.store.changes import Operation, checked, checked_id
from viewfinder.studio.store.database import Database, set_value, value_of
from viewfinder.studio.store.folder_records import DiskReport
from viewfinder.studio.store.opinions import Opinions
from viewfinder.studio.store.proposed_kind import refuse_boxes
from viewfinder.studio.store.reader import Reader
from viewfinder.studio.store.records import (
    Applied,
    Kind,
    Progress,
    Unavailable,
)
from viewfinder.studio.store.seats import Seats
from viewfinder.studio.store.taking_in import take_in
from viewfinder.studio.store.writing import Writer


class Store(Reader):
    """Labels that are kept as operations; see `viewfinder.studio.store`. Made by `open_store`."""

    seats: Seats
    """Who is where, and holds which picture."""
    opinions: Opinions
    """What a second person finds in some of the pictures."""

    def __init__(self, data: Path, database: Database, kind: Kind | None) -> None:
        super().__init__(data, database)
        self.seats, self.opinions = Seats(database), Opinions(database)
        self._again = threading.Lock()
        self._progress, self._wanted = Progress("done", 0, 0), kind
        self._reading: threading.Thread | None = None
        with database.read() as connection:
            done = value_of(connection, "import") == "done"
        if not done:
            self._read()

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for a first reading to end, and close the database."""
        if self._reading is not None:
            self._reading.join()
        with contextlib.suppress(InputError):  # they are counted anew where they are not kept
            self._counting.keep(self._database)
        self._database.close()

    def progress(self) -> Progress:
        """How far the first reading is."""
        return self._progress

    def wait(self) -> None:
        """Until the first reading is over.

        Raises:
            InputError: it failed.
        """
        if self._reading is not None:
            self._reading.join()
        if self._progress.stage == "failed":
            raise InputError(self._progress.trouble)

    def read_again(self) -> None:
        """Begin a first reading again that failed; nothing where it did not."""
        with self._again:
            if self._progress.stage == "failed":
                self._read()

    def _read(self) -> None:
        self._progress = Progress("reading", 0, 0)
        self._reading = threading.Thread(target=self._take_in, name="first reading", daemon=True)
        self._reading.start()

    def _take_in(self) -> None:
        def report(progress: Progress) -> None:
            self._progress = progress

        with events.listening():
            try:
                take_in(self._database, self.data, self._wanted, report)
            except InputError as error:
                self._progress = Progress("failed", 0, 0, str(error))
            except Exception as error:
                self._progress = Progress("failed", 0, 0, f"reading {self.data} failed: {error!r}")

    # Writing.

    def apply(self, operation: Operation) -> Applied:
        """Apply an operation, once however often it is sent; it is on the disk on return.

        Raises:
            Conflict: a change is based on another revision than the record has; nothing was done.
            InputError: the operation is malformed, or the database cannot be written.
        """
        checked(operation)

        def work(writer: Writer) -> str:
            refuse_boxes(writer.connection, operation.changes)
            undoing.forget_undone(writer.connection, operation.person)
            apply_all(writer, operation)
            return said_of(operation)

        return self._once(operation.id, operation.person, operation.session, "edit", work)

    def undo(
        self, id: str, person: str | None = "", session: str = "", *, seq: int | None = None
    ) -> Applied:
        """Undo the last operation of a person (None: of anybody), or the one numbered `seq`.

        One that cannot be undone is refused once; the next undo passes over it, until what was in
        the way is undone itself.

        Raises:
            Conflict: another has changed since what this would change.
            InputError: there is nothing to undo.
        """
        return self._turn(id, person, session, seq, back=True)

    def redo(
        self, id: str, person: str | None = "", session: str = "", *, seq: int | None = None
    ) -> Applied:
        """Do again what a person undid last.

        Raises:
            Conflict: another has changed since what this would change.
            InputError: there is nothing to do again.
        """
        return self._turn(id, person, session, seq, back=False)

    def _turn(
        self, id: str, person: str | None, session: str, seq: int | None, *, back: bool
    ) -> Applied:
        target: list[int] = []

        def work(writer: Writer) -> str:
            find = undoing.last_done if back else undoing.first_undone
            found = seq if seq is not None else find(writer.connection, person)
            if found is None:
                raise InputError(f"there is nothing to {'undo' if back else 'do again'}")
            target.append(found)
            stayed = undoing.turn(writer, found, back=back)
            but = ", but for what was read from its file since" if stayed else ""
            word = "undone" if back else "done again"
            return f"{word}: {history.said(writer.connection, found)}{but}"

        kind = "undo" if back else "redo"
        try:
            return self._once(id, person or "", session, kind, work, of=target)
        except Unavailable:
            raise
        except InputError as error:
            with self._database.write() as connection:
                passed = undoing.pass_over(connection, person, seq, back=back)
            if passed:
                them = "it" if passed == 1 else f"it, and {passed - 1:,} more that are so"
                error.args = (f"{error}: the next {kind} passes over {them}",)
            raise

    def restore(self, id: str, seq: int, person: str = "", session: str = "") -> Applied:
        """Make all labels what they were after operation `seq` (0: as they were first read).

        It is an operation like others, and can be undone.
        """

        def work(writer: Writer) -> str:
            undoing.forget_undone(writer.connection, person)
            restoring.restore(writer, seq)
            after = history.said(writer.connection, seq)
            return f"all labels as after “{after}”" if seq else "all labels as first read"

        return self._once(id, person, session, "restore", work)

    def label_anew(self, id: str, picture: int, person: str = "", session: str = "") -> Applied:
        """Let a picture be labelled whose file of labels could not be read; see `unread`.

        Raises:
            InputError: it does not wait for any file.
        """

        def work(writer: Writer) -> str:
            undoing.forget_undone(writer.connection, person)
            said = unread.label_anew(writer, picture)
            undoing.meet_again_of(writer.connection, [picture])
            return said

        return self._once(id, person, session, "edit", work)

    def propose(
        self,
        run: str,
        proposals: Proposals,
        *,
        id: str | None = None,
        alone: bool = False,
        as_of: int | None = None,
    ) -> int:
        """Keep a run's proposals in place of its open ones, of the pictures that it looked at.

        No label changes. What was accepted or rejected of this run is not proposed again.

        Args:
            alone: open ones of other runs give place to these, too.
            as_of: the operation after which classes had the names that these have; this one's
                otherwise.

        Returns:
            how many are new.
        """
        with self._database.write() as connection:
            writer = Writer(connection, run)
            made = proposing.propose(writer, run, proposals, alone=alone, as_of=as_of)
            said = f"{made:,} proposed by {run}"
            writer.finish(id or f"propose-{writer.seq}", "propose", said, undoable=False)
        return made

    def take_proposals(self) -> int:
        """Keep what `viewfinder propose` left for this folder, by what made each.

        Raises:
            InputError: the file is damaged.
        """
        everything = read_proposals(self.data)
        return sum(self.propose(run, part) for run, part in proposing.by_run(everything).items())

    def set_meta(self, key: str, value: str) -> None:
        """Keep a short text, such as a person's keys, beside the labels."""
        if len(key) > 100 or len(value) > 100_000:
            raise InputError("what is kept beside the labels is a short text")
        with self._database.write() as connection:
            set_value(connection, f"page:{key}", value)

    def look_at_disk(self) -> DiskReport:
        """Notice pictures that were added, moved, changed or are missing since last looked at.

        Rows are added and marked, and never removed. It walks the folder: call it in a thread.
        """
        return disk.look(self._database, self.data)

    def add_pictures(self, paths: Sequence[str]) -> None:
        """Take in pictures that were put into the folder; paths are relative to it.

        Raises:
            InputError: the first reading is not over.
        """
        disk.add(self._database, self.data, paths)

    def home(self) -> str:
        """Where pictures of a set with label files lie, if in one folder; else empty."""
        return disk.home(self._database)

    def _once(
        self,
        id: str,
        person: str,
        session: str,
        kind: str,
        work: Callable[[Writer], str],
        *,
        of: list[int] | None = None,
    ) -> Applied:
        """One operation in one transaction, unless it was applied before."""
        checked_id(id)
        with self._database.write() as connection:
            if (before := history.applied(connection, id)) is not None:
                return before
            writer = Writer(connection, person, session)
            said = work(writer)
            unread.follow(writer)
            return writer.finish(
                id, kind, said, of=of[0] if of else None, undoable=kind in ("edit", "restore")
            )
