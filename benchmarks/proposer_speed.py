"""Pictures a second of everyone who proposes boxes, and frames a second of `frames`.

    uv run python benchmarks/proposer_speed.py VIDEO WEIGHTS

VIDEO is any, WEIGHTS a Darknet file such as yolov3-tiny's. The stand's pictures are rendered, of
640×480 pixels, and the saliency network is A2dele's RGB stream at a quarter of its width and 128
pixels, whose weights are newly drawn, as its speed does not depend on them. Decoding is included,
the loading of libraries is not.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from viewfinder import nets
from viewfinder.inference.opening import open_model
from viewfinder.labelling.by_model import propose_by_detector, propose_by_saliency
from viewfinder.labelling.following import propose_by_track
from viewfinder.labelling.frames import frames_per_second, write_frames
from viewfinder.labelling.proposing import Proposed, find_pictures, propose_by_plate
from viewfinder.pictures.geometry import stretch
from viewfinder.pictures.reading import read_header
from viewfinder.pictures.resampling import resample
from viewfinder.pictures.writing import write_picture
from viewfinder.tabletop import render_turntable

STAND, SIZE = 48, (640, 480)
CPU = torch.device("cpu")


def enlarged(picture: np.ndarray) -> np.ndarray:
    own = (picture.shape[1], picture.shape[0])
    return np.asarray(resample(picture, stretch(own, SIZE), SIZE), np.uint8)


def write_stand(folder: Path) -> Path:
    """Pictures of a thing on its stand; returns that of the empty stand."""
    folder.mkdir()
    turn = render_turntable(5, seed=3, frames=STAND)
    for number, frame in enumerate(turn.frames):
        write_picture(folder / f"{number:03d}.jpg", enlarged(frame))
    empty = folder.parent / "empty.png"
    write_picture(empty, enlarged(turn.empty))
    return empty


def subjects_of_net(pictures):
    """A saliency net's maps, as `propose_by_saliency` asks for them."""
    net = nets.create("a2dele", width=0.25).eval()
    with torch.no_grad():
        for path, picture in pictures:
            small = cv2.resize(picture, (128, 128), interpolation=cv2.INTER_AREA)
            logits = net(torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255).logits
            share = logits.softmax(1)[0, 1].numpy()
            yield path, cv2.resize(share, (picture.shape[1], picture.shape[0]))


def tell(name: str, folder: Path, work: Callable[[list[str]], Proposed]) -> None:
    paths = find_pictures(folder)
    work(paths[:1])  # What is loaded at the first answer, once a process, is no matter of pictures.
    start = time.perf_counter()
    work(paths)
    rate = len(paths) / (time.perf_counter() - start)
    print(f"{name:<34}{rate:8.1f} pictures/s", flush=True)


def main() -> None:
    video, weights = Path(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory() as place:
        stand, frames = Path(place) / "stand", Path(place) / "frames"
        empty = write_stand(stand)
        start = time.perf_counter()
        done = write_frames([video], frames)
        print(f"{'frames':<34}{frames_per_second(done, start):8.1f} frames/s read")
        tell("plate, 640×480", stand, lambda paths: propose_by_plate(stand, paths, empty=empty))
        detector = open_model(weights)
        tell(
            f"detector, {detector.config.net} at {detector.config.size[0]}",
            frames,
            lambda paths: propose_by_detector(
                frames, paths, model=detector, names={}, threshold=0.25, device=CPU
            ),
        )
        tell(
            "saliency, a2dele ¼ at 128",
            frames,
            lambda paths: propose_by_saliency(
                frames, paths, model=subjects_of_net, source="a2dele", name="thing"
            ),
        )
        keys = write_keys(frames)
        for motion in ("linear", "flow"):
            tell(
                f"track, {motion}",
                frames,
                lambda paths, motion=motion: propose_by_track(
                    frames, paths, keys=keys, motion=motion
                ),
            )


def write_keys(frames: Path) -> Path:
    """COCO labels with a box in the middle of every fifth picture."""
    paths = find_pictures(frames)[::5]
    sizes = [read_header(frames / path).size for path in paths]
    document = {
        "images": [
            {"id": number, "file_name": path, "width": width, "height": height}
            for number, (path, (width, height)) in enumerate(zip(paths, sizes, strict=True))
        ],
        "annotations": [
            {
                "id": number,
                "image_id": number,
                "category_id": 1,
                "bbox": [width / 3, height / 3, width / 3, height / 3],
            }
            for number, (width, height) in enumerate(sizes)
        ],
        "categories": [{"id": 1, "name": "thing"}],
    }
    keys = frames.parent / "keys.json"
    keys.write_text(json.dumps(document))
    return keys


if __name__ == "__main__":
    main()
