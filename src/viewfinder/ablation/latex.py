"""A grid's table for a paper."""

from viewfinder.ablation.report import Ablation, chance
from viewfinder.wording import as_tex, figure_name


def as_latex(ablation: Ablation) -> str:
    """Each cell with its mean, 95 % interval, difference from the baseline, and chance.

    The best mean is bold; a difference that is more than chance, after Holm's correction, has a
    star. It needs `\\usepackage{booktabs}`.
    """
    compared = ablation.compared()
    means = {name: found.estimate.mean for name, found in compared.items() if found.estimate}
    arrow = r"$\uparrow$" if ablation.score.higher_is_better else r"$\downarrow$"
    name = as_tex(_in_words(ablation.score.name))
    score, change = (as_tex(unit) for unit in ablation.units)
    best = (max if ablation.score.higher_is_better else min)(means.values(), default=None)
    lines = [
        r"\begin{tabular}{lccccc}",
        r"\toprule",
        rf"Recipe & {name}{score} {arrow} & 95\,\% interval & $n$ & "
        rf"difference{change} & chance \\",
        r"\midrule",
    ]
    for cell, found in compared.items():
        mean = found.estimate.mean if found.estimate else None
        shown = _number(ablation.shown(mean))
        # As it is printed, so that equal ones are bold alike.
        if mean is not None and ablation.shown(mean) == ablation.shown(best):
            shown = rf"\textbf{{{shown}}}"
        cells = [as_tex(cell), shown, _number(ablation.interval(found.estimate))]
        cells.append(str(found.estimate.n if found.estimate else 0))
        if found.verdict == "baseline":
            cells += ["baseline", ""]
        else:
            moved = found.difference.mean if found.difference else None
            star = r"$^{*}$" if found.verdict in ("better", "worse") else ""
            cells += [_number(ablation.shown(moved, sign=True)) + star, _number(chance(found))]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _in_words(score: str) -> str:
    """A figure of `scores.json` as a paper's table heads it: `test.accuracy` as `Accuracy (test)`,
    `val.per_class.cat.recall` as `Recall of cat (val)`."""
    side, _, rest = score.partition(".")
    of, _, key = rest.rpartition(".")
    name = figure_name(key)
    of = of.removeprefix("per_class.").replace("_", " ")
    return f"{name[:1].upper()}{name[1:]}{f' of {of}' if of else ''} ({side})"


def _number(text: str) -> str:
    """Signs and dashes as mathematics has them."""
    if text == "–":
        return "--"
    parts = as_tex(text).split(" to ")
    return " to ".join(f"${part}$" if part[:1] in "+-" else part for part in parts)
