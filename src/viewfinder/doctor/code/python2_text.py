"""Lines that only Python 2 reads, known by their text: no syntax tree can be made of them."""

import re

# What the line looks like, what Python 2 has there, and what stands in its place.
_LINES = (
    (r"print\s+[^\s(=]", "in which print is a statement", "print(…)"),
    (r"print\s*>>", "in which print is a statement", "print(…, file=…)"),
    (r"exec\s+[^\s(=]", "in which exec is a statement", "exec(…)"),
    (r"except\s+[\w.]+\s*,\s*[a-z_]\w*\s*:", "in which errors are named so", "except … as …:"),
    (r"except\s*\(.*\)\s*,\s*\w+\s*:", "in which errors are named so", "except (…) as …:"),
    (r"raise\s+[\w.]+\s*,", "in which errors are raised so", "raise …(…)"),
    (r".*<>", "in which <> is !=", "!="),
    (r".*`[^`]+`", "in which backquotes are repr", "repr(…)"),
    (r".*\b[uU][rR]['\"]", "in which ur'…' is a text", "r'…'"),
    (r".*(?<![\w.])0[0-7]+(?![\w.])", "in which numbers to base 8 begin with 0", "0o…"),
    (r".*(?<![\w.])(0[xX][0-9a-fA-F]+|\d+)[lL]\b", "in which whole numbers end in L", "without L"),
)


def python_2(line: str, message: str) -> tuple[str, str] | None:
    """What of Python 2 a line that cannot be read has, and what to write; None if nothing.

    Args:
        message: what Python said of it.
    """
    for pattern, says, instead in _LINES:
        if re.match(pattern, line):
            return says, instead
    if "Missing parentheses in call to" in message:
        return _LINES[0][1:]
    return None
