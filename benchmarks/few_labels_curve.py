"""The curves of `few_labels.py`, drawn: each training a point, each mean with its standard error.

    uv run python benchmarks/few_labels.py DATA > scratch.txt
    uv run python benchmarks/few_labels.py DATA --init yolov3-tiny.weights > coco.txt
    uv run python benchmarks/few_labels_curve.py curve.png "scratch=scratch.txt" "COCO=coco.txt"

A file may hold what several calls printed; the means are printed as well.
"""

import argparse
import math
import re
import statistics
import sys
from pathlib import Path

from matplotlib.figure import Figure

# The colours of the reports.
COLOURS = ["#4a4a4a", "#1f6f8b", "#c2571a", "#5b8c5a"]

Line = dict[int, list[float]]


def read(file: Path) -> Line:
    """AP50 of each training, by the number of labelled pictures."""
    line: Line = {}
    told = re.finditer(r"^(\d+) pictures, seed \d+: AP50 (\S+)", file.read_text(), re.MULTILINE)
    for count, ap50 in (found.groups() for found in told):
        line.setdefault(int(count), []).append(float(ap50))
    if not line:
        sys.exit(f"{file} holds no line that few_labels.py prints of a training")
    return dict(sorted(line.items()))


def error_of(values: list[float]) -> float:
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def draw(lines: dict[str, Line]) -> Figure:
    figure = Figure(figsize=(7.2, 4.2), dpi=150, layout="constrained")
    axes = figure.subplots()
    for place, (name, line) in enumerate(lines.items()):
        colour = COLOURS[place % len(COLOURS)]
        # A little apart, so that what belongs to one number can be seen beside each other.
        beside = 1.022 ** (place - (len(lines) - 1) / 2)
        means = [statistics.mean(values) for values in line.values()]
        errors = [error_of(values) for values in line.values()]
        x = [count * beside for count in line]
        axes.errorbar(x, means, errors, color=colour, label=name, marker="o", ms=4.5, capsize=2.5)
        for at, values in zip(x, line.values(), strict=True):
            axes.plot([at] * len(values), values, ".", color=colour, alpha=0.45, ms=5, mew=0)
    counts = sorted({count for line in lines.values() for count in line})
    axes.set_xscale("log")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("labelled pictures")
    axes.set_ylabel("AP50")
    axes.grid(axis="y", color="#e6e9ef")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("picture", type=Path)
    parser.add_argument("lines", nargs="+", metavar="NAME=FILE")
    given = parser.parse_args()
    lines = {name: read(Path(file)) for name, file in (told.split("=") for told in given.lines)}
    for name, line in lines.items():
        for count, values in line.items():
            mean, error = statistics.mean(values), error_of(values)
            print(f"{name}, {count}: {mean:.3f} ± {error:.3f} of {len(values)}")
    draw(lines).savefig(given.picture)


if __name__ == "__main__":
    main()
