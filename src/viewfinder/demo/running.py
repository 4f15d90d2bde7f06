"""The whole demonstration, into a folder of its own that is replaced by the next one."""

import shutil
from pathlib import Path
from typing import TypedDict

from viewfinder.demo import learning
from viewfinder.demo.demonstrating import DemoOutcome, DemoStage, demonstrate
from viewfinder.demo.folder import MARK, refuse_labelled
from viewfinder.demo.page import PAGE, write_page
from viewfinder.demo.setting import DemoSetting
from viewfinder.errors import InputError
from viewfinder.files import explained_writing, is_empty, sweep, write_json

# What a demo writes into its folder, and all that it will remove from there.
_PARTS = frozenset({"captures", "frames", "composed", "run", "scenes", PAGE, MARK})


class DemoDocument(TypedDict):
    """What a demo came to, for programs: the page, the detector's scores, and each stage."""

    report: str
    scores: dict[str, object]
    stages: list[DemoStage]


def run_demo(out: Path, setting: DemoSetting) -> tuple[DemoOutcome, DemoDocument]:
    """Every stage, and the page that shows them.

    Returns:
        what the stages came to, and the document of it that is promised to programs: `report`,
        `scores`, `stages`.

    Raises:
        InputError: a setting that cannot be trained, or a folder that holds something else.
    """
    # What cannot be trained is refused before anything is removed or filmed.
    learning.recipe(setting)
    _clear(out)
    # Before anything else, so that a demo that was stopped can be replaced too.
    write_json(out / MARK, {"stages": []})
    outcome = demonstrate(out, setting)
    write_page(outcome)
    document: DemoDocument = {
        "report": str(out / PAGE),
        "scores": outcome.scored.judged.as_json(),
        "stages": outcome.stages,
    }
    write_json(out / MARK, document)
    return outcome, document


def _clear(folder: Path) -> None:
    """Remove an earlier demo, and nothing that is not one.

    Raises:
        InputError: there is something else.
    """
    if not folder.exists() or is_empty(folder):
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file: give another --out")
    sweep(folder)
    found = {file.name for file in folder.iterdir()}
    if found and (MARK not in found or found - _PARTS):
        other = min(found - _PARTS, default=min(found))
        raise InputError(
            f"{folder} holds {other}, which no demo wrote: give another --out, or move it away"
        )
    refuse_labelled(folder)
    with explained_writing(folder):
        # The mark last: what is left of a demo half removed is still one.
        for name in sorted(found, key=lambda name: name == MARK):
            part = folder / name
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink()
