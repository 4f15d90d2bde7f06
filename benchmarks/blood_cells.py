"""AP of yolov3-tiny on blood cells after so many minutes, from scratch or from given weights.

    uv run python benchmarks/blood_cells.py DATA               2 minutes, seeds 0, 1, 2
    uv run python benchmarks/blood_cells.py DATA 8             8 minutes
    uv run python benchmarks/blood_cells.py DATA 5 --init yolov3-tiny.weights --seeds 1

DATA is BCCD with its own splits; scored on val. Wall time is everything: opening, decoding,
anchors, the choice of arithmetic, training, scoring and the report.
"""

import argparse
import json
import math
import statistics
import tempfile
import time
from pathlib import Path

import viewfinder


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("minutes", type=float, nargs="?", default=2.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--init", default="random")
    parser.add_argument("--fields", nargs="*", default=[], help="fields of the recipe, name=value")
    given = parser.parse_args()
    fields = {name: json.loads(value) for name, value in (f.split("=") for f in given.fields)}
    # A microscope has no up and down.
    recipe = {"size": 320, "flip_vertical": 0.5, "init": given.init, **fields}
    found = []
    for seed in range(given.seeds):
        with tempfile.TemporaryDirectory() as out:
            start = time.perf_counter()
            run = viewfinder.train(
                "detect",
                given.data,
                out=Path(out) / "run",
                seed=seed,
                minutes=given.minutes,
                **recipe,
            )
            seconds = time.perf_counter() - start
            val = json.loads(run.scores_file.read_text(encoding="utf-8"))["val"]
            history = run.history()
        found.append(val)
        classes = "  ".join(f"{name} {row['ap50']:.3f}" for name, row in val["per_class"].items())
        told = f"AP50 {val['ap50']:.3f}  AP {val['ap']:.3f}  {classes}"
        soon = next((r["seconds"] for r in history if r.get("val_ap50", 0) >= 0.8), math.nan)
        told += f"  {len(history)} epochs, AP50 0.8 after {soon:.0f} s, {seconds:.0f} s in all"
        print(f"seed {seed}: {told}", flush=True)
    for name in ("ap50", "ap"):
        values = [val[name] for val in found]
        error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
        print(f"{name}: mean {statistics.mean(values):.3f} ± {error:.3f} (standard error)")


if __name__ == "__main__":
    main()
