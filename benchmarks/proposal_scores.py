"""Whether a proposal's score is the IoU that its box has with the true one.

    uv run python benchmarks/proposal_scores.py plate                     rendered stands
    uv run python benchmarks/proposal_scores.py saliency DATA… --runs RUN…    their side test
    uv run python benchmarks/proposal_scores.py track                     rendered turns and pans
    uv run python benchmarks/proposal_scores.py bottles VIDEO WEIGHTS     a real video

Prints a table: of the proposals whose score lies within a bin, how many there are, their mean score
and their boxes' mean IoU (masks' too), and over all the mean difference of the two, weighted by
how many there are. --fit instead prints the points of `labelling/certainty.py`, of other seeds
than those of the table; --seeds A B takes seeds A to B.

Stands are seen well, in flat light, through noise of 10 grey levels, and through JPEG of quality
15. bottles takes boxes that a detector finds for the true ones, as `bottle_tracking.py` does.
"""

import argparse
import itertools
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from bottle_tracking import BOTTLES, detected, every_frame, key_frames, write_keys

from viewfinder.datasets.frame_list import FrameOrigin, write_frame_list
from viewfinder.datasets.opening import open_dataset
from viewfinder.inference.opening import open_model
from viewfinder.labelling import by_model, certainty, following, plate
from viewfinder.labelling.proposing import find_pictures
from viewfinder.labelling.tracking import nearest_pairs
from viewfinder.pictures.geometry import iou
from viewfinder.pictures.reading import read_mask, read_picture
from viewfinder.pictures.video import read_video
from viewfinder.pictures.writing import write_picture
from viewfinder.tabletop import CLASSES, TurntableOptions, render_turntable

Row = tuple[float, float, float]
"""A proposal's score, its box's IoU, and its mask's (NaN where it has none)."""

FIT, CHECK = (400, 408), (500, 504)


def on_stands(seeds: range) -> Iterator[Row]:
    cv2.setNumThreads(1)
    for seed in seeds:
        random = np.random.default_rng(seed)
        for label in range(len(CLASSES)):
            options = TurntableOptions(
                noise=float(random.choice([1, 3, 6])),
                drift=float(random.uniform(0, 0.08)),
                shadow=float(random.uniform(0.3, 0.85)),
                shake=float(random.uniform(0, 3)),
                elevation=(20, 60),
            )
            turn = render_turntable(label, seed=seed, frames=3, options=options)
            for frame, box, mask in zip(turn.frames, turn.boxes, turn.masks, strict=True):
                for way in (np.asarray, flat, noisy, coarse):
                    found = plate.find_on_stand(way(frame), way(turn.empty))
                    for sighting in found[:1]:
                        yield sighting.score, *compared(sighting, box, mask)


