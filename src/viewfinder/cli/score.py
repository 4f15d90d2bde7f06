"""Compare any methods' answers with the truth, and separate differences from chance.

  viewfinder score data/SIP/GT mine=maps/mine/SIP other=maps/other/SIP
  viewfinder score boxes mine=runs/mine other=other/results.json
  viewfinder score photos mine=runs/mine other=other.csv
  viewfinder score --set 'SIP=data/SIP/GT:maps/*/SIP' --out comparison
  viewfinder score table.toml

Of saliency: maps in folders, against masks; data may hold a folder for each set, and maps
METHOD/SET or SET/METHOD. Of boxes: COCO's result JSON, YOLO's or VOC's text files or the CSV of
`predict`, against any set that `train` opens. Of classes: a CSV with columns such as picture, class
and score, or a column of probabilities for each class. A run, Darknet's .weights or an ONNX file
stands for its own answers. Answers belong to the picture of their name, whatever their method adds
before and behind it. A TOML file names sets, methods and scores, for a table that is made again by
one command: docs/scoring.md shows one.

Example:

  viewfinder score data/SIP/GT mine=maps/mine/SIP other=maps/other/SIP
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from viewfinder.cli.meant import refuse_missing
from viewfinder.cli.names import blocks, broken_apart, say_legend, width_left
from viewfinder.cli.output import asked_by, print_json, say
from viewfinder.console import rich_console
from viewfinder.errors import InputError
from viewfinder.nets.published import COCO
from viewfinder.wording import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from viewfinder.evaluation.sampling import Interval
    from viewfinder.scoring.comparing import MethodComparison, SetScores
    from viewfinder.scoring.contest import Metric
    from viewfinder.scoring.recipe import TableRecipe


@dataclass(frozen=True)
class Flags:
    truth: Annotated[
        tyro.conf.Positional[tuple[str, ...]],
        tyro.conf.arg(metavar="TRUTH NAME=ANSWERS … | FILE.toml"),
    ] = ()
    """A folder of masks, or of sets with masks, or a set of boxes or classes; then each method's
    answers as NAME=FOLDER, NAME=FILE or NAME=RUN, or one folder that holds a folder or a file for
    each method."""
    set: tuple[str, ...] = ()
    """Sets by name, NAME=TRUTH:ANSWERS, with * in ANSWERS where the method's name stands."""
    out: Path | None = None
    """A folder for the page, tables (CSV, JSON, LaTeX) and figures (SVG, PDF)."""
    metrics: tuple[str, ...] = ()
    """Scores of the terminal's and the LaTeX table, such as: mae s_measure weighted_f f_max
    f_max_dataset f_mean f_adaptive e_max e_mean e_adaptive auc iou boundary_iou si_mae
    si_f_mean si_f_max, of boxes ap ap50
    ap75 ap_small ap_medium ap_large ap:CLASS, of classes accuracy balanced_accuracy f1 top5
    log_loss recall:CLASS."""
    split: Literal["train", "val", "test", "all"] | None = None
    """Which split of a set of boxes or classes; if none is named, test where it has one, else val,
    else all. Masks have none."""
    as_is: bool = False
    """Take maps as they are. If not given, each map's values are first spread over 0 to 1, as the
    field's programs do."""
    json: bool = False
    """Print one JSON document: sets, methods with scores and intervals, pairs, ranks, notes."""


def run(flags: Flags) -> int:
    """Score, then print a table for each set."""
    if flags.truth:
        # At once: what comes next imports torch, which takes seconds.
        refuse_missing(flags.truth[0])
        for given in flags.truth[1:]:
            refuse_missing(given.partition("=")[2] or given, beside=(COCO,))
    from viewfinder.scoring.comparing import compare
    from viewfinder.scoring.page import refuse_place, write_comparison
    from viewfinder.scoring.reading import contests
    from viewfinder.scoring.tables import as_document

    recipe = _recipe(flags)
    if recipe.out is not None:
        refuse_place(recipe.out)
    found = compare(contests(replace(recipe.asked, metrics=recipe.metrics)))
    metrics = found.chosen(recipe.metrics)
    command = asked_by()
    page = None
    if recipe.out is not None:
        page = write_comparison(recipe.out, found, command=command, metrics=metrics)
    if flags.json:
        print_json({"report": str(page) if page else None, **as_document(found, command=command)})
        return 1 if found.unread else 0
    for each in found.sets:
        print_set(each, metrics)
    _print_ranks(found, metrics)
    if page is not None:
        say(f"report {page}")
    return 1 if found.unread else 0


