"""A training's beginning, or where it goes on: everything chosen, and the run's folder begun."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from torch import nn

from viewfinder import nets
from viewfinder.crowding import spare_threads_if_crowded, threads_as_begun
from viewfinder.datasets.dataset import Dataset
from viewfinder.devices import describe_device, pick_device
from viewfinder.doctor.record import machine_record
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.runs.pictures import FILE as PICTURES
from viewfinder.runs.pictures import write_pictures
from viewfinder.runs.run import create_run
from viewfinder.tasks import find
from viewfinder.tasks.manifest import Manifest
from viewfinder.tasks.manifest_tables import DataRecord
from viewfinder.tasks.model import ModelConfig
from viewfinder.tasks.normalisation import PLAIN
from viewfinder.tasks.parts import TrainSetup
from viewfinder.tasks.recipe import Recipe
from viewfinder.tasks.task import AnyTask
from viewfinder.training.arrangement import Arrangement, Choice
from viewfinder.training.choosing import choose_arithmetic, promise
from viewfinder.training.compiling import require_compiler
from viewfinder.training.fetching import fetch_published
from viewfinder.training.forecast import Forecast, forecast, seconds_of_answer
from viewfinder.training.job import Job
from viewfinder.training.preparing import (
    Splits,
    Start,
    open_splits,
    refuse_lacking_run,
    start_net,
)
from viewfinder.training.processes import refuse_torchrun, threads_of_each
from viewfinder.training.record import data_record, versions
from viewfinder.training.resumable import refuse_other_input
from viewfinder.training.resuming import on_the_same_processor, report_differences, same_run
from viewfinder.training.trying import require_learnable


def refuse_early(task: AnyTask, recipe: Recipe) -> None:
    """What needs no picture is refused before any is read.

    Raises:
        InputError: torchrun, no such device, network or compiler, or published weights that cannot
            be fetched.
    """
    refuse_torchrun()
    pick_device(recipe.device)
    _check_net(task.name, recipe)
    refuse_lacking_run(recipe)
    if recipe.compile:
        require_compiler()
    fetch_published(recipe)


def _check_net(task: str, recipe: Recipe) -> None:
    """Refuse a network that does not exist, or that is made for another task."""
    nets.input_size(recipe.net)
    if recipe.net not in nets.names(task):
        fitting = ", ".join(nets.names(task))
        raise InputError(f"--net {recipe.net} is no net for {task}: choose one of {fitting}")


@dataclass(frozen=True)
class Prepared:
    """A training of which everything is chosen, and nothing written.

    Attributes:
        dataset: what it learns from, with the bits that its pictures were found to have.
        record: what is known of that.
        setup: with the colours that the net expects.
        forecast: about how long it takes.
    """

    task: AnyTask
    dataset: Dataset
    record: DataRecord
    net: nn.Module
    start: Start
    splits: Splits
    setup: TrainSetup[Recipe]
    choice: Choice
    forecast: Forecast


def prepare(
    task: AnyTask,
    dataset: Dataset,
    recipe: Recipe,
    *,
    source: str,
    arithmetic: Choice | None = None,
    expected: Forecast | None = None,
) -> Prepared:
    """Choose everything, on the training's own pictures.

    Args:
        dataset: with its bits found.
        source, arithmetic, expected: as of `train_on`.
    """
    device = pick_device(recipe.device)
    size = task.size(recipe, dataset)
    record = data_record(dataset, recipe, source)
    if decided := task.decided(recipe, dataset):
        record["decided"] = {name: dict(each) for name, each in decided.items()}
    options = task.net_options(recipe, dataset, size)
    count = len(dataset.split("train"))
    require_learnable(task, recipe, size, options, classes=len(dataset.classes), count=count)
    net, start = start_net(task, recipe, dataset.classes, options)
    config = ModelConfig(
        task=task.name,
        net=recipe.net,
        classes=dataset.classes,
        size=size,
        normalisation=PLAIN,
        options=options,
        framing=task.framing,
        habits=task.habits(recipe, record),
    )
    splits = open_splits(task, dataset, TrainSetup(recipe, config))
    colours = start.colours or task.colours(recipe, splits.train)
    if start.colours is None and recipe.init != "random":
        used = "as they are" if colours == PLAIN else "less their own mean, over their own spread"
        note(
            f"{recipe.init} does not say what colours its weights expect: pictures are given {used}"
        )
    setup = TrainSetup(recipe, replace(config, normalisation=colours))
    if recipe.in_steps:
        choice = choose_arithmetic(task, net, splits, setup, device, before=arithmetic)
        note(f"arithmetic: {choice.arrangement} ({choice.why})")
    else:
        choice = Choice(Arrangement("32", "channels_last"), "as every answer is")
        if arithmetic is None and device.type == "cpu":
            spare_threads_if_crowded(partial(seconds_of_answer, net, config, device), "an answer")
    if expected is None:
        count = len(dataset) if recipe.in_steps else task.undescribed(net, dataset, setup, device)
        expected = forecast(task, net, splits, setup, choice, device, pictures=count)
    return Prepared(task, dataset, record, net, start, splits, setup, choice, expected)


def begin(
    ready: Prepared, folder: Path, *, part: str | None = None, beside: Collection[str] = ()
) -> Job:
    """Begin the run's folder.

    Args:
        part: as of `train_on`.
        beside: what may lie in the folder already.
    """
    setup, record = ready.setup, ready.record
    config, recipe = replace(setup.config, bits=ready.dataset.bits), setup.recipe
    folded: DataRecord = {"folded": part} if part else {}
    manifest = _manifest(config, recipe, ready.choice, record | folded)
    run = create_run(folder, manifest, beside=beside)
    write_pictures(folder, ready.dataset)
    return Job(
        run,
        ready.net,
        ready.splits,
        ready.choice.arrangement,
        resume=False,
        frozen=ready.start.loaded,
        promise=promise(ready.choice, ready.task, setup, pick_device(recipe.device)),
        forecast=ready.forecast,
    )


def _manifest(config: ModelConfig, recipe: Recipe, choice: Choice, record: DataRecord) -> Manifest:
    """What `run.json` says of a training that begins on this machine."""
    device = pick_device(recipe.device)
    return Manifest(
        task=config.task,
        net=config.net,
        classes=config.classes,
        size=config.size,
        options=dict(config.options),
        mean=config.normalisation.mean,
        std=config.normalisation.std,
        recipe=recipe,
        versions=versions(),
        data=record,
        device=describe_device(device, recipe.devices),
        precision=choice.as_json(),
        bits=config.bits,
        threads=threads_of_each(recipe.devices) if device.type == "cpu" else None,
        machine=machine_record(),
    )


def go_on(folder: Path, dataset: Dataset, recipe: Recipe) -> Job:
    """The same training again, from where it was.

    Raises:
        InputError: the recipe or the data are not those that the run began with.
    """
    run = same_run(folder, dataset, recipe)
    # Later on, the weights that it began with are of no use.
    begins = recipe.freeze > 0 or not run.state_file.exists()
    if begins:
        refuse_other_input(folder, run.manifest, recipe, "--init")
    if not run.state_file.exists():
        note(f"{folder} has nothing to go on from yet: its training begins anew")
    if recipe.devices == 1 and on_the_same_processor(run.manifest):
        threads_as_begun(run.manifest.threads)
    report_differences(run.manifest)
    if not (folder / PICTURES).exists():  # it was stopped before
        write_pictures(folder, dataset)
    task = find(run.manifest.task)
    first = recipe if begins else replace(recipe, init="random")
    net, start = start_net(task, first, dataset.classes, run.manifest.options)
    splits = open_splits(task, replace(dataset, bits=run.manifest.bits), run.setup())
    choice, device = Choice.from_json(run.manifest.precision), pick_device(recipe.device)
    takes = None
    if recipe.in_steps:
        setup, pictures = run.setup(), len(dataset)
        takes = forecast(task, net, splits, setup, choice, device, pictures=pictures)
    return Job(
        run,
        net,
        splits,
        choice.arrangement,
        resume=True,
        frozen=start.loaded,
        promise=promise(choice, task, run.setup(), device),
        forecast=takes,
    )
