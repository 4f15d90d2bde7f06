"""All that `why` does: reasons for a source, their figures, and the page of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from viewfinder.attribution.neighbours import memory_of, with_nearest
from viewfinder.attribution.page import write_page
from viewfinder.attribution.reason import Reasons
from viewfinder.attribution.summary import Summary, summary_of
from viewfinder.attribution.why import Wanted, reasons_for
from viewfinder.crowding import own_threads
from viewfinder.events import note
from viewfinder.inference.answers import Predictor
from viewfinder.inference.thresholds import threshold_of
from viewfinder.inference.tiling import whole
from viewfinder.runs.run import RunFolder
from viewfinder.tasks.detect.tiling.tiles import tiles_of
from viewfinder.tasks.model import Model


@dataclass(frozen=True, eq=False)
class Explained:
    """Reasons for the answers to several pictures, and the model that gave them.

    Attributes:
        written: whether there was anything to show on a page.
        compared: of how many pictures that the run learnt from, and of how many in all, the nearest
            are told; None where none are.
    """

    pictures: list[Reasons]
    summary: Summary
    model: Model
    written: bool
    compared: tuple[int, int] | None = None


@own_threads()
def explain_answers(
    model: Model,
    run: RunFolder | None,
    source: str | Path | Sequence[str | Path],
    wanted: Wanted,
    *,
    threshold: float | None,
    device: torch.device,
    html: Path | None,
    by: str,
    tell: Callable[[Reasons], None] = lambda _: None,
) -> Explained:
    """Look for the reasons of a model's answers, and write the page of them if one is named.

    Where no answer is asked about, no page is written, and nothing is looked for that was learnt.

    Args:
        run: that trained it, if one did.
        by: the command that asks.
        tell: is given each picture's reasons as they are found. What was learnt that is most like
            the picture comes last, as a run's training pictures may have to be looked at for it.

    Raises:
        InputError: there is no such picture, layer or class, or no picture can be read.
    """
    if tiles_of(model.config) is not None:
        note("the run answers in tiles: here it is asked of pictures whole, where it finds less")
    least = threshold_of(model, threshold, run)
    predictor = Predictor(whole(model), device=device, threshold=least)
    found = []
    for each in reasons_for(predictor, source, wanted):
        tell(each)
        found.append(each)
    summary = summary_of(found)
    if not any(each.reasons for each in found):
        return Explained(found, summary, predictor.model, written=False)
    memory = memory_of(run, predictor)
    found = [with_nearest(each, predictor, memory) for each in found]
    if html is not None:
        title = f"Why {model.source.name} answers as it does"
        write_page(html, found, summary, predictor=predictor, title=title, by=by, memory=memory)
    compared = (memory.looked_at, memory.count) if memory.learnt is not None else None
    return Explained(found, summary, predictor.model, html is not None, compared)
