"""The scores of `evaluate` as a notebook shows them: tables."""

from collections.abc import Mapping, Sequence
from typing import cast

from viewfinder.evaluation.documents import EvaluatedOn
from viewfinder.evaluation.few import too_few_in
from viewfinder.evaluation.material import SPLITS_IN_WORDS
from viewfinder.evaluation.subsets import SubsetFigures
from viewfinder.evaluation.templating import environment_of
from viewfinder.values import as_number, as_table
from viewfinder.wording import counted, figure_name, some


class ShownScores(dict[str, object]):
    """What `evaluate` answers, a dictionary that a notebook shows as tables.

    Attributes:
        figures: the task's headline, pairs of a key and how its value is written.
    """

    def __init__(self, scores: Mapping[str, object], figures: Sequence[tuple[str, str]]) -> None:
        super().__init__(scores)
        self.figures = tuple(figures)

    def _repr_html_(self) -> str:
        template = environment_of("viewfinder.evaluation").get_template("scores.html.jinja")
        judged = cast(EvaluatedOn, self)
        per_class = as_table(self.get("per_class", {}))
        rows = {name: as_table(row) for name, row in per_class.items()}
        split = str(self["split"])
        return template.render(
            split=SPLITS_IN_WORDS.get(split, split.replace("_", " ")),
            images=self["images"],
            few=too_few_in(self),
            figures=[
                (figure_name(name), _written(self[name], form)) for name, form in self.figures
            ],
            headings=[figure_name(name) for name in next(iter(rows.values()), ())],
            rows={name: [_written(value) for value in row.values()] for name, row in rows.items()},
            weak=weak_in_words(judged["subsets"]),
            learnt=learnt_in_words(judged),
        )


def _written(value: object, form: str = ".3f") -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{as_number(value):{form}}"


def weak_in_words(parts: Sequence[SubsetFigures]) -> list[str]:
    """Which thirds of the pictures are answered worse than the rest, the worst first; or that none
    is, where there are thirds."""
    weak = sorted((p for p in parts if p["weak"]), key=lambda p: p["figure"] - p["others"])
    if parts and not weak:
        traits = ", ".join(dict.fromkeys(part["trait"] for part in parts))
        return [f"no third by {traits} is answered worse than the rest by more than chance"]
    return [_weak(part) for part in weak]


def _weak(part: SubsetFigures) -> str:
    pictures = counted(part["pictures"], "picture")
    of = pictures if part["objects"] is None else f"{part['objects']:,} objects in {pictures}"
    which = (
        f"weak: {part['trait']} {part['part']}, {part['least']:.3g} to {part['most']:.3g} "
        f"{part['unit']}"
    ).rstrip()
    return f"{which}: {part['of']} {part['figure']:.3f} of {of}, {part['others']:.3f} elsewhere"


def learnt_in_words(judged: EvaluatedOn) -> str:
    """That some of the pictures were learnt from; or nothing."""
    if not (learnt := judged["learnt"]):
        return ""
    images = counted(judged["images"], "picture")
    return (
        f"note: {len(learnt):,} of the {images} are among those that the run was trained on or "
        f"chosen by, and its scores on them flatter it: {some(learnt)}"
    )
