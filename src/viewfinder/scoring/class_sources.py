"""Each method's classes of a set's pictures: from a table, or from a model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError
from viewfinder.scoring.class_answers import ClassAnswers
from viewfinder.scoring.class_names import class_numbers, meant
from viewfinder.scoring.class_order import class_order_notes
from viewfinder.scoring.class_tables import table_answers
from viewfinder.scoring.models import is_model, probabilities_by
from viewfinder.wording import some


def class_answers(path: Path, truth: Dataset) -> ClassAnswers:
    """What a model or a table says of a set's pictures.

    Raises:
        InputError: it cannot be read, or says nothing of these pictures.
    """
    found = _read(path, truth)
    return replace(found, notes=(*found.notes, *class_order_notes(found.labels, truth)))


def _read(path: Path, truth: Dataset) -> ClassAnswers:
    if is_model(path):
        return _by_model(path, truth)
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise InputError(f"{path} is no table of answers: give a CSV, or a run")
    return table_answers(path, truth)


def _by_model(path: Path, truth: Dataset) -> ClassAnswers:
    classes, found = probabilities_by(path, truth)
    notes: list[str] = []
    numbers = class_numbers(classes, truth.classes, notes)
    surest = found.argmax(axis=1)
    labels = np.array([numbers.get(name, -1) for name in classes])[surest]
    probabilities: dict[str, NDArray[np.float64]] = {}
    strange = [name for name in classes if name not in numbers]
    told = some(meant(strange, truth.classes, set(numbers.values())))
    if not numbers:
        notes.append(
            f"the model knows none of the set's classes ({some(list(truth.classes))}): it knows "
            f"{told}, so that every answer is wrong, and there is no log loss or Top 5"
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
                f"the model also knows {told}, which the set does not have: wrong as an answer"
            )
    return ClassAnswers(
        dict(zip(truth.paths, labels.tolist(), strict=True)),
        probabilities,
        dict(zip(truth.paths, found.max(axis=1).tolist(), strict=True)),
        tuple(notes),
        {
            path: classes[k]
            for path, k in zip(truth.paths, surest, strict=True)
            if classes[k] in strange
        },
    )
