"""Videos in the store: which pictures are frames of one, and what moves between key frames.

Keys are boxes with a track, edited as all others are. What lies between them stands in no table and
is found when it is asked for, so that it follows an edit, and its undoing, by itself.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import Connection, select

from viewfinder.datasets.footage import Between, Key, footage_of
from viewfinder.datasets.formats.stored_dataset import SECOND
from viewfinder.datasets.formats.stored_rows import (
    IN_ORDER,
    MOTION,
    between_keys,
)
from viewfinder.datasets.formats.stored_text import given, kept
from viewfinder.errors import InputError
from viewfinder.labelling.certainty import FLOW, LINEAR, expected_iou
from viewfinder.studio.store import listing, tables
from viewfinder.studio.store.database import Database, set_value, value_of
from viewfinder.studio.store.film_records import Corners, Film, FilmFrame, Moving, State, TrackOf
from viewfinder.studio.store.records import Box
from viewfinder.studio.store.reels import (
    Reel,
    Span,
    likeness_of,
    parts,
    pictures_of,
    spans_waiting,
    states_of,
    tracked,
)

DOUBTED = 0.7
"""An interpolated box of less IoU than this with a detector's is where to look."""
MOTIONS = ("linear", "flow")
_p, _k = tables.picture.c, tables.carried.c


class Films:
    """The videos of one store."""

    def __init__(self, data: Path, database: Database) -> None:
        self._data, self._database = data, database

    def moving(self, connection: Connection, picture: int) -> tuple[Moving, ...]:
        """What moves through a picture, if it is a frame."""
        try:
            reel = self._reel(connection, picture)
        except InputError:  # a list that is damaged: then nothing is known to be a frame
            return ()
        if reel is None:
            return ()
        ends = listing.merges(connection)
        return tuple(_moving(one, ends) for id, one in self._between(reel) if id == picture)

    def film(self, picture: int) -> Film | None:
        """The video that a picture is a frame of; None of one that is none.

        Raises:
            InputError: its list of frames is damaged.
        """
        with self._database.read() as connection:
            reel = self._reel(connection, picture)
            if reel is None:
                return None
            found = self._between(reel)
            ends = listing.merges(connection)
            motion = self._motion(connection, reel.footage.video)
            waiting = len(spans_waiting(reel)) if motion == "flow" else 0
            states = states_of(connection, list(reel.ids.values()))
            likeness = likeness_of(connection, found, ends)
        frames = tuple(_frames(reel, found, states, likeness))
        tracks = tuple(_tracks(reel.keys(), ends))
        looked = next_frame(frames)
        return Film(reel.footage.video, motion, frames, tracks, waiting, looked)

    def boxes(self, picture: int, track: str) -> tuple[Box, ...]:
        """The keys of a track through the video of a picture, in its order."""
        with self._database.read() as connection:
            reel = self._reel(connection, picture)
            if reel is None:
                return ()
            places = {id: place for place, id in enumerate(reel.ids.values())}
            mine = sorted(
                {row.picture for row in reel.boxes if given(str(row.track)) == track},
                key=places.__getitem__,
            )
            found = (listing.one_picture(connection, id).boxes for id in mine)
            return tuple(box for boxes in found for box in boxes if box.track == track)

    def move(self, picture: int, motion: str) -> None:
        """How things move between the keys of a picture's video.

        Raises:
            InputError: it is no frame of a video, or no such motion.
        """
        if motion not in MOTIONS:
            raise InputError(f"between keys things move {' or '.join(MOTIONS)}")
        with self._database.write() as connection:
            reel = self._reel(connection, picture)
            if reel is None:
                raise InputError("this picture is no frame of a video")
            set_value(connection, _motion_key(reel.footage.video), motion)
            if motion == "linear":
                for part in parts(list(reel.ids.values())):
                    connection.execute(tables.carried.delete().where(_k.picture.in_(part)))

    def order(self, folder: str, on: bool) -> None:
        """Whether the pictures of a folder are frames in their order, where no list says so."""
        with self._database.write() as connection:
            folders = set(self._in_order(connection)) - {folder}
            text = json.dumps(sorted(folders | {folder} if on else folders))
            set_value(connection, f"page:{IN_ORDER}", text)

    def to_follow(self, picture: int) -> list[Span]:
        """What is still to be followed in the video of a picture."""
        with self._database.read() as connection:
            reel = self._reel(connection, picture)
            if reel is None or self._motion(connection, reel.footage.video) != "flow":
                return []
            return spans_waiting(reel)

    def keep(self, span: Span, found: Sequence[tuple[Corners, float]]) -> None:
        """Keep what was followed between two keys; it counts as long as they are what they were.

        Args:
            found: for each frame between them the corners, and how sure they are.
        """
        rows = [
            {
                "picture": id, "track": kept(span.first.track), "first": span.first.mark,
                "second": span.second.mark, "x1": x1, "y1": y1, "x2": x2, "y2": y2, "sure": sure,
            }
            for id, ((x1, y1, x2, y2), sure) in zip(span.ids[1:-1], found, strict=True)
        ]  # fmt: skip
        with self._database.write(passing=True) as connection:
            for part in parts([row["picture"] for row in rows]):
                mine = _k.picture.in_(part), _k.track == kept(span.first.track)
                connection.execute(tables.carried.delete().where(*mine))
            if rows:
                connection.execute(tables.carried.insert(), rows)

    # Reading.

    def _in_order(self, connection: Connection) -> list[str]:
        return list(json.loads(value_of(connection, f"page:{IN_ORDER}") or "[]"))

    def _motion(self, connection: Connection, video: str) -> str:
        motion = value_of(connection, _motion_key(video))
        return motion if motion in MOTIONS else MOTIONS[0]

    def _reel(self, connection: Connection, picture: int) -> Reel | None:
        row = connection.execute(select(_p.path).where(_p.id == picture)).scalar()
        if row is None or picture >= SECOND:
            return None
        path = given(row)
        folder, in_order = path.rpartition("/")[0], self._in_order(connection)
        if folder not in in_order and not (self._data / folder / "frames.json").is_file():
            return None
        ids = pictures_of(connection, folder)
        footage = next((f for f in footage_of(self._data, ids, in_order) if path in f.paths), None)
        if footage is None or len(footage.paths) < 2:
            return None
        mine = {each: ids[each] for each in footage.paths}
        boxes, carried = tracked(connection, list(mine.values()))
        return Reel(footage, mine, boxes, carried)

    def _between(self, reel: Reel) -> list[tuple[int, Between]]:
        in_order = [path.rpartition("/")[0] for path in reel.footage.paths[:1]]
        return list(between_keys(self._data, in_order, reel.ids, reel.boxes, reel.carried))


