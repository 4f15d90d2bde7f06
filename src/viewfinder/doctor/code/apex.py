"""apex's mixed precision, and the same by torch.amp: what each level meant."""

import ast
from collections.abc import Iterator

from viewfinder.doctor.code.names import Use
from viewfinder.doctor.code.patterns import Hit
from viewfinder.doctor.code.sources import Code

_WHY = "apex has to be compiled for each torch and CUDA; torch does the same by itself since 1.6"
_SCALER = "scaler = torch.amp.GradScaler('cuda')   # once, before the loop"
_FORWARD = "with torch.amp.autocast('cuda', dtype=torch.float16):   # the forward pass and the loss"
# apex's documentation, "opt_levels and properties".
_LEVELS = {
    "O0": ("float32 throughout: it does nothing", "# O0 is float32: leave the line out"),
    "O1": ("each operation in float16 or float32, as it bears", f"{_SCALER}\n{_FORWARD}\n    …"),
    "O2": (
        "weights in float16 beside others in float32",
        f"{_SCALER}; the weights stay float32\n{_FORWARD}\n    …",
    ),
    "O3": (
        "float16 throughout, which seldom trains",
        f"{_SCALER}; safer than O3\n{_FORWARD}\n    …",
    ),
}


def apex(code: Code, uses: list[Use]) -> Iterator[Hit]:
    """`amp.initialize`, `scale_loss`, `master_params`, and what is kept with a state."""
    for use in uses:
        if use.imported or not use.name.startswith("apex.amp."):
            continue
        name = use.name.removeprefix("apex.amp.")
        if name == "initialize":
            yield _initialize(use)
        elif name == "scale_loss":
            yield _scaled(code, use)
        elif name == "master_params":
            yield Hit(
                *("apex", "warning", use.node, "the master weights are the weights themselves"),
                _WHY,
                "scaler.unscale_(optimizer)\n"
                "torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)",
            )
        elif name in ("state_dict", "load_state_dict"):
            given = ast.unparse(use.call.args[0]) if use.call and use.call.args else ""
            yield Hit(
                *("apex", "warning", use.node, f"what amp.{name} kept, the scaler keeps"),
                _WHY,
                f"scaler.{name}({given})",
            )
        elif name == "init":
            says = "amp.init, apex's first interface"
            yield Hit("apex", "warning", use.node, says, _WHY, f"{_SCALER}\n{_FORWARD}\n    …")
        else:
            yield Hit(
                *("apex", "warning", use.node, f"apex's amp.{name}"),
                _WHY,
                "# autocast knows what each function bears; leave the line out",
            )


def _initialize(use: Use) -> Hit:
    words = {word.arg: word.value for word in use.call.keywords} if use.call else {}
    given = words.get("opt_level")
    if given is None and use.call and len(use.call.args) > 2:
        given = use.call.args[2]
    level = str(given.value) if isinstance(given, ast.Constant) else ""
    # apex's own default is O1.
    meaning, instead = _LEVELS.get(level or "O1", _LEVELS["O1"])
    called = level if level in _LEVELS else "O1, apex's default" if given is None else "a level"
    says = f"amp.initialize with {called}"
    if level in _LEVELS or given is None:
        says += f": {meaning}"
    return Hit("apex", "warning", use.node, says, _WHY, instead)


def _scaled(code: Code, use: Use) -> Hit:
    given = [ast.unparse(each) for each in use.call.args] if use.call else []
    loss, optimiser = (given + ["loss", "optimizer"][len(given) :])[:2]
    several = use.call.args[1] if use.call and len(use.call.args) > 1 else None
    listed = several.elts if isinstance(several, ast.List | ast.Tuple) else None
    optimisers = [ast.unparse(each) for each in listed] if listed else [optimiser]
    steps = [f"scaler.step({each})" for each in optimisers]
    return Hit(
        *("apex", "warning", use.node, "scale_loss is one line of the scaler"),
        f"{_WHY}; step and update follow it, in the place of {optimisers[0]}.step()",
        "\n".join([f"scaler.scale({loss}).backward()", *steps, "scaler.update()"]),
    )
