"""What is drawn at random for a detector's training: one matrix a picture, and one of colours.

Nothing here looks at a pixel: a `Plan` says what to make, and `making.py` makes it.
"""

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.geometry import Matrix, Size, rotation, scaling, translation
from viewfinder.pictures.masks import Area
from viewfinder.pictures.warping import moved_boxes
from viewfinder.tasks.detect.augmentation.pasting import Paste
from viewfinder.tasks.detect.examples.opening import BoxExamples
from viewfinder.tasks.detect.recipe import DetectRecipe

# Where the four pictures of a mosaic may meet, as shares of the sides.
_MEETING = (0.25, 0.75)
# Objects pasted into one picture, at most, and the share of the frame's sides they may take.
_MOST_PASTED = 3
_LARGEST_PASTED = 0.5
# Red, green and blue in a picture's grey (ITU-R BT.601).
_GREY = np.array([0.299, 0.587, 0.114])
# A quarter turn of the colours about grey.
_QUARTER_TURN = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)


@dataclass(frozen=True)
class BoxAugmentation:
    """How far each random change may go; 0 switches it off.

    Attributes:
        scale: largest zoom, as a share: 0.4 zooms by a factor from 1/1.4 to 1.4. Where it zooms in,
            any part of the picture may be seen; where it zooms out, it may lie anywhere.
        aspect: largest stretch of the width against the height, as a share.
        shift: largest shift, as a share of the frame's side.
        turn: largest rotation, in degrees.
        flip: share of the pictures that are mirrored left to right.
        flip_vertical: share of the pictures that are mirrored top to bottom.
        hue: largest turn of the colours, as a share of the whole circle.
        saturation: largest change of saturation, as a share: 0.4 is a factor from 1/1.4 to 1.4.
        value: largest change of brightness, as a share, likewise.
        mosaic: share of the pictures that are put together from four, the other three drawn from
            the whole set, each at half its size or more and cut to its quarter.
        copy_paste: share of the pictures into which up to three objects of others are pasted.
    """

    scale: float = 0.0
    aspect: float = 0.0
    shift: float = 0.0
    turn: float = 0.0
    flip: float = 0.0
    flip_vertical: float = 0.0
    hue: float = 0.0
    saturation: float = 0.0
    value: float = 0.0
    mosaic: float = 0.0
    copy_paste: float = 0.0


@dataclass(frozen=True, eq=False)
class Step:
    """What all pictures of a training's step have in common.

    Attributes:
        frame: width and height of what is made.
        pasted: the probability that a pasted object is of a class or of one before it; what has no
            objects has none. None where there is nothing to paste.
    """

    examples: BoxExamples
    augmentation: BoxAugmentation
    frame: Size
    pasted: NDArray[np.float64] | None


def plan_step(
    examples: BoxExamples,
    augmentation: BoxAugmentation,
    frame: Size,
    *,
    likely: NDArray[np.float64] | None = None,
) -> Step:
    """A step of these examples.

    Args:
        likely: for each class how probable it is that a pasted object has it; by default every
            class that has objects is as likely as the others, however rare.
    """
    there = np.array([len(rows) > 0 for rows in examples.rows_by_class], np.float64)
    up_to = np.cumsum(there if likely is None else there * likely)
    pasted = up_to / up_to[-1] if len(up_to) and up_to[-1] > 0 else None
    return Step(examples, augmentation, frame, pasted)


@dataclass(frozen=True, eq=False)
class PlacedView:
    """A kept picture, seen through a matrix within an area of the frame."""

    picture: int
    matrix: Matrix
    area: Area


@dataclass(frozen=True, eq=False)
class Plan:
    """One picture of a batch, drawn but not yet made; colours are a 3×3 matrix."""

    views: list[PlacedView]
    pastes: list[Paste]
    colours: NDArray[np.float64] | None

    def pictures(self) -> set[int]:
        """The numbers of all pictures that are needed for it."""
        return {view.picture for view in self.views} | {paste.picture for paste in self.pastes}


def draw(step: Step, number: int, random: np.random.Generator) -> Plan:
    """Draw what becomes of one picture."""
    augmentation = step.augmentation
    if random.random() < augmentation.mosaic:
        views = _draw_mosaic(step, number, random)
    else:
        views = [PlacedView(number, _draw_whole(step, number, random), (0, 0, *step.frame))]
    pastes = []
    if step.pasted is not None and random.random() < augmentation.copy_paste:
        count = random.integers(1, _MOST_PASTED, endpoint=True)
        pastes = [_draw_paste(step, step.pasted, random) for _ in range(count)]
    return Plan(views, pastes, _draw_colours(augmentation, random))


def _draw_mosaic(step: Step, number: int, random: np.random.Generator) -> list[PlacedView]:
    """Four pictures that meet in a point, the one that is asked for in any of the quarters."""
    width, height = step.frame
    x, y = (round(side * random.uniform(*_MEETING)) for side in step.frame)
    areas = [(0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)]
    others = random.integers(len(step.examples), size=3)
    pictures = random.permutation([number, *others]).tolist()
    return [
        PlacedView(chosen, _draw_quarter(step, chosen, area, random), area)
        for chosen, area in zip(pictures, areas, strict=True)
    ]


