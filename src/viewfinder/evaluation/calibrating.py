"""Scores fitted to what they turned out to be worth, on pictures that were not learnt from.

A map of scores is kept only if it helps pictures that it was not fitted on, by more than chance: a
half of them as the other half says, in several ways to halve them, and test pictures, where the set
has any. Of five parts, each as the other four say, is the figure of how far scores can be believed
afterwards, which would flatter a map on the pictures that it was fitted on.
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

_PARTS, _HALVINGS = 5, 5
_LEFT = "scores are left as the network gives them"

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]


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
        """Of each answer, the negative logarithm of how likely its score called it that it is
        right, or wrong, whichever it is."""
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
            pictures say; of the test pictures alone where these judged and hold enough answers, of
            both where they hold fewer; None of fewer than 30.
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


def fit(evidence: Evidence, of: str, test: Evidence | None = None) -> Fitted:
    """Fit a map of scores, and keep it if it helps pictures that it was not fitted on.

    Args:
        of: which pictures these are, in words.
        test: answers to test pictures, which judge the map too, but fit nothing.
    """
    kept, claims = evidence.kept(), evidence.claims()
    before = _believed(claims)
    if lacks := evidence.lacks():
        return Fitted(None, f"{_LEFT}: {lacks}", claims, before, before, of, kept)
    found, crossed = evidence.fit(), cross_fitted(evidence)
    own, mapped, more, among = claims, crossed.claims(), np.zeros(0), ""
    told: tuple[Claims, Claims] | None = None
    if test is not None:
        tested = test.mapped(found)
        more = gains_by_picture(test, tested)
        alone = test.claims(), tested.claims()
        own, mapped = own.joined(alone[0]), mapped.joined(alone[1])
        among = ", of these and the test pictures"
        if alone[0].enough and alone[1].enough:
            told, among = alone, f", of {counted(len(more), 'test picture')}"
    judged = _believed(own), _believed(mapped)
    both = judged if told is None else (_believed(told[0]), _believed(told[1]))
    if against := _against(gains_by_halves(evidence), more, *judged, of=of):
        return Fitted(None, f"{_LEFT}: {against}", claims, both[0], both[0], of, kept)
    fitted, says = replace(crossed.claims(), fitted=of), f"scores are calibrated on {of}"
    if both[0] and both[1]:
        says += f": calibration error {both[0].ece:.3f} before, {both[1].ece:.3f} after{among}"
    return Fitted(found, says, fitted, *both, of, evidence.mapped(found).kept())


def _against(
    gains: Floats, more: Floats, before: Calibration | None, after: Calibration | None, *, of: str
) -> str:
    """Why a map is not kept; nothing where it is.

    Args:
        gains, more: of the pictures that it is fitted on, as others of them say, and of those of
            test.
    """
    tests = counted(len(more), "test picture")
    if not beyond_chance(np.concatenate([gains, more])):
        if len(more) and beyond_chance(gains):
            return (
                f"{of} alone ask for others, which are no better by more than chance where {tests} "
                "judge too"
            )
        judges = f"{of} and {tests}" if len(more) else of
        return f"{judges} show none that would be better by more than chance"
    if before and after and after.ece > before.ece:
        return (
            f"calibrated on {of}, they would be further from how often they are right, by "
            f"{after.ece:.3f} where it is {before.ece:.3f} now"
        )
    return ""


def _believed(claims: Claims) -> Calibration | None:
    return calibrate(claims) if claims.enough else None


def cross_fitted(evidence: Evidence, parts: int = _PARTS, seed: int = 0) -> Evidence:
    """Each answer mapped by what the pictures of other parts say."""
    pictures, numbers = np.unique(evidence.groups, return_inverse=True)
    part_of = np.random.default_rng(seed).permutation(len(pictures))[numbers] % parts
    rows, found = [], []
    for part in range(parts):
        own = np.flatnonzero(part_of == part)
        others = evidence.take(np.flatnonzero(part_of != part))
        rows.append(own)
        found.append(evidence.take(own).mapped(others.fit()))
    order = np.argsort(np.concatenate(rows), kind="stable")
    return found[0].joined(found[1:]).take(order)


def gains_by_picture(own: Evidence, mapped: Evidence) -> Floats:
    """Of each picture, by how much mapped scores surprise less."""
    _, numbers = np.unique(own.groups, return_inverse=True)
    gained = own.surprises() - mapped.surprises()
    return np.asarray(np.bincount(numbers, weights=gained), np.float64)


def gains_by_halves(evidence: Evidence) -> Floats:
    """Of each picture, by how much less it surprises as mapped by what a half without it says, in
    the mean of several ways to halve them."""
    halved = (cross_fitted(evidence, parts=2, seed=seed) for seed in range(_HALVINGS))
    gains = np.stack([gains_by_picture(evidence, mapped) for mapped in halved])
    return np.asarray(gains.mean(axis=0), np.float64)


def beyond_chance(gains: Floats) -> bool:
    """Whether pictures gain more than the standard error of their mean."""
    return bool(gains.mean() > gains.std(ddof=1) / np.sqrt(len(gains)))


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
    test = family_of(task).evidence(judgements["test"]) if "test" in judgements else None
    found = fit(evidence, pictures, test)
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
