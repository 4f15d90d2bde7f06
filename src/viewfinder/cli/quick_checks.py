"""Whether a flag's default is of its type, asked without what takes a tenth of a second to import.

Tyro asks it of every flag. Of `X | None` and of `tuple[X, ...]` it lets typeguard answer, which
imports asyncio and unittest, for a fifth of the time in which a command is refused.
"""

import contextlib
import importlib
from collections.abc import Callable, Iterator
from types import UnionType
from typing import get_args, get_origin

Check = Callable[[object, object], bool]


@contextlib.contextmanager
def without_typeguard() -> Iterator[None]:
    """Within, tyro has these two kinds of types checked here; where it no longer asks so, nothing
    changes."""
    resolver = importlib.import_module("tyro._resolver")
    usual: Check | None = getattr(resolver, "is_instance", None)
    if usual is None:
        yield
        return
    resolver.is_instance = lambda kind, value: _is_of(kind, value, usual)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        resolver.is_instance = usual  # type: ignore[attr-defined]


def _is_of(kind: object, value: object, usual: Check) -> bool:
    if isinstance(kind, UnionType):
        return any(_is_of(each, value, usual) for each in get_args(kind))
    within = get_args(kind)
    if get_origin(kind) is tuple and Ellipsis in within:
        return isinstance(value, tuple) and all(_is_of(within[0], each, usual) for each in value)
    return usual(kind, value)
