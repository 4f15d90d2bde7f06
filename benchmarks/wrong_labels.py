"""How many labels that were swapped are doubted most: `python benchmarks/wrong_labels.py DATA`.

Of the class labels of DATA, a set of boxes, 5 % become another class at random, five times; of
each, the share is told that lies in the tenth of all boxes that `labelling.doubting` puts in front.
"""

import sys

import numpy as np

from viewfinder.datasets.opening import open_dataset
from viewfinder.features.describing import Part, describe_readable
from viewfinder.labelling.doubting import doubts

SWAPPED, LOOKED_AT, TIMES, MOST = 0.05, 0.1, 5, 1500


def main() -> None:
    dataset = open_dataset(sys.argv[1])
    boxes = dataset.boxes
    assert boxes is not None
    rows = np.unique(np.linspace(0, len(boxes) - 1, MOST).astype(np.int64))
    pictures = boxes.pictures()
    parts = [Part(dataset.file(int(pictures[row])), tuple(boxes.corners[row])) for row in rows]
    vectors, readable = describe_readable(parts)
    rows = rows[readable]
    labels, corners = boxes.classes[rows].astype(np.int64), boxes.corners[rows].astype(np.float64)
    shares, count, classes = [], len(rows), int(labels.max()) + 1
    for seed in range(TIMES):
        random = np.random.default_rng(seed)
        wrong = random.choice(count, round(SWAPPED * count), replace=False)
        given = labels.copy()
        given[wrong] = (given[wrong] + random.integers(1, classes, len(wrong))) % classes
        order = np.argsort(-doubts(vectors, corners, given).amounts)
        shares.append(np.isin(wrong, order[: round(LOOKED_AT * count)]).mean())
    told = ", ".join(f"{share:.1%}" for share in shares)
    print(f"{count} boxes of {classes} classes: {np.mean(shares):.1%} found ({told})")


if __name__ == "__main__":
    main()
