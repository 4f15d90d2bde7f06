"""Whether a net can learn from pictures of a size, found out by shapes alone before any is read."""

from collections.abc import Callable, Mapping

import torch
from torch import nn

from viewfinder.errors import InputError
from viewfinder.nets.building import shapes_alone, undrawn
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.recipe import Recipe
from viewfinder.tasks.run_weights import new_net
from viewfinder.tasks.task import AnyTask
from viewfinder.training.batches import steps_per_epoch
from viewfinder.wording import counted

# Sides that are tried for one that a net takes.
_LARGEST = 1024
# A detector's sides are multiples of this; where the asked size is one, so is the advised.
_STRIDE = 32
# Steps, as text, that were seen to be possible: folds ask for the same one again and again.
_POSSIBLE: set[str] = set()


def require_learnable(
    task: AnyTask,
    recipe: Recipe,
    size: Size,
    options: Mapping[str, object],
    *,
    classes: int,
    count: int,
) -> None:
    """Refuse a size, or a batch, with which the net's training could not take a step.

    The net is run in training mode on torch's meta device, which computes shapes and no numbers.
    Where no step is to be taken, it answers a picture, sooner than what that takes is loaded.

    Args:
        size: width and height of what the net is given.
        options: what the net is created with beside its classes.
        count: training pictures.

    Raises:
        InputError: maps shrink to nothing, or a batch norm is left with one value a channel.
    """
    rows = _fewest_rows(recipe, count, recipe.batch)
    step = f"{recipe.net} {dict(options)} {classes} {rows} {task.smallest(recipe, size)}"
    step += f" {recipe.in_steps}"
    if step in _POSSIBLE:
        return
    if not recipe.in_steps and _answers(recipe.net, task.smallest(recipe, size), classes, options):
        _POSSIBLE.add(step)
        return
    with shapes_alone():
        net = new_net(recipe.net, classes, options)

    def fails(rows: int, side: int) -> bool:
        return _trouble(net, rows, task.smallest(recipe, _scaled(size, side))) is not None

    trouble = _trouble(net, rows, task.smallest(recipe, size))
    if trouble is None:
        _POSSIBLE.add(step)
        return
    given = f"{size[0]}×{size[1]}"
    norms = rows == 1 and not fails(2, max(size))
    side = _smallest(lambda side: fails(rows, side), size)
    larger = f"a --size of {side} or more" if side and "size" not in options else "a larger --size"
    if not norms:
        raise InputError(
            f"{recipe.net} cannot learn from pictures of {given}, which shrink to nothing on their "
            f"way through it ({trouble}): give {larger}"
        )
    batch = next((b for b in range(1, count + 1) if _fewest_rows(recipe, count, b) > 1), None)
    fix = f"a --batch of {batch} or more, or {larger}" if batch else larger
    raise InputError(
        f"{recipe.net} cannot learn from one picture of {given} at a time (--batch {recipe.batch}, "
        f"{counted(count, 'picture')}): its batch norms would have one value of each channel, "
        f"which says nothing of how values spread; give {fix}"
    )


def _answers(name: str, size: Size, classes: int, options: Mapping[str, object]) -> bool:
    """Whether a net answers a picture of this width and height."""
    with undrawn():
        net = new_net(name, classes, options).eval()
    try:
        with torch.no_grad():
            net(torch.zeros(1, _channels(net), size[1], size[0]))
    except (RuntimeError, ValueError):
        return False
    return True


def _channels(net: nn.Module) -> int:
    return next(weight.shape[1] for weight in net.parameters() if weight.dim() == 4)


def _fewest_rows(recipe: Recipe, count: int, batch: int) -> int:
    """Pictures in a training's smallest step, which all processes normalise together."""
    return max(1, count // steps_per_epoch(count, batch, recipe.devices))


def _trouble(net: nn.Module, rows: int, size: Size) -> str | None:
    """What stops a step of so many pictures of this width and height, or nothing."""
    try:
        with torch.no_grad():
            net.train()(torch.empty(rows, _channels(net), size[1], size[0], device="meta"))
    except NotImplementedError:  # an operation without a rule for shapes: nothing is known
        return None
    except (RuntimeError, ValueError) as error:
        return str(error).strip().partition("\n")[0]
    return None


def _smallest(fails: Callable[[int], bool], size: Size) -> int | None:
    """The least longer side, beyond that of `size`, at which nothing fails; None if none is."""
    long = max(size)
    step = _STRIDE if long % _STRIDE == 0 else 1
    low, high = 0, 1  # steps beyond the size: fails at `low`, and not at `high`
    while fails(long + high * step):
        low, high = high, 2 * high
        if long + high * step > _LARGEST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fails(long + middle * step) else (low, middle)
    return long + high * step


def _scaled(size: Size, side: int) -> Size:
    """A size of the same aspect whose longer side is `side`, in the steps of the given one."""
    long = max(size)
    if side == long:
        return size
    step = _STRIDE if all(each % _STRIDE == 0 for each in size) else 1
    width, height = (max(step, -(-each * side // (long * step)) * step) for each in size)
    return width, height
