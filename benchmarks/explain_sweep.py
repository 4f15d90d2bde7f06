"""Every operation of torch with one argument wrong: does an explanation say what torch says?

    scripts/uv run --with expecttest python benchmarks/explain_sweep.py              every operation
    scripts/uv run --with expecttest python benchmarks/explain_sweep.py topk Linear  some
    scripts/uv run --with expecttest python benchmarks/explain_sweep.py --part 2/8   every eighth

The right calls are those that torch keeps for its own tests: of each operation of `torch`, of
`torch.nn.functional`, of `torch.linalg` and others, and of each module of `torch.nn`. In each,
every tensor gets a dimension more, one less, another size in each dimension, and another type, and
every whole number is made too large and too small; the wrong calls of torch's own tests come to
them. The verdict of the real call on the CPU is held against that of a pass on tensors without
numbers. A call whose real verdict changes with the numbers in its tensors, or for which a pass asks
for numbers, is not judged. Each operation runs in a process of its own: with wrong arguments, some
end theirs.

With torch 2.15.0: 34,203 calls judged, the same verdict on 99.69 %; torch alone refuses 27, the
explanation alone 79. What differs: `native_batch_norm`, `native_group_norm`, `grid_sampler_2d` and
`grid_sampler_3d`, which layers do not call by these names (48); `linalg.pinv` of a product (12); a
function among the arguments (`triplet_margin_with_distance_loss`, 12); `roll` of tensors without
numbers (6); `scaled_dot_product_attention` with fewer values than keys, refused on purpose (4); and
up to five calls each of `embedding_bag`, `gather`, `baddbmm`, `randn_like`, `nll_loss`,
`cross_entropy`, `multilabel_margin_loss`, `index_put`, `linear_cross_entropy`, `multinomial`. Of 16
operations no call is judged, mostly since a pass on shapes asks for numbers: `unique`, `nonzero`,
`masked_select`, `bincount`, `ctc_loss`, `gaussian_nll_loss` and their like (`--real` runs them).
"""

import argparse
import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from viewfinder.explain.shadow import undisturbed

sys.path.insert(0, str(Path(__file__).parent.parent / "tests/helpers"))
from wrong_calls import ERRORS, plain, told, tried, wrong

Made = tuple[str, Callable[..., Any], tuple[Any, ...], dict[str, Any]]
SAMPLES = 4
SECONDS = 90
# What a call can come to; the third and the fourth are faults.
ALIKE, REFUSED = "both run", "both refuse"
PASSED, STRICT = "torch alone refuses", "the explanation alone refuses"
NUMBERS, ENDED = "not judged: depends on numbers", "not judged: ended its process, or too slow"


def operations() -> dict[str, Callable[[], Iterator[Made]]]:
    """By name, the wrong calls of each public operation and module."""
    from torch.testing._internal.common_methods_invocations import op_db
    from torch.testing._internal.common_modules import module_db

    found: dict[str, Callable[[], Iterator[Made]]] = {}
    for op in op_db:
        if not op.name.startswith(("_", "torch.", "jiterator", "sparse.")) or op.name[:2] == "__":
            name = ".".join(filter(None, (op.name, op.variant_test_name)))
            found[name] = lambda op=op: _calls(op)
    for info in module_db:
        if info.module_cls.__module__.startswith("torch.nn.modules"):
            found[f"nn.{info.module_cls.__name__}"] = lambda info=info: _modules(info)
    return found


def _calls(op: Any) -> Iterator[Made]:
    kinds = (torch.float32, torch.int64, torch.bool, torch.complex64)
    kind = next((kind for kind in kinds if op.supports_dtype(kind, "cpu")), None)
    if kind is None:  # made for a GPU
        return
    for sample in _few(op.sample_inputs("cpu", kind)):
        args = (sample.input, *sample.args)
        yield "right", op.op, args, dict(sample.kwargs)
        for how, changed, named in wrong(args, sample.kwargs):
            yield how, op.op, changed, named
    if op.error_inputs_func is not None:
        for error in op.error_inputs("cpu"):
            sample = error.sample_input
            yield "torch's own", op.op, (sample.input, *sample.args), dict(sample.kwargs)


