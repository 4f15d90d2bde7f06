"""How large the demonstration is."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How much of everything."""

    things: int = 48
    """Things of each class that are filmed: few do not tell what all of a class have in common."""
    turn: int = 3
    """Frames of a video, which shows one turn."""
    frames: int = 2
    """Frames at most that are taken of a video."""
    composed: int = 2000
    """Scenes to learn from."""
    unseen: int = 200
    """Scenes to be judged by."""
    size: int = 256
    """Side in pixels of every picture."""
    minutes: float = 3.75
    """How long the detector learns."""
    seed: int = 0
    """Of everything that is drawn at random."""
