"""The whole loop, without a person and without a drawn box; it says how long it takes here.

Films things of eight classes on a turning stand (they are rendered), takes frames, lets boxes and
outlines be proposed by the difference to the empty stand, accepts the sure ones, composes scenes
of the cut-outs, trains a YOLOv3-tiny on them, starting from COCO's weights, and scores it on
cluttered scenes of things that it has never seen. Opens nothing: prints where the report is, which
shows every stage in pictures.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from viewfinder.cli.output import print_json
from viewfinder.demo.setting import Setting
from viewfinder.wording import counted

if TYPE_CHECKING:
    from viewfinder.demo.demonstrating import Outcome

# How large the demo is, but for what the flags say.
_SETTING = Setting()

_MARK = "demo.json"
# What a demo writes into its folder, and all that it will remove from there.
_PARTS = frozenset({"captures", "frames", "composed", "run", "scenes", "report.html", _MARK})


@dataclass(frozen=True)
class Flags:
    out: Path = Path("runs/demo")
    """Where everything goes; replaced if it is an earlier demo's."""
    epochs: int = _SETTING.epochs
    """How often the detector sees every scene: no clock decides how good it becomes."""
    seed: int = _SETTING.seed
    """Of the things, the scenes and the training."""
    json: bool = False
    """Print one JSON document: report, scores, stages."""


def run(flags: Flags) -> int:
    """Every stage, and then where the report is."""
    from viewfinder.demo.demonstrating import demonstrate
    from viewfinder.demo.learning import recipe
    from viewfinder.demo.page import PAGE, write_page
    from viewfinder.files import write_json

    setting = replace(_SETTING, epochs=flags.epochs, seed=flags.seed)
    # What cannot be trained is refused before anything is removed or filmed.
    recipe(setting)
    _clear(flags.out)
    # Before anything else, so that a demo that was stopped can be replaced too.
    write_json(flags.out / _MARK, {"stages": []})
    outcome = demonstrate(flags.out, setting)
    write_page(outcome)
    document = {
        "report": str(flags.out / PAGE),
        "scores": outcome.unseen.as_json(),
        "stages": outcome.stages,
    }
    write_json(flags.out / _MARK, document)
    if flags.json:
        print_json(document)
    else:
        _tell(outcome, flags.out / PAGE)
    return 0


def _tell(outcome: "Outcome", report: Path) -> None:
    from viewfinder.demo import learning

    for answer in outcome.answers:
        found = ", ".join(f"{box['class']} {box['score']:.0%}" for box in answer["boxes"])
        print(f"{Path(answer['source']).name}: {found or 'nothing found'}")
    scores = outcome.unseen.as_json()
    print(f"trained {learning.trained(outcome.run)}")
    print(
        f"mAP50 {scores['ap50'] or 0:.3f} on {counted(scores['images'], 'scene')} that it has "
        "never seen"
    )
    print(f"{sum(stage['seconds'] for stage in outcome.stages):.0f} seconds")
    print(f"report {report.resolve()}")


def _clear(folder: Path) -> None:
    """Remove an earlier demo, and nothing that is not one.

    Raises:
        InputError: there is something else.
    """
    import shutil

    from viewfinder.errors import InputError
    from viewfinder.files import explained_writing, is_empty, sweep

    if not folder.exists() or is_empty(folder):
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file: give another --out")
    sweep(folder)
    found = {file.name for file in folder.iterdir()}
    if found and (_MARK not in found or found - _PARTS):
        other = min(found - _PARTS, default=min(found))
        raise InputError(
            f"{folder} holds {other}, which no demo wrote: give another --out, or move it away"
        )
    with explained_writing(folder):
        # The mark last: what is left of a demo half removed is still one.
        for name in sorted(found, key=lambda name: name == _MARK):
            part = folder / name
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink()
