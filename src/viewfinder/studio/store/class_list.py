"""The list of classes: its changes, and what must hold of it."""

from sqlalchemy import func, select

from viewfinder.datasets.formats.stored_classes import end_of
from viewfinder.datasets.formats.stored_text import given, kept
from viewfinder.studio.store import tables
from viewfinder.studio.store.changes import PutClass
from viewfinder.studio.store.writing import Contents, Writer


def expect_class(writer: Writer, label: str) -> None:
    """See that there is, or was, a class that something is to be of.

    One that was removed meanwhile is in the list again as soon as something is of it: else all that
    was not sent yet would be refused because somebody tidied the list.

    Raises:
        Conflict: there never was such a class.
    """
    if not writer.get("class", label).revision:
        raise writer.conflict("there is no such class", [("class", label)])


def existing_class(writer: Writer, label: str, base: int) -> Contents:
    contents = writer.expect("class", label, base, "the class")
    if contents is None:
        raise writer.conflict("there is no such class", [("class", label)])
    return contents


def put_class(writer: Writer, change: PutClass) -> None:
    before = writer.expect("class", change.id, change.base, "the class")
    if before is None and change.base:
        raise writer.conflict("the class was removed meanwhile", [("class", change.id)])
    writer.put(
        "class",
        change.id,
        {
            "name": kept(change.name),
            "colour": change.colour,
            "key": kept(change.key),
            "position": change.position,
            "number": before["number"] if before else None,
            "merged": before["merged"] if before else None,
        },
    )


def class_named(writer: Writer, name: str, proposal: str) -> str:
    """The id of the class that a proposal of a name is of now; a new one, at the end of the list,
    where there is none."""
    own = (
        key[1]
        for key, record in writer.records.items()
        if key[0] == "class" and record.now and record.now["name"] == name
    )
    found = writer.names.label(name, proposal) or next(own, None)
    if found:
        return found
    table = tables.label_class
    last = writer.connection.execute(select(func.max(table.c.position))).scalar()
    position = max(
        [-1 if last is None else last]
        + [r.now["position"] for k, r in writer.records.items() if k[0] == "class" and r.now]
    )
    label = f"named-{writer.seq}-{len(writer.changes())}"
    new = {"name": name, "colour": "", "key": "", "position": position + 1}
    writer.put("class", label, new | {"number": None, "merged": None})
    return label


def settle(writer: Writer) -> None:
    """See that the classes still fit together.

    Undo does not ask: two classes of one name, or a removed one with boxes, are then shown as they
    are, for a person to merge.

    Raises:
        Conflict: two classes have one name, were merged in a circle, or one that is in use would be
            removed.
    """
    changed = [key[1] for key in writer.changes() if key[0] == "class"]
    if not changed:
        return
    ids = writer.connection.execute(select(tables.label_class.c.id)).scalars().all()
    writer.load(("class", label) for label in ids)
    classes = {key[1]: record.now for key, record in writer.records.items() if key[0] == "class"}
    live = {label: contents for label, contents in classes.items() if contents is not None}
    merged = {label: contents["merged"] for label, contents in live.items()}
    names = {
        c["name"]: label
        for label, c in live.items()
        if c["merged"] is None and label not in changed
    }
    for label in changed:
        contents = classes[label]
        if contents is None:
            _refuse_used(writer, label, merged)
            continue
        if contents["merged"] is None:
            other = names.setdefault(contents["name"], label)
            if other != label:
                raise writer.conflict(
                    f"there is a class {given(contents['name'])!r} already: merge them instead",
                    [("class", label), ("class", other)],
                )
        elif end_of(contents["merged"], merged) == label or contents["merged"] == label:
            raise writer.conflict("a class cannot be merged into itself", [("class", label)])


def _refuse_used(writer: Writer, label: str, merged: dict[str, str | None]) -> None:
    """Refuse to remove a class that boxes or pictures are of, once this operation is done."""
    uses = sum(into == label for into in merged.values())
    for kind in ("box", "picture"):
        table = tables.RECORDS[kind]
        touched = {key[1]: record for key, record in writer.changes().items() if key[0] == kind}
        found = writer.connection.execute(
            select(table.c.id).where(table.c.label == label, table.c.removed == 0)
        ).scalars()
        uses += sum(str(each) not in touched for each in found)
        uses += sum(
            record.now is not None and record.now["label"] == label for record in touched.values()
        )
    if uses:
        raise writer.conflict(
            f"{uses:,} boxes, pictures or classes are of this class: merge it into another instead",
            [("class", label)],
        )
