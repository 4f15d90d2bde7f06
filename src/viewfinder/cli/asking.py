"""The flags that say how a model is asked, which the verbs that ask one share."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import tyro

from viewfinder.nets.published import COCO
from viewfinder.tasks import NAMES, recipe_of
from viewfinder.tasks.detect.tiling.asked import refuse_no_tiles, refuse_tiles_of
from viewfinder.tasks.run_files import net_of, task_and_classes
from viewfinder.tasks.saliency.recipe import DEPTH_NET

if TYPE_CHECKING:
    from viewfinder.inference.asking import Asking
    from viewfinder.tasks.recipe import Recipe


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

    def refuse_early(self, run: str) -> None:
        """Refuse before torch is imported what a run cannot be asked for; raises InputError."""
        refuse_no_tiles(self.tiles if isinstance(self.tiles, int) else None, self.overlap)
        if (self.tiles is not None or self.overlap is not None) and (of := learnt(run)):
            refuse_tiles_of(Path(run).expanduser(), finds_boxes=of[1].finds_boxes)

    def asking(self) -> "Asking":
        """The same as `viewfinder.Run` takes it."""
        return cast("Asking", asdict(self))


def refuse_no_picture(run: str, sources: Sequence[str]) -> None:
    """Refuse before torch is imported the one file that a run is to answer, if it is no picture and
    no video.

    Of several files what cannot be read is passed over; and a net that sees depth, as a file of a
    net may, reads others, such as arrays.

    Raises:
        InputError: it cannot be read, as its beginning shows.
    """
    sees_depth = run != COCO and net_of(Path(run).expanduser()) in (None, DEPTH_NET)
    if len(sources) != 1 or sees_depth:
        return
    file = Path(sources[0]).expanduser()
    if not file.is_file():
        return
    from viewfinder.pictures.headers import read_header
    from viewfinder.pictures.kinds import source_of

    if source_of(file).kind == "picture":
        read_header(file)


def learnt(run: str) -> "tuple[str, type[Recipe]] | None":
    """The task of a run, and what its recipes say of answers, before it is opened; None of what
    others trained, and where its `run.json` does not say."""
    told = task_and_classes(Path(run).expanduser())
    return None if told is None or told[0] not in NAMES else (told[0], recipe_of(told[0]))
