"""How counts, lists and the words of strangers are said to a person."""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

# Scores whose public names are no words.
_FIGURES = {
    "ap": "AP",
    "ap50": "AP50",
    "ap75": "AP75",
    "mae": "MAE",
    "s_measure": "S",
    "f_max": "F max",
    "e_max": "E max",
}
# What moves a cursor, turns the direction of writing or cannot be seen: controls, formats, ends of
# lines and paragraphs, and halves of characters.
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})
# What a table's program takes a cell for a formula by.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# What LaTeX takes for a command.
_TEX = {sign: "\\" + sign for sign in "&%$#_{}"} | {
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}
_TEX_SPECIAL = re.compile("|".join(map(re.escape, _TEX)))
# How like a misspelt word a known one must be, of 1; and how much less like than the likest.
_LEAST_LIKE, _AS_LIKE = 0.6, 0.1
# Of two times the longer is nearly the same where it is less than so many times the shorter.
_NEARLY = 1.3


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 picture`, `1,200 boxes`.

    Args:
        plural: where it is not the noun with an s.
    """
    if number == 1:
        return f"1 {noun}"
    hisses = noun.endswith(("s", "x", "ch", "sh")) and not noun.endswith("epoch")
    ending = "es" if hisses else "s"
    return f"{number:,} {plural or noun + ending}"


def have(number: int) -> str:
    """A number as the subject of what it has: `1 has`, `1,200 have`."""
    return f"{number:,} {'has' if number == 1 else 'have'}"


def in_words(seconds: float) -> str:
    """A time that is only roughly known: `about 40 s`, `about 4 min`, `about 2 h 10 min`."""
    if seconds < 55:
        # Whole tens, but for the last few.
        return f"about {max(1, round(seconds) if seconds < 10 else round(seconds, -1)):.0f} s"
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"about {minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"about {hours} h" + (f" {rest} min" if rest else "")


def in_words_between(low: float, high: float) -> str:
    """A time that lies between two, as one where they are nearly the same."""
    if high < _NEARLY * low:
        return in_words((low + high) / 2)
    ends = in_words(low), in_words(high)
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1].removeprefix('about ')}"


def duration(seconds: float) -> str:
    """A time in a few letters: two hours as `2.0 h`, ninety seconds as `2 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def likest(word: str, known: Iterable[str]) -> str:
    """` (did you mean …?)` with the known words that are most like a misspelt one, or nothing."""
    matcher = difflib.SequenceMatcher(b=str(word).lower())
    likeness = {}
    for each in known:
        matcher.set_seq1(each.lower())
        likeness[each] = matcher.ratio()
    # Some are as like as the first, as the sizes of one net; others have only letters in common.
    least = max(_LEAST_LIKE, max(likeness.values(), default=0.0) - _AS_LIKE)
    close = sorted(
        (name for name in likeness if likeness[name] >= least), key=lambda name: likeness[name]
    )
    return f" (did you mean {' or '.join(close[:-4:-1])}?)" if close else ""


def figure_name(key: str) -> str:
    """What a score is called in the middle of a sentence, as its field writes it."""
    return _FIGURES.get(key, key.replace("_", " "))


def some(names: Sequence[str], most: int = 3) -> str:
    """The first of some names, and that there are more."""
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")


def shown(text: str) -> str:
    """A text as a terminal may be given it, since names in files may be anybody's.

    What cannot be seen is written as Python writes it: `\\x1b`, `\\n`, `\\u202e`.
    """
    if text.isprintable():
        return text
    return "".join(
        sign.encode("unicode_escape").decode("ascii")
        if unicodedata.category(sign) in _UNSEEN
        else sign
        for sign in text
    )


def shown_lines(text: str) -> str:
    """`shown`, with its lines as they are: a text as a page may be given it."""
    return text if text.isprintable() else "\n".join(shown(line) for line in text.split("\n"))


def as_json(text: str) -> str:
    """JSON that means the same and can be given to a terminal: what cannot be seen is escaped."""
    if text.isprintable():
        return text
    return "".join(
        "".join(f"\\u{unit:04x}" for unit in _utf16(sign))
        if sign != "\n" and unicodedata.category(sign) in _UNSEEN
        else sign
        for sign in text
    )


def _utf16(sign: str) -> list[int]:
    data = sign.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def as_tex(text: str) -> str:
    """A name as LaTeX prints it."""
    return _TEX_SPECIAL.sub(lambda sign: _TEX[sign.group()], text)


def as_cell(text: str) -> str:
    """A text as a cell of a CSV file that no program takes for a formula: `'=1` for `=1`."""
    # Python quotes no cell for a lone carriage return, which others take for a row's end.
    cell = text.replace("\r", "\\r")
    return f"'{cell}" if text.startswith(_FORMULA) else cell
