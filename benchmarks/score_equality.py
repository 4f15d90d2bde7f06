"""Whether `score`'s figures are PySODMetrics', and how long both take on the same maps.

    python3 -m venv /tmp/sod && /tmp/sod/bin/pip install pysodmetrics
    uv run python benchmarks/score_equality.py /tmp/sod/bin/python            and 1,000 maps
    uv run python benchmarks/score_equality.py /tmp/sod/bin/python 200
    uv run python benchmarks/score_equality.py /tmp/sod/bin/python --script examples/test_metrics.py

PySODMetrics stands in an environment of its own, as it needs an older OpenCV. Each reads maps and
masks from PNG itself. Equality: 60 made cases (soft, noisy, noise alone, the mask itself, moved,
inverted; thin and tiny subjects, and masks with grey in them), and where ../shared is there its
three real pairs; the largest difference of any picture is printed, of curves at any threshold; the
size-invariant scores too. Time: MAE, S, E, F and weighted F with all curves. With --script also
that of PySODMetrics' own script, as its repository has it (it reads test_data/masks and
test_data/preds of the folder that it is run in, which are made here), beside the whole command
`viewfinder score`, intervals, tables, figures and page included.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TypedDict

import cv2
import numpy as np

from viewfinder.events import listening
from viewfinder.scoring.measured import Measured
from viewfinder.scoring.reading import asked
from viewfinder.scoring.saliency import Judged, judge
from viewfinder.scoring.sets import map_contests

_CASES = 60
_SHARED = Path(__file__).resolve().parents[2] / "shared/golden/saliency_metrics"

PEER = """
import json, sys, time, warnings
from pathlib import Path
warnings.simplefilter("ignore")
import cv2
import py_sod_metrics as sod
maps, masks = map(Path, sys.argv[1:3])
found, start = {}, time.perf_counter()
for file in sorted(masks.iterdir()):
    mask = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    answer = cv2.imread(str(maps / file.name), cv2.IMREAD_GRAYSCALE)
    own = [sod.MAE(), sod.Smeasure(), sod.Emeasure(), sod.Fmeasure(), sod.WeightedFmeasure()]
    by_part = [] if len(sys.argv) > 3 else [sod.SizeInvarianceMAE(), sod.SizeInvarianceFmeasureV2(
        metric_handlers={"fm": sod.FmeasureHandler(
            with_dynamic=True, with_adaptive=False, beta=0.3)})]
    own += by_part
    for metric in own:
        metric.step(answer, mask)
    mae, s, e, f, w, *alike = [metric.get_results() for metric in own]
    found[file.name] = {
        "mae": [float(mae["mae"])], "s_measure": [float(s["sm"])],
        "weighted_f": [float(w["wfm"])], "f_adaptive": [float(f["fm"]["adp"])],
        "e_adaptive": [float(e["em"]["adp"])], "f_curve": f["fm"]["curve"].tolist(),
        "e_curve": e["em"]["curve"].tolist(), "precision": f["pr"]["p"].tolist(),
        "recall": f["pr"]["r"].tolist(),
    }
    if alike:
        curves = alike[1]["fm"]["dynamic"][0]
        found[file.name] |= {"si_mae": [float(alike[0]["si_mae"])],
                             "si_f_curve": curves.mean(axis=0).tolist()}
print(json.dumps({"seconds": time.perf_counter() - start, "scores": found}))
"""


class Peers(TypedDict):
    """What the peer found: of each picture, its scores and curves."""

    seconds: float
    scores: dict[str, dict[str, list[float]]]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("python", help="an interpreter that has PySODMetrics")
    parser.add_argument("maps", type=int, nargs="?", default=1000)
    parser.add_argument("--script", type=Path, help="PySODMetrics' examples/test_metrics.py")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        os.environ["VIEWFINDER_CACHE"] = str(root / "cache")
        _draw(root / "cases", _CASES, (96, 128))
        _compare("60 made cases", root / "cases/maps", root / "cases/GT", given.python)
        if _SHARED.is_dir():
            _compare("three real pairs", _SHARED / "preds", _SHARED / "masks", given.python)
        else:
            print(f"three real pairs: left out, as {_SHARED} is not here")
        _draw(root / "many", given.maps, (300, 400))
        start = time.perf_counter()
        _ours(root / "many/maps", root / "many/GT", jobs=1)
        own = time.perf_counter() - start
        theirs = _theirs(root / "many/maps", root / "many/GT", given.python, timed=True)["seconds"]
        print(
            f"{given.maps:,} maps of 400×300 in one process: {own:.1f} s here, {theirs:.1f} s by "
            f"PySODMetrics, {theirs / own:.1f} times as long"
        )
        if given.script:
            _whole(root, given.python, given.script, given.maps)


def _whole(root: Path, python: str, script: Path, count: int) -> None:
    """Print what the peer's own script takes, and what our command does, nothing being kept."""
    data = root / "peer/test_data"
    data.mkdir(parents=True)
    (data / "masks").symlink_to(root / "many/GT")
    (data / "preds").symlink_to(root / "many/maps")
    os.environ["VIEWFINDER_CACHE"] = str(root / "fresh")
    masks, maps, out = (str(root / place) for place in ("many/GT", "many/maps", "out"))
    commands = {
        script.name: [python, str(script.resolve())],
        "viewfinder score": [sys.executable, "-m", "viewfinder", "score", masks, f"it={maps}",
                             "--out", out],
    }  # fmt: skip
    for name, command in commands.items():
        before, start = os.times(), time.perf_counter()
        done = subprocess.run(
            command, cwd=root / "peer", capture_output=True, text=True, check=False
        )
        seconds, after = time.perf_counter() - start, os.times()
        if done.returncode:
            raise SystemExit(f"{name} could not score: {done.stderr[-500:]}")
        own = sum(after[2:4]) - sum(before[2:4])
        print(
            f"{count:,} maps by {name}, all of it: {seconds:.1f} s, {own:.1f} s of the processor",
            flush=True,
        )


