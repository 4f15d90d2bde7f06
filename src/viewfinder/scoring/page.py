"""The folder that `score --out` writes: tables, figures, and a page with all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from viewfinder.errors import InputError
from viewfinder.evaluation.figures import within_page
from viewfinder.evaluation.sampling import MethodPair
from viewfinder.evaluation.templating import environment_of, made_with
from viewfinder.files import write_bytes, write_json, write_text
from viewfinder.pictures.finding import pictures_below
from viewfinder.scoring.comparing import MethodComparison, SetScores
from viewfinder.scoring.contest import ComparedPicture, Metric
from viewfinder.scoring.figures import draw
from viewfinder.scoring.side_by_side import differing
from viewfinder.scoring.tables import (
    as_csv,
    as_document,
    as_latex,
    best_two,
    leading,
    of_pictures,
    pictures_csv,
    shown,
)
from viewfinder.tasks.run_files import MANIFEST

# Pictures of a set that are shown side by side, and methods beside each.
_PICTURES, _METHODS = 6, 8


@dataclass(frozen=True, eq=False)
class PageExtras:
    """What a page has beside the scores.

    Attributes:
        document: for `scores.json`.
        template: one that extends `comparison.html.jinja`.
        shown: what it shows.
    """

    document: Mapping[str, object]
    template: str
    shown: Mapping[str, object]


def refuse_place(out: Path) -> None:
    """Refuse a place to write: a run's folder, whose own scores and report have the same names,
    and one of pictures, of which figures would seem to be some.

    Raises:
        InputError: `out` is such a folder, or a file.
    """
    if out.is_file():
        raise InputError(f"--out {out}: it is a file, give a folder to write into")
    if (out / MANIFEST).exists():
        raise InputError(f"{out} holds a run, whose scores and report stay: give another --out")
    if out.is_dir() and (picture := next(pictures_below(out), None)):
        raise InputError(f"--out {out}: it holds pictures, such as {picture}: give another folder")


def write_comparison(
    out: Path,
    found: MethodComparison,
    *,
    command: str,
    metrics: Sequence[Metric] = (),
    more: PageExtras | None = None,
) -> Path:
    """Write `scores.json`, `scores.csv`, `pictures.csv`, `table.tex`, a plot a file, and the page.

    Args:
        metrics: of the LaTeX table, and what the page shows first; the headline's where there are
            none.
        more: what the page and the document have beside the scores.

    Returns:
        The page, `report.html`.

    Raises:
        InputError: the folder is a run's, or holds pictures, or cannot be written.
    """
    refuse_place(out)
    chosen = metrics or found.headline
    document = as_document(found, command=command) | dict(more.document if more else {})
    write_json(out / "scores.json", document)
    write_text(out / "scores.csv", as_csv(found))
    write_text(out / "pictures.csv", pictures_csv(found))
    write_text(out / "table.tex", as_latex(found, chosen))
    drawn: dict[str, list[Markup]] = {}
    for number, each in enumerate(found.sets, 1):
        for plot in each.contest.plots:
            name = f"{number}-{_plain(each.name)}-{plot.key}"
            svg = draw(plot, each, found.methods, "svg")
            write_bytes(out / "figures" / f"{name}.svg", svg)
            pdf = draw(plot, each, found.methods, "pdf")
            write_bytes(out / "figures" / f"{name}.pdf", pdf)
            drawn.setdefault(each.name, []).append(within_page(svg, f"{plot.alt}, {each.name}"))
    write_text(out / "report.html", _page(found, chosen, drawn, command, more))
    return out / "report.html"


def _page(
    found: MethodComparison,
    first: Sequence[Metric],
    drawn: dict[str, list[Markup]],
    command: str,
    more: PageExtras | None,
) -> str:
    return (
        environment_of("viewfinder.scoring")
        .get_template(more.template if more else "comparison.html.jinja")
        .render(
            found=found,
            metrics=found.metrics,
            headline=[each.key for each in first],
            leading=leading(first),
            shown=shown,
            best_two=best_two,
            of_pictures=of_pictures,
            matrix=matrix,
            won=won,
            plots=drawn,
            rows={} if more else {each.name: shown_rows(each) for each in found.sets},
            command=command,
            made_with=made_with(),
            **(more.shown if more else {}),
        )
    )


def matrix(each: SetScores, key: str) -> list[list[MethodPair | None]]:
    """Each method (row) less each other (column); None where nothing is compared."""
    pairs = {(pair.one, pair.other): pair for pair in each.pairs[key]}
    names = [own.method for own in each.scored]
    return [
        [pairs.get((row, column)) or _turned(pairs.get((column, row))) for column in names]
        for row in names
    ]


def _turned(pair: MethodPair | None) -> MethodPair | None:
    """The same comparison, from the other's side."""
    if pair is None:
        return None
    return MethodPair(pair.other, pair.one, pair.value.turned(), pair.p, pair.p_holm, pair.images)


def won(pair: MethodPair, metric: Metric) -> str:
    """`better`, `worse`, or nothing where it may be chance."""
    if not pair.clear:
        return ""
    return "better" if (pair.value.value > 0) == metric.higher_is_better else "worse"


def shown_rows(each: SetScores) -> list[ComparedPicture]:
    """The pictures on which methods differ most, side by side; none of one method."""
    names = [own.method for own in each.scored][:_METHODS]
    if len(each.common) == 0 or len(names) < 2:
        return []
    return differing(each.contest, each.common, names, _PICTURES)


def _plain(name: str) -> str:
    """A set's name as part of a file's."""
    return "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in name)[:60]
