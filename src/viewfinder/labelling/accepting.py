"""From proposals to labels, by a rule that a person chose, and back again.

A picture is taken when every one of its proposals scores high enough: were only the sure ones
taken, the others' objects would be learnt as background. A picture that has boxes already is left
as it is. What is taken goes into the set's COCO file, each box with its score and the rule; a
folder without labels gets `annotations/instances_all.json`.

All files are changed or none, and can be changed back: `datasets.transaction` does it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.editing import transaction
from viewfinder.datasets.editing.record import digest
from viewfinder.datasets.editing.steps import FileChange
from viewfinder.datasets.editing.transaction import HIDDEN, change_files, editing
from viewfinder.errors import InputError
from viewfinder.labelling.label_files import LabelFile, read_label_files, with_proposals
from viewfinder.labelling.proposals import Proposals, read_proposals
from viewfinder.values import as_list, as_text, as_whole

_VERB = "propose"
# What earlier versions kept of acceptances.
_EARLIER = "accepted.json"


@dataclass(frozen=True)
class Acceptance:
    """What became of the proposals.

    Attributes:
        rule: in words for a person.
        pictures: how many were taken.
        boxes: how many were taken.
        below: pictures with a proposal that the rule does not let pass.
        labelled: pictures that had boxes already.
        unlisted: pictures that none of the set's several files lists.
        files: the files of labels that were changed, relative to the data folder.
        without: the classes that have no label still, as all their pictures score too little, each
            with the score of the best of these: of its proposals the lowest.
    """

    rule: str
    pictures: int
    boxes: int
    below: int = 0
    labelled: int = 0
    unlisted: int = 0
    files: tuple[str, ...] = ()
    without: Mapping[str, float] = field(default_factory=dict)


def accept(data: Path, *, above: float, proposals: Proposals | None = None) -> Acceptance:
    """Make labels of the proposals of every picture whose proposals all score at least `above`.

    Args:
        proposals: those kept for `data`, where they have been read already.

    Raises:
        InputError: there are no proposals, `above` is not from 0 to 1, the set is YOLO's or VOC's,
            or a file cannot be read or written.
    """
    if not 0 <= above <= 1:
        raise InputError(f"a score is from 0 to 1, so none can be tested against {above:g}")
    proposals = read_proposals(data) if proposals is None else proposals
    if not proposals.paths:
        raise InputError(f"nothing is proposed for {data} yet: use `viewfinder propose` with --by")
    rule = f"every proposal of the picture scores at least {above:g}"
    with editing(data) as finished:
        for each in finished:
            cut_short = _acceptance(each.edit.details)
            if not each.undone and cut_short is not None and cut_short.rule == rule:
                return cut_short
        return _accepted(data, above, proposals, rule)


def _accepted(data: Path, above: float, proposals: Proposals, rule: str) -> Acceptance:
    worst = np.full(len(proposals.paths), math.inf)
    np.minimum.at(worst, proposals.pictures, proposals.found.scores)
    good = np.flatnonzero((worst >= above) & np.isfinite(worst)).tolist()
    files = read_label_files(data)
    places = [_place(proposals.paths[picture], files) for picture in good]
    taken = {
        index: [picture for picture, place in zip(good, places, strict=True) if place == index]
        for index in range(len(files))
    }
    changes = {
        files[index]: with_proposals(files[index], data, proposals, pictures, rule)
        for index, pictures in taken.items()
        if pictures
    }
    done = Acceptance(
        rule,
        sum(map(len, taken.values())),
        sum(len(proposals.of(picture)) for pictures in taken.values() for picture in pictures),
        int((worst < above).sum()),
        places.count(_LABELLED),
        places.count(_UNLISTED),
        tuple(file.path for file in changes),
        _without(proposals, worst, above, files),
    )
    if changes:
        change_files(
            data,
            [
                FileChange(
                    data / file.path,
                    "its boxes",
                    after,
                    before=None if file.before is None else digest(file.before),
                )
                for file, after in changes.items()
            ],
            verb=_VERB,
            said=f"boxes accepted, since {rule}",
            details=asdict(done),
        )
    return done


def _without(
    proposals: Proposals, worst: NDArray[np.float64], above: float, files: Sequence[LabelFile]
) -> dict[str, float]:
    """The classes that a rule leaves without any label, each with its best picture's score.

    Args:
        worst: for each picture the lowest score of its proposals.
    """
    best = np.full(len(proposals.classes), -math.inf)
    np.maximum.at(best, proposals.found.labels, worst[proposals.pictures])
    known = {name for file in files for name in file.classes}
    return {
        name: score
        for name, score in zip(proposals.classes, best.tolist(), strict=True)
        if math.isfinite(score) and score < above and name not in known
    }


_LABELLED, _UNLISTED = -1, -2


def _place(path: str, files: Sequence[LabelFile]) -> int:
    """The index of the file that a picture's boxes go to, or why there is none."""
    if any(path in file.labelled for file in files):
        return _LABELLED
    listed = [index for index, file in enumerate(files) if path in file.ids]
    if listed:
        return listed[0]
    return 0 if len(files) == 1 else _UNLISTED


def take_back(data: Path) -> Acceptance:
    """Undo the last acceptance: each file becomes, byte for byte, what it was before.

    Raises:
        InputError: nothing was accepted, or a file has been changed since then.
    """
    edit = transaction.take_back(data, verb=_VERB)
    if edit is None and (data / HIDDEN / _EARLIER).is_file():
        raise InputError(
            f"what was accepted in {data} was accepted by an earlier version of Viewfinder, which "
            f"alone can take it back; each file as it was lies beside {data / HIDDEN / _EARLIER}"
        )
    if edit is None:
        raise InputError(f"nothing in {data} was accepted by a rule, so nothing can be taken back")
    return _acceptance(edit.details) or Acceptance(edit.said, 0, 0)


def _acceptance(details: Mapping[str, object]) -> Acceptance | None:
    """What an edit kept of an acceptance; None if it was none."""
    names = ("pictures", "boxes", "below", "labelled", "unlisted")
    try:
        rule = as_text(details.get("rule"))
        files = tuple(map(as_text, as_list(details.get("files"))))
        pictures, boxes, below, labelled, unlisted = (as_whole(details.get(n)) for n in names)
        return Acceptance(rule, pictures, boxes, below, labelled, unlisted, files)
    except ValueError:
        return None
