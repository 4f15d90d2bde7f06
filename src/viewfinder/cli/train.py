"""Train a network on a folder of pictures.

Writes a run: a folder with the weights, the history, the scores, and report.html, which shows how
it went and what to try next. A training that was stopped, even by kill -9, goes on with the same
command and --resume.

Example:

  viewfinder train classify my-photos
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

import tyro

from viewfinder import nets
from viewfinder.cli.meant import refuse_empty, refuse_misspelt_net
from viewfinder.cli.output import headline, in_lines, print_json
from viewfinder.errors import InputError
from viewfinder.events import listening, note
from viewfinder.interrupts import UNBEGUN
from viewfinder.runs.places import FOLDS, begun, holds_progress, look_at_place, usual_folder
from viewfinder.tasks import NAMES, recipe_of, refuse_unsuitable
from viewfinder.tasks.recipe import Recipe, refuse_two_lengths
from viewfinder.training.folds_refusing import refuse_folds
from viewfinder.values import as_table, as_whole
from viewfinder.wording import counted

if TYPE_CHECKING:
    from viewfinder.runs.run import RunFolder

# How files end that a set may be named by: they say what it holds, or its classes.
_LABELS = (".json", ".yaml", ".yml", ".data", ".names", ".labels", ".txt")
# What a training writes last.
_REPORT = "report.html"
# What a person would let the run of a task answer next, where that is not a picture alone.
_TO_ANSWER = {"detect": "new.jpg --out drawn", "saliency": "new.jpg --out cut-out"}
# Whom a depth stream teaches best (docs/a2dele.md), where its first weights are here.
_TAUGHT = "a2dele-lite0"
# What `--init` names, where it names no file.
_STARTS = {
    "random": "random weights",
    "coco": "COCO's weights",
    "imagenet": "ImageNet's weights",
}


@dataclass(frozen=True)
class Common:
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """What to learn from: a folder in any layout that `viewfinder check` knows."""
    out: Path | None = None
    """The run's folder; runs/DATA-NET if not given, with a number where that exists."""
    resume: bool = False
    """Go on with the run in --out, or with the newest of this data and network; where none was
    begun, it begins, which is said."""
    folds: Annotated[int | Literal["none"] | None, tyro.conf.arg(metavar="COUNT|none")] = None
    """Judge by k-fold cross-validation, for sets too small to spare pictures: so many trainings,
    each judged by the part of the pictures that it did not see, then one on all of them. Where few
    pictures would judge, and all takes three minutes at most, it is done unasked; none trains
    once."""
    json: bool = False
    """Print the run's folder and scores as one JSON document."""


class _TrainFlags(Common):
    """What the flags of every task have; each task's class is made when they are read."""

    task: str
    recipe: Recipe


def _flags_of(task: str) -> object:
    """The flags of `train TASK`: the common ones, and the fields of the task's recipe."""
    recipe = recipe_of(task)
    kind = make_dataclass(
        task.title(),
        [("recipe", recipe, field(default_factory=recipe))],
        bases=(Common,),
        namespace={"__doc__": recipe.__doc__, "task": task},
        frozen=True,
    )
    return Annotated[kind, tyro.conf.subcommand(task)]


Flags: object = Union[tuple(_flags_of(task) for task in NAMES)]  # noqa: UP007


def look_at(words: Sequence[str]) -> None:
    """Refuse what does not begin with a task, or says twice how long to train.

    Raises:
        InputError: it begins with another word, or with none; --minutes and --epochs.
    """
    if not words or words[0].startswith("-"):
        raise InputError(f"say TASK, what to learn: viewfinder train {'|'.join(NAMES)} DATA")
    if words[0] not in NAMES and Path(words[0]).expanduser().is_dir():
        raise InputError(
            f"say first what to learn of {words[0]}: viewfinder train {'|'.join(NAMES)} "
            f"{shlex.quote(words[0])}"
        )
    recipe_of(words[0])
    refuse_two_lengths({word.partition("=")[0].removeprefix("--") for word in words})


