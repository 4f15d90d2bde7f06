"""What 8 bits cost and gain: a run exported with `--int8`, beside the same in float32.

    uv run python benchmarks/int8_export.py RUN [--json FILE]

RUN's own pictures are needed. Sessions take turns; of each the least of ten times counts.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from viewfinder.evaluation.int8 import export_int8
from viewfinder.runs.run import open_run

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.performance import record


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    run = open_run(given.run)
    with tempfile.TemporaryDirectory() as folder:
        _, cost = export_int8(run, run.model, Path(folder) / "small.onnx", most_loss=1.0)
    print(cost)
    before, after = cost.milliseconds
    if given.json:
        width, height = run.model.config.size
        record(
            given.json,
            f"`export --int8` of {run.manifest.net} at {width}×{height}, trained on "
            f"{Path(run.manifest.data['source']).name}, beside float32 ONNX",
            figure=f"{after / before:.2f} × ({before:.1f} and {after:.1f} ms a picture); "
            f"{cost.figure} {cost.float32:.4f} and {cost.int8:.4f} on {cost.pictures} of val",
            detail={"milliseconds": cost.milliseconds, "figures": [cost.float32, cost.int8]},
            command="benchmarks/int8_export.py RUN",
        )


if __name__ == "__main__":
    main()
