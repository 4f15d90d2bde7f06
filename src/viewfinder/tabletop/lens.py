"""What a camera does to light before it is a picture: exposure, blur, noise and compression."""

import math
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.tabletop.solids import Array, clamp

# The brightest light that reaches the sensor, where 1 is white.
BRIGHTEST = 1.5


@dataclass(frozen=True)
class Lens:
    """How a picture is spoilt.

    Attributes:
        exposure: factor on linear light.
        vignette: share of light lost in the corners.
        defocus: standard deviation of the blur in pixels.
        motion: length of the motion blur in pixels.
        direction: direction of the motion in radians.
        noise: standard deviation of the noise at full brightness, in grey levels of 255.
        quality: JPEG quality, 1 to 100; above 100 leaves out compression.
    """

    exposure: float = 1.0
    vignette: float = 0.0
    defocus: float = 0.0
    motion: float = 0.0
    direction: float = 0.0
    noise: float = 0.0
    quality: int = 101


def lens(rng: Random, *, spoil: float, size: int) -> Lens:
    """A lens and sensor; `spoil` in [0, 1] is how badly they may do. Blur grows with `size`."""
    fine = size / 256
    return Lens(
        exposure=math.exp(rng.uniform(-0.5, 0.35) * spoil),
        vignette=rng.uniform(0, 0.45) * spoil,
        defocus=(0.35 + abs(rng.gauss(0, 1.0)) * spoil) * fine,
        motion=rng.uniform(2, 9) * spoil * fine if rng.random() < 0.3 * spoil else 0.0,
        direction=rng.uniform(0, math.pi),
        noise=rng.uniform(0.5, 1.5 + 9 * spoil),
        quality=rng.randint(round(96 - 45 * spoil), 96),
    )


def photograph(colour: Array, through: Lens, rng: np.random.Generator) -> NDArray[np.uint8]:
    """An 8-bit picture of H×W×3 linear light."""
    size = colour.shape[0]
    across = (np.arange(size, dtype=np.float32) + 0.5) * (2 / size) - 1
    dimmed = 1 - (through.vignette / 2) * (across * across)
    # The square root that ends this takes the roots of factors too; doing them before saves time.
    # A highlight far brighter than white would bloom over whole objects once it is blurred.
    light = np.minimum(colour, BRIGHTEST) * (
        through.exposure * dimmed[:, None, None] * dimmed[None, :, None]
    )
    if through.motion > 1:
        light = cv2.filter2D(light, -1, _streak(through.motion, through.direction))
    if through.defocus > 0.2:
        light = cv2.GaussianBlur(light, (0, 0), through.defocus)
    display = np.sqrt(clamp(light, 0, 1)) * 255
    if through.noise:
        grain = rng.standard_normal(display.shape, np.float32)
        # Photon noise grows as the root of the light; sensors add a part that does not.
        display += grain * ((0.4 + 0.6 / 16 * np.sqrt(display)) * through.noise)
    picture = clamp(display + 0.5, 0, 255).astype(np.uint8)
    if through.quality > 100:
        return picture
    written, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, through.quality])
    assert written
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _streak(length: float, direction: float) -> Array:
    """The kernel of a straight motion blur."""
    side = 2 * math.ceil(length / 2) + 1
    kernel = np.zeros((side, side), np.float32)
    middle, reach = side // 2, length / 2
    # Sixteenths of a pixel, for a smooth line.
    ends = [
        (
            round(16 * (middle + s * reach * math.cos(direction))),
            round(16 * (middle + s * reach * math.sin(direction))),
        )
        for s in (-1, 1)
    ]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
    return np.asarray(kernel / kernel.sum(), np.float32)