def compared(found, box: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    shared = (found.mask & mask).sum() / (found.mask | mask).sum()
    return float(iou(found.box[None], box[None])[0, 0]), float(shared)


def flat(picture: np.ndarray) -> np.ndarray:
    return (120 + 0.35 * (picture.astype(np.float32) - 120)).astype(np.uint8)


def noisy(picture: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(int(picture.sum())).normal(0, 10, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def coarse(picture: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 15])[1], 1)


def by_saliency(sets: list[str], runs: list[str]) -> Iterator[Row]:
    """The largest subject that each run finds in each picture."""
    for data in sets:
        yield from in_set(open_dataset(data).split("test"), runs)


def in_set(dataset, runs: list[str]) -> Iterator[Row]:
    pictures = [read_picture(dataset.file(index)) for index in range(len(dataset))]
    masks = [read_mask(dataset.root / name) for name in dataset.masks]
    names = [str(index) for index in range(len(dataset))]
    for run in runs:
        mapper = by_model.maps_of_model(open_model(run), torch.device("cpu"))
        for name, values in mapper(zip(names, pictures, strict=True)):
            true = masks[int(name)]
            for found, mask, score in list(by_model.subjects(values))[:1]:
                rows, columns = (np.flatnonzero(true.any(axis=axis)) for axis in (1, 0))
                box = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
                overlap = iou(found[None], np.array([box], np.float32))[0, 0]
                yield score, float(overlap), float((mask & true).sum() / (mask | true).sum())


def carried(motion: str, seeds: range) -> Iterator[Row]:
    """Boxes carried through turns of 24 frames, and through pans over their first frame."""
    for seed in seeds:
        random = np.random.default_rng(seed)
        label = seed % len(CLASSES)
        turn = render_turntable(label, seed=seed, frames=24, options=TurntableOptions(noise=3))
        pan = panned(turn.frames[0], turn.boxes[0], random)
        for frames, boxes in ((turn.frames, turn.boxes), pan):
            with tempfile.TemporaryDirectory() as place:
                yield from followed(Path(place), frames, boxes, motion, int(random.integers(4, 12)))


def panned(frame: np.ndarray, box: np.ndarray, random) -> tuple[list, list]:
    """A camera that moves, sways, comes near, and shakes, before a picture."""
    frames, boxes = [], []
    drift, growth, side = random.uniform(-2, 2, 2), random.uniform(0.99, 1.01), frame.shape[0]
    sway, pace, phase = random.uniform(0, 30, 2), random.uniform(0.1, 0.6), random.uniform(0, 6, 2)
    for step in range(24):
        scale = growth**step
        shift = drift * step + sway * (np.sin(pace * step + phase) - np.sin(phase))
        shift += random.normal(0, 0.6, 2) + side / 2 * (1 - scale)
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        moved = (box * scale + np.tile(shift, 2)).clip(0, side)
        if (moved[2:] - moved[:2]).min() < 8:
            break
        frames.append(cv2.warpAffine(frame, matrix, (side, side), borderMode=cv2.BORDER_REFLECT))
        boxes.append(moved.astype(np.float32))
    return frames, boxes


def followed(place: Path, frames, boxes, motion: str, every: int) -> Iterator[Row]:
    folder = place / "frames"
    origins = {}
    for number, frame in enumerate(frames):
        name = f"{number:06d}.jpg"
        write_picture(folder / name, np.asarray(frame), quality=92)
        origins[name] = FrameOrigin("turn.mp4", number, number / 12)
    write_frame_list(folder, origins)
    found = {f"{n:06d}.jpg": np.asarray(box)[None] for n, box in enumerate(boxes)}
    keys = [f"{n:06d}.jpg" for n in range(0, len(frames), every)]
    write_keys(place / "keys.json", found, keys, frames[0].shape[1::-1])
    done = following.propose_by_track(
        folder, find_pictures(folder), keys=place / "keys.json", motion=motion
    )
    p = done.proposals
    for picture, corners, score in zip(p.pictures, p.found.boxes, p.found.scores, strict=True):
        true = found[p.paths[picture]].astype(np.float32)
        yield float(score), float(iou(corners[None].astype(np.float32), true)[0, 0]), np.nan


def with_bottles(video: Path, weights: str) -> Iterator[tuple[str, list[Row]]]:
    model = open_model(weights)
    with tempfile.TemporaryDirectory() as place:
        frames, keys_file = Path(place) / "all", Path(place) / "keys.json"
        every_frame(video, frames)
        found = detected(frames, model)
        height, width = next(read_video(video)).picture.shape[:2]
        write_keys(keys_file, found, key_frames(found), (width, height))
        for motion in ("linear", "flow"):
            done = following.propose_by_track(
                frames, find_pictures(frames), keys=keys_file, motion=motion, video=video
            )
            p, rows = done.proposals, []
            for number, path in enumerate(p.paths):
                own = p.found.take(p.of(number))
                boxes, scores = own.boxes.astype(np.float32), own.scores
                # Where the detector misses a bottle, nothing is known of its box.
                if len(found[path]) == BOTTLES and len(boxes):
                    table = iou(found[path], boxes)
                    pairs = nearest_pairs(list(boxes), list(found[path])).items()
                    rows += [(scores[one], table[now, one], np.nan) for now, one in pairs]
            yield motion, rows


def tell(name: str, rows: list[Row]) -> None:
    scores, boxes, masks = np.array(rows).T
    print(
        f"{name}: {len(rows):,} proposals, mean score {scores.mean():.3f}, IoU {boxes.mean():.3f}"
    )
    edges = [0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.001]
    error = 0.0
    for low, high in itertools.pairwise(edges):
        here = (scores >= low) & (scores < high)
        if here.any():
            error += here.sum() * abs(scores[here].mean() - boxes[here].mean())
            of_masks = "" if np.isnan(masks[here]).any() else f"   masks {masks[here].mean():.3f}"
            print(
                f"  {low:.2f} to {min(high, 1):.2f}: {here.sum():5,}   score "
                f"{scores[here].mean():.3f}   boxes {boxes[here].mean():.3f}{of_masks}"
            )
    print(f"  mean difference of score and IoU over the bins: {error / len(rows):.3f}")


def fitted(rows: list[Row], points: int = 9) -> list[tuple[float, float]]:
    """Isotonic regression by pooling adjacent violators, as a few points."""
    scores, boxes, _ = np.array(sorted(rows)).T
    pools: list[list[float]] = []
    for value in boxes:
        pools.append([value, 1])
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            value_2, count_2 = pools.pop()
            value_1, count_1 = pools.pop()
            count = count_1 + count_2
            pools.append([(value_1 * count_1 + value_2 * count_2) / count, count])
    level = np.repeat([value for value, _ in pools], [int(count) for _, count in pools])
    groups = np.array_split(np.arange(len(scores)), points)
    curve = [(float(scores[g].mean()), float(level[g].mean())) for g in groups]
    curve = [(0.0, curve[0][1] * 0.8), *curve, (1.0, curve[-1][1])]
    return [(round(x, 3), round(y, 3)) for x, y in dict(curve).items()]


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("by", choices=["plate", "saliency", "track", "bottles"])
    words.add_argument("given", nargs="*")
    words.add_argument("--fit", action="store_true")
    words.add_argument("--runs", nargs="*", default=[])
    words.add_argument("--seeds", nargs=2, type=int)
    given = words.parse_args()
    seeds = range(*(given.seeds or (FIT if given.fit else CHECK)))
    plain = ((0.0, 0.0), (1.0, 1.0))
    if given.fit:
        for name in ("PLATE", "SALIENCY", "LINEAR", "FLOW"):
            setattr(certainty, name, plain)
            for module in (plate, by_model, following):
                if hasattr(module, name):
                    setattr(module, name, plain)
    if given.by == "bottles":
        for motion, rows in with_bottles(Path(given.given[0]), given.given[1]):
            tell(f"track, {motion}", rows)
        return
    jobs: dict[str, Callable[[], Iterator[Row]]] = {
        "plate": lambda: on_stands(seeds),
        "saliency": lambda: by_saliency(given.given, given.runs),
        "track, linear": lambda: carried("linear", seeds),
        "track, flow": lambda: carried("flow", seeds),
    }
    for name, work in jobs.items():
        if name.startswith(given.by):
            rows = list(work())
            tell(name, rows)
            if given.fit:
                print(json.dumps(fitted(rows)))


if __name__ == "__main__":
    main()