def run(flags: _TrainFlags) -> int:
    """Train, then print where the run is and how good it is."""
    # First, as it needs none of what the modules below import.
    refuse_misspelt_net(flags.recipe.net, flags.task)
    from viewfinder.training.commands import refuse_run
    from viewfinder.training.fetching import as_published, look_at_start, unused_weights

    refuse_run(flags.data)
    refuse_empty(flags.data)
    _refuse_file(flags.data)
    # Fields that are made when flags are read are none that a type checker knows.
    changed: dict[str, Any] = {"recipe": as_published(flags.recipe)}
    flags = replace(flags, **changed)
    if flags.folds is not None and flags.folds != "none":
        refuse_folds(flags.recipe, flags.folds)
    usual = usual_folder(flags.data, flags.recipe.net, resume=flags.resume)
    folder = (flags.out or usual).expanduser()
    look_at_place(folder, resume=flags.resume)
    goes_on = flags.resume and begun(folder)
    if goes_on:
        from viewfinder.training.resumable import refuse_other_choices

        refuse_other_choices(folder, flags.recipe, flags.folds)
        if (folder / _REPORT).is_file():
            return _print_run(flags, _finished(flags, folder))
    else:
        look_at_start(flags.recipe)
        nets.require_options(flags.recipe.net, flags.recipe.net_options())
    # At once: what comes next imports torch, which takes seconds.
    if goes_on:
        note(f"train {flags.task}: {flags.recipe.net} on {flags.data} goes on in {folder}")
    else:
        start = _STARTS.get(flags.recipe.init, flags.recipe.init)
        note(f"train {flags.task}: {flags.recipe.net} from {start} on {flags.data}, into {folder}")
        if said := unused_weights(flags.recipe):
            note(said)
    try:
        done = _train(flags, folder)
    except KeyboardInterrupt:
        if holds_progress(folder) or (folder / FOLDS).exists():
            again = shlex.quote(str(folder))
            note(f"stopped: go on with the same command, --out {again} and --resume")
        else:
            note(UNBEGUN)
        raise
    return _print_run(flags, done)


def _refuse_file(data: str) -> None:
    """Refuse a file that is none of labels, by its name.

    Raises:
        InputError: it is such a file, as a picture.
    """
    file = Path(data).expanduser()
    if file.is_file() and file.suffix.lower() not in _LABELS:
        raise InputError(f"{data} is a file: give the folder that holds the pictures")


def _finished(flags: _TrainFlags, folder: Path) -> "RunFolder":
    """The run in a folder whose training came to its end, so that nothing is left to resume.

    Raises:
        InputError: it learnt from another set.
    """
    from viewfinder.datasets.opening import open_dataset
    from viewfinder.training.resumable import refuse_other_set

    refuse_other_set(folder, open_dataset(flags.data, val_share=flags.recipe.val_share))
    note(f"{folder} is finished already: nothing is left to train")
    from viewfinder.runs.run import open_run

    return open_run(folder)


def _train(flags: _TrainFlags, folder: Path) -> "RunFolder":
    """What can be refused without torch is refused before it is imported."""
    from viewfinder.datasets.folding import folded_part, refuse_too_many
    from viewfinder.datasets.opening import open_dataset
    from viewfinder.datasets.presence import pointing_to_check, require_present, require_readable
    from viewfinder.training.fetching import fetch_published
    from viewfinder.training.resumable import refuse_other_set

    fetch_published(flags.recipe)
    if not flags.resume:
        _refuse_options(flags.recipe)
        _refuse_weights(flags.task, flags.recipe)
    opened = open_dataset(flags.data, val_share=flags.recipe.val_share)
    refuse_unsuitable(flags.task, opened)
    if flags.folds is not None and flags.folds != "none":
        refuse_too_many(folded_part(opened), flags.folds)
    if flags.resume and begun(folder):
        refuse_other_set(folder, opened)
    require_present(opened)
    with pointing_to_check(opened, flags.data):
        require_readable(opened)
    if (compose := getattr(flags.recipe, "compose", None)) is not None and not flags.resume:
        from viewfinder.composing.captures import refuse_unknown

        refuse_unknown(Path(compose), opened.classes)
    if (unlabelled := getattr(flags.recipe, "unlabelled", None)) is not None and not flags.resume:
        from viewfinder.datasets.digests import picture_digests
        from viewfinder.datasets.unlabelled import unlabelled_pictures

        with listening():  # what is passed over is said when they are learnt from
            unlabelled_pictures(unlabelled, learnt=set(picture_digests(opened)))
    from viewfinder.training.folds import train_with

    return train_with(
        *(flags.folds, flags.task, flags.data, flags.recipe),
        out=folder,
        resume=flags.resume,
        opened=opened,
    )


