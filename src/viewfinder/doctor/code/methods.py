"""Methods of tensors that are gone, functions that are given their factor first, and `np.load`."""

import ast
from collections.abc import Iterator

from viewfinder.doctor.code.names import Use
from viewfinder.doctor.code.patterns import Hit, method_of
from viewfinder.doctor.code.sources import Code

# Methods that torch took out: with how many arguments, which words, and what stands in their place.
# Names that other things have too, such as `solve`, count only with a tensor's arguments.
_GONE: dict[str, tuple[int, set[str], str]] = {
    "symeig": (2, {"eigenvectors", "upper"}, "torch.linalg.eigh({of}, UPLO='U')"),
    "eig": (1, {"eigenvectors"}, "torch.linalg.eig({of})"),
    "qr": (1, {"some"}, "torch.linalg.qr({of})   # with some=False it is mode='complete'"),
    "lstsq": (1, {"A"}, "torch.linalg.lstsq({0}, {of}).solution   # one answer of two"),
    "gesv": (1, {"A"}, "torch.linalg.solve({0}, {of})   # the first answer of two"),
    "potrf": (1, {"upper"}, "torch.linalg.cholesky({of})   # its .mH, as potrf gave the upper one"),
    "potri": (
        1,
        {"upper"},
        "torch.cholesky_inverse({of})   # potri took the upper: upper=True",
    ),
    "potrs": (2, {"upper"}, "torch.cholesky_solve({of}, {0})"),
    "trtrs": (
        *(4, {"upper", "transpose", "unitriangular"}),
        "torch.linalg.solve_triangular({0}, {of}, upper=True)   # the first answer of two",
    ),
    "btrifact": (1, {"pivot"}, "torch.linalg.lu_factor({of})"),
    "btrisolve": (2, set(), "torch.lu_solve({of}, {0}, {1})"),
    "cholesky": (1, {"upper"}, "torch.linalg.cholesky({of})   # with upper=True, its .mH"),
    "solve": (1, {"A"}, "torch.linalg.solve({0}, {of})   # the first answer of two"),
    "rfft": (2, {"normalized", "onesided"}, "torch.fft.rfftn({of}, dim=…)   # complex"),
    "irfft": (
        *(2, {"normalized", "onesided", "signal_sizes"}),
        "torch.fft.irfftn({of}, dim=…)   # of a complex tensor",
    ),
}
# Of these, what has no argument in the place of the other matrix is something else.
_OF_TWO = {"lstsq", "gesv", "potrs", "trtrs", "btrisolve", "solve", "rfft", "irfft"}
# What is not a tensor by its name: a solver, a scheme, a library.
_ELSEWHERE = {"solve", "cholesky", "qr", "eig"}
# Functions whose second argument was a factor, and what it is called.
_FACTORED = {
    **dict.fromkeys(("torch.add", "torch.sub"), (3, "alpha")),
    **dict.fromkeys(("torch.addcmul", "torch.addcdiv"), (4, "value")),
}


def methods_of_tensors(code: Code, uses: list[Use]) -> Iterator[Hit]:
    """`a.symeig()`, `a.qr()` and their like, in a file that imports torch."""
    if not any(use.name.partition(".")[0] == "torch" for use in uses):
        return
    functions = {id(use.call) for use in uses if use.call}
    own = {node.name for node in code.nodes if isinstance(node, ast.FunctionDef)}
    for node in code.nodes:
        name = method_of(node)
        if name not in _GONE or name in own or id(node) in functions:
            continue
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Attribute)
        most, words, new = _GONE[name]
        named = {word.arg for word in node.keywords}
        if len(node.args) > most or named - words or any(_is_text(a) for a in node.args):
            continue
        of = ast.unparse(node.func.value)
        given = [ast.unparse(each) for each in node.args]
        given += [ast.unparse(word.value) for word in node.keywords if word.arg == "A"]
        if (name in _OF_TWO and not given) or (name in _ELSEWHERE and not _tensor(node.func)):
            continue
        first, second = (*given, "…", "…")[:2]
        yield Hit(
            *("gone-torch", "broken", node, f"tensors have no {name} any more"),
            "torch 0.4 to 2.0 took it out: RuntimeError or AttributeError",
            new.replace("{of}", of).replace("{0}", first).replace("{1}", second),
        )


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _tensor(func: ast.Attribute) -> bool:
    """Whether a method that other things have too may be a tensor's: of a name or an expression of
    tensors, and not of `solver`, `self` or a thing that was just made."""
    of = func.value
    if isinstance(of, ast.Name):
        return len(of.id) <= 2 or any(
            part in of.id.lower() for part in ("tensor", "mat", "cov", "gram", "hess", "weight")
        )
    return isinstance(of, ast.Subscript | ast.BinOp) or method_of(of) in (
        *("t", "mm", "matmul", "float", "double", "cpu", "cuda", "transpose", "bmm", "detach"),
    )


