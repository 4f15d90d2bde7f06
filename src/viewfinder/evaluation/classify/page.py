"""What the report of a classifier tells."""

from dataclasses import dataclass, replace

import numpy as np

from viewfinder.evaluation import plots
from viewfinder.evaluation.advising import few_of
from viewfinder.evaluation.always import of_confusion
from viewfinder.evaluation.classify.advice import FEW, tries
from viewfinder.evaluation.classify.findings import (
    balanced_advice,
    beside_always,
    figure_of,
    lost_classes,
    unlearnt,
    with_always,
)
from viewfinder.evaluation.classify.judged import ClassifyJudgement, ClassifyMaterial
from viewfinder.evaluation.confusions import common_confusions
from viewfinder.evaluation.few import too_few
from viewfinder.evaluation.fitting import FitVerdict, Measure, Trend, verdict
from viewfinder.evaluation.lost import first, naming_few, with_lost
from viewfinder.evaluation.material import SPLITS_IN_WORDS, Card, PageMaterial
from viewfinder.evaluation.sampling import wilson
from viewfinder.evaluation.split_scores import SplitScore, counted
from viewfinder.pictures.geometry import letterbox
from viewfinder.pictures.resampling import resample
from viewfinder.pictures.writing import picture_url
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.wording import counted as counted_words

_WORST, _TYPICAL = 24, 16
# Side in pixels of the pictures in the report: small ones are enlarged, large ones reduced.
_THUMBNAIL = 112
_MEASURE = Measure(
    "{train:.1%} of training pictures are right and {held_out:.1%} of those held out",
    alone="{train:.1%} of training pictures are right",
    learnt=0.85,
)
# What a training that shows every class equally often is after.
_BALANCED = Measure(
    "balanced accuracy is {train:.1%} on training pictures and {held_out:.1%} on those held out",
    alone="balanced accuracy is {train:.1%} on training pictures",
    learnt=0.85,
)


@dataclass(frozen=True)
class ShownAnswer:
    """A picture in the report: its file, pixels as a data URL, true class, and the two likeliest
    answers with their probabilities."""

    path: str
    image: str
    true: str
    answer: str
    probability: float
    right: bool


def page(material: ClassifyMaterial) -> PageMaterial:
    """What `classify.html.jinja` shows."""
    judged = material.judged
    classes = judged.examples.classes
    counts = judged.scores.confusion
    curves = plots.curves(
        material.history,
        plots.Panel("Loss", (plots.LOSS, *plots.both_splits("loss"))),
        _accuracies(material.recipe),
        plots.RATE,
    )
    own = {
        "judged": judged.as_json(),
        "interval": wilson(judged.scores.accuracy, len(judged.examples)),
        "no_better": of_confusion(counts, classes, figure_of(material.recipe)),
        "classes": classes,
        "per_class": judged.as_json()["per_class"],
        "confusion": plots.confusion(counts, classes),
        "confusions": common_confusions(counts),
        "worst": worst(judged),
        "typical": typical(judged),
    }
    cards = [_card(split, judgement) for split, judgement in material.judgements.items()]
    return PageMaterial(cards, fit(material), curves, own)


def fit(material: ClassifyMaterial) -> FitVerdict:
    """Over-fitting, under-fitting or fine, by the figures of the cards; with what they hide."""
    recipe = material.recipe
    balanced = recipe.balanced
    learnt = _split_score(material.judgements["train"], balanced=balanced)
    held_out = {
        name: _split_score(each, balanced=balanced) for name, each in material.held_out.items()
    }
    train, other, split = material.compared(learnt, held_out)
    per_class = len(material.dataset.split("train")) / len(material.dataset.classes)
    score = other.score if other else 0.0
    now = tries(
        recipe,
        per_class=per_class,
        accuracy=score,
        course=material.course,
        counts=material.dataset.split("train").counts(),
    )
    said = verdict(
        train,
        other,
        end=material.at_the_end(figure_of(recipe), learnt, held_out),
        measure=material.worded(_BALANCED if balanced else _MEASURE),
        trend=Trend("The validation loss", material.measured("val_loss"), rises=False),
        tries=now,
        recipe=recipe,
        split=split,
        pool=material.pool,
        folded=material.by_folds,
        folds=material.folds_instead,
    )
    who = "the net that learnt from all of them" if material.by_folds else "it"
    said = unlearnt(said, material.judgements["train"], now, balanced=balanced, who=who)
    lost = lost_classes(material)
    said = with_lost(said, lost) if lost else said
    said = with_always(said, beside_always(material), now)
    said = naming_few(said, few_of(material.dataset.split("train").counts(), FEW))
    balance = balanced_advice(material.dataset.split("train"), recipe)
    return replace(said, tries=first(balance, said.tries))


def worst(judged: ClassifyJudgement) -> list[ShownAnswer]:
    """The pictures to whose true class the net gave least probability, the worst first."""
    truth = judged.answers[np.arange(len(judged.examples)), judged.examples.labels]
    wrong = judged.answers.argmax(axis=1) != judged.examples.labels
    order = [int(i) for i in np.argsort(truth, kind="stable") if wrong[i]]
    return [_shown(judged, index) for index in order[:_WORST]]


def typical(judged: ClassifyJudgement) -> list[ShownAnswer]:
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


def _accuracies(recipe: ClassifyRecipe) -> plots.Panel:
    """Of the accuracy that the training is after."""
    if recipe.balanced:
        lines = plots.both_splits("balanced_accuracy")
        return plots.Panel("Balanced accuracy, %", lines, factor=100)
    return plots.Panel("Accuracy, %", plots.both_splits("accuracy"), factor=100)


def _card(split: str, judgement: ClassifyJudgement) -> Card:
    scores, images = judgement.scores, len(judgement.examples)
    name, share = judgement.examples.classes[scores.largest[0]], scores.largest[1]
    detail = (
        f"balanced {scores.balanced_accuracy:.1%}; chance {1 / len(scores.confusion):.1%}, always "
        f"{name} {share:.1%}; loss {scores.loss:.3f}; {counted_words(images, 'picture')}"
        f"{too_few(images)}"
    )
    return Card(f"{scores.accuracy:.1%}", SPLITS_IN_WORDS[split], detail)


def _split_score(judgement: ClassifyJudgement, *, balanced: bool) -> SplitScore:
    scores, images = judgement.scores, len(judgement.examples)
    if balanced:
        return SplitScore(scores.balanced_accuracy, images, scores.balanced_error)
    return counted(scores.accuracy, images)


def _shown(judged: ClassifyJudgement, index: int) -> ShownAnswer:
    answer = int(judged.answers[index].argmax())
    label = int(judged.examples.labels[index])
    picture = judged.examples.picture(index, at_least=(_THUMBNAIL, _THUMBNAIL))
    height, width = picture.shape[:2]
    box = (_THUMBNAIL, _THUMBNAIL)
    thumbnail = resample(picture, letterbox((width, height), box), box, fill=255)
    return ShownAnswer(
        path=judged.examples.paths[index],
        image=picture_url(thumbnail),
        true=judged.examples.classes[label],
        answer=judged.examples.classes[answer],
        probability=float(judged.answers[index, answer]),
        right=answer == label,
    )
