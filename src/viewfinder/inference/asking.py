"""How a model is asked, whatever it is asked about: what predicting, tracking and judging share."""

from dataclasses import replace
from typing import Literal, TypedDict

from viewfinder.inference.opening import refuse_calibrated
from viewfinder.inference.tiling import WantedTiles, in_tiles
from viewfinder.tasks.calibration import with_own_scores
from viewfinder.tasks.model import Model
from viewfinder.tasks.views import with_views

Resize = Literal["own", "area"]
ScoresAsked = Literal["calibrated", "own"]


class Asking(TypedDict, total=False):
    """How a model is asked, where not as it was trained.

    Attributes:
        resize: how pictures are made smaller: `own`, as the net learnt it, which of Darknet's
            weights is Darknet's way; or `area`, averaged over area.
        scores: `calibrated`, as often right as they say, where the run's training could see to it;
            or the net's `own`.
        tta: ask about each picture as it is and mirrored, both at two sizes (of an ONNX file at
            one), and put the answers together.
        tiles: of a detector, the side of the tiles that large pictures are answered in, in their
            pixels; `none` for none; None as the run learnt.
        overlap: share of a tile's side that the next one shows too.
    """

    resize: Resize
    scores: ScoresAsked
    tta: bool
    tiles: WantedTiles
    overlap: float | None


def as_asked(
    model: Model,
    *,
    resize: Resize = "own",
    scores: ScoresAsked = "calibrated",
    tta: bool = False,
    tiles: WantedTiles = None,
    overlap: float | None = None,
) -> Model:
    """The same model, asked as `Asking` says.

    Raises:
        InputError: tiles are asked of what is no detector, or there are none of such sides; or own
            scores of a file that calibrates them within.
    """
    if scores == "own":
        refuse_calibrated(model)
        model = with_own_scores(model)
    if resize == "area":
        framing = replace(model.config.framing, resizing="area")
        model = replace(model, config=replace(model.config, framing=framing))
    model = in_tiles(model, tiles, overlap)
    return with_views(model) if tta else model
