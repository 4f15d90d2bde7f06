"""The folder that `score --out` writes: tables, figures, and a page with all of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from viewfinder.evaluation.templating import environment_of
from viewfinder.files import write_bytes, write_json, write_text
from viewfinder.pictures.geometry import at_side
from viewfinder.pictures.reading import read_map, read_mask, read_picture
from viewfinder.pictures.writing import picture_url
from viewfinder.scoring.comparing import Comparison, SetScores
from viewfinder.scoring.figures import PLOTS, draw
from viewfinder.scoring.saliency_scores import HEADLINE, METRICS, metric
from viewfinder.scoring.sampling import Pair
from viewfinder.scoring.tables import (
    as_csv,
    as_document,
    as_latex,
    best_two,
    pictures_csv,
    shown,
)

# Pictures of a set that are shown side by side, methods beside each, and their longer side.
_PICTURES, _METHODS, _SIDE = 6, 8, 150


@dataclass(frozen=True)
class Seen:
    """A data URL, what it shows, and its score, where it has one."""

    what: str
    image: str
    score: str


@dataclass(frozen=True)
class Row:
    """One picture: itself, its mask, and each method's map."""

    mask: str
    seen: tuple[Seen, ...]


def write_comparison(
    out: Path, found: Comparison, *, command: str, keys: Sequence[str] = HEADLINE
) -> Path:
    """Write `scores.json`, `scores.csv`, `pictures.csv`, `table.tex`, a plot a file, and the page.

    Args:
        keys: the metrics of the LaTeX table.

    Returns:
        The page, `report.html`.

    Raises:
        InputError: the folder cannot be written.
    """
    write_json(out / "scores.json", as_document(found, command=command))
    write_text(out / "scores.csv", as_csv(found))
    write_text(out / "pictures.csv", pictures_csv(found))
    write_text(out / "table.tex", as_latex(found, keys))
    drawn: dict[str, list[Markup]] = {}
    for number, each in enumerate(found.sets, 1):
        for plot in PLOTS:
            name = f"{number}-{_plain(each.name)}-{plot.key}"
            svg = draw(plot, each, found.methods, "svg")
            write_bytes(out / "figures" / f"{name}.svg", svg)
            pdf = draw(plot, each, found.methods, "pdf")
            write_bytes(out / "figures" / f"{name}.pdf", pdf)
            drawn.setdefault(each.name, []).append(_within_page(svg, f"{plot.alt}, {each.name}"))
    write_text(out / "report.html", _page(found, drawn, command=command))
    return out / "report.html"


def _page(found: Comparison, drawn: dict[str, list[Markup]], *, command: str) -> str:
    return (
        environment_of("viewfinder.scoring")
        .get_template("comparison.html.jinja")
        .render(
            found=found,
            metrics=METRICS,
            headline=HEADLINE,
            shown=shown,
            best_two=best_two,
            matrix=matrix,
            won=won,
            plots=drawn,
            rows={each.name: list(_rows(each)) for each in found.sets},
            command=command,
            versions=f"Viewfinder {version('viewfinder')}, NumPy {np.__version__}",
            today=date.today().isoformat(),
        )
    )


def matrix(each: SetScores, key: str) -> list[list[Pair | None]]:
    """Each method (row) less each other (column); None where nothing is compared."""
    pairs = {(pair.one, pair.other): pair for pair in each.pairs[key]}
    names = [own.method for own in each.methods]
    return [
        [pairs.get((row, column)) or _turned(pairs.get((column, row))) for column in names]
        for row in names
    ]


def _turned(pair: Pair | None) -> Pair | None:
    """The same comparison, from the other's side."""
    if pair is None:
        return None
    value, low, high = pair.value.value, pair.value.low, pair.value.high
    ends = (None, None) if low is None or high is None else (-high, -low)
    turned = type(pair.value)(-value, *ends)
    return Pair(pair.other, pair.one, turned, pair.p, pair.p_holm, pair.images)


def won(pair: Pair, key: str) -> str:
    """`better`, `worse`, or nothing where it may be chance."""
    if not pair.clear:
        return ""
    return "better" if (pair.value.value > 0) == metric(key).higher_is_better else "worse"


def _within_page(svg: bytes, label: str) -> Markup:
    """The figure's `<svg>` element; what stands in it is escaped by matplotlib."""
    text = svg.decode()
    opening = Markup('<svg role="img" aria-label="{}"').format(label)
    return opening + Markup(text[text.index("<svg") + len("<svg") :])


def _rows(each: SetScores) -> Iterator[Row]:
    """The pictures whose S differs most between methods, the most first."""
    measured = each.judged.measured
    names = [own.method for own in each.methods][:_METHODS]
    s = np.array([[measured[name][mask].of.s_measure for name in names] for mask in each.common])
    if len(each.common) == 0 or len(names) < 2:
        return
    order = np.argsort(s.min(axis=1) - s.max(axis=1), kind="stable")[:_PICTURES]
    contest = each.judged.contest
    files = {answers.method: answers for answers in contest.answers}
    for index in order.tolist():
        mask = each.common[index]
        seen = []
        if mask in contest.truth.pictures:
            seen.append(Seen("picture", _small(read_picture(contest.truth.pictures[mask])), ""))
        truth = read_mask(contest.truth.root / mask)
        seen.append(Seen("mask", _small(_grey(truth.astype(np.float64))), ""))
        for name, own in zip(names, s[index], strict=True):
            map_ = read_map(files[name].file(mask))
            seen.append(Seen(name, _small(_grey(map_)), shown(float(own))))
        yield Row(mask, tuple(seen))


def _grey(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.repeat(np.rint(255 * values).astype(np.uint8)[:, :, None], 3, axis=2)


def _small(picture: NDArray[np.uint8]) -> str:
    return picture_url(at_side(picture, _SIDE))


def _plain(name: str) -> str:
    """A set's name as part of a file's."""
    return "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in name)[:60]
