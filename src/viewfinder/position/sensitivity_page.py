"""Position sensitivity as one HTML file with everything inside."""

from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup

from viewfinder.position.chart import ChartLine, chart
from viewfinder.position.sensitivity import Sensitivity
from viewfinder.position.sensitivity_text import (
    PositionSetting,
    answer_curves,
    protocol,
    stride_text,
    weights_words,
)


def page(found: Sensitivity, setting: PositionSetting) -> str:
    """The whole page, which needs nothing but a browser."""
    folder = files("viewfinder.position")
    shared = files("viewfinder.explain.rendering")
    template = folder.joinpath("sensitivity.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    answer, stages, along = _answer(found), _stages(found), _along(found)
    return environment.from_string(template).render(
        net=setting.net,
        protocol=protocol(found, setting),
        weights=weights_words(setting),
        random=setting.weights is None,
        shifts=[step.shift for step in found.steps],
        answer=answer,
        answer_chart=Markup(chart(answer, label="Change of the answer by shift")),
        stages=stages,
        along=along,
        stages_chart=Markup(chart([*stages, *along], label="Change of each stage by shift"))
        if stages
        else None,
        strides=[stride_text(stage) for stage in found.stages],
        style=shared.joinpath("page.css").read_text(encoding="utf-8")
        + folder.joinpath("sensitivity.css").read_text(encoding="utf-8"),
    )


def _answer(found: Sensitivity) -> list[ChartLine]:
    return [
        ChartLine(name, tuple(_percent(of(step)) for step in found.steps), tone)
        for tone, (name, of) in enumerate(answer_curves(found))
    ]


def _stages(found: Sensitivity) -> list[ChartLine]:
    return [
        ChartLine(
            stage.name, tuple(100 * step.features[index].in_place for step in found.steps), index
        )
        for index, stage in enumerate(found.stages)
    ]


def _along(found: Sensitivity) -> list[ChartLine]:
    lines = []
    for index, stage in enumerate(found.stages):
        # Unmoved, everything follows.
        values = tuple(
            _percent(step.features[index].along) if step.shift else None for step in found.steps
        )
        if any(value is not None for value in values):
            lines.append(ChartLine(f"{stage.name} moved along", values, index, dots=True))
    return lines


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value
