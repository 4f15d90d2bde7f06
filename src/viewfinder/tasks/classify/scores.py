"""How well probabilities of classes meet the truth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Scores:
    """How well probabilities meet the truth.

    Attributes:
        accuracy: share of pictures whose likeliest class is theirs.
        loss: mean cross-entropy, in nats.
        confusion: C×C counts, a row a true class, a column an answer.
    """

    accuracy: float
    loss: float
    confusion: NDArray[np.int64]

    def per_class(self, classes: tuple[str, ...]) -> dict[str, dict[str, float | int | None]]:
        """Recall, precision, F1 and the number of pictures of each class.

        A class without pictures has no recall, one that was never answered no precision: None.
        """
        table: dict[str, dict[str, float | int | None]] = {}
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
        """Loss and accuracy, for the history."""
        return {"loss": self.loss, "accuracy": self.accuracy}

    def as_json(self, classes: tuple[str, ...]) -> dict[str, Any]:
        """The scores under their public names."""
        return {
            "accuracy": self.accuracy,
            "loss": self.loss,
            "per_class": self.per_class(classes),
            "confusion": self.confusion.tolist(),
        }


def score(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> Scores:
    """Compare N×C probabilities with N class indices."""
    count = probabilities.shape[1]
    answers = probabilities.argmax(axis=1)
    confusion = np.bincount(labels * count + answers, minlength=count * count)
    truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return Scores(
        accuracy=float((answers == labels).mean()),
        loss=float(-np.log(np.maximum(truth, 1e-12)).mean()),
        confusion=confusion.reshape(count, count),
    )
