"""What verbs print on standard output."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from viewfinder.console import raw


def print_json(document: dict[str, Any]) -> None:
    """Print exactly one JSON document, in characters that standard output can hold."""
    out = raw(sys.stdout)
    readable = (out.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(document, ensure_ascii=not readable, allow_nan=False), file=out)


def headline(scores: Mapping[str, Any], figures: Sequence[tuple[str, str]]) -> list[str]:
    """The figures that a task tells first, each `name value`.

    Args:
        figures: the task's `headline`.
    """
    return [f"{name.replace('_', ' ')} {_figure(scores[name], form)}" for name, form in figures]


def _figure(value: float | None, form: str) -> str:
    return "–" if value is None else f"{value:{form}}"
