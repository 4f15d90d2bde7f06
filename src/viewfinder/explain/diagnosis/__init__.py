"""Why a forward pass stopped, told from the call's own arguments.

Each kind of mistake is one small function that looks at the failed call and answers with a
Mistake or None; the first answer counts. Torch's own words are never read, for they differ by
device and version; they are only passed on where no rule here knows the mistake.
"""

from collections.abc import Callable
from contextlib import suppress

from viewfinder.explain.diagnosis import (
    dimensions,
    features,
    functions,
    inputs,
    kinds,
    meeting,
    placewise,
    products,
    ranks,
    rarer,
    rows,
    sequences,
    structure,
    targets,
    windows,
)
from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.explanation import Mistake, shape_text

_RULES: tuple[Callable[[Case], Mistake | None], ...] = (
    rows.mixed_rows,
    rows.lost_batch,
    structure.nothing,
    structure.several,
    structure.used_as_one,
    structure.unpacked,
    structure.misspelt,
    inputs.arguments,
    inputs.devices,
    inputs.index_type,
    inputs.number_type,
    dimensions.out_of_range,
    dimensions.permutation,
    dimensions.expansion,
    dimensions.shuffled,
    dimensions.beyond,
    kinds.truths,
    kinds.losses,
    targets.unequal,
    targets.classes,
    windows.missing_dimension,
    windows.channel_last,
    ranks.windows,
    ranks.resizing,
    windows.channels,
    windows.convolution_groups,
    windows.window_too_large,
    windows.pooling_padding,
    windows.output_padding,
    features.linear_features,
    features.batch_norm,
    features.layer_norm,
    features.group_norm,
    features.contiguity,
    features.regrouping,
    meeting.branches,
    meeting.concatenation,
    products.matrix_product,
    products.attention,
    ranks.sequences,
    inputs.recurrent_size,
    kinds.recurrent,
    sequences.state,
    ranks.batches,
    sequences.masks,
    placewise.broadcasting,
    placewise.letters,
    placewise.rows,
    placewise.distances,
    functions.single,
    rarer.single,
)

# Of arguments that a rule cannot even read: they are none of the mistakes that it knows. Tests
# suppress nothing, so that a bug in a rule is not taken for an unknown mistake.
SUPPRESSED: tuple[type[Exception], ...] = (
    AttributeError,
    IndexError,
    TypeError,
    ValueError,
    ZeroDivisionError,
)


def diagnose(case: Case) -> Mistake:
    """What went wrong, with its numbers; torch's message where no rule knows it."""
    for rule in _RULES:
        with suppress(*SUPPRESSED):
            mistake = rule(case)
            if mistake is not None:
                return mistake
    return _unknown(case)


def _unknown(case: Case) -> Mistake:
    error = case.failure.error
    message = (str(error).strip().splitlines() or [""])[0]
    # What the pass runs on is nothing that the user has heard of.
    message = message.replace("FakeTensor", "Tensor").replace("MetaFloatType", "tensor")
    shapes = ", ".join(map(shape_text, case.shapes))
    operation = case.call.operation if case.call else f"{type(case.module).__name__}.forward"
    got = f"{operation}({shapes})" if case.call else operation
    return case.mistake(f"{type(error).__name__}: {message}", got, "")
