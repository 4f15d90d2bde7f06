"""Apply the first fix that `explain` offers for each mistake, and run the real net.

    python benchmarks/explain_fixes.py             the mistakes of explain_nets/wrong.py
    python benchmarks/explain_fixes.py --all       each fix that is offered, not only the first
    python benchmarks/explain_fixes.py held_out      other mistakes of explain_nets/
    python benchmarks/explain_fixes.py scripts     those in scripts, outside of any net
    python benchmarks/explain_fixes.py NAME…       some, with what was said

The code of a fix, as it is written for people, is evaluated and put into the net: layers into
their places, operations by hooks, rewritten calls at their lines. Then the net runs on real
tensors on the CPU with two batches. A mistake without a fix counts as missed.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType, SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
import torchvision.transforms.functional as TF
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from viewfinder.errors import InputError
from viewfinder.explain import Mistake, Sample, explain
from viewfinder.explain.building import explain_building
from viewfinder.explain.calls import operation_name, tensors_in
from viewfinder.explain.edits import (
    Around,
    Converted,
    Edit,
    InLine,
    InsertedCall,
    Mode,
    Named,
    Numbered,
    Offer,
    Regiven,
    Reordered,
    Replace,
    Returned,
    Rewrite,
)
from viewfinder.explain.fixes.folding import Folded
from viewfinder.explain.input_edits import Fewer, Given, More, Resized
from viewfinder.explain.rebuilding import Begun, Built
from viewfinder.explain.running import explained as explain_error
from viewfinder.explain.swapped import Swapped

WORDS = {"torch": torch, "nn": nn, "F": F, "TF": TF}


class Rewritten(TorchFunctionMode):
    """Carries out rewritten calls, each by the code that people read."""

    def __init__(self, edits: list[Rewrite]) -> None:
        super().__init__()
        self.edits = {edit.key: edit for edit in edits}
        self.last: Tensor | None = None

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        frame: FrameType | None = sys._getframe(1)
        edit = home = None
        name = operation_name(function)
        while frame is not None and edit is None:
            edit = self.edits.get((frame.f_code, frame.f_lasti, name))
            home, frame = frame, frame.f_back
        if edit is None:
            result = function(*args, **kwargs)
        else:
            tensors = list(tensors_in((args, kwargs)))
            names = {f"t{at}": tensor for at, tensor in enumerate(tensors)}
            own = home.f_locals if home is not None else {}
            value = eval(edit.code.format(*names), {**WORDS, **own, **names, "args": args})
            if edit.operand is None:
                result = value
            else:
                args, kwargs = _with((args, kwargs), edit.operand, value)
                result = function(*args, **kwargs)
        self.last = next(tensors_in(result), self.last)
        return result


def _with(given: Any, position: int, new: Tensor) -> Any:
    """Arguments with another tensor for the one at `position`."""
    count = -1

    def walk(value: Any) -> Any:
        nonlocal count
        if isinstance(value, Tensor):
            count += 1
            return new if count == position else value
        if isinstance(value, list | tuple) and type(value) in (list, tuple):
            return type(value)(walk(item) for item in value)
        if isinstance(value, dict):
            return {key: walk(item) for key, item in value.items()}
        return value

    return walk(given)


def operate(operation: InsertedCall, value: object, given: Sequence[object] = ()) -> object:
    """An operation by its code, on an argument; `x` is the first of all that is given."""
    code = operation.code.replace("{0}", "{}").replace("{}", "v")
    if code.startswith("leave it out"):
        return None
    other = None if operation.other is None else given[operation.other]
    names = {"v": value, "x": given[0] if given else None, "o": other}
    frame: FrameType | None = sys._getframe(1)
    while operation.home is not None and frame is not None:
        if frame.f_code is operation.home:
            names = frame.f_locals | names
            break
        frame = frame.f_back
    made: object = eval(code.replace("{1}", "o"), WORDS | names)
    return made


def put(net: nn.Module, edit: Replace) -> None:
    new = eval(edit.code, dict(WORDS))
    parent, _, name = edit.path.rpartition(".")
    if isinstance(new, nn.Module):
        new.train(net.get_submodule(edit.path).training)
    setattr(net.get_submodule(parent), name, new)


@contextmanager
def rebuilt(edits: tuple[Edit, ...]) -> Iterator[None]:
    """Within, layers are made by the code that people read, where the user's code made others."""
    first = {edit.kind: edit.kind.__init__ for edit in edits if isinstance(edit, Built | Begun)}

    def make(kind: type[nn.Module], self: nn.Module, args: Any, kwargs: Any) -> None:
        frame = sys._getframe(2)
        if Begun(kind) in edits:
            nn.Module.__init__(self)
        for edit in edits:
            if not isinstance(edit, Built) or edit.kind is not kind:
                continue
            here = edit.place == (frame.f_code, frame.f_lasti)
            known = repr((args, tuple(kwargs.items()))) == repr(edit.given)
            if here and (known or edit.given is None):
                new = eval(edit.code, {**WORDS, "args": args, "kwargs": kwargs})
                self.__dict__.update(new.__dict__)
                return
        first[kind](self, *args, **kwargs)

    for kind in first:
        kind.__init__ = lambda self, *args, _kind=kind, **kwargs: make(_kind, self, args, kwargs)
    try:
        yield
    finally:
        for kind, old in first.items():
            kind.__init__ = old


