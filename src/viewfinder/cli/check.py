"""Find every fault of a data set, each with its file and a way to mend it.

Exit status 1 if there are any.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any

import tyro

from viewfinder.cli.output import print_json
from viewfinder.wording import counted

# What programs are promised of a fault.
_TOLD = ("kind", "file", "detail", "mend")


@dataclass(frozen=True)
class Flags:
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """A folder of pictures in class folders; of pictures with masks of their subjects; of boxes as
    COCO, YOLO or Pascal VOC; or: tabletop."""
    json: bool = False
    """Print one JSON document: faults (kind, file, detail, mend) and counts."""


def run(flags: Flags) -> int:
    """Print the faults."""
    from viewfinder.datasets.bit_depth import with_bits_found
    from viewfinder.datasets.checks.boxes import check_boxes
    from viewfinder.datasets.checks.checking import check_dataset
    from viewfinder.datasets.opening import open_dataset, read_boxes
    from viewfinder.pictures.reading import BITS

    boxes = read_boxes(flags.data)
    dataset = with_bits_found(open_dataset(flags.data) if boxes is None else boxes)
    faults = check_dataset(dataset) if boxes is None else check_boxes(dataset)
    if flags.json:
        counts: dict[str, Any] = {"images": len(dataset), "classes": dataset.counts()}
        if dataset.boxes is not None:
            counts["boxes"] = len(dataset.boxes)
        if dataset.bits < BITS[-1]:
            counts["bits"] = dataset.bits
        counts["faults"] = dict(Counter(fault.kind for fault in faults))
        told = [{name: getattr(fault, name) for name in _TOLD} for fault in faults]
        print_json({"faults": told, "counts": counts})
        return 1 if faults else 0
    print(dataset.summary())
    for name, count in dataset.counts().items():
        print(f"  {name}: {count}")
    for fault in faults:
        print(f"{fault.kind}: {fault.file}: {fault.detail}; {fault.mend}")
    print(counted(len(faults), "fault") if faults else "no faults")
    return 1 if faults else 0
