"""A run as a notebook shows it: what it is, how good, and how its training went."""

import base64
from collections.abc import Sequence

from viewfinder.evaluation import plots
from viewfinder.evaluation.material import SPLITS_IN_WORDS
from viewfinder.evaluation.templating import environment_of
from viewfinder.evaluation.theming import plain
from viewfinder.runs.run import RunFolder
from viewfinder.runs.scores import read_scores
from viewfinder.tasks import find
from viewfinder.tasks.model import Model
from viewfinder.values import as_number, as_table, as_whole
from viewfinder.wording import counted, figure_name

# Curves are thinned to so many epochs, so that what a notebook keeps stays small.
_MOST_EPOCHS = 200


def run_html(
    model: Model, run: RunFolder | None, *, says: str = "", tries: Sequence[str] = ()
) -> str:
    """A piece of HTML, complete in itself: a heading, a table of scores, and curves.

    Args:
        run: that trained the model, if one did.
        says, tries: the verdict on its training and what to try next, where these are known.
    """
    template = environment_of("viewfinder.evaluation").get_template("run_in_notebook.html.jinja")
    config, task = model.config, find(model.config.task)
    history = run.history() if run else []
    headlined = task.headline_for(run.manifest.recipe if run else None)
    return template.render(
        model=config,
        folder=str(model.source),
        # Whether a pixel is the subject's is no class that anybody named.
        classes=counted(len(config.classes), "class")
        if task.finds_boxes or task.answers_sets
        else "",
        says=says,
        tries=tries,
        trained=_trained(history, in_steps=run is None or run.manifest.recipe.in_steps),
        figures=[figure_name(name) for name, _ in headlined],
        splits=_splits(run, headlined) if run else [],
        curves=_curves(task.chosen_by(run.manifest.recipe) if run else task.best, history),
        report=run.report_file.as_posix() if run and run.report_file.exists() else None,
    )


def _trained(history: list[dict[str, float]], *, in_steps: bool) -> str:
    if not history:
        return "not trained yet, or elsewhere"
    if not in_steps:
        return f"solved at once, in {history[-1]['seconds']:,.0f} s"
    epochs = counted(len(history), "epoch")
    return f"trained for {epochs} in {history[-1]['seconds']:,.0f} s"


def _splits(run: RunFolder, figures: Sequence[tuple[str, str]]) -> list[dict[str, object]]:
    """A row a split that was scored; none of a run that has no scores, or damaged ones."""
    try:
        scores = read_scores(run.scores_file)
        judged = {split: as_table(scores[split]) for split in SPLITS_IN_WORDS if split in scores}
        return [
            {
                "name": SPLITS_IN_WORDS[split],
                "images": as_whole(of["images"]),
                "figures": [
                    "–" if (value := of[name]) is None else f"{as_number(value):{form}}"
                    for name, form in figures
                ],
            }
            for split, of in judged.items()
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _curves(best: str, history: list[dict[str, float]]) -> list[dict[str, str]]:
    """The loss, and the figure by which the weights were chosen, as pictures of their own."""
    thinned = history[:: max(1, len(history) // _MOST_EPOCHS)]
    name = figure_name(best)
    panels = {
        "Loss over the epochs": plots.Panel("Loss", (plots.LOSS,)),
        f"{name[0].upper()}{name[1:]} over the epochs": plots.Panel(name, plots.both_splits(best)),
    }
    drawn = []
    for says, panel in panels.items():
        for svg in plots.curves(thinned, panel):
            # A notebook's theme is not that of its reader's other pages.
            data = base64.b64encode(plain(svg).encode("utf-8")).decode()
            drawn.append({"url": f"data:image/svg+xml;base64,{data}", "says": says})
    return drawn
