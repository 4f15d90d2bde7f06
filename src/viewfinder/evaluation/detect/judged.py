"""What a detector's report is made from, by type."""

from viewfinder.evaluation.judging import Judgement
from viewfinder.evaluation.material import Material
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.recipe import DetectRecipe
from viewfinder.tasks.detect.scores import DetectScores

DetectJudgement = Judgement[list[Detections], DetectScores]
DetectMaterial = Material[DetectRecipe, list[Detections], DetectScores]
