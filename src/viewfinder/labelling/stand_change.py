"""What has changed in a picture of a stand since it was empty, and what of that may be shadow."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.labelling.registration import Registration, gradient, greatest, slope

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]
_BLUR = 0.8  # pixels, against noise
_CHANGED = 12.0  # mean square of the difference in standard deviations; 3.5 of them
_MISFIT = 6.0  # the same, of the difference to the nearest shadow
_DARKEST = 0.5  # of the brightness, in a shadow
_TOO_DARK = 0.05  # of the logarithm of brightness, beyond that: a standard deviation
_BRIGHTEST = 0.03  # the logarithm of brightness; a shadow brightens nothing, registration may
_TINT = 0.15  # a channel's darkness may differ from the mean darkness by this share of brightness
_SHARP = 0.05  # change of the logarithm of brightness a pixel, at which an edge is no shadow's
_BLACK = 4  # grey levels, added so that a logarithm of noise stays small


@dataclass(frozen=True, eq=False)
class StandChange:
    """A frame beside the empty stand as it would look in it; both are H×W×3, slightly blurred.

    Attributes:
        variance: H×W×3, of the difference where nothing has changed.
        distance: H×W, mean square of the difference in standard deviations.
        changed: H×W bool.
    """

    frame: Array
    plate: Array
    variance: Array
    distance: Array
    changed: Mask


def changes_since(laid: Registration, frame: Array) -> StandChange:
    outside = np.asarray(np.isnan(laid.picture[..., 0]), np.bool_)
    # What the empty stand's picture does not show cannot be said to have changed.
    plate = _blurred(np.where(outside[..., None], frame, laid.picture))
    frame = _blurred(frame)
    outside = cv2.dilate(outside.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    difference = np.abs(frame - plate)
    steep = slope(plate)
    variance = _noise(difference, steep, outside)
    distance = _mean(difference**2 / variance)
    return StandChange(frame, plate, variance, distance, (distance > _CHANGED) & ~outside)


def _mean(picture: Array) -> Array:
    """H×W: the mean of the three channels, in a fraction of the time of `mean(axis=2)`."""
    return np.asarray((picture[..., 0] + picture[..., 1] + picture[..., 2]) / 3, np.float32)


def _blurred(picture: Array) -> Array:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), _BLUR), np.float32)


def _noise(difference: Array, steep: Array, outside: Mask) -> Array:
    """H×W×3: variance of noise, and at edges that of a registration that is a little off."""
    flat = (greatest(steep) < 2) & ~outside
    if flat.sum() < 100:
        flat = ~outside
    noise = 1.4826 * np.median(difference[flat], axis=0) + 0.3
    edges = (steep > 6) & ~outside[..., None]
    off = float(np.median(difference[edges] / steep[edges])) if edges.sum() > 200 else 0.15
    return np.asarray(noise**2 + (2 * min(off, 0.5) * steep) ** 2, np.float32)


def shadow_of(change: StandChange) -> tuple[Mask, Array]:
    """Changed pixels that may be shadow: the plate but darker, and reached without a sharp edge.

    Returns:
        these, and for each pixel how far it is from any shadow: a mean square, as `distance` is.
    """
    # The fitted light may take what is black in the plate below 0.
    light = np.asarray(np.maximum(change.plate, 0) + _BLACK, np.float32)
    dark = change.frame + _BLACK
    weights = light**2 / change.variance
    # The plate times exp(t) is nearest to the frame, by the logarithm.
    mean_weight = _mean(weights)
    t = _mean(weights * np.log(dark / light)) / mean_weight
    kept = np.exp(np.minimum(t, _BRIGHTEST))[..., None]
    tint = (_TINT * (1 - np.minimum(kept, 1)) * light) ** 2
    misfit = _mean((dark - kept * light) ** 2 / (change.variance + tint))
    misfit += (np.maximum(math.log(_DARKEST) - t, 0) / _TOO_DARK) ** 2
    explained = change.changed & (misfit < _MISFIT)
    noise = 2 / np.sqrt(3 * mean_weight)
    sharp = np.hypot(*gradient(t)) > np.maximum(_SHARP, noise)
    near = cv2.dilate(change.changed.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    smooth = (~change.changed | explained) & ~(sharp & near)
    return explained & _largest(smooth), misfit


def _largest(mask: Mask) -> Mask:
    """The largest connected part."""
    count, parts, statistics, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=4
    )
    if count < 2:
        return np.zeros(mask.shape, np.bool_)
    return np.asarray(parts == 1 + statistics[1:, cv2.CC_STAT_AREA].argmax(), np.bool_)
