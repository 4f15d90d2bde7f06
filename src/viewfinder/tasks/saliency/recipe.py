"""Every choice of a training that finds a picture's subject."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from viewfinder import nets
from viewfinder.errors import InputError
from viewfinder.tasks.recipe import NOT_NEGATIVE, SHARE, Optimiser, Range, Recipe, UsualText

DEPTH_NET = "a2dele-depth"
"""The depth stream: the net that is given depth in place of pictures, and that may teach."""

Weight = float | Literal["adaptive", "adaptive-picture"]
"""λ: a number from 0 to 1, or by the teacher's error on the whole batch, as published, or on each
picture."""
Attention = Literal["none", "plain", "dilated"]
"""What the attention maps learn from: nothing, the teacher's map, or its dilation."""


@dataclass(frozen=True, kw_only=True)
class SaliencyRecipe(Recipe):
    """How to train a net that finds the subject of a picture, with depth as a teacher if there is
    any: first --net a2dele-depth, on depth; then a2dele, on pictures, with --teacher. The defaults
    suit a few hundred pictures and a computer without a GPU.

    DATA is a folder of pictures (RGB/), masks of their subjects (GT/) and, if there are any, depth
    maps (depth/); `viewfinder render OUT --kind scenes --subject True` renders such a set.

    Example:

      viewfinder train saliency scenes --teacher runs/teacher
    """

    RANGES: ClassVar = {
        **Recipe.RANGES,
        "teacher_weight": SHARE,
        "alpha": NOT_NEGATIVE,
        "temperature": Range(lambda v: 0 < v < float("inf"), "more than 0"),
        "dilation": Range(lambda v: v >= 1 and v % 2 == 1, "an odd number of pixels"),
        "scale": NOT_NEGATIVE,
        "turn": NOT_NEGATIVE,
        "shift": SHARE,
        "flip": SHARE,
        "colour": SHARE,
    }

    net: str = "a2dele"
    """The network: a2dele, which finds the subject in a picture; a2dele-lite0, the same on
    EfficientNet-lite0, smaller; or a2dele-depth, which finds it in a depth map and can teach the
    others."""
    options: tuple[str, ...] = ()
    """Options of the network, such as width=0.5 profile=upstream. If nothing is started from, the
    width is 0.25, a quarter of the paper's."""
    size: int | None = 128
    """Side in pixels of the square that pictures are stretched to; the paper's is 256."""
    init: str = UsualText("random")
    """Weights to start from: imagenet, which is the default of a2dele-lite0, as they come with the
    installation (VGG-16's, of the others, are fetched); random, which is theirs; a run of the same
    network, or a file: VGG-16's of torchvision, or, with --options profile=upstream, a checkpoint
    of A2dele's authors."""

    epochs: int = 50
    """How often every training picture is seen."""
    batch: int = 8
    """Pictures in a step."""
    optimiser: Optimiser = "adamw"
    """How gradients become steps: sgd with Nesterov momentum, or adamw."""
    learning_rate: float = 5e-3
    """Highest learning rate, reached at the end of the warm-up; about 0.0003 suits weights of
    VGG-16 that --init has brought along."""
    weight_decay: float = 0.01
    """Pull of every weight towards zero; biases and normalisations are left alone."""

    teacher: str | None = None
    """Who teaches the network: a run of a2dele-depth, or the authors' checkpoint of their depth
    stream. Without one it learns from the masks alone."""
    teacher_weight: Weight = "adaptive"
    """λ, how much is learnt from the teacher and how little from the mask: adaptive, by the
    teacher's error on each batch; adaptive-picture, on each picture; or a number from 0, the mask
    alone, to 1, the teacher alone. Without a teacher it is 0."""
    alpha: float = 70.0
    """How fast an adaptive λ, which is exp(−alpha × error), falls with the teacher's error."""
    temperature: float = 20.0
    """What logits are divided by where the student imitates, where the teacher's error is taken,
    and in the teacher's own training."""
    attention: Attention = "dilated"
    """What the maps that gate the student's features learn: dilated, the teacher's map grown by
    --dilation; plain, the map as it is; none. Without a teacher it is none."""
    dilation: int = 11
    """Side in pixels of the square by which the teacher's map is grown."""

    shift: float = 0.1
    """Augmentation: largest shift, as a share of the side."""
    scale: float = 0.2
    """Augmentation: largest zoom, in and out; 0.2 is a fifth."""
    turn: float = 10.0
    """Augmentation: largest rotation in degrees."""
    flip: float = 0.5
    """Augmentation: share of pictures mirrored left to right."""
    colour: float = 0.2
    """Augmentation: largest change of brightness, contrast and saturation."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, and what a teacher is needed for where there is none."""
        super().__post_init__()
        if isinstance(self.init, UsualText):  # as nobody asked for it, also in a copy
            usual = "imagenet" if nets.comes_along(self.net) else "random"
            object.__setattr__(self, "init", UsualText(usual))
        if self.teacher is not None:
            if self.net == DEPTH_NET:
                raise InputError(
                    f"--teacher: {DEPTH_NET} is what teaches and has no teacher itself; train "
                    "it alone, then --net a2dele with --teacher and its run"
                )
            return
        # λ = 0 and no attention are what a training without a teacher is.
        wants = {
            "--teacher-weight": self.teacher_weight not in (type(self).teacher_weight, 0),
            "--attention": self.attention not in (type(self).attention, "none"),
            "--alpha": self.alpha != type(self).alpha,
            "--dilation": self.dilation != type(self).dilation,
        }
        if wanting := [flag for flag, given in wants.items() if given]:
            raise InputError(
                f"{' and '.join(wanting)}: there is nothing to learn from without a teacher; name "
                f"a run of {DEPTH_NET} with --teacher"
            )

    def share_of_teacher(self) -> Weight:
        """λ, which is 0 where there is no teacher."""
        return self.teacher_weight if self.teacher else 0.0

    def taught_attention(self) -> Attention:
        """What the attention maps learn, which is nothing where there is no teacher."""
        return self.attention if self.teacher else "none"
