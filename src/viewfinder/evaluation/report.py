"""One HTML file that tells how a training went, and what to do next.

`templates/report.html.jinja` has what all tasks share; a task's page fills in the rest. A new page
is the template, and a folder here named like its task, whose `page.py` has a function `page` from
`Material` to what the template shows.
"""

import importlib
import json
import re
from collections.abc import Callable, Mapping, Sequence

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError
from viewfinder.evaluation import label_statistics, plots
from viewfinder.evaluation.advising import unsaid, without_folds
from viewfinder.evaluation.calibration import calibration
from viewfinder.evaluation.few import too_few_in
from viewfinder.evaluation.fitting import FitVerdict, needs_longer
from viewfinder.evaluation.folded import FoldScores
from viewfinder.evaluation.folds import section
from viewfinder.evaluation.judging import AnyJudgement
from viewfinder.evaluation.material import SPLITS_IN_WORDS, AnyMaterial, Material, PageMaterial
from viewfinder.evaluation.templating import environment_of
from viewfinder.evaluation.weaknesses import weaknesses
from viewfinder.files import write_text
from viewfinder.pictures.writing import picture_url
from viewfinder.runs.run import RunFolder
from viewfinder.runs.scores import HELD_OUT
from viewfinder.tasks import find
from viewfinder.wording import shown

# A flag of the command line, and its value if it has one.
_FLAG = re.compile(r"(--[a-z-]+(?: [^\s,;:]+)?)")

# What stands above each part of a page that is about answers of folds' nets.
_UNSEEN = Markup('<p class="soft">Each picture answered by a net that had not seen it.</p>')
# Of the last epoch, what every page tells.
_TOLD = ("seconds", "images_per_s", "skipped_steps")


def write_report(
    run: RunFolder,
    dataset: Dataset,
    judgements: Mapping[str, AnyJudgement],
    folds: FoldScores | None = None,
    seen: Sequence[tuple[NDArray[np.uint8], str]] = (),
    fitted: str = "",
    tries: Sequence[str] = (),
    reasons: Sequence[object] = (),
) -> FitVerdict:
    """Write the run's `report.html`, and give its verdict.

    Args:
        judgements: as of `Material`.
        folds: what the folds before this training came to, as `evaluation.folds.judged` has it.
        seen: pictures as the net was shown them, and what it was to learn of each.
        fitted: how its scores were fitted, in words.
        tries: what to try beside what the verdict says.
        reasons: heat maps of pictures, as `attribution.in_report` makes them.

    Raises:
        InputError: a picture cannot be read, or the file cannot be written.
    """
    manifest = run.manifest
    material: AnyMaterial = Material(
        run, manifest.recipe, dataset, judgements, run.history(), folds
    )
    last = material.history[-1] if material.history else dict.fromkeys(_TOLD, 0.0)
    if lacks := [name for name in _TOLD if name not in last]:
        raise InputError(
            f"{run.history_file} is damaged: its last row has no {lacks[0]}; restore it, or remove "
            "it to go on without its rows"
        )
    page = page_of(manifest.task)(material)
    if needs_longer(page.verdict, manifest.recipe):
        tries = without_folds(tries)
    form = find(manifest.task).headline_for(manifest.recipe)[0][1]
    # What the set is like, the report of the run that follows the folds draws.
    of_fold = "folded" in manifest.data and not folds
    # Of pictures that it learnt from a net is surer, and better, than of others.
    held_out = material.split != "train"
    believed = calibration(manifest.task, material.judged) if held_out else None
    text = (
        _environment()
        .get_template(f"{manifest.task}.html.jinja")
        .render(
            manifest=manifest,
            name=run.folder.name,
            split=material.split,
            few=too_few_in(material.judged.as_json()),
            split_in_words=SPLITS_IN_WORDS[material.split],
            trained=material.history[-1] if material.history else {},
            epochs=len(material.history),
            recipe=json.dumps(manifest.recipe.as_json(), indent=2, ensure_ascii=False),
            cards=page.cards,
            verdict=page.verdict,
            tries=_each_once(page.verdict.tries, tries),
            measured=sum(any(key[:6] == "train_" for key in row) for row in material.history) > 1,
            kept=material.kept,
            curves=page.curves if manifest.recipe.in_steps else (),
            **page.own,
            subsets=weaknesses(manifest.task, material.judged) if held_out else [],
            calibration=believed,
            fitted=_sentence(fitted),
            reliability=plots.reliability(believed) if believed else None,
            labels=label_statistics.section(dataset, drawn=not of_fold),
            unseen=_UNSEEN if material.split == HELD_OUT else "",
            seen=[{"image": picture_url(picture), "says": says} for picture, says in seen],
            reasons=reasons,
            solved=not manifest.recipe.in_steps,
            folds=section(folds, form) if folds else None,
        )
    )
    write_text(run.report_file, text)
    return page.verdict


def page_of(task: str) -> Callable[[AnyMaterial], PageMaterial]:
    """What makes a task's page: `page` in its folder here."""
    page: Callable[[AnyMaterial], PageMaterial]
    page = importlib.import_module(f"viewfinder.evaluation.{task}.page").page
    return page


def _each_once(said: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    """All advice, without what a whole command among `more` asks for too."""
    whole = [each for each in more if ": viewfinder train " in each]
    told = [each for each in said if not any(_asks_for(command, each) for command in whole)]
    return (*told, *unsaid(more, told))


def _asks_for(command: str, advice: str) -> bool:
    """Whether a command has the flags of an advice that is some."""
    _, separator, flags = advice.partition(": --")
    return bool(separator) and f" --{flags} " in f"{command} "


def _environment() -> jinja2.Environment:
    environment = environment_of("viewfinder.evaluation")
    environment.filters["flags"] = _unbroken
    return environment


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _unbroken(advice: str) -> Markup:
    """Advice whose flags stay on one line, each with its value."""
    parts = _FLAG.split(shown(advice))
    flag = Markup('<span class="flag">{}</span>')
    return Markup("").join(
        flag.format(part) if place % 2 else part for place, part in enumerate(parts)
    )
