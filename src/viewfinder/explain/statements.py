"""Statements of the user's own code around a failure, and the variables that they had."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType

from viewfinder.explain.recording import is_users


@dataclass(frozen=True)
class Running:
    """A line of the user's own code that was running, and its function's variables."""

    code: CodeType
    line: int
    variables: Mapping[str, object]

    @property
    def statement(self) -> ast.stmt | None:
        """The innermost statement that begins on that line or reaches over it."""
        found = None
        for node in statements(self.code):
            if node.lineno <= self.line <= (node.end_lineno or node.lineno):
                found = node
        return found


def running(error: BaseException) -> Running | None:
    """The innermost line of the user's own code that an error came through."""
    found, at = None, error.__traceback__
    while at is not None:
        if is_users(at.tb_frame.f_code.co_filename):
            found = Running(at.tb_frame.f_code, at.tb_lineno, at.tb_frame.f_locals)
        at = at.tb_next
    return found


def statements(code: CodeType) -> Iterator[ast.stmt]:
    """Every statement of a function, outer ones first, with the lines of its file."""
    try:
        lines, first = inspect.getsourcelines(code)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError, TypeError):
        return
    ast.increment_lineno(tree, first - 1)
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            yield node


def reads(code: CodeType, name: str) -> int:
    """How often a function reads a variable."""
    return sum(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        for statement in list(statements(code))[:1]
        for node in ast.walk(statement)
    )


def own_layer(node: ast.expr) -> str:
    """`fc` of `self.fc(…)`; empty for anything else."""
    called = node.func if isinstance(node, ast.Call) else None
    mine = isinstance(called, ast.Attribute) and ast.unparse(called.value) == "self"
    return called.attr if mine and isinstance(called, ast.Attribute) else ""
