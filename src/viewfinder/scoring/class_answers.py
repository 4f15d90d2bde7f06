"""Each method's classes of a set's pictures: from a table whose columns are found by their names,
or from a model."""

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.formats.large_json import read_text
from viewfinder.errors import InputError
from viewfinder.scoring.models import is_model, probabilities_by
from viewfinder.scoring.named import by_names
from viewfinder.wording import counted, some

PICTURE = ("picture", "image", "file", "filename", "file_name", "path", "source", "name", "id",
           "image_id", "img", "image_name")  # fmt: skip
# The plainest first: what is called class beside a prediction is the truth.
_ANSWER = ("prediction", "predicted", "pred", "answer", "predicted_class", "predicted_label",
           "pred_label", "pred_class", "predictions", "y_pred")  # fmt: skip
_EITHER = ("class", "label", "category")
ANSWER_COLUMNS = (*_ANSWER, *_EITHER)
TOP = 5
"""Answers of which the class is to be one, for the score of that name."""
SCORE = ("score", "confidence", "probability", "prob", "conf")
_BEFORE = ("", "p_", "p(", "prob_", "probability_", "score_", "p:")


@dataclass(frozen=True, eq=False)
class ClassAnswers:
    """A method's answers, numbered by the set's classes.

    Attributes:
        labels: of each answered picture its class; -1 for one that the set does not have.
        probabilities: of each answered picture C numbers; none where only classes are known.
        scores: of the answered class, where there is one.
    """

    labels: Mapping[str, int]
    probabilities: Mapping[str, NDArray[np.float64]]
    scores: Mapping[str, float]
    notes: tuple[str, ...] = ()

    @cached_property
    def certain(self) -> bool:
        """Whether every probability is 0 or 1, which says only what the answer is."""
        return all(np.isin(own, (0, 1)).all() for own in self.probabilities.values())

    def tied(self, truth: Mapping[str, int]) -> list[str]:
        """Pictures whose class may be among the five likeliest or not, as others are as likely."""
        found = []
        for picture, own in self.probabilities.items():
            if picture in truth:
                of_truth = own[truth[picture]]
                before = int((own > of_truth).sum())
                if before < TOP < before + int((own == of_truth).sum()):
                    found.append(picture)
        return found


def class_answers(path: Path, truth: Dataset) -> ClassAnswers:
    """What a model or a table says of a set's pictures.

    Raises:
        InputError: it cannot be read, or says nothing of these pictures.
    """
    if is_model(path):
        return _by_model(path, truth)
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise InputError(f"{path} is no table of answers: give a CSV, or a run")
    return _Table(path, truth).answers()


def _by_model(path: Path, truth: Dataset) -> ClassAnswers:
    classes, found = probabilities_by(path, truth)
    at = {name: number for number, name in enumerate(truth.classes)}
    columns = np.zeros((len(truth), len(truth.classes)))
    for number, name in enumerate(classes):
        if name in at:
            columns[:, at[name]] = found[:, number]
    best = found.argmax(axis=1)
    labels = [at.get(classes[k], -1) for k in best.tolist()]
    lacking = [name for name in truth.classes if name not in classes]
    notes = [f"the model does not know {some(lacking)}: its pictures are all wrong"] * bool(lacking)
    if strange := [name for name in classes if name not in at]:
        notes.append(
            f"the model also knows {some(strange)}, which the set does not have: as an answer wrong"
        )
    return ClassAnswers(
        dict(zip(truth.paths, labels, strict=True)),
        dict(zip(truth.paths, columns, strict=True)),
        dict(zip(truth.paths, found.max(axis=1).tolist(), strict=True)),
        tuple(notes),
    )


