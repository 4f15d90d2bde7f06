"""Each method's classes of a set's pictures: from a table whose columns are found by their names,
or from a model."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError
from viewfinder.scoring.class_columns import class_columns, may_be_truth
from viewfinder.scoring.class_names import class_numbers, counted_from
from viewfinder.scoring.csv_table import read_table
from viewfinder.scoring.models import is_model, probabilities_by
from viewfinder.scoring.named import by_names
from viewfinder.wording import counted, some

TOP = 5
"""Answers of which the class is to be one, for the score of that name."""


@dataclass(frozen=True, eq=False)
class ClassAnswers:
    """A method's answers, numbered by the set's classes.

    Attributes:
        labels: of each answered picture its class; -1 for one that the set does not have.
        probabilities: of each answered picture C numbers, and behind them those of classes that
            the set does not have; none where only classes are known.
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
    notes: list[str] = []
    numbers = class_numbers(classes, truth.classes, notes)
    labels = np.array([numbers.get(name, -1) for name in classes])[found.argmax(axis=1)]
    probabilities: dict[str, NDArray[np.float64]] = {}
    strange = [name for name in classes if name not in numbers]
    if not numbers:
        notes.append(
            f"the model knows none of the set's classes ({some(list(truth.classes))}): it knows "
            f"{some(strange)}, so that every answer is wrong, and there is no log loss or Top 5"
        )
    else:
        of_set = [k for k, name in enumerate(classes) if name in numbers]
        beside = [k for k, name in enumerate(classes) if name not in numbers]
        own = np.zeros((len(truth), len(truth.classes)))
        own[:, [numbers[classes[k]] for k in of_set]] = found[:, of_set]
        table = np.hstack([own, found[:, beside]])
        probabilities = dict(zip(truth.paths, table, strict=True))
        known = set(numbers.values())
        if lacking := [name for k, name in enumerate(truth.classes) if k not in known]:
            notes.append(f"the model does not know {some(lacking)}: its pictures are all wrong")
        if strange:
            notes.append(
                f"the model also knows {some(strange)}, which the set does not have: as an answer "
                "wrong"
            )
    return ClassAnswers(
        dict(zip(truth.paths, labels.tolist(), strict=True)),
        probabilities,
        dict(zip(truth.paths, found.max(axis=1).tolist(), strict=True)),
        tuple(notes),
    )


