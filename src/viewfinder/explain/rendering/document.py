"""The JSON of an explanation, in the keys that programs may rely on.

`schema` names the version; a key's meaning never changes under one version. Shapes are lists of
integers, batch included. `dropped` lists rows and columns of the input, counted from 0.
"""

from viewfinder.explain.explanation import SCHEMA, ExplainedLayer, Explanation, ReceptiveField


def document(explanation: Explanation) -> dict[str, object]:
    """The explanation as plain lists, dictionaries and numbers."""
    totals, mistake = explanation.totals, explanation.mistake
    return {
        "schema": SCHEMA,
        "net": explanation.net,
        "inputs": [list(shape) for shape in explanation.inputs],
        "layers": [_layer(layer) for layer in explanation.layers],
        "totals": {
            "params": totals.params,
            "macs": totals.macs,
            "activation_bytes": totals.activation_bytes,
            "unused": [{"name": name, "params": count} for name, count in totals.unused],
        },
        "mistake": None
        if mistake is None
        else {
            "where": mistake.where,
            "rule": mistake.rule,
            "got": mistake.got,
            "expected": mistake.expected,
            "fixes": list(mistake.fixes),
            # The name that they had first, which programs may rely on.
            "mends": list(mistake.fixes),
            "untried": mistake.untried,
        },
        "warnings": list(explanation.warnings),
    }


def _layer(layer: ExplainedLayer) -> dict[str, object]:
    return {
        "name": layer.name,
        "kind": layer.kind,
        "in": [list(shape) for shape in layer.inputs],
        "out": [list(shape) for shape in layer.outputs],
        "formula": list(layer.formula),
        "dropped": {
            "rows": list(layer.dropped.rows),
            "columns": list(layer.dropped.columns),
        },
        "params": layer.params,
        "macs": layer.macs,
        "activation_bytes": layer.activation_bytes,
        "receptive_field": _field(layer.receptive_field),
    }


def _field(field: ReceptiveField | None) -> dict[str, object] | None:
    if field is None:
        return None
    return {
        "input": field.input,
        "size": list(field.size),
        "stride": list(field.stride),
        "offset": list(field.offset),
        "whole": field.whole,
    }
