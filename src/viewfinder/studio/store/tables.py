"""The tables of the store. One change of them is one more schema version, with its migration.

Each record's columns beside `rev`, `removed` and `touched` are its contents: what operations
change, and what undo brings back. Texts of strangers stand as `stored_text.kept` writes them, flags
as 0 and 1, and masks as JSON, so that both databases give back what they were given.

The reader of `datasets/formats/stored_dataset.py` names some of these columns too.
"""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, Table, Text
from sqlalchemy.schema import SchemaItem

from viewfinder.datasets.formats.stored_dataset import SCHEMA as SCHEMA

metadata = MetaData()
_BIG = BigInteger().with_variant(Integer, "sqlite")
_DOUBLE = Float(53)

meta = Table(
    "meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False)
)


def _placed() -> list[SchemaItem]:
    """What a box and a proposal have."""
    corners = [Column(name, _DOUBLE, nullable=False) for name in ("x1", "y1", "x2", "y2")]
    mask, source = Column("mask", Text), Column("source", Text, nullable=False)
    return [*corners, mask, source, Column("score", _DOUBLE)]


label_class = Table(
    "class",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("colour", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("position", _BIG, nullable=False),
    Column("number", _BIG),
    Column("merged", Text),
    Column("rev", _BIG, nullable=False),
    Column("removed", Integer, nullable=False),
)

picture = Table(
    "picture",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("path", Text, nullable=False, unique=True),
    Column("width", _BIG, nullable=False),
    Column("height", _BIG, nullable=False),
    Column("label", Text),
    Column("state", Text, nullable=False),
    Column("side", Integer, nullable=False),
    Column("grp", Text, nullable=False),
    Column("number", _BIG),
    Column("listed", Integer, nullable=False),
    Column("ready", Integer, nullable=False),
    Column("size", _BIG),
    Column("mtime", _BIG),
    Column("digest", Text),
    Column("missing", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("trouble", Text, nullable=False),
    Column("place", _BIG, nullable=False),
    Column("rev", _BIG, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("touched", _BIG, nullable=False),
    Index("picture_order", "removed", "place", "id"),
    Index("picture_state_order", "removed", "state", "place", "id"),
    Index("picture_label", "label"),
)

box = Table(
    "box",
    metadata,
    Column("id", Text, primary_key=True),
    Column("picture", Integer, nullable=False),
    Column("label", Text, nullable=False),
    *_placed(),
    Column("track", Text),
    Column("key_frame", Integer, nullable=False),
    Column("difficult", Integer, nullable=False),
    Column("crowd", Integer, nullable=False),
    Column("area", _DOUBLE),
    Column("number", _BIG),
    Column("place", _BIG, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", _DOUBLE, nullable=False),
    Column("rev", _BIG, nullable=False),
    Column("removed", Integer, nullable=False),
    # Without statistics SQLite takes the index that more columns are asked of.
    Index("box_picture", "picture", "removed"),
    Index("box_label", "label", "removed"),
)

proposal = Table(
    "proposal",
    metadata,
    Column("id", Text, primary_key=True),
    Column("picture", Integer, nullable=False),
    Column("run", Text, nullable=False),
    Column("name", Text, nullable=False),
    *_placed(),
    Column("state", Text, nullable=False),
    Column("box", Text),
    Column("place", _BIG, nullable=False),
    Column("rev", _BIG, nullable=False),
    Column("removed", Integer, nullable=False),
    Index("proposal_picture", "picture"),
    Index("proposal_state", "state", "picture"),
)

operation = Table(
    "operation",
    metadata,
    Column("seq", _BIG, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("at", _DOUBLE, nullable=False),
    Column("person", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("of", _BIG),
    Column("changes", _BIG, nullable=False),
)

change = Table(
    "change",
    metadata,
    Column("seq", _BIG, primary_key=True, autoincrement=False),
    Column("n", _BIG, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("record", Text, nullable=False),
    Column("picture", Integer),
    Column("before", Text),
    Column("after", Text),
    Index("change_picture", "picture"),
    Index("change_record", "kind", "record"),
)

undoing = Table(
    "undoing",
    metadata,
    Column("seq", _BIG, primary_key=True, autoincrement=False),
    Column("person", Text, nullable=False),
    Column("undone", Integer, nullable=False),
    Index("undoing_person", "person", "undone", "seq"),
)

FORGOTTEN, SETTLED = 2, 3
"""What `undone` says of an operation that was undone, and one that was not, which stay so: before
another edit, or as all that it changed was read from a file since."""
PASSED = 4
"""What is added to `undone` of an operation that could not be undone or done again, which was said:
undo and redo pass over it until what is in the way is taken back."""
IN_FORCE = (0, PASSED)

carried = Table(
    "carried",
    metadata,
    Column("picture", Integer, primary_key=True, autoincrement=False),
    Column("track", Text, primary_key=True),
    Column("first", Text, nullable=False),
    Column("second", Text, nullable=False),
    *_placed()[:4],
    Column("sure", _DOUBLE, nullable=False),
)
"""What was followed through the pictures between two keys, whose marks these are: found anew where
they are others, and no edit."""

RECORDS: dict[str, Table] = {
    "box": box,
    "class": label_class,
    "picture": picture,
    "proposal": proposal,
}
CONTENTS: dict[str, tuple[str, ...]] = {
    "box": tuple(c.name for c in box.columns if c.name not in ("id", "rev", "removed")),
    "class": tuple(c.name for c in label_class.columns if c.name not in ("id", "rev", "removed")),
    # What files say of a picture is no edit; whether it waits for its file is one, where a person
    # says that it does not, and where the file is read late.
    "picture": ("label", "state", "ready", "listed", "trouble"),
    "proposal": tuple(c.name for c in proposal.columns if c.name not in ("id", "rev", "removed")),
}
