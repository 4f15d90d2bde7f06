"""What a training starts from: decoded pictures, a net with its first weights, and colours."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from viewfinder import nets
from viewfinder.datasets.dataset import Dataset
from viewfinder.errors import InputError
from viewfinder.evaluation.judging import stand_ins
from viewfinder.events import listening, note
from viewfinder.nets.building import shapes_alone
from viewfinder.nets.checkpoints import LoadReport, is_counter
from viewfinder.nets.imagenet import imagenet_layout, imagenet_weights, is_imagenet, is_taken_from
from viewfinder.nets.obtaining import coco_file, taught
from viewfinder.nets.published import coco_weights
from viewfinder.nets.recognising import net_that_fits
from viewfinder.nets.weight_files import few, fitted, read_weights
from viewfinder.nets.weight_heads import safetensors_table
from viewfinder.tasks.detect.class_names import COCO as COCO_CLASSES
from viewfinder.tasks.normalisation import PLAIN, Normalisation
from viewfinder.tasks.parts import Examples, TrainSetup
from viewfinder.tasks.recipe import Recipe
from viewfinder.tasks.run_files import WEIGHTS, net_of
from viewfinder.tasks.run_weights import new_net, open_trained
from viewfinder.tasks.task import AnyTask
from viewfinder.training.fetching import means_coco, others, run_at
from viewfinder.wording import counted

# Of a file that has ImageNet's colours, and of which nobody knows how it is best learnt on.
_AS_ANY = (
    "pictures are brought to the colours that these weights expect; their size, and how long it "
    "learns, are those of any weights (--size, --epochs)"
)


@dataclass(frozen=True)
class Splits:
    """Examples to learn from, to choose by, and to compare with.

    Attributes:
        probe: the training pictures that stand for all, never augmented.
    """

    train: Examples
    val: Examples | None
    probe: Examples

    @property
    def measured(self) -> int:
        """How many pictures are answered where an epoch is measured."""
        return len(self.probe) + len(self.val or ())


def open_splits(task: AnyTask, dataset: Dataset, setup: TrainSetup[Recipe]) -> Splits:
    """Decode what a training learns from and what it is measured on.

    Raises:
        InputError: no training pictures, fewer than processes, or one that cannot be read.
    """
    train = dataset.split("train")
    val = dataset.split("val") if dataset.has_split("val") else None
    learnt, keep = task.open_train(train, setup), setup.recipe.keep
    probe = stand_ins(dataset, known=not setup.recipe.in_steps)
    shown = len(task.order(learnt, setup.recipe, torch.Generator()))
    if shown < setup.recipe.devices:
        raise InputError(
            f"--devices {setup.recipe.devices}: there {'is' if shown == 1 else 'are'} only "
            f"{counted(shown, 'picture')} to share"
        )
    return Splits(
        train=learnt,
        val=None if val is None else task.open_eval(val, setup.config, keep=keep),
        probe=task.open_eval(probe, setup.config, keep=keep),
    )


@dataclass(frozen=True)
class Start:
    """Where a net's first weights came from.

    Attributes:
        colours: what they expect of pictures, if they are of others.
        loaded: the parameters that are of others.
    """

    colours: Normalisation | None = None
    loaded: frozenset[str] = frozenset()


def start_net(
    task: AnyTask, recipe: Recipe, classes: tuple[str, ...], options: Mapping[str, object]
) -> tuple[nn.Module, Start]:
    """The recipe's network with its first weights, and what is known of them.

    Raises:
        InputError: an unknown network or option, or weights that cannot be read or do not fit.
    """
    torch.manual_seed(recipe.seed)
    net = new_net(recipe.net, len(classes), options)
    if recipe.init == "random":
        return net, Start()
    state, names, colours, says = _weights_to_start(task, net, recipe)
    report = _loaded(task, net, state, recipe, names, classes)
    for line in filter(None, (says, str(report))):
        note(line)
    if not recipe.in_steps:
        _require_features(net, report, recipe)
    return net, Start(colours, frozenset(report.loaded))


def _loaded(
    task: AnyTask,
    net: nn.Module,
    state: Mapping[str, Tensor],
    recipe: Recipe,
    names: tuple[str, ...],
    classes: tuple[str, ...],
) -> LoadReport:
    """Load what fits.

    Raises:
        InputError: nothing fits, or much does not and the weights look like another net's.
    """
    try:
        report = task.load(net, state, names, classes)
    except InputError as error:
        if (other := _other_net(state, recipe.net)) is None:
            raise
        raise InputError(f"--init {recipe.init} looks like weights of {other}") from error
    if report.doubtful and (other := _other_net(state, recipe.net)):
        raise InputError(f"--init {recipe.init} looks like weights of {other}")
    return report


def _other_net(state: Mapping[str, Tensor], net: str) -> str | None:
    """What weights look like that are not this net's, and what to do; None where they may be."""
    mine = [net, taught(net)]
    found = net_that_fits(state, mine)
    return None if found is None or found in mine else others(found, net)


