"""What the report of a detector tells."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from viewfinder import wording
from viewfinder.datasets.boxes import to_find
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.formats.coco.writing import COMPOSED
from viewfinder.evaluation import plots
from viewfinder.evaluation.advising import few_of, too_short, unsaid
from viewfinder.evaluation.confusions import common_confusions
from viewfinder.evaluation.detect import advice as detect_advice
from viewfinder.evaluation.detect import plots as detect_plots
from viewfinder.evaluation.detect.advice import Situation
from viewfinder.evaluation.detect.difficulty import ranked, shown_from
from viewfinder.evaluation.detect.drawing import (
    MISSED,
    MOST_WRONG,
    RIGHT,
    WRONG,
    draw_detections,
)
from viewfinder.evaluation.detect.findings import (
    BySize,
    ap50_error,
    found_by_size,
    lost_classes,
    misses_small,
    not_found_in_words,
)
from viewfinder.evaluation.detect.judged import DetectJudgement, DetectMaterial
from viewfinder.evaluation.few import too_few
from viewfinder.evaluation.fitting import FitVerdict, Measure, Trend, needs_longer, verdict
from viewfinder.evaluation.lost import naming_few, with_lost
from viewfinder.evaluation.material import SPLITS_IN_WORDS, Card, PageMaterial
from viewfinder.evaluation.split_scores import SplitScore, counted
from viewfinder.inference.asked_scores import THRESHOLD_SPLITS, USABLE, best_of
from viewfinder.pictures.writing import picture_url
from viewfinder.runs.scores import HELD_OUT
from viewfinder.tasks.detect.heads import head_of
from viewfinder.tasks.detect.measures.scores import DetectScores, Worst
from viewfinder.tasks.detect.opinion.second import OPINION
from viewfinder.values import as_list, as_number, as_whole

_WORST, _TYPICAL = 12, 6
# AP50 on training pictures below which nothing is learnt yet whose details could be mended.
_BEGUN = 0.1
# The split by which the weight of a second opinion is fitted, and whether it is kept.
_FITTED_ON = "val"
# Longer side in pixels of the pictures in the report.
_SIDE = 520
_MEASURE = Measure(
    "AP50 is {train:.3f} on training pictures and {held_out:.3f} on those held out",
    alone="AP50 is {train:.3f} on training pictures",
    learnt=0.8,
)
_ERRORS = {
    "localisation": "misplaced",
    "class": "of another class",
    "both": "misplaced and of another class",
    "duplicate": "found twice",
    "background": "where nothing is",
    "missed": "missed",
}


@dataclass(frozen=True)
class ShownScene:
    """A picture in the report, drawn upon: its file, a data URL, its sides and what is wrong."""

    path: str
    image: str
    width: int
    height: int
    errors: str


def page(material: DetectMaterial) -> PageMaterial:
    """What `detect.html.jinja` shows."""
    judged, scores = material.judged, material.judged.scores
    classes, size = judged.examples.classes, material.run.manifest.size
    options, threshold = material.run.manifest.options, shown_from(scores)
    sizes = found_by_size(judged, size, threshold=threshold)
    now = _situation(material, sizes)
    said = fit(material, now)
    costliest, helps = detect_advice.costliest(scores.errors, now)
    # What has learnt next to nothing has no details that could be mended.
    against = unsaid(helps, said.tries) if _has_begun(material) else ()
    order = ranked(judged)
    wrong = [each for each in order[:_WORST] if each.error > 0]
    terms = {"loss": "all", **head_of(material.run.manifest.net).terms}
    curves = plots.curves(
        material.history,
        plots.Panel("Loss", plots.terms(terms), logarithmic=True),
        plots.Panel("AP50", plots.both_splits("ap50")),
        plots.RATE,
    )
    own = {
        "judged": judged.as_json(),
        "boxes": int(scores.boxes.sum()),
        "threshold": _as_text(threshold),
        "usable": scores.best is not None and scores.best.f1 >= USABLE,
        "own_thresholds": _own_thresholds(material),
        "precision_recall": detect_plots.precision_recall(scores, classes),
        "confusion": detect_plots.confusion(scores, classes),
        "confusions": _confusions(scores, classes),
        "errors": detect_plots.errors(scores),
        "costliest": costliest,
        "against": against,
        "not_found": not_found_in_words(scores),
        "sizes": sizes,
        "colours": {"right": _css(RIGHT), "wrong": _css(WRONG), "missed": _css(MISSED)},
        "worst": [_shown(judged, each, threshold) for each in wrong],
        "typical": [_shown(judged, each, threshold) for each in _middle(order[len(wrong) :])],
        "anchors": _anchors(options),
        "options": {name: options[name] for name in options.keys() - {"anchors", "masks"}},
    }
    cards = [
        _card(split, judgement, fitted=split == _FITTED_ON and _has_opinion(material))
        for split, judgement in material.judgements.items()
    ]
    return PageMaterial(cards, said, curves, own, against)


def fit(material: DetectMaterial, now: Situation) -> FitVerdict:
    """Over-fitting, under-fitting or fine, by AP50."""
    learnt = _split_score(material.judgements["train"])
    held_out = {name: _split_score(each) for name, each in material.held_out.items()}
    train, other, split = material.compared(learnt, held_out, objects=learnt.objects)
    said = verdict(
        train,
        other,
        end=material.at_the_end("ap50", learnt, held_out),
        measure=material.worded(_MEASURE),
        trend=Trend("AP50 on validation pictures", material.measured("val_ap50"), rises=True),
        tries=detect_advice.tries(now),
        recipe=now.recipe,
        split=split,
        pool=material.pool,
        folded=material.by_folds,
        folds=material.folds_instead,
    )
    lost = lost_classes(material)
    said = naming_few(with_lost(said, lost) if lost else said, now.few)
    if _FITTED_ON in held_out and _has_opinion(material):
        flattered = "The second opinion was fitted on the validation pictures, which flatters them."
        said = replace(said, says=f"{said.says} {flattered}")
    if COMPOSED not in material.dataset.notes:
        return said
    # What has not learnt enough is trained before it is judged better.
    before = 1 if needs_longer(said, now.recipe) else 0
    tries = (*said.tries[:before], detect_advice.BY_REAL, *said.tries[before:])
    return replace(said, tries=tries)


def _split_score(judgement: DetectJudgement) -> SplitScore:
    """AP50 with its error: what other pictures would change, and at least what other boxes would.

    Pictures are too few to show the first where AP50 is the same without each of them.
    """
    scores, boxes = judgement.scores, int(judgement.scores.boxes.sum())
    if scores.ap50 is None:
        return SplitScore(0.0, 0, 0.0, objects=0)
    error = max(ap50_error(judgement), counted(scores.ap50, boxes).error)
    return SplitScore(scores.ap50, len(judgement.examples), error, objects=boxes)


def _situation(material: DetectMaterial, sizes: list[BySize]) -> Situation:
    recipe, judged = material.recipe, material.judged.scores
    per_class, rarest = _counts(material.dataset.split("train"))
    return Situation(
        recipe,
        boxes_per_class=per_class,
        rarest=rarest,
        ap50=(judged.ap50 if material.split != "train" else None) or 0.0,
        misses_small=misses_small(sizes) and _has_begun(material),
        longer_side=max(material.run.manifest.size),
        course=material.course,
        learnt=_ap50(material) >= _MEASURE.learnt or not too_short(recipe, material.course),
        few=few_of(material.dataset.split("train").counts(), detect_advice.FEW),
        gpu=not material.run.manifest.device.startswith("CPU"),
    )


def _counts(train: Dataset) -> tuple[float, float]:
    """Boxes in the average class, and the share of pictures that hold the rarest one."""
    assert train.boxes is not None, "detections are learnt from boxes"
    boxes = train.boxes.keep(to_find(train.boxes))
    classes = len(train.classes)
    holding = np.unique(boxes.pictures() * classes + boxes.classes) % classes
    present = np.bincount(holding, minlength=classes)
    rarest = int(present[present > 0].min(initial=len(train)))
    return len(boxes) / max(1, classes), rarest / len(train)


def _has_opinion(material: DetectMaterial) -> bool:
    return OPINION in material.run.model.config.habits


def _has_begun(material: DetectMaterial) -> bool:
    """Whether a net finds some of the objects that it learnt from."""
    return _ap50(material) >= _BEGUN


def _ap50(material: DetectMaterial) -> float:
    """Of the training pictures."""
    return material.judgements["train"].scores.ap50 or 0.0


def _own_thresholds(material: DetectMaterial) -> str:
    """From which scores on `predict --threshold best` shows classes, in a sentence; empty if it
    cannot."""
    split = next((split for split in THRESHOLD_SPLITS if split in material.judgements), None)
    if split is None or material.judgements[split].scores.best is None:
        return ""
    judged = material.judgements[split]
    classes = judged.examples.classes
    return (
        f"By {SPLITS_IN_WORDS[split]} pictures {best_of(judged.as_json(), classes).told(classes)}."
    )


def _as_text(threshold: float) -> str:
    """To three places, or two digits of one that is very low."""
    return f"{threshold:.3f}" if threshold >= 0.01 else f"{threshold:.2g}"


def _card(split: str, judgement: DetectJudgement, *, fitted: bool) -> Card:
    scores, count = judgement.scores, int(judgement.scores.boxes.sum())
    figure = "–" if scores.ap50 is None else f"{scores.ap50:.3f}"
    images = len(judgement.examples)
    detail = (
        f"{wording.counted(images, 'picture')}, {wording.counted(count, 'box')}"
        f"{too_few(images, count)}"
    )
    if fitted:
        detail += "; the second opinion was fitted on these"
    of = "all folds’ answers together" if split == HELD_OUT else SPLITS_IN_WORDS[split]
    return Card(figure, f"AP50, {of}", detail)


def _confusions(scores: DetectScores, classes: tuple[str, ...]) -> list[str]:
    """The commonest errors, class by class, in words."""
    background = len(classes)
    parts = []
    for pair in common_confusions(scores.confusion):
        if pair.answered == background:
            parts.append(
                f"{pair.count:,} × {classes[pair.true]} not found ({pair.share:.1%} of them)"
            )
        elif pair.true == background:
            parts.append(f"{pair.count:,} × {classes[pair.answered]} answered that fit no object")
        else:
            answer = f"{classes[pair.true]} answered as {classes[pair.answered]}"
            parts.append(f"{pair.count:,} × {answer} ({pair.share:.1%} of them)")
    return parts


def _middle(order: list[Worst]) -> list[Worst]:
    """Those in the middle."""
    start = max(0, (len(order) - _TYPICAL) // 2)
    return order[start : start + _TYPICAL]


def _shown(judged: DetectJudgement, each: Worst, threshold: float) -> ShownScene:
    examples, index = judged.examples, each.picture
    assert examples.boxes is not None, "detections are judged by boxes"
    picture = draw_detections(
        examples.picture(index),
        judged.answers[index],
        examples.boxes.select([index]),
        classes=examples.classes,
        threshold=threshold,
        side=_SIDE,
    )
    height, width = picture.shape[:2]
    errors = ", ".join(f"{count} {_ERRORS[kind]}" for kind, count in each.counts.items())
    wrong = sum(count for kind, count in each.counts.items() if kind != "missed")
    if wrong > MOST_WRONG:
        errors += f"; drawn are the {MOST_WRONG} surest of {wrong} wrong"
    return ShownScene(examples.paths[index], picture_url(picture), width, height, errors)


def _anchors(options: Mapping[str, object]) -> list[str]:
    """The shapes that boxes start from, a line a map of the net, the coarsest first; if any."""
    boxes = map(as_list, as_list(options.get("anchors", ())))
    anchors = [f"{as_number(width):g}×{as_number(height):g}" for width, height in boxes]
    masks = map(as_list, as_list(options.get("masks", ())))
    return [", ".join(anchors[as_whole(index)] for index in mask) for mask in masks]


def _css(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
