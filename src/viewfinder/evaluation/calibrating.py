"""Scores fitted to what they turned out to be worth, on pictures that were not learnt from.

A map of scores is kept only if it helps pictures that it was not fitted on: of five parts of the
pictures each is judged by what the other four say. The same parts give the figure of how far the
scores can be believed afterwards, which would flatter a map on the pictures that it was fitted on.
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from viewfinder.evaluation.calibration import Calibration, calibrate
from viewfinder.evaluation.claimed import Claims
from viewfinder.evaluation.judging import AnyJudgement
from viewfinder.events import note
from viewfinder.files import write_bytes
from viewfinder.reading import refuse_special
from viewfinder.runs.run import RunFolder
from viewfinder.runs.scores import HELD_OUT as HELD_OUT_SIDE
from viewfinder.tasks.calibration import write_calibration
from viewfinder.wording import counted

HELD_OUT = "held-out.safetensors"
"""What a fold's run said of the pictures that it judges, for the run on everything."""

_PARTS = 5

Rows = NDArray[np.int64]


class ScoreMap(Protocol):
    """A map of scores that keeps their order."""

    def as_json(self) -> dict[str, object]:
        """What `calibration.json` has of it."""
        ...


class Evidence(Protocol):
    """Answers to held-out pictures, and what was right; `evaluation/TASK/calibrating.py` has each.

    Attributes:
        groups: of each answer, the number of the picture that it is of.
    """

    @property
    def groups(self) -> Rows: ...

    def lacks(self) -> str:
        """What there is too little of to fit a map, in words with the number that would do."""
        ...

    def take(self, rows: Rows) -> Self: ...

    def joined(self, others: Sequence[Self]) -> Self:
        """These and those of other pictures."""
        ...

    def fit(self) -> ScoreMap: ...

    def mapped(self, by: ScoreMap) -> Self:
        """The same answers with mapped scores."""
        ...

    def surprises(self) -> NDArray[np.float64]:
        """Of each answer, the negative logarithm of the probability of what was right, in nats."""
        ...

    def claims(self) -> Claims:
        """What is shown of them."""
        ...

    def kept(self) -> dict[str, object]:
        """What `calibration.json` has beside the map."""
        ...

    def as_arrays(self) -> dict[str, NDArray[np.generic]]: ...


