"""What surfaces are made of: colours, patterns and gloss, drawn without a look at the class."""

import colorsys
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.tabletop.solids import Array, clamp

Colour = tuple[float, float, float]

# The side of the periodic noise tile in texels; a power of two keeps its transform quick.
TILE = 256


@dataclass(frozen=True)
class Finish:
    """How one part of a surface is painted.

    Attributes:
        base: linear RGB in [0, 1] of the ground.
        paint: linear RGB of the pattern upon it.
        pattern: a name in PATTERNS.
        period: length of one repeat of the pattern.
        angle: direction of the pattern in radians.
        phase: offset of the pattern, in repeats.
        mottle: strength of the blotches over all, 0 to 1.
        gloss: strength of the mirrored surroundings seen head-on, 0 to 1.
        sharpness: exponent of the highlight; 10 is dull and 300 a mirror.
        metal: whether the mirrored light takes the colour of the surface.
        clear: share of light that passes straight through, 0 to 1.
    """

    base: Colour
    paint: Colour
    pattern: str = "plain"
    period: float = 0.5
    angle: float = 0.0
    phase: float = 0.0
    mottle: float = 0.0
    gloss: float = 0.04
    sharpness: float = 40.0
    metal: bool = False
    clear: float = 0.0


def colour(rng: Random, *, darkest: float = 0.15, vivid: float = 0.95) -> Colour:
    """A colour of any hue, one in four nearly grey, as linear RGB."""
    grey = rng.random() < 0.25
    saturation = rng.uniform(0, 0.15) if grey else rng.uniform(0.3, 1.0) * vivid
    value = rng.uniform(darkest, 0.95)
    red, green, blue = colorsys.hsv_to_rgb(rng.random(), saturation, value)
    # Squaring is the nearest cheap step from display values to linear light.
    return red * red, green * green, blue * blue


def brightness(of: Colour) -> float:
    """Luminance of linear RGB, as the eye weighs it (Rec. 709)."""
    return 0.2126 * of[0] + 0.7152 * of[1] + 0.0722 * of[2]


def contrasting(rng: Random, ground: Colour) -> Colour:
    """A colour that differs from `ground` in its brightness."""
    tries = [colour(rng) for _ in range(4)]
    return max(tries, key=lambda c: abs(math.sqrt(brightness(c)) - math.sqrt(brightness(ground))))


def body(rng: Random, *, variety: float = 1.0) -> Finish:
    """The paint of an object's body; `variety` in [0, 1] is the chance that it has a pattern."""
    base = colour(rng)
    pattern = rng.choices(OBJECT_PATTERNS, OBJECT_WEIGHTS)[0] if rng.random() < variety else "plain"
    glossy = rng.random() < 0.55
    return Finish(
        base=base,
        paint=contrasting(rng, base),
        pattern=pattern,
        period=rng.uniform(0.22, 0.6),
        angle=rng.choice([0, 0, math.pi / 2, math.pi / 4]),
        phase=rng.random(),
        mottle=rng.uniform(0, 0.35),
        gloss=rng.uniform(0.04, 0.12) if glossy else 0.02,
        sharpness=rng.uniform(40, 250) if glossy else rng.uniform(6, 20),
    )


def plain(rng: Random, like: Finish | None = None) -> Finish:
    """One plain colour: that of `like`, or another."""
    base = like.base if like else colour(rng)
    return Finish(base=base, paint=base, gloss=rng.uniform(0.03, 0.08), sharpness=60)


def metal(rng: Random) -> Finish:
    """Bare metal: steel, brass or copper."""
    base = rng.choice(
        [(0.55, 0.56, 0.58), (0.62, 0.45, 0.18), (0.6, 0.33, 0.22), (0.3, 0.31, 0.33)]
    )
    return Finish(base=base, paint=base, gloss=0.6, sharpness=rng.uniform(25, 90), metal=True)


