"""What to try next with a classifier, by how it fits."""

from collections.abc import Mapping

from viewfinder import nets
from viewfinder.evaluation.advising import (
    Course,
    enlarged,
    few_of,
    longer,
    lowered,
    raised,
    too_short,
    with_option,
)
from viewfinder.evaluation.fitting import Tries
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.values import as_number

FEW = 200
"""With fewer pictures a class than this, more pictures help more than anything else."""
# A net whose weights come with the installation, and the way for few pictures.
_BY_OTHERS = "--net efficientnet-lite0 --init imagenet --head auto"
# Share of units that are dropped, where a net drops fewer.
_DROPPED = 0.3


def tries(
    recipe: ClassifyRecipe,
    *,
    per_class: float,
    accuracy: float,
    course: Course,
    counts: Mapping[str, int] | None = None,
) -> Tries:
    """What to try.

    Args:
        per_class: training pictures in the average class.
        accuracy: on pictures that were held out.
        counts: training pictures of each class, to name those that have few.
    """
    few = _few(per_class, counts or {})
    if not recipe.in_steps:
        return _of_a_last_layer(recipe, few, course, per_class)
    return Tries(
        _against_over_fitting(recipe, per_class, few),
        _against_under_fitting(recipe, course),
        _when_fine(recipe, accuracy),
    )


def _few(per_class: float, counts: Mapping[str, int]) -> str:
    """To add pictures, and of what; empty where there are many."""
    named = few_of(counts, FEW)
    if per_class >= FEW and not named:
        return ""
    what = f"{named} training pictures are few" if named else f"{per_class:.0f} a class is few"
    return f"add pictures: {what}, and nothing helps as much"


def _against_over_fitting(recipe: ClassifyRecipe, per_class: float, few: str) -> tuple[str, ...]:
    tries = []
    if few:
        tries.append(few)
        if recipe.init == "random":
            tries.append(f"start from what others learnt: {_BY_OTHERS}")
    if recipe.shift < 0.1 or recipe.scale < 0.15 or recipe.turn < 10:
        tries.append(f"augment more: {raised(recipe, shift=0.1, scale=0.2, turn=10)}")
    if recipe.flip == 0:
        tries.append("mirror pictures, unless left and right differ in meaning: --flip 0.5")
    if recipe.colour < 0.3:
        tries.append("vary the colours more: --colour 0.4")
    if recipe.erase == 0:
        tries.append("hide a part of each picture: --erase 0.4")
    # A net without this option has none to raise.
    usual = as_number(nets.options(recipe.net).get("dropout", _DROPPED))
    if "dropout" not in recipe.net_options() and usual < _DROPPED:
        tries.append(f"drop units of the last layers: {with_option(recipe, f'dropout={_DROPPED}')}")
    if recipe.init == "random" and nets.pretrained(recipe.net) and not recipe.options:
        tries.append("start from weights that have seen a million pictures: --init imagenet")
    tries.append(f"pull weights towards zero harder: --weight-decay {_harder(recipe):g}")
    if recipe.net != "lenet":
        smaller = "lenet" if recipe.net == "resnet18" else "resnet18 or lenet"
        tries.append(f"take a smaller network: --net {smaller}")
    if not few:
        tries.append(f"add pictures: there are {per_class:.0f} a class now")
    return tuple(tries)


def _of_a_last_layer(recipe: ClassifyRecipe, more: str, course: Course, per_class: float) -> Tries:
    """Where the last layer alone was solved, nothing is augmented, and no epochs are counted."""
    full = "let later layers learn too, in minutes: --head full"
    if course.folds:
        # Too few pictures could be held out to choose by, and folds judge this one too.
        full = (
            "let later layers learn too, judged by folds again: --head full --val-share 0 "
            f"--folds {course.folds}"
        )
    later = (full,) if per_class >= recipe.FURTHER_FROM else ()
    other = ("let left-out pictures choose the way: --head auto",) if recipe.head != "auto" else ()
    unlabelled = (
        ("show it pictures without labels too: --unlabelled FOLDER",)
        if recipe.unlabelled is None
        else ()
    )
    learnt = (*other, *unlabelled)
    look = "look at the worst pictures: are their labels right, could you tell them apart?"
    if more:
        return Tries((more, *learnt, *later), (*later, *learnt, look), (more, *learnt))
    return Tries((*later, *learnt), (*later, *learnt, look), (*later, *learnt))


def _against_under_fitting(recipe: ClassifyRecipe, course: Course) -> tuple[str, ...]:
    tries = [f"train for longer: {longer(recipe, course)}"]
    if recipe.net == "lenet":
        tries.append("take a larger network: --net resnet18 --options stem=small")
    if recipe.size is not None and recipe.size < 64 and not too_short(recipe, course):
        # What ImageNet taught expects things to be large, however small the pictures.
        side = Course() if recipe.init == "imagenet" else course
        if larger := enlarged(recipe.size, 2 * recipe.size, side):
            tries.append(f"show it larger pictures: --size {larger}")
    less = lowered(recipe, scale=0.1, turn=5, erase=0)
    if less and not too_short(recipe, course):
        tries.append(f"augment less: {less}")
    if recipe.weight_decay > 1e-4:
        tries.append(f"let weights grow: --weight-decay {recipe.weight_decay / 5:g}")
    tries.append("look at the worst pictures: are their labels right, could you tell them apart?")
    return tuple(tries)


def _when_fine(recipe: ClassifyRecipe, accuracy: float) -> tuple[str, ...]:
    if accuracy > 0.98:
        return ("try it on pictures from elsewhere: viewfinder predict RUN FOLDER",)
    larger = ("a larger network can now use what there is: --net resnet18",)
    return (
        "look at the worst pictures: add more like them",
        *(larger if recipe.net == "lenet" else ()),
    )


def _harder(recipe: ClassifyRecipe) -> float:
    return 4 * recipe.weight_decay or 1e-4
