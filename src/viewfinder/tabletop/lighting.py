"""One wide light, its surroundings, and the shadows that things throw on each other."""

import math
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np

from viewfinder.tabletop.materials import Colour, Finish
from viewfinder.tabletop.solids import Array, clamp


@dataclass(frozen=True, eq=False)
class Light:
    """What shines on the table.

    Attributes:
        towards: unit vector from the table to the light.
        colour: linear RGB of the light times its strength.
        sky: linear RGB that falls evenly from above.
        ground: linear RGB that comes back from below.
        softness: width of the light; a shadow's edge is this wide one unit behind its object.
    """

    towards: Array
    colour: Array
    sky: Array
    ground: Array
    softness: float


def light(
    rng: Random, *, table: Colour, variety: float = 1.0, shadow: float | None = None
) -> Light:
    """A light from above; `variety` in [0, 1] widens its range of colour, height and strength.

    `shadow` in [0, 1] fixes how dark shadows are; without it, that is drawn as well.
    """
    height = math.radians(rng.uniform(48 - 14 * variety, 56 + 12 * variety))
    # From either side more often than from the front or the back, so that shadows show.
    around = math.radians(rng.choice([0, 180]) + rng.triangular(-100, 100, 0))
    towards = (
        math.cos(height) * math.cos(around),
        math.cos(height) * math.sin(around),
        math.sin(height),
    )
    warmth = rng.uniform(-0.18, 0.22) * variety
    share = rng.uniform(0.62, 0.9) if shadow is None else shadow
    strength = 1.25 * math.exp(rng.uniform(-0.35, 0.35) * variety)
    key = np.array([1 + warmth, 1.0, 1 - warmth]) * (strength * share)
    sky = np.array([1 - warmth / 2, 1.0, 1 + warmth / 2]) * (strength * (1 - share) * 1.15)
    bounce = (0.35 + 0.65 * np.array(table)) * 0.55
    return Light(
        towards=np.array(towards, np.float32),
        colour=key.astype(np.float32),
        sky=sky.astype(np.float32),
        ground=(sky * bounce).astype(np.float32),
        softness=rng.uniform(0.05, 0.28),
    )


def shade(
    albedo: Array,
    finish: Finish,
    normal: Array,
    view: Array,
    lit: Array,
    openness: Array,
    by: Light,
) -> Array:
    """Linear RGB, 3×N, of surface points seen along unit vectors `view`.

    `lit` is how much of the light, `openness` how much of the surroundings, each point sees.
    """
    facing = by.towards @ normal
    upward = 0.5 + 0.5 * normal[2]
    ambient = (by.ground[:, None] + (by.sky - by.ground)[:, None] * upward) * openness
    diffuse: Array = albedo * (ambient + by.colour[:, None] * (np.maximum(facing, 0) * lit))
    if finish.gloss <= 0:
        return diffuse
    against = -(view * normal).sum(axis=0)
    mirrored = view + normal * (2 * against)
    # Schlick's approximation of Fresnel's law: everything mirrors at a grazing angle.
    grazing = clamp(1 - against, 0, 1)
    mirror = (
        finish.gloss + (0.5 * (1 - finish.gloss)) * grazing * grazing * grazing * grazing * grazing
    )
    # Normalised Phong: the duller, the wider and weaker the highlight.
    highlight = np.maximum(by.towards @ mirrored, 0) ** finish.sharpness
    highlight *= lit * (finish.sharpness + 2) / 12
    around = surroundings(mirrored, by, blur=1 / math.sqrt(finish.sharpness)) * openness
    glint = around * mirror + by.colour[:, None] * (highlight * np.minimum(mirror * 2, 1))
    shining: Array = diffuse * 0.25 + albedo * glint if finish.metal else diffuse + glint
    return shining


def surroundings(direction: Array, by: Light, *, blur: float) -> Array:
    """Linear RGB of a plain room with one bright window, seen along unit vectors."""
    rise = clamp(0.5 + direction[2] * (1.5 / (0.5 + blur)), 0, 1)
    room: Array = by.ground[:, None] + (by.sky * 1.4 - by.ground)[:, None] * rise
    # The window stands to the side of the light, upright, a third of a radian wide.
    across = direction[0] * 0.8 + direction[1] * 0.6
    edge = 0.05 + blur
    window = clamp((0.3 - np.abs(across - 0.35)) / edge + 0.5, 0, 1)
    window *= clamp((0.25 - np.abs(direction[2] - 0.55)) / edge + 0.5, 0, 1)
    return room + by.sky[:, None] * (1.8 * window)


@dataclass(frozen=True, eq=False)
class Shadow:
    """What one thing keeps from the light.

    Attributes:
        middle: world coordinates of the thing's middle.
        reach: half the side of the maps, in world units.
        axes: 2×3; unit vectors across the light.
        maps: S×S×3 as seen from the light: the share of light kept out just behind the thing, the
            same at a distance of FAR, and how far before `middle` the thing's surface lies.
    """

    middle: Array
    reach: float
    axes: Array
    maps: Array


# How far behind a thing, in world units, its shadow is as soft as the softer map.
FAR = 2.5
# How far behind a surface its shadow sets in, in world units; it is at its full darkness at twice.
ONSET = 0.03


def across(towards: Array) -> Array:
    """Two unit vectors across the light: 2×3."""
    one = np.array([-towards[1], towards[0], 0], np.float32) / math.hypot(towards[0], towards[1])
    return np.stack([one, np.cross(towards, one)]).astype(np.float32)


def shadow(
    outline: Array, top: Array, dense: float, middle: Array, reach: float, by: Light
) -> Shadow:
    """The shadow of a thing that keeps out a share `dense` of the light.

    Its S×S `outline` and its surface's height `top` towards the light lie along `across`.
    """
    texels = outline.shape[0] / (2 * reach)
    width = 0.7 + by.softness * FAR * texels / 2
    sharp, soft = cv2.GaussianBlur(outline, (0, 0), 0.7), cv2.GaussianBlur(outline, (0, 0), width)
    # Heights spread beyond the outline as far as its blur does.
    spread = cv2.GaussianBlur(outline * top, (0, 0), width) / np.maximum(soft, 1e-4)
    heights = np.where(outline > 0.5, top, spread)
    maps = np.stack([sharp * dense, soft * dense, heights], axis=2).astype(np.float32)
    return Shadow(middle=middle, reach=reach, axes=across(by.towards), maps=maps)


def shadowed(by: Light, cast: Shadow, points: Array) -> Array:
    """How much of the light a thing keeps from each of 3×N points, 0 to 1."""
    apart = points - cast.middle[:, None]
    height = by.towards @ apart
    side = cast.maps.shape[0]
    place = (cast.axes @ apart) * (side / (2 * cast.reach)) + (side / 2 - 0.5)
    columns, rows = map(_folded, place)
    taken = cv2.remap(cast.maps, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    sharp, soft, top = taken.reshape(-1, 3)[: points.shape[1]].T
    behind = top - height
    kept = sharp + (soft - sharp) * clamp(behind * (1 / FAR), 0, 1)
    return np.asarray(kept * clamp(behind * (1 / ONSET) - 1, 0, 1), np.float32)


def _folded(values: Array) -> Array:
    """A long list as rows of 1,024, since remap takes at most 32,767 in a row."""
    rows = -(-values.size // 1024)
    folded = np.full(rows * 1024, -9, np.float32)
    folded[: values.size] = values
    return folded.reshape(rows, 1024)
