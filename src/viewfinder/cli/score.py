"""Compare any methods' saliency maps with the masks, and separate differences from chance.

  viewfinder score data/SIP/GT mine=maps/mine/SIP other=maps/other/SIP
  viewfinder score data maps --out comparison
  viewfinder score --set 'SIP=data/SIP/GT:maps/*/SIP'

A map belongs to the mask of its name, whatever its method adds before and behind it (_sal, map-).
In the second form data holds a folder for each set, and maps METHOD/SET or SET/METHOD. Scores are
those of the field's programs. What was scored once is kept, so that another method costs that
method only.
"""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from viewfinder.cli.output import print_json
from viewfinder.console import rich_console
from viewfinder.errors import InputError

if TYPE_CHECKING:
    from viewfinder.scoring.comparing import Comparison, SetScores


@dataclass(frozen=True)
class Flags:
    truth: Annotated[
        tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="MASKS NAME=MAPS …")
    ] = ()
    """A folder of masks, or of sets with masks; then each method's folder of maps as NAME=FOLDER,
    a run or ONNX file that answers the pictures beside the masks as NAME=RUN, or one folder that
    holds a folder for each method."""
    set: tuple[str, ...] = ()
    """Sets by name, NAME=MASKS:MAPS, with * in MAPS where the method's name stands."""
    out: Path | None = None
    """A folder for the page, tables (CSV, JSON, LaTeX) and figures (SVG, PDF)."""
    metrics: tuple[str, ...] = ()
    """Scores of the terminal's and the LaTeX table, such as: mae s_measure weighted_f f_max
    f_max_dataset f_mean f_adaptive e_max e_mean e_adaptive auc iou boundary_iou."""
    as_is: bool = False
    """Take maps as they are. If not given, each map's values are first spread over 0 to 1, as the
    field's programs do."""
    json: bool = False
    """Print one JSON document: sets, methods with scores and intervals, pairs, ranks, notes."""


def run(flags: Flags) -> int:
    """Score, then print a table for each set."""
    from viewfinder.scoring.comparing import compare
    from viewfinder.scoring.page import write_comparison
    from viewfinder.scoring.saliency import judge
    from viewfinder.scoring.saliency_scores import HEADLINE, METRICS
    from viewfinder.scoring.sets import read_contests
    from viewfinder.scoring.tables import as_document
    from viewfinder.wording import likest

    keys = flags.metrics or HEADLINE
    known = [each.key for each in METRICS]
    for key in keys:
        if key not in known:
            raise InputError(f"--metrics {key}{likest(key, known)}: there are {', '.join(known)}")
    truth = Path(flags.truth[0]).expanduser() if flags.truth else None
    contests = read_contests(truth, flags.truth[1:], flags.set)
    judged = [judge(each, stretch=not flags.as_is) for each in contests]
    found = compare(judged, stretched=not flags.as_is)
    command = shlex.join(["viewfinder", *sys.argv[1:]])
    page = None
    if flags.out is not None:
        page = write_comparison(flags.out.expanduser(), found, command=command, keys=keys)
    if flags.json:
        print_json({"report": str(page) if page else None, **as_document(found, command=command)})
        return 0
    for each in found.sets:
        _print_set(each, keys)
    _print_ranks(found, keys)
    if page is not None:
        print(f"report {page}")
    return 0


def _print_set(each: "SetScores", keys: tuple[str, ...]) -> None:
    from rich.table import Table
    from rich.text import Text

    from viewfinder.scoring.saliency_scores import metric
    from viewfinder.scoring.tables import best_two, shown
    from viewfinder.wording import counted

    print(f"{each.name}: {counted(each.images, 'picture')}")
    table = Table(box=None, pad_edge=False)
    table.add_column("method", overflow="fold")
    for key in keys:
        table.add_column(
            f"{metric(key).title} {'↑' if metric(key).higher_is_better else '↓'}", justify="right"
        )
    for own in each.methods:
        cells = [Text(own.method)]
        for key in keys:
            first, second = best_two(each.methods, metric(key))
            style = "bold" if own.method in first else "underline" if own.method in second else ""
            value = own.values.get(key)
            text = "–" if value is None else shown(value.value)
            if value is not None and value.low is not None and value.high is not None:
                text += f"\n{shown(value.low)}–{shown(value.high)}"
            cells.append(Text(text, style=style))
        table.add_row(*cells)
    rich_console().print(table)
    for line in each.notes:
        print(f"note: {line}")
    _print_pairs(each, keys)


def _print_pairs(each: "SetScores", keys: tuple[str, ...]) -> None:
    """Of the first score but MAE, which differences are more than chance."""
    from viewfinder.scoring.saliency_scores import metric
    from viewfinder.wording import counted

    key = next((key for key in keys if key != "mae"), keys[0])
    pairs = each.pairs[key]
    if not pairs:
        return
    clear = [pair for pair in pairs if pair.clear]
    print(
        f"{metric(key).title}: {len(clear)} of {counted(len(pairs), 'pair')} differ by more than "
        "chance (paired bootstrap over pictures, Holm's correction)"
    )
    for pair in [p for p in pairs if not p.clear][:10]:
        low, high = pair.value.low, pair.value.high
        ends = "" if low is None or high is None else f" ({low:+.3f} to {high:+.3f})"
        print(f"  may be chance: {pair.one} less {pair.other} {pair.value.value:+.3f}{ends}")


def _print_ranks(found: "Comparison", keys: tuple[str, ...]) -> None:
    if len(found.sets) < 2:
        return
    for key in keys:
        if key in found.ranks:
            places = sorted(found.ranks[key].items(), key=lambda item: item[1])
            print(f"mean place by {key}: " + ", ".join(f"{m} {p:.2f}" for m, p in places))
