"""How often the 95 % intervals of `score` hold the truth, and how often equal methods differ.

    uv run python benchmarks/score_coverage.py            1,000 sets of each kind and size

Sets of pictures are drawn from kinds of scores whose mean over endlessly many pictures is known:
even ones, skewed ones (most pictures good, a tail of bad ones), ones with failures (a tenth at 0),
right or wrong (a share of 0.9), the best of a mean curve (as max F), and the difference of two
methods that find the same pictures hard. Of each the share of intervals that hold the truth is
printed, and of two equal methods how often they are called different.
"""

import argparse
from collections.abc import Callable

import numpy as np

from viewfinder.evaluation.over_seeds import CHANCE
from viewfinder.evaluation.sampling import Values, chance, redrawn, same_shares
from viewfinder.scoring.contest import Drawn

_SIZES = (20, 50, 100, 200, 400)
_CURVE = np.linspace(0, 1, 32)

Kind = Callable[[np.random.Generator, int], Values]


def _curves(random: np.random.Generator, count: int) -> Values:
    """Curves with their best at another place for each picture."""
    places = random.normal(0.5, 0.15, (count, 1))
    heights = random.beta(8, 2, (count, 1))
    return np.asarray(heights * np.exp(-((_CURVE - places) ** 2) / 0.1))


def _paired(random: np.random.Generator, count: int) -> Values:
    hard = random.beta(4, 1, (count, 1))
    return np.asarray(
        np.clip(hard + random.normal(0, 0.05, (count, 1)), 0, 1)
        - np.clip(hard + random.normal(0, 0.05, (count, 1)), 0, 1)
    )


KINDS: dict[str, Kind] = {
    "even": lambda random, count: random.uniform(0, 1, (count, 1)),
    "skewed": lambda random, count: random.beta(8, 1, (count, 1)),
    "failures": lambda random, count: (
        random.beta(20, 2, (count, 1)) * (random.random((count, 1)) > 0.1)
    ),
    "right or wrong": lambda random, count: (random.random((count, 1)) < 0.9).astype(float),
    "best of a curve": _curves,
    "a difference": _paired,
}


def _figure(means: Values) -> Values:
    return np.asarray(means.max(axis=-1))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", type=int, nargs="?", default=1000)
    given = parser.parse_args()
    print("share of intervals that hold the truth; below, equal methods called different")
    print(f"{'pictures':<18}" + "".join(f"{size:>8}" for size in _SIZES))
    called = []
    for name, kind in KINDS.items():
        truth = float(_figure(kind(np.random.default_rng(99), 1_000_000).mean(axis=0)))
        shares, differ = [], []
        for size in _SIZES:
            held = different = 0
            for seed in range(given.sets):
                values = kind(np.random.default_rng(seed), size)
                draws = redrawn(same_shares(size), values, _figure)
                value = float(_figure(values.mean(axis=0)))
                share_of = size if name == "right or wrong" else None
                drawn = Drawn(value, size, draws, share_of, bounded=name != "a difference")
                found = drawn.interval
                assert found.low is not None
                assert found.high is not None
                held += found.low <= truth <= found.high
                p = chance(draws, size)
                different += p is not None and p <= CHANCE
            shares.append(held / given.sets)
            differ.append(different / given.sets)
        print(f"{name:<18}" + "".join(f"{share:>8.1%}" for share in shares), flush=True)
        if name == "a difference":
            called = differ
    print(f"{'called different':<18}" + "".join(f"{share:>8.1%}" for share in called))


if __name__ == "__main__":
    main()
