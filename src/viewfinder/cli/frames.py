"""Take sharp frames that differ out of videos, to label them.

A video is cut into stretches of equal length, half a second if you do not say otherwise, and the
sharpest frame of each is taken; but none that is far blurrier than those around it, and none that
shows nearly what another shows already. Beside the pictures, frames.json tells of each its video,
its number there and its second, and with it a data set keeps frames of one video together.

  viewfinder frames turn.mp4 mug                 frames of one video
  viewfinder frames a.mov b.mov videos/ frames   of several, and of all in a folder
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from viewfinder.cli.output import print_json
from viewfinder.console import note
from viewfinder.errors import InputError


@dataclass(frozen=True)
class Flags:
    places: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="VIDEO… OUT")]
    """Videos, or folders of videos, and last the folder to write; it must not exist yet."""
    every: float = 0.5
    """Seconds: one frame is looked for in each stretch of this length."""
    sharpest: int | None = None
    """Cut each video into this many stretches instead: so many frames of it at most."""
    to: Literal["jpg", "png"] = "jpg"
    """JPEG of quality 95, or PNG, which loses nothing and is several times as large."""
    json: bool = False
    """Print one JSON document: out, frames_per_s, videos (video, read, written, …)."""


def run(flags: Flags) -> int:
    """Write the frames and say what was left out; status 1 if a video is damaged."""
    import time

    from viewfinder.labelling.frames import find_videos, frames_per_second, write_frames

    if len(flags.places) < 2:
        raise InputError("give a video and then the folder to write: viewfinder frames VIDEO OUT")
    *sources, out = flags.places
    started = time.perf_counter()
    done = write_frames(
        find_videos(sources), out, every=flags.every, sharpest=flags.sharpest, to=flags.to
    )
    speed = frames_per_second(done, started)
    for extraction in done:
        if extraction.broken:
            note(f"kept what could be read: {extraction.broken}")
    if flags.json:
        videos = [vars(extraction) | {"video": str(extraction.video)} for extraction in done]
        print_json({"out": str(out), "frames_per_s": speed, "videos": videos})
    else:
        for e in done:
            print(
                f"{e.video}: {len(e.written)} of {e.read:,} frames; left out "
                f"{e.blurred} blurred and {e.alike} that another shows already"
            )
        count = sum(len(extraction.written) for extraction in done)
        print(f"{out}: {count} pictures, {speed:.0f} frames read a second")
    return int(any(extraction.broken for extraction in done))