def _refuse_options(recipe: Recipe) -> None:
    """Refuse values that the net's options cannot have, before any picture is looked for.

    Raises:
        InputError: no net can be made with one.
    """
    if recipe.options:
        from viewfinder.nets.building import shapes_alone

        with shapes_alone():
            nets.create(recipe.net, classes=None, **recipe.net_options())


def _refuse_weights(task: str, recipe: Recipe) -> None:
    """Refuse a file of weights that the net cannot start from, before any picture is looked at.

    Raises:
        InputError: it is another net's, or cannot be read.
    """
    if Path(recipe.init).expanduser().is_file():
        from viewfinder.tasks import find
        from viewfinder.training.preparing import refuse_unfit_file

        refuse_unfit_file(find(task), recipe)


def _print_run(flags: _TrainFlags, done: "RunFolder") -> int:
    """Print where a run is and how good it is."""
    from viewfinder.evaluation.always import of_figures
    from viewfinder.evaluation.few import too_few_in
    from viewfinder.evaluation.folded import averaged, beside_always
    from viewfinder.evaluation.folds import folds_of, parts_in_words
    from viewfinder.runs.scores import HELD_OUT, read_scores
    from viewfinder.tasks import find

    task, scores = find(flags.task), read_scores(done.scores_file)
    if flags.json:
        print_json({"run": str(done.folder), "scores": scores})
        return 0
    headlined = task.headline_for(done.manifest.recipe)
    if "folds" in scores:
        folds = as_table(scores["folds"])
        judged = folds_of(folds)
        figure, among = parts_in_words(judged, headlined[0][1])
        always = list(filter(None, beside_always(judged)[:1]))
        beside = scores.get(HELD_OUT, folds.get("together"))
        others = headline(as_table(beside), headlined[1:]) if beside else []
        together = []
        if beside and averaged(headlined[0][0]):
            others = []
            together = [f"together: {', '.join(headline(as_table(beside), headlined))}"]
        for line in in_lines("folds", [figure, *others, among, *always, *together]):
            print(line)
    for split in ("test", "val", "train"):
        if split in scores:
            figures = headline(of := as_table(scores[split]), headlined)
            figures.append(f"of {counted(as_whole(of['images']), 'picture')}{too_few_in(of)}")
            always = list(filter(None, [of_figures(of, headlined[0][0])]))
            for line in in_lines(split, [*figures, *always]):
                print(line)
    print(f"report {done.report_file}")
    print(f"next   viewfinder {_next(done, scores, flags.data)}")
    return 0


def _next(done: "RunFolder", scores: Mapping[str, object], data: str) -> str:
    """What a person would do with a run next: let it answer, or teach another by it."""
    from viewfinder.inference.asked_scores import has_best
    from viewfinder.nets import comes_along
    from viewfinder.tasks import find
    from viewfinder.tasks.saliency.recipe import DEPTH_NET

    task, folder = find(done.manifest.task), shlex.quote(str(done.folder))
    if done.manifest.net == DEPTH_NET:  # which sees depth, and no pictures
        taught = f" --net {_TAUGHT}" if comes_along(_TAUGHT) else ""
        return f"train {task.name} {shlex.quote(data)}{taught} --teacher {folder}"
    asked = _TO_ANSWER.get(task.name, "new.jpg")
    if task.finds_boxes and has_best(scores, done.manifest.classes):
        asked = asked.replace("new.jpg", "new.jpg --threshold best")
    return f"predict {folder} {asked}"
