"""Let a trained run answer new pictures.

Pictures are prepared as they were in training: size, colours and class names come from the run.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from viewfinder.cli.output import print_json
from viewfinder.errors import InputError


@dataclass(frozen=True)
class Flags:
    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """The run's folder, as `viewfinder train` wrote it, Darknet's .weights, or an ONNX file:
    of `viewfinder export`, or of a saliency network such as u2netp."""
    source: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="SOURCE")]
    """A picture, a video, a folder of them, or - for paths on standard input, one a line. What they
    are is seen by their content."""
    out: Path | None = None
    """A new folder for copies of the pictures, or the video, with their answers drawn on them;
    saliency: for the maps, each under its picture's own name as PNG, and the folders overlays/ and
    cutouts/."""
    threshold: Annotated[float | Literal["best"] | None, tyro.conf.arg(metavar="SCORE|best")] = None
    """detect: the least score that is answered, or best: for each class that of best F1 on the
    run's validation pictures; 0.25 if not given. saliency: the map's least value
    in the subject; 0.5 if not given."""
    coco: Path | None = None
    """detect: a file for what is found, as COCO's JSON with scores."""
    csv: Path | None = None
    """detect: a file for what is found, a row an object; names that begin as formulas do (= + - @)
    have a ' before them."""
    top: int = 3
    """classify: how many of the likeliest classes to print."""
    resize: Literal["own", "area"] = "own"
    """How pictures are made smaller: own, as the net learnt it, which of Darknet's .weights is
    Darknet's way, or area, averaged, which suits pictures much larger than the net's input."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute."""
    json: bool = False
    """Print one JSON document: predictions, each with source, width, height, and the answer: label
    and scores of a classifier, boxes of a detector, mask of a subject: its box, share of the
    picture, mean of the map over it, and with --out the files."""


def run(flags: Flags) -> int:
    """Print, and with --out draw, the answers."""
    if flags.top < 1:
        raise InputError(f"--top {flags.top}: give 1 or more")
    from viewfinder.api import open_run
    from viewfinder.inference.drawing import draw_predictions
    from viewfinder.inference.tables import write_coco, write_rows

    opened = open_run(flags.run)
    classes, bits = opened.manifest.classes, opened.manifest.bits
    predictions: list[dict[str, Any]] = opened.predict(
        flags.source, device=flags.device, threshold=flags.threshold, resize=flags.resize
    )
    if flags.out:
        predictions = draw_predictions(predictions, flags.out, classes=classes, bits=bits)
    if flags.coco:
        write_coco(predictions, classes, flags.coco)
    if flags.csv:
        write_rows(predictions, flags.csv)
    if flags.json:
        print_json({"predictions": [_without_map(each) for each in predictions]})
        return 0
    for prediction in predictions:
        frame = f" frame {prediction['frame']}" if "frame" in prediction else ""
        print(f"{prediction['source']}{frame}: {_told(prediction, top=flags.top)}")
    return 0


def _told(prediction: dict[str, Any], *, top: int) -> str:
    """An answer on one line: the likeliest classes, how many of which objects, or the subject."""
    if "boxes" in prediction:
        counted = Counter(box["class"] for box in prediction["boxes"])
        return ", ".join(f"{count} {name}" for name, count in counted.most_common()) or "nothing"
    if "mask" in prediction:
        return _subject(prediction["mask"])
    best = sorted(prediction["scores"].items(), key=lambda item: -item[1])[:top]
    return "  ".join(f"{name} {score:.1%}" for name, score in best)


def _subject(mask: dict[str, Any]) -> str:
    """Where the subject is, how large, and how sure that is."""
    if mask["box"] is None:
        return "no subject"
    x1, y1, x2, y2 = (mask["box"][edge] for edge in ("x1", "y1", "x2", "y2"))
    return f"subject {mask['share']:.1%} within {x1},{y1}–{x2},{y2}, {mask['mean']:.1%} sure"


def _without_map(prediction: dict[str, Any]) -> dict[str, Any]:
    """A prediction as JSON can hold it."""
    return {key: value for key, value in prediction.items() if key != "map"}
