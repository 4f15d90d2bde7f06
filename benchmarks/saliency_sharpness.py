"""How much of a saliency run's error is only that its maps are too soft, or too hard.

    uv run python benchmarks/saliency_sharpness.py DATA RUN…

The logits of each run's maps are multiplied by a factor, which is chosen on val for the least MAE,
and the scores on test are given before and after, and their means over all runs: what difference is
left between runs is not a matter of sharpness.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from viewfinder.datasets.opening import open_dataset
from viewfinder.evaluation.judging import judge_examples
from viewfinder.runs.run import open_run
from viewfinder.tasks import find
from viewfinder.tasks.saliency.maps import SubjectMap
from viewfinder.tasks.saliency.scores import SaliencyScores

FACTORS = (0.25, 0.5, 1, 2, 3, 5, 8, 12, 20)
_EDGE = 1e-6


def sharpened(answer: SubjectMap, factor: float) -> SubjectMap:
    """The map whose logits are `factor` times as large."""
    share = np.clip(answer.values.astype(np.float64), _EDGE, 1 - _EDGE)
    logits = factor * np.log(share / (1 - share))
    return SubjectMap((1 / (1 + np.exp(-logits))).astype(np.float32), answer.size)


def scores_of(judgement, factor: float) -> SaliencyScores:
    answers = [sharpened(answer, factor) for answer in judgement.answers]
    return find("saliency").score(answers, judgement.examples)


def tell(name: str, row) -> None:
    mae, s, sharp_mae, sharp_s = row
    print(f"{name}: MAE {mae:.4f} → {sharp_mae:.4f}, S {s:.4f} → {sharp_s:.4f}", flush=True)


def main() -> None:
    dataset = open_dataset(Path(sys.argv[1]))
    rows = []
    for name in sys.argv[2:]:
        run = open_run(name)
        val, test = (
            judge_examples(run.model, dataset.split(side), device=torch.device("cpu"))
            for side in ("val", "test")
        )
        best = min(FACTORS, key=lambda factor: scores_of(val, factor).mae)
        before, after = scores_of(test, 1), scores_of(test, best)
        rows.append((before.mae, before.s_measure, after.mae, after.s_measure))
        tell(f"{name}, × {best:g}", rows[-1])
    tell(f"mean of {len(rows)}", np.mean(rows, axis=0))


if __name__ == "__main__":
    main()
