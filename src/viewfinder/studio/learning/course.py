"""How a training goes, as the page shows it: what `viewfinder train --json-lines` said so far."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

# Points of a curve that a page as wide as a hand can show.
_MOST_POINTS = 200
_MOST_NOTES = 4


@dataclass(frozen=True)
class Course:
    """What is known of a training.

    Attributes:
        says: what it does now, in a few words.
        figure: the name of what its weights are chosen by, such as `val_ap50`.
        seconds_left: of training, as far as can be known; None before.
        losses, scores: an epoch each; a score is None where no picture is held out.
        verdict: what the training came to, in a sentence or two.
        tries: what to try next, the best first.
        notes: what could not be done, the first few sentences.
        error: why it failed, in a sentence.
    """

    says: str = "starting"
    figure: str = ""
    seconds_left: float | None = None
    losses: tuple[float | None, ...] = ()
    scores: tuple[float | None, ...] = ()
    verdict: str = ""
    tries: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""


def heard(course: Course, line: str) -> Course:
    """The course after a line that the training says: an event, or the error that ended it."""
    if line.startswith("error: "):
        return replace(course, error=line.removeprefix("error: ").strip())
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return course
    return _after(course, event) if isinstance(event, Mapping) else course


def _after(course: Course, event: Mapping[str, object]) -> Course:
    match event.get("event"):
        case "progress_began":
            return replace(course, says=str(event.get("name")))
        case "note":
            return replace(course, notes=(*course.notes, str(event.get("text")))[:_MOST_NOTES])
        case "training_began":
            return replace(course, says="training", figure=str(event.get("figure")))
        case "step_taken":
            left = _number(event.get("seconds_left"))
            return replace(course, says=f"epoch {event.get('epoch')}", seconds_left=left)
        case "epoch_ended":
            row = event.get("row")
            given = row if isinstance(row, Mapping) else {}
            return replace(
                course,
                losses=(*course.losses, _number(given.get("loss")))[-_MOST_POINTS:],
                scores=(*course.scores, _number(given.get(course.figure)))[-_MOST_POINTS:],
            )
        case "training_ended":
            return replace(course, says="judging it", seconds_left=None)
        case "fit_judged":
            tries = event.get("tries")
            listed = tuple(map(str, tries)) if isinstance(tries, list) else ()
            return replace(course, verdict=str(event.get("says")), tries=listed)
        case _:
            return course


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
