"""Pictures of one object each, for classification."""

from random import Random

import numpy as np

from viewfinder.errors import InputError
from viewfinder.tabletop import backdrop, lens, lighting, props, rendering, shapes
from viewfinder.tabletop.camera import Camera, look
from viewfinder.tabletop.example import Example
from viewfinder.tabletop.options import ClassOptions
from viewfinder.tabletop.things import Thing, furnish


def render_class_picture(
    label: int, *, seed: int, index: int, options: ClassOptions | None = None
) -> Example:
    """The `index`-th picture of class `label`: a function of these arguments and nothing else.

    Raises:
        InputError: `label` is not the index of a class.
    """
    options = options or ClassOptions()
    check_label(label)
    rng = Random(f"class picture {seed} {label} {index}")
    subject = furnish(
        shapes.BUILDERS[label](rng),
        rng,
        label=label,
        size=0.7,
        yaw=rng.uniform(-1, 1) * (15 + 45 * options.variety),
        variety=options.variety,
    )
    camera = _camera(rng, subject, options)
    scene = backdrop.backdrop(rng, busy=options.clutter)
    light = lighting.light(rng, table=scene.table.base, variety=options.spoil)
    things = [subject, *_bystanders(rng, options.clutter)]
    result = rendering.render(camera, scene, light, things)
    through = lens.lens(rng, spoil=options.spoil, size=options.size)
    grain = np.random.default_rng(rng.getrandbits(64))
    return Example(picture=lens.photograph(result.colour, through, grain), label=label)


def check_label(label: int) -> None:
    """Raise InputError unless `label` is the index of a class."""
    if not 0 <= label < len(shapes.CLASSES):
        raise InputError(f"there is no class {label}: give 0 to {len(shapes.CLASSES) - 1}")


def _camera(rng: Random, subject: Thing, options: ClassOptions) -> Camera:
    """A camera that sees the subject at the wanted size, not quite in the middle."""
    hull = subject.hull
    middle = (hull.min(axis=0) + hull.max(axis=0)) / 2
    variety = options.variety
    # Above 0.9 of the picture, its edge may cut the object off.
    fill = rng.uniform(0.85 - 0.35 * variety, 0.9 + 0.15 * variety)
    view, shift = rng.uniform(18, 38), 0.16 * variety * options.size

    def at(distance: float) -> Camera:
        return look(
            target=(float(middle[0]), float(middle[1]), float(middle[2])),
            distance=distance,
            elevation=elevation,
            azimuth=azimuth,
            roll=roll,
            view=view,
            size=options.size,
            shift=moved,
        )

    elevation = 35 + rng.uniform(-1, 1) * (5 + 22 * variety)
    azimuth, roll = -90 + rng.uniform(-12, 12), rng.gauss(0, 5) * variety
    moved = (rng.uniform(-shift, shift), rng.uniform(-shift, shift))
    # Seen from ten units away, perspective is nearly even; one division by the size it gives there
    # brings the camera to where the subject fills its share.
    pixels, _ = at(10.0).project(hull)
    span = float((pixels.max(axis=0) - pixels.min(axis=0)).max()) / options.size
    return at(max(10.0 * span / fill, 1.6))


def _bystanders(rng: Random, clutter: float) -> list[Thing]:
    """Props beside, behind or, less often, in front of the subject."""
    count = sum(rng.random() < clutter * 0.7 for _ in range(2))
    things = []
    for _ in range(count):
        in_front = rng.random() < 0.4
        across = rng.choice([-1, 1]) * rng.uniform(0.35 if in_front else 0.85, 1.2)
        along = -rng.uniform(0.85, 1.1) if in_front else rng.uniform(-0.2, 1.2)
        things.append(
            furnish(
                rng.choice(props.BUILDERS)(rng),
                rng,
                label=-1,
                size=rng.uniform(0.25, 0.5),
                spot=(across, along),
                yaw=rng.uniform(0, 360),
            )
        )
    return things
