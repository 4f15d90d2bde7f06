"""Let a trained run answer new pictures.

Pictures are prepared as they were in training: size, colours and class names come from the run.

--track follows a detector's objects through a video, or through a folder of frames in the order of
their names, gives each a number, and counts them where they cross a line or enter a zone:
  viewfinder predict runs/parts a.mp4 --track --line 0,240,640,240 --out drawn
  viewfinder predict coco street.mp4 --track --zone 100,50,400,300 --json

Example:

  viewfinder predict runs/my-boxes-yolov3-tiny clip.mp4 --out drawn
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from viewfinder.cli.asking import AskingFlags, learnt, refuse_no_picture
from viewfinder.cli.meant import refuse_no_source, refuse_swapped, sources_in_words
from viewfinder.cli.output import print_json, say
from viewfinder.cli.thresholds import Given, read_threshold, refuse_spaces, refuse_thresholds
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.files import refuse_taken, require_writable
from viewfinder.inference.asked_scores import (
    nothing_found,
    refuse_followed,
    refuse_no_score,
    refuse_no_share,
    refuse_unsure,
)
from viewfinder.wording import counted

if TYPE_CHECKING:
    from viewfinder.api import Run
    from viewfinder.inference.answers import Answer
    from viewfinder.inference.thresholds import Wanted
    from viewfinder.inference.tracking.following import VideoCounts


@dataclass(frozen=True)
class Flags:
    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """The run's folder, as `viewfinder train` wrote it, Darknet's .weights, an ONNX file:
    of `viewfinder export`, or of a saliency network such as u2netp; or a classifier of
    torchvision's, as torchvision:resnet50."""
    source: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="SOURCE…")]
    """Pictures, videos, folders of them, or - for paths on standard input, one a line. What they
    are is seen by their content."""
    out: Path | None = None
    """A new folder for copies of the pictures, or the video, with their answers drawn on them, each
    under its own name; saliency: for the maps as PNG, and the folders overlays/ and cutouts/."""
    threshold: Annotated[str | None, tyro.conf.arg(metavar="SCORE|best|CLASS=SCORE,…")] = None
    """detect: the least score that is answered; or best: for each class that of best F1 on the
    run's validation pictures, or on those that its folds held out; or scores by class, as
    cat=0.9,dog=0.5; 0.25 of what is not given. saliency: the map's least value in the subject; 0.5
    if not given."""
    coco: Path | None = None
    """detect: a file for what is found, as COCO's JSON with scores."""
    csv: Path | None = None
    """detect: a file for what is found, a row an object; names that begin as formulas do (= + - @)
    have a ' before them."""
    track: bool = False
    """detect: follow objects from frame to frame; each has a number in --json, --csv, --mot and on
    what --out draws. --threshold is what one must score to be followed anew; one that is followed
    already is taken down to two fifths of it."""
    line: Annotated[tuple[str, ...], tyro.conf.arg(metavar="X1,Y1,X2,Y2")] = ()
    """track: lines in pixels; in is who comes to the right-hand side of one that walks from the
    first point to the second, so for a line from left to right who comes down."""
    zone: Annotated[tuple[str, ...], tyro.conf.arg(metavar="X1,Y1,X2,Y2…")] = ()
    """track: zones in pixels: two corners of a rectangle, or all corners of another shape; in is
    who comes into one, out who goes out."""
    mot: Path | None = None
    """track: a file for what is followed, as MOT Challenge's text."""
    top: int = 3
    """classify: how many of the likeliest classes to print."""
    refuse_below: Annotated[float | None, tyro.conf.arg(metavar="SCORE")] = None
    """Answer unknown where the score is less: the class of a picture, or of a box."""
    refuse_unlike: Annotated[float | None, tyro.conf.arg(metavar="SHARE")] = None
    """Say which pictures are unlike what the run learnt from, and answer unknown for them: those
    farther from it, as the network sees them, than all but this share of the pictures that were
    held out in training, such as 0.05. The first time, the training pictures are looked at."""
    coverage: Annotated[float | None, tyro.conf.arg(metavar="SHARE")] = None
    """classify: for each picture print a set of classes that holds the true one of this share of
    such pictures as were held out in training, such as 0.9."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute."""
    json: bool = False
    """Print one JSON document: predictions, each with source, width, height, and the answer: label
    and scores of a classifier, boxes of a detector, mask of a subject: its box, share of the
    picture, mean of the map over it, and with --out the files; with --track counts too."""
    how: AskingFlags = field(default_factory=AskingFlags)


