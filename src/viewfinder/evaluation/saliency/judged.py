"""What a saliency net's report is made from, by type."""

from viewfinder.evaluation.judging import Judgement
from viewfinder.evaluation.material import Material
from viewfinder.tasks.saliency.maps import SubjectMap
from viewfinder.tasks.saliency.recipe import SaliencyRecipe
from viewfinder.tasks.saliency.scores import SaliencyScores

SaliencyJudgement = Judgement[list[SubjectMap], SaliencyScores]
SaliencyMaterial = Material[SaliencyRecipe, list[SubjectMap], SaliencyScores]
