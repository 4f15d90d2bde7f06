"""Places to put objects: a person's own pictures of places without them, or empty tables."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.splits import TRAIN
from viewfinder.errors import InputError
from viewfinder.events import note, track
from viewfinder.pictures.finding import pictures_below
from viewfinder.pictures.geometry import scaling
from viewfinder.pictures.reading import read_picture
from viewfinder.pictures.resampling import resample
from viewfinder.reading import read_bytes
from viewfinder.tabletop import backdrop, lens, lighting, props, rendering
from viewfinder.tabletop.camera import look
from viewfinder.tabletop.parallel import in_parallel
from viewfinder.tabletop.things import Thing, furnish

# Larger than a scene, so that each shows another part.
_ROOM = 1.4
# A table has room to spare in its height, and rendering more of it takes time.
_TABLE_ROOM = 1.15
# All pictures of places together may take this much memory, in every process.
_MOST_BYTES = 256 << 20


def read_backgrounds(
    folder: Path, size: tuple[int, int], *, apart_from: Sequence[Dataset] = ()
) -> list[NDArray[np.uint8]]:
    """A folder's pictures, H×W×3 each, at any depth, scaled to what scenes of this size need.

    Args:
        apart_from: sets of whose splits `val` and `test` no picture may be among them.

    Raises:
        InputError: there are no pictures, one cannot be read, or one is of `val` or `test`.
    """
    root = folder.expanduser()
    if not root.is_dir():
        raise InputError(
            f"there is no folder {root}: give a folder with pictures of places, or the word "
            "tabletop"
        )
    files = [root / name for name in pictures_below(root)]
    if not files:
        raise InputError(f"{root} holds no pictures: put pictures of places without objects there")
    for dataset in apart_from:
        _refuse_held_out(files, dataset)
    room = math.ceil(size[0] * _ROOM), math.ceil(size[1] * _ROOM)
    most = max(1, _MOST_BYTES // (room[0] * room[1] * 3))
    if len(files) > most:
        note(f"{root}: {most:,} of {len(files):,} pictures are used as backgrounds")
        files = [files[i * len(files) // most] for i in range(most)]
    bar = track(files, total=len(files), description="reading backgrounds")
    return [_reduced(read_picture(file, at_least=room), room) for file in bar]


def tabletop_backgrounds(
    count: int, size: tuple[int, int], *, seed: int = 0, processes: int | None = None
) -> list[NDArray[np.uint8]]:
    """Rendered tables with flat prints and a few things of no class; H×W×3 each, square."""
    side = math.ceil(max(size) * _TABLE_ROOM)
    jobs = [(seed, index, side) for index in range(count)]
    work = in_parallel(_table, jobs, processes=processes, description="Rendering tables")
    return list(work)


def _table(job: tuple[int, int, int]) -> NDArray[np.uint8]:
    seed, index, side = job
    rng = Random(f"backdrop {seed} {index}")
    prints = [
        backdrop.Print(
            image=backdrop.flat_shapes(rng),
            on_wall=False,
            middle=(rng.uniform(-2, 2), rng.uniform(-2, 2)),
            half=rng.uniform(0.4, 1.0),
            angle=rng.uniform(0, 2 * math.pi),
        )
        for _ in range(rng.randint(0, 2))
    ]
    scene = backdrop.backdrop(rng, busy=0.5, prints=prints)
    light = lighting.light(rng, table=scene.table.base, variety=0.4)
    camera = look(
        target=(0.0, 0.0, 0.0),
        distance=rng.uniform(5.0, 8.0),
        # Steep enough that little of the wall is seen, on which nothing can stand.
        elevation=rng.uniform(45, 68),
        azimuth=-90 + rng.uniform(-15, 15),
        roll=rng.gauss(0, 3),
        view=rng.uniform(28, 42),
        size=side,
    )
    colour = rendering.render(camera, scene, light, _bystanders(rng)).colour
    through = lens.Lens(exposure=math.exp(rng.uniform(-0.2, 0.15)), vignette=rng.uniform(0, 0.2))
    return lens.photograph(colour, through, np.random.default_rng(0))


def _bystanders(rng: Random) -> list[Thing]:
    """What else stands about, so that it is learnt that not everything has a class."""
    return [
        furnish(
            rng.choice(props.BUILDERS)(rng),
            rng,
            label=-1,
            size=rng.uniform(0.3, 0.5),
            spot=(rng.uniform(-2, 2), rng.uniform(-2, 2)),
            yaw=rng.uniform(0, 360),
        )
        for _ in range(rng.randint(0, 3))
    ]


def _reduced(picture: NDArray[np.uint8], room: tuple[int, int]) -> NDArray[np.uint8]:
    """The picture as small as it may be while it still fills `room`."""
    height, width = picture.shape[:2]
    scale = max(room[0] / width, room[1] / height)
    if scale >= 1:
        return picture
    size = math.ceil(width * scale), math.ceil(height * scale)
    return np.asarray(resample(picture, scaling(size[0] / width, size[1] / height), size), np.uint8)


def _refuse_held_out(files: list[Path], dataset: Dataset) -> None:
    """Refuse pictures that are, byte by byte, of a split to judge by."""
    sizes: defaultdict[int, list[Path]] = defaultdict(list)
    for index in np.flatnonzero(dataset.splits != TRAIN).tolist():
        held = dataset.file(index)
        if held.is_file():
            sizes[held.stat().st_size].append(held)
    digests: dict[Path, bytes] = {}
    for file in files:
        for held in sizes.get(file.stat().st_size, ()):
            if held not in digests:
                digests[held] = hashlib.sha256(read_bytes(held)).digest()
            if hashlib.sha256(read_bytes(file)).digest() == digests[held]:
                raise InputError(
                    f"{file} is a picture of {dataset.root} that is in its split val or test, or "
                    "that is on none: scenes made of it would be learnt before they are judged by; "
                    "take it out of the backgrounds"
                )
