"""How far a run's scores can be believed, before and after they are fitted on validation pictures.

    python benchmarks/calibration.py RUN DATA

Of validation pictures the figure after is cross-fitted: each is judged by what other pictures say.
"""

import sys

import torch

from viewfinder import open_run
from viewfinder.datasets.opening import open_dataset
from viewfinder.evaluation.calibrating import Fitted, family_of, fit
from viewfinder.evaluation.calibration import Calibration, calibrate, calibration
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
    found = fit(evidence, f"{len(judged['val'].examples)} validation pictures")
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


main()
