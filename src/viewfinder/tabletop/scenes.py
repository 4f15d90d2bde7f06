"""Cluttered tables with boxes, masks and depth; or one salient subject among flat prints."""

import math
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from viewfinder.pictures.masks import box_around
from viewfinder.tabletop import backdrop, lens, lighting, props, rendering, shapes
from viewfinder.tabletop.backdrop import Print
from viewfinder.tabletop.camera import Camera, look
from viewfinder.tabletop.depth import DepthState, depth_state, faulty, normalised
from viewfinder.tabletop.example import Example
from viewfinder.tabletop.options import SceneOptions
from viewfinder.tabletop.rendering import Rendering
from viewfinder.tabletop.solids import Array, clamp
from viewfinder.tabletop.things import Thing, furnish

# An object with fewer visible pixels is left out of the truth, as a person would leave it out.
FEWEST_PIXELS = 16


def render_scene(*, seed: int, index: int, options: SceneOptions | None = None) -> Example:
    """The `index`-th scene: a function of these arguments and nothing else.

    The example holds the boxes of what is visible of each object, their classes, the instances
    and the depth; with `options.subject` it holds one instance and that object's label as well.
    The pictures do not depend on `unreliable_depth`, so that runs with and without it compare.
    """
    options = options or SceneOptions()
    result, labels, picture = _photographed(seed, index, options)
    depth = normalised(result.depth)
    given: Array | None = depth
    state = depth_state(seed=seed, index=index, share=options.unreliable_depth)
    if state is not DepthState.GOOD:
        rng = np.random.default_rng(Random(f"depth {seed} {index}").getrandbits(64))
        foreign = None
        if state is DepthState.FOREIGN:
            # Negative indices are never asked for by a user, so this scene is in no other place.
            foreign = normalised(_photographed(seed, -1 - index, options)[0].depth)
        given = faulty(depth, state, rng, foreign=foreign)
    # A subject is the truth however little of it shows.
    hidden, fewest = (1.0, 1) if options.subject else (options.hidden, FEWEST_PIXELS)
    instances, boxes, classes = _truth(result, labels, hidden, fewest)
    return Example(
        picture=picture,
        label=labels[0] if options.subject else None,
        boxes=boxes,
        box_classes=classes,
        instances=instances,
        depth=given,
    )


def class_weights(imbalance: float) -> list[float]:
    """How often each class is drawn; the first `imbalance` times as often as the last."""
    last = len(shapes.CLASSES) - 1
    return [imbalance ** (-k / last) for k in range(last + 1)]