def glass(rng: Random) -> Finish:
    """Glass, from milky to nearly clear, tinted or not."""
    base = colour(rng, darkest=0.45)
    clear = rng.choice([0.0, rng.uniform(0.2, 0.65)])
    return Finish(base=base, paint=base, gloss=0.06, sharpness=200, clear=clear)


def surface(rng: Random, *, busy: float) -> Finish:
    """A table top or a wall; `busy` in [0, 1] is the chance and strength of its pattern."""
    # A calm table is a light one, of little colour.
    base = colour(rng, darkest=0.85 - 0.7 * busy, vivid=rng.uniform(0.15, 0.3 + 0.7 * busy))
    other = contrasting(rng, base)
    # Full contrast would drown what stands on it.
    share = rng.uniform(0.15, 0.75) * busy
    paint = tuple(b + (o - b) * share for b, o in zip(base, other, strict=True))
    patterned = rng.random() < 1.6 * busy
    return Finish(
        base=base,
        paint=(paint[0], paint[1], paint[2]),
        pattern=rng.choice(SURFACE_PATTERNS) if patterned else "plain",
        period=rng.uniform(0.35, 1.4),
        angle=rng.uniform(0, math.pi),
        phase=rng.random(),
        mottle=rng.uniform(0, 0.2 + 0.4 * busy),
        gloss=rng.choice([0.0, 0.02, 0.05]),
        sharpness=rng.uniform(8, 40),
    )


@functools.cache
def noise_tile() -> Array:
    """Periodic noise in [-1, 1] with detail at every scale, the same on every call."""
    white = np.random.default_rng(20).standard_normal((TILE, TILE))
    frequency = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None])
    frequency[0, 0] = 1
    rough = np.fft.irfft2(np.fft.rfft2(white) / frequency**1.3, s=(TILE, TILE))
    rough -= rough.mean()
    return clamp(rough / (2.2 * rough.std()), -1, 1).astype(np.float32)


