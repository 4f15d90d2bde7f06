"""Whether there is something to learn from, and whether what was learnt is worth more than what was
known before."""

import json
from pathlib import Path

from viewfinder.reading import read_bytes
from viewfinder.studio.store import Counts
from viewfinder.studio.store.records import Kind

LEAST = 5
"""Pictures that are done before it begins by itself, and further ones before it learns anew."""

# A longer list of pictures is harder to learn, and its figure lower for that alone; not by half.
_WORSE = 0.5


def cannot_learn(data: Path, kind: Kind | None, counts: Counts) -> str:
    """Why nothing can be learnt of a folder's labels now, in a sentence; or nothing."""
    if kind == "classes":
        return (
            "it learns to find boxes, and here whole pictures have classes: "
            f"viewfinder train classify {data}"
        )
    if kind != "boxes":
        return "it learns to find boxes, and there are none here"
    if sum(counts.boxes.values()) < 2:
        return f"it learns from pictures with boxes: {LEAST} that are done are a good beginning"
    return ""


def worse(run: Path, before: Path | None) -> str:
    """Why a run is not to take the place of the one it began from, in a sentence; or nothing.

    A training that was too short, such as one on a busy machine, can end up knowing less than it
    began with. It is told by how much each finds in the pictures that it learnt from itself.
    """
    now, then = _found(run), None if before is None else _found(before)
    if now is None or then is None or now >= _WORSE * then:
        return ""
    return (
        f"it knows less than before, as there were too few steps in its time (AP50 {now:.2f} on "
        f"its own pictures, {then:.2f} before): what was learnt before is kept; let it learn longer"
    )


def _found(run: Path) -> float | None:
    """AP50 on the pictures that a run learnt from, as its scores say; read here, as `runs` imports
    torch, and the server must not."""
    try:
        value = json.loads(read_bytes(run / "scores.json"))["train"]["ap50"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return float(value) if isinstance(value, int | float) else None
