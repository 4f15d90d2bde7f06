"""How large the demonstration is."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DemoSetting:
    """How much of everything."""

    things: int = 40
    """Things of each class that are filmed: few do not tell what all of a class have in common."""
    turn: int = 2
    """Frames of a video, which shows one turn: no more than are taken, as each must be rendered."""
    frames: int = 2
    """Frames at most that are taken of a video."""
    composed: int = 2100
    """Scenes to learn from."""
    unseen: int = 200
    """Scenes to be judged by."""
    size: int = 256
    """Side in pixels of every picture."""
    epochs: int = 3
    """How often the detector sees every scene, whatever time that takes: it comes out the same."""
    seed: int = 0
    """Of everything that is drawn at random."""
