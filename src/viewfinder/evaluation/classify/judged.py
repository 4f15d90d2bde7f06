"""What a classifier's report is made from, by type: its answers are N×C probabilities."""

import numpy as np
from numpy.typing import NDArray

from viewfinder.evaluation.judging import Judgement
from viewfinder.evaluation.material import Material
from viewfinder.tasks.classify.recipe import ClassifyRecipe
from viewfinder.tasks.classify.scores import ClassifyScores

ClassifyJudgement = Judgement[NDArray[np.float32], ClassifyScores]
ClassifyMaterial = Material[ClassifyRecipe, NDArray[np.float32], ClassifyScores]
