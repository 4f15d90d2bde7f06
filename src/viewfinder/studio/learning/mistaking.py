"""Which labelled boxes the last training takes for another class, as it looks at them again."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from viewfinder.errors import InputError
from viewfinder.labelling.proposals import read_proposals
from viewfinder.pictures.geometry import iou
from viewfinder.studio.learning import proposing
from viewfinder.studio.learning.asked import ProposerRequest
from viewfinder.studio.learning.course import Course, heard
from viewfinder.studio.learning.worker import Worker
from viewfinder.studio.store import Box, Store

# Intersection over union from which what was found is the box, and scores that count.
_SAME, _LEAST = 0.5, 0.25

Doubt = tuple[str, str, float]
"""A box, the class that it was taken for, and how surely."""


def mistaken(
    store: Store, worker: Worker, run: str, boxes: Mapping[str, Sequence[Box]]
) -> list[Doubt]:
    """Boxes where the run finds another class and not theirs, the surest first.

    Args:
        boxes: by the paths of their pictures.

    Raises:
        InputError: the pictures cannot be looked at.
    """
    if not boxes:
        return []
    ids = {each.name: each.id for each in store.classes() if each.merged is None}
    given = json.dumps({**ProposerRequest("learnt", run).as_json(), "paths": list(boxes)})
    found, course, said = list[Doubt](), Course(), ""
    with tempfile.TemporaryDirectory(prefix="viewfinder-") as place:
        words = [*proposing.LOOK, str(store.data.absolute()), place]
        for line in worker.lines(words, given, store.environment()):
            part = Path(place) / line.strip()
            if line.strip().isdecimal() and part.is_dir():
                found += _in_part(part, boxes, ids)
            said, course = line.strip() or said, heard(course, line)
    if worker.status != 0 and not worker.stopping:
        why = f"looking at the pictures {proposing.ended(worker.status)}: {said[:200]}"
        raise InputError(course.error or why)
    return sorted(found, key=lambda each: -each[2])


def _in_part(
    part: Path, boxes: Mapping[str, Sequence[Box]], ids: Mapping[str, str]
) -> Iterator[Doubt]:
    proposals = read_proposals(part)
    shutil.rmtree(part, ignore_errors=True)
    for number, path in enumerate(proposals.paths):
        rows = (proposals.pictures == number) & (proposals.found.scores >= _LEAST)
        corners, scores = proposals.found.boxes[rows], proposals.found.scores[rows]
        names = [ids.get(proposals.classes[label], "") for label in proposals.found.labels[rows]]
        for box in boxes.get(path, ()):
            near = np.flatnonzero(iou(np.array([box.corners]), corners)[0] >= _SAME)
            taken = {names[at] for at in near}
            if not taken or box.label in taken:
                continue
            surest = max(near, key=lambda at: float(scores[at]))
            if names[surest]:
                yield box.id, names[surest], round(float(scores[surest]), 4)
