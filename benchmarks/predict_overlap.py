"""How long `predict --out` takes beside its parts alone: decoding, the net, drawing and writing.

    uv run python benchmarks/predict_overlap.py RUN PICTURES VIDEO [--json FILE]

RUN is a detector's run, or `coco`. Each part is done alone, then all, so many times in turn; of
each the least wall time and the least CPU time count. On so many cores no way takes less than the
sum of the parts' CPU times, divided by the cores: that limit stands beside.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import torch

from viewfinder.api import open_run
from viewfinder.cpu import cpu_features
from viewfinder.events import listening
from viewfinder.inference.answers import Predictor
from viewfinder.inference.drawing import draw_answers
from viewfinder.inference.predict import find_sources, predict
from viewfinder.pictures.video import read_video

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.performance import record

_CPU = torch.device("cpu")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run")
    parser.add_argument("sources", type=Path, nargs="+", help="a folder of pictures, a video, …")
    parser.add_argument("--most", type=int, default=120, help="pictures of a folder")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    run = open_run(given.run)
    for source in given.sources:
        measure(run, source, given)


def measure(run, source: Path, given) -> None:
    predictor = Predictor(run.model, device=_CPU)
    with tempfile.TemporaryDirectory() as place:
        if source.is_dir():
            folder = Path(place) / "some"
            folder.mkdir()
            for each in find_sources(source)[: given.most]:
                (folder / f"{len(list(folder.iterdir())):04}-{each.file.name}").symlink_to(
                    each.file.resolve()
                )
            source, kind = folder, "folder"
        else:
            kind = "video"
        ready = list(prepared(predictor, source, kind))
        answers = list(predict(run.model, source, device=_CPU))
        parts = {
            "decoding": lambda: [None for _ in prepared(predictor, source, kind)],
            "net": lambda: [None for _ in predictor.answers(iter(ready), len(ready))],
            "drawing": lambda: draw(answers, run, place),
            "all": lambda: draw(predict(run.model, source, device=_CPU), run, place),
        }
        wall = dict.fromkeys(parts, float("inf"))
        busy = dict(wall)
        for _ in range(given.rounds):
            for name, part in parts.items():
                begun, used = time.perf_counter(), time.process_time()
                with listening():
                    part()
                wall[name] = min(wall[name], time.perf_counter() - begun)
                busy[name] = min(busy[name], time.process_time() - used)
    slowest = max(wall[name] for name in ("decoding", "net", "drawing"))
    limit = sum(busy[name] for name in ("decoding", "net", "drawing")) / cpu_features().threads
    told = ", ".join(f"{name} {wall[name]:.2f} s ({busy[name]:.2f} of a core)" for name in parts)
    print(f"{kind}, {len(answers)} pictures: {told}")
    work = busy["all"] / sum(busy[name] for name in ("decoding", "net", "drawing"))
    print(f"  {wall['all'] / slowest:.2f} times the slowest part; limit {limit:.2f} s")
    print(f"  {work:.2f} times the work of all parts alone", flush=True)
    if given.json:
        record(
            given.json,
            f"`predict --out` of a {kind}, {len(answers)} pictures of {run.model.config.net}",
            figure=f"{wall['all'] / slowest:.2f} × as long as its slowest part alone, "
            f"{wall['all'] / limit:.2f} × what the cores allow; {work:.2f} × the parts' CPU time",
            detail={"wall": wall, "cpu": busy},
            command="benchmarks/predict_overlap.py RUN FOLDER VIDEO",
        )


def prepared(predictor: Predictor, source: Path, kind: str):
    if kind == "folder":
        for each in find_sources(source):
            yield predictor.prepare_file(each.file)
        return
    for frame in read_video(source):
        height, width = frame.picture.shape[:2]
        yield predictor.prepare(frame.picture, (width, height), str(source))


def draw(answers, run, place: str) -> None:
    with tempfile.TemporaryDirectory(dir=place) as folder:
        draw_answers(answers, Path(folder) / "out", classes=run.classes)


if __name__ == "__main__":
    main()