def refuse_unfit_file(task: AnyTask, recipe: Recipe) -> None:
    """Refuse a file of weights that a recipe's net cannot start from, such as another net's; asked
    before any picture is looked at, so that classes stand in for the set's.

    Raises:
        InputError: it is one, or cannot be read.
    """
    if recipe.init in ("random", "imagenet") or means_coco(recipe):
        return
    if run_at(Path(recipe.init).expanduser()) is None:
        with listening():  # what is said of it, is said where it starts the training
            start_net(task, recipe, ("one", "other"), recipe.net_options())


def refuse_lacking_run(recipe: Recipe) -> None:
    """Refuse a run of another net, such as a detector's, that has not all layers before the last
    one, where that alone is to learn; asked before any picture is read.

    Raises:
        InputError: it is one.
    """
    run = None if recipe.init in ("random", "imagenet") else run_at(Path(recipe.init).expanduser())
    if recipe.in_steps or run is None or (other := net_of(run)) in (None, recipe.net):
        return
    try:
        _, table = safetensors_table(run / WEIGHTS)
    except (OSError, ValueError):
        return  # which opening it explains
    with shapes_alone():
        net = nets.create(recipe.net)
    new = [
        name for name in net.state_dict() if not any(f".{k}".endswith(f".{name}") for k in table)
    ]
    if lacking := _before_last(net, recipe, new):
        raise InputError(
            f"--init {recipe.init} is a run of {other}, which has not all layers of {recipe.net} "
            f"before its last ({few(lacking)} are lacking), and the last alone is to be learnt: "
            "let all layers learn, by --head full"
        )


def _require_features(net: nn.Module, report: LoadReport, recipe: Recipe) -> None:
    """See that all layers but the last linear one, which is solved, have weights of others.

    Raises:
        InputError: one starts anew, so that what it says of pictures means nothing.
    """
    new = (*report.missing, *(each.name for each in report.different), *report.withheld)
    if lacking := _before_last(net, recipe, new):
        raise InputError(
            f"--init {recipe.init} has no weights for {counted(len(lacking), 'tensor')} of "
            f"{recipe.net} before its last layer ({few(lacking)}), and the last alone is to be "
            "learnt: give the net that these weights are of, or let all layers learn, by --head "
            "full"
        )


def _before_last(net: nn.Module, recipe: Recipe, new: Iterable[str]) -> list[str]:
    """Which of the tensors that start anew lie before a net's last linear layer."""
    known = nets.pretrained(recipe.net)
    # Heads that only learn beside the last, as GoogLeNet's, say nothing of pictures.
    needed = (net if known is None else imagenet_layout(recipe.net)).state_dict()
    last = [name for name, module in net.named_modules() if isinstance(module, nn.Linear)][-1:]
    return [
        name
        for name in new
        if name in needed
        and not name.startswith(tuple(f"{each}." for each in last))
        and not is_counter(name)
    ]


def _weights_to_start(
    task: AnyTask, net: nn.Module, recipe: Recipe
) -> tuple[Mapping[str, Tensor], tuple[str, ...], Normalisation | None, str]:
    """What `--init` names: weights, the classes that they are for, the colours they expect, and
    what is to be said of them, if anything is."""
    published = taught(recipe.net)
    if recipe.init == "imagenet":
        return _within(recipe.net, net, imagenet_weights(published)), (), _colours(recipe.net), ""
    place = Path(recipe.init).expanduser()
    if means_coco(recipe):
        file = coco_file(recipe.net)
        if file is None:
            return coco_weights(), COCO_CLASSES, PLAIN, ""
        place = file
    if (run := run_at(place)) is not None:
        model = open_trained(run)
        config, state = model.config, model.load().state_dict()
        if config.net == published != recipe.net:
            return _within(recipe.net, net, state), (), config.normalisation, ""
        if config.net != recipe.net:
            state = fitted(state, net)
        return state, config.classes, config.normalisation, ""
    if foreign := task.read_foreign(place, net):
        return *foreign, PLAIN, ""
    state = read_weights(place, *_layouts(net, recipe.net))
    if is_imagenet(published, state):
        says = (
            f"{place} holds {published} for the 1000 classes of ImageNet, in other numbers than "
            f"--init imagenet: {_AS_ANY}"
        )
    elif is_taken_from(published, state):
        says = (
            f"{place} has the layers of {published} as ImageNet taught them, with another last "
            f"one: {_AS_ANY}"
        )
    else:
        return state, (), None, ""
    return _within(recipe.net, net, state), (), _colours(recipe.net), says


def _within(name: str, net: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a net's backbone under the names that its layers have in the net.

    Those of layers that it does not build on, such as what tells ImageNet's classes, are left out.
    """
    backbone = nets.backbone(name)
    if backbone is None or backbone.module is None:
        return dict(state)
    named = {f"{backbone.module}.{each}": tensor for each, tensor in state.items()}
    known = net.state_dict()
    return {each: tensor for each, tensor in named.items() if each in known}


def _colours(net: str) -> Normalisation | None:
    """What ImageNet's weights expect of the pictures that the net is given."""
    colours = nets.colours(net)
    return None if colours is None else Normalisation(*colours)


def _layouts(net: nn.Module, name: str) -> Iterator[nn.Module]:
    """The nets whose weights can start one: itself, and the one that it has within."""
    yield net
    if (published := taught(name)) != name:
        with shapes_alone():
            yield nets.create(published)
