"""Explain a network: the arithmetic of every layer, or why a shape does not fit.

Nothing is trained and no memory is taken: shapes alone run through the net. Exit status 1 if the
pass stops at a mistake. A file.py:Class or module:Class runs that code, as Python does: name only
files that you trust.

With --shift 8, pictures do run: they are moved by 0 to 8 pixels, right and down, and the table
shows how much the answer and each stage's features change.

With --shift 8 --compare, nets are trained: lenet, alexnet or vgg16 with max pooling and with
strided convolution, each with and without shift augmentation, on the embedded set, tabletop. Shows
the four side by side, and answers from what was found: does pooling make the net insensitive to
position, and does shift augmentation replace it?

Example:

  viewfinder explain mynet.py:Net --input 3x96x96 --html net.html
"""

import contextlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from viewfinder.cli.meant import refuse_misspelt_target
from viewfinder.cli.output import print_in_pages, print_json, print_styled
from viewfinder.console import raw
from viewfinder.errors import InputError
from viewfinder.events import note

if TYPE_CHECKING:
    from viewfinder.explain import Explanation


@dataclass(frozen=True)
class Flags:
    target: tyro.conf.Positional[str | None] = None
    """A net by name (lenet, resnet50, any of torchvision's), or your own: file.py:Class,
    file.py:function or module:Class, whose code is run. With --weights it can be left out."""
    input: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """The shape of an input without its batch, such as 3x224x224, 16:int64 for whole numbers, or
    :int64 for one of them each; once for each input. Left out: the net's own picture size, or 224
    by 224."""
    batch: int = 1
    """How many at once; 0 leaves the batch dimension out."""
    training: bool = False
    """Trace as in training, with dropout's masks, batch statistics and auxiliary heads."""
    real: bool = False
    """Run on random numbers, for a net that looks at the values of its tensors."""
    loss: str | None = None
    """A loss behind the net, such as cross_entropy or mse_loss: answer and target are explained
    together."""
    target_shape: Annotated[str | None, tyro.conf.arg(name="target")] = None
    """With --loss: the target's shape without its batch, as 16x16:int64, or :int64 for one number
    each; as the loss wants it if not given."""
    script: Annotated[str | None, tyro.conf.arg(name="run")] = None
    """Run a script instead, as --run "python train.py": when torch refuses a shape in it, that net
    is explained, with its real tensors, below the traceback."""
    brief: bool = False
    """A line for each stage of the net instead of each layer."""
    full: bool = False
    """Each layer of a long net, also of blocks that are like the one before."""
    shift: int | None = None
    """Measure instead how the answer and the features change as the picture moves this far."""
    on: str | None = None
    """With --shift: the picture or data set to move; the embedded set, tabletop, if not given."""
    weights: Path | None = None
    """With --shift: a trained run, whose net, weights, size and normalisation are used."""
    compare: bool = False
    """With --shift: train max pooling against strided convolution, with and without shift
    augmentation, on tabletop, and show what each does about position. Twenty trainings: alexnet
    takes many times as long as lenet, vgg16 far longer; fewer --seeds and --epochs, and for alexnet
    --input 3x64x64, shorten it."""
    seeds: int | None = None
    """With --compare: trainings of each of the four; 5 if not given. Fewer than 3 show little."""
    epochs: int | None = None
    """With --compare: epochs of each training; 25 if not given."""
    out: Path | None = None
    """With --compare: a folder to keep the trained runs in; the same command then goes on where it
    was stopped."""
    json: bool = False
    """Print one JSON document: schema, net, inputs, layers, totals, mistake, warnings."""
    html: Path | None = None
    """Write one self-contained page with the network drawn, or with --shift the curves."""


