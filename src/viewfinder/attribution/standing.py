"""The score that is asked about, of the picture as it is, beside the one that is shown."""

from dataclasses import dataclass

from torch import Tensor

from viewfinder.attribution.asking import ExplainedNet
from viewfinder.tasks.answering import outputs
from viewfinder.tasks.detect.opinion.second import OPINION
from viewfinder.tasks.question import Question, of_box

# Scores that differ by less are the same to a person.
_SAME = 0.005


@dataclass(frozen=True)
class Standing:
    """Where an answer stands before anything is changed.

    Attributes:
        own: the network's score of it, in [0, 1], that maps, tests and changes are of.
        shown: the score that is shown; None where there is none.
        opinion: whether a second opinion judged the class that is shown.
        own_class: of a box with a second opinion, the class that the network itself takes for
            likeliest there, and its score.
    """

    own: float
    shown: float | None = None
    opinion: bool = False
    own_class: tuple[str, float] | None = None

    @property
    def says(self) -> str:
        """The score as it is, and why another is shown, if one is."""
        text = f"as it is: {self.own:.1%}"
        if self.shown is None or abs(self.own - self.shown) < _SAME:
            return text
        text += f", the network's own score, of which all here is; the {self.shown:.0%} shown "
        if not self.opinion:
            return text + "is of the whole answer"
        text += "comes with the second opinion"
        if self.own_class is None:
            return text
        return text + ", the network itself says {} {:.0%}".format(*self.own_class)

    def as_json(self) -> dict[str, object]:
        """`shown, own, own_class`; null where there is none."""
        return {
            "shown": None if self.shown is None else round(self.shown, 6),
            "own": round(self.own, 6),
            "own_class": None if self.own_class is None else self.own_class[0],
        }


def standing_of(asked: ExplainedNet, picture: Tensor, question: Question) -> Standing:
    """Ask once.

    Args:
        picture: 1×3×H×W float32 in [0, 1].
    """
    config = asked.config
    answer = outputs(asked.net, picture, config.normalisation, asked.device)
    own = question.scores(answer).item()
    if question.box is None or OPINION not in config.habits:
        return Standing(own, question.shown)
    scores = [
        of_box(name, label, question.box).scores(answer).item()
        for label, name in enumerate(config.classes)
    ]
    best = max(range(len(scores)), key=scores.__getitem__)
    return Standing(
        own, question.shown, opinion=True, own_class=(config.classes[best], scores[best])
    )
