"""The subset of YAML that YOLO's `data.yaml` files are written in, read strictly.

Top-level keys with a scalar, a list (`[a, b]`, or a `- a` a line), or a mapping (`{0: a}`, or a
`0: a` a line). Anchors, tags and texts of several lines are refused where they are needed, and
passed over in keys that are not.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from viewfinder.datasets.formats.large_json import read_text
from viewfinder.errors import InputError

Value = str | list[str] | dict[str, str]

# A colon within a key is none of ours to find: keys are names or numbers.
_KEY = re.compile(r"""("[^"]*"|'[^']*'|[^\s#:'"\[\]{}-][^:#]*)(?::\s(.*)|:)$""")
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "/": "/"}


@dataclass(frozen=True)
class Entry:
    """A top-level key's value, and the lines that it stands on, the second not included."""

    value: Value
    lines: tuple[int, int]


def read_data_yaml(file: Path, keys: set[str]) -> dict[str, Entry]:
    """The entries of those of `keys` that the file has.

    Raises:
        InputError: one is written in a way that is not read here, or stands there twice.
    """
    lines = read_text(file).splitlines()
    tops = _tops(lines, file)
    if not tops:
        return {}
    entries: dict[str, Entry] = {}
    for begin, end in zip(tops, [*tops[1:], len(lines)], strict=True):
        found = _KEY.match(_bare(lines[begin], file, begin))
        if found is None:
            raise _error(file, begin, "is no `key: value`")
        key = _scalar(found[1].rstrip(), file, begin)
        if key not in keys:
            continue
        if key in entries:
            raise _error(file, begin, f"names {key!r} a second time")
        while end > begin + 1 and not lines[end - 1].partition("#")[0].strip():
            end -= 1
        entries[key] = Entry(
            _value((found[2] or "").lstrip(), lines, begin, end, file), (begin, end)
        )
    return entries


def quoted(text: str) -> str:
    """A text as a scalar that every YAML reader takes for that text."""
    return "'" + text.replace("'", "''") + "'"


def _tops(lines: list[str], file: Path) -> list[int]:
    """The lines that begin a key; those within brackets that are still open begin none."""
    tops, open_ = [], 0
    for number, line in enumerate(lines):
        begins = not open_ and _is_top(line)
        if begins:
            tops.append(number)
        bare = _bare(line, file, number)
        _, _, value = bare.partition(":") if begins else ("", "", bare)
        if open_ or (begins and value.lstrip()[:1] in ("[", "{") and value.strip()):
            open_ = max(0, open_ + _opened(value))
    return tops


def _opened(text: str) -> int:
    """How many brackets a text opens and does not close, outside of quotes."""
    count, quote, before = 0, "", " "
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'" and before in " \t[{,:":
            quote = sign
        else:
            count += (sign in "[{") - (sign in "]}")
        before = sign
    return count


def _is_top(line: str) -> bool:
    # A list's dashes may stand below their key without any space before them.
    return bool(line.strip()) and line[0] not in " \t#-" and line.strip() not in ("---", "...")


def _value(first: str, lines: list[str], begin: int, end: int, file: Path) -> Value:
    below = [(i, _bare(lines[i], file, i)) for i in range(begin + 1, end)]
    below = [(i, line) for i, line in below if line.strip()]
    if first[:1] in ("[", "{"):
        return _flow(" ".join([first, *(line.strip() for _, line in below)]), file, begin)
    if first:
        if below:
            raise _error(file, below[0][0], "goes on with the line before; write it on one")
        return _scalar(first, file, begin)
    if not below:
        return ""
    indents = {len(line) - len(line.lstrip(" ")) for _, line in below}
    if len(indents) > 1 or any("\t" in line for _, line in below):
        raise _error(file, below[0][0], "is not in line with those that follow, or uses tabs")
    if below[0][1].lstrip().startswith("-"):
        return [_item(line.strip(), file, i) for i, line in below]
    return _mapping([(i, line.strip()) for i, line in below], file)


def _item(line: str, file: Path, number: int) -> str:
    if line != "-" and not line.startswith("- "):
        raise _error(file, number, "is no `- item` as the others are")
    return _scalar(line[1:].strip(), file, number)


def _mapping(rows: list[tuple[int, str]], file: Path) -> dict[str, str]:
    result: dict[str, str] = {}
    for number, line in rows:
        found = _KEY.match(line)
        if found is None:
            raise _error(file, number, "is no `key: value`")
        key = _scalar(found[1].rstrip(), file, number)
        if key in result:
            raise _error(file, number, f"names {key!r} a second time")
        result[key] = _scalar(found[2] or "", file, number)
    return result


def _flow(text: str, file: Path, number: int) -> Value:
    closing = {"[": "]", "{": "}"}[text[0]]
    if not text.endswith(closing) or len(text) < 2:
        raise _error(file, number, f"has no closing {closing!r}")
    parts = [part.strip() for part in _parts(text[1:-1], file, number)]
    if parts and not parts[-1]:
        parts.pop()
    if closing == "]":
        return [_scalar(part, file, number) for part in parts]
    return _mapping([(number, part) for part in parts], file)


def _parts(text: str, file: Path, number: int) -> list[str]:
    """What stands between the commas that are in no quotes."""
    parts, quote = [""], ""
    for sign in text:
        if not quote and sign == ",":
            parts.append("")
            continue
        if not quote and sign in "[]{}":
            raise _error(file, number, "holds a list within a list")
        if sign in "\"'" and (quote == sign or (not quote and not parts[-1].strip())):
            quote = "" if quote else sign
        parts[-1] += sign
    return parts


def _bare(line: str, file: Path, number: int) -> str:
    """A line without its comment."""
    quote = ""
    for place, sign in enumerate(line):
        before = line[place - 1] if place else " "
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'" and before in " \t[{,:":
            quote = sign
        elif sign == "#" and before in " \t":
            return line[:place].rstrip()
    return line.rstrip()


def _scalar(text: str, file: Path, number: int) -> str:
    text = text.strip()
    if text[:1] in ("'", '"'):
        if len(text) < 2 or text[-1] != text[0]:
            raise _error(file, number, "has a quote that is not closed")
        inner = text[1:-1]
        if text[0] == "'":
            return inner.replace("''", "'")
        return re.sub(r"\\(.)", lambda m: _unescape(m[1], file, number), inner)
    if text[:1] in ("&", "*", "!", "|", ">", "%", "@", "`", "[", "{"):
        raise _error(
            file, number, f"begins a value with {text[0]!r}; write it plainly, or in quotes"
        )
    return text


def _unescape(sign: str, file: Path, number: int) -> str:
    if sign not in _ESCAPES:
        raise _error(file, number, f"holds \\{sign}; write the character itself")
    return _ESCAPES[sign]


def _error(file: Path, number: int, what: str) -> InputError:
    return InputError(f"{file}, line {number + 1}: {what}")
