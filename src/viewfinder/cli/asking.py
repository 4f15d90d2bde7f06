"""The flags that say how a model is asked, which the verbs that ask one share."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Literal, cast

import tyro

if TYPE_CHECKING:
    from viewfinder.inference.asking import Asking


@dataclass(frozen=True)
class AskingFlags:
    resize: Literal["own", "area"] = "own"
    """How pictures are made smaller: own, as the net learnt it, which of Darknet's .weights is
    Darknet's way, or area, averaged, which suits pictures much larger than the net's input."""
    scores: Literal["calibrated", "own"] = "calibrated"
    """Whether scores are as often right as they say, where the run's training could see to it, or
    the network's own."""
    tta: bool = False
    """Ask about each picture as it is and mirrored, both at two sizes; evaluate --tta says what
    that gains and costs."""
    tiles: Annotated[int | Literal["none"] | None, tyro.conf.arg(metavar="PIXELS|none")] = None
    """detect: answer pictures in tiles of this side, in their own pixels, so that small objects in
    large pictures are seen; none sees them whole; if not given, as the run learnt."""
    overlap: Annotated[float | None, tyro.conf.arg(metavar="SHARE")] = None
    """detect: share of a tile's side that the next one shows too, 0.2 if not given: objects up to
    that size lie whole in some tile."""

    def asking(self) -> "Asking":
        """The same as `viewfinder.Run` takes it."""
        return cast("Asking", asdict(self))
