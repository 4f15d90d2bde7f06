"""What composed scenes look like: every choice, with its default and its limits."""

from dataclasses import dataclass

from viewfinder.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Composition:
    """What composed scenes look like."""

    objects: tuple[int, int] = (2, 7)
    """Fewest and most objects to put into a scene; one that finds no place is left out."""
    scale: tuple[float, float] = (0.15, 0.45)
    """Smallest and largest longer side of an object, as a share of the frame's shorter side."""
    turn: float = 15.0
    """Largest turn of an object, in degrees to either side."""
    mirror: float = 0.5
    """Share of the objects that are mirrored left to right; 0 where they carry writing."""
    overlap: float = 0.35
    """Largest share of an object that those before it may cover."""
    hidden: float = 0.6
    """Objects hidden by others and the frame's edge to more than this share are left out."""
    light: float = 0.5
    """0 to 1: how much brightness, contrast and colour vary, of scenes and of single objects."""
    shadow: float = 0.75
    """0 to 1: how dark the shadow is that an object throws, at most."""
    blur: float = 0.7
    """Largest standard deviation of an object's blur, in pixels."""
    noise: float = 4.0
    """Largest standard deviation of the noise over a scene, in grey levels of 255."""

    def __post_init__(self) -> None:
        _range("objects", self.objects, 1, 100)
        _range("scale", self.scale, 0.01, 1)
        _range("turn", (0, self.turn), 0, 180)
        _range("blur", (0, self.blur), 0, 20)
        _range("noise", (0, self.noise), 0, 100)
        for name in ("mirror", "overlap", "hidden", "light", "shadow"):
            _range(name, (0, getattr(self, name)), 0, 1)


def _range(name: str, pair: tuple[float, float], low: float, high: float) -> None:
    if not low <= pair[0] <= pair[1] <= high:
        given = f"{pair[1]:g}" if pair[0] == 0 else f"{pair[0]:g} and {pair[1]:g}"
        raise InputError(f"{name} must be from {low:g} to {high:g}, ascending, not {given}")