def sample(tile: NDArray[np.float32], u: Array, v: Array) -> Array:
    """Values of a periodic square tile at texel coordinates, which may lie anywhere."""
    side = tile.shape[0]
    # remap refuses more than 32,767 of anything in a row, so long lists are folded.
    fold = 1024
    count = u.size
    rows = -(-count // fold)
    columns, lines = np.zeros((2, rows * fold), np.float32)
    np.mod(u.ravel(), side, out=columns[:count])
    np.mod(v.ravel(), side, out=lines[:count])
    taken = cv2.remap(
        tile,
        columns.reshape(rows, fold),
        lines.reshape(rows, fold),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    flat = taken.reshape(rows * fold, *tile.shape[2:])[:count]
    return np.asarray(flat.reshape(*u.shape, *tile.shape[2:]), np.float32)


def _edge(inside: Array, footprint: Array) -> Array:
    """1 where `inside` is positive, 0 where negative, blended across one pixel's footprint."""
    return clamp(inside / footprint + 0.5, 0, 1)


def _saw(x: Array) -> Array:
    """The distance to the nearest whole number."""
    return np.abs(x - np.rint(x))


def _plain(u: Array, v: Array, footprint: Array) -> Array:
    return np.zeros_like(u)


def _stripes(u: Array, v: Array, footprint: Array) -> Array:
    return _edge(_saw(v) - 0.27, footprint)


def _checks(u: Array, v: Array, footprint: Array) -> Array:
    one, two = _edge(_saw(u) - 0.25, footprint), _edge(_saw(v) - 0.25, footprint)
    return one + two - 2 * one * two


def _dots(u: Array, v: Array, footprint: Array) -> Array:
    across, along = u - np.rint(u), v - np.rint(v)
    return _edge(0.3 - np.sqrt(across * across + along * along), footprint)


def _label(u: Array, v: Array, footprint: Array) -> Array:
    """A band with lines of writing, as on packages."""
    band = _edge(0.62 - np.abs(v), footprint)
    letters = sample(noise_tile(), u * 90, np.rint(v * 7) * 37)
    writing = _edge(0.22 - _saw(v * 3.5), footprint * 3.5) * (letters > -0.1) * (np.abs(v) < 0.45)
    return band * (1 - 0.8 * writing)


def _gradient(u: Array, v: Array, footprint: Array) -> Array:
    wave: Array = np.sin(v * 1.6)
    return 0.5 + 0.5 * wave


def _blotches(u: Array, v: Array, footprint: Array) -> Array:
    return clamp(0.5 + 2.5 * sample(noise_tile(), u * 24, v * 24), 0, 1)


def _wood(u: Array, v: Array, footprint: Array) -> Array:
    """Grain along u: rings bent by slow noise, and fine fibres."""
    bend = sample(noise_tile(), u * 5, v * 22)
    fibre = sample(noise_tile(), u * 12, v * 190)
    rings = 0.5 + 0.5 * np.sin((v * 2.2 + bend * 2.4) * (2 * math.pi))
    plank = 0.18 * np.sin(np.floor(v * 0.45) * 12.9)
    gap = _edge(0.012 - _saw(v * 0.45), footprint)
    return clamp(0.55 * rings + 0.3 * fibre + plank + gap, 0, 1)


def _cloth(u: Array, v: Array, footprint: Array) -> Array:
    """A woven check whose threads cross."""
    wide = _edge(_saw(u) - 0.3, footprint) + _edge(_saw(v) - 0.3, footprint)
    thread = np.sin(u * 75) * np.sin(v * 75) * clamp(1 - footprint * 24, 0, 1)
    return clamp(0.5 * wide + 0.18 * thread, 0, 1)


def _speckle(u: Array, v: Array, footprint: Array) -> Array:
    """Granite: small grains, which fade where they are finer than pixels."""
    grains = sample(noise_tile(), u * 130, v * 130) * clamp(1.2 - footprint * 10, 0.15, 1)
    return clamp(0.4 + 1.6 * grains, 0, 1)


def _tiles(u: Array, v: Array, footprint: Array) -> Array:
    """Square tiles with joints, each tile a little different."""
    joint = np.maximum(
        _edge(_saw(u + 0.5) * -1 + 0.04, footprint), _edge(_saw(v + 0.5) * -1 + 0.04, footprint)
    )
    shade = 0.25 + 0.25 * np.sin(np.floor(u + 0.5) * 12.9 + np.floor(v + 0.5) * 78.2)
    darker: Array = np.maximum(joint, shade)
    return darker


PATTERNS: dict[str, Callable[[Array, Array, Array], Array]] = {
    "plain": _plain,
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "label": _label,
    "gradient": _gradient,
    "blotches": _blotches,
    "wood": _wood,
    "cloth": _cloth,
    "speckle": _speckle,
    "tiles": _tiles,
}
OBJECT_PATTERNS = ("plain", "stripes", "checks", "dots", "label", "gradient", "blotches", "speckle")
OBJECT_WEIGHTS = (5.0, 2.0, 0.8, 1.0, 2.0, 1.0, 1.2, 0.8)
SURFACE_PATTERNS = (
    "wood",
    "wood",
    "cloth",
    "speckle",
    "tiles",
    "stripes",
    "checks",
    "blotches",
    "gradient",
)


def albedo(finish: Finish, u: Array, v: Array, footprint: Array) -> Array:
    """Linear RGB of a painted surface, 3×N, at lengths u and v; `footprint` is a pixel's length."""
    scale = 1 / finish.period
    cosine, sine = math.cos(finish.angle) * scale, math.sin(finish.angle) * scale
    across = u * cosine - v * sine + finish.phase
    along = u * sine + v * cosine + (0.0 if finish.pattern == "label" else finish.phase)
    share = PATTERNS[finish.pattern](across, along, np.maximum(footprint * scale, 1e-4))
    base, paint = (np.array(c, np.float32)[:, None] for c in (finish.base, finish.paint))
    painted = base + (paint - base) * share
    if finish.mottle:
        painted *= 1 + (0.45 * finish.mottle) * sample(noise_tile(), u * 40 + 31, v * 40 + 57)
    return painted
