"""Scenes of cut-outs on backgrounds, with the boxes and masks of what stays visible.

After Dwibedi, Misra, Hebert: Cut, Paste and Learn (ICCV 2017, arXiv:1708.01642): what counts is
that the edges of what was pasted tell nothing, not that the scene makes sense as a whole.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewfinder.composing import lighting
from viewfinder.composing.composition import Composition
from viewfinder.composing.cutouts import CutOut
from viewfinder.composing.lighting import SceneLight
from viewfinder.composing.shelf import Shelf, shelve
from viewfinder.errors import InputError
from viewfinder.pictures.geometry import (
    BoxArray,
    Matrix,
    horizontal_flip,
    rotation,
    scaling,
    transform_points,
    translation,
)
from viewfinder.pictures.masks import box_around
from viewfinder.pictures.resampling import resample

# An object with fewer visible pixels is left out, as a person would not label it.
_FEWEST_PIXELS = 16
# A pixel of a cut-out that is more opaque than this belongs to the object.
_OPAQUE = 127
# How often another place is tried for an object before it is left out.
_TRIES = 10
# Enlarged further, an object is too blurred to be believed.
_MOST_ENLARGED = 2.0
# How much of a background's size a scene may leave out, as a factor on the scale.
_ZOOM = 1.6

Scene = tuple[NDArray[np.uint8], BoxArray, NDArray[np.int64], NDArray[np.bool_]]


def compose_scene(
    cutouts: Sequence[CutOut] | Shelf,
    backgrounds: Sequence[NDArray[np.uint8]],
    settings: Composition,
    size: tuple[int, int],
    generator: np.random.Generator,
) -> Scene:
    """A scene that is a function of its arguments and the generator's state, and nothing else.

    Args:
        cutouts: classes appear equally often, however many cut-outs each has.
        backgrounds: H×W×3 each, of any size.
        size: width and height of the scene.

    Returns:
        The picture, H×W×3; K boxes around what is visible, K×4, and their K labels, those in front
        first; and what is visible of each, K×H×W, of which no two share a pixel.

    Raises:
        InputError: no cut-outs, no backgrounds, or a size that no picture has.
    """
    shelf = cutouts if isinstance(cutouts, Shelf) else shelve(cutouts)
    if not backgrounds:
        raise InputError("there are no backgrounds to put objects on: give at least one picture")
    check_size(size)
    ground, zoom = _background(backgrounds, size, generator)
    placed = _placed(shelf, settings, size, generator)
    light = lighting.draw_light(ground, settings.light, settings.shadow, generator)
    canvas = ground.astype(np.float32)
    # What was enlarged with the background is as blurred on the objects.
    softness = 0.45 * math.sqrt(max(zoom * zoom - 1, 0))
    for thing in reversed(placed):
        blur = math.hypot(softness, generator.uniform(0, settings.blur))
        _paint(canvas, thing, light, blur, settings.light, generator)
    picture = lighting.exposed(canvas, light, generator.uniform(0, settings.noise), generator)
    masks = np.array([thing.visible for thing in placed], np.bool_)
    return (
        picture,
        np.array([box_around(mask) for mask in masks], np.float32).reshape(-1, 4),
        np.array([thing.label for thing in placed], np.int64),
        masks.reshape(-1, size[1], size[0]),
    )


def check_size(size: tuple[int, int]) -> None:
    """Refuse sizes that no scene has.

    Raises:
        InputError: a side is too short to show anything, or too long for one picture.
    """
    if min(size) < 16 or max(size) > 8192:
        raise InputError(f"a scene has from 16 to 8192 pixels a side, not {size[0]} × {size[1]}")


@dataclass(frozen=True, eq=False)
class _Placed:
    """An object in its final size, its upper left corner, and what is seen of it."""

    picture: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    label: int
    corner: tuple[int, int]
    visible: NDArray[np.bool_]


def _background(
    backgrounds: Sequence[NDArray[np.uint8]], size: tuple[int, int], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], float]:
    """A part of a background that fills the frame, and how much it was enlarged."""
    picture = backgrounds[int(rng.integers(len(backgrounds)))]
    height, width = picture.shape[:2]
    least = max(size[0] / width, size[1] / height)
    # As much zoom as costs no sharpness, if there is any such.
    scale = least * rng.uniform(1, max(1.0, min(_ZOOM, 1 / least)))
    matrix = scaling(scale)
    if rng.random() < 0.5:
        matrix = matrix @ horizontal_flip(width)
    spare = width * scale - size[0], height * scale - size[1]
    matrix = translation(-rng.uniform(0, 1) * spare[0], -rng.uniform(0, 1) * spare[1]) @ matrix
    return _filled(picture, matrix, size), scale


def _filled(picture: NDArray[np.uint8], matrix: Matrix, size: tuple[int, int]) -> NDArray[np.uint8]:
    # A centre on the very edge may be rounded to the outside: grey then, not black.
    return np.asarray(resample(picture, matrix, size, fill=114), np.uint8)


def _placed(
    shelf: Shelf, settings: Composition, size: tuple[int, int], rng: np.random.Generator
) -> list[_Placed]:
    """Objects with their places, those in front first."""
    count = int(rng.integers(settings.objects[0], settings.objects[1] + 1))
    # Who stands lower in a picture stands nearer, before those who stand higher.
    depths = np.sort(rng.uniform(0, 1, count))[::-1]
    taken = np.zeros((size[1], size[0]), np.bool_)
    placed: list[_Placed] = []
    for cutout, depth in zip(shelf.draw(count, rng), depths.tolist(), strict=True):
        picture, alpha = _turned(cutout, settings, size, rng)
        thing = _find_place(picture, alpha, cutout.label, depth, taken, settings, rng)
        if thing is not None:
            taken |= thing.visible
            placed.append(thing)
    return placed


def _turned(
    cutout: CutOut, settings: Composition, size: tuple[int, int], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A cut-out at a random scale and turn: its picture and alpha."""
    low, high = settings.scale
    side = min(size) * low * (high / low) ** rng.uniform()
    scale = min(side / max(cutout.size), _MOST_ENLARGED)
    matrix = scaling(scale)
    if rng.random() < settings.mirror:
        matrix = matrix @ horizontal_flip(cutout.size[0])
    matrix = rotation(rng.uniform(-settings.turn, settings.turn)) @ matrix
    width, height = cutout.size
    corners = transform_points(matrix, [(0, 0), (width, 0), (0, height), (width, height)])
    low_corner, high_corner = corners.min(axis=0), corners.max(axis=0)
    target = (
        max(1, math.ceil(high_corner[0] - low_corner[0])),
        max(1, math.ceil(high_corner[1] - low_corner[1])),
    )
    matrix = translation(-low_corner[0], -low_corner[1]) @ matrix
    picture, alpha = (
        resample(cutout.picture, matrix, target),
        resample(cutout.alpha, matrix, target),
    )
    return np.asarray(picture, np.uint8), np.asarray(alpha, np.uint8)


