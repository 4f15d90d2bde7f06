"""What a detector's report is made from, by type."""

from viewfinder.evaluation.judging import Judgement
from viewfinder.evaluation.material import Material
from viewfinder.tasks.detect.detections import Detections
from viewfinder.tasks.detect.measures.scores import DetectScores
from viewfinder.tasks.detect.recipe import DetectRecipe

DetectJudgement = Judgement[list[Detections], DetectScores]
DetectMaterial = Material[DetectRecipe, list[Detections], DetectScores]
