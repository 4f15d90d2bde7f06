"""The grammar of Darknet's `.cfg` files: sections, and the values in them.

As in Darknet (pjreddie/darknet, src/parser.c), blanks count nowhere, a comment is a line that
begins with # or ;, and the first of two equal keys in a section holds. More strictly than there, a
line must be one of these and a number must be one.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from viewfinder.errors import InputError

_ALIASES = {"network": "net", "conv": "convolutional", "max": "maxpool"}


@dataclass(frozen=True)
class _Value:
    text: str
    line: int


@dataclass(frozen=True)
class Section:
    """A `[kind]` of a file and its values; `number` is Darknet's of the layer, -1 of [net]."""

    file: str
    number: int
    kind: str
    line: int
    values: dict[str, _Value]

    def refuse(self, what: str, *, key: str = "") -> NoReturn:
        """Raise an InputError that names this section, and the line of `key` if it is there."""
        line = self.values[key].line if key in self.values else self.line
        number = f" {self.number}" if self.number >= 0 else ""
        raise InputError(f"{self.file}, section{number} [{self.kind[:40]}], line {line}: {what}")

    def text(self, key: str, default: str) -> str:
        """The value as it stands, without blanks."""
        return self.values[key].text if key in self.values else default

    def integer(self, key: str, default: int) -> int:
        """The value as a whole number.

        Raises:
            InputError: it is none.
        """
        text = self.text(key, str(default))
        if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
            self.refuse(f"{key} is {text[:40]!r}: it must be a whole number", key=key)
        return int(text)

    def numbers(self, key: str) -> tuple[float, ...]:
        """The value as numbers with commas between; none where the key is missing.

        Raises:
            InputError: one of them is none.
        """
        if key not in self.values:
            return ()
        words = self.values[key].text.rstrip(",").split(",")
        for word in words:
            if not re.fullmatch(r"[+-]?([0-9]{1,9}\.?[0-9]{0,20}|\.[0-9]{1,20})", word):
                self.refuse(f"{key} has {word[:40]!r}, which is no number", key=key)
        return tuple(float(word) for word in words)

    def integers(self, key: str) -> tuple[int, ...]:
        """The value as whole numbers with commas between; none where the key is missing.

        Raises:
            InputError: one of them is none.
        """
        numbers = self.numbers(key)
        for number in numbers:
            if number != int(number):
                self.refuse(f"{key} has {number}: it must be whole numbers", key=key)
        return tuple(int(number) for number in numbers)


def read_sections(text: str, file: str) -> list[Section]:
    """The sections of a `.cfg` file in order; `file` is what an error calls it.

    Raises:
        InputError: a line is no section, value or comment.
    """
    sections: list[Section] = []
    for number, raw in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        line = re.sub(r"[ \t]", "", raw)
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            kind = line.strip("[]").lower()
            kind = _ALIASES.get(kind, kind)
            sections.append(Section(file, len(sections) - 1, kind, number, {}))
            continue
        key, equals, value = line.partition("=")
        if equals and not key:
            raise InputError(
                f"{file}, line {number}: {line[:40]!r} has no name before its '=', as classes=1 "
                "has: write it, or remove the line"
            )
        if not equals or not sections:
            raise InputError(
                f"{file}, line {number}: {line[:40]!r} is no [section], no key=value in one and "
                "no comment that begins with #: correct or remove it"
            )
        # Darknet reads a number up to where it ends: a comment behind it does no harm there.
        value = re.split("[#;]", value, maxsplit=1)[0]
        sections[-1].values.setdefault(key, _Value(value, number))
    return sections
