"""Heat maps for a training's report: of its worst and of typical pictures, in a bounded time."""

import contextlib
import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from viewfinder.attribution.page import drawn
from viewfinder.attribution.reason import Reason, Reasons, Worth
from viewfinder.attribution.why import Wanted, reasons_of
from viewfinder.errors import InputError
from viewfinder.evaluation.judging import AnyJudgement
from viewfinder.events import listening
from viewfinder.inference.answers import Predictor
from viewfinder.inference.tiling import whole
from viewfinder.pictures.drawing import draw_boxes
from viewfinder.pictures.resampling import at_side
from viewfinder.pictures.writing import picture_url
from viewfinder.tasks.model import Model

_EACH, _SIDE = 3, 240
# Of the time that a training took, the share that its maps may take besides, and the most seconds;
# where that is less than a picture's worth, there are none.
_SHARE, _MOST, _LEAST = 0.02, 10.0, 0.6


@dataclass(frozen=True)
class ShownReason:
    """A picture with the heat map of its surest answer.

    Attributes:
        image: as a data URL.
        kind: which picture it is, in words.
        worth: what came of the trials of its map.
    """

    path: str
    image: str
    answer: str
    kind: str
    says: str
    worth: Worth


def shown_reasons(
    model: Model, judgements: Mapping[str, AnyJudgement], *, device: torch.device, took: float
) -> list[ShownReason]:
    """Maps of the worst pictures and of typical ones in turn, as many as there is time for.

    Args:
        judgements: how the model answers each split; that furthest from training is looked at.
        took: seconds of the training.
    """
    allowed = min(_MOST, _SHARE * took)
    if allowed < _LEAST:
        return []
    end = time.monotonic() + allowed
    # Of folds other nets answered what was held out.
    judged = next(judgements[split] for split in ("test", "val", "train") if split in judgements)
    predictor = Predictor(whole(model), device=device)
    found: list[ShownReason] = []
    chosen = _chosen(_by_difficulty(model.config.task)(judged))
    files = [judged.examples.file(number) for number, _ in chosen]
    with listening(), contextlib.suppress(InputError):  # of a net that sees depth there are none
        asked = reasons_of(predictor, files, Wanted(most=1, quick=True))
        for (number, kind), reasons in zip(chosen, asked, strict=True):
            if not isinstance(reasons, InputError):
                path = judged.examples.paths[number]
                found += [_shown(reasons, reason, kind, path) for reason in reasons.reasons]
            if time.monotonic() > end:
                break
    # The worst first.
    return sorted(found, key=lambda each: each.kind != _WORST)


_WORST, _TYPICAL = "one of the worst", "typical"


def _chosen(order: list[int]) -> list[tuple[int, str]]:
    """The worst, and those in the middle, in turn."""
    worst = order[:_EACH]
    rest = order[_EACH:]
    start = max(0, (len(rest) - _EACH) // 2)
    typical = rest[start : start + _EACH]
    pairs = [(number, _WORST) for number in worst], [(number, _TYPICAL) for number in typical]
    return [pair for turn in range(_EACH) for side in pairs for pair in side[turn : turn + 1]]


def _by_difficulty(task: str) -> Callable[[AnyJudgement], list[int]]:
    found: Callable[[AnyJudgement], list[int]]
    found = importlib.import_module(f"viewfinder.evaluation.{task}.difficulty").by_difficulty
    return found


def _shown(reasons: Reasons, reason: Reason, kind: str, path: str) -> ShownReason:
    picture = reasons.picture
    if reason.heat is not None:
        picture = drawn(picture, reason.heat.at_size(), reason.question)
    if reason.question.box is not None:
        enlarged = picture.shape[1] / reasons.picture.shape[1]
        box = enlarged * np.array([reason.question.box], np.float32)
        picture = draw_boxes(picture, box, [""], [(255, 255, 255)])
    return ShownReason(
        path,
        picture_url(at_side(picture, _SIDE)),
        reason.question.name,
        kind,
        reason.says,
        reason.worth,
    )
