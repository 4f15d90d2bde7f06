"""Let a machine propose boxes, look at them, and accept the sure ones as labels.

--by plate: filmed on a stand, an object is what differs from a picture of the empty stand, taken
with the same camera and the same settings. Gives masks too. Of several objects each has a folder,
with its own empty.png.
  viewfinder propose mug/ --by plate --empty empty.png --sheet look.png
  viewfinder propose mug.mp4 --by plate --empty empty.png   takes frames first
  viewfinder propose captures/ --by plate        captures/mug/, captures/ball/

--by RUN: a detector of yours, a Darknet .weights file, or an ONNX file of `viewfinder export` marks
what it knows; --names says which classes to take and what to call them, and leaves all else away.
  viewfinder propose photos/ --by runs/first --threshold 0.4
  viewfinder propose photos/ --by coco --names person "cell phone=phone"

--by saliency RUN: what stands out, by a saliency run or an ONNX file such as u2netp. Gives masks.
  viewfinder propose mug/ --by saliency u2netp.onnx

--by track: boxes that you drew in a few frames, carried through their video: in a straight line
between two of them, or with --motion flow along with the picture, for a camera that moves.
  viewfinder propose frames/ --by track --keys labels.json

Proposals are kept apart from labels, in DATA/.viewfinder, until a rule accepts them:
  viewfinder propose mug/ --accept-above 0.9     writes COCO labels into mug/
  viewfinder propose mug/ --take-back            as if that had never been
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from viewfinder.cli.output import print_json
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.wording import counted

if TYPE_CHECKING:
    from viewfinder.labelling.accepting import Acceptance
    from viewfinder.labelling.proposals import Proposals
    from viewfinder.labelling.proposing import Proposed


@dataclass(frozen=True)
class Flags:
    data: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DATA")]
    """A folder of pictures, such as `viewfinder frames` writes, or a video."""
    by: tuple[str, ...] = ()
    """Who proposes: plate, track, saliency RUN, a detector's RUN, or coco, for 80 usual things."""
    empty: Path | None = None
    """plate: the picture of the empty stand; each folder's own empty.png or .jpg if not given."""
    class_name: Annotated[str | None, tyro.conf.arg(name="class")] = None
    """plate, saliency: the object's class; the name of the pictures' folder if not given."""
    names: tuple[str, ...] = ()
    """detector: its classes to take, each as class, or as class=name to call it otherwise."""
    threshold: Annotated[float | Literal["best"], tyro.conf.arg(metavar="SCORE|best")] = 0.25
    """detector: the least score that is proposed, or best: for each class that of best F1 on the
    run's validation pictures."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where a network computes."""
    keys: Path | None = None
    """track: labels of the frames that have boxes; DATA's own if not given."""
    motion: Literal["linear", "flow"] = "linear"
    """track: in a straight line between two boxes, or along with the picture from each."""
    video: Path | None = None
    """track: the video or its folder, so that flow can look at every frame of it."""
    sheet: Path | None = None
    """A picture to write, of up to 24 pictures with what is proposed for them."""
    accept_above: float | None = None
    """Make labels of the proposals of each picture whose proposals all score at least this."""
    take_back: bool = False
    """Undo the last acceptance: the labels become what they were before it, byte for byte."""
    json: bool = False
    """Print one JSON document: pictures, proposals, scores, accepted or taken_back."""


def run(flags: Flags) -> int:
    """Propose, show, accept: whatever of it was asked for."""
    if flags.take_back:
        return _take_back(flags)
    if not flags.by and flags.accept_above is None and flags.sheet is None:
        raise InputError(
            f"say who proposes: --by {', '.join(PROPOSERS)} or RUN (or --accept-above)"
        )
    from viewfinder.labelling.proposals import joined, read_proposals, write_proposals

    data = _folder_of(flags.data)
    if not flags.by:
        proposals = read_proposals(data)
    else:
        proposer = _proposer(flags)
        _refuse_picture(flags.data)
        if flags.data.is_file():
            _take_frames(flags.data, data)
        proposed = proposer(flags, data)
        for told in proposed.notes:
            note(told)
        proposals = joined(read_proposals(data), proposed.proposals)
        write_proposals(data, proposals)
    if flags.sheet is not None:
        from viewfinder.labelling.sheet import write_sheet

        write_sheet(data, proposals, flags.sheet)
    accepted = None
    if flags.accept_above is not None:
        from viewfinder.labelling.accepting import accept

        accepted = accept(data, above=flags.accept_above, proposals=proposals)
    _tell(flags, data, proposals, accepted)
    return 0


def _proposer(flags: Flags) -> "Callable[[Flags, Path], Proposed]":
    """Whoever `--by` names: a word of the table, or a detector's run.

    Raises:
        InputError: it is neither, or has words too many or too few.
    """
    first, *others = flags.by
    wanted = 1 if first == "saliency" else 0
    if len(others) != wanted:
        given = "saliency RUN, or saliency FILE.onnx" if wanted else first
        raise InputError(f"--by {' '.join(flags.by)}: write --by {given}")
    if first in PROPOSERS:
        return PROPOSERS[first]
    if first != "coco" and not Path(first).expanduser().exists():
        raise InputError(
            f"--by {first} is not known: choose {', '.join(PROPOSERS)}, coco, a detector's run, or "
            "a Darknet .weights file"
        )
    return _by_detector


