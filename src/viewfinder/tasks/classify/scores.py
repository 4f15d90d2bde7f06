"""How well probabilities of classes meet the truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from viewfinder.values import as_list, as_number, as_table, as_whole


class ClassFigures(TypedDict):
    """How well one class is distinguished from the others; see `ClassifyScores.per_class`."""

    recall: float | None
    precision: float | None
    f1: float | None
    images: int


class ClassifyFigures(TypedDict):
    """A classifier's scores under their public names; see `ClassifyScores.as_json`."""

    accuracy: float
    balanced_accuracy: float
    chance: float
    largest_class: float
    loss: float
    per_class: dict[str, ClassFigures]
    confusion: list[list[int]]


@dataclass(frozen=True, eq=False)
class ClassifyScores:
    """How well probabilities meet the truth.

    Attributes:
        accuracy: share of pictures whose likeliest class is theirs.
        loss: mean cross-entropy, in nats.
        confusion: C×C counts, a row a true class, a column an answer.
    """

    accuracy: float
    loss: float
    confusion: NDArray[np.int64]

    @property
    def balanced_accuracy(self) -> float:
        """The mean recall of the classes that have pictures; 0 where there are none."""
        there = self.confusion.sum(axis=1)
        recalls = np.diag(self.confusion)[there > 0] / there[there > 0]
        return float(recalls.mean()) if len(recalls) else 0.0

    @property
    def balanced_error(self) -> float:
        """The standard error of the balanced accuracy; Laplace's rule keeps it above 0."""
        there, right = self.confusion.sum(axis=1), np.diag(self.confusion)
        there, right = there[there > 0], right[there > 0]
        likely = (right + 1) / (there + 2)
        errors = likely * (1 - likely) / there
        return float(np.sqrt(errors.sum()) / len(there)) if len(there) else 0.0

    @property
    def largest(self) -> tuple[int, float]:
        """The class that has most pictures, and its share: what is right if all are called it."""
        there = self.confusion.sum(axis=1)
        return int(there.argmax()), float(there.max() / max(1, there.sum()))

    def per_class(self, classes: tuple[str, ...]) -> dict[str, ClassFigures]:
        """Recall, precision, F1 and the number of pictures of each class.

        A class without pictures has no recall, one that was never answered no precision: None.
        """
        table: dict[str, ClassFigures] = {}
        for index, name in enumerate(classes):
            right = int(self.confusion[index, index])
            there, answered = int(self.confusion[index].sum()), int(self.confusion[:, index].sum())
            table[name] = {
                "recall": right / there if there else None,
                "precision": right / answered if answered else None,
                "f1": 2 * right / (there + answered) if there + answered else None,
                "images": there,
            }
        return table

    def figures(self) -> dict[str, float]:
        """Loss, accuracy and balanced accuracy, for the history."""
        return {
            "loss": self.loss,
            "accuracy": self.accuracy,
            "balanced_accuracy": self.balanced_accuracy,
        }

    def as_json(self, classes: tuple[str, ...]) -> ClassifyFigures:
        """The scores under their public names, with what a net that learnt nothing has.

        `chance` is the accuracy of guessing, `largest_class` that of always answering the class
        that has most pictures.
        """
        return {
            "accuracy": self.accuracy,
            "balanced_accuracy": self.balanced_accuracy,
            "chance": 1 / len(classes),
            "largest_class": self.largest[1],
            "loss": self.loss,
            "per_class": self.per_class(classes),
            "confusion": self.confusion.tolist(),
        }


def pooled(parts: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    """The scores of several splits without a common picture, as `as_json` gave each, as of one.

    Raises:
        ValueError: one is of another form.
    """
    tables = [_whole_numbers(part["confusion"]) for part in parts]
    confusion = np.sum(tables, axis=0)
    counts = [int(table.sum()) for table in tables]
    loss = np.average([as_number(part["loss"]) for part in parts], weights=counts)
    accuracy = float(np.diag(confusion).sum() / max(1, confusion.sum()))
    classes = tuple(as_table(parts[0]["per_class"]))
    return ClassifyScores(accuracy, float(loss), confusion).as_json(classes)


def _whole_numbers(rows: object) -> NDArray[np.int64]:
    return np.array([[as_whole(n) for n in as_list(row)] for row in as_list(rows)], np.int64)


def score(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> ClassifyScores:
    """Compare N×C probabilities with N class indices."""
    count = probabilities.shape[1]
    answers = probabilities.argmax(axis=1)
    confusion = np.bincount(labels * count + answers, minlength=count * count)
    truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return ClassifyScores(
        accuracy=float((answers == labels).mean()),
        loss=float(-np.log(np.maximum(truth, 1e-12)).mean()),
        confusion=confusion.reshape(count, count),
    )
