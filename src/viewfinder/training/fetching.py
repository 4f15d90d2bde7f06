"""Published weights that a recipe starts from, seen to before anything slow is done."""

from dataclasses import replace
from pathlib import Path

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.events import note
from viewfinder.nets.obtaining import (
    coco_file,
    holds_published,
    imagenet_file,
    imagenet_here,
    is_published,
    kin,
    taught,
)
from viewfinder.nets.published import COCO
from viewfinder.nets.weight_heads import look_at_weights
from viewfinder.runs.places import holds_run
from viewfinder.tasks.recipe import Recipe, UsualText
from viewfinder.tasks.run_files import WEIGHTS, net_of


def fetch_published(recipe: Recipe) -> None:
    """See that published weights that a recipe starts from are here; fetch them if they are not.

    Raises:
        InputError: there are none for its net, or they cannot be fetched.
    """
    if recipe.init == "imagenet":
        imagenet_file(taught(recipe.net))
    elif means_coco(recipe):
        coco_file(recipe.net)


def unused_weights(recipe: Recipe) -> str:
    """That a net begins with random weights, as nobody said otherwise, though ImageNet's are on
    this machine; empty where it does not, or they are not."""
    if recipe.init != "random" or not isinstance(recipe.init, UsualText):
        return ""
    if nets.colours(recipe.net) is None or imagenet_here(taught(recipe.net)) is None:
        return ""
    return f"ImageNet's weights of {taught(recipe.net)} are here: --init imagenet starts from them"


def as_published(recipe: Recipe) -> Recipe:
    """The recipe, which says imagenet where it names by its path the very weights that this means:
    their file, or what another program saved of them."""
    file = Path(recipe.init).expanduser()
    if recipe.init in ("random", "imagenet", COCO):
        return recipe
    if is_published(file, recipe.net):
        if imagenet_here(taught(recipe.net)) is None:
            return recipe  # which would fetch it
        says = "is what --init imagenet names"
    elif holds_published(file, recipe.net):
        says = "holds, number for number, what --init imagenet names"
    else:
        return recipe
    note(f"{recipe.init} {says}, and is taken as that")
    return replace(recipe, init="imagenet")


def look_at_start(recipe: Recipe) -> None:
    """Refuse at a glance a file, or folder, that a recipe cannot start from.

    Raises:
        InputError: it is none, was cut short, or has weights of another kind of net.
    """
    place = Path(recipe.init).expanduser()
    if recipe.init in ("random", "imagenet") or means_coco(recipe):
        return
    if (run := run_at(place)) is None:
        look_at_weights(place, recipe.net)
        return
    net = net_of(run)
    # Nets of one file have layers in common.
    if net in nets.names() and not (
        nets.alike(net, recipe.net) or taught(net) == taught(recipe.net)
    ):
        raise InputError(f"--init {recipe.init} is a run of {others(net, recipe.net)}")


def run_at(place: Path) -> Path | None:
    """The run's folder that a path names, itself or by its weights, if it is one.

    The weights alone do not tell what colours they expect; the folder does.
    """
    folder = place.parent if place.name == WEIGHTS else place
    return folder if holds_run(folder) else None


def others(other: str, net: str) -> str:
    """That weights are another net's than the one that is to start from them, and what to do."""
    task = nets.task_of(net)
    use = [f"--net {each}" for each in kin(other, task)]
    return f"{other}, not of {net}: " + (
        f"give {' or '.join(use)}, or other weights"
        if use
        else f"no net for {task} starts from that, give other weights"
    )


def means_coco(recipe: Recipe) -> bool:
    """Whether `--init coco` is meant, and no run of that name."""
    if recipe.init != COCO or isinstance(recipe.init, UsualText):
        # A run may be called coco too; who names nothing does not mean it.
        return recipe.init == COCO
    place = Path(recipe.init).expanduser()
    if not place.is_dir():
        return not place.is_file()
    return not holds_run(place)
