"""The figures of a saliency report, as SVG to stand inside the page."""

from markupsafe import Markup
from matplotlib.figure import Figure

from viewfinder.evaluation.figures import INK, TRAIN, VAL, inline, quiet
from viewfinder.tasks.saliency.scores import THRESHOLDS, SaliencyScores

_SIZE = (4.6, 3.4)


def precision_recall(scores: SaliencyScores) -> Markup:
    """Mean precision over mean recall, with a dot at the threshold of best F."""
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.subplots()
    best = int(scores.f_curve_dataset.argmax())
    # The last thresholds give nothing to the subject, where precision means nothing.
    there = scores.recall > 0
    axes.plot(scores.recall[there], scores.precision[there], color=VAL)
    axes.plot(scores.recall[best], scores.precision[best], "o", color=VAL, markersize=5)
    axes.set_title("Precision and recall")
    axes.set_xlabel("recall: share of the subject that is found")
    axes.set_ylabel("precision: share that is subject")
    axes.set_xlim(0, 1.01)
    axes.set_ylim(0, 1.02)
    quiet(axes)
    return inline(figure, "Precision over recall, over all thresholds of the map")


def over_thresholds(scores: SaliencyScores) -> Markup:
    """F and E of the map cut at each threshold, with dots at their best."""
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.subplots()
    for curve, label, colour in ((scores.e_curve, "E", VAL), (scores.f_curve, "F", TRAIN)):
        best = int(curve.argmax())
        axes.plot(THRESHOLDS, curve, color=colour, label=f"{label}, best {curve[best]:.3f}")
        axes.plot(THRESHOLDS[best], curve[best], "o", color=colour, markersize=5)
    axes.set_title("F and E by threshold")
    axes.set_xlabel("threshold on the map")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    quiet(axes)
    axes.legend(frameon=False, fontsize=8, loc="lower center", labelcolor=INK)
    return inline(figure, "F and E over the threshold of the map")
