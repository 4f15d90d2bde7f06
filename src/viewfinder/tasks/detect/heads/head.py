"""What a family of heads answers: all of a detector that depends on what its outputs mean."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from torch import Tensor, nn

from viewfinder.datasets.dataset import Dataset
from viewfinder.nets.checkpoints import LoadReport
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.answering import Answering, NetOutput
from viewfinder.tasks.detect.examples.batch import BoxTruth
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.loss import Add, alone


class HeadLoss(Protocol):
    """What a net of the family is to lessen."""

    def __call__(
        self, outputs: NetOutput, truth: BoxTruth, ignored: BoxTruth, *, add: Add = alone
    ) -> dict[str, Tensor]:
        """This process's part of each term of a step's loss; see `tasks.loss.Loss`.

        Args:
            outputs: what the net gives in training, one tensor or several.
            truth: what is to be found.
            ignored: where a prediction is neither right nor wrong; see `batch.BoxBatch`.
        """
        ...


class Head(Protocol):
    """A family of heads.

    Attributes:
        stride: sides of its nets' inputs are multiples of this, in pixels.
        terms: its loss's terms as the history names them, each in words for a curve.
    """

    stride: ClassVar[int]
    terms: ClassVar[Mapping[str, str]]

    def net_options(self, recipe: DetectRecipe, dataset: Dataset, size: Size) -> dict[str, object]:
        """What a net is created with beside its classes: the recipe's options, and the set's.

        Args:
            size: width and height of the net's input.
        """
        ...

    def make_loss(self, net: nn.Module, recipe: DetectRecipe) -> HeadLoss:
        """The recipe's loss of this net's outputs, in terms that are reported one by one."""
        ...

    def decoded(self, net: nn.Module) -> Answering:
        """The net with its outputs' meaning: N×3×H×W to boxes, N×P×4 as x1, y1, x2, y2 in pixels of
        its input, and scores, N×P×classes in [0, 1], before suppression. It can be exported."""
        ...

    def outputs(self, net: nn.Module) -> tuple[str, ...]:
        """A name for each of the net's own outputs, for an export of them."""
        ...

    def load(
        self,
        net: nn.Module,
        state: Mapping[str, Tensor],
        names: Sequence[str],
        classes: Sequence[str],
    ) -> LoadReport:
        """Load what fits of weights, what predicts classes by their names.

        Args:
            names: the classes of the weights, in their order; empty where they are not known.
            classes: those of the net.

        Raises:
            InputError: not one weight fits.
        """
        ...

    def read_foreign(
        self, file: Path, net: nn.Module
    ) -> tuple[dict[str, Tensor], tuple[str, ...]] | None:
        """The weights in a file of a format that only this family knows, and their classes' names.

        None of any other file.

        Raises:
            InputError: the file is damaged, or of another net than `net`.
        """
        ...
