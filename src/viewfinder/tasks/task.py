"""What a task is: everything that tells classifying from detecting from finding the subject.

The training loop, `evaluate`, `predict` and the reports are written once, for any task. A new task
is a folder with a class that answers the questions of `learner.py` and `answerer.py`, and one line
in `tasks/__init__.py`.
"""

from collections.abc import Sequence
from typing import Any

from viewfinder.errors import InputError
from viewfinder.tasks.answerer import Answerer
from viewfinder.tasks.learner import Learner
from viewfinder.tasks.parts import (
    AnswersT,
    BatchT,
    EvalT,
    FoundT,
    RecipeT,
    ReplyT,
    ScoresT,
    TrainT,
)


class Task(
    Learner[RecipeT, TrainT, BatchT],
    Answerer[RecipeT, EvalT, ReplyT, FoundT, AnswersT, ScoresT],
):
    """Everything that is particular to one task: how it is learnt, and how its nets answer."""


AnyTask = Task[Any, Any, Any, Any, Any, Any, Any, Any]
"""A task where nothing depends on which."""


def require_classes(task: AnyTask, classes: Sequence[str]) -> None:
    """See that there are as many classes as a task needs.

    Raises:
        InputError: there are fewer.
    """
    if len(classes) < task.fewest_classes:
        raise InputError(
            f"there must be {task.fewest_classes} classes or more to {task.name}, and there are "
            f"{len(classes)}"
        )