def hook(net: nn.Module, edit: Around) -> None:
    def before(module: nn.Module, args: Any, kwargs: Any) -> Any:
        args, kwargs = list(args), dict(kwargs)
        home: Any = kwargs if isinstance(edit.argument, str) else args
        if isinstance(edit.argument, str) and edit.argument not in kwargs:
            return None
        home[edit.argument] = operate(edit.operation, home[edit.argument], args)
        return tuple(args), kwargs

    def after(module: nn.Module, args: Any, output: Any) -> Any:
        return operate(edit.operation, output, args)

    module = net.get_submodule(edit.path)
    if edit.side == "before":
        module.register_forward_pre_hook(before, with_kwargs=True, prepend=True)
    else:
        module.register_forward_hook(after)


def run(
    build: Callable[[], nn.Module], inputs: list[Tensor], edits: tuple[Edit, ...], training: bool
) -> Any:
    """The real net with the edits made, on real tensors; raises what torch raises."""
    with rebuilt(edits):
        net = build().train(training)
    mode = Rewritten([edit for edit in edits if isinstance(edit, Rewrite)])
    for edit in edits:
        if isinstance(edit, Replace):
            put(net, edit)
        elif isinstance(edit, InLine | Named | Swapped):
            edit.prepare(net)
        elif isinstance(edit, Numbered):
            setattr(net.get_submodule(edit.path), edit.name, edit.value)
        elif isinstance(edit, Reordered):
            layers: Any = net.get_submodule(edit.path)
            for at, layer in enumerate([list(layers)[number] for number in edit.order]):
                layers[at] = layer
    for edit in edits:
        if isinstance(edit, Around):
            hook(net, edit)
        elif isinstance(edit, Given):
            inputs[edit.position] = operate(edit.operation, inputs[edit.position])  # type: ignore[call-overload]
        elif isinstance(edit, Resized):
            inputs = [torch.rand_like(edit.resize(at, value)) for at, value in enumerate(inputs)]
        elif isinstance(edit, Regiven):
            net.get_submodule(edit.path).register_forward_pre_hook(edit.give, with_kwargs=True)
        elif isinstance(edit, Folded):
            edit.watch(net, SimpleNamespace(follow=lambda new, old: None))  # type: ignore[arg-type]
        elif isinstance(edit, Fewer):
            inputs = inputs[: edit.count]
        elif isinstance(edit, More) and edit.path:
            net.get_submodule(edit.path).register_forward_pre_hook(
                lambda module, args, count=edit.count: (*args, *args[-1:] * (count - len(args)))
            )
        elif isinstance(edit, More):
            inputs = [*inputs, *[inputs[-1]] * (edit.count - len(inputs))]
        elif isinstance(edit, Mode):
            net.train(edit.training)
        elif isinstance(edit, Converted):
            net.to(edit.dtype)
        elif isinstance(edit, Returned):
            net.get_submodule(edit.path).register_forward_hook(
                lambda module, args, output: mode.last if output is None else output
            )
    with mode:
        return net(*inputs)


def parse(text: str, batch: int) -> Sample:
    sizes, _, kind = text.partition(":")
    shape = tuple(int(size) for size in sizes.split("x") if size)
    return Sample((batch, *shape), getattr(torch, kind or "float32"))


def real(sample: Sample) -> Tensor:
    if sample.dtype.is_floating_point:
        return torch.rand(sample.shape).to(sample.dtype)
    return torch.zeros(sample.shape, dtype=sample.dtype)


def judge(wrong: Any, offer: Offer) -> str:
    """Empty where the real net runs with the batch given and with another; else what torch says."""
    for batch in (wrong.batch, 2 * wrong.batch, wrong.batch + 2):
        inputs = [real(parse(text, batch)) for text in wrong.inputs]
        try:
            out = run(wrong.build, inputs, offer.edits, wrong.training)
        except Exception as error:
            return f"with a batch of {batch}: {type(error).__name__}: {str(error)[:120]}"
        if next(tensors_in(out), None) is None:
            return "gives nothing"
    return ""


def otherwise(wrong: Any, offer: Offer) -> str:
    """How the answers of the fixed net differ in shape from those of the net as it was meant."""
    given = [real(parse(text, wrong.batch)) for text in wrong.inputs]
    fixed = run(wrong.build, list(given), offer.edits, wrong.training)
    meant = wrong.right().train(wrong.training)(*given)
    shapes = [[tuple(one.shape) for one in tensors_in(out)] for out in (fixed, meant)]
    return "" if shapes[0] == shapes[1] else f"gives {shapes[0]}, meant was {shapes[1]}"


