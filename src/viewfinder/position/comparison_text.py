"""Max pooling against strided convolution in the terminal, at most 80 columns, and as JSON."""

import math
import textwrap
from collections.abc import Sequence

from rich.text import Text

from viewfinder.console import WIDTH
from viewfinder.position.claims import answers
from viewfinder.position.comparison import (
    MEASURES,
    PAIRS,
    POOLED,
    POOLED_SHIFTED,
    STRIDED,
    STRIDED_SHIFTED,
    VARIANTS,
    PositionComparison,
    Variant,
    average,
    curve,
    difference,
    feature_measures,
    moved,
)
from viewfinder.position.intervals import MeanInterval
from viewfinder.position.sensitivity import DIRECTIONS
from viewfinder.position.sensitivity_text import spread, stages_document, steps_document
from viewfinder.wording import counted

SCHEMA = "viewfinder.position-comparison/1"

NAMES = {
    POOLED: "pool",
    STRIDED: "stride",
    POOLED_SHIFTED: "pool + shifts",
    STRIDED_SHIFTED: "stride + shifts",
}
LEGEND = (
    "pool: max pooling; stride: strided convolutions of the same geometry, each with a ReLU; "
    "+ shifts: with shift augmentation in training."
)

_NAME, _CELL = 19, 9
# Of the features a cell a variant, of the differences one a measure.
_OF_FEATURE, _PER_VARIANT = 16, 16
_OF_PAIR, _PER_MEASURE = 37, 14
_VARIED = (_PER_VARIANT, _OF_FEATURE)
_MOST_COLUMNS = (WIDTH - _NAME) // _CELL


def title(comparison: PositionComparison) -> str:
    """What the whole is called."""
    return f"{comparison.net}: max pooling, strided convolution and position"


def protocol(comparison: PositionComparison) -> str:
    """What was done, in a few sentences."""
    first, seeds = comparison.first, len(comparison.seeds)
    height, width = first.size
    share = 100 * comparison.reach / max(first.size)
    interval = "; ± is the 95 % interval over the seeds" if seeds > 1 else ""
    return (
        f"{4 * seeds} trainings on {comparison.data} of "
        f"{counted(comparison.epochs, 'epoch')} each, at {height}×{width}: "
        f"{counted(seeds, 'seed')} for each of four variants{interval}. "
        f"Shift augmentation is by up to {share:.0f} % of the side, "
        f"{comparison.reach:.3g} px, right, left, up and down; there is no other augmentation of "
        f"geometry. Measured on {counted(first.pictures, 'picture')} that no training saw, each "
        "moved right, and moved down, by whole pixels; what comes in at the edge is the border, "
        "reflected."
    )


def moved_words(comparison: PositionComparison) -> str:
    """The shifts over which means are taken."""
    return "1 px" if comparison.largest == 1 else f"1 to {comparison.largest} px"


def pair_name(one: Variant, other: Variant) -> str:
    """What a difference is of."""
    return f"({NAMES[one]}) − ({NAMES[other]})"


def lines(comparison: PositionComparison) -> list[Text]:
    """The lines of the tables and of the answers, each at most WIDTH wide."""
    result = [Text(title(comparison)[:WIDTH], "bold")]
    for words in (protocol(comparison), LEGEND):
        result += [Text(line, "dim") for line in textwrap.wrap(words, WIDTH)]
    result += _by_shift(comparison) + _features(comparison) + _differences(comparison)
    for answer in answers(comparison):
        result += [Text(), Text(answer.question, "bold")]
        result += [Text(line) for line in textwrap.wrap(answer.verdict, WIDTH)]
        for reason in answer.because:
            result += [Text(line, "dim") for line in textwrap.wrap(reason, WIDTH)]
    return result


def cell(value: MeanInterval, *, signed: bool = False) -> str:
    """`93.2±0.5`, in %, with as many digits as tell something; no ± where there is one seed."""
    mean, margin = 100 * value.mean, 100 * value.margin
    if mean == 0 and margin == 0:
        return "0"
    digits = 1 if abs(mean) < 99.95 else 0
    text = f"{mean:{'+' if signed else ''}.{digits}f}".replace("-", "−")
    if not math.isfinite(margin):
        return text
    return f"{text}±{margin:.{1 if margin < 9.95 else 0}f}"