def factors_by_place(code: Code, uses: list[Use]) -> Iterator[Hit]:
    """`torch.addcmul(x, 1, a, b)`, and `x.addcmul(1, a, b)`: the factor before the tensors."""
    functions = {id(use.call) for use in uses if use.call}
    for use in uses:
        count, word = _FACTORED.get(use.name, (0, ""))
        call = use.call
        if call and count and len(call.args) == count and not _starred(call):
            of, factor, *tensors = [ast.unparse(each) for each in call.args]
            yield _factor(call, [of, *tensors], word, factor)
    for node in code.nodes:
        name = method_of(node)
        if name in ("addcmul", "addcdiv") and id(node) not in functions:
            assert isinstance(node, ast.Call)
            if len(node.args) == 3 and not _starred(node):
                factor, *tensors = [ast.unparse(each) for each in node.args]
                yield _factor(node, tensors, "value", factor)


def _starred(call: ast.Call) -> bool:
    named = any(word.arg != "out" for word in call.keywords)
    return named or any(isinstance(each, ast.Starred) for each in call.args)


def _factor(call: ast.Call, tensors: list[str], word: str, factor: str) -> Hit:
    kept = [f"{each.arg}={ast.unparse(each.value)}" for each in call.keywords]
    given = ", ".join([*tensors, f"{word}={factor}", *kept])
    name = ast.unparse(call.func).rpartition(".")[2]
    return Hit(
        *("factor-first", "warning", call, f"{name} is given its factor before the tensors"),
        "torch warns since 1.5: the factor has a name now, and stands behind",
        f"{ast.unparse(call.func)}({given})",
    )


def objects_loaded(code: Code, uses: list[Use]) -> Iterator[Hit]:
    """`np.load` of what can only be objects, without allow_pickle: where the encoding of a pickle
    is reported, or a single thing is taken out of the array."""
    calls = {id(use.call): use.call for use in uses if use.name == "numpy.load" and use.call}
    plain = {
        key: call
        for key, call in calls.items()
        if not any(word.arg in ("allow_pickle", None) for word in call.keywords)
        and len(call.args) < 3
    }
    names = _once_set(code, plain)
    taken = {
        key for node in code.nodes if (key := _taken_out(node, names)) is not None and key in plain
    }
    for key, call in plain.items():
        encoded = any(word.arg == "encoding" for word in call.keywords)
        if not encoded and key not in taken:
            continue
        text = ast.unparse(call)
        yield Hit(
            *("np-load", "broken" if encoded else "warning", call),
            "np.load of objects without allow_pickle",
            "numpy 1.16.3 (2019) and newer: ValueError where the file holds objects; with it, a "
            "stranger's file can run code",
            f"{text[:-1]}, allow_pickle=True)   # of your own file alone",
        )


def _once_set(code: Code, plain: dict[int, ast.Call]) -> dict[str, int]:
    """Names that are set but once, each to one of the calls."""
    stored = [n.id for n in code.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return {
        node.targets[0].id: id(node.value)
        for node in code.nodes
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and id(node.value) in plain
        and stored.count(node.targets[0].id) == 1
    }


def _taken_out(node: ast.AST, names: dict[str, int]) -> int | None:
    """The array that `.item()` or `[()]` takes the one thing out of."""
    if method_of(node) == "item" and isinstance(node, ast.Call) and not node.args:
        assert isinstance(node.func, ast.Attribute)
        of: ast.expr | None = node.func.value
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        of = None if node.slice.elts else node.value
    else:
        return None
    return names.get(of.id) if isinstance(of, ast.Name) else id(of)
