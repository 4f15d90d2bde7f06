"""One HTML file with everything inside: the drawn network, its details, its receptive fields."""

import json
from importlib.resources import files

from jinja2 import Environment

from viewfinder.explain.explanation import ExplainedLayer, Explanation, Shape, shape_text
from viewfinder.explain.rendering.figure import family, figure
from viewfinder.explain.rendering.figures import (
    bytes_text,
    count_text,
    field_text,
    flow_text,
    unused_text,
)


def page(explanation: Explanation) -> str:
    """The whole page, which needs nothing but a browser."""
    folder = files("viewfinder.explain.rendering")
    template = folder.joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    batch = explanation.inputs[0][0] if explanation.inputs and explanation.inputs[0] else 1
    details = [_details(layer, batch, explanation.inputs) for layer in explanation.layers]
    size = explanation.inputs[0][2:] if explanation.inputs else ()
    return environment.from_string(template).render(
        net=explanation.net,
        inputs=[shape_text(shape) for shape in explanation.inputs],
        outputs=[shape_text(shape) for shape in explanation.outputs[:4]],
        training=explanation.training,
        totals=explanation.totals,
        macs=count_text(explanation.totals.macs) or "0",
        params=count_text(explanation.totals.params) or "0",
        kept=bytes_text(explanation.totals.activation_bytes) or "0 B",
        unused=None if explanation.mistake else count_text(explanation.totals.unused_params),
        unused_names=unused_text(explanation.totals),
        mistake=explanation.mistake,
        warnings=explanation.warnings,
        figure=figure(explanation),
        layers=details,
        picture=list(size) if len(size) == 2 else None,
        # In a script element only "<" could end it early.
        data=json.dumps(details, ensure_ascii=False).replace("<", "\\u003c"),
        style=folder.joinpath("page.css").read_text(encoding="utf-8"),
        script=folder.joinpath("page.js").read_text(encoding="utf-8"),
    )


def _details(layer: ExplainedLayer, batch: int, inputs: tuple[Shape, ...]) -> dict[str, object]:
    field = layer.receptive_field
    shape = layer.outputs[0] if layer.outputs else ()
    return {
        "name": layer.name,
        "kind": layer.kind,
        "family": family(layer.kind),
        "flow": flow_text(layer, batch),
        "in": [shape_text(one) for one in layer.inputs],
        "out": [shape_text(one) for one in layer.outputs],
        "formula": list(layer.formula),
        "dropped": list(layer.dropped.words),
        "notes": list(layer.notes),
        "params": f"{layer.params:,}" if layer.params else "",
        "macs": f"{layer.macs:,}" if layer.macs else "",
        "kept": bytes_text(layer.activation_bytes),
        "sees": field_text(field),
        "source": layer.source,
        "code": layer.code,
        # There is one picture on the page: fields in an input of another size have no place on it.
        "field": None
        if field is None or len(field.size) != 2 or inputs[field.input][2:] != inputs[0][2:]
        else {
            "size": list(field.size),
            "stride": list(field.stride),
            "offset": list(field.offset),
            "whole": field.whole,
            "map": list(shape[-2:]) if len(shape) > 2 else [1, 1],
        },
    }