def document(
    comparison: PositionComparison, runs: Sequence[Sequence[str | None]]
) -> dict[str, object]:
    """The JSON: shares and relative distances as numbers, 1 being 100 %.

    Args:
        runs: the folder of each training that was kept, by variant and seed.
    """
    return {
        "schema": SCHEMA,
        "net": comparison.net,
        "source": comparison.data,
        "epochs": comparison.epochs,
        "seeds": list(comparison.seeds),
        "trained_shift": comparison.reach,
        "pictures": comparison.first.pictures,
        "size": list(comparison.first.size),
        "directions": list(DIRECTIONS),
        "border": "reflected",
        "stages": stages_document(comparison.first),
        "variants": [
            _variant_document(comparison, variant, folders)
            for variant, folders in zip(VARIANTS, runs, strict=True)
        ],
        "differences": [_difference_document(comparison, one, other) for one, other in PAIRS],
        "answers": [
            {
                "question": answer.question,
                "answer": answer.verdict,
                "because": list(answer.because),
            }
            for answer in answers(comparison)
        ],
    }


def _by_shift(comparison: PositionComparison) -> list[Text]:
    shifts = spread(comparison.largest + 1, _MOST_COLUMNS)
    result = [Text(), _row("in %", [f"{shift} px" for shift in shifts], "dim")]
    result.append(Text("─" * (_NAME + _CELL * len(shifts)), "dim"))
    for measure in MEASURES:
        result.append(Text(measure.title, "bold"))
        for variant in VARIANTS:
            values = curve(comparison, variant, measure)
            cells = [cell(values[shift]) for shift in shifts]
            result.append(_row(f"  {NAMES[variant]}", cells, ""))
    return result


def _features(comparison: PositionComparison) -> list[Text]:
    measures = feature_measures(comparison)
    if not measures:
        return []
    words = f"features, against what stood in the same place: mean of {moved_words(comparison)}"
    result = [Text(), Text(words, "bold")]
    result.append(_row("in %", [NAMES[variant] for variant in VARIANTS], "dim", *_VARIED))
    for measure in measures:
        cells = [
            cell(average(comparison, variant, measure, moved(comparison))) for variant in VARIANTS
        ]
        result.append(_row(measure.title, cells, "cyan", *_VARIED))
    return result


def _differences(comparison: PositionComparison) -> list[Text]:
    result = [Text(), Text(f"differences in points: mean of {moved_words(comparison)}", "bold")]
    heads = [measure.title.rsplit(" ", 1) for measure in MEASURES]
    for part in (0, 1):
        result.append(_wide_row("", [head[part] for head in heads], "dim"))
    for one, other in PAIRS:
        cells = [
            cell(difference(comparison, one, other, measure, moved(comparison)), signed=True)
            for measure in MEASURES
        ]
        result.append(_wide_row(pair_name(one, other), cells, ""))
    return result


def _row(
    name: str, cells: Sequence[str], style: str, width: int = _CELL, first: int = _NAME
) -> Text:
    shown = name if len(name) < first else "…" + name[2 - first :]
    line = Text(shown.ljust(first), style)
    line.append("".join(text.rjust(width) for text in cells), "dim" if style == "dim" else "")
    return line


def _wide_row(name: str, cells: Sequence[str], style: str) -> Text:
    values = "".join(text.rjust(_PER_MEASURE) for text in cells)
    return Text(name.ljust(_OF_PAIR) + values, style)


def _variant_document(
    comparison: PositionComparison, variant: Variant, folders: Sequence[str | None]
) -> dict[str, object]:
    curves = {
        measure.key: [_interval_document(value) for value in curve(comparison, variant, measure)]
        for measure in MEASURES
    }
    return {
        **_key(variant),
        **curves,
        "runs": [
            {"seed": seed, "run": folder, "steps": steps_document(found)}
            for seed, folder, found in zip(
                comparison.seeds, folders, comparison.found[variant], strict=True
            )
        ],
    }


def _difference_document(
    comparison: PositionComparison, one: Variant, other: Variant
) -> dict[str, object]:
    means = {
        measure.key: _interval_document(
            difference(comparison, one, other, measure, moved(comparison))
        )
        for measure in MEASURES
    }
    return {"one": _key(one), "other": _key(other), "shifts": [1, comparison.largest], **means}


def _key(variant: Variant) -> dict[str, object]:
    return {"downsample": variant.downsample, "shifted_in_training": variant.augmented}


def _interval_document(value: MeanInterval) -> dict[str, float | None]:
    """Without bounds where one seed cannot have any."""
    known = math.isfinite(value.margin)
    return {
        "mean": value.mean,
        "low": value.low if known else None,
        "high": value.high if known else None,
    }
