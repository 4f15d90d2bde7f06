"""An explanation as a notebook shows it: the table of its layers, and where it stops."""

from importlib.resources import files

from jinja2 import Environment

from viewfinder.explain.explanation import ExplainedLayer, Explanation, shape_text
from viewfinder.explain.rendering.figures import bytes_text, count_text, field_text, flow_text

# Layers of the table from its beginning and its end, so that what a notebook keeps stays small.
_FIRST, _LAST = 100, 20


def table(explanation: Explanation) -> str:
    """A piece of HTML, complete in itself."""
    template = files("viewfinder.explain.rendering").joinpath("notebook.html.jinja")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    batch = explanation.inputs[0][0] if explanation.inputs and explanation.inputs[0] else 1
    rows = [_row(layer, batch) for layer in explanation.layers]
    left_out = max(0, len(rows) - _FIRST - _LAST)
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        net=explanation.net,
        inputs=", ".join(map(shape_text, explanation.inputs)),
        training=explanation.training,
        first=rows[:_FIRST] if left_out else rows,
        left_out=left_out,
        last=rows[-_LAST:] if left_out else [],
        params=f"{explanation.totals.params:,}",
        macs=f"{explanation.totals.macs:,}",
        kept=bytes_text(explanation.totals.activation_bytes) or "0 B",
        mistake=explanation.mistake,
    )


def _row(layer: ExplainedLayer, batch: int) -> dict[str, object]:
    return {
        "name": layer.name,
        "kind": layer.kind,
        "flow": flow_text(layer, batch),
        "params": count_text(layer.params),
        "macs": count_text(layer.macs),
        "kept": bytes_text(layer.activation_bytes),
        "sees": field_text(layer.receptive_field),
        "formula": "   ".join(layer.formula),
        "dropped": "; ".join(layer.dropped.words),
    }
