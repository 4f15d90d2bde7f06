"""The count of classes in files beside the code: Darknet's `.cfg`, `.names` and `.data`, and YAML.

Of YOLOv3 it stands in four places: `classes` and `filters` in the `.cfg`, the lines of the `.names`
and `classes` in the `.data`. What of these does not go together fails late, or learns nonsense.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from viewfinder.doctor.code.counts import ClassCounts, Written
from viewfinder.doctor.code.remark import CodePlace, Remark
from viewfinder.errors import InputError
from viewfinder.reading import read_bytes
from viewfinder.wording import counted

# Bytes; a longer one is data, and no settings.
_MOST_BYTES = 1_000_000
_NET = re.compile(r"^\s*\[(net|network)\]", re.MULTILINE | re.IGNORECASE)
_CLASSES = re.compile(r"^\s*classes\s*=\s*(\d{1,6})\s*(?:[#;].*)?$", re.MULTILINE)
_NAMES = re.compile(r"^\s*names\s*=\s*(\S.*?)\s*$", re.MULTILINE)
_COUNTS = ("nc", "num_classes")
_LISTS = ("names", "classes")
# What a box is besides its classes: four sides, and whether there is one.
_BOX = 5
# Characters of a line that is quoted.
_LONGEST = 300


@dataclass
class Settings:
    """What the files say.

    Attributes:
        nets: counts of classes by the last layers of Darknet's nets.
        lists: by what names or counts the classes of a set.
        filters: the layers before Darknet's last ones, each with the count that it follows from.
        remarks: of what does not go together within a file, or with the one that it leads to.
        unread: files that could not be read, each with why.
    """

    nets: list[Written] = field(default_factory=list)
    lists: list[Written] = field(default_factory=list)
    filters: list[Written] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def counts(self) -> ClassCounts:
        """As of code that was not written for this count alone."""
        return ClassCounts((*self.nets, *self.lists), tuple(self.filters))


def read_settings(files: list[tuple[Path, str]]) -> Settings:
    """Read what says of classes; other files that end so are passed over."""
    settings = Settings()
    names = {file: name for file, name in files if file.suffix.lower() == ".names"}
    for file, name in files:
        text = _text(file)
        if text is None:
            continue
        try:
            kind = file.suffix.lower()
            if kind == ".cfg" and _NET.search(text):
                _config(text, name, settings)
            elif kind == ".names":
                _of_names(text, name, settings)
            elif kind == ".data":
                _data(text, file, name, names, settings)
            elif kind in (".yaml", ".yml"):
                _yaml(text, file, name, settings)
        except InputError as error:
            settings.unread.append(str(error))
    return settings


def disagreeing(settings: Settings, counts: list[ClassCounts]) -> Iterator[Remark]:
    """Lists of classes that no net in the project has the count of, and code with another one."""
    nets = {each.count for each in settings.nets}
    for each in settings.lists:
        if nets and each.count not in nets:
            net = settings.nets[0]
            yield Remark(
                *("class-count", "warning", each.place),
                f"{counted(each.count, 'class', 'classes')} here, and no .cfg here has as many: "
                f"{net.place} has {net.count}",
                "a net numbers its classes: those that have no name, or no number, are lost",
                _to_write(each.count),
                tuple(one.place for one in settings.nets[:20]),
            )
    all_said = {each.count for each in (*settings.nets, *settings.lists)}
    chosen = [w for one in counts for w in one.written if w.chosen and not w.weak]
    if len(all_said) == 1 and len({each.count for each in chosen}) == 1:
        first, said = chosen[0], next(iter((*settings.nets, *settings.lists)))
        if first.count != said.count:
            yield Remark(
                *("class-count", "warning", first.place),
                f"{first.count} classes here, and {said.count} in {said.place}",
                "a class that only one of them knows shows late: as a shape that does not fit, or "
                "as one that is never learnt",
                f"# {said.count} here, or {first.count} there",
                (said.place, *(each.place for each in chosen[1:])),
            )


def _to_write(classes: int) -> str:
    return f"classes={classes}   # in each [yolo]\nfilters={3 * (classes + _BOX)}   # before each"


def _text(file: Path) -> str | None:
    try:
        if file.stat().st_size > _MOST_BYTES:
            return None
        return read_bytes(file).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None


def _place(text: str, name: str, line: int) -> CodePlace:
    lines = re.split(r"\r\n|\n|\r", text)
    return CodePlace(name, line, lines[line - 1].strip()[:_LONGEST])


def _config(text: str, name: str, settings: Settings) -> None:
    """The last layers of a net, each with the convolution before it."""
    from viewfinder.nets.darknet.grammar import read_sections

    sections = read_sections(text, name)
    own: list[Written] = []
    for before, section in itertools.pairwise(sections):
        if section.kind not in ("yolo", "region"):
            continue
        classes = section.integer("classes", 20)
        line = section.values["classes"].line if "classes" in section.values else section.line
        own.append(Written(classes, _place(text, name, line), False))
        boxes = section.integer("num", 1)
        if section.kind == "yolo" and "mask" in section.values:
            boxes = len(section.integers("mask"))
        if before.kind != "convolutional":
            continue
        wanted, filters = boxes * (classes + _BOX), before.integer("filters", 1)
        line = before.values["filters"].line if "filters" in before.values else before.line
        place = _place(text, name, line)
        if filters == wanted:
            settings.filters.append(Written(classes, place, False))
        else:
            settings.remarks.append(
                Remark(
                    *("class-count", "broken", place),
                    f"filters is {filters} before a [{section.kind}] of "
                    f"{counted(classes, 'class', 'classes')}: it must be {wanted}",
                    f"filters = (classes + {_BOX}) · {boxes}, the boxes of each place: else the "
                    "net is not built",
                    f"filters={wanted}",
                    (own[-1].place,),
                )
            )
    if len({each.count for each in own}) > 1:
        last = own[-1]
        other = next(each for each in own if each.count != last.count)
        settings.remarks.append(
            Remark(
                *("class-count", "warning", other.place),
                f"{other.count} classes in this layer, and {last.count} in the last one",
                "all of a net's last layers answer for the same classes",
                f"classes={last.count}   # or {other.count} in each\n"
                f"filters={3 * (last.count + _BOX)}   # before it",
                tuple(each.place for each in own if each is not other),
            )
        )
    settings.nets += own


def _of_names(text: str, name: str, settings: Settings) -> None:
    if count := _lines(text):
        settings.lists.append(Written(count, _place(text, name, 1), False))


def _lines(text: str) -> int:
    return sum(bool(line.strip()) for line in text.splitlines())


def _data(text: str, file: Path, name: str, names: dict[Path, str], settings: Settings) -> None:
    """Darknet's `.data`, and the `.names` that it leads to."""
    found = _CLASSES.search(text)
    if not found:
        return  # Of another program.
    count = int(found[1])
    here = Written(count, _place(text, name, text.count("\n", 0, found.start(1)) + 1), False)
    settings.lists.append(here)
    to = _NAMES.search(text)
    # Darknet looks from where it is started; most are named as nowhere else in the project.
    last = PurePosixPath(to[1].replace("\\", "/")).name if to else ""
    led = [each for each in names if each.name == last]
    led = [each for each in led if each.parent == file.parent] or led
    if len(led) != 1 or (other := _text(led[0])) is None:
        return
    if (written := _lines(other)) != count:
        settings.remarks.append(
            Remark(
                *("class-count", "warning", here.place),
                f"{counted(count, 'class', 'classes')} here, and {counted(written, 'name')} in "
                f"{names[led[0]]}",
                "a net numbers its classes: those that have no name, or no number, are lost",
                f"classes={written}",
                (_place(other, names[led[0]], 1),),
            )
        )


