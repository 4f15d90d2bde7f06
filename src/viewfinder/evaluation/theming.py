"""The colours of figures on light pages and on dark ones: CSS variables of one drawing.

A figure is drawn for light paper. Each of its colours becomes a variable with that colour as what
holds anyway, and the figure brings a style that gives the variables other values where the page's
reader has asked for dark ones: greys are turned over, colours made light enough to be seen.
"""

import colorsys
import re

# Tags of matplotlib's SVG, and colours within their styles. Texts hold no bare `<`.
_TAG = re.compile(r"<[^<>]*>")
_COLOUR = re.compile(r"(fill|stroke|stop-color): (#[0-9a-f]{6})")
# Below this saturation a colour is a grey; and how light a colour must be on dark paper.
_GREY, _LIGHT = 0.26, 0.64
# Dark paper's own lightness, and what is left between it and white.
_PAPER, _RANGE = 0.11, 0.8
_OPENING = '<svg class="figure"'
_STYLE = re.compile(r"<style>.*?</style>")
INK = "#000000"
"""What text and axes have that say nothing else."""


def themed(svg: str) -> str:
    """An `<svg>` element whose colours follow the theme of the page, or of whoever shows it."""
    found = sorted({INK, *(c for tag in _TAG.findall(svg) for _, c in _COLOUR.findall(tag))})
    dark = "".join(f"{_variable(colour)}:{on_dark(colour)};" for colour in found)
    style = (
        f"<style>.figure text{{fill:{_use(INK)}}}"
        "@media (prefers-color-scheme:dark){"
        f".figure{{{dark}}}.figure image{{filter:invert(1) hue-rotate(180deg)}}}}</style>"
    )
    coloured = _TAG.sub(lambda tag: _COLOUR.sub(_as_variable, tag.group()), svg)
    opening, _, rest = coloured.partition(">")
    return f"{opening.replace('<svg', _OPENING, 1)}>{style}{rest}"


def plain(svg: str) -> str:
    """A themed `<svg>` element as it is on light paper, whatever the theme."""
    return _STYLE.sub("", svg, count=1)


def on_dark(colour: str) -> str:
    """What a colour of light paper is on dark paper; both `#rrggbb`."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    if max(red, green, blue) - min(red, green, blue) < _GREY:
        light = _PAPER + _RANGE * (1 - light) ** 0.7
        saturation *= 0.5
    else:
        light = max(light, _LIGHT)
    turned = colorsys.hls_to_rgb(hue, light, saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in turned)


def _as_variable(found: re.Match[str]) -> str:
    return f"{found[1]}: {_use(found[2])}"


def _use(colour: str) -> str:
    return f"var({_variable(colour)},{colour})"


def _variable(colour: str) -> str:
    return f"--on-{colour[1:]}"