def look_at(words: Sequence[str]) -> None:
    """Refuse scores of classes that stand apart; raises InputError."""
    refuse_spaces(words)


def run(flags: Flags) -> int:
    """Print, and with --out draw, the answers."""
    threshold = None if flags.threshold is None else read_threshold(flags.threshold)
    if flags.top < 1:
        raise InputError(f"--top {flags.top}: give 1 or more")
    refuse_swapped(flags.run, flags.source, verb="predict")
    _refuse_mixed(flags)
    _refuse_early(flags, threshold)
    # At once: what comes next imports torch, which takes seconds.
    note(f"predict: {flags.run} answers {sources_in_words(flags.source)}")
    from viewfinder.api import open_run
    from viewfinder.tasks import find
    from viewfinder.tasks.detect.opinion.second import IN_ANSWERS, OPINION

    opened = open_run(flags.run)
    opinion = OPINION in opened.model.config.habits
    if opinion:
        note(IN_ANSWERS)
    answers, classes, counts = _answered(opened, flags, threshold)
    _write(answers, classes, flags)
    if flags.json:
        document: dict[str, object] = {"predictions": [each.as_json(classes) for each in answers]}
        if find(opened.model.config.task).finds_boxes:
            document["second_opinion"] = opinion
        if flags.track:
            document["counts"] = [each.as_json(classes) for each in counts]
        print_json(document)
        return 0
    for line in _lines(answers, counts, classes, flags):
        say(line)
    _tell_of_nothing(answers, threshold, best=opened.trained is not None)
    return 0


def _refuse_mixed(flags: Flags) -> None:
    """Refuse words that say nothing beside the others; raises InputError."""
    refuse_no_source(flags.source, verb="predict")
    if len(flags.source) > 1 and flags.track:
        raise InputError("--track follows objects through one video, or one folder: give one")
    if not flags.track and (flags.line or flags.zone or flags.mot):
        raise InputError("--line, --zone and --mot are of objects that are followed: give --track")
    cautions = (flags.refuse_below, flags.coverage, flags.refuse_unlike)
    if flags.track and any(each is not None for each in cautions):
        raise InputError(
            "--track follows what has a class: leave --refuse-below, --refuse-unlike and "
            "--coverage out"
        )


def _refuse_early(flags: Flags, threshold: Given | None) -> None:
    """Refuse before torch is imported what needs no net to be refused; raises InputError."""
    flags.how.refuse_early(flags.run)
    refuse_no_picture(flags.run, flags.source)
    refuse_thresholds(flags.run, threshold)
    if flags.refuse_below is not None:
        refuse_no_score("--refuse-below", flags.refuse_below)
    if flags.coverage is not None:
        refuse_no_share("--coverage", flags.coverage, "0.9")
    if flags.refuse_unlike is not None:
        refuse_no_share("--refuse-unlike", flags.refuse_unlike, "0.05")
    _refuse_of_task(flags)
    if flags.out is not None:
        refuse_taken(flags.out)
    for file in (flags.coco, flags.csv, flags.mot):
        if file is not None:
            require_writable(file.absolute().parent)


