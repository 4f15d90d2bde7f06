"""Write the embedded set, rendered objects on a table, as ordinary files.

classes    a folder for each of eight classes, under train/, val/ and test/
scenes     many objects with boxes and masks (COCO), instance masks and depth
           (16-bit PNG); with --subject True a set to train saliency on: one
           near object in each, its mask and depth
turntable  one object turning on a stand (a video), the empty stand, and the
           true boxes

Example:

  viewfinder render scenes --kind scenes --train 300
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import tyro

from viewfinder.cli.output import say
from viewfinder.errors import InputError
from viewfinder.wording import counted

if TYPE_CHECKING:
    from viewfinder.tabletop import ClassOptions, SceneOptions, TurntableOptions

Kind = Literal["classes", "scenes", "turntable"]


@dataclass(frozen=True)
class Flags:
    out: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="OUT")]
    """The folder to write; it must not exist yet."""
    kind: Kind = "classes"
    """What to render."""
    train: int = 150
    """Pictures to train on: of each class, or scenes."""
    val: int = 30
    """Pictures to choose by while training."""
    test: int = 30
    """Pictures to score once, at the end."""
    label: str = "mug"
    """turntable: the object on the stand."""
    frames: int = 72
    """turntable: frames in a whole turn."""
    seed: int = 0
    """Another seed gives other pictures; the same seed the same, byte for byte."""
    processes: int | None = None
    """How many processes render; all cores if not given."""
    size: int | None = None
    """Side of the pictures in pixels; 64 for classes, 256 for the others."""
    variety: float | None = None
    """classes: 0 to 1, how much the object's pose, size, place and pattern vary."""
    clutter: float | None = None
    """classes, scenes: 0 to 1, how busy the backdrop is, and how much else lies about."""
    spoil: float | None = None
    """classes, scenes: 0 to 1, how badly light and camera do: exposure, blur, noise."""
    objects: tuple[int, int] | None = None
    """scenes: fewest and most objects on the table."""
    imbalance: float | None = None
    """classes, scenes: how many times commoner the first class is than the last."""
    hidden: float | None = None
    """scenes: objects hidden to more than this share have no truth."""
    unreliable_depth: float | None = None
    """scenes: share of scenes whose depth is wrong or missing, as manifest.csv says."""
    subject: bool | None = None
    """scenes: one near object alone, the rest flat prints; its mask is the salient subject."""
    noise: float | None = None
    """turntable: standard deviation of the camera's noise, in grey levels of 255."""
    drift: float | None = None
    """turntable: how far the exposure wanders, 0.03 is 3 % to either side."""
    shadow: float | None = None
    """turntable: 0 to 1, how much of the light comes from one side."""
    shake: float | None = None
    """turntable: how far the camera shifts from frame to frame, in pixels to either side."""
    elevation: tuple[float, float] | None = None
    """turntable: lowest and highest angle at which the camera may look down, in degrees."""


OptionsT = TypeVar("OptionsT", "ClassOptions", "SceneOptions", "TurntableOptions")

# The flags that every kind takes; the others are fields of the kinds' options.
_COMMON = {"out", "kind", "train", "val", "test", "label", "frames", "seed", "processes"}


def run(flags: Flags) -> int:
    """Render, and say what was written."""
    from viewfinder import tabletop

    counts = tabletop.SplitCounts(train=flags.train, val=flags.val, test=flags.test)
    seed, processes = flags.seed, flags.processes
    if flags.kind == "classes":
        classes = _given(flags, tabletop.ClassOptions)
        tabletop.write_classes(
            flags.out, options=classes, counts=counts, seed=seed, processes=processes
        )
        each = "picture", " of each class"
    elif flags.kind == "scenes":
        scenes = _given(flags, tabletop.SceneOptions)
        tabletop.write_scenes(
            flags.out, options=scenes, counts=counts, seed=seed, processes=processes
        )
        each = "scene", ""
    else:
        return _turntable(flags)
    last = counted(flags.test, f"test {each[0]}") + each[1]
    say(f"{flags.out}: {flags.train} train, {flags.val} val, {last}")
    return 0


def _turntable(flags: Flags) -> int:
    from viewfinder import tabletop

    if flags.label not in tabletop.CLASSES:
        names = ", ".join(tabletop.CLASSES)
        raise InputError(f"--label {flags.label}: there is no such object; choose {names}")
    tabletop.write_turntable(
        flags.out,
        label=tabletop.CLASSES.index(flags.label),
        frames=flags.frames,
        seed=flags.seed,
        options=_given(flags, tabletop.TurntableOptions),
    )
    say(
        f"{flags.out}: {counted(flags.frames, 'frame')} of a turning {flags.label}, and the empty "
        "stand"
    )
    return 0


def _given(flags: Flags, options: type[OptionsT]) -> OptionsT:
    """What was said about the pictures.

    Raises:
        InputError: something that this kind of pictures does not have.
    """
    named = {f.name: getattr(flags, f.name) for f in fields(flags) if f.name not in _COMMON}
    given = {name: value for name, value in named.items() if value is not None}
    known = {f.name for f in fields(options)}
    for name in given:
        if name not in known:
            flag = name.replace("_", "-")
            raise InputError(f"--{flag} does not go with --kind {flags.kind}")
    # Each flag has the type of the field that it is for.
    make: Callable[..., OptionsT] = options
    return make(**given)
