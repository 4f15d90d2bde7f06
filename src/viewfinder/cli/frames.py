"""Take sharp frames that differ out of videos, to label them.

A video is cut into stretches of equal length, half a second if you do not say otherwise, and the
sharpest frame of each is taken; but none that is far blurrier than those around it that show the
same, and none that shows nearly what another shows already. Beside the pictures, frames.json tells
of each its video, its number there and its second, and with it a data set keeps frames of one video
together.

  viewfinder frames turn.mp4 mug                frames of one video
  viewfinder frames a.mov b.mov videos/ frames  of several, and all in a folder
  viewfinder frames a.mov part --from 1:05 --to 1:23.5   of one part

Example:

  viewfinder frames mug.mp4 captures/mug --every 0.5
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from viewfinder.cli.output import print_json, say
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.wording import counted


@dataclass(frozen=True)
class Flags:
    places: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="VIDEO… OUT")]
    """Videos, or folders of videos, and last the folder to write; it must not exist yet."""
    every: float = 0.5
    """Seconds: one frame is looked for in each stretch of this length."""
    sharpest: int | None = None
    """Cut each video into this many stretches instead: so many frames of it at most."""
    begin: Annotated[str, tyro.conf.arg(name="from", metavar="SECONDS")] = "0"
    """Of each video, where to begin: seconds, or minutes and seconds, as 1:23."""
    end: Annotated[str | None, tyro.conf.arg(name="to", metavar="SECONDS")] = None
    """Of each video, where to stop; its end if not given."""
    format: Literal["jpg", "png"] = "jpg"
    """JPEG of quality 95, or PNG, which loses nothing and is several times as large."""
    json: bool = False
    """Print one JSON document: out, frames_per_s, videos (video, read, written, …)."""


def _seconds(flag: str, text: str) -> float:
    """Of `83.5`, `1:23.5` or `1:02:03`."""
    if not re.fullmatch(r"(\d+:){0,2}\d+(\.\d*)?", text, re.ASCII):
        instead = ": the format is --format" if text in ("jpg", "png") else ""
        raise InputError(
            f"{flag} {text}{instead or ': give seconds, as 83.5, or minutes and seconds, as 1:23'}"
        )
    seconds = 0.0
    for part in text.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


def run(flags: Flags) -> int:
    """Write the frames and say what was left out; status 1 if a video is damaged or cut short."""
    import time

    from viewfinder.labelling.frames import find_videos, frames_per_second, write_frames

    if len(flags.places) < 2:
        raise InputError("give a video and then the folder to write: viewfinder frames VIDEO OUT")
    *sources, out = flags.places
    started = time.perf_counter()
    done = write_frames(
        find_videos(sources),
        out,
        every=flags.every,
        sharpest=flags.sharpest,
        since=_seconds("--from", flags.begin),
        until=None if flags.end is None else _seconds("--to", flags.end),
        to=flags.format,
    )
    speed = frames_per_second(done, started)
    for extraction in done:
        if extraction.broken:
            note(f"kept what could be read: {extraction.broken}")
        if extraction.gaps:
            note(extraction.gaps)
    if flags.json:
        videos = [vars(extraction) | {"video": str(extraction.video)} for extraction in done]
        print_json({"out": str(out), "frames_per_s": speed, "videos": videos})
    else:
        for e in done:
            say(
                f"{e.video}: {len(e.written)} of {counted(e.read, 'frame')}; left out "
                f"{e.blurred} blurred and {e.alike} that another shows already, of one in each "
                "stretch of time (--every, --sharpest)"
            )
            if e.few:
                say(e.few)
        count = sum(len(extraction.written) for extraction in done)
        say(f"{out}: {counted(count, 'picture')}, {speed:.0f} frames read a second")
    return int(any(extraction.broken for extraction in done))