def _yaml(text: str, file: Path, name: str, settings: Settings) -> None:
    """`nc` and `names` of YAML, at its top."""
    if not re.search(rf"^({'|'.join((*_COUNTS, *_LISTS))})\s*:", text, re.MULTILINE):
        return
    from viewfinder.datasets.formats.yolo.data_yaml import read_data_yaml

    try:
        entries = read_data_yaml(file, {*_COUNTS, *_LISTS})
    except InputError:
        return  # YAML has more than is read here.
    found: list[Written] = []
    for key, entry in entries.items():
        value = entry.value
        place = _place(text, name, entry.lines[0] + 1)
        if key in _COUNTS and isinstance(value, str) and value.isdecimal():
            found.append(Written(int(value), place, False))
        elif key in _LISTS and not isinstance(value, str) and len(value) > 1:
            found.append(Written(len(value), place, False))
    settings.lists += found
    if len({each.count for each in found}) > 1:
        first, other = found[0], next(each for each in found if each.count != found[0].count)
        settings.remarks.append(
            Remark(
                *("class-count", "warning", first.place),
                f"{first.count} classes here, and {other.count} in line {other.place.line}",
                "which of both is meant nobody knows, and some programs take one, some the other",
                f"# {other.count} here, or {first.count} there",
                (other.place,),
            )
        )
