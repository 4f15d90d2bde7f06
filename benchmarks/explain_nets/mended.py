"""Mistakes of which it is known what mends them, as changes of their source.

`check` runs each net as it was written, which must fail, and as it is mended, which must not:

    python benchmarks/explain_nets/mended.py learners
"""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor, nn

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from explain_nets.wrong import Wrong  # type: ignore[import-not-found]


class Mended:
    """Collects nets: `@case("3x32x32", mend={"what is wrong": "what is right"})` over a class.

    `parts` are modules that the class is made of, in which something may be wrong too.
    """

    def __init__(self) -> None:
        self.cases: dict[str, Wrong] = {}

    def __call__(
        self,
        *inputs: str,
        mend: Mapping[str, str],
        parts: Sequence[type[nn.Module]] = (),
        batch: int = 4,
    ) -> Callable[[type[nn.Module]], type[nn.Module]]:
        def add(kind: type[nn.Module]) -> type[nn.Module]:
            assert kind.__name__ not in self.cases
            self.cases[kind.__name__] = Wrong(
                kind, inputs, batch, right=lambda: right(kind, mend, parts)
            )
            return kind

        return add


def right(
    kind: type[nn.Module], mend: Mapping[str, str], parts: Sequence[type[nn.Module]] = ()
) -> nn.Module:
    """The net of a class whose source, and that of its parts, is mended."""
    source = ""
    for each in (*parts, kind):
        text = inspect.getsource(each)
        source += text[text.index(f"class {each.__name__}(") :] + "\n\n"
    for old, new in mend.items():
        assert old in source, (kind.__name__, old)
        source = source.replace(old, new)
    names = dict(vars(sys.modules[kind.__module__]))
    exec(compile(source, f"{kind.__name__}, mended", "exec"), names)
    net = names[kind.__name__]()
    assert isinstance(net, nn.Module)
    return net


def _runs(net: nn.Module, wrong: Wrong, batch: int) -> str:
    from explain_fixes import parse, real  # type: ignore[import-not-found]

    try:
        out = net.eval()(*(real(parse(text, batch)) for text in wrong.inputs))
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:160]
    while isinstance(out, tuple | list):
        out = out[0]
    return "" if isinstance(out, Tensor) else f"gives {type(out).__name__}"


def check(cases: Mapping[str, Wrong]) -> int:
    """How many are not what they should be; they are printed."""
    bad = 0
    for name, wrong in cases.items():
        assert wrong.right is not None
        batches = (wrong.batch, 2 * wrong.batch, wrong.batch + 2)
        failures = [said for batch in batches if (said := _runs(wrong.right(), wrong, batch))]
        try:
            net = wrong.build()
        except (RuntimeError, ValueError, TypeError, AssertionError):
            fails = True
        else:
            fails = any(_runs(net, wrong, batch) for batch in batches)
        if failures or not fails:
            bad += 1
            print(name, failures or "runs as it is")
    return bad


if __name__ == "__main__":
    torch.manual_seed(0)
    for module in sys.argv[1:]:
        found = import_module(f"explain_nets.{module}").CASES
        print(f"{module}: {len(found)} nets, {check(found)} not as they should be")
