"""What a report is made from, and what the pages of all tasks take from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic

from markupsafe import Markup

from viewfinder.datasets.dataset import Dataset
from viewfinder.datasets.sides import usual_side
from viewfinder.evaluation.advising import Course
from viewfinder.evaluation.fitting import FitVerdict, Measure
from viewfinder.evaluation.foldable import folds_in_words
from viewfinder.evaluation.folded import FoldScores, learnt_and_held
from viewfinder.evaluation.judging import Judgement
from viewfinder.evaluation.kept import kept_in_words
from viewfinder.evaluation.split_scores import SplitScore, pooled
from viewfinder.runs.run import RunFolder
from viewfinder.runs.scores import HELD_OUT
from viewfinder.tasks import find
from viewfinder.tasks.parts import AnswersT, RecipeT, ScoresT

SPLITS_IN_WORDS = {"test": "test", "val": "validation", HELD_OUT: "held-out", "train": "training"}
"""The splits in words, those furthest from training first."""
# The splits that a net has not learnt from.
_HELD_OUT = ("val", "test")
# A training by the clock that ended before this share of its time was ended by something else.
_NEARLY = 0.9


@dataclass(frozen=True, eq=False)
class Material(Generic[RecipeT, AnswersT, ScoresT]):
    """A run, the dataset that it learnt from, and how it answers there.

    Attributes:
        judgements: of the splits `train` and, where there are any, `val`, `test` and, of folds,
            `HELD_OUT`.
        history: a row an epoch; not every row has the columns of what was measured.
        folds: what the folds before this training came to, if there were any.
    """

    run: RunFolder
    recipe: RecipeT
    dataset: Dataset
    judgements: Mapping[str, Judgement[AnswersT, ScoresT]]
    history: Sequence[Mapping[str, float]]
    folds: FoldScores | None = None

    @property
    def split(self) -> str:
        """The split that the report is about: of those judged, the one furthest from training."""
        return next(name for name in SPLITS_IN_WORDS if name in self.judgements)

    @property
    def judged(self) -> Judgement[AnswersT, ScoresT]:
        """The answers on that split."""
        return self.judgements[self.split]

    @property
    def held_out(self) -> Mapping[str, Judgement[AnswersT, ScoresT]]:
        """The splits that tell over-fitting of this run's own net; none of folds."""
        return {name: self.judgements[name] for name in _HELD_OUT if name in self.judgements}

    def compared(
        self,
        train: SplitScore,
        held_out: Mapping[str, SplitScore],
        *,
        objects: int | None = None,
    ) -> tuple[SplitScore, SplitScore | None, str]:
        """The two sides to judge the fit by, and in words what the second is.

        All that was held out together; the folds' where nothing else was.

        Args:
            held_out: the scores of each split of `held_out`.
            objects: how many boxes there are to find, where they are what is judged.
        """
        if not held_out and self.folds and (both := learnt_and_held(self.folds, objects=objects)):
            return *both, "held-out"
        names = [SPLITS_IN_WORDS[name] for name in held_out] or [SPLITS_IN_WORDS["val"]]
        return train, pooled(list(held_out.values())), " and ".join(names)

    @property
    def by_folds(self) -> bool:
        """Whether the fit is judged by the folds' nets, and not by this run's own."""
        return (
            not self.held_out and self.folds is not None and learnt_and_held(self.folds) is not None
        )

    def worded(self, measure: Measure) -> Measure:
        """What the two sides are compared by, in words that say whose figures they are."""
        if len(self.held_out) > 1:
            return replace(measure, words=f"{measure.words} (validation and test together)")
        if not self.by_folds:
            return measure
        mean = "in the mean of the folds, "
        return replace(measure, words=mean + measure.words, alone=mean + measure.alone)

    @property
    def course(self) -> Course:
        """How the training went, for what is advised."""
        recipe, last = self.recipe, self.history[-1] if self.history else {}
        ended = False
        if last and recipe.patience:
            time = 60 * (recipe.minutes or 0.0)
            early = last["seconds"] < _NEARLY * time if time else last["epoch"] < recipe.epochs
            ended = early and recipe.in_steps
        return Course(
            epochs=int(last.get("epoch", 0)),
            patience_ended=ended,
            folds=self.folds["folds"] if self.folds else 0,
            side=usual_side(self.dataset.split("train")),
        )

    @property
    def folds_instead(self) -> tuple[str, ...]:
        """What to try where folds would judge better than what was held out."""
        if self.folds is not None or "folded" in self.run.manifest.data:
            return ()
        return folds_in_words(self.dataset, self.recipe)

    @property
    def pool(self) -> int:
        """How many pictures `--val-share` takes its share of; 0 where it has no effect."""
        if not self.dataset.val_dealt:
            return 0
        return sum(
            len(self.dataset.split(s)) for s in ("train", "val") if self.dataset.has_split(s)
        )

    @property
    def kept(self) -> str:
        """Which epoch's weights the run keeps, and why; empty where it does not say."""
        last = self.history[-1] if self.history else {}
        if not self.recipe.in_steps or "kept_epoch" not in last:
            return ""
        val = self.dataset.split("val") if self.dataset.has_split("val") else None
        kept, epochs = int(last["kept_epoch"]), int(last["epoch"])
        task = find(self.run.manifest.task)
        return kept_in_words(task, val, self.recipe, kept=kept, last=epochs)

    def measured(self, column: str) -> list[tuple[int, float]]:
        """Epoch and value of a column of the history, of those epochs that have one."""
        return [(int(row["epoch"]), row[column]) for row in self.history if column in row]

    def at_the_end(
        self, figure: str, train: SplitScore, held_out: Mapping[str, SplitScore]
    ) -> tuple[SplitScore, SplitScore] | None:
        """The last weights' scores of training and validation pictures, if both were measured and
        other weights are kept.

        Those may be of an early epoch, from before over-fitting showed.

        Args:
            train, held_out: the scores of the weights that are kept, as of `compared`.
        """
        names, val = (f"train_{figure}", f"val_{figure}"), held_out.get("val")
        both = [row for row in self.history if all(name in row for name in names)]
        if val is None or not val.enough or not both:
            return None
        if self.history[-1].get("kept_epoch") == self.history[-1]["epoch"]:
            return None
        learnt, judged = (both[-1][name] for name in names)
        return replace(train, score=learnt), replace(val, score=judged)


AnyMaterial = Material[Any, Any, Any]
"""Material where nothing depends on the task."""


@dataclass(frozen=True)
class Card:
    """A figure to be seen at once: what it is of, and a line of detail."""

    figure: str
    of: str
    detail: str


@dataclass(frozen=True)
class PageMaterial:
    """What a task's template shows: what all have, and what is its own.

    Attributes:
        own: by the names that the template has for it.
        elsewhere: advice that stands elsewhere than with the verdict's.
    """

    cards: Sequence[Card]
    verdict: FitVerdict
    curves: Sequence[Markup]
    own: Mapping[str, object] = field(default_factory=dict)
    elsewhere: Sequence[str] = ()
