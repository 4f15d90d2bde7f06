"""The table in the terminal: at most 100 columns, a line a layer and its arithmetic below it."""

import textwrap

from rich.text import Text

from viewfinder.console import rich_console
from viewfinder.explain.explanation import Explanation, Layer, Mistake, shape_text
from viewfinder.explain.rendering.figures import bytes_text, count_text, field_text, flow_text

WIDTH = 100
_COLUMNS = (
    ("layer", 23, "left", "bold"),
    ("kind", 12, "left", "cyan"),
    ("shape", 28, "left", ""),
    ("params", 9, "right", ""),
    ("MACs", 7, "right", ""),
    ("kept", 7, "right", ""),
    ("sees", 8, "right", "magenta"),
)


def print_explanation(explanation: Explanation) -> None:
    """Print the table, its totals and, where there is one, the mistake."""
    console = rich_console(width=WIDTH, highlight=False, soft_wrap=True)
    for line in lines(explanation):
        console.print(line)


def lines(explanation: Explanation) -> list[Text]:
    """The lines of the table, each at most WIDTH wide."""
    batch = explanation.inputs[0][0] if explanation.inputs and explanation.inputs[0] else 1
    shapes = ", ".join(map(shape_text, explanation.inputs))
    mode = "training" if explanation.training else "evaluation"
    result = [Text.assemble((explanation.net, "bold"), f"  input {shapes}, {mode} mode"), Text()]
    result += [_row(tuple(title for title, *_ in _COLUMNS), heading=True)]
    result.append(Text("─" * WIDTH, "dim"))
    told: set[str] = set()
    for layer in explanation.layers:
        result += _layer(layer, batch, told)
    result.append(Text("─" * WIDTH, "dim"))
    result += _totals(explanation)
    if explanation.mistake is not None:
        result += _mistake(explanation.mistake)
    return result


def _layer(layer: Layer, batch: int, told: set[str]) -> list[Text]:
    cells = (
        layer.name,
        layer.kind,
        flow_text(layer, batch),
        count_text(layer.params),
        count_text(layer.macs),
        bytes_text(layer.activation_bytes),
        field_text(layer.receptive_field),
    )
    below = "   ".join((*layer.formula, *((layer.source,) if _functional(layer) else ())))
    result = [_row(cells)]
    result += [Text("    " + line, "dim") for line in _wrapped(below)]
    result += [Text("    " + line, "yellow") for line in _wrapped("; ".join(layer.dropped.words))]
    new = [note for note in layer.notes if note not in told]
    told.update(new)
    result += [Text("    " + line, "green") for line in _wrapped("; ".join(new))]
    return result


def _functional(layer: Layer) -> bool:
    return not layer.kind[:1].isupper() and bool(layer.source)


def _row(cells: tuple[str, ...], *, heading: bool = False) -> Text:
    line = Text()
    for cell, (title, width, side, style) in zip(cells, _COLUMNS, strict=True):
        shown = _cut(cell, width, keep_end=title == "layer")
        line.append(
            shown.ljust(width) if side == "left" else shown.rjust(width),
            "dim" if heading else style,
        )
        line.append(" ")
    line.rstrip()
    return line


def _cut(text: str, width: int, *, keep_end: bool) -> str:
    # A path's end tells more than its beginning; a class or shape is known by its beginning.
    if len(text) <= width:
        return text
    return "…" + text[1 - width :] if keep_end else text[: width - 1] + "…"


def _totals(explanation: Explanation) -> list[Text]:
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
        result.append(
            Text(f"{totals.unused_params:,} of these params take no part in this pass", "yellow")
        )
    return result


def _mistake(mistake: Mistake) -> list[Text]:
    result = [Text(), Text(f"✗ it stops at {mistake.where}"[:WIDTH], "bold red")]
    for title, text in (
        ("rule", mistake.rule),
        ("got", mistake.got),
        ("expected", mistake.expected),
    ):
        result += _labelled(title, text, "")
    for number, mend in enumerate(mistake.mends):
        result += _labelled("mend" if number == 0 else "", mend, "green")
    return result


def _labelled(title: str, text: str, style: str) -> list[Text]:
    wrapped = textwrap.wrap(text, WIDTH - 12, break_long_words=True)
    return [
        Text.assemble((f"  {title if at == 0 else '':<10}", "dim"), (line, style))
        for at, line in enumerate(wrapped)
    ]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH - 4, break_long_words=True)
