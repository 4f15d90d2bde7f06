"""How much of a training is done at each of its steps: counted in epochs, or measured in minutes.

What a step draws and its learning rate follow from this, so it must be the same number whoever
asks, whenever, in whichever process: a function of the step and of what the state keeps.

With `minutes` the clock is read at the end of each lap, and nowhere else. A lap is an epoch or,
where an epoch is longer, as many steps as should take a thirty-second of the time: so that the
time is kept to where an epoch takes long, or longer than all there is. Within a lap the share that
is done grows evenly, by the pace so far, towards 1 when the time will be up, and never falls.
"""

from collections.abc import Callable

from viewfinder.tasks.recipe import Recipe
from viewfinder.training.progress import TrainingProgress

# A lap is at most this share of the time.
_LAP = 1 / 32


def progress_at(now: TrainingProgress, recipe: Recipe, steps: int) -> Callable[[int], float]:
    """The share of the training, from 0 to 1, that is done before each step of the epoch of now.

    Args:
        steps: those of an epoch that shows every picture once.
    """
    if recipe.minutes is None:
        # An epoch that repeats rare pictures is longer than most.
        epoch, epochs = now.epoch, recipe.epochs
        return lambda step: (epoch + min(1.0, step / steps)) / epochs
    # Numbers of their own, as `now` moves on while another thread draws ahead.
    begun, done, rate = now.step - (now.updates - now.lap), now.lap_done, now.lap_rate
    return lambda step: min(1.0, done + (step - begun) * rate)


def lap_ends(now: TrainingProgress, recipe: Recipe, steps: int) -> int:
    """The step of the epoch of now before which the lap ends; `steps` if the epoch ends first."""
    if recipe.minutes is None:
        return steps
    return min(steps, now.step + now.lap + now.lap_steps - now.updates)


def begin_lap(now: TrainingProgress, minutes: float, seconds: float) -> None:
    """Take a reading of the clock: say whether the time is up, and begin the next lap if not.

    Args:
        seconds: spent training so far.
    """
    limit, taken = 60 * minutes, now.updates - now.lap
    pace = seconds / now.updates if now.updates else 0.0
    left = limit - seconds
    # At least a step is always taken; and one that would end nearer to the limit than this is not.
    now.time_up = now.updates > 0 and left <= pace / 2
    now.lap_done = min(1.0, max(seconds / limit, now.lap_done + taken * now.lap_rate))
    now.lap_rate = (1 - now.lap_done) * pace / max(left, pace) if pace else 0.0
    # The first laps are short, since the pace is not known yet.
    most = min(left, _LAP * limit) / pace if pace else 1
    now.lap, now.lap_steps = now.updates, max(1, int(min(most, now.updates)))
