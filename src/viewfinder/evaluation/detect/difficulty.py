"""Which pictures a detector answers worst."""

from viewfinder.evaluation.detect.judged import DetectJudgement
from viewfinder.tasks.detect.answers.answering import THRESHOLD
from viewfinder.tasks.detect.measures.scores import DetectScores, Worst, worst


def shown_from(scores: DetectScores) -> float:
    """From which score on detections are drawn and counted as found."""
    return scores.best.threshold if scores.best else THRESHOLD


def ranked(judged: DetectJudgement) -> list[Worst]:
    """Every picture, the worst first, those without an error last."""
    boxes, count = judged.examples.boxes, len(judged.examples)
    assert boxes is not None, "detections are judged by boxes"
    wrong = worst(judged.answers, boxes, threshold=shown_from(judged.scores), most=count)
    rest = sorted(set(range(count)) - {each.picture for each in wrong})
    return wrong + [Worst(picture, 0.0, {}) for picture in rest]


def by_difficulty(judged: DetectJudgement) -> list[int]:
    """The numbers of all pictures, in the order of `ranked`."""
    return [each.picture for each in ranked(judged)]
