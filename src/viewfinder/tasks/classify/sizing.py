"""How large pictures are shown to a classifier."""

from pathlib import Path

from viewfinder import nets
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.sides import usual_side
from viewfinder.events import note
from viewfinder.nets.obtaining import is_published
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.run_files import learnt_at

# The step in which a size is chosen from that of the pictures.
_SIZE_STEP = 32
# Of nets with ImageNet's weights: how much small pictures are enlarged, and the least side. The
# last layer of lite0 from 10 pictures of each of CIFAR-10's classes (32×32), right of 500 others
# of its training side, mean of 4 draws: at 128 58.3 %, 160 64.1 %, 192 63.2 %, 224 64.9 % at
# twice the time of 160.
_ENLARGED, _LEAST_PRETRAINED = 5, 128


def chosen_size(recipe: ClassifyRecipe, dataset: Dataset) -> Size:
    """The recipe's size, or the network's own, but no larger than the pictures without need.

    A network that takes any size learns nothing from small pictures blown up, only slowly. One
    that starts from ImageNet's weights expects things as large as there: five times the
    pictures' own side is enough. One that starts from a run is given the side at which that learnt.
    One that ends in a flattened map, or that starts from other weights, keeps its own.
    """
    own = nets.input_size(recipe.net)[0]
    given = recipe.size is not None or "size" in nets.options(recipe.net)
    taught = recipe.init == "imagenet" or is_published(Path(recipe.init).expanduser(), recipe.net)
    if given:
        return (recipe.size or own,) * 2
    fitting = -(-usual_side(dataset.split("train")) // _SIZE_STEP) * _SIZE_STEP
    if not (taught or recipe.init == "random"):
        if learnt := learnt_at(Path(recipe.init).expanduser()):
            side = max(learnt)
            note(f"pictures are brought to {side}×{side}, at which {recipe.init} learnt (--size)")
            return (side, side)
        if fitting < own:
            note(
                f"pictures are small, and brought to {own}×{own}, the side of {recipe.net}: at "
                f"which size the weights of {recipe.init} were taught is not known (--size)"
            )
        return (own, own)
    if taught:
        fitting = max(_LEAST_PRETRAINED, _ENLARGED * fitting)
    if fitting < own:
        brought = f"{fitting}×{fitting} instead of {own}×{own}"
        note(f"pictures are small: brought to {brought} (--size)")
    return (min(own, fitting),) * 2
