"""Depth as a sensor gives it: mostly right, and for a stated share of scenes not."""

import enum
import math
from random import Random

import cv2
import numpy as np

from viewfinder.tabletop.solids import Array, clamp


class DepthState(enum.StrEnum):
    """What is the matter with a scene's depth."""

    GOOD = "good"
    """Nothing."""
    HOLES = "holes"
    """A third or more of it reads 0, in patches."""
    NOISE = "noise"
    """Noise as strong as the depth itself."""
    FOREIGN = "foreign"
    """It belongs to another scene."""
    INVERTED = "inverted"
    """Near is dark instead of bright."""
    MISSING = "missing"
    """There is none."""


FAULTS = tuple(state for state in DepthState if state is not DepthState.GOOD)


def depth_state(*, seed: int, index: int, share: float) -> DepthState:
    """The state of the depth of scene `index` when a `share` of scenes is unreliable.

    Among any n scenes in a row, `share · n` are unreliable, rounded up or down.
    """
    # Counting up in steps of `share`, each crossing of a whole number spreads them evenly.
    start = Random(f"unreliable depth {seed}").random()
    if math.floor((index + 1) * share + start) == math.floor(index * share + start):
        return DepthState.GOOD
    return Random(f"depth fault {seed} {index}").choice(FAULTS)


def normalised(distance: Array) -> Array:
    """Depth in [0, 1], linear in distance: 1 at the nearest pixel and 0 at the farthest."""
    near, far = float(distance.min()), float(distance.max())
    return ((far - distance) / max(far - near, 1e-6)).astype(np.float32)


def faulty(
    depth: Array, state: DepthState, rng: np.random.Generator, *, foreign: Array | None = None
) -> Array | None:
    """`depth` spoilt as `state` says; `foreign` is the depth of another scene."""
    match state:
        case DepthState.GOOD:
            return depth
        case DepthState.MISSING:
            return None
        case DepthState.INVERTED:
            return 1 - depth
        case DepthState.FOREIGN:
            if foreign is None:
                raise ValueError("foreign depth needs the depth of another scene")
            return foreign
        case DepthState.NOISE:
            grain = rng.normal(0, max(float(depth.std()), 0.1), depth.shape).astype(np.float32)
            return clamp(depth + grain, 0, 1)
        case DepthState.HOLES:
            # Smooth noise cut at a quantile: patches of a size that sensors lose on shiny things.
            grain = rng.standard_normal(depth.shape, np.float32)
            blobs = cv2.GaussianBlur(grain, (0, 0), max(depth.shape[0] / 24, 1))
            lost = blobs < np.quantile(blobs, rng.uniform(0.34, 0.6))
            return np.where(lost, np.float32(0), depth)
