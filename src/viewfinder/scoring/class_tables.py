"""Classes of a set's pictures in a table, whose columns are found by their names."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError
from viewfinder.scoring.class_answers import ClassAnswers
from viewfinder.scoring.class_columns import class_columns, may_be_truth
from viewfinder.scoring.class_names import meant
from viewfinder.scoring.class_numbering import classes_of_words
from viewfinder.scoring.csv_table import as_number, read_table
from viewfinder.scoring.long_tables import NOTE, a_row_each
from viewfinder.scoring.named import by_names
from viewfinder.wording import counted, some

# Of so many pictures few methods have all right.
_MANY = 20


def table_answers(file: Path, truth: Dataset) -> ClassAnswers:
    """What a table says of a set's pictures.

    Raises:
        InputError: it cannot be read, or says nothing of these pictures.
    """
    return _Table(file, truth).answers()


class _Table:
    """A table whose columns are found by their names."""

    def __init__(self, file: Path, truth: Dataset) -> None:
        table = read_table(file)
        wide = a_row_each(table, truth.classes)
        self.table, self.truth, self.long = wide or table, truth, wide is not None
        self.file, self.heads, self.rows = file, self.table.heads, self.table.rows
        if not self.rows:
            raise InputError(f"{file} has no answers: a row a picture, below a row of names")
        self.columns = class_columns(self.table, truth.classes)
        # Of no use so far; and those of them that hold probabilities of classes of no picture.
        self.spare = self.columns.others(self.heads)
        self.strange: list[int] = []
        # What was written of pictures whose class the set does not have.
        self.unknown: dict[str, str] = {}

    def answers(self) -> ClassAnswers:
        notes = [NOTE] if self.long else []
        names = [row[self.columns.picture].strip() for row in self.rows]
        where = str(self.file)
        named = by_names(self.truth.paths, list(dict.fromkeys(names)), where=where)
        notes += named.notes
        if surplus := [name for name in dict.fromkeys(names) if name not in named.of]:
            count = counted(len(surplus), "answer")
            notes.append(f"{count} of no picture of the set, left out: {some(surplus)}")
        rows = self._answered(self._one_each(names, named.of, notes), notes)
        probabilities = self._all_probabilities(rows, notes)
        notes += self._unread()
        labels = self._labels(rows, probabilities, notes)
        scores = self._scores(rows)
        missing = [path for path in self.truth.paths if path not in rows]
        if missing:
            count = counted(len(missing), "picture")
            notes.append(f"no answer to {count}: {some(missing)}")
        return ClassAnswers(labels, probabilities, scores, tuple(notes), self.unknown)

    def _unread(self) -> list[str]:
        """Which columns are not looked at, and which are the answers where these may seem to be."""
        spare = [self.heads[k] for k in self.spare if k not in self.strange]
        if not spare:
            return []
        unread = f"columns that are not looked at: {some(spare, 6)}"
        label = self.heads[self.columns.label] if self.columns.label >= 0 else ""
        if label and not may_be_truth(label) and any(map(may_be_truth, spare)):
            return [f"the answers are the column {label}; {unread}"]
        return [unread]

    def _answered(self, rows: dict[str, int], notes: list[str]) -> dict[str, int]:
        """The rows that have a class or probabilities in them.

        Raises:
            InputError: none has.
        """
        said = [k for k in (self.columns.label, *self.columns.probabilities.values()) if k >= 0]
        empty = [p for p, row in rows.items() if not any(self.rows[row][k].strip() for k in said)]
        if empty and len(empty) == len(rows):
            heads = some([self.heads[k] for k in said])
            raise InputError(f"{self.file}: {heads} is empty in every row: write the answers there")
        if empty:
            count = counted(len(empty), "row")
            notes.append(f"{count} without a class, taken for no answer: {some(empty)}")
        return {path: row for path, row in rows.items() if path not in empty}

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
            raise InputError(
                f"{where}: {self.heads[column]} is {text[:30]!r}, no number{as_number(text)}"
            )
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
            names = some(
                meant([self.heads[k] for k in self.strange], classes, self.columns.probabilities)
            )
            notes.append(f"the set does not have {names}: wrong as an answer")
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
        of_column: list[str] = []
        said = self._said(rows, of_column)
        apart = sum(said.get(path, label) != label for path, label in surest.items())
        head = self.heads[self.columns.label]
        if may_be_truth(head):
            self._refuse_truth(said, surest, notes)
        if apart and may_be_truth(head):
            notes.append(
                f"the answers are the likeliest classes; {head} beside them, which differs for "
                f"{counted(apart, 'picture')}, is taken for the truth and not looked at"
            )
            return surest
        notes += of_column
        if apart:
            notes.append(
                f"{head} is another class than the likeliest one for {counted(apart, 'picture')}: "
                "Top 5 and log loss are of the probabilities, all other scores of the column"
            )
        return surest | said

    def _refuse_truth(
        self, labels: Mapping[str, int], surest: Mapping[str, int], notes: list[str]
    ) -> None:
        """Of a column that may be answers or truth: refuse it as answers where it is the truth
        itself and others stand beside it, and as the truth where it is not; where nothing else
        stands there, it is said.

        Raises:
            InputError: either may be the answers.
        """
        true = dict(zip(self.truth.paths, self.truth.labels.tolist(), strict=True))
        right = all(true[path] == label for path, label in labels.items())
        if right and not surest and not self.spare and len(labels) >= _MANY:
            notes.append(
                f"{self.heads[self.columns.label]} is the truth itself in every row: see that it "
                "holds a method's answers"
            )
        head = self.heads[self.columns.label]
        if right and not surest and self.spare and len(set(labels.values())) > 1:
            beside = some([self.heads[k] for k in self.spare], 6)
            raise InputError(
                f"{self.file}: {head} is the truth itself in every row, and {beside} beside it may "
                "be the answers: call the column of answers prediction"
            )
        if not right and any(labels.get(path, k) != k for path, k in surest.items()):
            raise InputError(
                f"{self.file}: {head} is neither the truth nor the likeliest class: call it "
                "prediction if these are the answers, or leave it out"
            )

    def _said(self, rows: Mapping[str, int], notes: list[str]) -> dict[str, int]:
        """The class in the column of answers, where there is one; -1 for one that the set does
        not have."""
        cells = {path: self.rows[row][self.columns.label].strip() for path, row in rows.items()}
        said = {path: cell for path, cell in cells.items() if cell}
        numbers = classes_of_words(said, self.truth, notes)
        labels = {path: numbers.get(word, -1) for path, word in said.items()}
        self.unknown = {path: said[path] for path, label in labels.items() if label < 0}
        unknown = list(self.unknown.values())
        if unknown:
            names = list(dict.fromkeys(unknown))
            count = counted(len(unknown), "answer")
            told = some(meant(names, self.truth.classes, set(numbers.values())))
            notes.append(f"{count} of classes that the set does not have, wrong: {told}")
        return labels

    def _scores(self, rows: Mapping[str, int]) -> dict[str, float]:
        score = self.columns.score
        return {path: self._number(row, score) for path, row in rows.items()} if score >= 0 else {}