def _recipe(flags: Flags) -> "TableRecipe":
    """What the flags ask for, or the file that they name.

    Raises:
        InputError: something named is not there, or is said in both.
    """
    from viewfinder.scoring.reading import asked
    from viewfinder.scoring.recipe import TableRecipe, read_recipe

    out = flags.out.expanduser() if flags.out else None
    truth = Path(flags.truth[0]).expanduser() if flags.truth else None
    if truth is None or truth.suffix.lower() != ".toml":
        what = asked(truth, flags.truth[1:], flags.set, split=flags.split, stretch=not flags.as_is)
        return TableRecipe(what, flags.metrics, out)
    if flags.truth[1:] or flags.set or flags.split or flags.as_is:
        raise InputError(
            f"{truth} names the sets, the methods and how they are scored: beside it only "
            "--metrics, --out and --json may be given"
        )
    recipe = read_recipe(truth)
    return TableRecipe(recipe.asked, flags.metrics or recipe.metrics, out or recipe.out)


def print_set(each: "SetScores", metrics: "Sequence[Metric]") -> None:
    """A table of a set, what must be known of it, and which differences may be chance."""
    from viewfinder.scoring.tables import of_pictures

    say(f"{each.name}: {of_pictures(each)}")
    console = rich_console()
    names = [own.method for own in each.methods]
    columns = [_column(each, metric) for metric in metrics]
    own_names = [shown(name) for name in names]
    told: list[str] = []
    for block in blocks(own_names, columns, console.width):
        own = [columns[k] for k in block]
        told = broken_apart(own_names, width_left(console.width, own))
        console.print(_table(told, own, [_styles(each, metrics[k]) for k in block]))
    say_legend(names, told)
    for line in each.notes:
        say(f"note: {line}")
    _print_pairs(each, metrics)


def _column(each: "SetScores", metric: "Metric") -> list[str]:
    """A score's head, and below it each method's."""
    head = f"{metric.title} {'↑' if metric.higher_is_better else '↓'}"
    return [head, *(_cell(own.values.get(metric.key)) for own in each.methods)]


def _styles(each: "SetScores", metric: "Metric") -> list[str]:
    """How each method's score is set, by its place."""
    from viewfinder.scoring.tables import best_two

    first, second = best_two(each, metric)
    names = [own.method for own in each.methods]
    return ["bold" if n in first else "underline" if n in second else "" for n in names]


def _table(
    methods: "Sequence[str]", columns: "Sequence[Sequence[str]]", styles: "Sequence[Sequence[str]]"
) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("method", overflow="fold")
    for head, *_ in columns:
        table.add_column(Text(head), justify="right", overflow="fold")
    for k, method in enumerate(methods):
        cells = zip(columns, styles, strict=True)
        table.add_row(Text(method), *(Text(own[k + 1], style[k]) for own, style in cells))
    return table


def _cell(value: "Interval | None") -> str:
    """A score, and below it its interval where one is known."""
    from viewfinder.scoring.tables import shown

    if value is None:
        return "–"
    if value.low is None or value.high is None:
        return shown(value.value)
    return f"{shown(value.value)}\n{shown(value.low)}–{shown(value.high)}"


def _print_pairs(each: "SetScores", metrics: "Sequence[Metric]") -> None:
    """Of the leading score, which differences are more than chance."""
    from viewfinder.scoring.tables import leading
    from viewfinder.wording import counted

    metric = leading(metrics)
    pairs = each.pairs.get(metric.key)
    if not pairs or len(each.common) == 1:
        return
    clear = [pair for pair in pairs if pair.clear]
    say(
        f"{metric.title}: {len(clear)} of {counted(len(pairs), 'pair')} "
        f"{'differs' if len(clear) == 1 else 'differ'} by more than chance (paired bootstrap over "
        "pictures, Holm's correction; each interval is of its pair alone)"
    )
    for pair in sorted(pairs, key=lambda pair: pair.clear)[:10]:
        more, less, value = pair.one, pair.other, pair.value
        if value.value < 0:
            more, less, value = less, more, value.turned()
        ends = "" if value.low is None else f" ({value.low:+z.3f} to {value.high:+z.3f})"
        kind = "clear" if pair.clear else "may be chance"
        say(f"  {kind}: {more} less {less} {value.value:+z.3f}{ends}")
    if len(pairs) > 10:
        say(f"  and {counted(len(pairs) - 10, 'pair')} more: --json and --out have all")


def _print_ranks(found: "MethodComparison", metrics: "Sequence[Metric]") -> None:
    if len(found.sets) < 2:
        return
    ranked = f"{len(found.ranked)} of {len(found.sets)} sets ({', '.join(found.ranked)})"
    over = "" if len(found.ranked) == len(found.sets) else f" over {ranked}"
    for metric in metrics:
        if metric.key in found.ranks:
            places = sorted(found.ranks[metric.key].items(), key=lambda item: item[1])
            text = ", ".join(f"{m} {p:.2f}" for m, p in places)
            say(f"mean place by {metric.key}{over}: {text}")
