"""Weights that came along and keep still for a share of a training: no step moves them, and of no
gradient of theirs is anything computed."""

from collections.abc import Collection

from torch import nn


class Held:
    """What `recipe.freeze` holds still.

    Through layers that keep still, and have none before them that learns, a step need not go back:
    of a detector whose heads alone learn, that is two thirds of its work. What the others learn is
    the same to the last bit.

    Args:
        names: the parameters of the net that came along.
        share: of the training in which they keep still.
    """

    def __init__(self, net: nn.Module, names: Collection[str], share: float) -> None:
        learning = {name: each for name, each in net.named_parameters() if each.requires_grad}
        self.share = share
        self.parameters = [each for name, each in learning.items() if name in names]
        # A step must have something to go back to.
        self.all = len(self.parameters) == len(learning)
        self.still = False

    def before_step(self, done: float) -> None:
        """Let no gradient of theirs be computed, or from now on let them learn.

        Args:
            done: the share of the training that is done.
        """
        still = done < self.share and not self.all
        if still != self.still:
            self.still = still
            for parameter in self.parameters:
                parameter.requires_grad_(not still)

    def before_update(self, done: float) -> None:
        """Drop what gradients of theirs there are; `done` as of `before_step`."""
        if done < self.share:
            for parameter in self.parameters:
                parameter.grad = None
