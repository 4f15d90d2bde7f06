"""What was learnt that is most like a picture or a box, to be shown beside its reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from viewfinder.attribution.reason import Reasons
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.inference.answers import Predictor
from viewfinder.inference.learnt.kept import FILE, LearntPictures
from viewfinder.inference.learnt.nearest import (
    Neighbour,
    learnt_by,
    learnt_paths,
    nearest_objects,
    nearest_pictures,
    rows_of,
    seen_by,
)
from viewfinder.pictures.drawing import contact_sheet
from viewfinder.pictures.writing import picture_url
from viewfinder.runs.pictures import learnt_from
from viewfinder.runs.run import RunFolder
from viewfinder.tasks.model import ModelConfig
from viewfinder.wording import shown

_CELL = 128
_GREY = 128


@dataclass(frozen=True, eq=False)
class LearntFrom:
    """What a run learnt from, or why that is not known.

    Attributes:
        lacks: a sentence; empty where it is known, or where no training of ours is.
        known: the paths of each picture, by the digest of its file, looked at or not.
    """

    learnt: LearntPictures | None
    lacks: str = ""
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(map(len, self.known.values()))

    @property
    def looked_at(self) -> int:
        """How many pictures there are to be compared with."""
        return 0 if self.learnt is None else len(self.learnt.paths)

    @property
    def share(self) -> str:
        """In a sentence how many of all were looked at; empty where all were."""
        if not 0 < self.looked_at < self.count:
            return ""
        return (
            f"compared with {self.looked_at:,} of the {self.count:,} pictures that the run "
            f"learnt from, those looked at when that was first asked; remove {FILE} of the run to "
            "look again"
        )


def memory_of(run: RunFolder | None, predictor: Predictor) -> LearntFrom:
    """What a run learnt from, as its net sees it; said where it cannot be known."""
    if run is None:
        return LearntFrom(None)
    try:
        found = LearntFrom(learnt_by(run, predictor), known=learnt_from(run.folder))
    except InputError as error:
        note(f"what was learnt that is most like it is not shown: {error}")
        return LearntFrom(None, str(error))
    if found.share:
        note(found.share)
    return found


def with_nearest(found: Reasons, predictor: Predictor, memory: LearntFrom) -> Reasons:
    """The same with what was learnt that is most like each box, or like the picture.

    A picture that was learnt from is left out of what is most like it, with all objects in it.
    """
    learnt, file = memory.learnt, Path(found.source)
    if learnt is None:
        return found
    same = learnt_paths(learnt, file, memory.known)
    own, found = rows_of(learnt, same), replace(found, learnt_from=bool(same))
    pixels = torch.from_numpy(found.picture.transpose(2, 0, 1).copy())[None]
    watched = seen_by(predictor, learnt, pixels)
    if learnt.objects is None:
        return replace(found, nearest=nearest_pictures(learnt, watched, but=own))
    size = predictor.model.config.size
    reasons = tuple(
        each
        if each.question.box is None
        else replace(
            each, nearest=nearest_objects(learnt, watched, each.question.box, size, but=own)
        )
        for each in found.reasons
    )
    return replace(found, reasons=reasons)


def neighbour_content(found: Neighbour, config: ModelConfig) -> dict[str, object]:
    """A neighbour for a page: `name, label, likeness, url`; no `url` where its file is gone."""
    picture = found.picture(config.bits)
    return {
        "name": found.file.name,
        "label": None if found.label is None else config.classes[found.label],
        "likeness": found.likeness,
        "url": None if picture is None else picture_url(picture),
    }


def nearest_sheet(found: Sequence[Neighbour], config: ModelConfig) -> NDArray[np.uint8]:
    """Neighbours side by side, with their labels; a grey square where a file is gone."""
    gone = np.full((_CELL, _CELL, 3), _GREY, np.uint8)
    pictures = [each.picture(config.bits) for each in found]
    captions = [
        f"{'' if each.label is None else shown(config.classes[each.label])} {each.likeness:.2f}"
        + (" (gone)" if picture is None else "")
        for each, picture in zip(found, pictures, strict=True)
    ]
    there = [gone if picture is None else picture for picture in pictures]
    return contact_sheet(there, columns=len(found), cell=_CELL, captions=captions)
