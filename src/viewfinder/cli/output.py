"""What verbs print on standard output."""

import json
import sys
from typing import Any

from viewfinder.console import raw


def print_json(document: dict[str, Any]) -> None:
    """Print exactly one JSON document, in characters that standard output can hold."""
    out = raw(sys.stdout)
    readable = (out.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(document, ensure_ascii=not readable, allow_nan=False), file=out)