def _refuse_of_task(flags: Flags) -> None:
    """Refuse what a run of its task does not answer, as far as `run.json` says which that is, and
    places that are none; raises InputError."""
    source = Path(flags.run).expanduser()
    if of := learnt(flags.run):
        task, recipe = of
        if flags.track:
            refuse_followed(source, finds_boxes=recipe.finds_boxes)
        if flags.refuse_below is not None or flags.coverage is not None:
            sets = None if flags.coverage is None else recipe.answers_sets
            refuse_unsure(source, task, can_doubt=recipe.can_doubt, sets=sets)
    if flags.line or flags.zone:
        from viewfinder.inference.tracking.counting import read_places

        read_places(flags.line, flags.zone)


def _answered(
    opened: "Run", flags: Flags, threshold: "Wanted"
) -> "tuple[Sequence[Answer], tuple[str, ...], Sequence[VideoCounts]]":
    """The answers, drawn where --out says, the names of their classes, and what was counted."""
    if not flags.track:
        predicted = opened.predict(
            flags.source,
            device=flags.device,
            threshold=threshold,
            refuse_below=flags.refuse_below,
            coverage=flags.coverage,
            refuse_unlike=flags.refuse_unlike,
            out=flags.out,
            **flags.how.asking(),
        )
        return predicted.answers, predicted.classes, ()
    from viewfinder.inference.drawing import draw_answers

    followed = opened.track(
        flags.source[0],
        device=flags.device,
        threshold=threshold,
        lines=flags.line,
        zones=flags.zone,
        **flags.how.asking(),
    )
    answers: Sequence[Answer] = followed.answers
    if flags.out:
        bits = opened.model.config.bits
        answers = draw_answers(answers, flags.out, classes=opened.classes, bits=bits)
    return answers, opened.classes, followed.counts


def _write(answers: "Sequence[Answer]", classes: tuple[str, ...], flags: Flags) -> None:
    """Say what was drawn, and write the files that flags name."""
    from viewfinder.inference.tables import write_coco, write_rows
    from viewfinder.inference.tracking.following import write_mot

    if flags.out:
        note(_written(answers, flags.out))
    for file, write in ((flags.coco, write_coco), (flags.csv, write_rows)):
        if file:
            write(answers, classes, file)
            note(f"wrote what was found into {file}")
    if flags.mot:
        write_mot(answers, flags.mot)
        note(f"wrote what was followed into {flags.mot}")


def _tell_of_nothing(answers: "Sequence[Answer]", threshold: "Wanted", *, best: bool) -> None:
    """Where no picture has an object, say that some may lie below the threshold."""
    from viewfinder.tasks.detect.detections import Detections

    found = [each.value for each in answers]
    if found and threshold is None and all(isinstance(v, Detections) and not len(v) for v in found):
        note(nothing_found("shows", best=best))


def _lines(
    answers: "Sequence[Answer]",
    counts: "Sequence[VideoCounts]",
    classes: tuple[str, ...],
    flags: Flags,
) -> Iterator[str]:
    """What was counted, or the answer to each picture."""
    if flags.track:
        for each in counts:
            yield from each.lines(classes)
        return
    for answer in answers:
        frame = "" if answer.frame is None else f" frame {answer.frame}"
        far = f"  unlike what was learnt ({answer.distance:.2f})" if answer.unlike else ""
        yield f"{answer.source}{frame}: {answer.value.line(classes, top=flags.top)}{far}"


def _written(answers: "Sequence[Answer]", out: Path) -> str:
    """What was drawn of the answers, and where it lies."""
    from viewfinder.tasks.saliency.maps import Subject

    pictures = {each.source for each in answers if each.frame is None}
    videos = {each.source for each in answers if each.frame is not None}
    parts = []
    if pictures and any(isinstance(each.value, Subject) for each in answers):
        maps = counted(len(pictures), "map")
        parts.append(f"{maps}, and in overlays/ and cutouts/ the pictures with their subjects")
    elif pictures:
        parts.append(f"{counted(len(pictures), 'picture')} with the answers drawn")
    if videos:
        parts.append(f"{counted(len(videos), 'video')} with the answers drawn")
    return f"wrote into {out}: {', '.join(parts)}"
