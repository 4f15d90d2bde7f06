"""What is asked of a store: each answer is of one moment, while others write."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from sqlalchemy import or_, select

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.formats.label_server import DATABASE
from viewfinder.datasets.formats.stored_dataset import SECOND, dataset_of
from viewfinder.datasets.formats.stored_text import checked_path, given
from viewfinder.errors import InputError
from viewfinder.studio.store import history, latecomers, lines, listing, tables, unread
from viewfinder.studio.store.counting import Counting
from viewfinder.studio.store.database import Database, value_of
from viewfinder.studio.store.films import Films
from viewfinder.studio.store.folder_records import UnreadLabels
from viewfinder.studio.store.records import (
    Counts,
    Done,
    Export,
    Filter,
    Kind,
    LabelClass,
    OnePicture,
    Page,
)

# The pictures that have a box.
_BOXED = select(tables.box.c.picture).where(tables.box.c.removed == 0)


class Reader:
    """The half of a `Store` that changes nothing."""

    films: Films
    """Which pictures are frames of videos, and what moves through them."""

    def __init__(self, data: Path, database: Database) -> None:
        self.data, self._database = data, database
        self._counting = Counting()
        self.films = Films(data, database)

    def kind(self) -> Kind | None:
        """What is labelled here; None until it is known."""
        with self._database.read() as connection:
            return value_of(connection, "kind")  # type: ignore[return-value]

    def pictures(self, chosen: Filter | None = None, *, start: int = 0, count: int = 100) -> Page:
        """A part of the list of pictures, in their order; `count` is at most 1000."""
        with self._database.read() as connection:
            return listing.pictures(connection, chosen or Filter(), start=start, count=count)

    def next_picture(
        self, after: int | None = None, chosen: Filter | None = None, *, backwards: bool = False
    ) -> int | None:
        """The id of the next picture in the order, of those that fit; None at the end."""
        with self._database.read() as connection:
            return listing.next_picture(connection, after, chosen or Filter(), backwards=backwards)

    def place_of(self, picture: int, chosen: Filter | None = None) -> int | None:
        """Which of those that fit a picture is, from 0, in their order; None if it does not fit."""
        with self._database.read() as connection:
            return listing.place_of(connection, picture, chosen or Filter())

    def picture(self, picture: int) -> OnePicture:
        """A picture with its boxes and proposals.

        Raises:
            InputError: there is none of this id.
        """
        with self._database.read() as connection:
            one = listing.one_picture(connection, picture)
            return replace(one, moving=self.films.moving(connection, picture))

    def path_of(self, picture: int) -> Path:
        """Where the file of a picture lies.

        Raises:
            InputError: there is none of this id, or a forged database leads out of the folder.
        """
        with self._database.read() as connection:
            row = select(tables.picture.c.path).where(tables.picture.c.id == picture % SECOND)
            path = connection.execute(row).scalar()
        if path is None:
            raise InputError(f"there is no picture {picture}")
        return self.data / PurePosixPath(checked_path(given(path)))

    def folders(self) -> set[str]:
        """The folders below the data's in which pictures lie, and those on the way there."""
        rows = select(tables.picture.c.path).where(tables.picture.c.id < SECOND)
        found = {""}
        with self._database.read() as connection:
            for path in connection.execution_options(yield_per=1000).execute(rows).scalars():
                folder = given(path).rpartition("/")[0]
                while folder not in found:
                    found.add(folder)
                    folder = folder.rpartition("/")[0]
        return found

    def classes(self) -> tuple[LabelClass, ...]:
        """The classes in their order; those that were merged into others stand at the end."""
        with self._database.read() as connection:
            return listing.classes(connection, lambda: self._counting.now(connection).used())

    def counts(self) -> Counts:
        """Pictures by state, boxes and pictures by class."""
        with self._database.read() as connection:
            tally = self._counting.now(connection)
            return tally.counts(listing.merged_into(connection))

    def history(
        self, *, before: int | None = None, count: int = 100, picture: int | None = None
    ) -> tuple[Done, ...]:
        """Who did what when, the last first; before an operation, of a picture."""
        with self._database.read() as connection:
            return history.history(connection, before=before, count=count, picture=picture)

    def notes(self) -> tuple[str, ...]:
        """What reading the folder guessed, clipped or left out, in words for a person."""
        with self._database.read() as connection:
            return history.notes(connection)

    def unread_labels(self) -> tuple[UnreadLabels, ...]:
        """The files of labels that could not be read, with the pictures that wait for them."""
        with self._database.read() as connection:
            return unread.listed(connection)

    def watched_labels(self) -> tuple[str, ...]:
        """The files of labels that are read once they are others, those that were mended too."""
        with self._database.read() as connection:
            return unread.watched(connection)

    def lacks_labels(self) -> bool:
        """Whether a set with files of labels has pictures without any, which may come."""
        with self._database.read() as connection:
            return bool(latecomers.unlabelled(connection))

    def caution(self) -> str:
        """What to know of the disk that the labels lie on, in a sentence; nothing of most."""
        return self._database.caution

    def environment(self) -> dict[str, str]:
        """What another process's environment needs so that it reads these labels: of PostgreSQL
        the address. It may hold a password, and so belongs into no command line and no file."""
        return {} if self._database.url is None else {DATABASE: self._database.url}

    def contents(self) -> bytes:
        """All that operations can change, as JSON lines without revisions: for comparing."""
        with self._database.read() as connection:
            return lines.contents(connection)

    def snapshot(self, *, in_hand: Collection[int] = ()) -> Dataset | None:
        """The labels of this moment as a data set, as `open_dataset` reads them before it deals
        sides; None where files of masks are the labels.

        Args:
            in_hand: pictures that a training leaves out, as people are drawing in them.
        """
        with self._database.read() as connection:

            def ask(sql: str) -> Sequence[Sequence[object]]:
                return connection.exec_driver_sql(sql).fetchall()

            return dataset_of(ask, self.data, self._database.name, in_hand=in_hand)

    def meta(self, key: str) -> str | None:
        """The text that `set_meta` kept."""
        with self._database.read() as connection:
            return value_of(connection, f"page:{key}")

    # Out.

    def export(self, out: Path, *, to: str) -> Export:
        """Write the labels of this moment as a new folder; see `exporting.export`, and of masks
        `subjects.export_masks`."""
        # It writes and reads all layouts, which an opening need not wait for.
        from viewfinder.studio.store import exporting

        exporting.refuse_within(self.data, out)
        if self.kind() == "masks" or to == "masks":
            return self._export_masks(out, to)
        dataset = self.snapshot()
        if dataset is None:
            raise InputError("the folder is still being read: there is nothing to export yet")
        return exporting.export(dataset, out, to=to)

    def _export_masks(self, out: Path, to: str) -> Export:
        if to != "masks" or self.kind() != "masks":
            raise InputError("labels of a saliency set are exported to masks, and no others are")
        from viewfinder.studio.store import subjects

        labelled = self.labelled()
        begun = sum(each.picture.state == "todo" for each in labelled.values())
        bare = self.counts().states["todo"] - begun
        return subjects.export_masks(
            self.data, labelled, out, unread=self._unread(), bare=max(0, bare)
        )

    def _unread(self) -> tuple[str, ...]:
        """The pictures without a box that no file was known to label when they were taken in."""
        table = tables.picture.c
        bare = select(table.path).where(table.listed == 0, table.id.not_in(_BOXED))
        with self._database.read() as connection:
            return tuple(map(given, connection.execute(bare).scalars()))

    def labelled(self) -> dict[str, OnePicture]:
        """The pictures that count as labelled, by path: done, listed by files, or with boxes; and
        none that were skipped or have trouble."""
        table = tables.picture.c
        known = or_(table.state == "done", table.listed == 1, table.id.in_(_BOXED))
        sound = or_(table.trouble == "", table.state == "done")
        chosen = select(table.id).where(table.removed == 0, table.state != "skipped", known, sound)
        with self._database.read() as connection:
            ids = connection.execute(chosen.order_by(table.place, table.id)).scalars().all()
            found = (listing.one_picture(connection, each) for each in ids)
            return {each.picture.path: each for each in found}

    def backup(self, target: Path) -> None:
        """Write a whole copy of the database while others write; see `exporting.backup`."""
        from viewfinder.studio.store import exporting

        exporting.backup(self._database, target)

    def write_lines(self, file: Path) -> None:
        """Write everything, history too, as JSON lines; see `lines`."""
        lines.write(self._database, file)
