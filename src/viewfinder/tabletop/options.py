"""What may be chosen about the pictures: one dataclass for each kind of them."""

from dataclasses import dataclass

from viewfinder.errors import InputError

# Smaller pictures show nothing, and larger ones take minutes each.
SIZES = (16, 2048)


@dataclass(frozen=True, kw_only=True)
class ClassOptions:
    """What pictures of one object look like."""

    size: int = 64
    """Width and height of a picture in pixels."""
    variety: float = 0.25
    """0 to 1: how much the object's way to lie, turn, size, place and pattern vary."""
    clutter: float = 0.2
    """0 to 1: how busy the backdrop is, and how often something stands beside or in front."""
    spoil: float = 0.3
    """0 to 1: how badly light and camera do: odd light, exposure, blur, noise, compression."""
    imbalance: float = 1.0
    """How many times more training pictures the first class has than the last."""

    def __post_init__(self) -> None:
        _within("size", self.size, *SIZES)
        _within("imbalance", self.imbalance, 1, 10_000)
        _within("variety", self.variety, 0, 1)
        _within("clutter", self.clutter, 0, 1)
        _within("spoil", self.spoil, 0, 1)


@dataclass(frozen=True, kw_only=True)
class SceneOptions:
    """What scenes look like."""

    size: int = 256
    """Width and height of a picture in pixels."""
    objects: tuple[int, int] = (3, 9)
    """Fewest and most objects on the table, before hidden ones are left out of the truth."""
    scale: tuple[float, float] = (0.35, 0.75)
    """Smallest and largest object from its middle to its tip, in units of about ten centimetres."""
    clutter: float = 0.5
    """0 to 1: how busy the backdrop is, and how many prints and things of no class lie about."""
    spoil: float = 0.4
    """0 to 1: how badly light and camera do: odd light, exposure, blur, noise, compression."""
    imbalance: float = 1.0
    """How many times commoner the first class is than the last; the others lie evenly between."""
    hidden: float = 0.8
    """Objects hidden by others or by the picture's edge to more than this share have no truth."""
    unreliable_depth: float = 0.0
    """Share of scenes whose depth is wrong or missing; the manifest tells which, and how."""
    subject: bool = False
    """One near object alone, the rest flat prints: its mask is the salient subject."""

    def __post_init__(self) -> None:
        _within("size", self.size, *SIZES)
        _range("objects", self.objects, 1, 40)
        _range("scale", self.scale, 0.1, 1)
        _within("clutter", self.clutter, 0, 1)
        _within("spoil", self.spoil, 0, 1)
        _within("imbalance", self.imbalance, 1, 10_000)
        _within("hidden", self.hidden, 0, 1)
        _within("unreliable_depth", self.unreliable_depth, 0, 1)


@dataclass(frozen=True, kw_only=True)
class TurntableOptions:
    """What a turn of one object on a stand looks like."""

    size: int = 256
    """Width and height of a frame in pixels."""
    scale: float = 0.75
    """The object from its middle to its tip, in units of about ten centimetres."""
    noise: float = 2.0
    """Standard deviation of the camera's noise, in grey levels of 255."""
    drift: float = 0.03
    """How far the exposure wanders during a turn: 0.03 is 3 % to either side."""
    shadow: float = 0.6
    """0 to 1: how much of the light comes from one side and throws shadows."""
    shake: float = 0.0
    """How far the picture may shift from frame to frame, in pixels to either side."""
    elevation: tuple[float, float] = (18.0, 35.0)
    """Lowest and highest angle at which the camera may look down, in degrees."""

    def __post_init__(self) -> None:
        _within("size", self.size, *SIZES)
        _within("scale", self.scale, 0.1, 1)
        _within("noise", self.noise, 0, 100)
        _within("drift", self.drift, 0, 1)
        _within("shadow", self.shadow, 0, 1)
        _within("shake", self.shake, 0, self.size / 4)
        _range("elevation", self.elevation, 0, 85)


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InputError(f"{name} must be from {low:g} to {high:g}, not {value:g}")


def _range(name: str, pair: tuple[float, float], low: float, high: float) -> None:
    if not low <= pair[0] <= pair[1] <= high:
        raise InputError(
            f"{name} must be two numbers from {low:g} to {high:g}, the smaller first, "
            f"not {pair[0]:g} and {pair[1]:g}"
        )
