"""What to try next with a detector: by how it fits, and by the errors that cost most."""

from collections.abc import Mapping
from dataclasses import dataclass

from viewfinder.evaluation.advising import Course, enlarged, longer, lowered, raised, too_short
from viewfinder.evaluation.fitting import Tries
from viewfinder.tasks.detect.measures.breakdown import Cost
from viewfinder.tasks.detect.recipe import DetectRecipe

FEW = 300
"""With fewer boxes a class than this, more pictures help more than anything else."""
BY_REAL = "judge it by real pictures, which share no object: viewfinder evaluate RUN DATA"
"""What to do with a detector that is judged by scenes composed as those that it learnt from."""
# AP50 from which a detector is to prove itself elsewhere.
_EXCELLENT = 0.95
# An error that costs less of AP50 than this is not mentioned.
_NOTICEABLE = 0.005
# A class in fewer pictures than this share is rare.
_RARE = 0.2
# From random weights it would lose what COCO taught the small one; on a processor it takes days.
_LARGER_NET = "--net yolov3 --init coco (248 MB to fetch once)"
# The net for few pictures whose weights come along (docs/few-labels.md).
_FOR_FEW = "take the network for few pictures, slower: --net yolov3-lite0 --init imagenet"


@dataclass(frozen=True)
class Situation:
    """What advice depends on.

    Attributes:
        boxes_per_class: training boxes in the average class.
        rarest: share of the training pictures that hold the class that fewest hold.
        ap50: on pictures that were held out.
        misses_small: whether objects that are small to the net are found less often.
        longer_side: of the net's input, in pixels.
        course: how the training went.
        learnt: whether it has learnt its own pictures, or had as long as is usual to.
        few: the classes that have few boxes, as `few_of` has them.
        gpu: whether it trained on a GPU.
    """

    recipe: DetectRecipe
    boxes_per_class: float
    rarest: float
    ap50: float
    misses_small: bool
    longer_side: int
    course: Course
    learnt: bool = True
    few: str = ""
    gpu: bool = False


def tries(now: Situation) -> Tries:
    """What to try, by how the net fits."""
    return Tries(_against_over_fitting(now), _against_under_fitting(now), _when_fine(now))


def costliest(errors: Mapping[str, Cost], now: Situation) -> tuple[str, tuple[str, ...]]:
    """A sentence on the kind of error that costs most, and what to try against it."""
    kind = max(errors, key=lambda name: errors[name].ap50)
    if errors[kind].ap50 < _NOTICEABLE:
        return "No kind of error costs as much as half a point of AP50.", ()
    what, against = {
        "localisation": ("Boxes that are misplaced", _against_misplaced),
        "class": ("Objects taken for another class", _against_confused),
        "both": ("Boxes both misplaced and of another class", _against_confused),
        "duplicate": ("Objects found twice", _against_duplicates),
        "background": ("Detections where nothing is", _against_false),
        "missed": ("Objects missed", _against_missed),
    }[kind]
    gain = f"fixing them would gain {100 * errors[kind].ap50:.1f} points of AP50"
    return f"{what} cost most: {gain}.", against(now)


def _against_over_fitting(now: Situation) -> tuple[str, ...]:
    recipe, tries = now.recipe, []
    if now.boxes_per_class < FEW:
        few = f"{now.boxes_per_class:.0f} boxes a class is few"
        if now.few:
            few = f"boxes of {now.few} are few"
        tries.append(f"add pictures: {few}, and nothing helps as much")
    tries += _from_coco(recipe)
    if recipe.mosaic < 0.9:
        tries.append("put more pictures together from four: --mosaic 1")
    if recipe.copy_paste == 0:
        tries.append("paste objects into other pictures: --copy-paste 0.5")
    if recipe.flip == 0:
        tries.append("mirror pictures, unless left and right differ in meaning: --flip 0.5")
    if recipe.scale < 0.5 or recipe.shift < 0.1 or recipe.saturation < 0.4:
        more = raised(recipe, scale=0.5, shift=0.2, saturation=0.6)
        tries.append(f"augment more: {more}")
    harder = 4 * recipe.weight_decay or 1e-3
    tries.append(f"pull weights towards zero harder: --weight-decay {harder:g}")
    if recipe.net != "yolov3-tiny":
        tries.append("take a smaller network: --net yolov3-tiny")
    if now.boxes_per_class >= FEW:
        tries.append(f"add pictures: there are {now.boxes_per_class:,.0f} boxes a class now")
    return tuple(tries)


