"""One HTML file that tells how a training went, and what to do next.

`templates/report.html.jinja` has what all tasks share; a task's page fills in the rest. A new page
is the template, and a folder here named like its task, whose `page.py` has a function `page` from
`Material` to what the template shows.
"""

import importlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError
from viewfinder.evaluation import label_statistics, plots
from viewfinder.evaluation.advising import advised, without_folds
from viewfinder.evaluation.calibration import calibration
from viewfinder.evaluation.few import too_few_in
from viewfinder.evaluation.fitting import FitVerdict, needs_longer
from viewfinder.evaluation.folded import FoldScores, falls_short
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
from viewfinder.tasks.recipe import Recipe
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
    solved: Sequence[str] = (),
) -> FitVerdict:
    """Write the run's `report.html`, and give its verdict.

    Args:
        judgements: as of `Material`.
        folds: what the folds before this training came to, as `evaluation.folds.judged` has it.
        seen: pictures as the net was shown them, and what it was to learn of each.
        fitted: how its scores were fitted, in words.
        tries: what to try beside what the verdict says; it comes back with all of it.
        reasons: heat maps of pictures, as `attribution.in_report` makes them.
        solved: how what was learnt without steps came about, in sentences.

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
    form = find(manifest.task).headline_for(manifest.recipe)[0][1]
    short = _falls_short(material, form)
    verdict = _with_advice(page.verdict, manifest.recipe, short, tries)
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
            verdict=verdict,
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
            came_about=[_sentence(each) for each in solved],
            folds=section(folds, form, short) if folds else None,
        )
    )
    write_text(run.report_file, text)
    return replace(verdict, tries=(*verdict.tries, *page.elsewhere))


def _falls_short(material: AnyMaterial, form: str) -> str:
    """That the last training fell short of the folds before it; empty where it did not."""
    if material.folds is None:
        return ""
    own = {split: judged.as_json() for split, judged in material.judgements.items()}
    return falls_short(material.folds, own, form)


def _with_advice(said: FitVerdict, recipe: Recipe, short: str, more: Sequence[str]) -> FitVerdict:
    """A verdict with all that there is to say and to try.

    Args:
        short: as of `_falls_short`.
        more: what to try beside what the verdict says.
    """
    if needs_longer(said, recipe):
        more = without_folds(more)
    tries = advised(said.tries, more)
    if not short:
        return replace(said, tries=tries)
    if recipe.in_steps:
        again = f"train it again, by other random numbers: --seed {recipe.seed + 1}"
        tries = (again, *tries)
    return replace(said, says=f"{short} {said.says}", tries=tries)


def page_of(task: str) -> Callable[[AnyMaterial], PageMaterial]:
    """What makes a task's page: `page` in its folder here."""
    page: Callable[[AnyMaterial], PageMaterial]
    page = importlib.import_module(f"viewfinder.evaluation.{task}.page").page
    return page


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
