"""Classes as a contest: accuracy and its kin, over draws of pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.evaluation.sampling import Values, redrawn, same_shares
from viewfinder.scoring.class_answers import TOP, ClassAnswers
from viewfinder.scoring.contest import ComparedPicture, Curve, Drawn, MethodView, Metric, Plot
from viewfinder.scoring.identical import identical_notes
from viewfinder.scoring.thumbnails import small
from viewfinder.wording import counted, some

PLOTS = (
    Plot("coverage", "Accuracy of the surest", "share of pictures, the surest first", "accuracy",
         "Accuracy over the share of pictures that are answered, the surest first"),
    Plot("sure", "How sure it is", "score of the answer", "share that is right",
         "Share of right answers over the score of the answer"),
)  # fmt: skip
_SIDE = 130
_NAMED = (
    ("accuracy", "Accuracy", True, "share of pictures whose answer is right"),
    ("balanced_accuracy", "Balanced", True, "mean over classes of their recall"),
    ("f1", "F1", True, "mean over classes that have pictures, or are answered, of their F1"),
    ("top5", "Top 5", True, "share of pictures whose class is among the five likeliest"),
    ("log_loss", "Log loss", False, "mean cross-entropy, in nats; no probability below 1e-12"),
)  # fmt: skip
NAMES = tuple(key for key, *_ in _NAMED)
"""Scores without those of single classes."""
_SURE = 1e-12


def metrics_of(classes: Sequence[str], present: Sequence[bool], *, sure: bool) -> list[Metric]:
    """Accuracy and its kin, and the recall of each class that has pictures.

    Args:
        sure: whether any method gives probabilities.
    """
    usual = ("accuracy", "balanced_accuracy", "f1", "log_loss")
    found = [
        Metric(key, title, title, better, meaning, key in usual)
        for key, title, better, meaning in _NAMED
        if sure or key not in ("top5", "log_loss")
        if key != "top5" or len(classes) > TOP
    ]
    own = [
        Metric(f"recall:{name}", f"Recall {name}", "", True, f"share of {name} that is found")
        for name, there in zip(classes, present, strict=True)
        if there
    ]
    return found + own


@dataclass(frozen=True, eq=False)
class ClassScores:
    """A method's answers to a set's pictures."""

    truth: Mapping[str, int]
    answers: ClassAnswers
    classes: Sequence[str]

    @cached_property
    def pictures(self) -> Sequence[str]:
        return tuple(path for path in self.truth if path in self.answers.labels)

    def among(self, pictures: Sequence[str]) -> "ClassScores":
        return replace(self, truth={picture: self.truth[picture] for picture in pictures})

    def drawn(self, metric: str, pictures: Sequence[str]) -> Drawn | None:
        made = self._parts(metric, pictures)
        if made is None or len(made[0]) == 0:
            return None
        parts, figure = made
        value = float(figure(parts.mean(axis=0)))
        draws = redrawn(same_shares(len(parts)), parts, figure)
        share_of = None
        if figure is _share:
            share_of = int(parts[:, 1].sum())
        elif metric in ("accuracy", "top5"):
            share_of = len(parts)
        return Drawn(value, len(parts), draws, share_of, bounded=metric != "log_loss")

    def _parts(
        self, metric: str, pictures: Sequence[str]
    ) -> tuple[Values, Callable[[Values], Values]] | None:
        """What each picture gives, and the score of its mean."""
        count = len(self.classes)
        labels = np.array([self.truth[p] for p in pictures], np.int64)
        said = np.array([self.answers.labels[p] for p in pictures], np.int64)
        right = said == labels
        key, _, name = metric.partition(":")
        if key == "accuracy":
            return right[:, None].astype(float), _first
        if key == "recall":
            there = labels == self.classes.index(name)
            return (
                (np.stack([right & there, there], 1).astype(float), _share) if there.any() else None
            )
        if key in ("balanced_accuracy", "f1"):
            own = np.eye(count)[labels]
            if key == "balanced_accuracy":
                return np.hstack([own * right[:, None], own]), _balanced
            given = np.eye(count + 1)[said][:, :count]
            return np.hstack([own * given, own, given]), _f1
        table = self._table(pictures)
        if table is None:
            return None
        of_truth = table[np.arange(len(labels)), labels]
        if (key == "top5" and self._tied) or (key == "log_loss" and self.answers.certain):
            return None
        if key == "top5":
            return ((table > of_truth[:, None]).sum(axis=1) < TOP)[:, None].astype(float), _first
        if (table < 0).any() or not np.allclose(table.sum(axis=1), 1, atol=0.02):
            return None
        return -np.log(np.maximum(of_truth, _SURE))[:, None], _first

    @cached_property
    def _tied(self) -> list[str]:
        return self.answers.tied(self.truth)

    def _table(self, pictures: Sequence[str]) -> NDArray[np.float64] | None:
        if not self.answers.probabilities or not pictures:
            return None
        return np.array([self.answers.probabilities[p] for p in pictures])

    @cached_property
    def _sureness(self) -> NDArray[np.float64] | None:
        """The score of each answer, in the order of the pictures."""
        if self.answers.scores:
            return np.array([self.answers.scores[p] for p in self.pictures])
        table = self._table(self.pictures)
        return None if table is None else table.max(axis=1)

    def curve(self, plot: str) -> Curve | None:
        if self._sureness is None or len(self.pictures) == 0:
            return None
        right = np.array([self.answers.labels[p] == self.truth[p] for p in self.pictures], float)
        if plot == "coverage":
            order = np.argsort(-self._sureness, kind="stable")
            number = np.arange(1, len(order) + 1)
            return number / len(order), np.cumsum(right[order]) / number
        if (self._sureness < 0).any() or (self._sureness > 1).any():
            return None
        # In ten bins of as many pictures each, so that none holds only a few.
        bins = np.array_split(np.argsort(self._sureness, kind="stable"), min(10, len(right)))
        return (
            np.array([self._sureness[own].mean() for own in bins]),
            np.array([right[own].mean() for own in bins]),
        )

    def of_picture(self, picture: str) -> dict[str, float | str]:
        label, said = self.truth[picture], self.answers.labels[picture]
        row: dict[str, float | str] = {
            "class": self.classes[label],
            "answer": self.classes[said] if said >= 0 else "",
            "right": int(label == said),
        }
        if picture in self.answers.probabilities:
            row["score"] = float(self.answers.probabilities[picture].max())
        elif picture in self.answers.scores:
            row["score"] = self.answers.scores[picture]
        else:
            row["score"] = ""
        for metric in ("top5", "log_loss") if self.answers.probabilities else ():
            if (parts := self._parts(metric, [picture])) is not None:
                row[metric] = float(parts[0][0, 0])
        return row


@dataclass(frozen=True, eq=False)
class ClassesCompared:
    """Methods' answers to one set."""

    name: str
    dataset: Dataset
    answers: Mapping[str, ClassAnswers]
    judged_by: str = ""
    right_from: float = 1.0
    differing: str = "Pictures that some methods have right and others wrong."
    about: str = (
        "An answer that is no class of the set counts as wrong. Intervals of accuracy, Top 5 and "
        "recall are Wilson’s, all others are by the bootstrap."
    )

    @property
    def plots(self) -> Sequence[Plot]:
        return PLOTS

    @property
    def root(self) -> Path:
        return self.dataset.root

    @property
    def pictures(self) -> Sequence[str]:
        return self.dataset.paths

    @cached_property
    def metrics(self) -> Sequence[Metric]:
        count = np.bincount(self.dataset.labels, minlength=len(self.dataset.classes))
        sure = any(each.probabilities for each in self.answers.values())
        return metrics_of(self.dataset.classes, (count > 0).tolist(), sure=sure)

    @cached_property
    def methods(self) -> dict[str, ClassScores]:
        truth = dict(zip(self.dataset.paths, self.dataset.labels.tolist(), strict=True))
        return {
            name: ClassScores(truth, each, self.dataset.classes)
            for name, each in self.answers.items()
        }

    @property
    def settings(self) -> Mapping[str, object]:
        return {"task": "classify", "classes": list(self.dataset.classes)}

    def notes(self, common: Sequence[str]) -> list[str]:
        said = [f"{name}: {note}" for name, each in self.answers.items() for note in each.notes]
        for name, own in self.methods.items():
            each, truth = own.answers, own.among(common or own.pictures).truth
            if each.probabilities and each.certain:
                said.append(f"{name}: its probabilities are all 0 or 1, and there is no log loss")
            if len(self.dataset.classes) > TOP and (tied := each.tied(truth)):
                count = counted(len(tied), "picture")
                said.append(
                    f"{name}: no Top 5, as in {count} the class is as likely as others at the "
                    f"fifth place: {some(tied)}"
                )
        said += self._of_absent_classes(common)
        alike = {name: own.answers.of(common) for name, own in self.methods.items()}
        if common:
            said += identical_notes(alike, what="answers", pictures=len(common))
        return said

    def _of_absent_classes(self, common: Sequence[str]) -> list[str]:
        """Over which classes F1 is a mean, where a method answers some that no picture has."""
        said, classes = [], self.dataset.classes
        for name, own in self.methods.items():
            pictures = common or own.pictures
            there = {own.truth[picture] for picture in pictures}
            answered = {own.answers.labels[picture] for picture in pictures} - {-1}
            if absent := [classes[k] for k in sorted(answered - there)]:
                count = counted(len(there | answered), "class", "classes")
                said.append(
                    f"{name}: F1 is the mean over {count}, as it answers {some(absent)}, of which "
                    "there is no picture: 0 there"
                )
        return said

    @property
    def unscored(self) -> Sequence[str]:
        return ()

    def goodness(self, pictures: Sequence[str], methods: Sequence[str]) -> Values:
        answered = (self.methods[name] for name in methods)
        right = [[m.answers.labels[p] == m.truth[p] for p in pictures] for m in answered]
        return np.array(right, float).reshape(len(methods), len(pictures)).T

    @cached_property
    def _places(self) -> dict[str, int]:
        return {path: row for row, path in enumerate(self.dataset.paths)}

    def row(self, picture: str, methods: Sequence[str]) -> ComparedPicture:
        """One picture, its class, and each method's answer."""
        index, classes = self._places[picture], self.dataset.classes
        label = int(self.dataset.labels[index])
        seen = [MethodView(classes[label], small(self.dataset.picture(index), _SIDE), "")]
        for name in methods:
            said = self.methods[name].answers.labels.get(picture, -2)
            answer = classes[said] if said >= 0 else "unknown class" if said == -1 else "no answer"
            seen.append(MethodView(f"{name}:", "", f"{'✓' if said == label else '✗'} {answer}"))
        return ComparedPicture(picture, tuple(seen))


def _first(means: Values) -> Values:
    return means[..., 0]


def _share(means: Values) -> Values:
    """Of draws without any such picture: 0 of nothing is taken as none right."""
    there = means[..., 1]
    return np.divide(means[..., 0], there, out=np.zeros_like(there), where=there > 0)


def _balanced(means: Values) -> Values:
    half = means.shape[-1] // 2
    right, there = means[..., :half], means[..., half:]
    return _mean_ratio(right, there)


def _f1(means: Values) -> Values:
    """Mean over the classes that have pictures or answers."""
    third = means.shape[-1] // 3
    right, there, given = (means[..., k * third : (k + 1) * third] for k in range(3))
    return _mean_ratio(2 * right, there + given)


def _mean_ratio(of: Values, total: Values) -> Values:
    """The mean over classes that have a total."""
    known = total > 0
    ratios = np.divide(of, total, out=np.zeros_like(total), where=known)
    return np.asarray(ratios.sum(axis=-1) / np.maximum(known.sum(axis=-1), 1))
