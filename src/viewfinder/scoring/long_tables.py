"""Tables with a row for each class of a picture and its score, made ones with a row a picture."""

from collections.abc import Sequence
from dataclasses import replace

from viewfinder.scoring.class_columns import ANSWER_COLUMNS, PICTURE, SCORE
from viewfinder.scoring.class_names import folded
from viewfinder.scoring.csv_table import CsvTable

NOTE = (
    "it has a row for each class of a picture, whose scores are taken for the probabilities of the "
    "classes"
)


def a_row_each(table: CsvTable, classes: Sequence[str]) -> CsvTable | None:
    """The same answers with one row a picture: its likeliest class, and a column for each class.

    A class without a row of a picture has 0 there, or the lowest score, where that is below 0.

    Returns:
        None of a table that is no such list: it has no column of scores, most pictures have one row
        alone, a picture has two rows of one class, or a score is no number.
    """
    if {folded(head) for head in table.heads} & {folded(name) for name in classes}:
        return None
    picture = table.column(PICTURE)
    label = table.column(ANSWER_COLUMNS, {picture})
    score = table.column(SCORE, {picture, label})
    if min(picture, label, score) < 0:
        return None
    scores: dict[str, dict[str, float]] = {}
    first: dict[str, int] = {}
    words: dict[str, str] = {}
    for row, line in zip(table.rows, table.lines, strict=True):
        of, word = scores.setdefault(row[picture].strip(), {}), row[label].strip()
        key = folded(word)
        if key in of or not word:
            return None
        try:
            of[key] = float(row[score])
        except ValueError:
            return None
        words.setdefault(key, word)
        first.setdefault(row[picture].strip(), line)
    if sum(len(of) > 1 for of in scores.values()) * 2 <= len(scores):
        return None
    order = {folded(name): k for k, name in enumerate(classes)}
    keys = sorted(words, key=lambda key: order.get(key, len(order)))
    absent = min(0.0, *(value for of in scores.values() for value in of.values()))
    rows = []
    for name, of in scores.items():
        surest = max((key for key in keys if key in of), key=lambda key: of[key])
        rows.append([name, words[surest], *(repr(of.get(key, absent)) for key in keys)])
    heads = ["picture", "prediction", *(words[key] for key in keys)]
    return replace(table, heads=heads, rows=rows, lines=list(first.values()))
