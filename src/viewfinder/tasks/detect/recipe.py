"""Every choice of a detector's training."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from viewfinder import nets
from viewfinder.tasks.recipe import (
    LARGEST_SIZE,
    NOT_NEGATIVE,
    SHARE,
    Optimiser,
    Range,
    Recipe,
    UsualText,
)

# The net of the weights that come with the package, and the word for them.
_PUBLISHED, _COCO = "yolov3-tiny", "coco"
_IMAGENET = "imagenet"

OVERLAP = 0.2
"""Share of a tile's side that its neighbour shows too, unless another is asked for."""
MOST_OVERLAP = 0.9
LEAST_SIDE = 32
"""Of a tile, in pixels."""
_TILE_SIDES = f"auto, none, or from {LEAST_SIDE} to {LARGEST_SIZE} pixels"


@dataclass(frozen=True, kw_only=True)
class DetectRecipe(Recipe):
    """Find every object: a box and a class. The defaults suit a few hundred pictures of one's own.

    DATA is a folder of COCO, YOLO or Pascal VOC, COCO's JSON file, or YOLO's data.yaml.

    Example:

      viewfinder train detect my-boxes --size 320 --minutes 8
    """

    finds_boxes: ClassVar[bool] = True
    can_doubt: ClassVar[bool] = True
    RANGES: ClassVar = {
        **Recipe.RANGES,
        "scale": NOT_NEGATIVE,
        "aspect": NOT_NEGATIVE,
        "turn": NOT_NEGATIVE,
        "rare": SHARE,
        "shift": SHARE,
        "flip": SHARE,
        "flip_vertical": SHARE,
        "hue": SHARE,
        "saturation": SHARE,
        "value": SHARE,
        "mosaic": SHARE,
        "mosaic_until": SHARE,
        "copy_paste": SHARE,
        "compose_share": SHARE,
        "tiles": Range(lambda v: LEAST_SIDE <= v <= LARGEST_SIZE, _TILE_SIDES),
        "overlap": Range(lambda v: 0 <= v <= MOST_OVERLAP, f"from 0 to {MOST_OVERLAP}"),
        "small": SHARE,
        "multi_scale": SHARE,
    }

    net: str = _PUBLISHED
    """The network: yolov3-tiny, yolov3, yolov3-spp, or yolov3-lite0, YOLOv3's scales on the maps of
    EfficientNet-lite0."""
    size: int | None = None
    """Longer side in pixels of what the net is given, brought to a multiple of 32; the other side
    follows from the pictures' usual aspect. If not given, the network's own, 416."""
    tiles: int | Literal["auto", "none"] = "auto"
    """Learn and answer pictures in square tiles of this side, in their own pixels, which the net is
    given at --size or as they are; none sees pictures whole. auto takes tiles where objects are
    small against the pictures, and says so."""
    overlap: float = OVERLAP
    """Share of a tile's side that the next one shows too, when pictures are answered in tiles:
    objects up to that size lie whole in some tile."""
    init: str = UsualText(_COCO)
    """Weights to start from: coco, yolov3-tiny's of COCO's 80 classes, or imagenet, those of
    yolov3-lite0's backbone: both come with the installation and are their nets' defaults; random,
    which is the default of every other net and width; a run, Darknet's .weights with its .cfg
    beside it, or a torch file. Layers that fit are taken, the last ones class by class, by
    name."""

    epochs: int = 100
    """How often every training picture is seen."""
    batch: int = 8
    """Pictures in a step."""
    optimiser: Optimiser = "adamw"
    """How gradients become steps: sgd with Nesterov momentum, or adamw."""
    learning_rate: float = 3e-3
    """Highest learning rate, reached at the end of the warm-up."""
    warmup: float = 0.05
    """Share of the training in which the learning rate rises; it then falls along a cosine."""
    weight_decay: float = 0.05
    """Pull of every weight towards zero; biases and normalisations are left alone."""
    clip: float = 10.0
    """Largest norm of the gradient before a step; 0 does not limit it."""
    average: float = 0.998
    """Decay of the running average of the weights, which is what is kept; 0 keeps the last."""

    loss: Literal["iou", "darknet"] = "iou"
    """iou: every anchor near an object's shape, in its cell and the two nearest, pulled to overlap
    with it; darknet: one anchor an object, as Darknet trains."""
    anchors: Literal["fit", "paper"] = "fit"
    """Shapes that boxes start from: fitted to the training boxes, or those of the paper."""
    rare: float = 0.0
    """Show pictures of a class more often where fewer than this share of pictures have it."""

    second_opinion: bool = False
    """Judge the class of each object again by features of ImageNet, learnt from the labelled crops,
    and mix both by a weight fitted on held-out pictures; left off where these gain no more than
    chance does."""

    compose: str | None = None
    """Captures with masks, or COCO with outlines: scenes composed of their objects are mixed in."""
    compose_share: float = 0.5
    """Share of the pictures that are composed, where there are captures."""
    backgrounds: str = "tabletop"
    """What scenes are composed on: a folder with pictures of places, or tabletop."""

    mosaic: float = 0.5
    """Augmentation: share of pictures that are put together from four."""
    mosaic_until: float = 0.8
    """Share of the training after which no more are put together."""
    copy_paste: float = 0.0
    """Augmentation: share of pictures into which objects of others are pasted, rare ones first."""
    scale: float = 0.4
    """Augmentation: largest zoom, in and out; 0.2 is a fifth."""
    aspect: float = 0.1
    """Augmentation: largest stretch of width against height."""
    shift: float = 0.1
    """Augmentation: largest shift, as a share of the side."""
    turn: float = 0.0
    """Augmentation: largest rotation in degrees."""
    flip: float = 0.5
    """Augmentation: share of pictures mirrored left to right."""
    flip_vertical: float = 0.0
    """Augmentation: share of pictures turned upside down, for views from above or through a
    microscope."""
    hue: float = 0.015
    """Augmentation: largest change of hue, as a share of the colour circle."""
    saturation: float = 0.4
    """Augmentation: largest change of saturation, as a share."""
    value: float = 0.3
    """Augmentation: largest change of brightness, as a share."""
    small: float = 0.0
    """Share of the training, at its start, in which pictures are shown at three quarters of the
    size: a step then takes about half the time, and more of them are taken in a given time."""
    multi_scale: float = 0.0
    """Augmentation: largest change of the size that the net is given, as a share, drawn anew for
    each step."""

    def __post_init__(self) -> None:
        super().__post_init__()
        # What nobody asked for follows from what somebody did, and stays marked: in a copy with
        # another net it follows from that.
        if isinstance(self.init, UsualText):
            object.__setattr__(self, "init", UsualText(self._usual_init()))

    @property
    def by_held_out(self) -> str:
        return "--second-opinion" if self.second_opinion else ""

    def _usual_init(self) -> str:
        """What comes with the installation for this net."""
        if self.net == _PUBLISHED and self.net_options().get("width", 1.0) == 1.0:
            return _COCO
        return _IMAGENET if nets.comes_along(self.net) else "random"
