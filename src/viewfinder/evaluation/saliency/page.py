"""What the report of a saliency net tells."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.evaluation import plots
from viewfinder.evaluation.few import too_few
from viewfinder.evaluation.figures import INK
from viewfinder.evaluation.fitting import FitVerdict, Measure, Trend, verdict
from viewfinder.evaluation.material import SPLITS_IN_WORDS, Card, PageMaterial
from viewfinder.evaluation.saliency import plots as saliency_plots
from viewfinder.evaluation.saliency.advice import tries
from viewfinder.evaluation.saliency.judged import SaliencyJudgement, SaliencyMaterial
from viewfinder.evaluation.saliency.likeness import likenesses
from viewfinder.evaluation.saliency.views import View, Viewer
from viewfinder.evaluation.split_scores import SplitScore
from viewfinder.values import as_number
from viewfinder.wording import counted

_SHOWN = 8
_MEASURE = Measure(
    "S is {train:.3f} on training pictures and {held_out:.3f} on those held out",
    alone="S is {train:.3f} on training pictures",
    learnt=0.9,
)
_TERMS = {"loss": "all", "truth": "truth", "imitation": "teacher", "attention": "attention"}


_WORDS = {
    "mae": "MAE (0 is best)",
    "s_measure": "S, structure",
    "e_max": "E max, alignment",
    "e_mean": "E mean",
    "e_adaptive": "E adaptive",
    "f_max": "F max, of the pictures' mean curve",
    "f_max_dataset": "F max, of mean precision and recall",
    "f_mean": "F mean",
    "f_adaptive": "F adaptive",
    "weighted_f": "weighted F",
}


@dataclass(frozen=True)
class ShownSubject:
    """A picture in the report: its file, its S, and the views of it."""

    path: str
    s_measure: float
    views: tuple[View, ...]


def page(material: SaliencyMaterial) -> PageMaterial:
    """What `saliency.html.jinja` shows."""
    judged, scores = material.judged, material.judged.scores
    likeness = {split: likenesses(each) for split, each in material.judgements.items()}
    order = np.argsort(likeness[material.split], kind="stable").tolist()
    # Half of them at most are the best, so that no picture is shown as both.
    best = order[::-1][: min(_SHOWN, len(order) // 2)]
    worst = [index for index in order[:_SHOWN] if index not in best]
    viewer = Viewer(material)
    shown = {
        index: ShownSubject(
            judged.examples.paths[index],
            float(likeness[material.split][index]),
            viewer.views(index),
        )
        for index in (*worst, *best)
    }
    curves = plots.curves(
        material.history,
        plots.Panel("Loss", plots.terms(_TERMS), logarithmic=True),
        plots.Panel("S-measure", plots.both_splits("s_measure")),
        plots.RATE,
        plots.Panel("λ, the teacher's share", (plots.HistoryLine("weight", "λ", INK),), share=True),
    )
    own = {
        "scores": scores,
        "terms": any(_TERMS.keys() - {"loss"} & row.keys() for row in material.history),
        "images": len(judged.examples),
        "f_max": float(scores.f_curve.max()),
        "e_max": float(scores.e_curve.max()),
        "table": _table(material),
        "precision_recall": saliency_plots.precision_recall(scores),
        "over_thresholds": saliency_plots.over_thresholds(scores),
        "gates": viewer.student is not None,
        "worst": [shown[index] for index in worst],
        "best": [shown[index] for index in best],
    }
    cards = [_card(split, judgement) for split, judgement in material.judgements.items()]
    return PageMaterial(cards, fit(material, likeness), curves, own)


def fit(material: SaliencyMaterial, likeness: dict[str, NDArray[np.float64]]) -> FitVerdict:
    """Over-fitting, under-fitting or fine, by S."""
    recipe, dataset, followed = material.recipe, material.dataset, material.measured("weight")
    learnt = _split_score(likeness["train"])
    held_out = {name: _split_score(likeness[name]) for name in material.held_out}
    train, other, split = material.compared(learnt, held_out)
    return verdict(
        train,
        other,
        end=material.at_the_end("s_measure", learnt, held_out),
        measure=material.worded(_MEASURE),
        trend=Trend("S on validation pictures", material.measured("val_s_measure"), rises=True),
        tries=tries(
            recipe,
            pictures=len(dataset.split("train")),
            depth=any(dataset.depths),
            likeness=other.score if other else 0.0,
            course=material.course,
            followed=followed[-1][1] if followed else None,
        ),
        recipe=recipe,
        split=split,
        pool=material.pool,
        folded=material.by_folds,
        folds=material.folds_instead,
    )


def _split_score(likeness: NDArray[np.float64]) -> SplitScore:
    # Of a single picture nothing is known of how others would differ.
    error = float(likeness.std(ddof=1) / np.sqrt(len(likeness))) if len(likeness) > 1 else 0.5
    return SplitScore(float(likeness.mean()), len(likeness), error)


def _card(split: str, judgement: SaliencyJudgement) -> Card:
    scores = judgement.scores
    images = len(judgement.examples)
    detail = f"MAE {scores.mae:.3f}; {counted(images, 'picture')}{too_few(images)}"
    return Card(f"{scores.s_measure:.3f}", f"S, {SPLITS_IN_WORDS[split]}", detail)


def _table(material: SaliencyMaterial) -> list[tuple[str, list[float]]]:
    """The scores that papers report, a row a score and a column a split."""
    splits: list[Mapping[str, object]]
    splits = [each.scores.as_json() for each in material.judgements.values()]
    return [
        (words, [as_number(scores[name]) for scores in splits]) for name, words in _WORDS.items()
    ]
