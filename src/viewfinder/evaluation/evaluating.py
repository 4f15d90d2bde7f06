"""What `viewfinder evaluate` does: opens a set, takes a split, and says how it is answered."""

from pathlib import Path
from typing import cast

import torch

from viewfinder.datasets.measuring import sized_objects
from viewfinder.datasets.opening import open_dataset
from viewfinder.evaluation.calibration import calibration
from viewfinder.evaluation.classify.sets import sets_held
from viewfinder.evaluation.documents import Evaluation
from viewfinder.evaluation.judging import gain_by_views, seen_in_training, trained_on
from viewfinder.evaluation.showing import ShownScores
from viewfinder.evaluation.unseen import judge_split
from viewfinder.evaluation.weaknesses import weaknesses
from viewfinder.events import note
from viewfinder.inference.larger import tell_of_larger
from viewfinder.inference.thresholds import note_least
from viewfinder.runs.run import RunFolder
from viewfinder.runs.scores import HELD_OUT
from viewfinder.tasks import find
from viewfinder.tasks.classify.coverage import TRUE_SHARES, TrueShares
from viewfinder.tasks.detect.measures.matching import beyond_counted
from viewfinder.tasks.detect.opinion.second import OPINION
from viewfinder.tasks.model import Model
from viewfinder.tasks.views import with_views


def evaluate(
    model: Model,
    run: RunFolder | None,
    data: str | Path,
    split: str | None,
    *,
    device: torch.device,
    several: bool = False,
    whole: bool = False,
) -> Evaluation:
    """A model's scores on one split of a set, under their public names; see `api.Run.evaluate`.

    Args:
        run: whose the model is, however it is asked now, if it is of one.
        several: judge it by several views of each picture, and say what that gains and costs.
        whole: that pictures are not answered in tiles was asked for.

    Raises:
        InputError: data that cannot be read, lacks that split, or has classes unknown to the model.
    """
    views = with_views(model) if several else None
    note_least(model, 0)
    recipe = run.manifest.recipe if run else None
    # Of folds no split was dealt as one is now.
    own = run is not None and trained_on(run, data) and "folded" not in run.manifest.data
    dataset = open_dataset(data, val_share=recipe.val_share if recipe else None, deal=own)
    chosen, judgement = judge_split(model, run, dataset, split, device=device)
    if views is not None:
        once = judgement
        _, judgement = judge_split(views, run, dataset, split, device=device)
        note(gain_by_views(model.config.task, once, judgement))
    if not whole:
        tell_of_larger(model, run, lambda: sized_objects(judgement.examples))
    truth = judgement.examples.boxes
    if truth is not None and (said := beyond_counted(truth)):
        note(said)
    learnt = seen_in_training(run, judgement.examples) if run and chosen != HELD_OUT else []
    parts = [each.as_json() for each in weaknesses(model.config.task, judgement)]
    believed = calibration(model.config.task, judgement)
    document = {
        "split": chosen,
        "learnt": learnt,
        "subsets": parts,
        "calibration": believed.as_json() if believed else None,
        "speed": {
            "milliseconds": judgement.milliseconds,
            "pictures_per_s": len(judgement.examples) / max(judgement.seconds, 1e-9),
        },
        **judgement.as_json(),
    }
    shares = model.config.habits.get(TRUE_SHARES)
    if isinstance(shares, TrueShares):
        # Of the run's own pictures, test alone chose nothing and made no sets.
        others = not own or chosen == "test"
        document["coverage"] = sets_held(shares, judgement) if others else None
    if find(model.config.task).finds_boxes:
        document["second_opinion"] = OPINION in model.config.habits
    figures = find(model.config.task).headline_for(recipe)
    return cast(Evaluation, ShownScores(document, figures))
