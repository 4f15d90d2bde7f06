"""Arguments that are gone, or have another name or place."""

import ast
import re
from collections.abc import Iterator

from viewfinder.doctor.code.names import Use
from viewfinder.doctor.code.patterns import Hit
from viewfinder.doctor.code.sources import Code

_LOSS = re.compile(
    r"torch\.nn\.\w+Loss(2d)?|torch\.nn\.functional\.(\w+_loss|\w*cross_entropy\w*|kl_div)"
)
# Losses that have other flags before those two.
_OTHER_FLAGS = re.compile(r"poisson|gaussian|triplet|ctc", re.IGNORECASE)
_SOFTMAX = re.compile(
    r"torch\.nn\.(?:(functional\.)(?:log_softmax|softmax|softmin)|(?:Log)?Softmax|Softmin)"
)
_ROTATING = r"torchvision\.transforms\.(Random(Rotation|Affine)|functional\.(rotate|affine))"
# Where, what it was called, what it is called, and since when.
_REWORDED = (
    (_ROTATING, "resample", "interpolation", "0.15 (2023)"),
    (_ROTATING, "fillcolor", "fill", "0.15 (2023)"),
    (r"torchvision\.utils\.(make_grid|save_image)", "range", "value_range", "0.15 (2023)"),
)


def arguments_gone(code: Code, uses: list[Use]) -> Iterator[Hit]:
    """`size_average`, `reduce`, `volatile`, `pretrained`, `verbose`, `resample` and their like."""
    for use in uses:
        # What **words hold cannot be seen.
        if use.call is None or any(word.arg is None for word in use.call.keywords):
            continue
        words = {word.arg: word.value for word in use.call.keywords if word.arg}
        if use.name.startswith("torch.nn."):
            yield from _reduction(use, use.call, words)
            yield from _softmax(use, use.call, words)
        if use.name == "torch.autograd.Variable":
            yield _variable(use.call, words)
        if use.name.startswith("torchvision.models."):
            yield from _pretrained(use.call, words)
        if use.name.startswith("torchvision."):
            yield from _reworded(use, use.call, words)
        if use.name.startswith("torch.optim.lr_scheduler.") and "verbose" in words:
            yield Hit(
                *("verbose", "broken", use.call, "schedulers no longer take verbose"),
                "torch 2.7 and newer: TypeError; scheduler.get_last_lr() tells the learning rate",
                _without(use.call, {"verbose"}),
            )
        if use.name == "numpy.fromstring" and "sep" not in words and len(use.call.args) < 4:
            yield Hit(
                *("fromstring", "broken", use.call, "fromstring no longer reads bytes"),
                "numpy 2.3 (2025) and newer: ValueError; what frombuffer gives is written to once "
                "copied",
                f"{ast.unparse(use.call.func).replace('fromstring', 'frombuffer')}"
                f"{_without(use.call, set())[len(ast.unparse(use.call.func)) :]}.copy()",
            )
        if use.name == "torch.stft" and "return_complex" not in words:
            yield Hit(
                *("stft", "broken", use.call, "torch.stft without return_complex"),
                "torch 2.0 (2023) and newer: RuntimeError; the real view is what it gave before",
                f"torch.view_as_real({_without(use.call, set(), return_complex='True')})",
            )
        if use.name == "torch.load" and "weights_only" not in words:
            yield _load(use.call)
        if use.name == "yaml.load" and len(use.call.args) < 2 and "Loader" not in words:
            yield Hit(
                *("yaml-load", "broken", use.call, "yaml.load is called without a Loader"),
                "PyYAML 6 (2021) asks for one: TypeError; before, a stranger's file could run code",
                f"yaml.safe_load({ast.unparse(use.call.args[0]) if use.call.args else '…'})",
            )


def _literal(node: ast.expr | None) -> bool:
    return not (isinstance(node, ast.Constant) and node.value in (False, None))


def _without(call: ast.Call, gone: set[str], **new: str) -> str:
    """A call as it is written, without some of its words and with new ones."""
    kept = [word for word in call.keywords if word.arg not in gone]
    given = [ast.unparse(each) for each in call.args]
    given += [
        f"{w.arg}={ast.unparse(w.value)}" if w.arg else f"**{ast.unparse(w.value)}" for w in kept
    ]
    given += [f"{name}={value}" for name, value in new.items()]
    return f"{ast.unparse(call.func)}({', '.join(given)})"


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _reduction(use: Use, call: ast.Call, words: dict[str, ast.expr]) -> Iterator[Hit]:
    """`size_average` and `reduce`, by their names or by their places."""
    words, kept = dict(words), list(call.args)
    if _LOSS.fullmatch(use.name) and not _OTHER_FLAGS.search(use.name):
        # The first flags of every loss; before them are tensors and numbers.
        flags = [each for each in kept if _is_flag(each)]
        if flags and kept[-len(flags) :] == flags and len(flags) <= 2:
            words |= dict(zip(("size_average", "reduce"), flags, strict=False))
            kept = kept[: -len(flags)]
    if not {"size_average", "reduce"} & set(words):
        return
    # Of both, None means what the default does: True.
    averaged = words.get("size_average") or ast.Constant(True)
    reduced = words.get("reduce") or ast.Constant(True)
    whole = "'sum'" if _is_false(averaged) else "'mean'"
    if not isinstance(averaged, ast.Constant):
        whole = f"'mean' if {ast.unparse(averaged)} else 'sum'"
    how = "'none'" if _is_false(reduced) else whole
    if not isinstance(reduced, ast.Constant):
        how = f"({whole}) if {ast.unparse(reduced)} else 'none'"
    shorter = ast.Call(call.func, kept, call.keywords)
    yield Hit(
        *("size-average", "warning", call, "size_average and reduce are one argument now"),
        "torch warns of them since 0.4.1; reduction is 'mean', 'sum' or 'none'",
        _without(shorter, {"size_average", "reduce"}, reduction=how),
    )


