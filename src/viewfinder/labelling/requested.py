"""What `viewfinder propose` does: by whom boxes are proposed, and what becomes of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import Literal

from viewfinder.datasets.bit_depth import bits_of
from viewfinder.datasets.editing.transaction import refuse_stored
from viewfinder.datasets.formats.labels_above import refuse_within
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.labelling.accepting import Acceptance, accept
from viewfinder.labelling.asked_names import read_names
from viewfinder.labelling.following import propose_by_track
from viewfinder.labelling.frames import are_frames_of, write_frames
from viewfinder.labelling.proposals import Proposals, joined, read_proposals, write_proposals
from viewfinder.labelling.proposing import Proposed, find_pictures, propose_by_plate
from viewfinder.labelling.sheet import write_sheet
from viewfinder.pictures.kinds import source_of
from viewfinder.pictures.reading import BITS
from viewfinder.wording import counted, likest


@dataclass(frozen=True)
class Request:
    """Who proposes, by what, and what is then done: the flags of `viewfinder propose`.

    Attributes:
        by: a word of `PROPOSERS`, with saliency's run behind it; or a detector's run; or nobody,
            for what was proposed before.
        sheet: a picture to write of what is proposed.
        accept_above: make labels of pictures whose proposals all score at least this.
    """

    by: tuple[str, ...] = ()
    empty: Path | None = None
    class_name: str | None = None
    names: tuple[str, ...] = ()
    threshold: float | Literal["best"] | Mapping[str, float] = 0.25
    tiles: int | Literal["none"] | None = None
    overlap: float | None = None
    device: str = "auto"
    keys: Path | None = None
    motion: Literal["linear", "flow"] = "linear"
    video: Path | None = None
    sheet: Path | None = None
    accept_above: float | None = None


@dataclass(frozen=True)
class RequestOutcome:
    """The folder of pictures, all that is proposed for them now, and what was accepted, if asked
    for."""

    data: Path
    proposals: Proposals
    accepted: Acceptance | None


def propose(source: Path, request: Request) -> RequestOutcome:
    """Propose, show, accept: whatever of it is asked for.

    Args:
        source: a folder of pictures, or a video, whose frames are taken first.

    Raises:
        InputError: nothing is asked for, or it cannot be done.
    """
    if not request.by and request.accept_above is None and request.sheet is None:
        raise InputError(
            f"say who proposes: --by {', '.join(PROPOSERS)} or RUN (or --accept-above)"
        )
    data = folder_of(source)
    if request.accept_above is not None:  # before minutes of work
        refuse_stored(data)
        refuse_within(data)
    if not request.by:
        proposals = read_proposals(data)
    else:
        proposer = _proposer(request)
        _refuse_picture(source)
        if source.is_file():
            _take_frames(source, data)
        proposed = proposer(request, data)
        for line in proposed.notes:
            note(line)
        proposals = joined(read_proposals(data), proposed.proposals)
        write_proposals(data, proposals)
    if request.sheet is not None:
        write_sheet(data, proposals, request.sheet)
    accepted = None
    if request.accept_above is not None:
        accepted = accept(data, above=request.accept_above, proposals=proposals)
    return RequestOutcome(data, proposals, accepted)


def _proposer(request: Request) -> Callable[[Request, Path], Proposed]:
    """Whoever `--by` names: a word of the table, or a detector's run.

    Raises:
        InputError: it is neither, or has words too many or too few.
    """
    first, *others = request.by
    wanted = 1 if first == "saliency" else 0
    if len(others) != wanted:
        given = "saliency RUN, or saliency FILE.onnx" if wanted else first
        raise InputError(f"--by {' '.join(request.by)}: write --by {given}")
    if first in PROPOSERS:
        return PROPOSERS[first]
    if first != "coco" and not Path(first).expanduser().exists():
        near = likest(first, [*PROPOSERS, "coco"])
        raise InputError(
            f"--by {first} is not known{near}: choose {', '.join(PROPOSERS)}, coco, a "
            "detector's run, or a Darknet .weights file"
        )
    return _by_detector


def _by_detector(request: Request, data: Path) -> Proposed:
    # Torch takes seconds to import, and is of no use to whoever asks the stand or the tracks.
    from viewfinder.devices import pick_device
    from viewfinder.inference.opening import open_foreign
    from viewfinder.inference.thresholds import threshold_of
    from viewfinder.inference.tiling import in_tiles
    from viewfinder.labelling.by_model import found_nothing, propose_by_detector
    from viewfinder.runs.run import open_run

    names = read_names(request.names)
    model, run = open_foreign(request.by[0]), None
    if model is None:
        run = open_run(request.by[0])
        model = run.model
    model = in_tiles(model, request.tiles, request.overlap)
    threshold = threshold_of(model, request.threshold, run)
    assert threshold is not None, "one was wanted"
    proposed = propose_by_detector(
        data,
        find_pictures(data),
        model=model,
        names=names,
        threshold=threshold,
        device=pick_device(request.device),
    )
    if len(proposed.proposals):
        return proposed
    return replace(proposed, notes=(*proposed.notes, found_nothing(model, names, threshold)))


def _by_saliency(request: Request, data: Path) -> Proposed:
    from viewfinder.devices import pick_device
    from viewfinder.inference.opening import ONNX, open_model
    from viewfinder.labelling.by_model import maps_of_model, propose_by_saliency

    given = Path(request.by[1]).expanduser()
    model = open_model(given)
    mapper, bits = maps_of_model(model, pick_device(request.device)), model.config.bits
    source, pictures = f"saliency: {given.name}", find_pictures(data)
    if model.config.net == ONNX and bits == BITS[-1]:
        # A network of other people's says nothing of bits: then the pictures do.
        bits = bits_of([data / path for path in pictures])
    return propose_by_saliency(
        data, pictures, model=mapper, source=source, name=request.class_name, bits=bits
    )


def _by_plate(request: Request, data: Path) -> Proposed:
    return propose_by_plate(data, find_pictures(data), empty=request.empty, name=request.class_name)


def _by_track(request: Request, data: Path) -> Proposed:
    return propose_by_track(
        data, find_pictures(data), keys=request.keys, motion=request.motion, video=request.video
    )


PROPOSERS: dict[str, Callable[[Request, Path], Proposed]] = {
    "plate": _by_plate,
    "track": _by_track,
    "saliency": _by_saliency,
}
"""Each way to come by proposals, by the word that asks for it."""


def _refuse_picture(data: Path) -> None:
    """Refuse one picture as DATA.

    Raises:
        InputError: it is one.
    """
    if data.is_file() and source_of(data).kind == "picture":
        raise InputError(f"{data} is no video: give a folder of pictures, such as {data.parent}")


def folder_of(data: Path) -> Path:
    """The folder of pictures that is meant: of a video that of its frames, beside it."""
    if not data.is_file():
        return data
    folder = data.with_suffix("")
    return data.with_name(f"{data.name}-frames") if folder == data else folder


def _take_frames(video: Path, folder: Path) -> None:
    """Write a video's frames into a folder, unless they are there already.

    Raises:
        InputError: there is no frame to be had, or the folder holds something else.
    """
    if folder.exists() and are_frames_of(folder, video):
        note(f"{folder} holds frames of {video} already: these are used")
        return
    if folder.exists():
        raise InputError(
            f"{folder}, where the frames of {video} would go, exists already and holds something "
            "else: take them into another folder by `viewfinder frames "
            f"{quote(str(video))} OUT`, and propose OUT"
        )
    (done,) = write_frames([video], folder)
    note(f"{folder}: {counted(len(done.written), 'frame')} of {video}")
    if done.few:
        note(done.few)
    if done.broken:
        note(f"kept what could be read: {done.broken}")
    if done.gaps:
        note(done.gaps)
