"""Every choice of a classifier's training."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from viewfinder.errors import InputError
from viewfinder.tasks.recipe import NOT_NEGATIVE, SHARE, Recipe

Head = Literal["full", "auto", "linear", "prototypes"]


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
    head: Head = "full"
    """What learns. full: every layer, step by step. The others: the last layer alone, in seconds,
    from what a net that started from --init says of each picture: by class means (prototypes), by
    regularised logistic regression (linear), or by whichever of the two left-out pictures prefer
    (auto). Where there are a few dozen pictures a class, these are the better choice."""
    unlabelled: str | None = None
    """A folder of pictures without labels, for every --head but full: their surest guesses are
    learnt from too, if left-out pictures come out right more often with them."""

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

    @property
    def in_steps(self) -> bool:
        """Whether all of the net learns."""
        return self.head == "full"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.in_steps and self.unlabelled is not None:
            raise InputError("--unlabelled needs --head auto, linear or prototypes")
        if not self.in_steps and self.init == "random":
            raise InputError(
                f"--head {self.head} learns the last layer alone, from a net that knows pictures: "
                "give --init imagenet, with --net efficientnet-lite0 for instance, or a run"
            )