def _ours(maps: Path, masks: Path, *, jobs: int | None = None) -> Judged:
    what = asked(masks, [f"it={maps}"], [])
    with listening():
        (contest,) = map_contests(what.truth, what.methods, what.sets)
        return judge(contest, stretch=True, jobs=jobs)


def _theirs(maps: Path, masks: Path, python: str, *, timed: bool = False) -> Peers:
    """Timed without the size-invariant scores, which take most of its time."""
    command = [python, "-c", PEER, str(maps), str(masks), *(["timed"] if timed else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{python} could not score: {done.stderr[-500:]}")
    found: Peers = json.loads(done.stdout)
    return found


def _compare(what: str, maps: Path, masks: Path, python: str) -> None:
    """Print the largest difference of each score over all pictures."""
    own = _ours(maps, masks).measured["it"]
    worst: dict[str, float] = {}
    theirs = _theirs(maps, masks, python)["scores"]
    for name, scores in theirs.items():
        for key, values in scores.items():
            # Their curves begin with the highest threshold.
            peer = np.array(values)[::-1]
            apart = float(np.abs(np.atleast_1d(_own(own[name], key)) - peer).max())
            worst[key] = max(worst.get(key, 0.0), apart)
    told = ", ".join(f"{key} {value:.1e}" for key, value in worst.items())
    print(f"{what}: {len(theirs)} pictures, the largest difference: {told}", flush=True)


def _own(found: Measured, key: str) -> float | np.ndarray:
    if key.startswith("si_"):
        of = found.alike
        return of.mae if key == "si_mae" else of.f_curve
    value: float | np.ndarray = getattr(found.scores, key)
    return value


def _draw(root: Path, count: int, size: tuple[int, int]) -> None:
    """Ellipses, and maps of six kinds of them in turn."""
    random, (height, width) = np.random.default_rng(0), size
    y, x = np.mgrid[:height, :width]
    for number in range(count):
        row, column = random.uniform(0.2, 0.8) * height, random.uniform(0.2, 0.8) * width
        high, wide = random.uniform(0.06, 0.4) * height, random.uniform(0.05, 0.4) * width
        mask = ((y - row) / high) ** 2 + ((x - column) / wide) ** 2 < 1
        for _ in range(number % 4):  # parts of other sizes beside, or across
            row, column = random.uniform(0.1, 0.9) * height, random.uniform(0.1, 0.9) * width
            radius = random.uniform(2, 14)
            mask |= ((y - row) / radius) ** 2 + ((x - column) / radius) ** 2 < 1
        if number % 5 == 4:
            mask = _thin(number // 5, size)
        soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), random.uniform(1, 8))
        map_ = [
            soft,
            np.clip(soft + random.normal(0, 0.2, size), 0, 1),
            random.random(size),
            mask.astype(float),
            np.roll(soft, int(random.integers(5, 30)), 1),
            1 - soft,
        ][number % 6]
        for folder, values in (("GT", mask.astype(float)), ("maps", map_)):
            file = root / folder / f"{number:04d}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            levels = np.rint(255 * values).astype(np.uint8)
            if folder == "GT" and number % 7 == 3:  # neither black nor white: 128 is not above 128
                levels[::9, ::5] = 128
            cv2.imwrite(str(file), levels)


def _thin(kind: int, size: tuple[int, int]) -> np.ndarray:
    """A mask whose parts all are below 50 pixels, or nearly a line."""
    mask = np.zeros(size, np.bool_)
    if kind % 4 == 0:
        mask[size[0] // 3, size[1] // 2] = True
    elif kind % 4 == 1:
        mask[size[0] // 2] = True
    elif kind % 4 == 2:
        mask[:, size[1] // 4] = True
    else:
        mask[3:6, 3:6] = mask[10:13, 20:23] = mask[30:32, 40:44] = True
    return mask


if __name__ == "__main__":
    main()