@dataclass(frozen=True, eq=False)
class Fitted:
    """What became of a map of scores.

    Attributes:
        map: None where the scores are left alone.
        before, after: how far scores can be believed, the net's own and mapped by what other
            pictures say; None of fewer than 30.
        claims: of what is answered in the end, mapped by what other pictures say.
        of: which pictures it was fitted on, in words.
    """

    map: ScoreMap | None
    says: str
    claims: Claims
    before: Calibration | None = None
    after: Calibration | None = None
    of: str = ""
    kept: dict[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Its figures for `scores.json`."""
        return {
            "kept": self.map is not None,
            "fitted_on": self.of,
            "before": self.before.as_json() if self.before else None,
            "after": self.after.as_json() if self.after else None,
            "says": self.says,
        }

    def document(self) -> dict[str, object]:
        """What `calibration.json` says."""
        kept_map = None if self.map is None else self.map.as_json()
        return {"map": kept_map, "says": self.says, "fitted_on": self.of, **self.kept}


class Family(Protocol):
    """What a task's `calibrating.py` has."""

    def evidence(self, judgement: AnyJudgement) -> Evidence | None: ...

    def from_arrays(self, arrays: dict[str, NDArray[np.generic]]) -> Evidence: ...

    def recalibrated(self, judgement: AnyJudgement, by: ScoreMap) -> AnyJudgement: ...


def family_of(task: str) -> Family:
    """How the scores of a task are fitted."""
    found: Family = importlib.import_module(f"viewfinder.evaluation.{task}.calibrating")
    return found


def fit(evidence: Evidence, of: str) -> Fitted:
    """Fit a map of scores, and keep it if it helps pictures that it was not fitted on.

    Args:
        of: which pictures these are, in words.
    """
    before, kept = _believed(evidence.claims()), evidence.kept()
    if lacks := evidence.lacks():
        says = f"scores are left as the network gives them: {lacks}"
        return Fitted(None, says, evidence.claims(), before, before, of, kept)
    mapped, helped = cross_fitted(evidence)
    after = _believed(mapped.claims())
    if not helped:
        says = (
            f"scores are left as the network gives them: {of} show none that would be better by "
            "more than chance"
        )
        return Fitted(None, says, evidence.claims(), before, before, of, kept)
    if before and after and after.ece > before.ece:
        says = (
            f"scores are left as the network gives them: calibrated on {of}, they would be further "
            f"from how often they are right, by {after.ece:.3f} where it is {before.ece:.3f} now"
        )
        return Fitted(None, says, evidence.claims(), before, before, of, kept)
    both = ""
    if before and after:
        both = f": calibration error {before.ece:.3f} before, {after.ece:.3f} after"
    says = f"scores are calibrated on {of}{both}"
    found, claims = evidence.fit(), replace(mapped.claims(), fitted=of)
    return Fitted(found, says, claims, before, after, of, evidence.mapped(found).kept())


def _believed(claims: Claims) -> Calibration | None:
    return calibrate(claims) if claims.enough else None


def cross_fitted(evidence: Evidence) -> tuple[Evidence, bool]:
    """Each answer mapped by what the pictures of other parts say; and whether that helps.

    It does where surprise falls, picture by picture, by more than its standard error.
    """
    pictures, numbers = np.unique(evidence.groups, return_inverse=True)
    part_of = np.random.default_rng(0).permutation(len(pictures))[numbers] % _PARTS
    rows, parts = [], []
    for part in range(_PARTS):
        own = np.flatnonzero(part_of == part)
        others = evidence.take(np.flatnonzero(part_of != part))
        rows.append(own)
        parts.append(evidence.take(own).mapped(others.fit()))
    order = np.argsort(np.concatenate(rows), kind="stable")
    mapped = parts[0].joined(parts[1:]).take(order)
    gained = evidence.surprises() - mapped.surprises()
    by_picture = np.bincount(numbers, weights=gained)
    error = by_picture.std(ddof=1) / np.sqrt(len(pictures))
    return mapped, bool(by_picture.mean() > error)


def keep_evidence(folder: Path, evidence: Evidence) -> None:
    """Keep what a fold's run said of the pictures that it judges."""
    arrays = {name: np.ascontiguousarray(of) for name, of in evidence.as_arrays().items()}
    write_bytes(folder / HELD_OUT, safetensors.numpy.save(arrays))


def pooled_evidence(task: str, folders: Sequence[Path]) -> Evidence | None:
    """What the runs of all folds said of the pictures that each judges; None if one is missing."""
    parts, pictures = [], 0
    for folder in folders:
        file = folder / HELD_OUT
        try:
            refuse_special(file)
            arrays = dict(safetensors.numpy.load_file(file))
            if "groups" in arrays:  # each fold counts its pictures from 0
                arrays["groups"] = arrays["groups"] + pictures
                pictures = int(arrays["groups"].max(initial=pictures - 1)) + 1
            parts.append(family_of(task).from_arrays(arrays))
        except (OSError, SafetensorError, KeyError, ValueError):
            return None  # of an earlier version, or damaged: there is as good as none
    return parts[0].joined(parts[1:]) if parts else None


def calibrated(
    run: RunFolder, judgements: Mapping[str, AnyJudgement], folds: Sequence[Path]
) -> tuple[dict[str, AnyJudgement], dict[str, object] | None]:
    """Fit a run's scores by its validation pictures, and keep what that comes to in its folder.

    Args:
        judgements: by split, of the net's own scores.
        folds: the folders of the runs that judged the recipe, where there was no validation.

    Returns:
        The judgements with the scores that the run gives from now on, and the figures of the fit
        for `scores.json`; None where there was nothing to fit by.
    """
    task, pictures = run.manifest.task, "the folds' test pictures"
    evidence = None
    if "val" in judgements:
        evidence = family_of(task).evidence(judgements["val"])
        pictures = counted(len(judgements["val"].examples), "validation picture")
    elif folds:
        evidence = pooled_evidence(task, folds)
    if evidence is None:
        return dict(judgements), None
    found = fit(evidence, pictures)
    note(found.says)
    write_calibration(run.folder, found.document())
    made = dict(judgements)
    if found.map is not None:
        family = family_of(task)
        made = {split: family.recalibrated(each, found.map) for split, each in made.items()}
        fitted_on = "val" if "val" in made else HELD_OUT_SIDE
        if fitted_on in made:
            made[fitted_on] = replace(made[fitted_on], claimed=found.claims)
    return made, found.as_json()
