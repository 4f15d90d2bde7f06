"""What a net is shown: the first step's pictures as augmentation made them, for the report."""

import numpy as np
from numpy.typing import NDArray

from viewfinder.tasks import find
from viewfinder.training.batches import Share, batches, deal
from viewfinder.training.job import Job

_MOST = 8


def first_step(job: Job) -> list[tuple[NDArray[np.uint8], str]]:
    """Pictures of the training's first step with what is learnt of them, and that in words."""
    task, train, setup = find(job.run.manifest.task), job.splits.train, job.run.setup()
    made = batches(
        task,
        train,
        setup,
        deal(task, train, setup.recipe, epoch=0),
        epoch=0,
        steps=range(1),
        share=Share(),
        progress_at=lambda step: 0.0,
    )
    return task.as_learnt(next(iter(made)).inputs, setup, _MOST)
