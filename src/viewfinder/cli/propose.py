"""Let a machine propose boxes, look at them, and accept the sure ones as labels.

--by plate: filmed on a stand, an object is what differs from a picture of the empty stand, taken
with the same camera and the same settings. Gives masks too. Of several objects each has a folder,
with its own empty.png.
  viewfinder propose mug/ --by plate --empty empty.png --sheet look.png
  viewfinder propose mug.mp4 --by plate --empty empty.png   takes frames first
  viewfinder propose captures/ --by plate        captures/mug/, captures/ball/

--by RUN: a detector of yours, a Darknet .weights file, or an ONNX file of `viewfinder export` marks
what it knows; --names says which classes to take and what to call them, and leaves all else away.
  viewfinder propose photos/ --by runs/first --threshold 0.4
  viewfinder propose photos/ --by coco --names person "cell phone=phone"

--by saliency RUN: what stands out, by a saliency run or an ONNX file such as u2netp. Gives masks.
  viewfinder propose mug/ --by saliency u2netp.onnx

--by track: boxes that you drew in a few frames, carried through their video: in a straight line
between two of them, or with --motion flow along with the picture, for a camera that moves.
  viewfinder propose frames/ --by track --keys labels.json

Proposals are kept apart from labels, in DATA/.viewfinder, until a rule accepts them:
  viewfinder propose mug/ --accept-above 0.9     writes COCO labels into mug/
  viewfinder propose mug/ --take-back            as if that had never been

Example:

  viewfinder propose captures/mug --by plate --empty empty.png
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from viewfinder.cli.output import print_json, say
from viewfinder.cli.thresholds import read_threshold, refuse_spaces, refuse_thresholds
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.nets.published import COCO
from viewfinder.tasks.run_files import task_and_classes
from viewfinder.wording import counted, shown, some

if TYPE_CHECKING:
    from viewfinder.labelling.requested import RequestOutcome


# Those of `--by` that ask a network, beside runs and files.
_NETS = ("saliency", "coco")


@dataclass(frozen=True)
class Flags:
    data: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DATA")]
    """A folder of pictures, such as `viewfinder frames` writes, or a video."""
    by: tuple[str, ...] = ()
    """Who proposes: plate, track, saliency RUN, a detector's RUN, or coco, for 80 usual things."""
    empty: Path | None = None
    """plate: the picture of the empty stand; each folder's own empty.png or .jpg if not given."""
    class_name: Annotated[str | None, tyro.conf.arg(name="class")] = None
    """plate, saliency: the object's class; the name of the pictures' folder if not given."""
    names: tuple[str, ...] = ()
    """detector: its classes to take, each as class, or as class=name to call it otherwise."""
    threshold: Annotated[str, tyro.conf.arg(metavar="SCORE|best|CLASS=SCORE,…")] = "0.25"
    """detector: the least score that is proposed; or best: for each class that of best F1 on the
    run's validation pictures, or on those its folds held out; or scores by class, as
    cat=0.9,dog=0.5, and 0.25 of others."""
    tiles: Annotated[int | Literal["none"] | None, tyro.conf.arg(metavar="PIXELS|none")] = None
    """detector: answer pictures in tiles of this side, in their own pixels, so that small objects
    in large pictures are seen; none sees them whole; if not given, as the run learnt."""
    overlap: Annotated[float | None, tyro.conf.arg(metavar="SHARE")] = None
    """detector: share of a tile's side that the next one shows too, 0.2 if not given: objects up to
    that size lie whole in some tile."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where a network computes."""
    keys: Path | None = None
    """track: labels of the frames that have boxes; DATA's own if not given."""
    motion: Literal["linear", "flow"] = "linear"
    """track: in a straight line between two boxes, or along with the picture from each."""
    video: Path | None = None
    """track: the video or its folder, so that flow can look at every frame of it."""
    sheet: Path | None = None
    """A picture to write, of up to 24 pictures with what is proposed for them."""
    accept_above: float | None = None
    """Make labels of the proposals of each picture whose proposals all score at least this."""
    take_back: bool = False
    """Undo the last acceptance: the labels become what they were before it, byte for byte."""
    json: bool = False
    """Print one JSON document: pictures, proposals, scores, accepted or taken_back."""


def look_at(words: Sequence[str]) -> None:
    """Refuse scores of classes that stand apart; raises InputError."""
    refuse_spaces(words)


