"""Figures follow their page's theme: one drawing, in light colours and in dark ones."""

import re

import pytest
from matplotlib.figure import Figure

from viewfinder.evaluation.figures import VAL, inline
from viewfinder.evaluation.theming import on_dark, plain


def _drawn(name="a class"):
    figure = Figure(figsize=(2, 2))
    axes = figure.subplots()
    axes.plot((0, 1), (0, 1), color=VAL, label=name)
    axes.legend(labelcolor="#4a4a4a")
    return inline(figure, "a line")


def _lightness(colour):
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return (max(parts) + min(parts)) / 510


def test_every_colour_is_a_variable_that_has_another_value_on_dark_paper():
    svg = _drawn()
    style, drawing = re.search(r"<style>(.*?)</style>(.*)", svg, re.DOTALL).groups()
    drawn = set(re.findall(r"(?:fill|stroke): ([^;\"]+)", drawing)) - {"none"}
    assert f"var(--on-{VAL[1:]},{VAL})" in drawn
    for use in drawn:
        variable, colour = re.fullmatch(r"var\((--on-\w+),(#\w+)\)", use).groups()
        assert f"{variable}:{on_dark(colour)};" in style
    assert "prefers-color-scheme:dark" in style
    assert "var(--on-000000,#000000)" in style, "text without a colour of its own"


@pytest.mark.parametrize(
    "colour", ["#000000", "#4a4a4a", "#1f6f8b", "#c2571a", "#0072b2", "#009e73"]
)
def test_what_is_to_be_read_is_light_on_dark_paper(colour):
    assert _lightness(on_dark(colour)) > 0.6
    assert _lightness(on_dark("#ffffff")) < 0.15
    assert 0.2 < _lightness(on_dark("#e8e4de")) < 0.4, "a grid is seen, and no more"


def test_a_name_that_looks_like_a_style_stays_a_name():
    assert "fill: #123456</text>" in _drawn("fill: #123456").replace("&#x27;", "'")


def test_where_the_theme_is_unknown_a_figure_is_for_light_paper():
    svg = plain(_drawn())
    assert "prefers-color-scheme" not in svg.split("</defs>")[0].split("<defs>")[0]
    assert "--on-000000:" not in svg
