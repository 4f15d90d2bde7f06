"""The whole loop, without a person and without a drawn box; it says how long it takes here.

Films things of eight classes on a turning stand (they are rendered), takes frames, lets boxes and
outlines be proposed by the difference to the empty stand, accepts the sure ones, composes scenes
of the cut-outs, trains a YOLOv3-tiny on them, starting from COCO's weights, and scores it on
cluttered scenes of things that it has never seen. Opens nothing: prints where the report is, which
shows every stage in pictures.

Example:

  viewfinder demo --out runs/demo
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from viewfinder.cli.output import print_json, say
from viewfinder.demo.setting import DemoSetting
from viewfinder.events import note
from viewfinder.wording import counted

if TYPE_CHECKING:
    from viewfinder.demo.demonstrating import DemoOutcome

# How large the demo is, but for what the flags say.
_SETTING = DemoSetting()


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
    # At once: what comes next imports torch, which takes seconds.
    note(f"demo: into {flags.out}")
    from viewfinder.demo.running import run_demo

    setting = replace(_SETTING, epochs=flags.epochs, seed=flags.seed)
    outcome, document = run_demo(flags.out, setting)
    if flags.json:
        print_json(document)
    else:
        _print_outcome(outcome, Path(document["report"]))
    return 0


def _print_outcome(outcome: "DemoOutcome", report: Path) -> None:
    from viewfinder.demo import learning
    from viewfinder.demo.demonstrating import found_in

    for answer in outcome.answers:
        found = found_in(answer).listed(outcome.scored.judged.examples.classes)
        say(f"{Path(answer.source).name}: {found}")
    judged = outcome.scored.judged
    scenes = counted(len(judged.examples), "scene")
    say(f"trained {learning.trained(outcome.run)}")
    say(f"mAP50 {judged.scores.ap50 or 0:.3f} on {scenes} that it has never seen")
    say(outcome.scored.says())
    say(f"{sum(stage['seconds'] for stage in outcome.stages):.0f} seconds")
    say(f"report {report.resolve()}")