def _modules(info: Any) -> Iterator[Made]:
    found = info.module_inputs_func(info, "cpu", torch.float32, False, training=False)
    for one in _few(found):
        made, given = one.constructor_input, one.forward_input
        if given is None:
            continue
        net = info.module_cls(*made.args, **made.kwargs).eval()
        yield "right", net, tuple(given.args), dict(given.kwargs)
        for how, changed, named in wrong(tuple(given.args), given.kwargs):
            yield how, net, changed, named
        for how, changed, named in wrong(tuple(made.args), made.kwargs):
            try:
                other = info.module_cls(*changed, **named).eval()
            except ERRORS:
                continue
            yield f"made with {how}", other, tuple(given.args), dict(given.kwargs)


def _few(samples: Any) -> list[Any]:
    """Some of all: the first, and others evenly among the rest."""
    every = list(samples)
    step = max(1, len(every) // SAMPLES)
    return every[::step][:SAMPLES]


def verdict(fake: FakeTensorMode, made: Made) -> tuple[str, str]:
    """What a call comes to, and what was said."""
    _, function, args, kwargs = made
    real, ours = tried(function, args, kwargs), told(fake, function, args, kwargs)
    singular = isinstance(real, torch.linalg.LinAlgError)  # type: ignore[attr-defined]
    if ours == "numbers" or singular:
        return NUMBERS, ""
    if (real is None) == (ours is None):
        return (ALIKE if real is None else REFUSED), ""
    other = tried(function, plain(args), plain(kwargs))
    if (other is None) != (real is None):
        return NUMBERS, ""
    words = str(real or ours).strip().splitlines() or [""]
    return (PASSED if real is not None else STRICT), words[0][:200]


def judge(calls: Callable[[], Iterator[Made]], line: Any) -> None:
    """In a process of its own: send each call before it is made, then its verdict."""
    torch.set_num_threads(1)
    random.seed(0)
    torch.manual_seed(0)
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    with undisturbed():
        for made in calls():
            line.send((made[0], "", ""))
            line.send((made[0], *verdict(fake, made)))
    line.send(None)


def sweep(name: str, calls: Callable[[], Iterator[Made]]) -> tuple[Counter[str], list[str]]:
    """The verdicts of one operation, and its faults."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=judge, args=(calls, theirs))
    process.start()
    theirs.close()
    found: Counter[str] = Counter()
    faults, open_call, until = [], "", time.monotonic() + SECONDS
    while True:
        try:
            told = ours.recv() if ours.poll(max(0.0, until - time.monotonic())) else False
        except EOFError:
            told = False
        if not told:
            break
        how, what, words = told
        open_call = "" if what else how
        if what:
            found[what] += 1
        if what in (PASSED, STRICT):
            faults.append(f"{name}: {how}: {what}: {words}")
    if told is False:
        found[ENDED] += 1
        faults.append(f"{name}: {open_call}: {ENDED}")
    process.kill()
    process.join()
    return found, faults


def part(text: str) -> tuple[int, int]:
    """`2/8`: of every eight operations the second."""
    own, _, parts = text.partition("/")
    if not (own.isdigit() and parts.isdigit() and 1 <= int(own) <= int(parts)):
        raise argparse.ArgumentTypeError(f"a part is K/N, such as 2/8, and not {text}")
    return int(own), int(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--part", type=part, default=(1, 1), metavar="K/N")
    flags = parser.parse_args()
    chosen, (own, parts) = flags.names, flags.part
    total: Counter[str] = Counter()
    unjudged, agreeing = [], 0
    for name, calls in list(operations().items())[own - 1 :: parts]:
        if chosen and not {name, *name.split(".")} & set(chosen):
            continue
        found, faults = sweep(name, calls)
        total.update(found)
        judged = found[ALIKE] + found[REFUSED] + found[PASSED] + found[STRICT]
        if not judged:
            unjudged.append(name)
        agreeing += judged > 0 and not found[PASSED] + found[STRICT]
        print("\n".join(faults), end="\n" if faults else "", flush=True)
    judged = total[ALIKE] + total[REFUSED] + total[PASSED] + total[STRICT]
    print(f"\ntorch {torch.__version__}: {agreeing} operations without a fault")
    for what, count in total.most_common():
        print(f"{count:7,} {what}")
    print(f"same verdict: {(total[ALIKE] + total[REFUSED]) / max(judged, 1):.2%} of {judged:,}")
    print(f"operations of which no call is judged: {', '.join(unjudged) or 'none'}")


if __name__ == "__main__":
    main()