class _Table:
    """A table whose columns are found by their names."""

    def __init__(self, file: Path, truth: Dataset) -> None:
        self.table, self.truth = read_table(file), truth
        self.file, self.heads, self.rows = file, self.table.heads, self.table.rows
        if not self.rows:
            raise InputError(f"{file} has no answers: a row a picture, below a row of names")
        self.columns = class_columns(self.table, truth.classes)
        # Of no use so far; and those of them that hold probabilities of classes of no picture.
        self.spare = self.columns.others(self.heads)
        self.strange: list[int] = []

    def answers(self) -> ClassAnswers:
        notes: list[str] = []
        unread = [head for head in self.heads if may_be_truth(head)]
        label = self.heads[self.columns.label] if self.columns.label >= 0 else None
        if label is not None and label not in unread and unread:
            notes.append(
                f"the answers are the column {label}; {some(unread)} beside it is not looked at"
            )
        names = [row[self.columns.picture].strip() for row in self.rows]
        where = str(self.file)
        named = by_names(self.truth.paths, list(dict.fromkeys(names)), where=where)
        notes += named.notes
        if surplus := [name for name in dict.fromkeys(names) if name not in named.of]:
            count = counted(len(surplus), "answer")
            notes.append(f"{count} of no picture of the set, left out: {some(surplus)}")
        rows = self._one_each(names, named.of, notes)
        probabilities = self._all_probabilities(rows, notes)
        if spare := [self.heads[k] for k in self.spare if k not in self.strange]:
            notes.append(f"not looked at: the columns {some(spare, 6)}")
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
            where = f"{self.file}, line {self.table.lines[row]}"
            raise InputError(f"{where}: {self.heads[column]} is {text[:30]!r}, no number")
        return value

    def _all_probabilities(
        self, rows: Mapping[str, int], notes: list[str]
    ) -> dict[str, NDArray[np.float64]]:
        if not self.columns.probabilities:
            return {}
        classes = self.truth.classes
        if lacking := [n for k, n in enumerate(classes) if k not in self.columns.probabilities]:
            notes.append(f"no column of {some(lacking)}, taken as 0")
        found = {}
        for path, row in rows.items():
            own = np.zeros(len(classes))
            for number, column in self.columns.probabilities.items():
                own[number] = self._number(row, column)
            found[path] = own
        table = np.array(list(found.values())).reshape(-1, len(classes))
        sums = table.sum(axis=1)
        further = self._further(rows, sums)
        if further.size:
            self.strange = self.spare
            names = some([self.heads[k] for k in self.strange])
            notes.append(f"the set does not have {names}: as an answer wrong")
            return dict(zip(found, np.hstack([table, further]), strict=True))
        if (table < 0).any() or not np.allclose(sums, 1, atol=0.02):
            notes.append(
                "the columns of classes are no probabilities that add up to 1: the largest is the "
                "answer, and there is no log loss"
            )
        return found

    def _further(self, rows: Mapping[str, int], sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """N×K, the further columns with which the probabilities of every row add up to 1; none
        where they do without."""
        none = np.zeros((len(rows), 0))
        if np.allclose(sums, 1, atol=0.02) or not self.spare:
            return none
        try:
            further = np.array(
                [[self._number(row, k) for k in self.spare] for row in rows.values()]
            )
        except InputError:
            return none
        whole = np.allclose(sums + further.sum(axis=1), 1, atol=0.02)
        return further if whole and (further >= 0).all() else none

    def _labels(
        self,
        rows: Mapping[str, int],
        probabilities: Mapping[str, NDArray[np.float64]],
        notes: list[str],
    ) -> dict[str, int]:
        many = len(self.truth.classes)
        surest = {
            p: k if (k := int(own.argmax())) < many else -1 for p, own in probabilities.items()
        }
        if self.columns.label < 0:
            return surest
        labels = self._said(rows, notes)
        apart = sum(labels[path] != label for path, label in surest.items())
        head = self.heads[self.columns.label]
        if may_be_truth(head):
            self._refuse_truth(labels, surest)
        if not apart:
            return labels
        if may_be_truth(head):
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

    def _refuse_truth(self, labels: Mapping[str, int], surest: Mapping[str, int]) -> None:
        """Of a column that may be answers or truth: refuse it as answers where it is the truth
        itself and others stand beside it, and as the truth where it is not.

        Raises:
            InputError: either may be the answers.
        """
        true = dict(zip(self.truth.paths, self.truth.labels.tolist(), strict=True))
        right = all(true[path] == label for path, label in labels.items())
        head = self.heads[self.columns.label]
        if right and not surest and self.spare and len(set(labels.values())) > 1:
            beside = some([self.heads[k] for k in self.spare], 6)
            raise InputError(
                f"{self.file}: {head} is the truth itself in every row, and {beside} beside it may "
                "be the answers: call the column of answers prediction"
            )
        if not right and any(labels[path] != label for path, label in surest.items()):
            raise InputError(
                f"{self.file}: {head} is neither the truth nor the likeliest class: call it "
                "prediction if these are the answers, or leave it out"
            )

    def _said(self, rows: Mapping[str, int], notes: list[str]) -> dict[str, int]:
        """The class in the column of answers; -1 for one that the set does not have."""
        classes = self.truth.classes
        said = {path: self.rows[row][self.columns.label].strip() for path, row in rows.items()}
        words = set(said.values())
        numbers = class_numbers(said.values(), classes, notes)
        first = None if numbers else counted_from(words, len(classes))
        if first is not None:
            notes.append(
                f"classes are numbers, {first} for {classes[0]}, as the set's are in order"
            )
            numbers = {word: int(float(word)) - first for word in words}
        labels = {path: numbers.get(word, -1) for path, word in said.items()}
        unknown = [said[path] for path, label in labels.items() if label < 0]
        if unknown:
            names = [name or "nothing" for name in dict.fromkeys(unknown)]
            count = counted(len(unknown), "answer")
            notes.append(f"{count} of classes that the set does not have, wrong: {some(names)}")
        return labels

    def _scores(self, rows: Mapping[str, int]) -> dict[str, float]:
        score = self.columns.score
        return {path: self._number(row, score) for path, row in rows.items()} if score >= 0 else {}