def run(flags: Flags) -> int:
    """Print the explanation, or what moving does."""
    _refuse_strays(flags)
    if flags.target is not None and not flags.compare:
        refuse_misspelt_target(flags.target)
    if flags.shift is not None:
        return _run_compare(flags, flags.shift) if flags.compare else _run_shift(flags, flags.shift)
    if flags.script is not None:
        from viewfinder.explain.running import run_apart

        return run_apart(flags.script)
    if flags.target is None:
        raise InputError("say which net: viewfinder explain resnet50, or file.py:Class")
    from viewfinder.explain.asking import explain_target

    # The user's own code may print; standard output belongs to the result.
    with contextlib.redirect_stdout(raw(sys.stderr)):
        explanation = explain_target(
            flags.target,
            flags.input,
            batch=flags.batch,
            training=flags.training,
            real=flags.real,
            loss=flags.loss,
            target_shape=flags.target_shape,
        )
    if flags.html is not None:
        from viewfinder.explain.rendering.html import page

        _write_page(flags.html, page(explanation))
    if flags.json:
        from viewfinder.explain.rendering.document import document

        print_json(document(explanation))
    else:
        _print_table(explanation, flags)
    return 0 if explanation.mistake is None else 1


def _print_table(explanation: "Explanation", flags: Flags) -> None:
    """Print the table, its totals and, where there is one, the mistake."""
    from viewfinder.explain.rendering.terminal import WIDTH, lines

    report = lines(explanation, width=_width(), brief=flags.brief, full=flags.full)
    print_in_pages(report, width=WIDTH)


def _width() -> int:
    """Columns for tables: as many as fit into the terminal, or as the variable COLUMNS says."""
    from viewfinder.explain.rendering.terminal import NARROW, WIDTH

    return NARROW if shutil.get_terminal_size((WIDTH, 50)).columns < WIDTH else WIDTH


def _refuse_strays(flags: Flags) -> None:
    """Refuse flags without the one that they go with, or beside one that they do not.

    Raises:
        InputError: there is such a flag.
    """
    for name in ("on", "weights", "compare"):
        if getattr(flags, name) and flags.shift is None:
            raise InputError(f"--{name} goes with --shift: add how far to move, as --shift 8")
    for name in ("seeds", "epochs", "out"):
        if getattr(flags, name) is not None and not flags.compare:
            raise InputError(f"--{name} goes with --compare: add --shift 8 --compare")
    if flags.compare and (flags.on or flags.weights):
        raise InputError(
            "--compare trains its own nets on tabletop: leave --on and --weights out, or --compare"
        )
    if flags.target_shape is not None and flags.loss is None:
        raise InputError("--target goes with --loss: add the loss, as --loss cross_entropy")
    if flags.script is not None and (flags.target or flags.input or flags.shift is not None):
        raise InputError("--run takes a script alone: leave the net and its --input out")
    beside = flags.batch != 1 or flags.training or flags.real or len(flags.input) > 1
    if flags.shift is not None and beside:
        raise InputError("--shift takes no --batch, --training or --real, and one --input at most")


def _run_shift(flags: Flags, largest: int) -> int:
    from viewfinder.explain.targets import side_of
    from viewfinder.position.measuring import measure

    with contextlib.redirect_stdout(raw(sys.stderr)):
        found, setting = measure(
            flags.target,
            weights=flags.weights,
            on=flags.on or "tabletop",
            largest=largest,
            side=side_of(flags.input[0]) if flags.input else None,
        )
    if flags.html is not None:
        from viewfinder.position.sensitivity_page import page

        _write_page(flags.html, page(found, setting))
    from viewfinder.console import WIDTH
    from viewfinder.position.sensitivity_text import document, lines

    if flags.json:
        print_json(document(found, setting))
    else:
        print_styled(lines(found, setting), width=WIDTH)
    return 0


def _run_compare(flags: Flags, largest: int) -> int:
    from viewfinder.explain.targets import side_of
    from viewfinder.position import comparing

    with contextlib.redirect_stdout(raw(sys.stderr)):
        found, runs = comparing.compare(
            flags.target,
            largest=largest,
            side=side_of(flags.input[0]) if flags.input else None,
            seeds=comparing.SEEDS if flags.seeds is None else flags.seeds,
            epochs=comparing.EPOCHS if flags.epochs is None else flags.epochs,
            out=flags.out,
        )
    from viewfinder.console import WIDTH
    from viewfinder.position.comparison_text import document, lines

    # Before the page, which may not be writable: what took minutes must not be lost.
    if flags.json:
        print_json(document(found, runs))
    else:
        print_styled(lines(found), width=WIDTH)
    if flags.html is not None:
        from viewfinder.position.comparison_page import page

        _write_page(flags.html, page(found))
    return 0


def _write_page(file: Path, page: str) -> None:
    from viewfinder.files import write_text

    write_text(file, page)
    note(f"wrote {file}")
