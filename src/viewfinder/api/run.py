"""A run, or another model that answers, as programs ask it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

from torch import nn

from viewfinder.devices import pick_device
from viewfinder.errors import InputError
from viewfinder.evaluation.documents import Evaluation
from viewfinder.evaluation.evaluating import evaluate
from viewfinder.events import FitJudged
from viewfinder.inference.asking import Asking, as_asked
from viewfinder.inference.caution import caution_of
from viewfinder.inference.drawing import draw_answers
from viewfinder.inference.larger import sized_answers, tell_of_larger
from viewfinder.inference.learnt.unlike import familiarity_of
from viewfinder.inference.predict import predict
from viewfinder.inference.showing import Predictions
from viewfinder.inference.thresholds import Wanted, threshold_of
from viewfinder.inference.tracking.asking import Followed, track
from viewfinder.runs import run as runs
from viewfinder.tasks.manifest import Manifest
from viewfinder.tasks.model import Model
from viewfinder.wording import counted, some


@dataclass(frozen=True)
class Run:
    """A model that can be asked, and the run that trained it.

    Attributes:
        trained: the folder that a training wrote; None of what another program wrote.
        judged: the verdict on the training that was just made, and what to try next; else None.
    """

    model: Model
    trained: runs.RunFolder | None = None
    judged: FitJudged | None = field(default=None, compare=False)

    @property
    def folder(self) -> Path:
        """What was opened: the run's folder, or another program's file."""
        return self.model.source

    @property
    def weights_file(self) -> Path:
        """What holds the weights."""
        return self.model.weights.file

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of its classes, in the order of its outputs."""
        return self.model.config.classes

    @property
    def manifest(self) -> Manifest:
        """What `run.json` says.

        Raises:
            InputError: there is none, as no training of Viewfinder's wrote this.
        """
        return self._of_training().manifest

    @property
    def scores_file(self) -> Path:
        """Where its training wrote the scores; raises InputError as `manifest`."""
        return self._of_training().scores_file

    @property
    def report_file(self) -> Path:
        """Where its training wrote the report; raises InputError as `manifest`."""
        return self._of_training().report_file

    def net(self) -> nn.Module:
        """The network with its best weights, in evaluation mode.

        Raises:
            InputError: no weights yet, or weights that are not this network's.
        """
        return self.model.load()

    def history(self) -> list[dict[str, float]]:
        """A row for each epoch of the training; empty before the first one's end.

        Raises:
            InputError: no training of Viewfinder's wrote this, or its history is damaged.
        """
        return self._of_training().history()

    def evaluate(
        self,
        data: str | Path,
        *,
        split: str | None = None,
        device: str = "auto",
        **asking: Unpack[Asking],
    ) -> Evaluation:
        """Scores on one split of a dataset, under their public names, with `images` and `seconds`.

        Args:
            split: `train`, `val`, `test` or `all`. Without it, of the run's own set the split kept
                furthest from training; of another that split which its files or folders call test,
                or else val; and all of a set that has no such splits. Of what a run with folds
                learnt from, `held_out`: each picture by that fold's net which had not seen it.
            asking: how the model is asked: `resize`, `scores`, `tta`, `tiles`, `overlap`
                (`inference/asking.py`); of `tta` a note says what it gains and costs.

        Returns:
            The scores, with `split`, `images`, `seconds`; `learnt`: those of the pictures that the
            run was trained on or chosen by, byte for byte; `subsets`: how well thirds of them are
            answered, by what they are like, and which are weak by more than chance;
            `calibration`: of what is called so sure, how much is right; and `speed`: milliseconds
            from one picture in memory to its answer, and pictures a second in all.

        Raises:
            InputError: data that cannot be read, lacks that split, or has classes unknown to the
                run.
        """
        model = as_asked(self.model, **(asking | {"tta": False}))
        several = asking.get("tta", False)
        return evaluate(
            model,
            self.trained,
            data,
            split,
            device=pick_device(device),
            several=several,
            whole=asking.get("tiles") == "none",
        )

    def predict(
        self,
        source: str | Path | Sequence[str | Path],
        *,
        device: str = "auto",
        threshold: Wanted = None,
        refuse_below: float | None = None,
        coverage: float | None = None,
        refuse_unlike: float | None = None,
        out: str | Path | None = None,
        **asking: Unpack[Asking],
    ) -> Predictions:
        """Answers for a picture, a folder of pictures, a video, several of these, or `-`: paths on
        standard input.

        They are a list, of which a notebook shows the pictures: for each picture, or frame,
        `source, width, height`, `frame` in a video, and what the run's task answers: for classify
        `label, scores`, scores by class name that add up to 1; for detect `boxes`, each with
        `class, score, x1, y1, x2, y2` in the picture's pixels; for saliency `mask`, the subject's
        `box, share, mean` at a `threshold`. The same as arrays is the list's `answers`.

        Args:
            threshold: the least score that is answered; of a detector also scores by class, or
                `best`, each class's own, of best F1 on the run's validation pictures, or on those
                that its folds held out. None leaves it to the task.
            refuse_below: what scores less is answered `unknown`: a picture's class, or that of a
                box.
            coverage: of a classifier: answer with a `set` of classes too, which holds the true one
                of this share of such pictures as were held out when it was trained.
            refuse_unlike: a share of such pictures as were held out: what lies farther from what
                was learnt than all but these is said to be `unlike`, with its `distance` in
                limits, and of no known class.
            out: a new folder for copies of the pictures, or the video, with their answers drawn on
                them, while the next are made; of subjects, for their maps.
            asking: how the model is asked, as of `evaluate`.

        Raises:
            InputError: no such file, no pictures, or none that can be read.
        """
        model = as_asked(self.model, **asking)
        least = threshold_of(model, threshold, self.trained)
        unlike = refuse_unlike is not None
        caution = caution_of(model, refuse_below, coverage, refuse_unlike=unlike)
        on = pick_device(device)
        familiar = familiarity_of(self.trained, model, refuse_unlike, device=on)
        answers = predict(model, source, device=on, threshold=least, familiar=familiar)
        classes, bits = model.config.classes, model.config.bits
        if caution is not None:
            answers, classes = caution.of(answers, model), caution.classes(model)
        if out is not None:
            answers = iter(draw_answers(answers, Path(out), classes=classes, bits=bits))
        found = Predictions(answers, classes=classes, bits=bits)
        if asking.get("tiles") is None:
            tell_of_larger(model, self.trained, lambda: sized_answers(found.answers))
        return found

    def track(
        self,
        source: str | Path,
        *,
        device: str = "auto",
        threshold: Wanted = None,
        lines: Sequence[str] = (),
        zones: Sequence[str] = (),
        **asking: Unpack[Asking],
    ) -> Followed:
        """A detector's objects followed through a video, or a folder of frames, and counted.

        Args:
            threshold: what an object must score to be followed anew; as of `predict`.
            lines: each `x1,y1,x2,y2` in pixels; `in` is to the right-hand side of who walks from
                the first point to the second.
            zones: each two corners of a rectangle, or the corners of a polygon, in pixels.
            asking: how the model is asked, as of `evaluate`.

        Returns:
            `answers`, whose boxes have numbers, and `counts` of each video.

        Raises:
            InputError: no detector, no such file, or a line or zone that cannot be.
        """
        model = as_asked(self.model, **asking)
        least = threshold_of(model, threshold, self.trained)
        followed = track(
            model,
            source,
            device=pick_device(device),
            threshold=least,
            lines=lines,
            zones=zones,
        )
        if asking.get("tiles") is None:
            tell_of_larger(model, self.trained, lambda: sized_answers(followed.answers))
        return followed

    def __str__(self) -> str:
        """One line: where it lies, its task, its net and its classes."""
        config = self.model.config
        said = f"{self.folder}: {config.task}, {config.net}"
        if not config.classes:
            return said
        return f"{said}, {counted(len(config.classes), 'class')} ({some(config.classes)})"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from viewfinder.evaluation.run_in_notebook import run_html

        if self.judged is None:
            return run_html(self.model, self.trained)
        says, tries = self.judged.says, self.judged.tries
        return run_html(self.model, self.trained, says=says, tries=tries)

    def _of_training(self) -> runs.RunFolder:
        if self.trained is None:
            raise InputError(
                f"{self.folder} is no run that Viewfinder trained: nothing is known of its training"
            )
        return self.trained