def _against_under_fitting(now: Situation) -> tuple[str, ...]:
    recipe = now.recipe
    tries = [f"train for longer: {longer(recipe, now.course)}", *_from_coco(recipe), *_larger(now)]
    less = lowered(recipe, mosaic=0.2, scale=0.2, copy_paste=0)
    if less and not too_short(recipe, now.course):
        tries.append(f"augment less: {less}")
    tries += _other_net(now, "take a larger network")
    tries.append("look at the worst pictures: is every object marked, and marked tightly?")
    return tuple(tries)


def _when_fine(now: Situation) -> tuple[str, ...]:
    if now.ap50 > _EXCELLENT:
        return ("try it on pictures from elsewhere: viewfinder predict RUN FOLDER --out DRAWN",)
    tries = ["look at the worst pictures: add more like them", *_larger(now), *_rare(now)]
    tries.append(f"train for longer: {longer(now.recipe, now.course)}")
    tries += _other_net(now, "a larger network can now use what there is")
    return tuple(tries)


def _against_misplaced(now: Situation) -> tuple[str, ...]:
    return (
        "check that boxes are drawn tightly, and by one rule for objects that are partly hidden",
        *_enlarged(now),
        f"train for longer: {longer(now.recipe, now.course)}",
    )


def _against_confused(now: Situation) -> tuple[str, ...]:
    return (
        "look at the pictures below: could you tell these classes apart, and are the labels right?",
        "add pictures of the classes that are taken for one another",
        "if the difference does not matter, make them one: viewfinder classes DATA merge A B INTO",
    )


def _against_duplicates(now: Situation) -> tuple[str, ...]:
    return (
        "look whether one object was marked as several, or several as one: mark them all alike",
        f"train for longer: {longer(now.recipe, now.course)}",
    )


def _against_false(now: Situation) -> tuple[str, ...]:
    return (
        "look at the pictures below first: an object that is there and was not marked counts as "
        "an error here",
        "add pictures without any object, or with what is taken for one, to the training pictures",
        "show fewer detections, the surest: a higher --threshold",
    )


def _against_missed(now: Situation) -> tuple[str, ...]:
    against = [*_larger(now), *_rare(now)]
    if now.recipe.copy_paste == 0:
        against.append("paste objects into other pictures: --copy-paste 0.5")
    against.append("add pictures in which they look as they do where they are missed")
    against.append(f"train for longer: {longer(now.recipe, now.course)}")
    return tuple(against)


def _from_coco(recipe: DetectRecipe) -> tuple[str, ...]:
    # Those weights fit no net of another width.
    if recipe.init != "random" or recipe.net_options().get("width", 1.0) != 1.0:
        return ()
    if recipe.net == "yolov3-tiny":
        return ("start from weights that know COCO's objects: --init coco",)
    file = f"{recipe.net}.weights"
    return (f"start from weights that know COCO's objects, with their .cfg beside: --init {file}",)


def _other_net(now: Situation, words: str) -> tuple[str, ...]:
    """A network that may do better and can be trained on this machine, if there is one."""
    if now.recipe.net != "yolov3-tiny":
        return ()
    if now.boxes_per_class < FEW:
        return (_FOR_FEW,)
    return (f"{words}: {_LARGER_NET}",) if now.gpu else ()


def _larger(now: Situation) -> tuple[str, ...]:
    if not now.misses_small:
        return ()
    return tuple(f"small objects are missed: {each}" for each in _enlarged(now))


def _enlarged(now: Situation) -> tuple[str, ...]:
    # What has not learnt what it was shown, and might in time, gains nothing by more to look at.
    if not now.learnt:
        return ()
    # Half as much again, in steps of the coarsest stride.
    wanted = round(1.5 * now.longer_side / 32) * 32
    side = enlarged(now.longer_side, wanted, now.course, step=32)
    return (f"show the net larger pictures: --size {side}",) if side else ()


def _rare(now: Situation) -> tuple[str, ...]:
    if now.rarest >= _RARE or now.recipe.rare > 0:
        return ()
    return (f"show pictures of rare classes more often: --rare {_RARE:g}",)
