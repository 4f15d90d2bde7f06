"""What first fixes mean: the fixed net's answers, in numbers, beside those of the net as meant.

    python benchmarks/explain_meaning.py meanings           of mistakes that say what mends them
    python benchmarks/explain_meaning.py meanings NAME…     some, with all that was said

Both nets get the same weights, wherever a weight has the same name and shape in both, and the same
inputs. Equal answers mean the same. Where they differ, a fix may mean as much by another way, which
nobody but a reader can tell: those that we read and took for right are in READ of the set, by what
they say; all others that differ count as meaning something else, unless the fix says so itself.
"""

import sys
from importlib import import_module
from typing import Any

import torch
from explain_fixes import explained, judge, parse, run  # type: ignore[import-not-found]
from torch import Tensor, nn

from viewfinder.explain.calls import tensors_in
from viewfinder.explain.edits import Offer


def numbers(text: str, batch: int) -> Tensor:
    sample = parse(text, batch)
    if sample.dtype.is_floating_point:
        # Between 0 and 1, as losses of shares want their targets.
        return (0.1 + 0.8 * torch.rand(sample.shape)).to(sample.dtype)
    return torch.randint(0, 2, sample.shape).to(sample.dtype)


def answers(net: nn.Module, given: list[Tensor]) -> list[Tensor]:
    torch.manual_seed(2)
    return list(tensors_in(net(*given)))


def differs(wrong: Any, offer: Offer) -> str:
    """Empty where the fixed net answers as the one that was meant; else in what it differs."""
    torch.manual_seed(1)
    given = [numbers(text, wrong.batch) for text in wrong.inputs]
    meant: nn.Module = wrong.right().train(wrong.training)
    weights = dict(meant.named_parameters()) | dict(meant.named_buffers())
    built: list[nn.Module] = []

    def build() -> nn.Module:
        built.append(wrong.build())
        return built[-1]

    def take(module: nn.Module, args: object) -> None:
        # The layers of a fix are in their places by now.
        for name, value in (*module.named_parameters(), *module.named_buffers()):
            theirs = weights.get(name)
            if theirs is None or theirs.shape != value.shape:
                other.append(name)
            else:
                with torch.no_grad():
                    value.copy_(theirs)
        # What either net draws of chance is then the same.
        torch.manual_seed(2)

    other: list[str] = []
    fixed = []

    def watched() -> nn.Module:
        net = build()
        net.register_forward_pre_hook(take)
        return net

    fixed = list(
        tensors_in(run(watched, [one.clone() for one in given], offer.edits, wrong.training))
    )
    right = answers(meant, given)
    shapes = [[tuple(one.shape) for one in both] for both in (fixed, right)]
    if shapes[0] != shapes[1]:
        return f"answers {shapes[0]} for {shapes[1]}"
    if other:
        return f"other weights: {', '.join(other[:3])}"
    same = all(torch.allclose(a, b, 1e-4, 1e-5) for a, b in zip(fixed, right, strict=True))
    return "" if same else "other numbers"


def main() -> None:
    torch.set_num_threads(1)
    name, *some = sys.argv[1:]
    module = import_module(f"explain_nets.{name}")
    read = getattr(module, "READ", {})
    counts = dict.fromkeys(("same", "read", "marked", "other", "fails", "none"), 0)
    for case, wrong in module.CASES.items():
        if some and case not in some:
            continue
        mistake = explained(wrong)
        offers = mistake.offers if mistake else ()
        how = "none"
        why = ""
        if offers:
            why = judge(wrong, offers[0])
            how = "fails" if why else ""
        if not how:
            why = differs(wrong, offers[0])
            first = offers[0].text.partition("; then")[0]
            how = "same" if not why else "read" if read.get(case) in (first, "*") else "other"
            if how == "other" and getattr(offers[0], "means", ""):
                how = "marked"
        counts[how] += 1
        if how not in ("same", "read") or some:
            print(f"{how:7}{case}: {why}   {mistake.rule if mistake else 'no mistake seen'}")
            for offer in offers if how != "none" else ():
                print(f"    {offer.text}")
            for offer in offers[1:] if how == "other" else ():
                try:
                    if not differs(wrong, offer):
                        print(f"    right: {offer.text}")
                except Exception as error:
                    print("    fails", type(error), offer.text)
    print(", ".join(f"{count} {how}" for how, count in counts.items()))


if __name__ == "__main__":
    main()