def run(flags: Flags) -> int:
    """Propose, show, accept: whatever of it was asked for."""
    threshold = read_threshold(flags.threshold)
    if flags.take_back:
        return _take_back(flags)
    if len(flags.by) == 1:
        refuse_thresholds(flags.by[0], threshold)
        _look_at_names(flags.by[0], flags.names)
    if flags.by and (flags.by[0] in _NETS or Path(flags.by[0]).expanduser().exists()):
        # At once: what comes next imports torch, which takes seconds.
        note(f"propose for the pictures of {flags.data}, by {' '.join(flags.by)}")
    from viewfinder.labelling.requested import Request, propose

    chosen = {each.name: getattr(flags, each.name) for each in fields(Request)}
    chosen["threshold"] = threshold
    outcome = propose(flags.data, Request(**chosen))
    if flags.json:
        _print_document(outcome)
    else:
        _print_outcome(outcome)
    return 0


def _look_at_names(detector: str, entries: Sequence[str]) -> None:
    """Refuse names that cannot be had of a detector, where its classes are known before it is open.

    Args:
        detector: a run, or `coco`.

    Raises:
        InputError: as of `read_names` and `refuse_unknown_names`.
    """
    from viewfinder.labelling.asked_names import read_names, refuse_unknown_names

    names, place = read_names(entries), Path(detector).expanduser()
    if told := task_and_classes(place):
        task, classes = told
        if task == "detect":
            refuse_unknown_names(names, classes)
    elif detector == COCO and not place.exists():
        from viewfinder.tasks.detect.class_names import COCO as classes_of_coco

        refuse_unknown_names(names, classes_of_coco)


def _take_back(flags: Flags) -> int:
    from viewfinder.labelling.accepting import take_back
    from viewfinder.labelling.requested import folder_of

    if flags.by or flags.accept_above is not None:
        raise InputError("--take-back goes alone: take back first, and then propose or accept")
    data = folder_of(flags.data)
    done = take_back(data)
    if flags.json:
        print_json({"taken_back": vars(done)})
    else:
        say(
            f"{data}: {counted(done.boxes, 'box')} in "
            f"{counted(done.pictures, 'picture')} taken "
            f"back, which were there since {done.rule}"
        )
    return 0


def _print_document(outcome: "RequestOutcome") -> None:
    print_json(
        {
            "data": str(outcome.data),
            "pictures": len(outcome.proposals.paths),
            "proposals": len(outcome.proposals),
            "scores": outcome.proposals.found.scores.tolist(),
            "accepted": None if outcome.accepted is None else vars(outcome.accepted),
        }
    )


def _print_outcome(outcome: "RequestOutcome") -> None:
    proposals, accepted = outcome.proposals, outcome.accepted
    sure = int((proposals.found.scores >= 0.9).sum())
    say(
        f"{outcome.data}: {counted(len(proposals), 'proposal')} for "
        f"{counted(len(proposals.paths), 'picture')}, "
        f"{sure:,} of them with a score of 0.9 or more"
    )
    if accepted is None:
        return
    say(
        f"accepted: {counted(accepted.boxes, 'box')} in {counted(accepted.pictures, 'picture')}, "
        f"since {accepted.rule}"
    )
    have = "has" if accepted.labelled == 1 else "have"
    left = {
        "with a lower score": accepted.below,
        f"that {have} boxes already": accepted.labelled,
        "that no file of the set lists": accepted.unlisted,
    }
    for what, count in left.items():
        if count:
            say(f"left alone: {counted(count, 'picture')} {what}")
    if accepted.without:
        say(_none_of(accepted.without))


def _none_of(without: Mapping[str, float]) -> str:
    """Which classes have no label, and what would give them some.

    Args:
        without: the best picture's score of each.
    """
    # Rounded down: what is named is a rule that this picture passes.
    best = {name: math.floor(score * 100) / 100 for name, score in without.items()}
    if len(best) == 1:
        ((name, score),) = best.items()
        return (
            f"no box of {shown(name)} is accepted: its best picture scores {score:g}; look at them "
            f"by --sheet look.png, and --accept-above {score:g} takes it"
        )
    each = [f"{shown(name)} ({score:g})" for name, score in best.items()]
    return (
        f"no box of {len(best):,} classes is accepted, whose best pictures score less: "
        f"{some(each, 5)}; look at them by --sheet look.png, and lower --accept-above to that"
    )
