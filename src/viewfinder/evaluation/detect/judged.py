"""What a detector's report is made from, by type."""

from viewfinder.evaluation.judging import Judgement
from viewfinder.evaluation.material import Material
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.detect.scores import Scores

DetectJudgement = Judgement[list[Detections], Scores]
DetectMaterial = Material[DetectRecipe, list[Detections], Scores]
