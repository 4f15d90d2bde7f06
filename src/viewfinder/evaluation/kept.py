"""Whether validation pictures can choose the weights that a run keeps, and which it kept, in words.

The best of many epochs on a few pictures is the luckiest, and an early one as often as not. Where
fewer judge than tell two nets apart, the last weights are kept: they have most training behind
them, and the average over steps, which a run keeps, is steady.
"""

from viewfinder.datasets.dataset import Dataset
from viewfinder.evaluation.split_scores import enough
from viewfinder.tasks.recipe import Recipe
from viewfinder.tasks.task import AnyTask
from viewfinder.wording import counted


def can_choose(task: AnyTask, val: Dataset | None, recipe: Recipe) -> bool:
    """Whether scores on these pictures tell one epoch's weights from another's."""
    return val is not None and enough(len(val), task.worth(val, recipe))


def kept_in_words(
    task: AnyTask, val: Dataset | None, recipe: Recipe, *, kept: int, last: int
) -> str:
    """A sentence: of which epoch the weights are, and why.

    Args:
        val: the pictures held out to choose by, if there are any.
        kept: the epoch, from 1; 0 of those that the training began with.
        last: how many epochs there were.
    """
    if val is None:
        return "The weights are those of the last epoch: there were no validation pictures."
    held = counted(len(val), "validation picture")
    if not kept:
        return (
            "The weights are those before the first step, the last layer solved, which is the "
            f"simpler net: no epoch was better on {held} by more than chance."
        )
    are = "is" if len(val) == 1 else "are"
    which = "the last epoch" if kept == last else f"epoch {kept} of {last}"
    if recipe.tunes:
        return (
            f"The weights are those of {which}, better on {held} than the solved last layer by "
            "more than chance."
        )
    if not can_choose(task, val, recipe):
        return f"The weights are those of {which}: {held} {are} too few to tell epochs apart."
    return (
        f"The weights are those of {which}, the latest that was as good on {held} as the best, "
        "within what chance makes."
    )
