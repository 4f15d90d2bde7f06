"""How well objects are followed through rendered clips: MOTA, IDF1 and HOTA by TrackEval.

    python benchmarks/tracking_scores.py
    python benchmarks/tracking_scores.py RUN

Four conveyors (ten things on two belts, of which one overtakes the other) and four turntables (four
things that hide one another as they turn), 60 frames each, with the truth of what is seen. Of
perfect detections; of such as lack one in five, or tremble by 5 % of a box, or both; of equal boxes
that pass each other in opposite directions, of which one is found where two overlap; and of a
detector, the RUN that this trains on scenes of the same things where none is given:

    python benchmarks/tracking_scores.py --train 4 RUN
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

import moving_clips as clips
import tracking_scores as scoring

from viewfinder.api import open_run, train
from viewfinder.inference.tracking.following import TrackedDetections
from viewfinder.pictures.writing import write_picture
from viewfinder.tabletop.options import SceneOptions
from viewfinder.tabletop.rendered_sets import SplitCounts, write_scenes

SIZE, FRAMES, CLIPS, PASSING = 256, 60, 4, 12

Find = Callable[[Sequence[clips.Frame], int], list[TrackedDetections]]


def given(dropped: float, jitter: float) -> Find:
    def find(frames: Sequence[clips.Frame], seed: int) -> list[TrackedDetections]:
        spoilt = scoring.spoilt(frames, seed=seed, dropped=dropped, jitter=jitter)
        return scoring.followed(spoilt, SIZE)

    return find


def by_run(folder: str) -> Find:
    run = open_run(folder)

    def find(frames: Sequence[clips.Frame], seed: int) -> list[TrackedDetections]:
        with tempfile.TemporaryDirectory() as place:
            for number, frame in enumerate(frames):
                write_picture(Path(place) / f"{number:04}.png", frame.picture)
            answers = run.track(place).answers
        return [each.value for each in answers if isinstance(each.value, TrackedDetections)]

    return find


def tell(name: str, kind: str, films: Sequence[Sequence[clips.Frame]], find: Find) -> None:
    found = [scoring.score(film, find(film, seed)) for seed, film in enumerate(films)]
    mota, idf1, hota = (
        np.mean([getattr(each, figure) for each in found]) for figure in ("mota", "idf1", "hota")
    )
    boxes = sum(len(frame.boxes) for film in films for frame in film)
    switches = sum(each.switches for each in found)
    print(
        f"{kind:10s} {name:36s} MOTA {mota:.3f}  IDF1 {idf1:.3f}  HOTA {hota:.3f}  "
        f"{switches} switches in {boxes:,} boxes",
        flush=True,
    )


def learn(folder: str, minutes: float) -> None:
    """A detector of scenes of the same eight classes, which show other things of them."""
    with tempfile.TemporaryDirectory() as place:
        data = Path(place) / "scenes"
        counts = SplitCounts(train=400, val=40, test=0)
        options = SceneOptions(size=SIZE, objects=(3, 8), scale=(0.28, 0.6), clutter=0.3)
        write_scenes(data, counts=counts, seed=7, options=options)
        train("detect", data, out=folder, size=SIZE, minutes=minutes, init="coco")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", nargs="?")
    parser.add_argument("--train", type=float)
    asked = parser.parse_args()
    if asked.train is not None:
        learn(asked.run, asked.train)
    finders = {
        "perfect": given(0, 0),
        "one in five is missing": given(0.2, 0),
        "edges tremble by 5 %": given(0, 0.05),
        "both": given(0.2, 0.05),
    }
    if asked.run is not None:
        finders[f"found by {Path(asked.run).name}"] = by_run(asked.run)
    for kind, make in (("conveyor", clips.conveyor), ("turntable", clips.turntable)):
        films = [make(seed=seed, frames=FRAMES, size=SIZE) for seed in range(CLIPS)]
        for name, find in finders.items():
            tell(name, kind, films, find)
    passed = [scoring.passing(seed=seed) for seed in range(PASSING)]
    tell(
        "pass each other",
        "passing",
        [film for film, _ in passed],
        lambda _, seed: scoring.followed(passed[seed][1], SIZE),
    )


if __name__ == "__main__":
    main()
