"""Max pooling against strided convolution as one HTML file with everything inside."""

import math
import re
from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup

from viewfinder.position.chart import ChartLine, chart
from viewfinder.position.claims import answers
from viewfinder.position.comparison import (
    FLIPS,
    MEASURES,
    PAIRS,
    VARIANTS,
    PositionComparison,
    StepMeasure,
    curve,
    difference,
    feature_measures,
)
from viewfinder.position.comparison_text import (
    LEGEND,
    NAMES,
    cell,
    pair_name,
    protocol,
    title,
)

# The page's colours: one for each way to shrink a map.
_TONES = {"pool": 3, "stride": 1}


def page(comparison: PositionComparison) -> str:
    """The whole page, which needs nothing but a browser."""
    folder = files("viewfinder.position")
    shared = files("viewfinder.explain.rendering")
    template = folder.joinpath("comparison.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["tied"] = _tied
    features = feature_measures(comparison)
    return environment.from_string(template).render(
        title=title(comparison),
        protocol=protocol(comparison),
        legend=LEGEND,
        reach=comparison.reach <= comparison.largest,
        several=len(comparison.seeds) > 1,
        answers=answers(comparison),
        lines=_lines(comparison, FLIPS),
        answer_charts=[(measure.title, _chart(comparison, measure)) for measure in MEASURES],
        stage_charts=[(measure.title, _chart(comparison, measure)) for measure in features],
        shifts=range(comparison.largest + 1),
        figures=[(measure.title, _rows(comparison, measure)) for measure in [*MEASURES, *features]],
        differences=_differences(comparison),
        style="".join(
            part.read_text(encoding="utf-8")
            for part in (
                shared.joinpath("page.css"),
                folder.joinpath("sensitivity.css"),
                folder.joinpath("comparison.css"),
            )
        ),
    )


def _tied(text: str) -> str:
    """The text with each number on one line with its unit."""
    return re.sub(r"(?<=\d) (?=%|px)", "\N{NO-BREAK SPACE}", text)


def _lines(comparison: PositionComparison, measure: StepMeasure) -> list[ChartLine]:
    """A line for each variant, in %, with a band where there are several seeds."""
    lines = []
    for variant in VARIANTS:
        values = curve(comparison, variant, measure)
        band = [
            (100 * max(0.0, value.low), 100 * min(measure.most, value.high))
            for value in values
            if math.isfinite(value.margin)
        ]
        lines.append(
            ChartLine(
                NAMES[variant],
                tuple(100 * value.mean for value in values),
                _TONES[variant.downsample],
                dashed=not variant.augmented,
                band=tuple(band),
            )
        )
    return lines


def _chart(comparison: PositionComparison, measure: StepMeasure) -> Markup:
    label = f"{measure.title} by shift, for the four variants"
    lines = _lines(comparison, measure)
    return Markup(chart(lines, label=label, reach=comparison.reach))


def _rows(comparison: PositionComparison, measure: StepMeasure) -> list[tuple[str, list[str]]]:
    return [
        (NAMES[variant], [cell(value) for value in curve(comparison, variant, measure)])
        for variant in VARIANTS
    ]


def _differences(comparison: PositionComparison) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """For each measure, for each pair, the difference at each shift."""
    return [
        (
            measure.title,
            [
                (
                    pair_name(one, other),
                    [
                        cell(difference(comparison, one, other, measure, [shift]), signed=True)
                        for shift in range(comparison.largest + 1)
                    ],
                )
                for one, other in PAIRS
            ],
        )
        for measure in MEASURES
    ]
