"""One HTML file that tells how a training went, and what to do next."""

import base64
import importlib.resources
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from viewfinder.datasets.dataset import Dataset
from viewfinder.evaluation import plots
from viewfinder.evaluation.fitting import Side, Verdict, verdict
from viewfinder.evaluation.judging import Judgement
from viewfinder.files import write_text
from viewfinder.pictures.geometry import letterbox, resample
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.writing import encode_picture
from viewfinder.runs.run import Run

_WORST, _TYPICAL = 24, 16
# Side in pixels of the pictures in the report: small ones are enlarged, large ones reduced.
_THUMBNAIL = 112


@dataclass(frozen=True)
class Shown:
    """A picture in the report: its file, pixels as a data URL, true class, and the two likeliest
    answers with their probabilities."""

    path: str
    image: str
    true: str
    answer: str
    probability: float
    right: bool


def write_report(run: Run, dataset: Dataset, judgements: Mapping[str, Judgement]) -> None:
    """Write the run's `report.html`.

    Args:
        judgements: of the sides `train` and, where there are any, `val` and `test`.
    """
    side = next(name for name in ("test", "val", "train") if name in judgements)
    judged, manifest, history = judgements[side], run.manifest, run.history()
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["percent"] = lambda share: "–" if share is None else f"{share:.1%}"
    source = importlib.resources.files("viewfinder.evaluation") / "report.html.jinja"
    page = environment.from_string(source.read_text(encoding="utf-8")).render(
        manifest=manifest,
        name=run.folder.name,
        side=side,
        judged=judged.as_json(),
        interval=wilson(judged.scores.accuracy, len(judged.examples)),
        sides={name: j.as_json() for name, j in judgements.items()},
        verdict=fit_verdict(run, judgements, dataset),
        curves=Markup(plots.curves(history)) if history else "",
        confusion=Markup(plots.confusion(judged.scores.confusion, manifest.classes)),
        confusions=common_confusions(judged),
        worst=worst(judged),
        typical=typical(judged),
        trained=history[-1] if history else {},
        epochs=len(history),
        recipe=json.dumps(manifest.recipe.as_json(), indent=2, ensure_ascii=False),
    )
    write_text(run.report_file, page)


def fit_verdict(run: Run, judgements: Mapping[str, Judgement], dataset: Dataset) -> Verdict:
    """Over-fitting, under-fitting or fine, by `val`, or by `test` where there is no val.

    Judged at the training's end: the best weights may be of an early epoch, from before
    over-fitting showed.
    """
    held_out = judgements.get("val") or judgements.get("test")
    train = dataset.split("train")
    sides = _side(judgements["train"]), _side(held_out) if held_out else None
    last = run.history()[-1:]
    if last and "val" in judgements:
        sides = (
            Side(last[0]["train_accuracy"], sides[0].images),
            Side(last[0]["val_accuracy"], len(judgements["val"].examples)),
        )
    return verdict(
        *sides,
        recipe=run.manifest.recipe,
        per_class=len(train) / len(dataset.classes),
        validation_losses=[row["val_loss"] for row in run.history() if "val_loss" in row],
    )


def wilson(share: float, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share seen among `count`, clamped to [0, 1] by construction."""
    z = 1.96
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count)
    half *= math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, centre - half), min(1.0, centre + half)


def common_confusions(judged: Judgement, *, most: int = 6) -> list[dict[str, Any]]:
    """The pairs of classes most often taken for one another: true, answered, count, share."""
    counts, classes = judged.scores.confusion, judged.examples.classes
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(wrong, axis=None)[::-1][:most]
    pairs = [divmod(int(flat), len(classes)) for flat in order if wrong.flat[flat]]
    return [
        {
            "true": classes[true],
            "answered": classes[answered],
            "count": int(wrong[true, answered]),
            "share": float(wrong[true, answered] / counts[true].sum()),
        }
        for true, answered in pairs
    ]


def worst(judged: Judgement) -> list[Shown]:
    """The pictures to whose true class the net gave least probability, the worst first."""
    truth = judged.answers[np.arange(len(judged.examples)), judged.examples.labels]
    wrong = judged.answers.argmax(axis=1) != judged.examples.labels
    order = [int(i) for i in np.argsort(truth, kind="stable") if wrong[i]]
    return [_shown(judged, index) for index in order[:_WORST]]


def typical(judged: Judgement) -> list[Shown]:
    """Pictures of median difficulty, class by class in turn."""
    truth = judged.answers[np.arange(len(judged.examples)), judged.examples.labels]
    labels = judged.examples.labels
    by_class = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        members = members[np.argsort(truth[members], kind="stable")]
        middle = len(members) // 2
        by_class.append([int(i) for i in members[middle : middle + 4]])
    rounds = [row[turn] for turn in range(4) for row in by_class if turn < len(row)]
    return [_shown(judged, index) for index in rounds[: max(_TYPICAL, len(by_class))][:48]]


def _side(judgement: Judgement) -> Side:
    return Side(judgement.scores.accuracy, len(judgement.examples))


def _shown(judged: Judgement, index: int) -> Shown:
    answer = int(judged.answers[index].argmax())
    label = int(judged.examples.labels[index])
    picture = read_picture(judged.examples.file(index), at_least=(_THUMBNAIL, _THUMBNAIL))
    height, width = picture.shape[:2]
    box = (_THUMBNAIL, _THUMBNAIL)
    thumbnail = resample(picture, letterbox((width, height), box), box, fill=255)
    data = base64.b64encode(encode_picture(thumbnail, ".jpg")).decode()
    return Shown(
        path=judged.examples.paths[index],
        image=f"data:image/jpeg;base64,{data}",
        true=judged.examples.classes[label],
        answer=judged.examples.classes[answer],
        probability=float(judged.answers[index, answer]),
        right=answer == label,
    )
