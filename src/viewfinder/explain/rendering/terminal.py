"""The table in the terminal: 80 or 100 columns, a line a layer and its arithmetic below it."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from viewfinder.explain.explanation import ExplainedLayer, Explanation, Mistake, shape_text
from viewfinder.explain.rendering.figures import (
    bytes_text,
    count_text,
    field_text,
    flow_text,
    unused_text,
)
from viewfinder.explain.rendering.repeats import Repeat, folded, staged
from viewfinder.wording import counted

WIDTH = 100
NARROW = 80


@dataclass(frozen=True)
class _Column:
    title: str
    width: int
    narrow: int
    """Its width in 80 columns; 0 where it is left out there."""
    side: str
    style: str


_COLUMNS = (
    _Column("layer", 23, 19, "left", "bold"),
    _Column("kind", 12, 12, "left", "cyan"),
    _Column("shape", 28, 28, "left", ""),
    _Column("params", 9, 9, "right", ""),
    _Column("MACs", 7, 7, "right", ""),
    _Column("kept", 7, 0, "right", ""),
    _Column("sees", 8, 0, "right", "magenta"),
)


def lines(
    explanation: Explanation, *, width: int = WIDTH, brief: bool = False, full: bool = True
) -> list[Text]:
    """The lines of the table, each at most `width` wide."""
    batch = explanation.inputs[0][0] if explanation.inputs and explanation.inputs[0] else 1
    shapes = ", ".join(map(shape_text, explanation.inputs))
    mode = "training" if explanation.training else "evaluation"
    result = [Text.assemble((explanation.net, "bold"), f"  input {shapes}, {mode} mode"), Text()]
    result += [_row(tuple(column.title for column in _COLUMNS), width, heading=True)]
    result.append(Text("─" * width, "dim"))
    told: set[str] = set()
    for layer in _shown(explanation.layers, brief, full):
        if isinstance(layer, Repeat):
            result += [Text("    " + line, "dim") for line in _wrapped(layer.words, width)]
        else:
            result += _layer(layer, batch, told, width, arithmetic=not brief)
    result.append(Text("─" * width, "dim"))
    result += _totals(explanation, width)
    for warning in explanation.warnings:
        result += [Text(line, "yellow") for line in _hung("⚠ ", warning, width)]
    if explanation.mistake is not None:
        result += mistake_lines(explanation.mistake, width)
    return result


def _shown(
    layers: Sequence[ExplainedLayer], brief: bool, full: bool
) -> Sequence[ExplainedLayer | Repeat]:
    if brief:
        return staged(layers)
    return layers if full else folded(layers)


def _layer(
    layer: ExplainedLayer, batch: int, told: set[str], width: int, *, arithmetic: bool
) -> list[Text]:
    cells = (
        layer.name,
        layer.kind,
        flow_text(layer, batch),
        count_text(layer.params),
        count_text(layer.macs),
        bytes_text(layer.activation_bytes),
        field_text(layer.receptive_field),
    )
    result = [_row(cells, width)]
    if not arithmetic:
        return result
    below = "   ".join((*layer.formula, *((layer.source,) if _functional(layer) else ())))
    result += [Text("    " + line, "dim") for line in _wrapped(below, width)]
    dropped = "; ".join(layer.dropped.words)
    result += [Text("    " + line, "yellow") for line in _wrapped(dropped, width)]
    new = [note for note in layer.notes if note not in told]
    told.update(new)
    result += [Text("    " + line, "green") for line in _wrapped("; ".join(new), width)]
    return result


def _functional(layer: ExplainedLayer) -> bool:
    return not layer.kind[:1].isupper() and bool(layer.source)


def _row(cells: tuple[str, ...], width: int, *, heading: bool = False) -> Text:
    line = Text()
    for cell, column in zip(cells, _COLUMNS, strict=True):
        room = column.width if width >= WIDTH else column.narrow
        if not room:
            continue
        shown = _cut(cell, room, keep_end=column.title == "layer")
        line.append(
            shown.ljust(room) if column.side == "left" else shown.rjust(room),
            "dim" if heading else column.style,
        )
        line.append(" ")
    line.rstrip()
    return line


def _cut(text: str, width: int, *, keep_end: bool) -> str:
    # A path's end tells more than its beginning; a class or shape is known by its beginning.
    if len(text) <= width:
        return text
    return "…" + text[1 - width :] if keep_end else text[: width - 1] + "…"


def _totals(explanation: Explanation, width: int) -> list[Text]:
    totals = explanation.totals
    line = Text()
    line.append(f"{totals.params:,}", "bold")
    line.append(" params   ")
    line.append(f"{totals.macs:,}", "bold")
    line.append(" MACs   ")
    line.append(bytes_text(totals.activation_bytes) or "0 B", "bold")
    line.append(" kept for the backward pass")
    result = [line]
    if totals.unused_params and explanation.mistake is None:
        unused = counted(totals.unused_params, "param")
        words = f"{unused} of these take no part in this pass"
        named = f": {unused_text(totals)}" if totals.unused else ""
        result += [Text(part, "yellow") for part in textwrap.wrap(words + named, width)]
    return result


def mistake_lines(mistake: Mistake, width: int = WIDTH) -> list[Text]:
    """What went wrong, what must agree, and the fixes that were tried, the best first."""
    headline = f"✗ it stops at {mistake.where}"
    if len(headline) > width:
        headline = textwrap.shorten(headline, width, placeholder=" …")
    result = [Text(), Text(headline, "bold red")]
    for title, text in (
        ("rule", mistake.rule),
        ("got", mistake.got),
        ("expected", mistake.expected),
    ):
        result += _labelled(title, text, "", width)
    for number, fix in enumerate(mistake.fixes):
        result += _labelled("tried" if number == 0 else "or", fix, "green", width)
    if mistake.untried:
        result += _labelled("", untried_text(mistake), "dim", width)
    return result


def untried_text(mistake: Mistake) -> str:
    """That the search for fixes was cut short."""
    return f"{counted(mistake.untried, 'more idea')} not tried: the net takes long to run"


def _labelled(title: str, text: str, style: str, width: int) -> list[Text]:
    wrapped = textwrap.wrap(text, width - 12, break_long_words=True)
    return [
        Text.assemble((f"  {title if at == 0 else '':<10}", "dim"), (line, style))
        for at, line in enumerate(wrapped)
    ]


def _hung(sign: str, text: str, width: int) -> list[str]:
    indent = " " * len(sign)
    return textwrap.wrap(sign + text, width, subsequent_indent=indent, break_long_words=True)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width - 4, break_long_words=True)
