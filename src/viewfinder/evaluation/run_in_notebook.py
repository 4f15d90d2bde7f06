"""A run as a notebook shows it: what it is, how good, and how its training went."""

import base64
from typing import Any

from viewfinder.evaluation import plots
from viewfinder.evaluation.material import SIDES
from viewfinder.evaluation.templating import environment_of
from viewfinder.runs.run import Run
from viewfinder.runs.scores import read_scores
from viewfinder.tasks import find
from viewfinder.wording import counted

# Curves are thinned to so many epochs, so that what a notebook keeps stays small.
_MOST_EPOCHS = 200


def run_html(run: Run) -> str:
    """A piece of HTML, complete in itself: a heading, a table of scores, and curves."""
    template = environment_of("viewfinder.evaluation").get_template("run_in_notebook.html.jinja")
    manifest = run.manifest
    figures = [name for name, _ in find(manifest.task).headline]
    history = run.history() if run.foreign is None else []
    return template.render(
        manifest=manifest,
        folder=str(run.folder),
        classes=counted(len(manifest.classes), "class"),
        trained=_trained(history),
        figures=[name.replace("_", " ") for name in figures],
        sides=_sides(run),
        curves=_curves(run, history),
        report=run.report_file.as_posix() if run.report_file.exists() else None,
    )


def _trained(history: list[dict[str, float]]) -> str:
    if not history:
        return "not trained yet, or elsewhere"
    epochs = counted(len(history), "epoch")
    return f"trained for {epochs} in {history[-1]['seconds']:,.0f} s"


def _sides(run: Run) -> list[dict[str, Any]]:
    """A row a side that was scored; none of a run that has no scores, or damaged ones."""
    try:
        scores = read_scores(run.scores_file)
        return [
            {
                "name": SIDES[side],
                "images": int(scores[side]["images"]),
                "figures": [
                    "–" if (value := scores[side][name]) is None else f"{value:{form}}"
                    for name, form in find(run.manifest.task).headline
                ],
            }
            for side in SIDES
            if side in scores
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _curves(run: Run, history: list[dict[str, float]]) -> list[dict[str, str]]:
    """The loss, and the figure by which the weights were chosen, as pictures of their own."""
    best = find(run.manifest.task).best
    thinned = history[:: max(1, len(history) // _MOST_EPOCHS)]
    name = best.replace("_", " ")
    panels = {
        "Loss over the epochs": plots.Panel("Loss", (plots.LOSS,)),
        f"{name[0].upper()}{name[1:]} over the epochs": plots.Panel(name, plots.both_sides(best)),
    }
    drawn = []
    for says, panel in panels.items():
        for svg in plots.curves(thinned, panel):
            data = base64.b64encode(svg.encode("utf-8")).decode()
            drawn.append({"url": f"data:image/svg+xml;base64,{data}", "says": says})
    return drawn
