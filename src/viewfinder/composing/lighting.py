"""How light makes pasted objects belong to their background: brightness, colour and shadows."""

import math
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.masks import box_around

Pixels = TypeVar("Pixels", NDArray[np.uint8], NDArray[np.float32])
Array = NDArray[np.float32]

# The mean grey of a well exposed photograph, and how far objects follow a background's.
_GREY = 115.0
_FOLLOW_BRIGHTNESS, _FOLLOW_COLOUR = 0.3, 0.35
# Shadows are soft, and so are made at this fraction of the size.
_COARSE = 4


@dataclass(frozen=True, eq=False)
class SceneLight:
    """The light of one scene.

    Attributes:
        match: factor on red, green and blue of objects that brings them near the background.
        side: −1 to 1, where the light comes from: the left or the right.
        lean: how far to the side a shadow reaches, and `length` how far up the picture, each as a
            share of the object's height; below 0 it falls towards the viewer.
        length: see `lean`.
        darkness: 0 to 1, how much light a shadow takes away.
        softness: width of a shadow's edge, as a share of the object's size.
        scene: 256×3 uint8, what the camera makes of each value of red, green and blue.
    """

    match: Array
    side: float
    lean: float
    length: float
    darkness: float
    softness: float
    scene: NDArray[np.uint8]


def draw_light(
    ground: NDArray[np.uint8], variety: float, shadow: float, rng: np.random.Generator
) -> SceneLight:
    """A light for objects upon a background.

    Args:
        variety: 0 to 1, how much scenes differ.
        shadow: 0 to 1, how dark a shadow may be.
    """
    mean = np.array(cv2.mean(ground)[:3]) + 1
    brightness = float(mean.mean())
    gain = min(max((brightness / _GREY) ** _FOLLOW_BRIGHTNESS, 0.65), 1.3)
    cast = (mean / brightness) ** _FOLLOW_COLOUR
    side = rng.uniform(-1, 1)
    return SceneLight(
        match=(gain * cast).astype(np.float32),
        side=side,
        lean=-side * rng.uniform(0.2, 0.7),
        length=rng.uniform(-0.12, 0.3),
        darkness=shadow * rng.uniform(0.4, 1),
        softness=rng.uniform(0.02, 0.07),
        scene=_curve(np.ones(3), variety, rng),
    )


def lit(
    picture: NDArray[np.uint8], light: SceneLight, variety: float, rng: np.random.Generator
) -> Array:
    """An object's colours in the light, H×W×3 float32, brighter where the light comes from."""
    coloured = cv2.LUT(picture, _curve(light.match, variety / 2, rng).reshape(256, 1, 3))
    across = np.linspace(-1, 1, picture.shape[1], dtype=np.float32)
    shade = 1 + across * np.float32(light.side * 0.25 * variety)
    return np.asarray(coloured * shade[None, :, None], np.float32)


def _curve(
    factor: NDArray[np.floating], variety: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """256×3: gain, gamma and a colour cast, drawn at random, upon a factor for each colour."""
    gain = math.exp(rng.uniform(-0.45, 0.3) * variety)
    gamma = math.exp(rng.uniform(-0.35, 0.35) * variety)
    cast = np.exp(rng.normal(0, 0.08, 3) * variety)
    values = np.linspace(0, 1, 256)[:, None] ** gamma
    return np.clip(values * (gain * cast * factor) * 255 + 0.5, 0, 255).astype(np.uint8)


def darken(
    canvas: Array, alpha: NDArray[np.uint8], corner: tuple[int, int], light: SceneLight
) -> None:
    """Throw an object's shadow upon the canvas, where the object is going to stand.

    Two parts, both from the object's outline: the shadow that it throws, laid down from its foot,
    and the darkening all around its foot where it shuts out the sky.
    """
    if not light.darkness:
        return
    height, width = alpha.shape
    reach = max(height, width)
    # Room for what leans out and fades beyond the object.
    aside, below = math.ceil(0.8 * reach), math.ceil(0.4 * reach)
    small = np.array([width, height]) / _COARSE
    pad = np.array([aside, below]) / _COARSE
    whole = tuple(np.maximum(np.ceil(small + 2 * pad), 2).astype(int).tolist())
    foot = float(box_around(alpha > 127)[3] or height)
    # The foot is as deep as it is wide: the shadow begins within it, not at its front edge.
    base = foot - 0.06 * reach
    thrown = _laid(alpha, pad, base, light, whole)
    thrown = blurred(thrown, max(0.5, light.softness * reach / _COARSE))
    ramp = np.clip(1 - (foot - np.arange(height)) / (0.45 * reach), 0, 1).astype(np.float32)
    around = _upright((alpha * ramp[:, None] ** 2), pad, 0.025 * reach, whole)
    around = blurred(around, max(0.6, 0.06 * reach / _COARSE))
    share = (thrown * 0.8 + around * 0.9) * np.float32(light.darkness / 255)
    _multiply(canvas, 1 - np.minimum(share, 0.85), (corner[0] - aside, corner[1] - below))


def _laid(
    alpha: NDArray[np.uint8],
    pad: NDArray[np.float64],
    base: float,
    light: SceneLight,
    size: tuple[int, int],
) -> Array:
    """The outline laid upon the ground from the row `base`, at the coarse size."""
    by = 1 / _COARSE
    matrix = np.array(
        [
            [by, -light.lean * by, pad[0] + light.lean * base * by],
            [0, light.length * by, pad[1] + base * (1 - light.length) * by],
        ]
    )
    shrunk = cv2.warpAffine(alpha, matrix, size, flags=cv2.INTER_LINEAR)
    return shrunk.astype(np.float32)


def _upright(alpha: Array, pad: NDArray[np.float64], lower: float, size: tuple[int, int]) -> Array:
    """The outline as it stands, a little lower, at the coarse size."""
    by = 1 / _COARSE
    matrix = np.array([[by, 0, pad[0]], [0, by, pad[1] + lower * by]])
    return np.asarray(cv2.warpAffine(alpha, matrix, size, flags=cv2.INTER_LINEAR), np.float32)


def _multiply(canvas: Array, factor: Array, corner: tuple[int, int]) -> None:
    """Multiply the canvas by a coarse map whose upper left corner lies at `corner`."""
    x, y = corner
    height, width = factor.shape[0] * _COARSE, factor.shape[1] * _COARSE
    fine = cv2.resize(factor, (width, height), interpolation=cv2.INTER_LINEAR)
    top, left = max(y, 0), max(x, 0)
    bottom, right = min(y + height, canvas.shape[0]), min(x + width, canvas.shape[1])
    if top < bottom and left < right:
        canvas[top:bottom, left:right] *= fine[top - y : bottom - y, left - x : right - x, None]


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    """The pixels blurred by a Gaussian of this standard deviation."""
    return cv2.GaussianBlur(pixels, (0, 0), sigma)  # type: ignore[return-value]


def exposed(
    canvas: Array, light: SceneLight, noise: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """The picture that a camera takes of the canvas, with one grain over all of it."""
    if noise:
        grain = rng.standard_normal(canvas.shape[:2], np.float32)[..., None]
        canvas = canvas + grain * np.float32(noise)
    picture = np.clip(canvas + 0.5, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, light.scene.reshape(256, 1, 3)), np.uint8)
