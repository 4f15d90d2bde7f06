"""What programs use: a run that can be asked to evaluate and predict, and a function to make one.

run = viewfinder.train("classify", "photos", net="resnet18", epochs=30)
run.predict("new.jpg")
viewfinder.open_run("runs/photos-resnet18").evaluate("more-photos")
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from viewfinder.devices import pick_device
from viewfinder.evaluation.judging import (
    default_side,
    judge_examples,
    seen_in_training,
    trained_on,
)
from viewfinder.inference.opening import open_any
from viewfinder.inference.predict import predict
from viewfinder.inference.showing import Predictions
from viewfinder.inference.thresholds import Wanted, tell_least, threshold_of
from viewfinder.runs.run import Run as Folder
from viewfinder.tasks import recipe_of

Resize = Literal["own", "area"]


class Run(Folder):
    """A training's folder, with what can be asked of the net in it."""

    def evaluate(
        self,
        data: str | Path,
        *,
        split: str | None = None,
        device: str = "auto",
        resize: Resize = "own",
    ) -> dict[str, Any]:
        """Scores on one side of a dataset, under their public names, with `images` and `seconds`.

        Args:
            split: `train`, `val`, `test` or `all`. Without it, of the run's own set the side kept
                furthest from training; of another that side which its files or folders call test,
                or else val; and all of a set that has no such sides.
            resize: as of `predict`.

        Returns:
            The scores, with `split`, `images`, `seconds`, and `learnt`: those of the pictures that
            the run was trained on or chosen by, byte for byte.

        Raises:
            InputError: data that cannot be read, lacks that side, or has classes unknown to the
                run.
        """
        from viewfinder.datasets.opening import open_dataset

        tell_least(self, 0)
        # Of folds no side was dealt as one is now.
        own = trained_on(self, data) and "folded" not in self.manifest.data
        dataset = open_dataset(data, val_share=self.manifest.recipe.val_share, deal=own)
        side = split or default_side(dataset)
        run = _resizing(self, resize)
        examples = dataset if side == "all" else dataset.split(side)
        judgement = judge_examples(run, examples, device=pick_device(device))
        learnt = seen_in_training(self, examples)
        return {"split": side, "learnt": learnt, **judgement.as_json()}

    def predict(
        self,
        source: str | Path,
        *,
        device: str = "auto",
        threshold: Wanted = None,
        resize: Resize = "own",
    ) -> Predictions:
        """Answers for a picture, a folder of pictures, a video, or `-`: paths on standard input.

        They are a list, of which a notebook shows the pictures.

        Args:
            threshold: the least score that is answered; of a detector also `best`, each class's
                own, of best F1 on the run's validation pictures. None leaves it to the task.
            resize: how pictures are made smaller: `own`, as the net learnt it, which of Darknet's
                weights is Darknet's way; or `area`, averaged over area.
        """
        run = _resizing(self, resize)
        least = threshold_of(self, threshold)
        answers = predict(run, source, device=pick_device(device), threshold=least)
        return Predictions(answers, classes=self.manifest.classes, bits=self.manifest.bits)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from viewfinder.evaluation.run_in_notebook import run_html

        return run_html(self)


def _resizing(run: Run, resize: Resize) -> Run:
    if resize == "own":
        return run
    return replace(run, framing=replace(run.framing, resizing="area"))


def open_run(path: str | Path) -> Run:
    """What answers: the run in a folder, a Darknet `.weights` file, or an ONNX file.

    Raises:
        InputError: there is none.
    """
    return Run(**vars(open_any(path)))


def train(
    task: str,
    data: str | Path,
    *,
    out: str | Path,
    resume: bool = False,
    folds: int | None = None,
    **fields: Any,
) -> Run:
    """Train a network; `fields` are those of the task's recipe, the flags of
    `viewfinder train TASK`.

    Args:
        folds: judge the recipe by so many folds first, then train on everything.

    Raises:
        InputError: an unknown field, or anything in the data or the recipe that cannot be used.
    """
    from viewfinder.training.folds import train_in_folds
    from viewfinder.training.train import train as train_run

    recipe = recipe_of(task).from_json(fields)
    if folds is None:
        run = train_run(task, data, recipe, out=out, resume=resume)
    else:
        run = train_in_folds(task, data, recipe, folds=folds, out=out, resume=resume)
    return Run(run.folder, run.manifest)