def _by_detector(flags: Flags, data: Path) -> "Proposed":
    from viewfinder.api import open_run
    from viewfinder.devices import pick_device
    from viewfinder.inference.thresholds import threshold_of
    from viewfinder.labelling.by_model import propose_by_detector
    from viewfinder.labelling.proposing import find_pictures

    names = {}
    for entry in flags.names:
        theirs, separator, ours = (part.strip() for part in entry.partition("="))
        if not theirs or (separator and not ours):
            raise InputError(
                f"--names {entry}: write each as class, or as class=name, as in 'cell phone=phone'"
            )
        names[theirs] = ours or theirs
    run = open_run(flags.by[0])
    threshold = threshold_of(run.model, flags.threshold, run.trained)
    assert threshold is not None, "one was wanted"
    return propose_by_detector(
        data,
        find_pictures(data),
        model=run.model,
        names=names,
        threshold=threshold,
        device=pick_device(flags.device),
    )


def _by_saliency(flags: Flags, data: Path) -> "Proposed":
    from viewfinder.datasets.bit_depth import bits_of
    from viewfinder.devices import pick_device
    from viewfinder.inference.opening import ONNX, open_model
    from viewfinder.labelling.by_model import maps_of_model, propose_by_saliency
    from viewfinder.labelling.proposing import find_pictures
    from viewfinder.pictures.reading import BITS

    given = Path(flags.by[1]).expanduser()
    model = open_model(given)
    mapper, bits = maps_of_model(model, pick_device(flags.device)), model.config.bits
    source, pictures = f"saliency: {given.name}", find_pictures(data)
    if model.config.net == ONNX and bits == BITS[-1]:
        # A network of other people's says nothing of bits: then the pictures do.
        bits = bits_of([data / path for path in pictures])
    return propose_by_saliency(
        data, pictures, model=mapper, source=source, name=flags.class_name, bits=bits
    )


def _by_plate(flags: Flags, data: Path) -> "Proposed":
    from viewfinder.labelling.proposing import find_pictures, propose_by_plate

    return propose_by_plate(data, find_pictures(data), empty=flags.empty, name=flags.class_name)


def _by_track(flags: Flags, data: Path) -> "Proposed":
    from viewfinder.labelling.following import propose_by_track
    from viewfinder.labelling.proposing import find_pictures

    return propose_by_track(
        data, find_pictures(data), keys=flags.keys, motion=flags.motion, video=flags.video
    )


PROPOSERS: dict[str, Callable[[Flags, Path], "Proposed"]] = {
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
    from viewfinder.pictures.kinds import source_of

    if data.is_file() and source_of(data).kind == "picture":
        raise InputError(f"{data} is no video: give a folder of pictures, such as {data.parent}")


def _folder_of(data: Path) -> Path:
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
    from viewfinder.labelling.frames import are_frames_of, write_frames

    if folder.exists() and are_frames_of(folder, video):
        note(f"{folder} holds frames of {video} already: these are used")
        return
    if folder.exists():
        raise InputError(
            f"{folder}, where the frames of {video} would go, exists already and holds something "
            f"else: take them into another folder by `viewfinder frames {video} OUT`, and propose "
            "OUT"
        )
    (done,) = write_frames([video], folder)
    note(f"{folder}: {counted(len(done.written), 'frame')} of {video}")
    if done.broken:
        note(f"kept what could be read: {done.broken}")
    if done.gaps:
        note(done.gaps)


def _take_back(flags: Flags) -> int:
    from viewfinder.labelling.accepting import take_back

    if flags.by or flags.accept_above is not None:
        raise InputError("--take-back goes alone: take back first, and then propose or accept")
    data = _folder_of(flags.data)
    done = take_back(data)
    if flags.json:
        print_json({"taken_back": vars(done)})
    else:
        print(
            f"{data}: {counted(done.boxes, 'box')} in "
            f"{counted(done.pictures, 'picture')} taken "
            f"back, which were there since {done.rule}"
        )
    return 0


def _tell(flags: Flags, data: Path, proposals: "Proposals", accepted: "Acceptance | None") -> None:
    if flags.json:
        document = {
            "data": str(data),
            "pictures": len(proposals.paths),
            "proposals": len(proposals),
            "scores": proposals.scores.tolist(),
            "accepted": None if accepted is None else vars(accepted),
        }
        print_json(document)
        return
    sure = int((proposals.scores >= 0.9).sum())
    print(
        f"{data}: {counted(len(proposals), 'proposal')} for "
        f"{counted(len(proposals.paths), 'picture')}, "
        f"{sure:,} of them with a score of 0.9 or more"
    )
    if accepted is None:
        return
    print(
        f"accepted: {counted(accepted.boxes, 'box')} in {counted(accepted.pictures, 'picture')}, "
        f"since {accepted.rule}"
    )
    have = "has" if accepted.labelled == 1 else "have"
    left = {
        "with a lower score": accepted.below,
        f"that {have} boxes already": accepted.labelled,
        "that no file of the set lists": accepted.unlisted,
    }
    for what, count in left.items():
        if count:
            print(f"left alone: {counted(count, 'picture')} {what}")
