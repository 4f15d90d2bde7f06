"""Tables in `run.json`: the set that was learnt from, and the arithmetic that was chosen."""

import math
from typing import Literal, NotRequired, TypedDict

from viewfinder.values import (
    as_number,
    as_number_or_none,
    as_table,
    as_tables,
    as_text,
    as_whole,
)

Arithmetic = Literal["32", "bf16", "16"]
Layout = Literal["contiguous", "channels_last"]
_ARITHMETICS: dict[object, Arithmetic] = {"32": "32", "bf16": "bf16", "16": "16"}
_LAYOUTS: dict[object, Layout] = {"contiguous": "contiguous", "channels_last": "channels_last"}
# What stands in the tables whatever the task, and its kind.
_TRIAL = ("arithmetic", "layout", "milliseconds", "loss", "verdict")


class DataRecord(TypedDict, total=False):
    """The set that a run was trained on.

    `images` are counts by split, `per_class` of training pictures, `inputs` digests of what else
    was learnt from by the flag that named it, `depth` what the numbers of depth maps mean by
    folder, `decided` what the task made of the set itself, `folded` which fold of how many it is,
    `longer_side` that of the training pictures in pixels: the `median`, and what all but a
    twentieth do not exceed (`most`), and `object_share` an object's mean side as a share of it: the
    `median`, and what all but a tenth reach (`low`).
    """

    source: str
    root: str
    layout: str
    fingerprint: str
    inputs: dict[str, str]
    images: dict[str, int]
    per_class: dict[str, int]
    depth: dict[str, dict[str, object]]
    decided: dict[str, dict[str, object]]
    folded: str
    longer_side: dict[str, int]
    object_share: dict[str, float]


class ArrangementRecord(TypedDict):
    """How numbers were kept: see `training.arrangement.Arrangement`."""

    arithmetic: Arithmetic
    layout: Layout


class TrialRecord(ArrangementRecord):
    """What became of a candidate: see `training.arrangement.ArithmeticTrial`."""

    milliseconds: float | None
    loss: float | None
    verdict: str


class PrecisionRecord(TypedDict):
    """Which arithmetic was chosen and why: see `training.arrangement.Choice`."""

    arrangement: ArrangementRecord
    why: str
    trials: list[TrialRecord]
    promise: NotRequired[float | None]


def as_texts(table: object) -> dict[str, str]:
    return {name: as_text(text) for name, text in as_table(table).items()}


def _counts(table: object) -> dict[str, int]:
    counts = {name: as_whole(count) for name, count in as_table(table).items()}
    if min(counts.values(), default=0) < 0:
        raise ValueError("pictures must be counts")
    return counts


def _sides(table: object) -> dict[str, int]:
    sides = {name: as_whole(side) for name, side in as_table(table).items()}
    if sides.keys() != {"median", "most"} or min(sides.values()) < 1:
        raise ValueError("longer_side must be pixels, median and most")
    return sides


def _shares(table: object) -> dict[str, float]:
    shares = {name: as_number(share) for name, share in as_table(table).items()}
    if shares.keys() != {"median", "low"} or not 0 < shares["low"] <= shares["median"] < math.inf:
        raise ValueError("object_share must be shares of a side, low and median")
    return shares


def checked_data(data: dict[str, object]) -> DataRecord:
    record: DataRecord = {
        "source": as_text(data["source"]),
        "root": as_text(data["root"]),
        "layout": as_text(data["layout"]),
        "fingerprint": as_text(data["fingerprint"]),
        "images": _counts(data["images"]),
        "per_class": _counts(data["per_class"]),
    }
    if "inputs" in data:
        record["inputs"] = as_texts(data["inputs"])
    if "depth" in data:
        record["depth"] = {name: as_table(of) for name, of in as_table(data["depth"]).items()}
    if "decided" in data:
        record["decided"] = {name: as_table(of) for name, of in as_table(data["decided"]).items()}
    if "folded" in data:
        record["folded"] = as_text(data["folded"])
    if "longer_side" in data:
        record["longer_side"] = _sides(data["longer_side"])
    if "object_share" in data:
        record["object_share"] = _shares(data["object_share"])
    return record


def checked_precision(document: object) -> PrecisionRecord:
    """A choice of arithmetic, held to what a training could have written.

    Raises:
        ValueError, KeyError: it is not.
    """
    precision = as_table(document)
    arrangement, trials = as_table(precision["arrangement"]), as_tables(precision["trials"])
    if set(arrangement) != {"arithmetic", "layout"}:
        raise ValueError("precision.arrangement must be an arithmetic and a layout")
    if not all(set(trial) == set(_TRIAL) for trial in trials):
        raise ValueError(f"each of precision.trials must have {', '.join(_TRIAL)}")
    promise = precision.get("promise")  # runs of earlier versions have none
    if promise is not None and not (type(promise) is float and 0 <= promise < math.inf):
        raise ValueError("precision.promise must be seconds or null")
    record: PrecisionRecord = {
        "arrangement": _arranged(arrangement),
        "why": as_text(precision["why"]),
        "trials": [
            {
                **_arranged(trial),
                "milliseconds": as_number_or_none(trial["milliseconds"]),
                "loss": as_number_or_none(trial["loss"]),
                "verdict": as_text(trial["verdict"]),
            }
            for trial in trials
        ],
    }
    if "promise" in precision:
        record["promise"] = promise
    return record


def _arranged(table: dict[str, object]) -> ArrangementRecord:
    try:
        arithmetic, layout = _ARITHMETICS[table["arithmetic"]], _LAYOUTS[table["layout"]]
    except (KeyError, TypeError):
        raise ValueError(
            f"precision must be of {', '.join(_ARITHMETICS.values())} and "
            f"{' or '.join(_LAYOUTS.values())}"
        ) from None
    return {"arithmetic": arithmetic, "layout": layout}
