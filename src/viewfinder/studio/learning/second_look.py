"""What was learnt looks a second time at each object that it found, by all labels there are now."""

from pathlib import Path

import numpy as np
import torch

from viewfinder.datasets.opening import open_dataset
from viewfinder.errors import InputError
from viewfinder.tasks import find
from viewfinder.tasks.detect.opinion.forming import opinion_unjudged
from viewfinder.tasks.detect.opinion.second import OPINION
from viewfinder.tasks.detect.task import Detect
from viewfinder.tasks.detect.tiling.tiles import tiles_of
from viewfinder.tasks.model import Model, with_habit

# Of the opinion beside the detector. Few labels hold none out to fit it by.
_WEIGHT = 0.6


def with_second_look(model: Model, data: Path, device: torch.device) -> Model:
    """The same model, with a second opinion on classes that is learnt from the labels of `data`.

    It is the model itself where it sees pictures in tiles, has an opinion that was judged, or does
    not know all classes, and where there are no boxes of several classes.
    """
    task = find(model.config.task)
    if not isinstance(task, Detect) or tiles_of(model.config) or OPINION in model.config.habits:
        return model
    try:
        labelled = open_dataset(data, deal=False)
        if labelled.boxes is None:
            return model
        marked = labelled.select(np.flatnonzero(np.diff(labelled.boxes.offsets)))
        framed = task.framed(marked, model.config)
    except InputError:  # a class came since, or a picture cannot be read any more
        return model
    opinion = opinion_unjudged(framed, model.config.classes, device, weight=_WEIGHT)
    return model if opinion is None else with_habit(model, OPINION, opinion)
