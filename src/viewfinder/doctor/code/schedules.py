"""A learning rate that is moved on before the step that it was meant for."""

import ast
from collections.abc import Iterator

from viewfinder.doctor.code.names import Use
from viewfinder.doctor.code.patterns import Hit, method_of
from viewfinder.doctor.code.sources import Code


def scheduler_first(code: Code, uses: list[Use]) -> Iterator[Hit]:
    """`scheduler.step()` at the head of an epoch, before its steps."""
    for loop in code.nodes:
        if not isinstance(loop, ast.For | ast.While):
            continue
        for place, statement in enumerate(loop.body):
            if not isinstance(statement, ast.Expr) or not _moves(statement.value):
                continue
            before, after = loop.body[:place], loop.body[place + 1 :]
            if _trains(after) and not _trains(before):
                yield Hit(
                    *("scheduler-first", "warning", statement),
                    "the scheduler takes its step before the optimiser does",
                    "torch 1.1 (2019) and newer: the first learning rate is passed over, and "
                    "torch warns",
                    f"# at the end of the epoch, behind the last optimizer.step():\n"
                    f"{ast.unparse(statement)}",
                )


def _moves(node: ast.expr) -> bool:
    """Whether this is `scheduler.step(…)`, whatever the scheduler is called."""
    if method_of(node) != "step" or not isinstance(node, ast.Call):
        return False
    assert isinstance(node.func, ast.Attribute)
    return "sched" in ast.unparse(node.func.value).lower()


def _trains(body: list[ast.stmt]) -> bool:
    """Whether something is learnt here: by `backward`, an optimiser's step, or a function that
    is called so."""
    for node in (each for statement in body for each in ast.walk(statement)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).lower()
        last = name.rpartition(".")[2]
        if last == "backward" or (last == "step" and "optim" in name):
            return True
        if last.startswith("train") and node.args:
            return True
    return False


def rate_asked(code: Code, uses: list[Use]) -> Iterator[Hit]:
    """`scheduler.get_lr()`, which is the scheduler's own and no longer for asking."""
    for node in code.nodes:
        if method_of(node) != "get_lr" or not isinstance(node, ast.Call) or node.args:
            continue
        assert isinstance(node.func, ast.Attribute)
        of = ast.unparse(node.func.value)
        if "sched" in of.lower():
            yield Hit(
                *("get-lr", "warning", node, "get_lr no longer tells the learning rate"),
                "torch 1.4 (2020) and newer warn; outside of step() its answer may be another rate",
                f"{of}.get_last_lr()",
            )
