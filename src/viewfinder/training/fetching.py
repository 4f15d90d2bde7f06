"""Published weights that a recipe starts from, seen to before anything slow is done."""

from dataclasses import replace
from pathlib import Path

from viewfinder.events import note
from viewfinder.nets.obtaining import (
    coco_file,
    imagenet_file,
    imagenet_here,
    is_published,
    taught,
)
from viewfinder.nets.published import COCO
from viewfinder.nets.weight_heads import look_at_weights
from viewfinder.runs.places import holds_run
from viewfinder.tasks.recipe import Recipe, UsualText
from viewfinder.tasks.run_files import WEIGHTS


def fetch_published(recipe: Recipe) -> None:
    """See that published weights that a recipe starts from are here; fetch them if they are not.

    Raises:
        InputError: there are none for its net, or they cannot be fetched.
    """
    if recipe.init == "imagenet":
        imagenet_file(taught(recipe.net))
    elif means_coco(recipe):
        coco_file(recipe.net)


def as_published(recipe: Recipe) -> Recipe:
    """The recipe, which says imagenet where it names by its path the very file that this means."""
    file = Path(recipe.init).expanduser()
    if recipe.init in ("random", "imagenet", COCO) or not is_published(file, recipe.net):
        return recipe
    if imagenet_here(taught(recipe.net)) is None:
        return recipe  # which would fetch it
    note(f"{recipe.init} is what --init imagenet names, and taken as that")
    return replace(recipe, init="imagenet")


def look_at_start(recipe: Recipe) -> None:
    """Refuse at a glance a file, or folder, that a recipe cannot start from.

    Raises:
        InputError: it is none, was cut short, or has weights of another kind of net.
    """
    place = Path(recipe.init).expanduser()
    if recipe.init in ("random", "imagenet") or means_coco(recipe) or holds_run(place):
        return
    if not (place.name == WEIGHTS and holds_run(place.parent)):
        look_at_weights(place, recipe.net)


def means_coco(recipe: Recipe) -> bool:
    """Whether `--init coco` is meant, and no run of that name."""
    if recipe.init != COCO or isinstance(recipe.init, UsualText):
        # A run may be called coco too; who names nothing does not mean it.
        return recipe.init == COCO
    place = Path(recipe.init).expanduser()
    if not place.is_dir():
        return not place.is_file()
    return not holds_run(place)
