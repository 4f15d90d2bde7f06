"""The demonstration's page: every stage in pictures and figures, in one HTML file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.demo import learning
from viewfinder.demo.capturing import ABOVE
from viewfinder.demo.demonstrating import DemoOutcome, found_in
from viewfinder.demo.setting import DemoSetting
from viewfinder.evaluation import plots
from viewfinder.evaluation.detect import plots as detect_plots
from viewfinder.evaluation.detect.drawing import MISSED, RIGHT, WRONG, draw_detections
from viewfinder.evaluation.material import Card
from viewfinder.evaluation.templating import environment_of
from viewfinder.files import write_text
from viewfinder.pictures.drawing import distinct_colours, draw_boxes
from viewfinder.pictures.lettering import Colour
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.writing import picture_url
from viewfinder.tasks.detect.answers.answering import THRESHOLD
from viewfinder.tasks.detect.heads import head_of
from viewfinder.wording import counted

PAGE = "report.html"
"""The page's name in the demonstration's folder."""

# Of each class so many frames are shown, and so many composed scenes.
_FRAMES, _COMPOSED = 3, 6
# Longer side in pixels of the scenes as they are shown.
_SIDE = 420
_SURE, _UNSURE = (0, 158, 115), (230, 159, 0)


@dataclass(frozen=True)
class ShownPicture:
    """A picture on the page: a data URL, and what is said of it."""

    image: str
    says: str


@dataclass(frozen=True)
class Class:
    """What became of one class's videos.

    Attributes:
        empty: the first video's empty stand.
        frames: some frames, drawn upon.
        pictures: how many were taken.
        mean: of the IoU of the proposed boxes with the true ones; `least` the lowest of them.
        accepted: how many were.
    """

    name: str
    empty: ShownPicture
    frames: list[ShownPicture]
    pictures: int
    mean: float
    least: float
    accepted: int


def write_page(outcome: DemoOutcome) -> None:
    """Write `report.html` into the demonstration's folder.

    Raises:
        InputError: a picture cannot be read, or the file cannot be written.
    """
    environment = environment_of("viewfinder.demo")
    template = environment.get_template("demonstration.html.jinja")
    write_text(outcome.place / PAGE, template.render(page(outcome)))


def page(outcome: DemoOutcome) -> dict[str, object]:
    """What the template shows."""
    classes = [_class(outcome, name) for name in outcome.proposals.classes]
    unseen, scores = outcome.scored.judged, outcome.scored.judged.scores
    terms = {"loss": "all", **head_of(outcome.run.manifest.net).terms}
    seconds = [stage["seconds"] for stage in outcome.stages]
    return {
        "cards": _cards(outcome),
        "setting": outcome.setting,
        "trained": learning.trained(outcome.run),
        "shortened": outcome.setting.epochs < (usual := DemoSetting().epochs),
        "usual_epochs": usual,
        "above": ABOVE,
        "stages": outcome.stages,
        "seconds": sum(seconds),
        "longest": max(*seconds, 0.1),
        "classes": classes,
        "worst": min(classes, key=lambda each: each.mean),
        "mean": float(outcome.overlaps.mean()),
        "composed": list(_composed(outcome)),
        "curves": plots.curves(
            outcome.run.history(),
            plots.Panel("Loss", plots.terms(terms), logarithmic=True),
            plots.Panel("AP50 on composed scenes", plots.both_splits("ap50")),
        ),
        "judged": unseen.as_json(),
        "opinion": outcome.scored.says(),
        "boxes": int(scores.boxes.sum()),
        "precision_recall": detect_plots.precision_recall(scores, unseen.examples.classes),
        "unseen": list(_unseen(outcome)),
        "run": outcome.run.report_file.relative_to(outcome.place).as_posix(),
        "colours": {
            name: "#{:02x}{:02x}{:02x}".format(*colour)
            for name, colour in {
                "sure": _SURE,
                "unsure": _UNSURE,
                "right": RIGHT,
                "wrong": WRONG,
                "missed": MISSED,
            }.items()
        },
    }


def _cards(outcome: DemoOutcome) -> list[Card]:
    unseen, scores = outcome.scored.judged, outcome.scored.judged.scores
    accepted = outcome.acceptance
    scenes, boxes = len(outcome.composed), sum(outcome.composed.counts().values())
    last = outcome.run.history()[-1]
    return [
        Card("0", "boxes drawn by hand", f"{accepted.boxes:,} proposed and accepted by a rule"),
        Card(
            f"{outcome.overlaps.mean():.3f}",
            "mean IoU of the proposals",
            f"{counted(len(outcome.overlaps), 'box')}, against the renderer's",
        ),
        Card(f"{scenes:,}", "scenes composed", f"{counted(boxes, 'box')}, of what stays visible"),
        Card(
            f"{last['seconds']:.0f} s",
            "of training",
            f"{learning.trained(outcome.run)}; {last['images_per_s']:.0f} pictures/s",
        ),
        Card(
            "–" if scores.ap50 is None else f"{scores.ap50:.3f}",
            "mAP50 on unseen scenes",
            f"{counted(len(unseen.examples), 'picture')}, "
            f"{counted(int(scores.boxes.sum()), 'box')}",
        ),
    ]


def _class(outcome: DemoOutcome, name: str) -> Class:
    proposals, overlaps = outcome.proposals, outcome.overlaps
    rows = np.flatnonzero(proposals.found.labels == proposals.classes.index(name))
    shots = [shot for shot in outcome.shots if shot.path.startswith(f"{name}/")]
    spread = np.linspace(0, len(rows) - 1, min(_FRAMES, len(rows))).round().astype(int)
    return Class(
        name=name,
        empty=ShownPicture(
            picture_url(read_picture(shots[0].capture / "empty.png")), "empty stand"
        ),
        frames=[_proposed(outcome, int(row)) for row in rows[spread]],
        pictures=len(shots),
        mean=float(overlaps[rows].mean()),
        least=float(overlaps[rows].min()),
        accepted=int((proposals.found.scores[rows] >= ABOVE).sum()),
    )


def _proposed(outcome: DemoOutcome, row: int) -> ShownPicture:
    """A frame with the box and the outline that were proposed for it."""
    proposals = outcome.proposals
    path = proposals.paths[proposals.pictures[row]]
    picture = read_picture(outcome.place / "frames" / path)
    score = float(proposals.found.scores[row])
    colour: Colour = _SURE if score >= ABOVE else _UNSURE
    drawn = _outlined(picture, proposals.mask(row), colour)
    drawn = draw_boxes(drawn, proposals.found.boxes[[row]].astype(np.float32), [""], [colour])
    return ShownPicture(picture_url(drawn), f"score {score:.2f}, IoU {outcome.overlaps[row]:.3f}")


def _outlined(
    picture: NDArray[np.uint8], mask: NDArray[np.bool_], colour: Colour
) -> NDArray[np.uint8]:
    drawn = picture.copy()
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(drawn, outlines, -1, colour, 1)
    return drawn


def _composed(outcome: DemoOutcome) -> Iterator[ShownPicture]:
    """The first composed scenes with their boxes; their numbers are drawn at random anyway."""
    composed = outcome.composed
    assert composed.boxes is not None, "composed scenes have boxes"
    colours = distinct_colours(len(composed.classes))
    for index in range(min(_COMPOSED, len(composed))):
        rows = composed.boxes.of(index)
        labels: Sequence[int] = composed.boxes.classes[rows].tolist()
        drawn = draw_boxes(
            read_picture(composed.file(index)),
            composed.boxes.corners[rows].astype(np.float32),
            [composed.classes[label] for label in labels],
            [colours[label] for label in labels],
        )
        yield ShownPicture(picture_url(drawn), composed.paths[index])


def _unseen(outcome: DemoOutcome) -> Iterator[ShownPicture]:
    """Unseen scenes with what was found, spread evenly over all."""
    unseen = outcome.scored.judged
    examples, best = unseen.examples, unseen.scores.best
    assert examples.boxes is not None, "detections are judged by boxes"
    for index, answer in zip(outcome.shown, outcome.answers, strict=True):
        drawn = draw_detections(
            read_picture(examples.file(index)),
            unseen.answers[index],
            examples.boxes.select([index]),
            classes=examples.classes,
            threshold=best.threshold if best else THRESHOLD,
            side=_SIDE,
        )
        yield ShownPicture(picture_url(drawn), found_in(answer).listed(examples.classes))
