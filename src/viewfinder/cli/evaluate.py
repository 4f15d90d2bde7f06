"""Score a trained run on pictures with known answers.

Of 30 pictures or more it also says where the run is weak: they, or the objects in them, are taken
in thirds by what they are like (brightness, contrast and size; of boxes size, shape, neighbours and
brightness; of a subject size, contrast and clutter around it), and a third that is answered worse
than all others by more than chance is named, with the number of pictures behind it.

Example:

  viewfinder evaluate runs/my-photos-lenet my-photos --split test
"""

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, cast

import tyro

from viewfinder.cli.asking import AskingFlags
from viewfinder.cli.meant import refuse_swapped
from viewfinder.cli.output import headline, print_json, say
from viewfinder.console import rich_console
from viewfinder.events import note
from viewfinder.values import as_number, as_table
from viewfinder.wording import counted

if TYPE_CHECKING:
    from viewfinder.evaluation.documents import ClassifyEvaluation, Evaluation


@dataclass(frozen=True)
class Flags:
    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """The run's folder, as `viewfinder train` wrote it, Darknet's .weights, or an ONNX file:
    of `viewfinder export`, or of a saliency network such as u2netp."""
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """A folder with labels, in any layout that `viewfinder check` knows, or: tabletop."""
    split: Literal["train", "val", "test", "all"] | None = None
    """Which split of the data; if none is named, test where the set has one, else val, else all; of
    what a run with folds learnt from, each picture by a net that had not seen it."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute."""
    json: bool = False
    """Print one JSON document: every score of the run's task, split, images, learnt, subsets,
    calibration, seconds, speed."""
    how: AskingFlags = field(default_factory=AskingFlags)


# Answered so many times sooner, for each core, than one by one, most pictures were known before.
_SOONER = 3
# From so many times the error of chance on, scores that were fitted elsewhere mislead here.
_MISLED = 2.0


def run(flags: Flags) -> int:
    """Print the scores."""
    refuse_swapped(flags.run, [flags.data], verb="evaluate")
    flags.how.refuse_early(flags.run)
    # At once: what comes next imports torch, which takes seconds.
    note(f"evaluate {flags.run} on {flags.data}")
    from viewfinder.api import open_run
    from viewfinder.evaluation.always import of_figures
    from viewfinder.evaluation.few import too_few_in
    from viewfinder.evaluation.showing import weak_in_words
    from viewfinder.tasks import find
    from viewfinder.tasks.calibration import CALIBRATION

    run = open_run(flags.run)
    judged = run.evaluate(flags.data, split=flags.split, device=flags.device, **flags.how.asking())
    if flags.json:
        print_json(judged)
        return 0
    recipe = run.trained.manifest.recipe if run.trained else None
    figures = find(run.model.config.task).headline_for(recipe)
    parts = headline(judged, figures)
    if few := too_few_in(judged):
        parts.append(f"of {counted(judged['images'], 'picture')}{few}")
    say(f"{judged['split'].replace('_', ' ')}: {', '.join(parts)}")
    if always := of_figures(judged, figures[0][0]):
        say(f"that is {always}")
    _print_classes(judged)
    _print_speed(judged, solved=recipe is not None and not recipe.in_steps)
    # Of several views scores are others than those that were fitted, wherever pictures come from.
    how, fitted = flags.how, CALIBRATION in run.model.config.habits
    fitted = fitted and how.scores == "calibrated" and not how.tta
    _print_calibration(judged, fitted=fitted)
    for line in weak_in_words(judged["subsets"]):
        say(line)
    _print_caveats(judged, flags, headline_figure=figures[0][0])
    return 0


def _print_classes(judged: "Evaluation") -> None:
    """A table of the scores of each class; of a subject there are no classes."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None)
    classes = {"per_class": {}} | judged
    rows = {name: as_table(row) for name, row in as_table(classes["per_class"]).items()}
    headings = list(dict.fromkeys(key for row in rows.values() for key in row))
    for heading in ("class", *headings):
        table.add_column(heading, justify="left" if heading == "class" else "right")
    for name, row in rows.items():
        # Names may hold brackets, which rich would take for colours.
        table.add_row(Text(name), *(_cell(row[key]) for key in headings))
    if rows:
        rich_console().print(table)


def _print_speed(judged: "Evaluation", *, solved: bool) -> None:
    """How long it took; what is solved keeps what it saw in pictures, and asks for none twice."""
    speed = judged["speed"]
    alone = speed["milliseconds"]
    latency = "" if alone is None else f"; one alone {alone:,.1f} ms once it is decoded"
    say(
        f"{counted(judged['images'], 'picture')} in {judged['seconds']:.1f} s, "
        f"{speed['pictures_per_s']:,.1f} pictures/s{latency}"
    )
    one_by_one = judged["images"] * (alone or 0.0) / 1e3
    if solved and judged["seconds"] * _SOONER * (os.cpu_count() or 1) < one_by_one:
        say("(so soon since most were described before, and are not looked at again)")


def _print_calibration(judged: "Evaluation", *, fitted: bool) -> None:
    """How sure the answers are called, and how many of them are right.

    Args:
        fitted: scores are not the network's own, but fitted to some pictures of its training.
    """
    from viewfinder.evaluation.calibration import called
    from viewfinder.evaluation.classify.sets import told

    found = judged["calibration"]
    if found is None:
        return
    say(
        f"scores: {found['count']:,} {found['of']} are called {found['score']:.1%} sure in the "
        f"mean, and {found['right']:.1%} are right; expected calibration error "
        f"{found['ece']:.3f}, {found['ece_by_chance']:.3f} by chance alone"
    )
    bins = [(each["score"], each["right"], each["count"]) for each in found["bins"]]
    if said := called(found["of"], bins):
        say(said)
    if fitted and found["ece"] > _MISLED * found["ece_by_chance"]:
        say(
            "these scores were fitted to pictures of the training, and are not as right here: "
            "--scores own tells how right the network's own are"
        )
    if sets := cast("ClassifyEvaluation", judged).get("coverage"):
        say(told(sets))


def _print_caveats(judged: "Evaluation", flags: Flags, *, headline_figure: str) -> None:
    """Which pictures these are, where that is not what one would think."""
    from viewfinder.evaluation.folded import averaged
    from viewfinder.evaluation.showing import learnt_in_words
    from viewfinder.tasks.detect.opinion.second import IN_ANSWERS

    if judged["split"] == "all" and flags.split is None:
        say("all of them, since the set has no test or val split")
    if judged["split"] == "held_out":
        say(
            "each picture is answered by that fold's net which had not seen it; --split all asks "
            "the run's own net, which has learnt from all of them"
        )
        if averaged(headline_figure):
            say("all are scored together; the report's headline is the mean of the folds")
    if judged.get("second_opinion"):
        say(IN_ANSWERS)
    if words := learnt_in_words(judged):
        say(words)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{as_number(value):.3f}"
