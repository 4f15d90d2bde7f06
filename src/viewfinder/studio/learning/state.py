"""What is known of the learning of a folder, and kept beside its labels."""

import json
import operator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal

from viewfinder.reading import read_bytes

Stage = Literal["idle", "training", "proposing", "stopped", "failed", "done"]


@dataclass(frozen=True)
class Learning:
    """What a page shows of it.

    Attributes:
        run: the folder of the last training, or empty.
        finished: the folder of the last one that came to its end, or empty.
        minutes: how long one takes.
        learnt: pictures that it learnt from.
        done: pictures that were done when it began.
        seq: the newest operation on the labels then.
        in_hand: pictures that people were drawing in then, which it leaves out unless they are
            done; also when it goes on.
        keep: begin anew by itself when more are done.
        alone: the last one that came to its end had begun by itself.
        by: who proposed last, as the store names it.
        looked, total: pictures that were looked at, of those to do.
        proposed: boxes that are new.
        notes: what a proposer could not do, in sentences.
        error: why it failed, in a sentence.
    """

    stage: Stage = "idle"
    run: str = ""
    finished: str = ""
    minutes: float = 3.0
    learnt: int = 0
    done: int = 0
    seq: int = 0
    in_hand: tuple[int, ...] = ()
    keep: bool = False
    alone: bool = False
    by: str = ""
    looked: int = 0
    total: int = 0
    proposed: int = 0
    notes: str = ""
    error: str = ""


def kept(text: str | None) -> Learning:
    """How it stood when the server ended; a training that was cut short can go on."""
    try:
        document = json.loads(text or "{}")
        held = tuple(map(operator.index, document.pop("in_hand", ())))
        known = Learning(**document, in_hand=held)
    except (TypeError, ValueError, AttributeError, RecursionError):
        return Learning()
    usual = Learning()
    for field in fields(Learning):
        kind = type(getattr(usual, field.name))
        if type(getattr(known, field.name)) not in (kind, {float: int}.get(kind)):
            return usual
    if known.stage == "training":
        return replace(known, stage="stopped")
    if known.stage == "proposing":
        return replace(known, stage="done" if known.finished else "idle")
    return known


def begun_from(run: Path) -> str:
    """The run that a training began from, as its manifest says; read here, as `tasks.manifest`
    imports torch, and the server must not."""
    try:
        manifest = json.loads(read_bytes(run / "run.json"))
        return str(manifest["recipe"]["init"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
