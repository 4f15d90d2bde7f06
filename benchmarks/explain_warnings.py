"""Of mistakes that run, how many are warned of; and what the nets as meant are warned of.

python benchmarks/explain_warnings.py           the mistakes of explain_nets/silent.py
python benchmarks/explain_warnings.py learners    what is said of the mended nets of another set
"""

import sys
from importlib import import_module
from typing import Any

import torch
from explain_fixes import parse  # type: ignore[import-not-found]
from torch import nn

from viewfinder.errors import InputError
from viewfinder.explain import explain


def warnings_of(net: nn.Module, wrong: Any) -> tuple[str, ...]:
    samples = [parse(text, wrong.batch) for text in wrong.inputs]
    net = net.train(wrong.training)
    try:
        explanation = explain(net, *samples, batched=True)
    except InputError:
        explanation = explain(net, *samples, batched=True, real=True)
    if explanation.mistake is not None:
        return (f"does not run: {explanation.mistake.rule}",)
    return explanation.warnings


def main() -> None:
    torch.set_num_threads(1)
    name = next(iter(sys.argv[1:]), "silent")
    told = false = 0
    cases = import_module(f"explain_nets.{name}").CASES
    for case, wrong in cases.items():
        right = warnings_of(wrong.right(), wrong)
        false += len(right)
        for words in right:
            print(f"{case}, mended: {words}")
        if name == "silent":
            found = warnings_of(wrong.build(), wrong)
            new = [words for words in found if words not in right]
            told += bool(new)
            print(f"{'✓' if new else '✗'} {case}", *new, sep="\n    ")
    if name == "silent":
        print(f"of {len(cases)} mistakes that run {told} are warned of")
    print(f"{false} warnings of the {len(cases)} nets as they were meant")


if __name__ == "__main__":
    main()
