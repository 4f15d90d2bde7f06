"""Small videos of a textured thing before a textured wall."""

import av
import numpy as np
import pytest

from viewfinder.pictures.video_writing import write_video
from viewfinder.tabletop import TurntableOptions, render_turntable


@pytest.fixture(scope="session")
def moving():
    """A function: N frames in which a striped square moves a few pixels at a time."""
    thing = np.zeros((32, 32, 3), np.uint8)
    thing[::8] = thing[1::8] = thing[2::8] = (250, 220, 40)
    thing[:, 12:20, 2] = 255

    def frames(count, *, step=3, start=4, seed=3):
        random = np.random.default_rng(seed)
        wall = random.integers(90, 160, (12, 16, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
        shown = []
        for index in range(count):
            picture = wall.copy()
            x = start + step * index
            picture[30:62, x : x + 32] = thing
            shown.append(picture)
        return shown

    return frames


@pytest.fixture
def cut_short(tmp_path, moving):
    """A video whose table of frames stands in front, and whose second half is missing."""
    whole, front = tmp_path / "whole.mp4", tmp_path / "kürzer.mp4"
    write_video(whole, moving(24))
    options = {"movflags": "faststart"}
    with av.open(str(whole)) as source, av.open(str(front), "w", options=options) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    whole.unlink()
    data = front.read_bytes()
    front.write_bytes(data[: data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2])
    return front


@pytest.fixture(scope="session")
def turntables():
    """Three turns of four frames each, with noise, drift, shadow and a camera that shifts."""
    options = TurntableOptions(size=160, noise=3, drift=0.05, shadow=0.6, shake=2)
    return [render_turntable(label, seed=9, frames=4, options=options) for label in (1, 4, 5)]