def _find_place(
    picture: NDArray[np.uint8],
    alpha: NDArray[np.uint8],
    label: int,
    depth: float,
    taken: NDArray[np.bool_],
    settings: Composition,
    rng: np.random.Generator,
) -> _Placed | None:
    """The object where enough of it is seen, behind what is there already, or None."""
    solid = alpha > _OPAQUE
    whole = int(solid.sum())
    for attempt in range(_TRIES):
        x = _along(rng.uniform(), taken.shape[1], alpha.shape[1], settings.hidden)
        # Later tries leave the depth that was drawn, rather than to leave out the object.
        share = depth if attempt < _TRIES // 2 else rng.uniform()
        y = _along(share, taken.shape[0], alpha.shape[0], settings.hidden)
        rows, columns, inside = _window(taken.shape, alpha.shape, (x, y))
        shown = solid[inside] & ~taken[rows, columns]
        seen = int(shown.sum())
        covered = int(solid[inside].sum()) - seen
        fits = covered <= settings.overlap * whole and whole - seen <= settings.hidden * whole
        if fits and seen >= _FEWEST_PIXELS:
            visible = np.zeros_like(taken)
            visible[rows, columns] = shown
            return _Placed(picture, alpha, label, (x, y), visible)
    return None


def _along(share: float, frame: int, extent: int, hidden: float) -> int:
    """Where along a side of the frame an object begins; it may lie beyond the edge in part."""
    beyond = hidden / 2
    low, high = -beyond * extent, frame - (1 - beyond) * extent
    return round(low + share * (high - low))


def _window(
    frame: tuple[int, ...], patch: tuple[int, ...], corner: tuple[int, int]
) -> tuple[slice, slice, tuple[slice, slice]]:
    """Rows and columns of a frame that a patch covers, and which of the patch these are."""
    x, y = corner
    top, bottom = max(y, 0), min(y + patch[0], frame[0])
    left, right = max(x, 0), min(x + patch[1], frame[1])
    bottom, right = max(bottom, top), max(right, left)
    inside = slice(top - y, bottom - y), slice(left - x, right - x)
    return slice(top, bottom), slice(left, right), inside


def _paint(
    canvas: NDArray[np.float32],
    thing: _Placed,
    light: SceneLight,
    blur: float,
    variety: float,
    rng: np.random.Generator,
) -> None:
    """Put an object upon the canvas, its shadow first."""
    lighting.darken(canvas, thing.alpha, thing.corner, light)
    colours = lighting.lit(thing.picture, light, variety, rng)
    alpha = thing.alpha
    if blur > 0.2:
        colours, alpha = lighting.blurred(colours, blur), lighting.blurred(alpha, blur)
    rows, columns, inside = _window(canvas.shape, alpha.shape, thing.corner)
    under = canvas[rows, columns]
    opacity = alpha[inside].astype(np.float32)[..., None] * np.float32(1 / 255)
    under += (colours[inside] - under) * opacity
