"""What a saliency net's report is made from, by type."""

from viewfinder.evaluation.judging import Judgement
from viewfinder.evaluation.material import Material
from viewfinder.tasks.saliency.maps import SubjectMap
from viewfinder.tasks.saliency.recipe import SaliencyRecipe
from viewfinder.tasks.saliency.scores import Scores

SaliencyJudgement = Judgement[list[SubjectMap], Scores]
SaliencyMaterial = Material[SaliencyRecipe, list[SubjectMap], Scores]
