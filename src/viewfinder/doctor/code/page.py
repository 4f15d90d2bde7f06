"""What the terminal and programs are given of somebody's code."""

import textwrap
from collections.abc import Iterator
from dataclasses import asdict

from viewfinder.doctor.code.looking import CodeFindings
from viewfinder.doctor.code.remark import CodePlace, Remark
from viewfinder.doctor.code.sharing import without_user
from viewfinder.doctor.page import StyledLine
from viewfinder.wording import counted, shown

SCHEMA = "viewfinder.doctor.code/1"
_MARKS = {"broken": ("✗", "bold red"), "warning": ("!", "yellow")}
# Further places that are named, and not only counted.
_NAMED = 6


def page(looked: CodeFindings, *, width: int = 80) -> list[StyledLine]:
    """All lines; those to paste are as long as they are, the others no longer than `width`."""
    lines = list(_verdict(looked, width))
    for text in looked.unread:
        lines += [StyledLine(""), *_wrapped(f"✗ {shown(text)}", width, "  ", "bold red", first="")]
    for remark in looked.remarks:
        lines += [StyledLine(""), *_remark(remark, width)]
    for folder in looked.empty:
        words = f"note: {folder} has no Python file and no notebook in it"
        lines += [StyledLine(""), *_wrapped(shown(words), width, "  ", "dim", first="")]
    return lines


def _verdict(looked: CodeFindings, width: int) -> Iterator[StyledLine]:
    broken = sum(each.level == "broken" for each in looked.remarks)
    warnings = len(looked.remarks) - broken
    files = counted(looked.files, "file")
    if not looked.remarks and not looked.unread:
        yield StyledLine(f"✓ nothing to change in {files}", "bold green")
        return
    parts = []
    if looked.unread:
        parts.append(f"{counted(len(looked.unread), 'file')} could not be read")
    if broken:
        parts.append(f"{counted(broken, 'thing')} no longer work{'s' if broken == 1 else ''}")
    if warnings:
        parts.append(f"{counted(warnings, 'thing')} could be better")
    style = "bold green" if looked.works else "bold red"
    yield from _wrapped(f"{files} read: {', '.join(parts)}", width, "  ", style, first="")


def _remark(remark: Remark, width: int) -> Iterator[StyledLine]:
    mark, style = _MARKS[remark.level]
    says = f"{mark} {remark.place}  {remark.says}"
    yield from _wrapped(shown(says), width, "  ", style, first="")
    yield StyledLine(f"  {shown(remark.place.text)}"[:width], "dim")
    yield from _wrapped(shown(remark.why), width, "  ")
    for number, text in enumerate(remark.instead.split("\n")):
        yield StyledLine(f"  {' ' if number else '→'} {shown(text)}", "bold")
    if remark.others:
        words = ", ".join(_short(each, remark.place) for each in remark.others[:_NAMED])
        more = len(remark.others) - _NAMED
        words += f" and {counted(more, 'more place')}" if more > 0 else ""
        yield from _wrapped(shown(f"also {words}"), width, "  ", "dim")


def _short(place: CodePlace, beside: CodePlace) -> str:
    """A place, without the file where it is the same."""
    if (place.file, place.cell) == (beside.file, beside.cell):
        return f"line {place.line}"
    return str(place)


def _wrapped(
    text: str, width: int, indent: str, style: str = "", *, first: str | None = None
) -> Iterator[StyledLine]:
    for line in textwrap.wrap(
        text,
        width,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_on_hyphens=False,
    ):
        yield StyledLine(line, style)


def document(looked: CodeFindings) -> dict[str, object]:
    """See docs/doctor.md for its keys."""
    looked = without_user(looked)
    return {
        "schema": SCHEMA,
        "works": looked.works,
        "files": looked.files,
        "unread": list(looked.unread),
        "empty": list(looked.empty),
        "remarks": [asdict(each) for each in looked.remarks],
    }