class _Table:
    """A table whose columns are found by their names."""

    def __init__(self, file: Path, truth: Dataset) -> None:
        self.file, self.truth = file, truth
        text = read_text(file)
        first = text.partition("\n")[0]
        sign = max(",;\t", key=first.count)
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=sign) if any(row)]
        if len(rows) < 2:
            raise InputError(f"{file} has no answers: a row a picture, below a row of names")
        self.heads = [head.strip() for head in rows[0]]
        self.rows = [row + [""] * (len(self.heads) - len(row)) for row in rows[1:]]
        if ragged := next((k for k, row in enumerate(rows, 1) if len(row) > len(self.heads)), 0):
            raise InputError(f"{file}, line {ragged}: more cells than the first line has names")
        folded = [head.casefold() for head in self.heads]
        self.probabilities = self._class_columns()
        taken = set(self.probabilities.values())
        self.picture = self._column(PICTURE, folded, taken)
        self.label = self._column(ANSWER_COLUMNS, folded, taken | {self.picture})
        self.score = self._column(SCORE, folded, taken | {self.picture, self.label})
        self._check()
        self._refuse_two_answers(folded)

    def _class_columns(self) -> dict[int, int]:
        """The column of each class that has one of its own; none where only one has."""
        names = {head.casefold(): k for k, head in enumerate(self.heads)}
        found = {}
        for number, name in enumerate(self.truth.classes):
            for before in _BEFORE:
                head = f"{before}{name}{')' if before.endswith('(') else ''}".casefold()
                if head in names:
                    found[number] = names[head]
                    break
        return found if len(found) > 1 or len(self.truth.classes) == 1 else {}

    @staticmethod
    def _column(words: Sequence[str], folded: Sequence[str], taken: set[int]) -> int:
        return next(
            (
                k
                for word in words
                for k, head in enumerate(folded)
                if head == word and k not in taken
            ),
            -1,
        )

    def _check(self) -> None:
        there = ", ".join(self.heads)[:200]
        if self.picture < 0:
            raise InputError(
                f"{self.file} has no column of pictures: call it picture (it has {there})"
            )
        if self.label < 0 and not self.probabilities:
            raise InputError(
                f"{self.file} has no column of classes: call it class, or give a column of "
                f"probabilities for each of {some(list(self.truth.classes))} (it has {there})"
            )

    def _refuse_two_answers(self, folded: Sequence[str]) -> None:
        """Of class and another column of classes, none of them called a prediction, either may be
        the truth."""
        if self.label < 0 or folded[self.label] not in _EITHER or self.probabilities:
            return
        own = [row[self.label].strip() for row in self.rows]
        known = {name.casefold() for name in self.truth.classes}
        for other, head in enumerate(self.heads):
            said = [row[other].strip() for row in self.rows]
            if other in (self.label, self.picture, self.score) or said == own:
                continue
            classes = sum(word.casefold() in known for word in said)
            if folded[other] in _EITHER or classes * 2 > len(said):
                raise InputError(
                    f"{self.file} has {self.heads[self.label]} and {head}, of which either may be "
                    "the answers: call the one that is meant prediction"
                )

    def answers(self) -> ClassAnswers:
        notes: list[str] = []
        unread = [head for head in self.heads if head.casefold() in _EITHER]
        if self.label >= 0 and self.heads[self.label] not in unread and unread:
            notes.append(
                f"the answers are the column {self.heads[self.label]}; {some(unread)} beside it "
                "is not looked at"
            )
        names = [row[self.picture].strip() for row in self.rows]
        where = str(self.file)
        named = by_names(self.truth.paths, list(dict.fromkeys(names)), where=where)
        notes += named.notes
        if surplus := [name for name in dict.fromkeys(names) if name not in named.of]:
            count = counted(len(surplus), "answer")
            notes.append(f"{count} of no picture of the set, left out: {some(surplus)}")
        rows = self._one_each(names, named.of, notes)
        probabilities = self._all_probabilities(rows, notes)
        labels = self._labels(rows, probabilities, notes)
        scores = self._scores(rows)
        missing = [path for path in self.truth.paths if path not in rows]
        if missing:
            count = counted(len(missing), "picture")
            notes.append(f"no answer to {count}: {some(missing)}")
        return ClassAnswers(labels, probabilities, scores, tuple(notes))

    def _one_each(
        self, names: Sequence[str], of: Mapping[str, str], notes: list[str]
    ) -> dict[str, int]:
        """The row of each picture; none of one with answers that contradict each other."""
        found: dict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(names):
            if name in of:
                found[of[name]].append(number)
        twice = {path: own for path, own in found.items() if len(own) > 1}
        cells = {path: {tuple(self.rows[k]) for k in own} for path, own in twice.items()}
        apart = [path for path, own in cells.items() if len({row[1:] for row in own}) > 1]
        if same := [path for path in twice if path not in apart]:
            notes.append(f"{counted(len(same), 'picture')} answered twice alike: {some(same)}")
        if apart:
            count = counted(len(apart), "picture")
            notes.append(
                f"{count} answered twice and not alike, taken for no answer: {some(apart)}"
            )
        return {path: own[0] for path, own in found.items() if path not in apart}

    def _number(self, row: int, column: int) -> float:
        text = self.rows[row][column].strip()
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not np.isfinite(value):
            raise InputError(
                f"{self.file}, line {row + 2}: {self.heads[column]} is {text[:30]!r}, no number"
            )
        return value

    def _all_probabilities(
        self, rows: Mapping[str, int], notes: list[str]
    ) -> dict[str, NDArray[np.float64]]:
        if not self.probabilities:
            return {}
        classes = self.truth.classes
        if lacking := [n for k, n in enumerate(classes) if k not in self.probabilities]:
            notes.append(f"no column of {some(lacking)}, taken as 0")
        found = {}
        for path, row in rows.items():
            own = np.zeros(len(classes))
            for number, column in self.probabilities.items():
                own[number] = self._number(row, column)
            found[path] = own
        table = np.array(list(found.values())).reshape(-1, len(classes))
        sums = table.sum(axis=1)
        if (table < 0).any() or not np.allclose(sums, 1, atol=0.02):
            notes.append(
                "the columns of classes are no probabilities that add up to 1: the largest is the "
                "answer, and there is no log loss"
            )
        return found

    def _labels(
        self,
        rows: Mapping[str, int],
        probabilities: Mapping[str, NDArray[np.float64]],
        notes: list[str],
    ) -> dict[str, int]:
        surest = {path: int(own.argmax()) for path, own in probabilities.items()}
        if self.label < 0:
            return surest
        labels = self._said(rows, notes)
        apart = sum(labels[path] != label for path, label in surest.items())
        if not apart:
            return labels
        head = self.heads[self.label]
        if head.casefold() in _EITHER:
            notes.append(
                f"the answers are the likeliest classes; {head} beside them, which differs for "
                f"{counted(apart, 'picture')}, is taken for the truth and not looked at"
            )
            return surest
        notes.append(
            f"{head} is another class than the likeliest one for {counted(apart, 'picture')}: "
            "accuracy, balanced, F1 and recall are of the one, Top 5 and log loss of the other"
        )
        return labels

    def _said(self, rows: Mapping[str, int], notes: list[str]) -> dict[str, int]:
        """The class in the column of answers; -1 for one that the set does not have."""
        classes = self.truth.classes
        said = {path: self.rows[row][self.label].strip() for path, row in rows.items()}
        exact = {name: number for number, name in enumerate(classes)}
        folded = {name.casefold(): number for number, name in enumerate(classes)}
        loose = folded if len(folded) == len(exact) else {}
        words = set(said.values())
        counts = {str(k): k for k in range(len(classes))}
        if words and not words & exact.keys() and words <= counts.keys():
            notes.append(f"classes are numbers, 0 for {classes[0]}, as the set's are in order")
            exact = counts
        labels = {path: exact.get(w, loose.get(w.casefold(), -1)) for path, w in said.items()}
        unknown = [said[path] for path, label in labels.items() if label < 0]
        if unknown:
            names = [name or "nothing" for name in dict.fromkeys(unknown)]
            count = counted(len(unknown), "answer")
            notes.append(f"{count} of classes that the set does not have, wrong: {some(names)}")
        return labels

    def _scores(self, rows: Mapping[str, int]) -> dict[str, float]:
        if self.score < 0:
            return {}
        return {path: self._number(row, self.score) for path, row in rows.items()}
