"""Very many pictures answered through Ray by one worker, by two, and by two of which one is killed.

    uv run --extra ray python benchmarks/bulk_workers.py RUN FOLDER [--pictures 1000] [--rounds 3]
                                                        [--json FILE]

The same pictures of FOLDER, again and again under other names until there are so many, are answered
by `viewfinder bulk` in turn by one worker of one core and by two. Told is the time from the first
part's file to the last one's, in pictures a second, as it takes Ray some seconds to begin; and the
whole command's. At last one of two workers is killed in the middle; the files must be the same.
"""

import argparse
import os
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.performance import record
from viewfinder.api import open_run
from viewfinder.inference.bulk.asking import predict_many
from viewfinder.pictures.finding import pictures_below

PART = 16


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", help="a run, or coco")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as where:
        root = Path(where)
        copied(given.folder, root / "pictures", given.pictures)
        times: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
        for number in range(given.rounds):
            for workers in (1, 2):
                out = root / f"out-{workers}-{number}"
                times[workers].append(answered(given.run, root / "pictures", out, workers))
        same = killed_once(given.run, root / "pictures", root / "killed", root / "out-2-0")
    steady, whole = (
        [statistics.median(each[part] for each in times[workers]) for workers in (1, 2)]
        for part in (0, 1)
    )
    figure = (
        f"two workers {steady[0] / steady[1]:.2f} × one ({given.pictures / steady[0]:.1f} and "
        f"{given.pictures / steady[1]:.1f} pictures/s; whole commands {whole[0]:.1f} and "
        f"{whole[1]:.1f} s); one of two killed: {same}"
    )
    print(figure)
    if given.json:
        record(
            given.json,
            f"`bulk` of {given.pictures} pictures by Ray, a core a worker",
            figure=figure,
            detail={"one": times[1], "two": times[2]},
            command="benchmarks/bulk_workers.py RUN FOLDER",
        )


def copied(folder: Path, into: Path, count: int) -> None:
    """So many pictures, those of a folder under other names."""
    into.mkdir()
    found = [folder / name for name in pictures_below(folder)]
    for number in range(count):
        source = found[number % len(found)]
        (into / f"{number:06}{source.suffix}").write_bytes(source.read_bytes())


def answered(run: str, pictures: Path, out: Path, workers: int) -> tuple[float, float]:
    """Seconds for all pictures at the pace from the first part's file to the last, and of all."""
    begun = time.perf_counter()
    found = predict_many(open_run(run).model, str(pictures), str(out), workers=workers, part=PART)
    whole = time.perf_counter() - begun
    assert not found.failed
    ends = sorted(file.stat().st_mtime for file in out.glob("part-*.parquet"))
    # The first files of several workers come together, after a part each.
    return (ends[-1] - ends[0]) * len(ends) / max(1, len(ends) - workers), whole


def killed_once(run: str, pictures: Path, out: Path, whole: Path) -> str:
    """Whether the files are the same although one of two workers is killed in the middle."""
    killed: list[int] = []

    def kill() -> None:
        import psutil  # type: ignore[import-untyped]

        parts = len(list(whole.glob("part-*.parquet")))
        while not killed:
            if len(list(out.glob("part-*.parquet"))) >= parts // 2:
                for each in psutil.Process(os.getpid()).children(recursive=True):
                    if "MapWorker" in " ".join(each.cmdline()):
                        each.send_signal(signal.SIGKILL)
                        killed.append(each.pid)
                        return
            time.sleep(0.02)

    watcher = threading.Thread(target=kill, daemon=True)
    watcher.start()
    predict_many(open_run(run).model, str(pictures), str(out), workers=2, part=PART)
    watcher.join(1)
    files = [file.name for file in sorted(whole.iterdir())]
    same = all((out / name).read_bytes() == (whole / name).read_bytes() for name in files)
    shutil.rmtree(out)
    if not killed:
        return "none was there to be killed"
    return "the same files" if same else "OTHER FILES"


if __name__ == "__main__":
    main()
