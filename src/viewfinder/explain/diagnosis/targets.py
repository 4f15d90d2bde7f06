"""Mistakes between an answer and its target, at a loss."""

from torch import Tensor

from viewfinder.explain.calls import Call
from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.explanation import Mistake, shape_text

_PLAIN = {
    "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
}  # fmt: skip
_CLASSES = {"cross_entropy", "nll_loss"}


def unequal(case: Case) -> Mistake | None:
    """A loss that compares number by number, of two shapes."""
    if case.operation not in _PLAIN or len(case.shapes) < 2:
        return None
    answer, target = case.shapes[:2]
    if answer == target:
        return None
    return case.mistake(
        f"{case.operation} compares number by number: {shape_text(answer)} ≠ {shape_text(target)}",
        f"an answer of {case.operand(0)}, a target of {case.operand(1)}",
        f"a target of {shape_text(answer)}",
    )


def classes(case: Case) -> Mistake | None:
    """Cross-entropy with a target of another shape or type than class numbers have."""
    if case.operation not in _CLASSES or case.call is None or len(case.shapes) < 2:
        return None
    answer, target = case.shapes[:2]
    kind = case.call.tensors[1].dtype
    chosen = case.producer()
    if isinstance(chosen, Call) and chosen.base == "argmax":
        return case.mistake(
            f"{case.operation} wants the scores of all classes, N×classes, and argmax has chosen "
            f"one of them: {shape_text(chosen.input_shapes[0])} became {shape_text(answer)}",
            f"an answer of {case.operand(0)}, a target of {case.operand(1)}",
            f"an answer of {shape_text(chosen.input_shapes[0])}",
        )
    if case.operation == "nll_loss" and target == answer and len(answer) > 1:
        return case.mistake(
            "nll_loss wants the number of each class, and its target has one for every class, as "
            f"one-hot rows do: {shape_text(target)} ≠ {shape_text((*answer[:1], *answer[2:]))}",
            f"an answer of {case.operand(0)}, a target of {case.operand(1)}",
            f"a target of {shape_text((*answer[:1], *answer[2:]))}, int64",
        )
    wanted = (*answer[:1], *answer[2:]) if len(answer) > 1 else ()
    if len(wanted) == len(target) > 1 and wanted[0] == target[0] and wanted != target:
        scored, known = shape_text(wanted[1:]), shape_text(target[1:])
        return case.mistake(
            f"{case.operation} compares place by place: there are scores for {scored} places, and "
            f"class numbers for {known}",
            f"an answer of {case.operand(0)}, a target of {case.operand(1)}",
            f"an answer of {shape_text((*answer[:2], *target[1:]))}, or a target of "
            f"{shape_text(wanted)}",
        )
    if target != wanted and not (target == answer and kind.is_floating_point):
        rule = (
            f"an answer of N×classes{'×…' if len(answer) > 2 else ''} goes with a target of class "
            f"numbers without the classes' dimension: {shape_text(target)} ≠ {shape_text(wanted)}"
        )
    elif target == wanted and kind.is_floating_point:
        rule = f"class numbers are whole numbers, and the target is {_name(case.call.tensors[1])}"
    else:
        return None
    return case.mistake(
        rule,
        f"an answer of {case.operand(0)}, a target of {case.operand(1)}",
        f"a target of {shape_text(wanted)}, int64",
    )


def _name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