def explained(wrong: Any) -> Mistake | None:
    samples = [parse(text, wrong.batch) for text in wrong.inputs]
    try:
        net = wrong.build().train(wrong.training)
    except Exception as error:
        found = explain_building(error, wrong.build, lambda net: tuple(samples))
        return found.mistake if found else None
    try:
        return explain(net, *samples, batched=True).mistake
    except InputError:
        # It says that numbers are wanted, and `real=True` gives them.
        return explain(net, *samples, batched=True, real=True).mistake


def judge_script(text: str, mistake: Mistake, offer: Offer) -> str:
    """Empty where the script, with the fix's words put into its text, runs with three batches."""
    changed = in_text(text, offer, int(mistake.where.split(".py:")[1].split(":")[0]))
    for batch in (4, 8, 6) if changed else ():
        try:
            exec(compile(changed, "script.py", "exec"), {"__name__": "__main__", "n": batch})
        except Exception as error:
            return f"with a batch of {batch}: {type(error).__name__}: {str(error)[:120]}"
    return "" if changed else "the words do not say what to change"


def in_text(text: str, offer: Offer, line: int) -> str | None:
    """The script with what people read put into its text."""
    lines = text.split("\n")
    for words in (part for says in offer.says for part in says.split("; and ")):
        new, instead, old = words.partition(" instead of ")
        value = words.partition(" before ")[0]
        if instead:
            part, _, whole = old.partition(" in ")
            whole = whole or part
            if whole not in lines[line - 1]:
                return None
            lines[line - 1] = lines[line - 1].replace(whole, whole.replace(part, new), 1)
        elif " = " in value:
            indent = lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]
            lines[line - 1] = f"{indent}{value}\n{lines[line - 1]}"
        else:
            return None
    return "\n".join(lines)


def script_mistake(name: str, text: str, folder: Path) -> Mistake | None:
    """What is said of a script, which is run as `python -m viewfinder.explain` runs it."""
    path = folder / f"{name.replace(' ', '_')}.py"
    path.write_text(text, encoding="utf-8")
    try:
        exec(compile(text, str(path), "exec"), {"__name__": "__main__", "n": 4})
    except Exception as error:
        own = error.__traceback__ and error.__traceback__.tb_next
        found = explain_error(error.with_traceback(own))
        return found.mistake if found else None
    raise SystemExit(f"{name} runs")


def main_scripts(scripts: dict[str, str]) -> None:
    works = 0
    with TemporaryDirectory() as folder:
        for name, text in scripts.items():
            mistake = script_mistake(name, text, Path(folder))
            offers = mistake.offers if mistake else ()
            verdict = judge_script(text, mistake, offers[0]) if offers else "no fix"
            works += not verdict
            if verdict or "--all" in sys.argv:
                print(f"{'✗' if verdict else '✓'} {name}: {mistake and mistake.rule}   {verdict}")
                print("".join(f"    {offer.text}\n" for offer in offers), end="")
    print(f"of {len(scripts)} scripts the first fix makes {works} run, with three batches")


def main() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    if "scripts" in words:
        main_scripts(import_module("explain_scripts").SCRIPTS)
        return
    sets = [path.stem for path in (Path(__file__).parent / "explain_nets").iterdir()]
    module = next((word for word in words if word in sets), "wrong")
    cases = import_module(f"explain_nets.{module}").CASES
    chosen = [name for name in words if name in cases]
    first = offered = failed = other = 0
    for name, wrong in cases.items():
        if chosen and name not in chosen:
            continue
        mistake = explained(wrong)
        offers = mistake.offers if mistake else ()
        verdicts = [
            judge(wrong, offer) for offer in (offers if "--all" in sys.argv else offers[:1])
        ]
        offered += len(verdicts)
        failed += sum(bool(v) for v in verdicts)
        good = bool(verdicts) and not verdicts[0]
        first += good
        differs = otherwise(wrong, offers[0]) if good and wrong.right else ""
        other += bool(differs)
        if chosen or not good or any(verdicts) or differs or "--list" in sys.argv:
            print(
                f"{'✓' if good else '✗'} {name}: {mistake.rule if mistake else 'no mistake seen'}"
            )
            for offer, verdict in zip(offers, [*verdicts, *[""] * len(offers)], strict=False):
                print(f"    {offer.text}{'   ← ' + verdict if verdict else ''}")
            print(f"    the first {differs}\n" if differs else "", end="")
    count = len(chosen or cases)
    print(f"of {count} mistakes the first fix makes the real net run, with three batches: {first}")
    print(f"of {offered} fixes tried on the real net, {failed} did not make it run")
    print(f"of those that run, {other} give answers of another shape than what was meant")


if __name__ == "__main__":
    main()
