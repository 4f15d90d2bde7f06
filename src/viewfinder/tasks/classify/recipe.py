"""Every choice of a classifier's training."""

from dataclasses import dataclass
from typing import ClassVar

from viewfinder.tasks.recipe import NOT_NEGATIVE, SHARE, Recipe


@dataclass(frozen=True, kw_only=True)
class ClassifyRecipe(Recipe):
    """Give each picture one class. The defaults suit a few thousand small pictures.

    DATA is a folder of pictures, a folder a class (cat/1.jpg, or train/cat/1.jpg), or the word
    tabletop.
    """

    RANGES: ClassVar = {
        **Recipe.RANGES,
        "scale": NOT_NEGATIVE,
        "turn": NOT_NEGATIVE,
        "label_smoothing": SHARE,
        "shift": SHARE,
        "flip": SHARE,
        "colour": SHARE,
        "erase": SHARE,
    }

    net: str = "lenet"
    """The network: lenet, alexnet, vgg16, googlenet, resnet18, 34, 50, 101 or 152,
    efficientnet-lite0, 1 or 2."""
    epochs: int = 150
    """How often every training picture is seen."""
    batch: int = 64
    """Pictures in a step."""
    learning_rate: float = 0.05
    """Highest learning rate, reached at the end of the warm-up."""
    weight_decay: float = 3e-3
    """Pull of every weight towards zero; biases and normalisations are left alone."""
    label_smoothing: float = 0.1
    """Share of each label that is spread over all classes."""

    shift: float = 0.1
    """Augmentation: largest shift, as a share of the side."""
    scale: float = 0.15
    """Augmentation: largest zoom, in and out; 0.2 is a fifth."""
    turn: float = 10.0
    """Augmentation: largest rotation in degrees."""
    flip: float = 0.5
    """Augmentation: share of pictures mirrored; 0 where left and right differ, as in letters."""
    colour: float = 0.2
    """Augmentation: largest change of brightness, contrast and saturation."""
    erase: float = 0.0
    """Augmentation: largest side of a grey square laid over each picture, as a share."""
    balanced: bool = False
    """Show every class equally often, however many pictures it has."""
    mirror: bool = True
    """Answer with the mean over a picture and its mirror image, at twice the time, where training
    mirrored pictures too."""
