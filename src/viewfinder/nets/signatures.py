"""The options of a net, read from its file without running it: importing torch takes seconds."""

import ast
import importlib.util
from functools import lru_cache
from pathlib import Path

from viewfinder.reading import read_bytes


@lru_cache(maxsize=8)
def written_options(module: str, builder: str) -> tuple[str, ...] | None:
    """The keyword-only arguments of what a module calls `builder`: a class, also within
    `partial(…)`, or a function. None where the file does not say so plainly."""
    try:
        spec = importlib.util.find_spec(module)
        source = read_bytes(Path(spec.origin or "")) if spec else b""
    except (ImportError, ValueError, OSError):
        return None
    body = ast.parse(source).body
    made = _made_by(body, builder)
    for each in body:
        if isinstance(each, ast.FunctionDef) and each.name == builder:
            return _keywords(each)
        if isinstance(each, ast.ClassDef) and each.name == made:
            starts = (e for e in each.body if isinstance(e, ast.FunctionDef))
            return next((_keywords(e) for e in starts if e.name == "__init__"), None)
    return None


def _made_by(body: list[ast.stmt], builder: str) -> str | None:
    """The class that a line `builder = Class` or `builder = partial(Class, …)` names."""
    for each in body:
        match each:
            case ast.Assign([ast.Name(name)], ast.Name(made)) if name == builder:
                return made
            case ast.Assign(
                [ast.Name(name)], ast.Call(ast.Name("partial"), [ast.Name(made), *_])
            ) if name == builder:
                return made
    return None


def _keywords(function: ast.FunctionDef) -> tuple[str, ...]:
    return tuple(each.arg for each in function.args.kwonlyargs)
