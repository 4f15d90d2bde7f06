"""What a saliency network claims: nothing of a picture as a whole, as its map is the answer."""

from viewfinder.evaluation.judging import AnyJudgement


def claims(judgement: AnyJudgement) -> None:
    """None: how well the map's values meet the mask is what its scores say."""
    return
