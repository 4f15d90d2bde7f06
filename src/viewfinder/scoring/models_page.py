"""The page and the JSON of `compare`: those of `score`, with what the models are and cost."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from viewfinder.scoring.contest import ComparedPicture, Contest, Metric
from viewfinder.scoring.models_compared import ModelsCompared
from viewfinder.scoring.page import PageExtras, write_comparison
from viewfinder.scoring.side_by_side import Agreement

# Pictures of each kind that are shown of the first pair, and of each other one.
_SHOWN, _SHOWN_LATER = 4, 2


@dataclass(frozen=True)
class _Group:
    title: str
    count: int
    rows: tuple[ComparedPicture, ...]


@dataclass(frozen=True)
class _Pair:
    one: str
    other: str
    says: str
    groups: tuple[_Group, ...]


def write_models(
    out: Path, compared: ModelsCompared, *, command: str, metrics: Sequence[Metric] = ()
) -> Path:
    """Write the folder that `score --out` writes, with what is known of the models first.

    Returns:
        The page, `report.html`.

    Raises:
        InputError: the folder cannot be written.
    """
    contest = compared.scored.contest
    pairs = [
        _pair(contest, each, _SHOWN if k == 0 else _SHOWN_LATER)
        for k, each in enumerate(compared.agreements)
    ]
    shown = {"models": compared, "agreements": pairs}
    more = PageExtras(models_document(compared), "models.html.jinja", shown)
    return write_comparison(out, compared.found, command=command, metrics=metrics, more=more)


def models_document(compared: ModelsCompared) -> dict[str, object]:
    """What stands in JSON beside the scores."""
    return {
        "schema": "viewfinder.compare/1",
        "task": compared.task,
        "split": compared.split,
        "models": [
            {
                "name": name,
                "source": str(own.source),
                "net": own.net,
                "size": list(own.size),
                "parameters": own.parameters,
                "megabytes": own.megabytes,
                "device": own.device,
                **asdict(own.speed),
            }
            for name, own in compared.facts.items()
        ],
        "differences": {key: dict(row) for key, row in compared.apart.items()},
        "agreements": [asdict(each) for each in compared.agreements],
        "notes": list(compared.notes),
    }


def says(contest: Contest, each: Agreement) -> str:
    """What two models' answers have in common, in a sentence."""
    better, worse = len(each.one_better), len(each.other_better)
    if not contest.judged_by:
        return (
            f"both right {len(each.both):,}, only {each.one} {better:,}, only {each.other} "
            f"{worse:,}, neither {len(each.neither):,}"
        )
    good = f"{contest.right_from:g}{' or more' if contest.right_from < 1 else ''}"
    return (
        f"by {contest.judged_by}: both at {good} on {len(each.both):,}; of the others {each.one} "
        f"is better on {better:,}, {each.other} on {worse:,}, neither on {len(each.neither):,}"
    )


def _pair(contest: Contest, each: Agreement, count: int) -> _Pair:
    right = not contest.judged_by

    def group(title: str, pictures: Sequence[str]) -> _Group:
        # What is right or wrong has no order but that of the files, where one class lies together.
        step = max(1, len(pictures) // count) if right else 1
        rows = [
            contest.row(picture, (each.one, each.other)) for picture in pictures[::step][:count]
        ]
        return _Group(title, len(pictures), tuple(rows))

    return _Pair(
        each.one,
        each.other,
        f"{says(contest, each)}. {'' if right else contest.differing}".strip(),
        (
            group("Both right" if right else "Both good", each.both),
            group(f"{each.one} {'right, the other wrong' if right else 'better'}", each.one_better),
            group(
                f"{each.other} {'right, the other wrong' if right else 'better'}", each.other_better
            ),
            group("Neither" if right else "Neither better", each.neither),
        ),
    )