def _photographed(
    seed: int, index: int, options: SceneOptions
) -> tuple[Rendering, list[int], NDArray[np.uint8]]:
    """A rendered scene, the label of each thing in it, and its picture."""
    rng = Random(f"scene {seed} {index}")
    arrange = _subject_scene if options.subject else _cluttered_scene
    things, camera, prints = arrange(rng, options)
    scene = backdrop.backdrop(rng, busy=options.clutter, prints=prints)
    light = lighting.light(rng, table=scene.table.base, variety=options.spoil)
    result = rendering.render(camera, scene, light, things, beyond=options.size // 2)
    through = lens.lens(rng, spoil=options.spoil, size=options.size)
    grain = np.random.default_rng(rng.getrandbits(64))
    return result, [t.label for t in things], lens.photograph(result.colour, through, grain)


def _cluttered_scene(
    rng: Random, options: SceneOptions
) -> tuple[list[Thing], Camera, Sequence[Print]]:
    count = rng.randint(*options.objects)
    labels = rng.choices(range(len(shapes.CLASSES)), class_weights(options.imbalance), k=count)
    builders = [(shapes.BUILDERS[label], label) for label in labels]
    extra = rng.randint(0, round(5 * options.clutter))
    builders += [(rng.choice(props.BUILDERS), -1) for _ in range(extra)]
    things = []
    for builder, label in builders:
        low, high = options.scale if label >= 0 else (0.3, 0.5)
        things.append(
            furnish(
                builder(rng),
                rng,
                label=label,
                size=rng.uniform(low, high),
                yaw=rng.uniform(-60, 60),
            )
        )
    things, half = _spread(rng, things)
    view = rng.uniform(28, 48)
    camera = look(
        target=(rng.uniform(-0.2, 0.2) * half, rng.uniform(-0.2, 0.2) * half, 0.35),
        distance=half * rng.uniform(1.05, 1.5) / math.tan(math.radians(view) / 2) + 0.5,
        elevation=rng.uniform(22, 58),
        azimuth=-90 + rng.uniform(-15, 15),
        roll=rng.gauss(0, 3),
        view=view,
        size=options.size,
    )
    prints = [_print(rng, half) for _ in range(rng.randint(0, round(4 * options.clutter)))]
    return things, camera, prints


def _spread(rng: Random, things: Sequence[Thing]) -> tuple[list[Thing], float]:
    """Things moved apart on a square of the table, and half that square's side."""
    reaches = [_footprint(thing) for thing in things]
    # Discs dropped at random fill about half of a square before it takes many tries.
    half = max(math.sqrt(sum(4 * r * r for r in reaches) / 0.55) / 2, 1.0)
    placed: list[Thing] = []
    taken: list[tuple[float, float, float]] = []
    for thing, reach in zip(things, reaches, strict=True):
        while True:
            x, y = rng.uniform(-half, half), rng.uniform(-half, half)
            if all(math.hypot(x - a, y - b) > reach + r for a, b, r in taken):
                break
            half *= 1.004
        taken.append((x, y, reach))
        position = np.array([x, y, thing.position[2]], np.float32)
        placed.append(replace(thing, position=position))
    return placed, half


def _footprint(thing: Thing) -> float:
    """The radius of the upright cylinder around a thing's origin."""
    apart = thing.hull[:, :2] - thing.position[:2]
    return float(np.sqrt((apart * apart).sum(axis=1).max()))


def _subject_scene(
    rng: Random, options: SceneOptions
) -> tuple[list[Thing], Camera, Sequence[Print]]:
    label = rng.choices(range(len(shapes.CLASSES)), class_weights(options.imbalance))[0]
    subject = furnish(
        shapes.BUILDERS[label](rng),
        rng,
        label=label,
        size=rng.uniform(*options.scale) + 0.15,
        yaw=rng.uniform(-60, 60),
    )
    camera = look(
        target=(rng.uniform(-0.5, 0.5), rng.uniform(-0.3, 0.5), rng.uniform(0.2, 0.7)),
        distance=rng.uniform(3.6, 5.6),
        elevation=rng.uniform(16, 50),
        azimuth=-90 + rng.uniform(-15, 15),
        roll=rng.gauss(0, 3),
        view=rng.uniform(30, 42),
        size=options.size,
    )
    count = rng.randint(round(4 * options.clutter), round(12 * options.clutter))
    prints = [_print(rng, 1.6, photo=rng.random() < 0.6) for _ in range(count)]
    return [subject], camera, prints


def _print(rng: Random, half: float, *, photo: bool = False) -> Print:
    """A sheet somewhere on a table of half side `half` or on the wall behind it."""
    on_wall = rng.random() < 0.4
    height = rng.uniform(0.5, 2.0) if on_wall else rng.uniform(-half, half)
    return Print(
        image=_photo(rng) if photo else backdrop.flat_shapes(rng),
        on_wall=on_wall,
        middle=(rng.uniform(-half, half), height),
        half=rng.uniform(0.4, 1.0),
        angle=rng.gauss(0, 0.3) if on_wall else rng.uniform(0, 2 * math.pi),
    )


def _photo(rng: Random) -> Array:
    """A picture of an object, cut out: colour alone cannot tell it from the thing; depth can."""
    side = 96
    label = rng.randrange(len(shapes.CLASSES))
    thing = furnish(
        shapes.BUILDERS[label](rng), rng, label=label, size=0.9, yaw=rng.uniform(-60, 60)
    )
    camera = look(
        target=(0.0, 0.0, float(thing.hull[:, 2].max()) / 2),
        distance=6.0,
        elevation=rng.uniform(15, 50),
        azimuth=-90.0,
        roll=0.0,
        view=20.0,
        size=side,
    )
    empty = backdrop.backdrop(rng, busy=0.0)
    light = lighting.light(rng, table=empty.table.base, variety=0.3)
    result = rendering.render(camera, empty, light, [thing])
    opacity = (result.owner > 0).astype(np.float32)[..., None]
    cut = np.concatenate([clamp(result.colour, 0, 1) * opacity, opacity], axis=2)
    return np.asarray(cv2.GaussianBlur(cut, (0, 0), 0.7), np.float32)


def _truth(
    result: Rendering, labels: Sequence[int], hidden: float, fewest: int
) -> tuple[NDArray[np.uint16], Array, NDArray[np.int64]]:
    """Instances, boxes and classes of the objects that are visible enough."""
    counts = np.bincount(result.owner.ravel(), minlength=len(labels) + 1)[1:]
    instances = np.zeros_like(result.owner)
    boxes, classes = [], []
    for i, (label, seen, whole) in enumerate(zip(labels, counts, result.whole, strict=True)):
        if label < 0 or seen < fewest or seen < (1 - hidden) * whole:
            continue
        mask = result.owner == i + 1
        boxes.append(box_around(mask))
        classes.append(label)
        instances[mask] = len(classes)
    return (
        instances,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(classes, np.int64),
    )
