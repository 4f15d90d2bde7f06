"""Does the net over-fit, under-fit, or neither, and what to try next.

Both sides are measured on pictures that are not augmented, with the same weights, so that the gap
between them is the net's and not the augmentation's.
"""

import math
from dataclasses import dataclass
from typing import Literal

from viewfinder.runs.recipe import Recipe

Kind = Literal["over-fitting", "under-fitting", "fine", "unknown"]

# A gap between the sides smaller than this harms nobody.
_HARMLESS_GAP = 0.05
# …and one that chance alone makes is none: this many standard errors.
_CHANCE = 2.0
# A net that gets fewer of its own training pictures right than this has not learnt them.
_LEARNT = 0.85
# With fewer pictures a class than this, more pictures help more than anything else.
_FEW = 200
_MIN_PICTURES = 20


@dataclass(frozen=True)
class Side:
    """Accuracy on one side of a dataset, and the pictures it was measured on."""

    accuracy: float
    images: int


@dataclass(frozen=True)
class Verdict:
    """What the gap between training and validation says.

    Attributes:
        says: a sentence with the figures in it.
        tries: what to try, the most promising first; each a sentence with its flag.
    """

    kind: Kind
    says: str
    tries: tuple[str, ...]


def verdict(
    train: Side,
    held_out: Side | None,
    *,
    recipe: Recipe,
    per_class: float,
    validation_losses: list[float],
) -> Verdict:
    """Judge a training from its two sides.

    Args:
        held_out: validation pictures; None where there were none.
        per_class: training pictures in the average class.
        validation_losses: of every epoch, in order; they show when over-fitting began.
    """
    if held_out is None or held_out.images < _MIN_PICTURES or train.images < _MIN_PICTURES:
        few = "training" if train.images < _MIN_PICTURES else "validation"
        says = f"There are too few {few} pictures to tell: at least {_MIN_PICTURES} are needed."
        return Verdict("unknown", says, _against_too_few(recipe, few))
    gap = train.accuracy - held_out.accuracy
    error = math.sqrt(_variance(train) + _variance(held_out))
    figures = (
        f"{train.accuracy:.1%} of training pictures are right and {held_out.accuracy:.1%} of "
        f"those held out, a gap of {100 * gap:.1f} ± {100 * _CHANCE * error:.1f} points"
    )
    if gap > max(_HARMLESS_GAP, _CHANCE * error):
        says = f"The net over-fits: {figures}. {_when(validation_losses)}".strip()
        return Verdict("over-fitting", says, _against_over_fitting(recipe, per_class))
    if train.accuracy < _LEARNT:
        says = f"The net under-fits: it has not learnt its own training pictures; {figures}."
        return Verdict("under-fitting", says, _against_under_fitting(recipe))
    says = f"The fit is fine: {figures}, which is small or what chance alone can make."
    return Verdict("fine", says, _when_fine(held_out.accuracy))


def _against_too_few(recipe: Recipe, few: str) -> tuple[str, ...]:
    tries = ["add pictures: with so few, nothing helps as much"]
    if few == "validation" and 0 < recipe.val_share <= 0.2:
        tries.append(f"keep more of them for validation: --val-share {2 * recipe.val_share:g}")
    elif few == "validation" and recipe.val_share == 0:
        tries.append("keep some of them for validation: --val-share 0.1")
    return tuple(tries)


def _variance(side: Side) -> float:
    """Of an accuracy; Laplace's rule keeps it above 0 where all are right."""
    share = (side.accuracy * side.images + 1) / (side.images + 2)
    return share * (1 - share) / side.images


def _when(losses: list[float]) -> str:
    """When the validation loss turned, if it rose clearly afterwards."""
    if len(losses) < 3:
        return ""
    lowest = min(range(len(losses)), key=losses.__getitem__)
    if losses[-1] > 1.1 * losses[lowest]:
        return (
            f"The validation loss was lowest at epoch {lowest + 1} ({losses[lowest]:.2f}) and "
            f"rose to {losses[-1]:.2f} by the end."
        )
    return ""


def _against_over_fitting(recipe: Recipe, per_class: float) -> tuple[str, ...]:
    tries = []
    if per_class < _FEW:
        tries.append(f"add pictures: {per_class:.0f} a class is few, and nothing helps as much")
    if recipe.shift < 0.1 or recipe.scale < 0.15 or recipe.turn < 10:
        tries.append("augment more: --shift 0.1 --scale 0.2 --turn 10")
    if recipe.flip == 0:
        tries.append("mirror pictures, unless left and right differ in meaning: --flip 0.5")
    if recipe.colour < 0.3:
        tries.append("vary the colours more: --colour 0.4")
    if recipe.erase == 0:
        tries.append("hide a part of each picture: --erase 0.4")
    if not any(option.startswith("dropout=") for option in recipe.options):
        tries.append("drop units of the last layers: --options dropout=0.3")
    if recipe.init == "random" and recipe.net != "lenet":
        tries.append("start from weights that have seen a million pictures: --init imagenet")
    tries.append(f"pull weights towards zero harder: --weight-decay {4 * recipe.weight_decay:g}")
    if recipe.net != "lenet":
        tries.append("take a smaller network: --options width=0.5, or --net resnet18 or lenet")
    if per_class >= _FEW:
        tries.append(f"add pictures: there are {per_class:.0f} a class now")
    return tuple(tries)


def _against_under_fitting(recipe: Recipe) -> tuple[str, ...]:
    longer = (
        f"--minutes {2 * recipe.minutes:g}" if recipe.minutes else f"--epochs {2 * recipe.epochs}"
    )
    tries = [f"train for longer: {longer}"]
    if recipe.net == "lenet":
        tries.append("take a larger network: --net resnet18 --options stem=small")
    if recipe.size is not None and recipe.size < 64:
        tries.append(f"show it larger pictures: --size {2 * recipe.size}")
    if recipe.scale > 0.1 or recipe.erase > 0 or recipe.turn > 5:
        tries.append("augment less: --scale 0.1 --turn 5 --erase 0")
    if recipe.weight_decay > 1e-4:
        tries.append(f"let weights grow: --weight-decay {recipe.weight_decay / 5:g}")
    tries.append("look at the worst pictures: are their labels right, could you tell them apart?")
    return tuple(tries)


def _when_fine(accuracy: float) -> tuple[str, ...]:
    if accuracy > 0.98:
        return ("try it on pictures from elsewhere: viewfinder predict RUN FOLDER",)
    return (
        "look at the worst pictures: add more like them",
        "a larger network can now use what there is: --net resnet18",
    )
