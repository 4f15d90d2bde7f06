"""How far a run's scores can be believed, before and after they are fitted on validation pictures.

    python benchmarks/calibration.py RUN DATA

Of validation pictures the figure after is cross-fitted: each is judged by what other pictures say.
The last line is of 40 other sides: as many as val has, drawn from val and test together, to fit
scores by, where they are fitted, and the rest to measure on.
Of a classifier then what comes of 40 other sides for fitting, each as large as val and drawn from
the test pictures, which chose nothing in the training, and measured on the rest of them.
"""

import sys

import numpy as np
import torch

from viewfinder import open_run
from viewfinder.datasets.dataset import SPLITS
from viewfinder.datasets.opening import open_dataset
from viewfinder.evaluation.calibrating import (
    Evidence,
    Fitted,
    beyond_chance,
    family_of,
    fit,
    gains_by_halves,
)
from viewfinder.evaluation.calibration import Calibration, calibrate, calibration
from viewfinder.evaluation.classify.calibrating import ClassEvidence
from viewfinder.evaluation.judging import AnyJudgement, judge_examples
from viewfinder.tasks.calibration import with_own_scores
from viewfinder.tasks.classify.coverage import TRUE_SHARES, members, read_shares


def told(name: str, found: Calibration | None) -> str:
    """A row of the table."""
    return (
        "too few"
        if found is None
        else (
            f"{name}: ECE {found.ece:.3f} ({found.by_chance:.3f} by chance), {found.count:,} "
            f"{found.of}, called {found.score:.1%} in the mean, {found.right:.1%} right"
        )
    )


def tell_coverage(found: Fitted, test: AnyJudgement) -> None:
    """How often sets of classes hold the true one on test pictures, and how large they are."""
    shares = read_shares(found.kept[TRUE_SHARES])
    assert shares is not None
    if found.map:
        test = family_of("classify").recalibrated(test, found.map)
    for coverage in (0.8, 0.9, 0.95):
        least = shares.least_share(coverage)
        sets = [members(row, least) for row in test.answers]
        held = sum(label in own for label, own in zip(test.examples.labels, sets, strict=True))
        low, high = shares.spread(coverage)
        print(
            f"--coverage {coverage}: {held / len(sets):.1%} of {len(sets):,} test pictures "
            f"({low:.1%} to {high:.1%} by chance), {sum(map(len, sets)) / len(sets):.2f} classes"
        )


def tell_splits(test: ClassEvidence, count: int) -> None:
    """How often sets hold the true class, and the calibration error by when a map is kept."""
    held: dict[float, list[float]] = {coverage: [] for coverage in (0.8, 0.9, 0.95)}
    errors: dict[str, list[float]] = {
        name: [] for name in ("never", "helps", "by chance", "always")
    }
    for seed in range(40):
        order = np.random.default_rng(seed).permutation(len(test.groups))
        fitted, rest = test.take(order[:count]), test.take(order[count:])
        shares = read_shares(fitted.kept()[TRUE_SHARES])
        assert shares is not None
        for coverage, found in held.items():
            # The likeliest class is always in a set: one of less share is too, if it is the truth.
            own = rest.probabilities[np.arange(len(rest.labels)), rest.labels]
            true = own >= shares.least_share(coverage) - 1e-6
            found.append(float((true | rest.claims().right).mean()))
        gains = gains_by_halves(fitted)
        kept, gained = beyond_chance(gains), float(gains.mean())
        plain, fit_error = (
            calibrate(each.claims()).ece for each in (rest, rest.mapped(fitted.fit()))
        )
        for name, used in (
            ("never", False),
            ("by chance", kept),
            ("helps", gained > 0),
            ("always", True),
        ):
            errors[name].append(fit_error if used else plain)
    print(f"40 draws of {count} test pictures, on the other {len(test.groups) - count}:")
    for coverage, found in held.items():
        print(f"--coverage {coverage}: {np.mean(found):.1%} ± {np.std(found):.1%}")
    told = ", ".join(f"{name} {np.mean(found):.4f}" for name, found in errors.items())
    print(f"calibration error, by when a map is kept: {told}")


def tell_draws(both: Evidence, count: int) -> None:
    """The calibration error in the mean of draws of so many pictures to fit by, and that of scores
    that are exactly right.
    """
    pictures, figures = np.unique(both.groups), []
    for seed in range(40):
        chosen = np.random.default_rng(seed).choice(pictures, count, replace=False)
        fitted = np.isin(both.groups, chosen)
        side, rest = both.take(np.flatnonzero(fitted)), both.take(np.flatnonzero(~fitted))
        kept = beyond_chance(gains_by_halves(side))
        after = calibrate((rest.mapped(side.fit()) if kept else rest).claims())
        before = calibrate(rest.claims())
        assert before is not None
        assert after is not None
        figures.append((before.ece, after.ece, after.by_chance, kept))
    before, after, chance, kept = np.array(figures, float).T
    print(
        f"40 draws of {count} of {len(pictures):,} held-out pictures, on the others: ECE "
        f"{before.mean():.3f} before, {after.mean():.3f} ± {after.std(ddof=1):.3f} after, "
        f"{chance.mean():.3f} if scores were exactly right; fitted in {kept.sum():.0f}"
    )


def main() -> None:
    run = open_run(sys.argv[1])
    manifest = run.manifest
    dataset = open_dataset(sys.argv[2], val_share=manifest.recipe.val_share)
    model, task = with_own_scores(run.model), manifest.task
    judged = {
        side: judge_examples(model, dataset.split(side), device=torch.device("cpu"))
        for side in ("val", "test")
    }
    family = family_of(task)
    evidence = family.evidence(judged["val"])
    assert evidence is not None
    words = f"{len(judged['val'].examples)} validation pictures"
    found = fit(evidence, words, family.evidence(judged["test"]))
    print(found.says)
    print(found.map.as_json() if found.map else "no map")
    print(told("val, own scores", calibration(task, judged["val"])))
    print(told("val, cross-fitted", calibrate(found.claims)))
    print(told("test, own scores", calibration(task, judged["test"])))
    if found.map:
        after = calibration(task, family.recalibrated(judged["test"], found.map))
        print(told("test, fitted on val", after))
        print(after.by_score if after else "")
    if task == "classify":
        tell_coverage(found, judged["test"])
        test = family.evidence(judged["test"])
        assert isinstance(test, ClassEvidence)
        tell_splits(test, len(judged["val"].examples))
    held_out = [SPLITS.index(side) for side in ("val", "test")]
    rows = np.flatnonzero(np.isin(dataset.splits, held_out))
    both = family.evidence(judge_examples(model, dataset.select(rows), device=torch.device("cpu")))
    assert both is not None
    tell_draws(both, len(judged["val"].examples))


main()
