"""YOLO's head as a family: `heads.Head` for every net that derives from `nets.yolo.YOLO`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from torch import Tensor, nn

from viewfinder.datasets.dataset import Dataset
from viewfinder.nets.checkpoints import LoadReport
from viewfinder.nets.yolo import YOLO
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.answering import Answering, NetOutput, several_tensors
from viewfinder.tasks.detect.examples.batch import BoxTruth
from viewfinder.tasks.detect.heads.head import HeadLoss
from viewfinder.tasks.detect.heads.yolo.anchors import net_options
from viewfinder.tasks.detect.heads.yolo.decoding import decode
from viewfinder.tasks.detect.heads.yolo.loading import load_by_name, read_darknet
from viewfinder.tasks.detect.heads.yolo.losses import darknet_loss, loss
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.loss import Add, alone


class YOLOHead:
    """Boxes from anchors, cell by cell."""

    stride: ClassVar[int] = 32
    terms: ClassVar[Mapping[str, str]] = {
        "box": "boxes",
        "objectness": "objectness",
        "classes": "classes",
    }

    def net_options(self, recipe: DetectRecipe, dataset: Dataset, size: Size) -> dict[str, object]:
        """The recipe's, and anchors fitted to the training boxes."""
        return net_options(recipe, dataset, size)

    def make_loss(self, net: nn.Module, recipe: DetectRecipe) -> HeadLoss:
        """Boxes, objectness and classes: by overlap, or as Darknet has them."""
        function = loss if recipe.loss == "iou" else darknet_loss
        scales = _yolo(net).scales

        def of(
            outputs: NetOutput, truth: BoxTruth, ignored: BoxTruth, *, add: Add = alone
        ) -> dict[str, Tensor]:
            return function(several_tensors(outputs), scales, truth, ignored, add=add)

        return of

    def decoded(self, net: nn.Module) -> Answering:
        """Boxes and scores of every anchor in every cell."""
        return DecodedYOLO(_yolo(net))

    def outputs(self, net: nn.Module) -> tuple[str, ...]:
        """The maps, by their strides."""
        return tuple(f"stride_{scale.stride}" for scale in _yolo(net).scales)

    def load(
        self,
        net: nn.Module,
        state: Mapping[str, Tensor],
        names: Sequence[str],
        classes: Sequence[str],
    ) -> LoadReport:
        """Layers that fit; those that predict anchor by anchor, class by class."""
        return load_by_name(_yolo(net), state, names, classes)

    def read_foreign(
        self, file: Path, net: nn.Module
    ) -> tuple[dict[str, Tensor], tuple[str, ...]] | None:
        """Darknet's weights."""
        return read_darknet(file, _yolo(net))


class DecodedYOLO(Answering):
    """N×3×H×W to boxes, N×P×4, and scores, N×P×classes; see `decoding.decode`."""

    def __init__(self, net: YOLO) -> None:
        super().__init__()
        self.net = net

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:  # N×3×H×W
        return decode(self.net(pictures), self.net.scales)


def _yolo(net: nn.Module) -> YOLO:
    assert isinstance(net, YOLO), "the net names this family"
    return net
