"""Looking at pictures with whoever was asked for proposals, a few of them at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from viewfinder.datasets.bit_depth import bits_of
from viewfinder.errors import InputError
from viewfinder.labelling.following import propose_by_track
from viewfinder.labelling.proposing import Proposed, find_pictures, propose_by_plate
from viewfinder.pictures.reading import BITS
from viewfinder.studio.learning.asked import ProposerRequest

if TYPE_CHECKING:
    from viewfinder.runs.run import RunFolder
    from viewfinder.tasks.model import Threshold

AT_ONCE = 16
# A wrong proposal costs a glance and a missing one a box: some are shown that the run, judged by
# F1, would leave out. Of few held-out pictures that score may be anything.
_SHARE, _LEAST, _MOST = 0.7, 0.1, 0.5
_USUAL = 0.25
# Of few pictures none is held out, and most of what is right scores low.
_UNTOLD = 0.2
_MOST_NAMED = 8
# Pictures that are each asked about several times, which takes five times as long; and how many
# a run must have learnt from for that to pay: of blood cells, one of 200 then left 0.52 actions a
# box in place of 0.62; one of ten gained nothing to speak of, neither of cells nor of scenes.
_MOST_VIEWED, _LEAST_LEARNT = 300, 40
# Pictures of which the class of each object is judged again.
_MOST_JUDGED = 2000

Look = Callable[[Sequence[str]], Proposed]


def look(data: Path, asked: ProposerRequest, paths: Sequence[str]) -> Iterator[Proposed]:
    """Proposals for a few pictures at a time; those that cannot be read are passed over.

    Raises:
        InputError: whoever is asked cannot be had, or no picture can be read.
    """
    if asked.by == "track":  # it follows from one picture to the next: all at once
        yield propose_by_track(data, find_pictures(data), motion="flow")
        return
    one = _LOOKS[asked.by](data, asked, paths)
    looked, refused = 0, None
    for start in range(0, len(paths), AT_ONCE):
        part = paths[start : start + AT_ONCE]
        try:
            proposed = one(part)
        except InputError as error:  # none of these few can be read, or none at all
            refused = error
            continue
        looked += len(part)
        yield proposed
    if refused is not None and not looked:
        raise refused


def _by_detector(data: Path, asked: ProposerRequest, paths: Sequence[str]) -> Look:
    # Torch takes seconds to import, and is of no use to whoever asks the stand or the tracks.
    from viewfinder.devices import pick_device
    from viewfinder.inference.opening import open_foreign
    from viewfinder.labelling.by_model import propose_by_detector
    from viewfinder.runs.run import open_run
    from viewfinder.studio.learning.second_look import with_second_look
    from viewfinder.tasks.views import with_views

    device, model, run = pick_device("auto"), open_foreign(asked.file), None
    if model is None:
        run = open_run(asked.file)
        model = run.model
    if asked.by == "learnt" and run is not None and not asked.answers:
        learnt = sum(run.manifest.data["images"].values())
        if learnt >= _LEAST_LEARNT and len(paths) <= _MOST_VIEWED:
            model = with_views(model)
        if len(paths) <= _MOST_JUDGED:
            model = with_second_look(model, data, device)
    threshold, says = _USUAL if run is None else proposed_from(run), ""
    if run is not None and asked.answers:
        threshold, says = answered_from(run)

    def one(part: Sequence[str]) -> Proposed:
        found = propose_by_detector(
            data,
            part,
            model=model,
            names=_names(asked.names),
            threshold=threshold,
            device=device,
        )
        return replace(found, notes=(*found.notes, says)) if says else found

    return one


def _names(entries: Sequence[str]) -> dict[str, str]:
    names = {}
    for entry in entries:
        theirs, separator, ours = (part.strip() for part in entry.partition("="))
        if not theirs or (separator and not ours):
            raise InputError(f"write {entry!r} as class, or as class=name, as in cell phone=phone")
        names[theirs] = ours or theirs
    return names


def answered_from(run: "RunFolder") -> "tuple[Threshold, str]":
    """For each class the score that it was best from, and what that is, in words for a person."""
    from viewfinder.inference.thresholds import best_thresholds

    try:
        best = best_thresholds(run.model, run).each
    except InputError:
        return _USUAL, f"boxes from a score of {_USUAL:g} on: held-out pictures tell no better one"
    of = zip(run.model.config.classes, best, strict=True)
    said = ", ".join(f"{name} from {score:.2f}" for name, score in islice(of, _MOST_NAMED))
    more = " …" if len(best) > _MOST_NAMED else ""
    return best, f"boxes from the score that was best on held-out pictures: {said}{more}"


def proposed_from(run: "RunFolder") -> "Threshold":
    """For each class the least score that is proposed, from what the run scored best with."""
    from viewfinder.inference.thresholds import best_thresholds

    try:
        best = best_thresholds(run.model, run).each
    except InputError:  # no picture was held out, or nothing right is found yet
        return _UNTOLD
    return tuple(min(_MOST, max(_LEAST, _SHARE * each)) for each in best)


def _by_saliency(data: Path, asked: ProposerRequest, paths: Sequence[str]) -> Look:
    from viewfinder.devices import pick_device
    from viewfinder.inference.opening import ONNX, open_model
    from viewfinder.labelling.by_model import maps_of_model, propose_by_saliency

    file = Path(asked.file).expanduser()
    model = open_model(file)
    mapper, bits = maps_of_model(model, pick_device("auto")), model.config.bits
    if model.config.net == ONNX and bits == BITS[-1]:
        # A network of other people's says nothing of bits: then the pictures do.
        bits = bits_of([data / path for path in paths])

    def one(part: Sequence[str]) -> Proposed:
        source, name = f"saliency: {file.name}", asked.name or None
        return propose_by_saliency(data, part, model=mapper, source=source, name=name, bits=bits)

    return one


def _by_plate(data: Path, asked: ProposerRequest, _paths: Sequence[str]) -> Look:
    def one(part: Sequence[str]) -> Proposed:
        return propose_by_plate(data, part, empty=data / asked.file, name=asked.name or None)

    return one


_LOOKS: Mapping[str, Callable[[Path, ProposerRequest, Sequence[str]], Look]] = {
    "learnt": _by_detector,
    "detector": _by_detector,
    "saliency": _by_saliency,
    "plate": _by_plate,
}
