"""Explain a network: the arithmetic of every layer, or why a shape does not fit.

Nothing is trained and no memory is taken: shapes alone run through the net. Exit status 1 if the
pass stops at a mistake. A file.py:Class or module:Class runs that code, as Python does: name only
files that you trust.
"""

import contextlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from viewfinder.explain import Explanation


@dataclass(frozen=True)
class Flags:
    target: tyro.conf.Positional[str]
    """A net by name (lenet, resnet50, any of torchvision's), or your own: file.py:Class,
    file.py:function or module:Class, whose code is run."""
    input: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """The shape of an input without its batch, such as 3x224x224, or 16:int64 for whole numbers;
    once for each input. Left out: the net's own picture size, or 224 by 224."""
    batch: int = 1
    """How many at once; 0 leaves the batch dimension out."""
    training: bool = False
    """Trace as in training, with dropout's masks, batch statistics and auxiliary heads."""
    real: bool = False
    """Run on random numbers, for a net that looks at the values of its tensors."""
    json: bool = False
    """Print one JSON document: schema, net, inputs, layers, totals, mistake."""
    html: Path | None = None
    """Write one self-contained page with the network drawn."""


def run(flags: Flags) -> int:
    """Print the explanation."""
    # The user's own code may print; standard output belongs to the result.
    with contextlib.redirect_stdout(sys.stderr):
        explanation = _explain(flags)
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


def _explain(flags: Flags) -> "Explanation":
    from viewfinder.errors import InputError
    from viewfinder.explain import explain
    from viewfinder.explain.targets import find_net, parse_input, usual_input

    if flags.batch < 0:
        raise InputError(f"--batch {flags.batch}: give 1 or more, or 0 for no batch dimension")
    samples = [parse_input(text, flags.batch) for text in flags.input]
    net, size = find_net(flags.target)
    if not samples:
        samples = [usual_input(net, size, flags.batch)]
    net.train(flags.training)
    return explain(net, *samples, name=flags.target, real=flags.real)
