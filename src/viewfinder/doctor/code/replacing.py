"""What to write in the place of a name that is gone: a line to paste."""

import ast
import builtins

from viewfinder.doctor.code.names import Use
from viewfinder.doctor.code.row import Replacement


def written(old: str, row: Replacement, use: Use) -> str:
    """What to write in the place of a use of `old`: the call itself, where it is one."""
    new, _, note = row.new.partition("   # ")
    if use.imported:
        return _import(old, row, new, use)
    if new[:1] == "#":
        return _commented(row, new)
    new, imports = _as_imported(new, use), row.imports
    if use.module and not imports:
        imports = _brought(new, use)
    needs = f"{imports}\n" if imports else ""
    tail = f"   # {note}" if note else ""
    rest = "" if note else use.name[len(old) :]
    if use.call is None:
        return f"{needs}{_bare(new)}{rest}{tail}"
    given, first, second = _arguments(use.call, row)
    if "{" in new:
        filled = new.replace("{args}", given).replace("{0}", first).replace("{1}", second)
        return needs + filled.replace("(, ", "(").replace(", )", ")") + tail
    return needs + (new if "(" in new else f"{new}{rest}({given})") + tail


def _as_imported(new: str, use: Use) -> str:
    """A new name that begins as the old one does, by the name that this was imported under."""
    text = ast.unparse(use.node)
    name, _, rest = text.partition(".")
    whole = use.name.removesuffix(f".{rest}") if rest else ""
    sign = "-" if new.startswith("-") else ""
    beside = new.removeprefix(sign).removeprefix(f"{use.module}.")
    if use.module and "." not in beside.partition("(")[0]:
        return sign + beside  # The star brings this one too.
    if whole and new.removeprefix(sign).startswith(f"{whole}."):
        return sign + name + new.removeprefix(sign)[len(whole) :]
    return new


def _brought(new: str, use: Use) -> str:
    """The import that a new name needs where the old one came by a star."""
    root, dot, _ = new.lstrip("-").partition("(")[0].partition(".")
    return f"import {root}" if dot and root == use.module.partition(".")[0] else ""


def _commented(row: Replacement, new: str) -> str:
    return f"{row.imports}\n{new}" if row.imports else new


def _import(old: str, row: Replacement, new: str, use: Use) -> str:
    """What brings the new name under the name that the import gave the old one."""
    name = _given(use)
    if new[:1] == "#":
        return _commented(row, new)
    if " as " in row.imports:
        return row.imports
    if isinstance(use.node, ast.Import):
        whole = f"{new}{use.name[len(old) :]}"
        alias = "" if name in (whole, use.name.rpartition(".")[2]) else f" as {name}"
        return f"import {whole}{alias}"
    if name == new or row.imports == f"import {new}{use.name[len(old) :]}":
        return row.imports or f"# leave it out: {new} is Python's own"
    if _is_more_than_a_call(new):
        filled = new.replace("{args}", "*x").replace("{0}", "x").replace("{1}", "y")
        given = "x, y" if "{1}" in new else "x"
        needs = row.imports or ("import torch" if new.startswith("torch.") else "")
        return f"{needs}\n{name} = lambda {given}: {filled}".lstrip()
    whole = new.partition("(")[0].lstrip("-") + use.name[len(old) :]
    module, _, last = whole.rpartition(".")
    dotted = all(part.isidentifier() for part in module.split("."))
    if not dotted or row.imports.startswith("from") or hasattr(builtins, last) or new[0] == "-":
        needs = row.imports or (f"import {module}" if module and dotted else "")
        return f"{needs}\n{name} = {new}".lstrip()
    return f"from {module} import {last}" + ("" if name in (last, "*") else f" as {name}")


def _given(use: Use) -> str:
    """The name that an import binds."""
    last = use.name.rpartition(".")[2]
    names = use.node.names if isinstance(use.node, ast.Import | ast.ImportFrom) else []
    return next((a.asname for a in names if a.asname and a.name in (last, use.name)), last)


def _is_more_than_a_call(new: str) -> bool:
    """Whether a template is no call of one name, so that no import can stand for it."""
    if "{1}" in new:
        return True
    if "{0}" not in new and "{args}" not in new:
        return False
    head, _, rest = new.partition("(")
    return "{" in head or not head or "(" in rest


def _bare(new: str) -> str:
    """The new name where the old one is not called, as a decorator may be."""
    if "{" not in new:
        return new
    kept = new.replace("{args}, ", "").replace(", {args}", "").replace("{args}", "")
    return kept.replace("{1}, ", "").replace("{0}", "…").replace("{1}", "…")


def _arguments(call: ast.Call, row: Replacement) -> tuple[str, str, str]:
    """All arguments of a call as they are written, the first and the second; these by the names in
    `takes` too; without those that are dropped."""
    given = [ast.unparse(each) for each in call.args]
    given += [
        f"{word.arg}={ast.unparse(word.value)}" if word.arg else f"**{ast.unparse(word.value)}"
        for word in call.keywords
        if word.arg not in row.drops
    ]
    first, second = (*given, "…", "…")[:2]
    if row.takes:
        words = {word.arg: ast.unparse(word.value) for word in call.keywords}
        placed = [ast.unparse(each) for each in call.args]
        both = [*placed, *(words.get(name, "…") for name in row.takes[len(placed) :])]
        first, second = both[:2]
    return ", ".join(given), first, second
