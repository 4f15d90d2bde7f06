"""Position sensitivity in the terminal, at most 80 columns, and as JSON."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.text import Text

from viewfinder.console import WIDTH
from viewfinder.position.sensitivity import DIRECTIONS, ComparedStage, Sensitivity, ShiftStep

SCHEMA = "viewfinder.position/1"

_NAME, _STRIDE, _CELL = 29, 8, 6


@dataclass(frozen=True)
class PositionSetting:
    """What was measured: the net's name, its weights' run (None: random ones), the pictures."""

    net: str
    weights: str | None
    pictures: str


def protocol(found: Sensitivity, setting: PositionSetting) -> str:
    """One sentence on what was done."""
    height, width = found.size
    return (
        f"{found.pictures} picture{'s' if found.pictures > 1 else ''} of {setting.pictures} at "
        f"{height}×{width}, each moved right, and moved down, by whole pixels; what comes in at "
        "the edge is the border, reflected."
    )


def weights_words(setting: PositionSetting) -> str:
    """Where the weights come from."""
    if setting.weights is None:
        return (
            "Weights are random: this is the architecture's own sensitivity, and no trained net's."
        )
    return f"Weights of {setting.weights}."


Curve = tuple[str, Callable[[ShiftStep], float | None]]


def answer_curves(found: Sensitivity) -> list[Curve]:
    """What is said of the answer, without what this net or these pictures cannot tell."""
    curves: list[Curve] = [
        ("logits" if found.steps[0].flips is not None else "output", lambda step: step.output),
        ("probability moved", lambda step: step.probability),
        ("answers that flip", lambda step: step.flips),
        ("right answers", lambda step: step.accuracy),
    ]
    return [(name, of) for name, of in curves if of(found.steps[0]) is not None]


def stride_text(stage: ComparedStage) -> str:
    """The stride of a stage's map in pixels, down×right where they differ."""
    if stage.stride is None:
        return ""
    down, right = (f"{one:.4g}" for one in stage.stride)
    return down if down == right else f"{down}×{right}"


def lines(found: Sensitivity, setting: PositionSetting, *, width: int = WIDTH) -> list[Text]:
    """The lines of the table, each of at most `width` columns."""
    columns = (width - _NAME - _STRIDE) // _CELL
    steps = [found.steps[shift] for shift in spread(len(found.steps), columns)]
    result = [Text(_cut(f"{setting.net}: sensitivity to position", width), "bold")]
    result += [Text(line, "dim") for line in textwrap.wrap(protocol(found, setting), width)]
    style = "yellow" if setting.weights is None else "dim"
    result += [Text(line, style) for line in textwrap.wrap(weights_words(setting), width)]
    result += [Text(), _row("in %", "stride", [f"{s.shift} px" for s in steps], "dim")]
    result.append(Text("─" * (_NAME + _STRIDE + _CELL * len(steps)), "dim"))
    for name, of in answer_curves(found):
        result.append(_row(name, "", [_percent(of(step)) for step in steps], "bold"))
    if found.stages:
        result += [Text(), Text("features, against what stood in the same place", "dim")]
        for index, stage in enumerate(found.stages):
            cells = [_percent(step.features[index].in_place) for step in steps]
            result.append(_row(stage.name, stride_text(stage), cells, "cyan"))
    followed = [n for n in range(len(found.stages)) if _follows(found, n)]
    if followed:
        words = "features, against the old ones moved along (whole strides; 0 = follows exactly)"
        result += [Text(), *(Text(line, "dim") for line in textwrap.wrap(words, width))]
        for index in followed:
            stage = found.stages[index]
            cells = [_percent(step.features[index].along) for step in steps]
            result.append(_row(stage.name, stride_text(stage), cells, "magenta"))
    return result


def document(found: Sensitivity, setting: PositionSetting) -> dict[str, object]:
    """The JSON: shares and relative distances as numbers, 1 being 100 %."""
    return {
        "schema": SCHEMA,
        "net": setting.net,
        "weights": setting.weights,
        "source": setting.pictures,
        "pictures": found.pictures,
        "size": list(found.size),
        "directions": list(DIRECTIONS),
        "border": "reflected",
        "stages": stages_document(found),
        "steps": steps_document(found),
    }


def stages_document(found: Sensitivity) -> list[dict[str, object]]:
    """The stages and their strides, for the JSON."""
    return [
        {"name": stage.name, "stride": None if stage.stride is None else list(stage.stride)}
        for stage in found.stages
    ]


def steps_document(found: Sensitivity) -> list[dict[str, object]]:
    """The figures of each shift, for the JSON."""
    return [
        {
            "shift": step.shift,
            "output": step.output,
            "probability": step.probability,
            "flips": step.flips,
            "accuracy": step.accuracy,
            "features": [{"in_place": one.in_place, "along": one.along} for one in step.features],
        }
        for step in found.steps
    ]


def _follows(found: Sensitivity, index: int) -> bool:
    return any(step.features[index].along is not None for step in found.steps[1:])


def spread(count: int, most: int) -> list[int]:
    """`most` of the numbers below `count`, or all, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(k * (count - 1) / (most - 1)) for k in range(most)]


def _row(name: str, stride: str, cells: Sequence[str], style: str) -> Text:
    line = Text(_cut(name, _NAME - 1).ljust(_NAME), style)
    line.append(stride.rjust(_STRIDE - 2) + "  ", "dim")
    line.append("".join(cell.rjust(_CELL) for cell in cells), "dim" if style == "dim" else "")
    line.rstrip()
    return line


def _percent(value: float | None) -> str:
    if value is None:
        return "·"
    percent = 100 * value
    # Rounding must not turn a small change into none.
    if 0 < percent < 0.1:
        return "<0.1"
    return f"{percent:.1f}" if 0 < percent < 99.95 else f"{percent:.0f}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else "…" + text[1 - width :]
