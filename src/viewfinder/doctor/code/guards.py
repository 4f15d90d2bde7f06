"""Code that expects what it names to be gone, or asks for a version first."""

import ast
import re
from collections.abc import Iterator

# What is raised where a name is not there.
_ABSENT = {"ImportError", "ModuleNotFoundError", "AttributeError", "NameError"}
# A version of a library or of Python, and none of the user's own models.
_VERSION = re.compile(
    r"__version__|version_info|python_version|VERSION|\bversion\.(parse|Version)|Loose_?Version|"
    r"(torch|numpy|np|cv2?|opencv|pil|pillow|tv|torchvision|timm|apex|scipy|lib)_?version|"
    r"MAJOR|MINOR|GREATER_EQUAL|\bPY[23]\w*\b"
)
_GONE = re.compile(r"\b_six\.PY[23]")


def guarded(tree: ast.Module) -> Iterator[int]:
    """Lines within a `try` that expects the name to be gone, or an `if` that asks for a version."""
    modules = _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any(_expects_absence(h, node) for h in node.handlers):
            yield from _lines(node.body)
            for handler in node.handlers:
                yield from _lines(handler.body)
        elif isinstance(node, ast.If | ast.IfExp) and _asks(node.test, modules):
            if _GONE.search(ast.unparse(node.test)):
                # What is asked is gone itself, and only what hangs on it is guarded.
                yield from _lines([*node.body, *node.orelse] if isinstance(node, ast.If) else [])
            else:
                yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _imported(tree: ast.Module) -> set[str]:
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _asks(test: ast.expr, modules: set[str]) -> bool:
    """Whether a test asks for a version, or by `hasattr` for a name in what was imported."""
    if _VERSION.search(ast.unparse(test)):
        return True
    for node in ast.walk(test):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "hasattr" and node.args:
            root = ast.unparse(node.args[0]).partition(".")[0]
            if root in modules:
                return True
    return False


def _expects_absence(handler: ast.ExceptHandler, tried: ast.Try) -> bool:
    names = {node.id for node in ast.walk(handler.type or handler) if isinstance(node, ast.Name)}
    if handler.type is not None and names & _ABSENT:
        return True
    anything = handler.type is None or "Exception" in names
    return anything and all(isinstance(node, ast.Import | ast.ImportFrom) for node in tried.body)


def _lines(body: list[ast.stmt]) -> Iterator[int]:
    for node in body:
        yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)
