"""Explain a network: the arithmetic of every layer, or why a shape does not fit.

Nothing is trained and no memory is taken: shapes alone run through the net. Exit status 1 if the
pass stops at a mistake. A file.py:Class or module:Class runs that code, as Python does: name only
files that you trust.

With --shift 8, pictures do run: they are moved by 0 to 8 pixels, right and down, and the table
shows how much the answer and each stage's features change.
"""

import contextlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from viewfinder.errors import InputError

if TYPE_CHECKING:
    from viewfinder.explain import Explanation


@dataclass(frozen=True)
class Flags:
    target: tyro.conf.Positional[str | None] = None
    """A net by name (lenet, resnet50, any of torchvision's), or your own: file.py:Class,
    file.py:function or module:Class, whose code is run. With --weights it can be left out."""
    input: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """The shape of an input without its batch, such as 3x224x224, or 16:int64 for whole numbers;
    once for each input. Left out: the net's own picture size, or 224 by 224."""
    batch: int = 1
    """How many at once; 0 leaves the batch dimension out."""
    training: bool = False
    """Trace as in training, with dropout's masks, batch statistics and auxiliary heads."""
    real: bool = False
    """Run on random numbers, for a net that looks at the values of its tensors."""
    shift: int | None = None
    """Measure instead how the answer and the features change as the picture moves this far."""
    on: str | None = None
    """With --shift: the picture or data set to move; the embedded set, tabletop, if not given."""
    weights: Path | None = None
    """With --shift: a trained run, whose net, weights, size and normalisation are used."""
    json: bool = False
    """Print one JSON document: schema, net, inputs, layers, totals, mistake."""
    html: Path | None = None
    """Write one self-contained page with the network drawn, or with --shift the curves."""


def run(flags: Flags) -> int:
    """Print the explanation, or what moving does."""
    if flags.shift is not None:
        return _run_shift(flags)
    for name in ("on", "weights"):
        if getattr(flags, name) is not None:
            raise InputError(f"--{name} goes with --shift: add how far to move, as --shift 8")
    if flags.target is None:
        raise InputError("say which net: viewfinder explain resnet50, or file.py:Class")
    # The user's own code may print; standard output belongs to the result.
    with contextlib.redirect_stdout(sys.stderr):
        explanation = _explain(flags, flags.target)
    if flags.html is not None:
        from viewfinder.console import note
        from viewfinder.explain.rendering.html import page
        from viewfinder.files import write_text

        write_text(flags.html, page(explanation))
        note(f"wrote {flags.html}")
    if flags.json:
        from viewfinder.explain.rendering.document import document

        print(json.dumps(document(explanation), ensure_ascii=False, allow_nan=False))
    else:
        from viewfinder.explain.rendering.terminal import print_explanation

        print_explanation(explanation)
    return 0 if explanation.mistake is None else 1


def _explain(flags: Flags, target: str) -> "Explanation":
    from viewfinder.explain import explain
    from viewfinder.explain.targets import find_net, parse_input, usual_input

    if flags.batch < 0:
        raise InputError(f"--batch {flags.batch}: give 1 or more, or 0 for no batch dimension")
    samples = [parse_input(text, flags.batch) for text in flags.input]
    net, size = find_net(target)
    if not samples:
        samples = [usual_input(net, size, flags.batch)]
    net.train(flags.training)
    return explain(net, *samples, name=target, real=flags.real)


def _run_shift(flags: Flags) -> int:
    from viewfinder.cli.position import measure

    if flags.batch != 1 or flags.training or flags.real or len(flags.input) > 1:
        raise InputError("--shift takes no --batch, --training or --real, and one --input at most")
    with contextlib.redirect_stdout(sys.stderr):
        found, setting = measure(
            flags.target,
            weights=flags.weights,
            on=flags.on or "tabletop",
            largest=flags.shift or 0,
            side=_side(flags.input[0]) if flags.input else None,
        )
    if flags.html is not None:
        from viewfinder.console import note
        from viewfinder.explain.rendering.sensitivity_page import page
        from viewfinder.files import write_text

        write_text(flags.html, page(found, setting))
        note(f"wrote {flags.html}")
    from viewfinder.explain.rendering.sensitivity import document, print_sensitivity

    if flags.json:
        print(json.dumps(document(found, setting), ensure_ascii=False, allow_nan=False))
    else:
        print_sensitivity(found, setting)
    return 0


def _side(text: str) -> int:
    """The side of a square colour picture, written 3x64x64.

    Raises:
        InputError: the input is something else.
    """
    from viewfinder.explain.targets import parse_input

    shape = parse_input(text, 1).shape
    if len(shape) != 4 or shape[1] != 3 or shape[2] != shape[3]:
        raise InputError(f"--input {text}: --shift moves square colour pictures, as 3x64x64")
    return shape[2]
