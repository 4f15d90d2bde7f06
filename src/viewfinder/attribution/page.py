"""A page of reasons: pointing at an answer shows its heat map on the picture."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray

from viewfinder.attribution.heat import Heat
from viewfinder.attribution.inside import Stage, filters
from viewfinder.attribution.neighbours import LearntFrom, neighbour_content
from viewfinder.attribution.reason import Reason, Reasons
from viewfinder.attribution.summary import Summary
from viewfinder.attribution.trials import DRAWS, TO_BEAT, hottest
from viewfinder.evaluation.templating import environment_of, made_with
from viewfinder.files import write_text
from viewfinder.inference.answers import Predictor
from viewfinder.pictures.geometry import Size
from viewfinder.pictures.resampling import at_side
from viewfinder.pictures.writing import picture_url
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.question import Corners, Question

MOST_SHOWN = 40
"""Pictures on a page; figures are of all."""
_SIDE = 420
# How much of a picture its heat map hides where it is hottest.
_STRENGTH = 0.65


def write_page(
    file: Path,
    found: Sequence[Reasons],
    summary: Summary,
    *,
    predictor: Predictor,
    title: str,
    by: str,
    memory: LearntFrom,
) -> None:
    """Write it.

    Args:
        memory: what the run learnt from, or why that is not known.
        title: what was asked, in a few words.
        by: the command that made it.

    Raises:
        InputError: it cannot be written.
    """
    template = environment_of("viewfinder.attribution").get_template("why.html.jinja")
    shown = found[:MOST_SHOWN]
    named = zip(shown, names_of([each.source for each in shown]), strict=True)
    content = {
        "title": title,
        "draws": DRAWS,
        "to_beat": TO_BEAT,
        "summary": summary,
        "pictures": [_picture(each, name, predictor.model.config) for each, name in named],
        "lacks": memory.lacks,
        "share": memory.share,
        "left_out": max(0, len(found) - MOST_SHOWN),
        "filters": [picture_url(each) for each in filters(predictor.net)],
        "made": f"{by} — {made_with()}",
    }
    write_text(file, template.render(content))


def drawn(picture: NDArray[np.uint8], heat: Heat, question: Question) -> NDArray[np.uint8]:
    """A picture, H×W×3, with its heat on it: the hotter the more, and its hottest places outlined.

    A small one is enlarged first, so that the outline of a few pixels does not hide them.

    Args:
        heat: H×W in [0, 1].
    """
    places = hottest(heat, question).astype(np.uint8)
    picture = _large(picture)
    size = (picture.shape[1], picture.shape[0])
    heat = np.clip(cv2.resize(heat, size, interpolation=cv2.INTER_LINEAR), 0, 1)
    outlined = cv2.resize(places, size, interpolation=cv2.INTER_NEAREST)
    colours = matplotlib.colormaps["inferno"](heat)[..., :3] * 255
    share = (_STRENGTH * np.sqrt(heat))[..., None]
    mixed = (share * colours + (1 - share) * picture).round().astype(np.uint8)
    edges, _ = cv2.findContours(outlined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return np.asarray(cv2.drawContours(np.ascontiguousarray(mixed), edges, -1, (255, 255, 255), 1))


def names_of(sources: Sequence[str]) -> list[str]:
    """Of each source its file's name; of those that share one as many folders too as they need."""
    names, parts = [Path(each).name for each in sources], 1
    while parts < max((len(Path(each).parts) for each in sources), default=0):
        parts += 1
        times = Counter(names)
        names = [
            "/".join(Path(source).parts[-parts:]) if times[name] > 1 else name
            for source, name in zip(sources, names, strict=True)
        ]
    return names


def _picture(found: Reasons, name: str, config: ModelConfig) -> dict[str, object]:
    return {
        "source": found.source,
        "name": name,
        "plain": picture_url(_large(found.picture)),
        "nothing": found.nothing,
        "learnt_from": found.learnt_from,
        "reasons": [_reason(each, found.picture, config) for each in found.reasons],
        "nearest": [neighbour_content(each, config) for each in found.nearest],
        "stages": [_stage(each) for each in found.stages],
    }


def _reason(found: Reason, picture: NDArray[np.uint8], config: ModelConfig) -> dict[str, object]:
    height, width = picture.shape[:2]
    box = None if found.question.box is None else placed(found.question.box, (width, height))
    heat = None if found.heat is None else drawn(picture, found.heat.at_size(), found.question)
    return {
        "name": found.question.name,
        "box": box,
        "url": None if heat is None else picture_url(heat),
        "layer": None if found.heat is None else found.heat.layer,
        "method": None if found.heat is None else found.heat.method,
        "base": found.standing.says,
        "instead": found.instead,
        "failed": found.failed is not None and found.failed.tells,
        "verdict": found.verdict,
        "worth": found.worth,
        "deletion": found.deletion,
        "likeness": found.likeness,
        "changes": found.changes,
        "nearest": [neighbour_content(each, config) for each in found.nearest],
    }


def placed(box: Corners, size: Size) -> str:
    """Where a box stands on a picture of this width and height, as CSS; what of it lies beyond the
    picture has no place there."""
    left, right = (float(np.clip(x / size[0], 0, 1)) for x in box[::2])
    top, bottom = (float(np.clip(y / size[1], 0, 1)) for y in box[1::2])
    sides = {"left": left, "top": top, "width": right - left, "height": bottom - top}
    return " ".join(f"{side}: {100 * share:.2f}%;" for side, share in sides.items())


def _stage(stage: Stage) -> dict[str, object]:
    return {
        "layer": stage.layer,
        "channels": stage.channels,
        "size": "{}×{}".format(*stage.size),
        "shown": [{"number": n, "url": picture_url(each)} for n, each in stage.shown],
    }


def _large(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return at_side(picture, max(_SIDE, max(picture.shape[:2])))
