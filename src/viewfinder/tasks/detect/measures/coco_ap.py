"""COCO's precision at every recall, IoU and size, as hotcoco counts it."""

import numpy as np
from hotcoco import COCO, COCOeval
from numpy.typing import NDArray

from viewfinder.tasks.detect.measures.matching import Matching


def precision_at_recalls(
    matching: Matching, classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """COCO's precision, and the score, of 10 IoUs × 101 recalls × C classes × 4 sizes, all first.

    NaN where a class has no truth of the size.
    """
    evaluation = evaluated(matching, classes)
    evaluation.accumulate()
    table = evaluation.eval
    assert table is not None, "accumulate() fills it"
    # The last of the limits on detections of a class in a picture: 100, the one of AP.
    precision, thresholds = (table[name][..., -1] for name in ("precision", "scores"))
    none = precision < 0
    return np.where(none, np.nan, precision), np.where(none, np.nan, thresholds)


def evaluated(matching: Matching, classes: int) -> COCOeval:
    """hotcoco's matching of the same boxes, at every IoU and size; pictures and classes from 1."""
    found = matching.found
    low, high = found.boxes[:, :2], found.boxes[:, 2:]
    size = np.maximum(high - low, 0)
    columns = (matching.pictures + 1, low, size, found.scores, found.labels + 1)
    known = _known(matching, classes)
    evaluation = COCOeval(known, known.load_res(np.column_stack(columns)), "bbox")
    evaluation.evaluate()
    return evaluation


def _known(matching: Matching, classes: int) -> COCO:
    """The truths as hotcoco takes them; numbers begin at 1, as 0 is COCO's "not matched"."""
    truth = matching.truth
    size = truth.corners[:, 2:] - truth.corners[:, :2]
    columns = {
        "image_id": truth.pictures() + 1,
        "category_id": truth.classes + 1,
        "bbox": np.hstack([truth.corners[:, :2], size]),
        "area": np.where(np.isnan(truth.areas), size.prod(axis=1), truth.areas),
        "iscrowd": (~matching.counted).astype(np.int64),
    }
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return COCO(
        {
            "images": [{"id": i} for i in range(1, len(truth.offsets))],
            "categories": [{"id": c, "name": str(c)} for c in range(1, classes + 1)],
            "annotations": [
                {"id": row, **dict(zip(columns, values, strict=True))}
                for row, values in enumerate(rows, 1)
            ],
        }
    )
