"""Published weights that a recipe starts from, seen to before anything slow is done."""

from pathlib import Path

from viewfinder.nets.obtaining import coco_file, imagenet_file, taught
from viewfinder.nets.published import COCO
from viewfinder.tasks.recipe import Recipe, UsualText


def fetch_published(recipe: Recipe) -> None:
    """See that published weights that a recipe starts from are here; fetch them if they are not.

    Raises:
        InputError: there are none for its net, or they cannot be fetched.
    """
    if recipe.init == "imagenet":
        imagenet_file(taught(recipe.net))
    elif means_coco(recipe):
        coco_file(recipe.net)


def means_coco(recipe: Recipe) -> bool:
    """Whether `--init coco` is meant, and no run of that name."""
    if recipe.init != COCO or isinstance(recipe.init, UsualText):
        # A run may be called coco too; who names nothing does not mean it.
        return recipe.init == COCO
    place = Path(recipe.init).expanduser()
    if not place.is_dir():
        return not place.is_file()
    # Imported late, as it imports torch.
    from viewfinder.runs.places import holds_run

    return not holds_run(place)
