"""Every choice of a classifier's training."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, cast

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.tasks.recipe import (
    NOT_NEGATIVE,
    SHARE,
    Optimiser,
    Recipe,
    UsualCount,
    UsualNumber,
    UsualText,
)

Head = Literal["full", "auto", "linear", "prototypes"]

# Where nobody says: the net whose ImageNet weights come with the installation, its last layer
# learnt in seconds (docs/few-labels.md).
_NET, _INIT, _HEAD = "efficientnet-lite0", "imagenet", "auto"
# How all layers learn where nobody says, from scratch and from ImageNet's weights: epochs, batch,
# weight decay and optimiser; and the rate that each optimiser likes.
_SCRATCH: tuple[int, int, float, Optimiser] = (150, 64, 3e-3, "sgd")
_TUNED: tuple[int, int, float, Optimiser] = (16, 20, 0.05, "adamw")
_RATES: dict[str, float] = {"sgd": 0.05, "adamw": 1e-3}
_TUNED_RATES = _RATES | {"adamw": 5e-4}
_USUAL_HEAD = cast(Head, UsualText(_HEAD))
_USUAL_OPTIMISER = cast(Optimiser, UsualText(_SCRATCH[3]))


@dataclass(frozen=True, kw_only=True)
class ClassifyRecipe(Recipe):
    """Give each picture one class: from what a network that has seen a million pictures says of it.

    Without flags the last layer of efficientnet-lite0 is learnt, at once. With --epochs or
    --minutes every layer learns; with a --net of another family, from scratch, as in --net lenet.

    DATA is a folder of pictures, a folder a class (cat/1.jpg, or train/cat/1.jpg), or the word
    tabletop.

    Example:

      viewfinder train classify my-photos --head full
    """

    can_doubt: ClassVar[bool] = True
    answers_sets: ClassVar[bool] = True
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

    # With 10 pictures a class of CIFAR-10 all layers came to 65 % where the last one came to 64,
    # with 50 to 80 where it came to 73.
    FURTHER_FROM: ClassVar[float] = 20

    net: str = _NET
    """The network."""
    init: str = UsualText(_INIT)
    """Weights to start from: imagenet, which is the default of the efficientnet-lites, as they
    come with the installation (lite1 and lite2 with viewfinder[lite]); random, which is that of
    every other net (`viewfinder weights` lists what can be fetched); or a file or run."""
    head: Head = _USUAL_HEAD
    """What learns. full: every layer, step by step; the default where --epochs, --minutes,
    --optimiser, --learning-rate or --init is given, or a net that starts from random weights. From
    ImageNet's weights it begins with the last layer solved, the first half of the layers stays as
    it is, later ones learn the faster, and that beginning, which is simpler, is kept unless an
    epoch does better by more than chance on the pictures held out (with --val-share 0 none are, and
    the last epoch is kept). The others: the last layer alone, at once,
    from what a net that started from --init says of each picture: by class means (prototypes), by
    ridge regression (linear), or by ridge regression unless left-out pictures clearly prefer class
    means (auto). Where there are a few dozen pictures a class, these are the better choice; to
    compare, train by each with the same --folds, which the same pictures judge."""
    unlabelled: str | None = None
    """A folder of pictures without labels, for every --head but full: their surest guesses are
    learnt from too, if left-out pictures come out right more often with them."""

    epochs: int = UsualCount(_SCRATCH[0])
    """How often every training picture is seen; if not given, 150, and 16 from ImageNet's
    weights."""
    batch: int = UsualCount(_SCRATCH[1])
    """Pictures in a step; if not given, 64, and 20 from ImageNet's weights."""
    optimiser: Optimiser = _USUAL_OPTIMISER
    """How gradients become steps: sgd with Nesterov momentum, or adamw, which is the default from
    ImageNet's weights."""
    learning_rate: float = UsualNumber(_RATES["sgd"])
    """Highest learning rate, reached at the end of the warm-up; if not given, 0.05, and 0.001 with
    adamw, or 0.0005 from ImageNet's weights."""
    weight_decay: float = UsualNumber(_SCRATCH[2])
    """Pull of every weight towards zero; biases and normalisations are left alone. If not given,
    0.003, and 0.05 from ImageNet's weights."""
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
    """Show every class equally often, however many pictures it has, and judge by the mean recall of
    the classes. A last layer alone is learnt so in any case."""
    mirror: bool = True
    """Answer with the mean over a picture and its mirror image, at twice the time, where training
    mirrored pictures too."""

    @property
    def in_steps(self) -> bool:
        """Whether all of the net learns."""
        return self.head == "full"

    @property
    def tunes(self) -> bool:
        """Whether all layers learn on from ImageNet's weights."""
        return self.in_steps and self.init == _INIT

    @property
    def further(self) -> "ClassifyRecipe | None":
        """All layers, after the last one alone, from ImageNet's weights."""
        if self.head != _HEAD or self.init != _INIT:
            return None
        # What was read back is not marked as usual any more; it was of no use so far.
        return replace(
            self,
            head="full",
            unlabelled=None,
            epochs=UsualCount(_TUNED[0]),
            batch=UsualCount(_TUNED[1]),
            weight_decay=UsualNumber(_TUNED[2]),
            optimiser=cast(Optimiser, UsualText(_TUNED[3])),
            learning_rate=UsualNumber(_TUNED_RATES[_TUNED[3]]),
        )

    def __post_init__(self) -> None:
        super().__post_init__()
        # What nobody asked for follows from what somebody did, and stays marked: in a copy with
        # another net it follows from that.
        nobody_said = isinstance(self.init, UsualText)
        if nobody_said:
            start = _INIT if nets.comes_along(self.net) else "random"
            object.__setattr__(self, "init", UsualText(start))
        if isinstance(self.head, UsualText):
            # Who says how steps are to be taken means steps.
            usual = (UsualCount, UsualNumber, UsualText)
            said = (self.epochs, self.learning_rate, self.optimiser)
            steps = self.minutes is not None or self.compile
            steps = steps or not all(isinstance(each, usual) for each in said)
            solved = nobody_said and self.init == _INIT and not steps
            object.__setattr__(self, "head", UsualText(_HEAD if solved else "full"))
        epochs, batch, decay, optimiser = _TUNED if self.tunes else _SCRATCH
        if isinstance(self.epochs, UsualCount):
            object.__setattr__(self, "epochs", UsualCount(epochs))
        if isinstance(self.batch, UsualCount):
            object.__setattr__(self, "batch", UsualCount(max(batch, self.devices)))
        if isinstance(self.weight_decay, UsualNumber):
            object.__setattr__(self, "weight_decay", UsualNumber(decay))
        if isinstance(self.optimiser, UsualText):
            object.__setattr__(self, "optimiser", UsualText(optimiser))
        if isinstance(self.learning_rate, UsualNumber):
            rate = (_TUNED_RATES if self.tunes else _RATES)[self.optimiser]
            object.__setattr__(self, "learning_rate", UsualNumber(rate))
        if self.in_steps and self.unlabelled is not None:
            raise InputError("--unlabelled needs --head auto, linear or prototypes")
        if not self.in_steps and self.compile:
            raise InputError(
                f"--compile is of trainings in steps, and --head {self.head} takes none: give "
                "--head full, or leave --compile out"
            )
        if not self.in_steps and self.init == "random":
            raise InputError(
                f"--head {self.head} learns the last layer alone, from a net that knows pictures: "
                "give --init imagenet, with --net efficientnet-lite0 for instance, or a run"
            )
