"""How well boxes are carried through a real video from one key frame in fifteen.

    uv run python benchmarks/bottle_tracking.py VIDEO WEIGHTS

VIDEO is bottle-detection.mp4 of Intel's sample videos, in which a hand takes away three bottles and
puts them back; WEIGHTS is yolov3-tiny's of COCO. Two figures: of the frames that `viewfinder
frames` takes, in how many the detector finds every bottle that is seen whole; and, over all frames,
the mean IoU of the carried boxes with the detector's, where it finds three. The key frames' boxes
are the detector's, those of the frame nearest to every fifteenth in which it finds three.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from viewfinder.datasets.frame_list import FrameOrigin, write_frame_list
from viewfinder.inference.opening import open_model
from viewfinder.labelling.by_model import propose_by_detector
from viewfinder.labelling.following import propose_by_track
from viewfinder.labelling.frames import write_frames
from viewfinder.labelling.proposals import Proposals
from viewfinder.labelling.proposing import find_pictures
from viewfinder.labelling.tracking import nearest_pairs
from viewfinder.pictures.geometry import iou
from viewfinder.pictures.video import read_video
from viewfinder.pictures.writing import write_picture
from viewfinder.tasks.model import Model

BOTTLES, EVERY, THRESHOLD = 3, 15, 0.25
# Sampled frames that show fewer than three whole bottles, and how many, counted by eye.
TWO = (216, 261, 336, 669, 679, 694, 709, 723, 738, 768, 813, 962, 1037)
FEWER = dict.fromkeys(TWO, 2) | {546: 1}


def detected(folder: Path, model: Model) -> dict[str, np.ndarray]:
    """The boxes of the bottles in each picture."""
    found = propose_by_detector(
        folder,
        find_pictures(folder),
        model=model,
        names={"bottle": "bottle"},
        threshold=THRESHOLD,
        device=torch.device("cpu"),
    )
    return boxes_of(found.proposals)


def boxes_of(proposals: Proposals) -> dict[str, np.ndarray]:
    return {
        path: proposals.found.boxes[proposals.pictures == number].astype(np.float32)
        for number, path in enumerate(proposals.paths)
    }


def every_frame(video: Path, folder: Path) -> None:
    """All frames as pictures, with their origins."""
    folder.mkdir()
    origins = {}
    for frame in read_video(video):
        name = f"{frame.index:06d}.jpg"
        write_picture(folder / name, frame.picture, quality=95)
        origins[name] = FrameOrigin(video.name, frame.index, frame.seconds)
    write_frame_list(folder, origins)


def key_frames(found: dict[str, np.ndarray]) -> list[str]:
    """Of each fifteen frames that one with three bottles which stands nearest to their middle."""
    whole = [int(path[:6]) for path, boxes in found.items() if len(boxes) == BOTTLES]
    keys = {}
    for frame in sorted(whole, key=lambda frame: abs(frame % EVERY - EVERY // 2)):
        keys.setdefault(frame // EVERY, frame)
    return [f"{frame:06d}.jpg" for frame in sorted(keys.values())]


def write_keys(file: Path, found: dict[str, np.ndarray], keys: list[str], size: tuple) -> None:
    annotations = [
        {
            "id": 10 * image + number,
            "image_id": image,
            "category_id": 1,
            "bbox": [float(x1), float(y1), float(x2 - x1), float(y2 - y1)],
        }
        for image, path in enumerate(keys)
        for number, (x1, y1, x2, y2) in enumerate(found[path])
    ]
    images = [
        {"id": image, "file_name": path, "width": size[0], "height": size[1]}
        for image, path in enumerate(keys)
    ]
    categories = [{"id": 1, "name": "bottle"}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    file.write_text(json.dumps(document))


def tell_found(sampled: dict[str, np.ndarray]) -> None:
    counts = {int(path[-10:-4]): len(boxes) for path, boxes in sampled.items()}
    if not counts.keys() >= FEWER.keys():
        print("other frames were sampled than those whose bottles were counted by eye")
        return
    whole = {frame: FEWER.get(frame, BOTTLES) for frame in counts}
    three = [frame for frame in counts if whole[frame] == BOTTLES]
    good = sum(counts[frame] >= whole[frame] for frame in counts)
    good_three = sum(counts[frame] >= BOTTLES for frame in three)
    print(f"{len(counts)} frames sampled: every whole bottle found in {good / len(counts):.1%}")
    print(f"{len(three)} of them with three: all found in {good_three / len(three):.1%}")


def overlaps(carried: dict[str, np.ndarray], found: dict[str, np.ndarray]) -> np.ndarray:
    """For each carried box the IoU with the detected bottle that it most likely is."""
    values = []
    for path, boxes in carried.items():
        if len(boxes) and len(found[path]) == BOTTLES:
            pairs = nearest_pairs(list(boxes), list(found[path]))
            table = iou(found[path], boxes)
            values += [table[now, then] for now, then in pairs.items()]
    return np.array(values)


def main() -> None:
    video, model = Path(sys.argv[1]), open_model(sys.argv[2])
    with tempfile.TemporaryDirectory() as place:
        sampled, frames, keys_file = (Path(place) / name for name in ("some", "all", "keys.json"))
        write_frames([video], sampled)
        tell_found(detected(sampled, model))
        every_frame(video, frames)
        found = detected(frames, model)
        keys = key_frames(found)
        height, width = next(read_video(video)).picture.shape[:2]
        write_keys(keys_file, found, keys, (width, height))
        whole = sum(len(boxes) == BOTTLES for boxes in found.values())
        print(f"{len(found)} frames, {whole} with three bottles; {len(keys)} key frames")
        for motion in ("linear", "flow"):
            start = time.perf_counter()
            done = propose_by_track(
                frames, find_pictures(frames), keys=keys_file, motion=motion, video=video
            )
            seconds = time.perf_counter() - start
            carried = boxes_of(done.proposals)
            values = overlaps(carried, found)
            print(
                f"{motion:<7} {len(values)} boxes compared: mean IoU {values.mean():.3f}, median "
                f"{np.median(values):.3f}, at least 0.7: {(values >= 0.7).mean():.1%}; lost "
                f"{len(done.notes)} times; {len(carried) / seconds:.0f} frames/s"
            )


if __name__ == "__main__":
    main()
