"""Fixes for a mistake, each of which was tried before it is offered."""

from viewfinder.explain.fixes.batch import with_batch
from viewfinder.explain.fixes.lab import Lab, Stop
from viewfinder.explain.fixes.offering import offers
from viewfinder.explain.fixes.variants import Inputs, first_use, sampled

__all__ = ["Inputs", "Lab", "Stop", "first_use", "offers", "sampled", "with_batch"]
