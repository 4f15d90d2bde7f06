"""Which column of a table of classes is what, by the columns' names."""

from collections.abc import Sequence
from dataclasses import dataclass

from viewfinder.errors import InputError
from viewfinder.scoring.class_names import folded
from viewfinder.scoring.csv_table import CsvTable
from viewfinder.wording import some

PICTURE = ("picture", "image", "file", "filename", "file_name", "path", "source", "name", "id",
           "image_id", "img", "image_name")  # fmt: skip
# The plainest first: what is called class beside a prediction is the truth.
_ANSWER = ("prediction", "predicted", "pred", "answer", "predicted_class", "predicted_label",
           "pred_label", "pred_class", "predictions", "y_pred")  # fmt: skip
_EITHER = ("class", "label", "category")
ANSWER_COLUMNS = (*_ANSWER, *_EITHER)
SCORE = ("score", "confidence", "probability", "prob", "conf")
_COUNTERS = frozenset({"index", "unnamed: 0", "row", "number", "no", "#"})
_BEFORE = ("", "p_", "p(", "prob_", "probability_", "score_", "p:")


@dataclass(frozen=True, eq=False)
class ClassColumns:
    """Columns by their numbers; -1 of one that is not there.

    Attributes:
        label: of the answered class.
        score: of that answer.
        probabilities: the column of each class that has one of its own.
    """

    picture: int
    label: int
    score: int
    probabilities: dict[int, int]

    def others(self, heads: Sequence[str]) -> list[int]:
        """Named columns that are none of these, and no counter of rows."""
        used = {self.picture, self.label, self.score, *self.probabilities.values()}
        return [
            number
            for number, head in enumerate(heads)
            if number not in used and head.strip() and folded(head) not in _COUNTERS
        ]


def class_columns(table: CsvTable, classes: Sequence[str]) -> ClassColumns:
    """Which column is what.

    Raises:
        InputError: there is none of pictures or of classes, or one of two may be of classes.
    """
    probabilities = _of_classes(table, classes)
    taken = set(probabilities.values())
    picture = table.column(PICTURE, taken)
    label = table.column(ANSWER_COLUMNS, taken | {picture})
    score = table.column(SCORE, taken | {picture, label})
    there = ", ".join(table.heads)[:200]
    if picture < 0:
        raise InputError(
            f"{table.file} has no column of pictures: call it picture (it has {there})"
        )
    if label < 0 and not probabilities:
        raise InputError(
            f"{table.file} has no column of classes: call it class, or give a column of "
            f"probabilities for each of {some(list(classes))} (it has {there})"
        )
    found = ClassColumns(picture, label, score, probabilities)
    _refuse_two_answers(table, found, classes)
    return found


def may_be_truth(head: str) -> bool:
    """Whether a column so called holds classes, and may hold those that are right."""
    return head.casefold() in _EITHER


def _of_classes(table: CsvTable, classes: Sequence[str]) -> dict[int, int]:
    """The column of each class that has one of its own; none where only one has."""
    names = {folded(head): k for k, head in enumerate(table.heads)}
    found = {}
    for number, name in enumerate(classes):
        for before in _BEFORE:
            head = folded(f"{before}{name}{')' if before.endswith('(') else ''}")
            if head in names:
                found[number] = names[head]
                break
    return found if len(found) > 1 or len(classes) == 1 else {}


def _refuse_two_answers(table: CsvTable, columns: ClassColumns, classes: Sequence[str]) -> None:
    """Of class and another column of classes, none of them called a prediction, either may be the
    truth."""
    if columns.label < 0 or columns.probabilities or not may_be_truth(table.heads[columns.label]):
        return
    own = [row[columns.label].strip() for row in table.rows]
    known = {folded(name) for name in classes}
    for other, head in enumerate(table.heads):
        said = [row[other].strip() for row in table.rows]
        if other in (columns.label, columns.picture, columns.score) or said == own:
            continue
        named = sum(folded(word) in known for word in said)
        if may_be_truth(head) or named * 2 > len(said):
            raise InputError(
                f"{table.file} has {table.heads[columns.label]} and {head}, of which either may "
                "be the answers: call the one that is meant prediction"
            )
