"""Rendered clips of things that move, with the truth of each frame: a conveyor and a turntable."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.masks import box_around
from viewfinder.tabletop import backdrop, lens, lighting, rendering, shape, shapes
from viewfinder.tabletop.camera import Camera, look
from viewfinder.tabletop.things import Thing, furnish

# A thing of which fewer pixels, or less of its whole, is seen has no truth, as a person would have
# it who draws the boxes.
_FEWEST, _LEAST_SEEN = 16, 0.2


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a clip.

    Attributes:
        picture: H×W×3 uint8 RGB.
        boxes: K×4 around what is seen of each thing, in pixels.
        things: K numbers, the same for a thing in every frame.
        labels: K class indices of `tabletop.shapes.CLASSES`.
    """

    picture: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    things: NDArray[np.int64]
    labels: NDArray[np.int64]


def conveyor(*, seed: int, frames: int, size: int = 128, count: int = 10) -> list[Frame]:
    """Things that ride from left to right, on two belts of which the nearer is the faster.

    Those on the nearer belt overtake the others and hide them for a while.
    """
    rng = Random(f"conveyor {seed}")
    things, starts, speeds = [], [], []
    for number in range(count):
        near = number % 2
        things.append(_thing(rng, -0.45 if near else 0.45, rng.uniform(0.28, 0.4)))
        starts.append(2.4 - 1.25 * (number // 2) * (1.6 if near else 1) + rng.uniform(-0.1, 0.1))
        speeds.append(0.16 if near else 0.1)
    camera = _camera(size, distance=6.5, elevation=24)

    def at(frame: int) -> list[Thing]:
        return [
            _moved(thing, (start - 3.6 + speed * frame, 0.0))
            for thing, start, speed in zip(things, starts, speeds, strict=True)
        ]

    return _film(rng, camera, at, frames)


def turntable(*, seed: int, frames: int, size: int = 128, count: int = 4) -> list[Frame]:
    """Things on a stand that turns once around: they hide one another, and come back."""
    rng = Random(f"turntable {seed}")
    things = []
    for number in range(count):
        thing = _thing(rng, 0.0, rng.uniform(0.28, 0.38))
        turn = 2 * math.pi * number / count
        things.append(_moved(thing, (0.95 * math.cos(turn), 0.95 * math.sin(turn))))
    camera = _camera(size, distance=5.5, elevation=26)

    def at(frame: int) -> list[Thing]:
        turn = shape.turned(360 * frame / frames)
        return [
            replace(thing, turn=turn @ thing.turn, position=turn @ thing.position)
            for thing in things
        ]

    return _film(rng, camera, at, frames)


def _thing(rng: Random, away: float, size: float) -> Thing:
    label = rng.randrange(len(shapes.CLASSES))
    shaped = shapes.BUILDERS[label](rng)
    return furnish(shaped, rng, label=label, size=size, yaw=rng.uniform(0, 360), spot=(0.0, away))


def _moved(thing: Thing, way: tuple[float, float]) -> Thing:
    return replace(thing, position=thing.position + np.array([*way, 0], np.float32))


def _camera(size: int, *, distance: float, elevation: float) -> Camera:
    return look(
        target=(0.0, 0.0, 0.2),
        distance=distance,
        elevation=elevation,
        azimuth=-90.0,
        roll=0.0,
        view=34.0,
        size=size,
    )


def _film(
    rng: Random, camera: Camera, at: Callable[[int], Sequence[Thing]], frames: int
) -> list[Frame]:
    scene = backdrop.backdrop(rng, busy=0.3)
    light = lighting.light(rng, table=scene.table.base, variety=0.3)
    through = lens.Lens(exposure=1.0, vignette=0.1, defocus=0.4 * camera.size / 256, noise=2.0)
    return [_frame(rng, camera, scene, light, through, at(number)) for number in range(frames)]


def _frame(
    rng: Random,
    camera: Camera,
    scene: backdrop.Backdrop,
    light: lighting.Light,
    through: lens.Lens,
    things: Sequence[Thing],
) -> Frame:
    result = rendering.render(camera, scene, light, things, beyond=camera.size // 4)
    grain = np.random.default_rng(rng.getrandbits(64))
    boxes, numbers = [], []
    for number, whole in enumerate(result.whole):
        mask = result.owner == number + 1
        if mask.sum() >= max(_FEWEST, _LEAST_SEEN * whole):
            boxes.append(box_around(mask))
            numbers.append(number)
    return Frame(
        lens.photograph(result.colour, through, grain),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(numbers, np.int64),
        np.array([things[number].label for number in numbers], np.int64),
    )
