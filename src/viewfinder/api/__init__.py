"""What programs use: a run that can be asked to evaluate and predict, and a function to make one.

run = viewfinder.train("classify", "photos", net="resnet18", epochs=30)
run.predict("new.jpg")
viewfinder.open_run("runs/photos-resnet18").evaluate("more-photos")
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import nn

from viewfinder.api.run import Run
from viewfinder.api.wording import in_python
from viewfinder.devices import pick_device
from viewfinder.errors import InputError
from viewfinder.events import Event, FitJudged, listeners, listening
from viewfinder.inference.handed_nets import model_of_net
from viewfinder.inference.opening import open_foreign
from viewfinder.nets import facts
from viewfinder.pictures.geometry import Size
from viewfinder.runs import run as runs
from viewfinder.runs.places import look_at_place, usual_folder
from viewfinder.tasks import recipe_of
from viewfinder.tasks.normalisation import Normalisation
from viewfinder.tasks.recipe import refuse_two_lengths

__all__ = [
    "Run",
    "describe",
    "next_to_label",
    "open_net",
    "open_run",
    "similar",
    "train",
    "why",
]


def open_run(path: str | Path) -> Run:
    """What answers: the run in a folder, a Darknet `.weights` file, an ONNX file, `coco`, or a
    classifier of torchvision's, as `torchvision:resnet50`.

    Raises:
        InputError: there is none.
    """
    if isinstance(path, nn.Module):
        raise InputError("a net by itself names no classes: give viewfinder.open_net(net, …)")
    if foreign := open_foreign(path):
        return Run(foreign)
    run = runs.open_run(path)
    return Run(run.model, run)


def open_net(
    net: nn.Module,
    *,
    classes: Sequence[str],
    size: int | Size = 224,
    mean: Sequence[float] = facts.IMAGENET.mean,
    std: Sequence[float] = facts.IMAGENET.std,
) -> Run:
    """A classifier of anybody's that lies in memory, as what answers: predicts, is evaluated, and
    says why.

    Args:
        net: N×3×H×W normalised pictures to N×C logits; it is put into evaluation mode.
        classes: C names, in the order of the logits.
        size: of what it is given, a side or width and height in pixels; pictures are letterboxed.
        mean: of red, green and blue in [0, 1], as the net expects them.
        std: their deviation.

    Raises:
        InputError: it gives no logits for such pictures, or as many as there are names.
    """
    sides = (size, size) if isinstance(size, int) else size
    colours = Normalisation(tuple(mean), tuple(std))
    return Run(model_of_net(net, classes=classes, size=sides, normalisation=colours))


def train(
    task: str,
    data: str | Path,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    folds: int | Literal["none"] | None = None,
    **fields: object,
) -> Run:
    """Train a network; `fields` are those of the task's recipe, the flags of
    `viewfinder train TASK`.

    What is said meanwhile is said as a program writes it: `head="auto"`, and not `--head auto`.

    Args:
        out: the run's folder; `runs/DATA-NET` if None, with a number where that exists.
        resume: go on with the run in `out`; where none was begun, it begins, which a note says.
        folds: judge the recipe by so many folds first, then train on everything; "none" trains
            once; None chooses: folds where few pictures would judge and all takes three minutes at
            most.

    Raises:
        InputError: an unknown field, or anything in the data or the recipe that cannot be used.
    """
    from viewfinder.training.folds import train_with

    refuse_two_lengths({name for name, value in fields.items() if value is not None})
    recipe = recipe_of(task).from_json(fields)
    folder = usual_folder(data, recipe.net, resume=resume) if out is None else Path(out)
    look_at_place(folder.expanduser(), resume=resume)
    judged: list[FitJudged] = []

    def keep(event: Event) -> None:
        if isinstance(event, FitJudged):
            judged.append(event)

    with listening(*(in_python(each) for each in (keep, *listeners()))):
        run = train_with(folds, task, data, recipe, out=folder, resume=resume)
    return Run(run.model, run, judged[-1] if judged else None)


def why(
    run: str | Path | Run,
    source: str | Path | Sequence[str | Path],
    *,
    most: int = 3,
    classes: Sequence[str] = (),
    layer: str | None = None,
    occlude: bool = False,
    threshold: float | None = None,
    device: str = "auto",
    html: str | Path | None = None,
) -> list[dict[str, object]]:
    """Why a run answers as it does: a tested heat map for each answer to each picture.

    Args:
        run: a run, or what `open_run` opens.
        source: a picture, a folder of pictures, or several of these.
        most: answers to each picture, the surest first.
        classes: only these; all if empty.
        layer: whose maps are taken, by its name in the net; None takes the best.
        occlude: blur windows of the picture one by one instead of looking into the net.
        threshold: as of `Run.predict`.
        html: a page to write, on which pointing at an answer shows its map.

    Returns:
        For each picture `source` and `reasons`, as `viewfinder why --json` has them; docs/why.md.

    Raises:
        InputError: there is no such run, picture, layer or class, or no picture can be read.
    """
    from viewfinder.attribution.whole import explain_answers
    from viewfinder.attribution.why import Wanted

    opened = run if isinstance(run, Run) else open_run(run)
    found = explain_answers(
        opened.model,
        opened.trained,
        source,
        Wanted(most, tuple(classes), layer, occlude),
        threshold=threshold,
        device=pick_device(device),
        html=None if html is None else Path(html).expanduser(),
        by="viewfinder.why",
    )
    return [each.as_json(opened.classes) for each in found.pictures]


def next_to_label(
    data: str | Path, *, by: str | Path | None = None, everything: bool = False, seed: int = 0
) -> list[str]:
    """The pictures of a folder that have no labels, relative to it, those to label first in front.

    Args:
        data: a set of boxes or class folders, of which some are labelled, or a folder of pictures.
        by: a detector's run; once 20 pictures are labelled, those that it doubts come early too.
        everything: take no picture for labelled.

    Raises:
        InputError: there are no such pictures, or no such run.
    """
    from viewfinder.labelling.asking import next_to_label as ask

    model = None if by is None else open_run(by).model
    found = ask(data, by=model, device=pick_device("auto"), everything=everything, seed=seed)
    return [each.path for each in found.asked]


def similar(
    picture: str | Path,
    data: str | Path,
    *,
    box: tuple[float, float, float, float] | None = None,
    objects: bool = False,
    count: int = 12,
) -> list[dict[str, object]]:
    """The pictures below a folder, or the labelled objects of a set, that look most like one.

    Args:
        box: x1, y1, x2, y2 in pixels, the part of the picture to look for.
        objects: look among the labelled boxes of the set.

    Returns:
        For each `file` and `likeness`, at most 1; of objects `box` and `class` too.

    Raises:
        InputError: a place is not there, or holds no such pictures or boxes.
    """
    from viewfinder.labelling.similar import find_similar

    found = find_similar(picture, data, box=box, objects=objects, count=count)
    return [each.as_json() for each in found.alike]


def describe(pictures: Sequence[str | Path]) -> NDArray[np.float32]:
    """N×1280, each of length 1: what pictures look like; the product of two is their likeness.

    Raises:
        InputError: one cannot be read.
    """
    from viewfinder.features.describing import Part
    from viewfinder.features.describing import describe as vectors_of

    return vectors_of([Part(Path(picture).expanduser()) for picture in pictures])
