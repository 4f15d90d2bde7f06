"""One object turning on a stand before a fixed camera, and the picture of the empty stand."""

import math
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from viewfinder.errors import InputError
from viewfinder.pictures.masks import box_around
from viewfinder.tabletop import (
    backdrop,
    lens,
    lighting,
    materials,
    rendering,
    shape,
    shapes,
    single,
    solids,
)
from viewfinder.tabletop.camera import look
from viewfinder.tabletop.options import TurntableOptions
from viewfinder.tabletop.solids import Array
from viewfinder.tabletop.things import Thing, furnish

# The stand's radius and half its height, in world units of about ten centimetres.
STAND = (1.15, 0.07)


@dataclass(frozen=True, eq=False)
class Turntable:
    """A turn of one object, as a video would show it.

    Attributes:
        label: index of the object's class.
        empty: H×W×3 uint8 RGB; the stand without the object.
        frames: N×H×W×3 uint8 RGB.
        angles: N degrees that the stand has turned.
        masks: N×H×W bool; the visible object.
        boxes: N×4 float32, `x1, y1, x2, y2` in pixels, around the masks.
    """

    label: int
    empty: NDArray[np.uint8]
    frames: NDArray[np.uint8]
    angles: NDArray[np.float64]
    masks: NDArray[np.bool_]
    boxes: Array


def render_turntable(
    label: int, *, seed: int, frames: int = 72, options: TurntableOptions | None = None
) -> Turntable:
    """An object of class `label` turned once around in `frames` even steps.

    Raises:
        InputError: `label` is not the index of a class, or there are no frames.
    """
    options = options or TurntableOptions()
    single.check_label(label)
    if frames < 1:
        raise InputError(f"a turntable needs at least one frame, not {frames}")
    rng = Random(f"turntable {seed} {label}")
    subject, stand = _subject(rng, label, options), _stand(rng)
    scene = backdrop.backdrop(rng, busy=0.4)
    light = lighting.light(rng, table=scene.table.base, variety=0.3, shadow=options.shadow)
    elevation, view = rng.uniform(*options.elevation), rng.uniform(26, 32)
    vignette, phase = rng.uniform(0, 0.2), rng.uniform(0, 2 * math.pi)

    def shot(things: list[Thing], moment: float) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """The picture at a share `moment` of the turn, and where the subject is seen."""
        camera = look(
            target=(0.0, 0.0, 0.5),
            distance=1.7 / math.tan(math.radians(view) / 2),
            elevation=elevation,
            azimuth=-90.0,
            roll=0.0,
            view=view,
            size=options.size,
            shift=(
                rng.uniform(-options.shake, options.shake),
                rng.uniform(-options.shake, options.shake),
            ),
        )
        result = rendering.render(camera, scene, light, things)
        through = lens.Lens(
            exposure=math.exp(options.drift * math.sin(2 * math.pi * moment + phase)),
            vignette=vignette,
            defocus=0.4 * options.size / 256,
            noise=options.noise,
        )
        grain = np.random.default_rng(rng.getrandbits(64))
        return lens.photograph(result.colour, through, grain), result.owner == 2

    empty, _ = shot([stand], 0.0)
    moments = [k / frames for k in range(frames)]
    shots = [shot([stand, _turned(subject, 360 * m)], m) for m in moments]
    masks = np.stack([mask for _, mask in shots])
    return Turntable(
        label=label,
        empty=empty,
        frames=np.stack([picture for picture, _ in shots]),
        angles=np.arange(frames) * 360.0 / frames,
        masks=masks,
        boxes=np.array([box_around(mask) for mask in masks], np.float32),
    )


def _subject(rng: Random, label: int, options: TurntableOptions) -> Thing:
    """The object at angle 0, its middle above the stand's."""
    thing = furnish(
        shapes.BUILDERS[label](rng),
        rng,
        label=label,
        size=options.scale,
        yaw=rng.uniform(0, 360),
    )
    hull = thing.hull
    middle = (hull.min(axis=0) + hull.max(axis=0)) / 2
    position = thing.position - np.array([middle[0], middle[1], -2 * STAND[1]], np.float32)
    return replace(thing, position=position)


def _stand(rng: Random) -> Thing:
    """A plain round stand, which looks the same at every angle."""
    size, half = STAND
    disc = shape.Shape(
        distance=lambda x, y, z: solids.cylinder(solids.radius(x, y), z, size, half, 0.02),
        parts=shape.one_part,
        wrap=lambda x, y, z: (x, y),
        hull=shape.circles([(-half, size), (half, size)]),
        rests=((shape.UPRIGHT, 1.0),),
        convex=True,
    )
    paint = materials.plain(rng)
    position = np.array([0, 0, half], np.float32)
    return Thing(disc, (paint, paint, paint), shape.UPRIGHT, position, 1.0, -1)


def _turned(thing: Thing, angle: float) -> Thing:
    """The thing after the stand beneath it has turned by `angle` degrees."""
    turn = shape.turned(angle)
    return replace(thing, turn=turn @ thing.turn, position=turn @ thing.position)
