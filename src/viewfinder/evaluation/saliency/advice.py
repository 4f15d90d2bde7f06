"""What to try next with a saliency net, by how it fits."""

from viewfinder.evaluation.advising import (
    Course,
    enlarged,
    longer,
    lowered,
    raised,
    too_short,
    with_option,
)
from viewfinder.evaluation.fitting import Tries
from viewfinder.tasks.saliency.recipe import DEPTH_NET, SaliencyRecipe

# With fewer pictures than this, more pictures help more than anything else.
_FEW = 1000
# With a smaller share of what is learnt than this, a teacher might as well not be there.
_HARDLY = 0.01
# S from which a net is to prove itself elsewhere.
_EXCELLENT = 0.95
# What starts from weights that come along.
_SMALL = "a2dele-lite0"
# Side in pixels of the pictures that the paper trains on.
_PAPER_SIZE = 256


def tries(
    recipe: SaliencyRecipe,
    *,
    pictures: int,
    depth: bool,
    likeness: float,
    course: Course,
    followed: float | None = None,
) -> Tries:
    """What to try.

    Args:
        pictures: that were trained on.
        depth: whether any of them has a depth map, to teach with.
        likeness: S on pictures that were held out.
        followed: the teacher's share of what was learnt in the last epoch, λ, if it is known.
    """
    untaught = depth and recipe.teacher is None and recipe.net != DEPTH_NET
    better = _better_teacher(recipe, followed)
    return Tries(
        (*_against_over_fitting(recipe, pictures, untaught=untaught), *better),
        (*better, *_against_under_fitting(recipe, course)),
        (*_when_fine(recipe, likeness, course, untaught=untaught), *better),
    )


def _better_teacher(recipe: SaliencyRecipe, followed: float | None) -> list[str]:
    asked_for = isinstance(recipe.teacher_weight, float)
    if recipe.teacher is None or asked_for or followed is None or followed >= _HARDLY:
        return []
    return [
        "train the teacher for longer: its maps are so far from the masks that less than "
        f"{_HARDLY:.0%} of what is learnt is learnt from it (λ)"
    ]


def _against_over_fitting(
    recipe: SaliencyRecipe, pictures: int, *, untaught: bool
) -> tuple[str, ...]:
    tries = []
    if pictures < _FEW:
        tries.append(f"add pictures: {pictures:,} are few, and nothing helps as much")
    tries += _taught(untaught) + _started(recipe)
    if recipe.scale < 0.3 or recipe.turn < 10 or recipe.shift < 0.1:
        tries.append(f"augment more: {raised(recipe, shift=0.1, scale=0.3, turn=15)}")
    if recipe.flip == 0:
        tries.append("mirror pictures: --flip 0.5")
    if recipe.colour < 0.3:
        tries.append("vary the colours more: --colour 0.4")
    harder = 4 * recipe.weight_decay or 1e-4
    tries.append(f"pull weights towards zero harder: --weight-decay {harder:g}")
    if pictures >= _FEW:
        tries.append(f"add pictures: there are {pictures:,} now")
    return tuple(tries)


def _against_under_fitting(recipe: SaliencyRecipe, course: Course) -> tuple[str, ...]:
    tries = [f"train for longer: {longer(recipe, course)}"]
    tries += _started(recipe)
    if not too_short(recipe, course):
        tries += _larger(recipe, course)
    if recipe.init == "random" and not any(o.startswith("width=") for o in recipe.options):
        wider = with_option(recipe, "width=0.5")
        tries.append(f"take a wider network, which needs more time: {wider}")
    less = lowered(recipe, scale=0.1, turn=5)
    if less and not too_short(recipe, course):
        tries.append(f"augment less: {less}")
    tries.append("look at the worst pictures: would two people mark the same subject in them?")
    return tuple(tries)


def _when_fine(
    recipe: SaliencyRecipe, likeness: float, course: Course, *, untaught: bool
) -> tuple[str, ...]:
    if likeness > _EXCELLENT:
        return ("try it on pictures from elsewhere: viewfinder predict RUN FOLDER --out DRAWN",)
    return (
        "look at the worst pictures: add more like them",
        *_taught(untaught),
        *_started(recipe),
        *_larger(recipe, course),
        f"train for longer: {longer(recipe, course)}",
    )


def _taught(untaught: bool) -> list[str]:
    if not untaught:
        return []
    return [f"let depth teach it: --teacher RUN, a run of {DEPTH_NET} on the same pictures"]


def _started(recipe: SaliencyRecipe) -> list[str]:
    if recipe.init != "random" or recipe.net == DEPTH_NET:
        return []
    # The weights of the small one come with the installation; VGG's are half a gigabyte to fetch.
    small = "" if recipe.net == _SMALL else f"--net {_SMALL} "
    return [f"start from weights that have seen a million pictures: {small}--init imagenet"]


def _larger(recipe: SaliencyRecipe, course: Course) -> list[str]:
    side = enlarged(recipe.size, _PAPER_SIZE, course) if recipe.size is not None else None
    return [f"show it larger pictures, for thin parts and outlines: --size {side}"] if side else []