def _is_flag(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


def _softmax(use: Use, call: ast.Call, words: dict[str, ast.expr]) -> Iterator[Hit]:
    """softmax that is not told of which dimension."""
    of = _SOFTMAX.fullmatch(use.name)
    tensors = 1 if of and of[1] else 0
    if of and "dim" not in words and len(call.args) == tensors:
        yield Hit(
            *("softmax-dim", "warning", call, "softmax is not told of which dimension"),
            "torch warns; of 3 dimensions it takes the first, of 2 and 4 the second",
            _without(call, set(), dim="1"),
        )


def _reworded(use: Use, call: ast.Call, words: dict[str, ast.expr]) -> Iterator[Hit]:
    """Arguments of transforms and of drawing that have other names now."""
    for place, old, new, since in _REWORDED:
        if old in words and re.fullmatch(place, use.name):
            gone = {name for p, name, _, _ in _REWORDED if re.fullmatch(p, use.name)} & set(words)
            renamed = {n: ast.unparse(words[o]) for _, o, n, _ in _REWORDED if o in gone}
            yield Hit(
                *("transform-arguments", "broken", call, f"{old} is called {new} now"),
                f"torchvision {since} no longer takes it: TypeError",
                _without(call, gone, **renamed),
            )
            return


def _variable(call: ast.Call, words: dict[str, ast.expr]) -> Hit:
    inner = ast.unparse(call.args[0]) if call.args else "…"
    if "volatile" in words:
        return Hit(
            *("volatile", "broken", call, "volatile=True no longer does anything"),
            "torch 0.4 (2018) took it out: the graph of gradients is kept, and fills the memory",
            f"with torch.no_grad():\n    …   # {inner} itself, without Variable",
        )
    if "requires_grad" in words:
        inner += f".requires_grad_({ast.unparse(words['requires_grad'])})"
    return Hit(
        *("variable", "warning", call, "Variable is a Tensor, and has been since torch 0.4"),
        "it does nothing any more",
        inner,
    )


def _pretrained(call: ast.Call, words: dict[str, ast.expr]) -> Iterator[Hit]:
    value, rest = words.get("pretrained"), call.args
    if value is None and rest and isinstance(rest[0], ast.Constant):
        value, rest = (rest[0] if isinstance(rest[0].value, bool) else None), rest[1:]
    if value is None:
        return
    short = ast.Call(call.func, rest, call.keywords)
    weights = "'DEFAULT'" if _literal(value) else "None"
    if not isinstance(value, ast.Constant):
        weights += f" if {ast.unparse(value)} else None"
    yield Hit(
        *("pretrained", "warning", call, "pretrained is called weights now"),
        "torchvision 0.13 and newer warn; 'DEFAULT' may be newer weights than those of then "
        "('IMAGENET1K_V1')",
        _without(short, {"pretrained"}, weights=weights),
    )


def nets_by_name(code: Code, uses: list[Use]) -> Iterator[Hit]:
    """`models.__dict__[arch](pretrained=True)`, and the same by getattr."""
    named = {id(use.node): use.name for use in uses}
    for node in code.nodes:
        if not isinstance(node, ast.Call):
            continue
        found, by = node.func, None
        if isinstance(found, ast.Subscript):
            by = named.get(id(found.value), "").removesuffix(".__dict__")
        elif isinstance(found, ast.Call) and ast.unparse(found.func) == "getattr" and found.args:
            by = named.get(id(found.args[0]))
        if by and re.fullmatch(r"torchvision\.models(\.\w+)*", by):
            yield from _pretrained(
                node, {word.arg: word.value for word in node.keywords if word.arg}
            )


def _load(call: ast.Call) -> Hit:
    return Hit(
        *("torch-load", "warning", call, "torch.load without weights_only"),
        "before torch 2.6 a stranger's file may run any code; since then files that hold more than "
        "tensors are refused (UnpicklingError)",
        _without(call, set(), weights_only="True")
        + "   # of your own old file: save its state_dict() once, and load that",
    )