def _draw_whole(step: Step, picture: int, random: np.random.Generator) -> Matrix:
    """The matrix of a picture that has the frame to itself: first letterboxed, then changed."""
    fitted, middle, sides = step.examples.shown(picture, step.frame, random)
    change, zoom = _draw_change(step.augmentation, random)
    reach = step.augmentation.shift * np.array(step.frame) + np.abs(zoom - 1) * sides / 2
    return _about(middle, middle + reach * random.uniform(-1, 1, 2), change) @ fitted


def _draw_quarter(step: Step, picture: int, area: Area, random: np.random.Generator) -> Matrix:
    """The matrix of a picture in a mosaic, at half its size or more.

    It fills its quarter, unless it would have to be larger for that than it is alone.
    """
    fitted, middle, sides = step.examples.shown(picture, step.frame, random)
    change, zoom = _draw_change(step.augmentation, random)
    x1, y1, x2, y2 = area
    quarter = np.array([x2 - x1, y2 - y1])
    filling = min((quarter / (sides * zoom)).max(), max(1, (1 / zoom).max()))
    smaller = max(2.0 ** -random.random(), float(filling))
    reach = np.abs(sides * zoom * smaller - quarter) / 2
    place = np.array([x1 + x2, y1 + y2]) / 2 + reach * random.uniform(-1, 1, 2)
    return _about(middle, place, change @ scaling(smaller)) @ fitted


def _draw_paste(step: Step, pasted: NDArray[np.float64], random: np.random.Generator) -> Paste:
    """An object, as large as its picture would show it, somewhere within the frame."""
    examples, frame = step.examples, step.frame
    rows = examples.rows_by_class[np.searchsorted(pasted, random.random(), side="right")]
    row = int(rows[random.integers(len(rows))])
    picture = examples.picture_of(row)
    change, _ = _draw_change(step.augmentation, random)
    change = change @ examples.letterbox(picture, frame)
    x1, y1, x2, y2 = moved_boxes(change, examples.corners[row : row + 1])[0]
    sides = np.array([x2 - x1, y2 - y1])
    smaller = min(1.0, float((_LARGEST_PASTED * np.array(frame) / sides).min()))
    place = smaller * sides / 2 + random.random(2) * (frame - smaller * sides)
    middle = np.array([x1 + x2, y1 + y2]) / 2
    return Paste(row, picture, _about(middle, place, scaling(smaller)) @ change)


def _draw_change(
    augmentation: BoxAugmentation, random: np.random.Generator
) -> tuple[Matrix, NDArray[np.float64]]:
    """Turn, zoom, stretch and flips about (0, 0), and the zooms along x and y alone."""
    zoom = _draw_factor(augmentation.scale, random)
    stretch = math.sqrt(_draw_factor(augmentation.aspect, random))
    angle = random.uniform(-1, 1) * augmentation.turn
    mirrored, upended = random.random(2) < (augmentation.flip, augmentation.flip_vertical)
    x, y = zoom * stretch, zoom / stretch
    return rotation(angle) @ scaling(-x if mirrored else x, -y if upended else y), np.array([x, y])


def _draw_factor(share: float, random: np.random.Generator) -> float:
    """A factor between 1 / (1 + share) and 1 + share, as often above 1 as below."""
    return math.exp(random.uniform(-1, 1) * math.log1p(share))


def _draw_colours(
    augmentation: BoxAugmentation, random: np.random.Generator
) -> NDArray[np.float64] | None:
    """A 3×3 matrix that turns hues about grey, and scales saturation and brightness.

    With w the weights of grey, L = 1·wᵀ takes a colour to its grey and P = I − L to what is left.
    P·Q, for a quarter turn Q about (1, 1, 1), squares to −P: it turns what is left by 90° and its
    grey stays 0. So value · (L + saturation · (cos·P + sin·P·Q)) keeps greys grey, and as bright.
    """
    if not (augmentation.hue or augmentation.saturation or augmentation.value):
        return None
    angle = random.uniform(-1, 1) * augmentation.hue * 2 * math.pi
    saturation = _draw_factor(augmentation.saturation, random)
    value = _draw_factor(augmentation.value, random)
    grey = np.tile(_GREY, (3, 1))
    rest = np.eye(3) - grey
    turned = math.cos(angle) * rest + math.sin(angle) * rest @ _QUARTER_TURN
    return np.asarray(value * (grey + saturation * turned))


def _about(source: NDArray[np.float64], target: NDArray[np.float64], change: Matrix) -> Matrix:
    """A change about (0, 0), made about a point that it takes to another."""
    return translation(*target) @ change @ translation(*-source)


def augmentation(recipe: DetectRecipe, *, mosaic: bool) -> BoxAugmentation:
    """The recipe's augmentation, with or without mosaics."""
    share = {field.name: getattr(recipe, field.name) for field in fields(BoxAugmentation)}
    return BoxAugmentation(**share | {"mosaic": recipe.mosaic if mosaic else 0.0})
