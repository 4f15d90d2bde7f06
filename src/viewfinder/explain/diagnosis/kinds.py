"""Mistakes of what numbers a tensor holds: truth values, whole numbers, halves."""

import torch
from torch import Tensor, nn

from viewfinder.explain.diagnosis.case import Case
from viewfinder.explain.explanation import Mistake, shape_text

_BY_NUMBER = {
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss", "l1_loss",
    "smooth_l1_loss", "huber_loss", "kl_div",
}  # fmt: skip


def truths(case: Case) -> Mistake | None:
    """A mask of numbers where truth values are wanted, or the other way round."""
    tensors = case.call.tensors if case.call is not None else ()
    if case.operation in ("masked_fill", "masked_select") and len(tensors) > 1:
        if tensors[1].dtype == torch.bool:
            return None
        return case.mistake(
            f"{case.operation} takes a mask of truth values, and this one is {_name(tensors[1])}",
            case.operand(1),
            "a mask of type bool",
        )
    if case.operation == "where" and len(tensors) > 1 and tensors[0].dtype != torch.bool:
        return case.mistake(
            f"where takes a condition of truth values, and this one is {_name(tensors[0])}",
            case.operand(0),
            "a condition of type bool, such as mask > 0",
        )
    if case.operation in ("sub", "rsub", "neg") and any(t.dtype == torch.bool for t in tensors):
        at = next(n for n, t in enumerate(tensors) if t.dtype == torch.bool)
        rule = "truth values cannot be subtracted: ~mask turns a mask round"
        return case.mistake(rule, case.operand(at), "numbers, or ~mask")
    return None


def losses(case: Case) -> Mistake | None:
    """Whole numbers in a loss of numbers, and class numbers of another type than int64."""
    tensors = case.call.tensors[:2] if case.call is not None else ()
    if len(tensors) < 2:
        return None
    if case.operation in _BY_NUMBER:
        for at, what in enumerate(("answer", "target")):
            if not tensors[at].is_floating_point() and not tensors[at].is_complex():
                return case.mistake(
                    f"{case.operation} compares numbers with fractions, and its {what} is "
                    f"{_name(tensors[at])}",
                    case.operand(at),
                    f"a {what} of type float32",
                )
    whole = (
        tensors[1].dtype not in (torch.int64, torch.uint8) and not tensors[1].is_floating_point()
    )
    if case.operation in ("cross_entropy", "nll_loss") and whole:
        return case.mistake(
            f"class numbers are of type int64, and the target is {_name(tensors[1])}",
            case.operand(1),
            "a target of type int64",
        )
    return None


def recurrent(case: Case) -> Mistake | None:
    """A recurrent layer whose input is of another type than its weights."""
    module, frame = case.module, case.failure.frame
    if not isinstance(module, nn.RNNBase | nn.RNNCellBase) or not frame.args:
        return None
    given, weight = frame.args[0], next(module.parameters(), None)
    if not isinstance(given, Tensor) or weight is None or given.dtype == weight.dtype:
        return None
    return case.mistake(
        f"{case.name} multiplies its input by its weights, and torch wants both of one type: "
        f"{_name(given)} met {_name(weight)}",
        f"{shape_text(tuple(map(int, given.shape)))}, {_name(given)}",
        _name(weight),
    )


def _name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
