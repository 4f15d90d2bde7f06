"""The demonstration's first stages: from videos of things on a stand to pictures with labels.

captures/ball/1/   a video of a ball on a turning stand, the empty stand, and the truth
frames/ball/       pictures of these videos, with boxes and outlines that were proposed and accepted

Each process that films or proposes imports this module, so that it stays far from torch.
"""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewfinder.datasets.formats.coco.writing import category_rows, image_row
from viewfinder.datasets.frame_list import read_frame_list
from viewfinder.demo.setting import DemoSetting
from viewfinder.events import listening
from viewfinder.files import write_json
from viewfinder.labelling.accepting import Acceptance, accept
from viewfinder.labelling.frames import write_frames
from viewfinder.labelling.proposals import Proposals, joined, write_proposals
from viewfinder.labelling.proposing import Proposed, propose_by_plate
from viewfinder.pictures.geometry import iou
from viewfinder.reading import read_bytes
from viewfinder.tabletop import CLASSES, TurntableOptions, write_turntable
from viewfinder.tabletop.parallel import in_parallel

ABOVE = 0.9
"""A picture is accepted if its proposal scores at least this."""

# Seconds that a filmed turn takes.
_TURN = 4.0
# A thing on a cluttered table may be seen from any of these heights, in degrees.
_ELEVATION = (20.0, 60.0)


@dataclass(frozen=True)
class Shot:
    """A picture that was taken from a video: its path below `frames/`, and whence it comes."""

    path: str
    capture: Path
    number: int


def film(place: Path, setting: DemoSetting) -> None:
    """Render a turn of each thing on its stand, and the empty stand, into `captures/`.

    Each is another thing of its class, and filmed from another height.
    """
    jobs = [
        (place / "captures" / name / str(number), label, number, setting)
        for number in range(1, setting.things + 1)
        for label, name in enumerate(CLASSES)
    ]
    with closing(in_parallel(_film, jobs, processes=None, description="Filming")) as work:
        for _ in work:
            pass


def _film(job: tuple[Path, int, int, DemoSetting]) -> None:
    folder, label, number, setting = job
    write_turntable(
        folder,
        label=label,
        frames=setting.turn,
        seed=1000 * setting.seed + number,
        options=TurntableOptions(size=setting.size, elevation=_ELEVATION),
        rate=max(1, round(setting.turn / _TURN)),
    )


def take_frames(place: Path, setting: DemoSetting) -> list[Shot]:
    """Take sharp frames that differ out of the videos into `frames/`, a folder a class."""
    shots = []
    for name in CLASSES:
        captures = [place / "captures" / name / str(n) for n in range(1, setting.things + 1)]
        folder = place / "frames" / name
        videos = [capture / "turntable.mp4" for capture in captures]
        done = write_frames(videos, folder, sharpest=setting.frames)
        origins = read_frame_list(folder)
        shots += [
            Shot(f"{name}/{picture}", capture, origins[picture].frame)
            for capture, extraction in zip(captures, done, strict=True)
            for picture in extraction.written
        ]
    return shots


def propose(place: Path, shots: Sequence[Shot]) -> Proposals:
    """Propose a box and an outline for each picture, from the difference to its empty stand."""
    captures = list(dict.fromkeys(shot.capture for shot in shots))
    jobs = [
        (place / "frames", [shot.path for shot in shots if shot.capture == capture], capture)
        for capture in captures
    ]
    proposals = Proposals()
    with closing(in_parallel(_propose, jobs, processes=None, description="Proposing")) as work:
        for proposed in work:
            proposals = joined(proposals, proposed.proposals)
    write_proposals(place / "frames", proposals)
    return proposals


def _propose(job: tuple[Path, list[str], Path]) -> Proposed:
    data, paths, capture = job
    # Each process would draw a bar of its own over that of all captures.
    with listening():
        return propose_by_plate(data, paths, empty=capture / "empty.png")


def accept_sure(place: Path, proposals: Proposals) -> Acceptance:
    """Make labels of the sure proposals; all pictures of `frames/` are there to be learnt from."""
    frames = place / "frames"
    images = [
        image_row(number, path, size)
        for number, (path, size) in enumerate(zip(proposals.paths, proposals.sizes, strict=True), 1)
    ]
    categories = category_rows(CLASSES)
    # None of them is kept to judge by, so all are listed as of the side train beforehand.
    file = frames / "annotations" / "instances_train.json"
    write_json(file, {"images": images, "annotations": [], "categories": categories})
    return accept(frames, above=ABOVE)


def overlaps(shots: Sequence[Shot], proposals: Proposals) -> NDArray[np.float64]:
    """The IoU of each proposal's box with the true one, which the renderer knows."""
    truth = {capture: _true_boxes(capture) for capture in {shot.capture for shot in shots}}
    boxes = {shot.path: truth[shot.capture][shot.number] for shot in shots}
    found = proposals.found.boxes.astype(np.float32)
    return np.array(
        [
            iou(found[row : row + 1], boxes[proposals.paths[picture]][None])[0, 0]
            for row, picture in enumerate(proposals.pictures.tolist())
        ],
        np.float64,
    )


def _true_boxes(capture: Path) -> NDArray[np.float32]:
    """The box of each frame of a video."""
    document = json.loads(read_bytes(capture / "truth.json"))
    corners = np.array([item["bbox"] for item in document["annotations"]], np.float32)
    corners[:, 2:] += corners[:, :2]
    return corners
