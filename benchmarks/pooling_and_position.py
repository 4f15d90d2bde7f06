"""Two claims about pooling, tested on the embedded set of rendered pictures.

    python benchmarks/pooling_and_position.py            3 seeds, about three minutes on one core
    python benchmarks/pooling_and_position.py 5          as in docs/explain.md, five minutes

Claims: max pooling makes a convolutional net less sensitive to where its subject lies; and a
strided convolution, trained with shift augmentation, does without it. LeNet is trained with each,
with shifts of up to a tenth of the side and without; all other geometric augmentation is off. Then
the test pictures, which no training saw, are moved right and down by 0 to 4 pixels of 32.

Prints mean ± standard error over the seeds, and draws docs/pooling.svg.
"""

import math
import statistics
import sys
import tempfile
import time
from pathlib import Path

import matplotlib
import torch
from matplotlib.figure import Figure

import viewfinder
from viewfinder.datasets.loading import prepare
from viewfinder.explain.position import Step, measure_position
from viewfinder.inference.predictor import Normalisation

EPOCHS, SIZE, LARGEST = 25, 32, 4
ARMS = {
    ("pool", 0.0): ("max pooling", "#1f6f8b", "--"),
    ("stride", 0.0): ("strided convolution", "#c2571a", "--"),
    ("pool", 0.1): ("max pooling, shifts in training", "#1f6f8b", "-"),
    ("stride", 0.1): ("strided convolution, shifts in training", "#c2571a", "-"),
}
MEASURES = {
    "accuracy": "right answers, %",
    "flips": "answers that change, %",
    "output": "change of the logits, %",
}
DRAWING = Path(__file__).parents[1] / "docs" / "pooling.svg"

Arm = tuple[str, float]
Figures = dict[str, list[float]]


def test_pictures() -> tuple[torch.Tensor, torch.Tensor]:
    """N×3×32×32 float32 in [0, 1], and their classes."""
    side = viewfinder.open_dataset("tabletop").split("test")
    pixels = [torch.tensor(prepare(side.file(i), SIZE)) for i in range(len(side))]
    return torch.stack(pixels).permute(0, 3, 1, 2).float() / 255, torch.tensor(side.labels)


def measure(arm: Arm, seed: int, pictures: torch.Tensor, labels: torch.Tensor) -> tuple[Step, ...]:
    downsample, shift = arm
    with tempfile.TemporaryDirectory() as folder:
        run = viewfinder.train(
            "classify",
            "tabletop",
            out=Path(folder) / "run",
            net="lenet",
            options=(f"downsample={downsample}",),
            size=SIZE,
            epochs=EPOCHS,
            seed=seed,
            precision="32",
            device="cpu",
            shift=shift,
            scale=0.0,
            turn=0.0,
            flip=0.0,
        )
        ready = Normalisation(run.manifest.mean, run.manifest.std).apply(pictures)
        found = measure_position(run.net(), ready, stages=(), largest=LARGEST, labels=labels)
    return found.steps


def mean_error(values: list[float]) -> tuple[float, float]:
    return statistics.mean(values), statistics.stdev(values) / math.sqrt(len(values))


def column(steps: list[tuple[Step, ...]], measure_name: str) -> list[tuple[float, float]]:
    """Mean and standard error, in %, at each shift."""
    return [
        mean_error([100 * getattr(run[shift], measure_name) for run in steps])
        for shift in range(LARGEST + 1)
    ]


def tell(results: dict[Arm, list[tuple[Step, ...]]]) -> None:
    for name, title in MEASURES.items():
        print(f"\n{title:<42}" + "".join(f"{shift:>10} px" for shift in range(LARGEST + 1)))
        for arm, steps in results.items():
            cells = "".join(f"{mean:>8.1f} ±{error:3.1f}" for mean, error in column(steps, name))
            print(f"  {ARMS[arm][0]:<40}{cells}")


def compare(results: dict[Arm, list[tuple[Step, ...]]]) -> None:
    """What the claims are about: differences over shifts of 1 pixel and more, seed by seed."""
    pairs = {
        "strided − pooled, neither trained with shifts": (("stride", 0.0), ("pool", 0.0)),
        "strided − pooled, both trained with shifts": (("stride", 0.1), ("pool", 0.1)),
        "strided with shifts − pooled without": (("stride", 0.1), ("pool", 0.0)),
    }
    print("\ndifferences in points, mean of shifts 1 to", LARGEST)
    for words, (one, other) in pairs.items():
        cells = []
        for name in MEASURES:
            differences = [
                100
                * statistics.mean(
                    getattr(a, name) - getattr(b, name) for a, b in zip(x[1:], y[1:], strict=True)
                )
                for x, y in zip(results[one], results[other], strict=True)
            ]
            mean, error = mean_error(differences)
            cells.append(f"{name} {mean:+.1f} ± {error:.1f}")
        print(f"  {words:<48}" + "   ".join(cells))


def draw(results: dict[Arm, list[tuple[Step, ...]]]) -> None:
    figure = Figure(figsize=(10.4, 3.6), layout="constrained", facecolor="white")
    shifts = range(LARGEST + 1)
    for axes, (name, title) in zip(figure.subplots(1, 3), MEASURES.items(), strict=True):
        for arm, steps in results.items():
            label, colour, line = ARMS[arm]
            means, errors = zip(*column(steps, name), strict=True)
            axes.errorbar(
                shifts, means, errors, color=colour, linestyle=line, capsize=2.5, label=label
            )
        axes.set_title(title, fontsize=11)
        axes.set_xlabel("shift of the picture, pixels of 32")
        axes.set_xticks(shifts)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e8e4de", linewidth=0.8)
        axes.set_axisbelow(True)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "viewfinder"}):
        figure.savefig(DRAWING, format="svg", metadata={"Date": None})


def main() -> None:
    torch.set_num_threads(1)
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    began = time.perf_counter()
    pictures, labels = test_pictures()
    results = {arm: [measure(arm, seed, pictures, labels) for seed in range(seeds)] for arm in ARMS}
    print(
        f"LeNet at {SIZE}×{SIZE}, {EPOCHS} epochs, {seeds} seeds, {len(pictures)} test pictures, "
        f"moved right and down; mean ± standard error over the seeds"
    )
    tell(results)
    compare(results)
    draw(results)
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
