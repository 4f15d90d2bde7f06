"""Show why a model answers as it does: where in a picture each answer comes from.

A heat map is made for each answer, by LayerCAM or HiResCAM and of a class by Grad-CAM and
integrated gradients too: at the stage of the network, and by the method, that say most. Each map is
tested: the score must fall further where the map's hottest places are blurred than under 19 of 20
covers at random; where it does not, that is said.

  viewfinder why runs/my-photos-lenet new.jpg                 writes why.html
  viewfinder why runs/my-boxes-yolov3-tiny photos --class mug mugs alone
  viewfinder why runs/my-photos-lenet new.jpg --occlude       slower, honest

Example:

  viewfinder why runs/my-photos-lenet new.jpg --html why.html
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from viewfinder.cli.asking import refuse_no_picture
from viewfinder.cli.meant import refuse_no_source, refuse_swapped, sources_in_words
from viewfinder.cli.output import asked_by, print_json, require_html, say
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.files import refuse_taken
from viewfinder.inference.asked_scores import nothing_found, refuse_no_score, require_classes
from viewfinder.tasks.run_files import task_and_classes
from viewfinder.wording import shown

if TYPE_CHECKING:
    from viewfinder.attribution.reason import Reasons


@dataclass(frozen=True)
class Flags:
    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """The run's folder, as `viewfinder train` wrote it, Darknet's .weights, an ONNX file, or a
    classifier of torchvision's, as torchvision:resnet50."""
    source: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="SOURCE…")]
    """A picture, a folder of them, several of these, or - for paths on standard input, one a
    line."""
    html: Path = Path("why.html")
    """The page to write: every picture with its answers; pointing at one shows its map."""
    out: Path | None = None
    """A new folder for the maps as pictures, one an answer."""
    classes: Annotated[tuple[str, ...], tyro.conf.arg(name="class", metavar="NAME…")] = ()
    """Only these classes."""
    most: int = 3
    """Answers to each picture, the surest first."""
    threshold: Annotated[float | None, tyro.conf.arg(metavar="SCORE")] = None
    """detect: the least score that is asked about; 0.25 if not given. saliency: the map's least
    value in the subject; 0.5 if not given."""
    layer: str | None = None
    """The layer whose maps are taken, by its name in the network; if none is named, of the last
    layer at each size, and of a class the pixels, that one whose hottest places, painted over,
    lower the score most."""
    occlude: bool = False
    """Blur windows of the picture one by one instead of looking into the network."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute."""
    json: bool = False
    """Print one JSON document: summary, learnt, and pictures, each with source and reasons."""


def run(flags: Flags) -> int:
    """Look for reasons, write the page, and print."""
    refuse_swapped(flags.run, flags.source, verb="why")
    refuse_no_source(flags.source, verb="why")
    refuse_no_picture(flags.run, flags.source)
    if flags.most < 1:
        raise InputError(f"--most {flags.most}: give 1 or more")
    if flags.layer is not None and flags.occlude:
        raise InputError("--layer and --occlude: a map is made by one of them, leave the other out")
    if flags.threshold is not None:
        refuse_no_score("--threshold", flags.threshold)
    # Of what others trained, the names are known once it is open.
    if told := task_and_classes(Path(flags.run).expanduser()):
        require_classes(flags.classes, told[1])
    if flags.out is not None:
        refuse_taken(flags.out)
    require_html(flags.html)
    # At once: what comes next imports torch, which takes seconds.
    note(f"why: {flags.run} is asked about {sources_in_words(flags.source)}")
    from viewfinder.api import open_run
    from viewfinder.attribution.pictures import write_maps
    from viewfinder.attribution.whole import explain_answers
    from viewfinder.attribution.why import Wanted
    from viewfinder.devices import pick_device

    opened = open_run(flags.run)
    explained = explain_answers(
        opened.model,
        opened.trained,
        flags.source,
        Wanted(flags.most, flags.classes, flags.layer, flags.occlude),
        threshold=flags.threshold,
        device=pick_device(flags.device),
        html=flags.html,
        by=asked_by(),
        tell=(lambda _: None) if flags.json else _tell,
    )
    found, summary = explained.pictures, explained.summary
    if flags.out is not None:
        write_maps(flags.out, found, explained.model.config)
    if flags.json:
        pictures = [each.as_json(opened.classes) for each in found]
        compared = explained.compared
        learnt = None if compared is None else dict(zip(("looked_at", "of"), compared, strict=True))
        print_json({"summary": summary.as_json(), "learnt": learnt, "pictures": pictures})
        return 0
    if not explained.written:
        say("no page is written, as there is no answer to show the reasons of")
        finds = told is not None and told[0] == "detect"
        if finds and flags.threshold is None and not any(each.found for each in found):
            note(nothing_found("asks"))
        return 0
    for line in summary.lines():
        say(line)
    say(f"page {flags.html}")
    return 0


def _tell(found: "Reasons") -> None:
    say(shown(found.source) + (f": {found.nothing}" if found.nothing else ""))
    for reason in found.reasons:
        say(f"  {shown(reason.question.name)}: {reason.says}")