def next_frame(frames: Sequence[FilmFrame]) -> int | None:
    """Which frame to look at next: of those to do the one whose interpolated box is least like a
    detector's, if that is below `DOUBTED`; else the one of which least is expected, if it is."""
    open_ = [each for each in frames if each.state == "todo" and each.moving]
    seen = [(each.likeness, each.id) for each in open_ if each.likeness is not None]
    expected = [(each.score, each.id) for each in open_ if each.likeness is None]
    for found in (seen, expected):
        if found and min(found)[0] < DOUBTED:
            return min(found)[1]
    return None


def _motion_key(video: str) -> str:
    return f"{MOTION}:{kept(video)}"


def _moving(one: Between, ends: dict[str, str]) -> Moving:
    score = expected_iou(one.sure, FLOW if one.followed else LINEAR)
    source = "track" if one.followed else "interpolation"
    return Moving(one.track, ends.get(one.label, one.label), one.corners, score, source)


def _frames(
    reel: Reel,
    found: Sequence[tuple[int, Between]],
    states: dict[int, tuple[State, int]],
    likeness: dict[int, float],
) -> Iterable[FilmFrame]:
    keys: dict[int, list[str]] = {}
    for row in reel.boxes:
        keys.setdefault(row.picture, []).append(given(str(row.track)))
    scores: dict[int, list[float]] = {}
    for id, one in found:
        scores.setdefault(id, []).append(expected_iou(one.sure, FLOW if one.followed else LINEAR))
    for path in reel.footage.paths:
        id = reel.ids[path]
        state, revision = states[id]
        own = scores.get(id, [])
        yield FilmFrame(
            id, state, revision, tuple(keys.get(id, ())), len(own), likeness.get(id),
            min(own, default=1.0),
        )  # fmt: skip


def _tracks(keys: Iterable[Key], ends: dict[str, str]) -> Iterable[TrackOf]:
    rows: dict[str, list[Key]] = {}
    for key in sorted(keys, key=lambda key: key.place):
        rows.setdefault(key.track, []).append(key)
    for track, own in sorted(rows.items()):
        first, last = own[0], own[-1]
        label = ends.get(last.label, last.label)
        yield TrackOf(track, label, first.place, last.place, first.corners, last.corners)
