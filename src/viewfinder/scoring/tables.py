"""The comparison as tables: for spreadsheets, for programs, for a paper."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict

from viewfinder.scoring.comparing import MethodComparison, SetScores
from viewfinder.scoring.contest import Metric
from viewfinder.wording import as_cell, as_tex, counted


def best_two(each: SetScores, key: Metric) -> tuple[set[str], set[str]]:
    """The methods of the best and of the second best value, as it is printed; equal ones share.

    None where methods were scored on different pictures.
    """
    printed = {
        own.method: shown(own.values[key.key].value)
        for own in each.methods
        if key.key in own.values
    }
    places = sorted(set(printed.values()), key=float, reverse=key.higher_is_better)
    if len(printed) < 2 or not each.comparable:
        return set(), set()
    first, second = (
        {name for name, text in printed.items() if text in places[k : k + 1]} for k in (0, 1)
    )
    return first, second


def shown(value: float) -> str:
    """A score as papers print it: .9213 with a point and three digits."""
    return f"{value:z.3f}"


def of_pictures(each: SetScores) -> str:
    """On how many pictures a set's methods were scored, in words."""
    count = len(each.common)
    if count == each.images or not each.methods:
        return counted(each.images, "picture")
    if not each.comparable:
        return f"{counted(each.images, 'picture')}, each method scored on other ones"
    who = "all methods" if len(each.methods) > 1 else "it"
    return f"the {count:,} of {counted(each.images, 'picture')} that {who} answered"


def leading(metrics: Sequence[Metric]) -> Metric:
    """The one by which methods are told apart first: the first of which more is better."""
    return next((each for each in metrics if each.higher_is_better), metrics[0])


def as_document(found: MethodComparison, *, command: str) -> dict[str, object]:
    """Everything, under its public names."""
    return {
        "schema": "viewfinder.score/1",
        "command": command,
        **{key: value for each in found.sets for key, value in each.contest.settings.items()},
        "metrics": {
            each.key: {"higher_is_better": each.higher_is_better, "meaning": each.meaning}
            for each in found.metrics
        },
        "sets": [_set(each) for each in found.sets],
        "ranks": found.ranks,
        "ranked": list(found.ranked),
    }


def _set(each: SetScores) -> dict[str, object]:
    return {
        "name": each.name,
        "truth": str(each.contest.root),
        "images": each.images,
        "compared": len(each.common),
        "methods": [
            {
                "method": own.method,
                "images": own.images,
                "scores": {key: asdict(value) for key, value in own.values.items()},
            }
            for own in each.methods
        ],
        "pairs": {
            key: [
                {
                    "one": pair.one,
                    "other": pair.other,
                    "difference": asdict(pair.value),
                    "p": pair.p,
                    "p_holm": pair.p_holm,
                    "clear": pair.clear,
                }
                for pair in pairs
            ]
            for key, pairs in each.pairs.items()
        },
        "notes": list(each.notes),
    }


def as_csv(found: MethodComparison) -> str:
    """A row for each method and set: every score with both ends of its interval."""
    text = io.StringIO()
    ends = [f"{each.key}{end}" for each in found.metrics for end in ("", "_low", "_high")]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["set", "method", "images", *ends])
    for each in found.sets:
        for own in each.methods:
            cells: list[object] = []
            for key in found.metrics:
                value = own.values.get(key.key)
                cells += [value.value, value.low, value.high] if value else ["", "", ""]
            row = [as_cell(each.name), as_cell(own.method), own.images, *cells]
            writer.writerow(["" if cell is None else cell for cell in row])
    return text.getvalue()


def pictures_csv(found: MethodComparison) -> str:
    """A row for each method and picture: its own scores, empty where it has none."""
    rows = [
        ((each.name, method, picture), own.of_picture(picture))
        for each in found.sets
        for method, own in each.contest.methods.items()
        for picture in own.pictures
    ]
    heads = list(dict.fromkeys(key for _, row in rows for key in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["set", "method", "picture", *heads])
    for names, row in rows:
        cells = (row.get(key, "") for key in heads)
        own_cells = (as_cell(v) if isinstance(v, str) else v for v in cells)
        writer.writerow([*map(as_cell, names), *own_cells])
    return text.getvalue()


def as_latex(found: MethodComparison, metrics: Sequence[Metric]) -> str:
    """A table for a paper: sets as groups of columns, the best bold, the second best underlined.

    It needs `\\usepackage{booktabs}` and, where several sets stand side by side, a wide page.
    """
    groups = " & ".join(
        rf"\multicolumn{{{len(metrics)}}}{{c}}{{{as_tex(each.name)}}}" for each in found.sets
    )
    rules = "".join(
        rf"\cmidrule(lr){{{2 + k * len(metrics)}-{1 + (k + 1) * len(metrics)}}}"
        for k in range(len(found.sets))
    )
    heads = " & ".join(
        f"{each.tex or as_tex(each.title)}{_arrow(each)}" for _ in found.sets for each in metrics
    )
    scored = (" ".join(f"{each.name}: {of_pictures(each)}".split()) for each in found.sets)
    lines = [
        *(f"% {line}" for line in scored),
        rf"\begin{{tabular}}{{l{'c' * len(metrics) * len(found.sets)}}}",
        r"\toprule",
        rf"& {groups} \\",
        rules,
        rf"Method & {heads} \\",
        r"\midrule",
    ]
    for method in found.methods:
        cells = [_cell(each, method, key) for each in found.sets for key in metrics]
        # A line's first [ or * would be taken for an option of the line's end before it.
        name = as_tex(method)
        name = f"{{{name}}}" if name.startswith(("[", "*")) else name
        lines.append(rf"{name} & {' & '.join(cells)} \\")
    lines += [r"\bottomrule", r"\end{tabular}", ""]
    return "\n".join(lines)


def _cell(each: SetScores, method: str, key: Metric) -> str:
    own = next((one for one in each.methods if one.method == method), None)
    if own is None or key.key not in own.values:
        return "--"
    first, second = best_two(each, key)
    text = shown(own.values[key.key].value)
    if method in first:
        return rf"\textbf{{{text}}}"
    return rf"\underline{{{text}}}" if method in second else text


def _arrow(key: Metric) -> str:
    return r"$\uparrow$" if key.higher_is_better else r"$\downarrow$"
