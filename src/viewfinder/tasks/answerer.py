"""What is asked of a task whose net has learnt: to answer, to be measured, to be exported."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Generic

import torch
from torch import Tensor, nn

from viewfinder.datasets import Keep
from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.framing import USUAL, Framing
from viewfinder.pictures.geometry import Size
from viewfinder.tasks.answering import Picture, picture_files, picture_in
from viewfinder.tasks.figures import Score
from viewfinder.tasks.model import Model, ModelConfig, Threshold
from viewfinder.tasks.parts import AnswersT, EvalT, FoundT, RecipeT, ReplyT, ScoresT
from viewfinder.tasks.portable import Arrays, Outputs, Unmarked
from viewfinder.tasks.question import Question
from viewfinder.tasks.views import several


class Answerer(ABC, Generic[RecipeT, EvalT, ReplyT, FoundT, AnswersT, ScoresT]):
    """How a task's nets answer, and how good the answers are.

    Of its types, `EvalT` is examples to be measured on, `ReplyT` what a net says of one prepared
    picture, `FoundT` the same in the picture's own pixels, `AnswersT` what it says of all pictures
    of a split, and `ScoresT` how good that is.

    Attributes:
        compared: figures of `as_json` of which it is known which way is up; recipes are compared
            by the first, unless another is named.
        headline: the figures of `as_json` to give first, as `(name, format)`. Ask
            `headline_for` where there is a recipe.
        any_size: whether its nets take pictures of any size.
        framing: how pictures are brought to a net that is trained here.
        portables: what an exported file may answer.
        unmarked: what an ONNX file of which nothing is stated is taken for, if for this task's.
        finds_boxes: whether its answers are `Detections`, which can be followed and found in tiles.
        has_threshold: whether a score decides what of an answer is shown.
        can_doubt: whether its answers are `parts.Doubtable`.
        answers_sets: whether its answers are `ClassProbabilities`, which can name several classes.
        has_views: whether `reply` heeds `tasks.views.several`.
    """

    compared: ClassVar[tuple[Score, ...]]
    headline: ClassVar[tuple[tuple[str, str], ...]]
    any_size: ClassVar[bool] = True
    framing: ClassVar[Framing] = USUAL
    portables: ClassVar[tuple[Outputs, ...]] = ("raw", "decoded")
    unmarked: ClassVar[Unmarked | None] = None
    finds_boxes: ClassVar[bool] = False
    has_threshold: ClassVar[bool] = False
    can_doubt: ClassVar[bool] = False
    answers_sets: ClassVar[bool] = False
    has_views: ClassVar[bool] = False

    # The model.

    def habits(self, recipe: RecipeT, data: Mapping[str, object]) -> Mapping[str, object]:
        """What of a recipe, and of what a run says of its set, is needed to answer."""
        return {}

    def kept_habits(self, folder: Path, classes: Sequence[str]) -> Mapping[str, object]:
        """What `conclude` left in a run's folder that is needed to answer.

        Raises:
            InputError: it is damaged.
        """
        return {}

    def open_foreign(self, path: Path) -> Model | None:
        """The model that a path names in a way that only this task knows; None of any other path.

        Raises:
            InputError: it cannot be read, or nothing says what it is.
        """
        return None

    # Measuring.

    @abstractmethod
    def open_eval(self, split: Dataset, config: ModelConfig, *, keep: Keep) -> EvalT:
        """Examples to be measured on."""

    @abstractmethod
    def answers(
        self, net: nn.Module, examples: EvalT, config: ModelConfig, device: torch.device
    ) -> AnswersT:
        """What a net answers to every picture of a split, in its order."""

    @abstractmethod
    def score(self, answers: AnswersT, truth: Dataset) -> ScoresT:
        """Answers against truth."""

    def pooled(self, parts: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
        """Scores of several splits without a common picture, as `as_json` gave each, as of one.

        Nothing where the splits' scores do not say it.
        """
        return {}

    def headline_for(self, recipe: RecipeT | None) -> tuple[tuple[str, str], ...]:
        """The headline, what the recipe is after first; None of a model that has no recipe."""
        return self.headline

    # Answering.

    def files(self, folder: Path, config: ModelConfig) -> list[Path]:
        """The files below a folder that this net can be asked about, in a fixed order."""
        return picture_files(folder)

    def together(self, config: ModelConfig) -> int:
        """How many prepared pictures are answered together; on a CPU the maps of more leave the
        caches, and each takes longer. Of several views each, as many as are told of in time."""
        return 4 if several(config) else 16

    def read(self, file: Path, config: ModelConfig) -> tuple[Picture, Size]:
        """A file's picture for `prepare`, perhaps decoded smaller, and the picture's true size.

        Raises:
            InputError: it cannot be read, or is nothing that this net answers.
        """
        return picture_in(file, config)

    @abstractmethod
    def prepare(self, picture: Picture, config: ModelConfig, *, of: Size) -> Picture:
        """A picture as the net is given it, H×W×3 uint8, or float32 in [0, 1]; H×W×1 of depth.

        Args:
            picture: may have been decoded smaller than its true size `of`.
        """

    @abstractmethod
    def reply(
        self, net: nn.Module, pictures: Tensor, config: ModelConfig, device: torch.device
    ) -> list[ReplyT]:
        """An answer for each of N×3×H×W prepared pictures, on its prepared self."""

    @abstractmethod
    def describe(
        self, reply: ReplyT, config: ModelConfig, *, of: Size, threshold: Threshold | None
    ) -> FoundT:
        """An answer in the pixels of the picture it is about.

        Args:
            of: the picture's true size.
            threshold: what a score must exceed to be shown; None is the task's own choice.
        """

    @abstractmethod
    def questions(
        self, reply: ReplyT, config: ModelConfig, *, threshold: Threshold | None
    ) -> list[Question]:
        """What can be asked of an answer, the surest first: why this class, box or subject.

        Args:
            threshold: as of `describe`.
        """

    # Files for other programs.

    @abstractmethod
    def portable(
        self, net: nn.Module, config: ModelConfig, *, raw: bool
    ) -> tuple[nn.Module, tuple[str, ...]]:
        """What an export holds: a module from normalised pictures to tensors, and their names.

        Args:
            raw: give the net's own outputs instead of what they mean.
        """

    @abstractmethod
    def read_portable(
        self, found: Arrays, config: ModelConfig, pictures: int, outputs: Outputs
    ) -> Tensor | tuple[Tensor, ...]:
        """What `portable` gives, from what an ONNX file answered to so many pictures.

        Args:
            outputs: which of `portables` the file gives.

        Raises:
            ValueError: the arrays are not what such a file gives; the words go on from its name.
        """
