"""Let a trained run answer new pictures.

Pictures are prepared as they were in training: size, colours and class names come from the run.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from viewfinder.cli.output import print_json
from viewfinder.errors import InputError


@dataclass(frozen=True)
class Flags:
    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """The run's folder, as `viewfinder train` wrote it."""
    source: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="SOURCE")]
    """A picture, a folder of pictures, or - for paths on standard input, one a line."""
    out: Path | None = None
    """A new folder for copies of the pictures with their answers written on them."""
    top: int = 3
    """How many of the likeliest classes to print."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute."""
    json: bool = False
    """Print one JSON document: predictions, each with source, width, height, label, scores."""


def run(flags: Flags) -> int:
    """Print, and with --out draw, the answers."""
    if flags.top < 1:
        raise InputError(f"--top {flags.top}: give 1 or more")
    from viewfinder.api import open_run
    from viewfinder.inference.drawing import draw_predictions

    predictions = open_run(flags.run).predict(flags.source, device=flags.device)
    if flags.out:
        draw_predictions(predictions, flags.out)
    if flags.json:
        print_json({"predictions": predictions})
        return 0
    for prediction in predictions:
        best = sorted(prediction["scores"].items(), key=lambda item: -item[1])[: flags.top]
        answers = "  ".join(f"{name} {score:.1%}" for name, score in best)
        print(f"{prediction['source']}: {answers}")
    return 0
